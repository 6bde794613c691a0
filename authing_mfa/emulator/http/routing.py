"""Find the operation of a request: paths, methods, spellings of fields.

Requests of every official client are accepted (docs/wire.md#where-the-clients-disagree): both path families, snake_case and camelCase,
a POST without body, nulls, empty optional texts, unknown fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from authing_mfa import operations as ops
from authing_mfa._json import parse_json
from authing_mfa.emulator.rules import endpoints as own
from authing_mfa.emulator.rules.context import ServiceRefusal
from authing_mfa.errors import InvalidInputError
from authing_mfa.structuring import camel, operation_from_wire, wire_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authing_mfa.operations import Operation

__all__ = ["ROUTES", "multipart_file", "narrowed", "operation_of", "read_body", "route_of"]

_SERVED: tuple[type[Operation[Any]], ...] = (
    *(cls for cls in ops.OPERATIONS if cls not in (ops.SendMfaEmail, ops.ChangeExpiredPassword)),
    own.SendSmsV3,
    own.SendEmailV3,
    own.UserFieldValues,
    own.WellKnown,
    own.GraphQL,
)


def _routes() -> dict[tuple[str, str], type[Operation[Any]]]:
    table: dict[tuple[str, str], type[Operation[Any]]] = {}
    for cls in _SERVED:
        path = cls.route.path
        table[cls.route.method, path] = cls
        # Guard web and Flutter use applications/mfa where other clients use mfa; serving both paths for every call does no harm.
        for one, other in (
            ("/api/v2/mfa/", "/api/v2/applications/mfa/"),
            ("/api/v2/applications/mfa/", "/api/v2/mfa/"),
        ):
            if path.startswith(one):
                table[cls.route.method, other + path.removeprefix(one)] = cls
    table["POST", "/api/v2/email/send-email"] = ops.SendEmail
    table["GET", "/api/v3/get-factors"] = ops.GetFactor
    table["POST", "/graphql"] = own.GraphQL
    table["GET", "/.well-known"] = own.WellKnown
    return table


ROUTES = _routes()
"""Every method and path that is served, except public-config, whose path holds the application's id."""

_CONFIG_HEAD, _CONFIG_TAIL = ops.PublicConfig.route.path.split("{app_id}")

_MISSING: dict[type[Operation[Any]], dict[str, tuple[int, str]]] = {
    ops.VerifyByTotp: {"totp": (6003, "missing_totp")},
    ops.VerifyByRecoveryCode: {"recoveryCode": (6004, "missing_recovery")},
    ops.VerifyByFace: {"photo": (1700, "face_missing")},
    ops.AssociateFace: {"photoA": (1700, "face_missing"), "photoB": (1701, "face_compare_missing")},
}
"""Missing fields with their own code (docs/wire.md#server-codes). All others are 400."""


def route_of(method: str, path: str) -> tuple[type[Operation[Any]], dict[str, Any]] | None:
    """Return the operation class of *method* and *path*, and the fields in the path; None if nothing is served there."""
    cls = ROUTES.get((method, path))
    if cls is not None:
        return cls, {}
    if method == "GET" and path.startswith(_CONFIG_HEAD) and path.endswith(_CONFIG_TAIL):
        return ops.PublicConfig, {"appId": path[len(_CONFIG_HEAD) : -len(_CONFIG_TAIL)]}
    return None


def read_body(content: bytes) -> dict[str, Any]:
    """Return the JSON object in a request; an empty body is an empty object.

    Raises:
        ServiceRefusal: the body is not an object.
    """
    if not content.strip():
        return {}
    try:
        body = parse_json(content)
    except ValueError:
        raise ServiceRefusal(400, "bad_request", status=400, detail=": JSON") from None
    if not isinstance(body, dict):
        raise ServiceRefusal(400, "bad_request", status=400, detail=": JSON object")
    return body


def narrowed(cls: type[Operation[Any]], fields: Mapping[str, Any]) -> type[Operation[Any]]:
    """Return the operation class that *fields* belong to: operations that share a path are distinguished by their fields."""
    if cls is ops.SendEmail and str(fields.get("scene", "")).startswith("MFA_"):
        return own.SendMfaEmailOfScene
    if cls is ops.MfaCheck and not fields.get("phone") and not fields.get("email"):
        return own.MfaCheckOfNothing
    if cls is own.GraphQL and str(ops.ChangeExpiredPassword.graphql_field) in str(fields.get("query", "")):
        return own.ExpiredPasswordGraphQL
    return cls


def operation_of(cls: type[Operation[Any]], fields: Mapping[str, Any]) -> Operation[Any]:
    """Return the operation of class *cls* with *fields* in any spelling.

    Raises:
        ServiceRefusal: a field is missing, empty, or not of its type.
    """
    body = _given(cls, {(camel(name) if "_" in name else name): value for name, value in fields.items()})
    for name in cls.groups:
        if isinstance(body.get(name), dict):
            body[name] = _given(cls, body[name])
    if cls is ops.IntrospectMfaToken:
        body.setdefault("token", "-")  # Python v3 and Node v3 send no body
    for name, (code, key) in _MISSING.get(cls, {}).items():
        if not str(body.get(name, "")).strip():
            raise ServiceRefusal(code, key)
    try:
        return operation_from_wire(cls, body)
    except KeyError as error:
        detail = f": {error.args[0]}"
    except (InvalidInputError, TypeError, ValueError) as error:
        detail = f": {error}"
    except AttributeError:  # cattrs fails on a value that is not an object
        detail = ": object"
    raise ServiceRefusal(400, "bad_request", status=400, detail=detail)


def _given(cls: type[Operation[Any]], fields: dict[str, Any]) -> dict[str, Any]:
    """Return *fields* without those that are null, and without optional texts that are empty: forms send their empty fields, too."""
    optional = {wire_name(field) for field in attrs.fields(cls) if isinstance(field.default, str | None)}
    return {
        name: value
        for name, value in fields.items()
        if value is not None and not (name in optional and isinstance(value, str) and not value.strip())
    }


def multipart_file(content: bytes, content_type: str) -> tuple[bytes, str] | None:
    """Return the part named ``file`` of a multipart body and its content type; None if there is no such part.

    A line break in front of the first boundary is allowed: the iOS client sends one (docs/wire.md#photo-upload).
    """
    _, _, boundary = content_type.partition("boundary=")
    boundary = boundary.partition(";")[0].strip().strip('"')
    if not boundary:
        return None
    for part in content.split(b"--" + boundary.encode()):
        head, gap, data = part.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").strip().split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if gap and 'name="file"' in headers.get("content-disposition", ""):
            return data.removesuffix(b"\r\n"), headers.get("content-type", "application/octet-stream")
    return None
