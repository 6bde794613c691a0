"""The admin API as an OpenAPI 3.1 document, for clients in any language. It is made from one table, when it is requested."""

from __future__ import annotations

from typing import Any

import attrs

from authing_mfa._version import __version__
from authing_mfa.emulator.state.fault_rules import FaultRule
from authing_mfa.emulator.state.settings import FACE_VERDICTS, POLICIES, Settings

__all__ = ["document"]

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer"}
_FLAG = {"type": "boolean"}
_ANY: dict[str, Any] = {}


def _object(required: str = "", texts: str = "", counts: str = "", /, **fields: Any) -> dict[str, Any]:
    """Return the schema of an object; *texts* and *counts* are the names of fields of these types."""
    properties = {**dict.fromkeys(texts.split(), _TEXT), **dict.fromkeys(counts.split(), _COUNT), **fields}
    return {"type": "object", "properties": properties, "required": required.split()}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(kind: dict[str, Any]) -> dict[str, Any]:
    return {**kind, "type": [kind["type"], "null"]}


_MESSAGE = _object(
    "id channel to target code sent_at",
    "to target code text",
    "id",
    channel={"type": "string", "enum": ["sms", "email"]},
    scene=_or_null(_TEXT),
    sent_at=_NUMBER,
)
_POLICY_LIST = _list({"type": "string", "enum": list(POLICIES)})
_USER_TEXTS = ("username", "phone", "email", "nickname", "mfa_phone", "mfa_email", "recovery_code", "totp_uri")
_USER = _object(
    "id",
    "id",
    **dict.fromkeys(_USER_TEXTS, _or_null(_TEXT)),
    **dict.fromkeys(("mfa", "own_mfa"), _POLICY_LIST),
    **dict.fromkeys(("totp_enabled", "face_enabled", "locked"), _FLAG),
    password_change=_or_null(_COUNT),
)
_CHANGES = {
    **dict.fromkeys(("username", "password", "phone", "email", "phone_country_code", "nickname"), _TEXT),
    "mfa": _list(_TEXT),
    "custom": {"type": "object"},
}
_NEW_USER = _object("username password", "id totp_secret recovery_code face", "password_change", **_CHANGES, totp=_FLAG)
_RULE_TYPES: dict[str, Any] = {
    **dict.fromkeys(("path", "user", "message", "drop", "reset", "body", "id"), _TEXT),
    **dict.fromkeys(("nth", "seed", "count", "status", "code", "matched", "fired"), _COUNT),
    **dict.fromkeys(("probability", "retry_after", "slow_body"), _NUMBER),
    "acts": _FLAG,
}
_RULE = _object(
    "", **{f.name: _RULE_TYPES.get(f.name, _ANY) for f in attrs.fields(FaultRule) if not f.name.startswith("_")}
)
_SETTING_TYPES: dict[Any, Any] = {
    "float": _NUMBER,
    "int": _COUNT,
    "int | None": _or_null(_COUNT),
    "bool": _FLAG,
    "tuple[str, ...]": _list(_TEXT),
    "str": {"type": "string", "enum": list(FACE_VERDICTS)},
}
_SETTINGS = _object("", **{field.name: _SETTING_TYPES[field.type] for field in attrs.fields(Settings)})
_CLOCK = _object("now offset", now=_NUMBER, offset=_NUMBER)
_TOKEN = _object("token", token=_TEXT)
_REQUEST = _object(
    "id at method path",
    "method path namespace",
    "id request_bytes response_bytes",
    **dict.fromkeys(("at", "ms"), _NUMBER),
    **dict.fromkeys(("operation", "user", "fault"), _or_null(_TEXT)),
    **dict.fromkeys(("status", "code"), _or_null(_COUNT)),
    **dict.fromkeys(("request", "response"), _ANY),
)
_PHOTO = _object("key url", "key url content_type", "bytes", **dict.fromkeys(("private", "picture", "kept"), _FLAG))
_INFO = _object(
    "url app_id user_pool_id public_key",
    "url app_id user_pool_id public_key namespace version",
    now=_NUMBER,
    tls=_FLAG,
)
_FAULTS = _object("faults", faults=_list(_RULE))

