"""JSON objects to typed values and back, by one cattrs converter. Strict: a wrong type is an error, never coerced.

`to_wire` makes an operation's JSON object, `from_wire` an answer's value, `operation_from_wire` an operation from a request
(what the emulator does). The wire's names and shapes are those of docs/wire.md, sections Requests and Payloads.
"""

from __future__ import annotations

import base64
import binascii
import json
from functools import cache
from math import isfinite
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from authing_mfa.models import Authenticator, CustomField, MfaChallenge, MfaFactor, TotpEnrollment, UserInfo
from authing_mfa.operations import Operation, PhotoKey

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["challenge_from_wire", "from_wire", "operation_from_wire", "recovered_user", "to_wire"]

O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - the letter of "operation"; never beside a zero

_converter: Final = cattrs.Converter(detailed_validation=False, prefer_attrib_converters=False)


def _strict(kind: type | tuple[type, ...], name: str) -> Callable[[Any, Any], Any]:
    def check(value: Any, _: Any) -> Any:
        if isinstance(value, kind) and (value.__class__ is not bool or kind is bool):
            return value
        raise TypeError(f"{name} expected, not {_json_name(value)}")

    return check


def _strict_text(value: Any, _: Any) -> Any:
    if type(value) is str:
        return value
    raise TypeError(f"text expected, not {_json_name(value)}")


def _strict_optional_text(value: Any, _: Any) -> Any:
    if type(value) is str or value is None:
        return value
    raise TypeError(f"text or null expected, not {_json_name(value)}")


def _json_name(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


_converter.register_structure_hook(str, _strict_text)
_converter.register_structure_hook(bool, _strict(bool, "a boolean"))
_converter.register_structure_hook(int, _strict(int, "a whole number"))
_converter.register_structure_hook_func(lambda kind: kind == (str | None), _strict_optional_text)


def camel(name: str) -> str:
    """snake_case to camelCase, the wire's spelling of a field."""
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def _wire_name(attribute: attrs.Attribute[Any]) -> str:
    return attribute.metadata.get("wire") or camel(attribute.name)


def _overrides(cls: type, *, omit_none: bool = False) -> dict[str, Any]:
    return {
        field.name: override(rename=_wire_name(field), omit_if_default=omit_none and field.default is None)
        for field in attrs.fields(cls)
    }


def _structurer(cls: type, **special: Any) -> Callable[[Any, Any], Any]:
    return make_dict_structure_fn(cls, _converter, _cattrs_detailed_validation=False, **(_overrides(cls) | special))


# ─────────────────────────────── operations ───────────────────────────────


_unstructurers: Final[dict[Any, Callable[[Any], dict[str, Any]]]] = {}
_operation_structurers: Final[dict[Any, Callable[[Any, Any], Any]]] = {}


def to_wire(operation: Operation[Any]) -> dict[str, Any]:
    """The JSON object of *operation*: its fields under their wire names, those that are None left out, and the fixed ones."""
    cls = operation.__class__
    unstructure = _unstructurers.get(cls)
    if unstructure is None:
        unstructure = _unstructurers[cls] = make_dict_unstructure_fn(cls, _converter, **_overrides(cls, omit_none=True))
    fields = unstructure(operation)
    fixed = operation.constant_fields
    return {**fields, **fixed} if fixed else fields


def operation_from_wire(cls: type[O], body: dict[str, Any]) -> O:
    """The operation that a request's JSON object *body* (camelCase keys) asks for. Unknown keys are ignored.

    Raises:
        InvalidInputError: a field is empty or not of its type.
        KeyError, TypeError: a required field is missing, or a value cannot be read at all.
    """
    structure = _operation_structurers.get(cls)
    if structure is None:
        structure = _operation_structurers[cls] = _structurer(cls)
    operation: O = structure(body, cls)
    return operation


# ─────────────────────────────── answers ───────────────────────────────


_ABSENT: Final = (None, "")  # anything else that counts as false is of a wrong type


def _object(payload: Any) -> dict[str, Any]:
    if type(payload) is not dict:
        raise TypeError(f"an object expected, not {_json_name(payload)}")
    return payload


@cache
def _user_structurer() -> Callable[[Any, Any], Any]:
    tokens = {name: override(rename=name) for name in ("id_token", "access_token", "refresh_token")}
    return _structurer(UserInfo, **tokens, raw=override(struct_hook=lambda raw, _: raw))


def recovered_user(payload: Any, recovery_code: Any) -> UserInfo:
    """What the use of a recovery code answers (docs/wire.md#verification-answers): the user, and the new code beside it or among its fields.

    The new code is never lost: where one came and the user cannot be read, the user is all None but for it.

    Raises:
        TypeError, KeyError, ValueError: there is neither a user nor a new code, or the code is not text.
    """
    new = _strict_optional_text(recovery_code, None) or None
    try:
        return _user(payload, new)
    except (TypeError, ValueError, KeyError):
        raw = payload if isinstance(payload, dict) else {}
        new = new or raw.get("recoveryCode")
        if not isinstance(new, str) or not new:
            raise
        return UserInfo(recovery_code=new, raw=raw)


def _unwrapped(payload: Any) -> dict[str, Any]:
    """A user's object. One nested in `userEntity` is taken out; what stood beside it (a token, say) joins its fields."""
    raw = _object(payload)
    if raw.get("userEntity") is None:
        return raw
    entity = _object(raw["userEntity"])
    beside = {key: value for key, value in raw.items() if key != "userEntity" and entity.get(key) is None}
    return {**entity, **beside}


def _user(payload: Any, recovery_code: str | None) -> UserInfo:
    """A user of any of the service's shapes (docs/wire.md#user): nested in `userEntity`, `sub` for `id`, `picture` for `photo`."""
    raw = _unwrapped(payload)
    fields = dict(raw)
    for name, other in (("id", "sub"), ("photo", "picture"), ("id_token", "token")):
        if fields.get(name) in _ABSENT:
            value = fields.get(other)
            fields[name] = None if value in _ABSENT else value
    fields["raw"] = raw
    if recovery_code is not None:
        fields["recoveryCode"] = recovery_code
    user: UserInfo = _user_structurer()(fields, UserInfo)
    if not user.id:
        raise ValueError("the user is missing")
    return user


def _confirmed_user(payload: Any, recovery_code: str | None) -> UserInfo | None:
    """What confirming a TOTP binding answers (docs/wire.md#totp-confirmation): nothing, or for an application's own MFA the user."""
    if payload is None or payload is True:
        return None
    fields = _object(payload)
    if all(fields.get(name) in _ABSENT for name in ("id", "sub", "userEntity")):
        return None
    return _user(fields, recovery_code)


@cache
def _factor_structurer() -> Callable[[Any, Any], Any]:
    return _structurer(MfaFactor, policy=override(rename="mfaPolicy"))


def challenge_from_wire(data: Any, code: int) -> MfaChallenge:
    """The challenge in the `data` of a 1635 or 1636 answer (docs/wire.md#mfa-challenge).

    Factors of status 0 are left out, the others ordered by `sort`; empty text counts as absent. A 1635 answer has no list of
    factors: it asks for the user's own TOTP.

    Raises:
        TypeError, KeyError, ValueError: it is not one.
    """
    raw = _object(data)
    token = _strict_text(raw["mfaToken"], str)
    if not token:
        raise ValueError("the mfaToken is empty")
    own_totp = code == 1635
    return MfaChallenge(
        token=token,
        factors=(MfaFactor("OTP"),) if own_totp else _factors(raw.get("applicationMfa")),
        phone=_strict_optional_text(raw.get("mfaPhone"), None) or None,
        phone_country_code=_strict_optional_text(raw.get("mfaPhoneCountryCode"), None) or None,
        email=_strict_optional_text(raw.get("mfaEmail"), None) or None,
        totp_enabled=own_totp or _flag(raw, "totpMfaEnabled"),
        face_enabled=_flag(raw, "faceMfaEnabled"),
        raw=raw,
    )


def _flag(raw: dict[str, Any], name: str) -> bool:
    value = raw.get(name)
    return False if value is None else _converter.structure(value, bool)


def _factors(listed: Any) -> tuple[MfaFactor, ...]:
    if listed is None:
        return ()
    structure = _factor_structurer()
    entries = [{"sort": 0, **{k: v for k, v in _object(entry).items() if v is not None}} for entry in _array(listed)]
    factors = [structure(entry, MfaFactor) for entry in entries if entry.get("status", 1) not in (0, False, "0")]
    return tuple(sorted(factors, key=lambda factor: factor.sort))


def _array(payload: Any) -> list[Any]:
    if type(payload) is not list:
        raise TypeError(f"an array expected, not {_json_name(payload)}")
    return payload


def _enrollment(payload: Any, recovery_code: str | None) -> TotpEnrollment:
    """A TOTP secret (docs/wire.md#totp-secret), in the snake_case of v2 or the camelCase of v3."""
    raw = _object(payload)
    picture = next((raw[name] for name in ("qrcode_data_url", "qrCodeDataUrl") if raw.get(name) not in _ABSENT), None)
    return TotpEnrollment(
        secret=_required(raw, "secret"),
        uri=_required(raw, "qrcode_uri", "qrCodeUri"),
        recovery_code=recovery_code or _required(raw, "recovery_code", "recoveryCode"),
        qr_png=None if picture is None else _png(_strict_text(picture, str)),
    )


def _required(raw: dict[str, Any], *names: str) -> str:
    value: str = _strict_text(next((raw[name] for name in names if raw.get(name) is not None), ""), str)
    if not value:
        raise ValueError(f"{names[0]} is missing")
    return value


def _png(data_url: str) -> bytes:
    head, _, encoded = data_url.partition(",")
    if not head.startswith("data:image/png;base64"):
        raise ValueError("the QR picture is not a PNG data URL")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("the QR picture is not base64") from None


@cache
def _authenticator_structurer() -> Callable[[Any, Any], Any]:
    return _structurer(Authenticator, type=override(rename="authenticatorType"), enabled=override(rename="enable"))


def _authenticators(payload: Any, _: str | None) -> tuple[Authenticator, ...]:
    structure = _authenticator_structurer()
    return tuple(structure(_object(entry), Authenticator) for entry in _array(payload))


def _custom_fields(payload: Any, _: str | None) -> tuple[CustomField, ...]:
    return tuple(_custom_field(_object(entry)) for entry in _array(payload))


def _custom_field(entry: dict[str, Any]) -> CustomField:
    data_type = _strict_optional_text(entry.get("dataType"), None)
    return CustomField(
        key=_strict_text(entry["key"], str),
        value=_decoded(entry.get("value"), data_type),
        label=_strict_optional_text(entry.get("label"), None),
        data_type=data_type,
    )


_JSON_TYPES: Final[dict[str | None, tuple[type, ...]]] = {
    "NUMBER": (int, float),
    "BOOLEAN": (bool,),
    "OBJECT": (dict, list),
}


def _decoded(value: Any, data_type: str | None) -> Any:
    """*value*, decoded where it is the JSON text of its declared type, else as it came."""
    expected = _JSON_TYPES.get(data_type)
    if expected is None or not isinstance(value, str):
        return value
    try:
        decoded = json.loads(value)
    except (ValueError, RecursionError):
        return value
    readable = type(decoded) in expected and (not isinstance(decoded, float) or isfinite(decoded))
    return decoded if readable else value


def _photo_key(payload: Any, _: str | None) -> PhotoKey:
    key = _strict_text(_object(payload)["key"], str)
    if not key:
        raise ValueError("the photo key is empty")
    return PhotoKey(key)


def _boolean(payload: Any, _: str | None) -> bool:
    return _converter.structure(payload, bool)


def _nothing(_payload: Any, _: str | None) -> None:
    return None


def _whole_object(payload: Any, _: str | None) -> dict[str, Any]:
    return _object(payload)


_READERS: Final[dict[Any, Callable[[Any, str | None], Any]]] = {
    UserInfo: _user,
    UserInfo | None: _confirmed_user,
    TotpEnrollment: _enrollment,
    tuple[Authenticator, ...]: _authenticators,
    tuple[CustomField, ...]: _custom_fields,
    PhotoKey: _photo_key,
    bool: _boolean,
    NoneType: _nothing,
    dict: _whole_object,
}


def from_wire(answer: Any, payload: Any, recovery_code: Any = None) -> Any:
    """The value of type *answer* in an answer's *payload*; *recovery_code* is the new one that stood beside it.

    Raises:
        TypeError, KeyError, ValueError: the payload is not one; nothing half-filled is ever returned.
    """
    return _READERS[answer](payload, _strict_optional_text(recovery_code, None) or None)