# method, path, summary, query parameters, body, answer: a schema, or a media type if it is not JSON
_TABLE: tuple[tuple[str, str, str, str, Any, Any], ...] = (
    ("get", "health", "200 as soon as requests are answered", "", None, _object("status", status=_TEXT)),
    ("get", "info", "Address, ids, public key, time, version", "", None, _INFO),
    (
        "get",
        "inbox",
        "Messages, newest first; with wait: as soon as there is one newer than after",
        "to channel after wait limit",
        None,
        _object("messages", messages=_list(_MESSAGE)),
    ),
    ("post", "messages", "Send a code now", "", _object("to", to=_TEXT, scene=_or_null(_TEXT)), _MESSAGE),
    (
        "post",
        "codes",
        "Fix the code of a recipient; null: random again",
        "",
        _object("target code", target=_TEXT, code=_or_null(_TEXT)),
        _object("target fixed", target=_TEXT, fixed=_FLAG),
    ),
    (
        "get",
        "events",
        "Server-sent events: message, request, clock, faults, users, photo, settings, reset",
        "",
        None,
        "text/event-stream",
    ),
    ("get", "users", "Users", "limit offset q", None, _object("users total", users=_list(_USER), total=_COUNT)),
    ("post", "users", "Add a user; face is a picture in base64", "", _NEW_USER, _USER),
    ("get", "users/{id}", "One user", "", None, _USER),
    ("patch", "users/{id}", "Change a user", "", _object(**_CHANGES), _USER),
    ("delete", "users/{id}", "Delete a user", "", None, _object("deleted", deleted=_TEXT)),
    ("delete", "users/{id}/factors/{factor}", "Unbind SMS, EMAIL, OTP or FACE", "", None, _USER),
    ("post", "users/{id}/lock", "Lock a user", "", _object(seconds=_NUMBER), _USER),
    ("post", "users/{id}/unlock", "End the lock of a user", "", None, _USER),
    ("get", "users/{id}/qr.svg", "The QR picture of the bound TOTP", "", None, "image/svg+xml"),
    (
        "get",
        "users/{id}/totp",
        "The TOTP code now",
        "",
        None,
        _object("code seconds_left", code=_TEXT, seconds_left=_NUMBER),
    ),
    ("post", "users/{id}/mfa-token", "A new mfaToken", "", None, _TOKEN),
    ("post", "users/{id}/token", "A new token, as after a finished login", "", None, _TOKEN),
    (
        "get",
        "requests",
        "Requests, newest first",
        "limit",
        None,
        _object("requests total", requests=_list(_REQUEST), total=_COUNT),
    ),
    (
        "get",
        "verifications",
        "Verifications with a token",
        "token",
        None,
        _object("count received", count=_COUNT, received=_COUNT),
    ),
    ("get", "faults", "Fault rules", "", None, _FAULTS),
    ("post", "faults", "Add a fault rule", "", _RULE, _RULE),
    ("delete", "faults", "Remove every fault rule", "", None, _FAULTS),
    ("delete", "faults/{id}", "Remove a fault rule", "", None, _FAULTS),
    ("get", "clock", "The emulator's time", "", None, _CLOCK),
    (
        "post",
        "clock",
        "Move the time: one of the three",
        "",
        _object(advance=_NUMBER, set=_NUMBER, reset=_FLAG),
        _CLOCK,
    ),
    ("get", "settings", "The settings", "", None, _SETTINGS),
    ("post", "settings", "Change settings until the next reset", "", _SETTINGS, _SETTINGS),
    ("post", "reset", "Back to the start", "", None, _object("reset", reset=_FLAG)),
    ("get", "snapshot", "Everything", "", None, {"type": "object"}),
    ("put", "snapshot", "Back to a snapshot", "", {"type": "object"}, _object("restored", restored=_FLAG)),
    (
        "get",
        "photos",
        "Uploaded photos, newest first",
        "limit",
        None,
        _object("photos total", photos=_list(_PHOTO), total=_COUNT),
    ),
    ("get", "photos/{key}", "A photo; a private one with its signature", "signature", None, "image/*"),
    ("get", "openapi.json", "This document", "", None, {"type": "object"}),
)


def document(url: str) -> dict[str, Any]:
    """Return the document for the admin API of the namespace at *url*."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path, summary, query, body, answer in _TABLE:
        paths.setdefault(f"/{path}", {})[method] = _operation(method, path, summary, query, body, answer)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Admin API of the Authing MFA emulator", "version": __version__},
        "servers": [{"url": f"{url}/_emulator"}],
        "paths": paths,
    }


def _operation(method: str, path: str, summary: str, query: str, body: Any, answer: Any) -> dict[str, Any]:
    named = [word.strip("{}") for word in path.split("/") if word.startswith("{")]
    content = {answer: {}} if isinstance(answer, str) else {"application/json": {"schema": answer}}
    error = {"description": "Refused", "content": {"application/json": {"schema": _object("error", error=_TEXT)}}}
    status = "201" if method == "post" and path in ("users", "faults") else "200"
    words = path.replace("{", "").replace("}", "").replace(".", "/").split("/")
    operation: dict[str, Any] = {
        "operationId": "_".join((method, *words)).replace("-", "_"),
        "summary": summary,
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": _TEXT} for name in named),
            *({"name": name, "in": "query", "schema": _TEXT} for name in query.split()),
        ],
        "responses": {status: {"description": "Done", "content": content}, "default": error},
    }
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return operation
