"""Turn JSON objects into typed values and back, with one cattrs converter. Strict: a wrong type is an error, never coerced.

`to_wire` makes the JSON object of an operation, `from_wire` the value of an answer, `operation_from_wire` an operation from a
request (the emulator uses it). The wire's names and shapes are those of docs/wire.md, sections Requests and Payloads.

A little over 300 lines in one file: one converter serves both directions.
"""

from __future__ import annotations

import json
from functools import cache
from math import isfinite
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from authing_mfa import _payloads, _strict
from authing_mfa.errors import InvalidInputError
from authing_mfa.models import (
    Authenticator,
    Captcha,
    CustomField,
    Factor,
    FactorEnrollment,
    IdToken,
    MfaTokenInfo,
    SecurityLevel,
    TotpEnrollment,
    UserInfo,
)
from authing_mfa.operations import FactorType, Operation, PhotoKey, Verified

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

__all__ = ["camel", "from_wire", "operation_from_wire", "recovered_user", "to_wire", "wire_name"]

O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - O for operation; never beside a zero

_converter: Final = cattrs.Converter(detailed_validation=False, prefer_attrib_converters=False)


_converter.register_structure_hook(str, _strict.text)
_converter.register_structure_hook(bool, _strict.flag)
_converter.register_structure_hook(int, _strict.whole_number)
_converter.register_structure_hook_func(lambda kind: kind == (str | None), _strict.optional_text)


def camel(name: str) -> str:
    """Turn snake_case into camelCase, the spelling of fields in requests and answers."""
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def wire_name(attribute: attrs.Attribute[Any]) -> str:
    """Return the name of a field in requests and answers."""
    return attribute.metadata.get("wire") or camel(attribute.name)


def _overrides(cls: type, *, omit_none: bool = False) -> dict[str, Any]:
    return {
        field.name: override(
            rename=wire_name(field),
            omit_if_default=omit_none and field.default is None,
            omit=field.metadata.get("header", False),
        )
        for field in attrs.fields(cls)
    }


def _structurer(cls: type, **special: Any) -> Callable[[Any, Any], Any]:
    return make_dict_structure_fn(cls, _converter, _cattrs_detailed_validation=False, **(_overrides(cls) | special))


# ─────────────────────────────── operations ───────────────────────────────


_unstructurers: Final[dict[Any, Callable[[Any], dict[str, Any]]]] = {}
_operation_structurers: Final[dict[Any, Callable[[Any, Any], Any]]] = {}


def to_wire(operation: Operation[Any]) -> dict[str, Any]:
    """Return the JSON object of *operation*: its fields under their wire names without those that are None, and the constant fields.

    Raises:
        InvalidInputError: the class of *operation* is not complete.
    """
    cls = operation.__class__
    unstructure = _unstructurers.get(cls)
    if unstructure is None:
        _check_class(cls)
        unstructure = _unstructurers[cls] = make_dict_unstructure_fn(cls, _converter, **_overrides(cls, omit_none=True))
    fields = unstructure(operation)
    if cls.groups:
        fields = _grouped(cls, fields)
    constant = operation.constant_fields
    return {**fields, **constant} if constant else fields


def _check_class(cls: type[Operation[Any]]) -> None:
    """Check *cls*, which may be the program's own. Later it would be too late: the call would be made, and its answer lost.

    Raises:
        InvalidInputError: it lacks a name, or no answer can be read as what it returns.
    """
    if not isinstance(getattr(cls, "python_name", None), str):
        raise InvalidInputError(
            f"{cls.__name__}.python_name must be text (str): it is the operation's name in errors and logs."
        )
    if getattr(cls, "returns", None) not in [*_READERS]:  # a list: it may not be hashable
        raise InvalidInputError(
            f"{cls.__name__}.returns must be dict or list (the answer's JSON), bool, type(None), "
            "or what an operation of authing_mfa.operations returns."
        )


def _grouped(cls: type[Operation[Any]], fields: dict[str, Any]) -> dict[str, Any]:
    """Return *fields* with the fields of each wire object moved into that object. An object without fields is sent empty."""
    groups: dict[str, dict[str, Any]] = {name: {} for name in cls.groups}
    for field in attrs.fields(cls):
        group, name = field.metadata.get("group"), wire_name(field)
        if group is not None and name in fields:
            groups[group] |= {name: fields.pop(name), **field.metadata.get("beside", {})}
    return {**fields, **groups}


def operation_from_wire(cls: type[O], body: dict[str, Any]) -> O:
    """Return the operation that a request's JSON object *body* (camelCase keys) asks for. Unknown keys are ignored.

    Raises:
        InvalidInputError: a field is empty or not of its type.
        KeyError, TypeError: a required field is missing, or a value cannot be read at all.
    """
    structure = _operation_structurers.get(cls)
    if structure is None:
        structure = _operation_structurers[cls] = _structurer(cls)
    operation: O = structure(_ungrouped(cls, body) if cls.groups else body, cls)
    return operation


def _ungrouped(cls: type[Operation[Any]], body: dict[str, Any]) -> dict[str, Any]:
    fields = dict(body)
    for name in cls.groups:
        held = fields.pop(name, None)
        fields |= {} if held is None else _strict.json_object(held)
    return fields


# ─────────────────────────────── answers ───────────────────────────────


_TOKENS: Final = ("id_token", "access_token", "refresh_token")  # as in OpenID Connect, where nothing is camelCase
# The wire name of each text of a user, in the order of the fields; `raw` and `token_expires_at` are the last two.
_USER_TEXTS: Final = {
    field.name: field.name if field.name in _TOKENS else wire_name(field) for field in attrs.fields(UserInfo)[:-2]
}
_ID, _PHOTO, _ID_TOKEN = (tuple(_USER_TEXTS).index(name) for name in ("id", "photo", "id_token"))
_OTHER_NAMES: Final = ((_ID, "sub"), (_PHOTO, "picture"), (_ID_TOKEN, "token"))
_USER_KEYS: Final = tuple(_USER_TEXTS.values())
_TEXT_OR_NULL: Final = frozenset((str, NoneType))


def recovered_user(payload: Any, recovery_code: Any) -> UserInfo:
    """Return the answer to a recovery code (docs/wire.md#verification-answers): the user, and the new code beside it or among its fields.

    The new code is never lost: if the answer has a new code and no readable user, all other fields of the user are None.

    Raises:
        TypeError, KeyError, ValueError: there is neither a user nor a new code, or the code is not text.
    """
    new = _strict.optional_text(recovery_code) or None
    try:
        return _user(payload, new)
    except (TypeError, ValueError, KeyError):
        raw = payload if isinstance(payload, dict) else {}
        new = new or raw.get("recoveryCode")
        if not isinstance(new, str) or not new:
            raise
        return UserInfo(recovery_code=new, raw=raw)


def _unwrapped(payload: Any) -> dict[str, Any]:
    """Return a user's object. A user nested in `userEntity` is taken out; the fields beside it (e.g. a token) are added."""
    raw = _strict.json_object(payload)
    if raw.get("userEntity") is None:
        return raw
    entity = _strict.json_object(raw["userEntity"])
    beside = {key: value for key, value in raw.items() if key != "userEntity" and entity.get(key) is None}
    return {**entity, **beside}


def _user(payload: Any, recovery_code: str | None) -> UserInfo:
    """Return a user from any of the service's shapes (docs/wire.md#user): nested in `userEntity`, `sub` for `id`, `picture` for `photo`."""
    raw = _unwrapped(payload)
    read = raw if recovery_code is None else {**raw, "recoveryCode": recovery_code}
    texts = [*map(read.get, _USER_KEYS)]
    if not _TEXT_OR_NULL.issuperset(map(type, texts)):  # all at once: looking at each takes three times the work
        texts = [*map(_strict.optional_text, texts)]
    for place, other in _OTHER_NAMES:
        if not texts[place]:
            texts[place] = _strict.optional_text(raw.get(other)) or None
    if not texts[_ID]:
        raise ValueError("the user is missing")
    # By position: matching sixteen names takes half as much work again.
    values: list[Any] = [*texts, raw, _payloads.expiry(raw.get("tokenExpiredAt"), texts[_ID_TOKEN])]
    return UserInfo(*values)


def _confirmed_user(payload: Any, recovery_code: str | None) -> UserInfo | None:
    """Return the answer to the confirmation of a TOTP binding (docs/wire.md#totp-confirmation): None, or the user for an application's own MFA."""
    if payload is None or payload is True:
        return None
    fields = _strict.json_object(payload)
    if all(fields.get(name) in _strict.ABSENT for name in ("id", "sub", "userEntity")):
        return None
    return _user(fields, recovery_code)


@cache
def _authenticator_structurer() -> Callable[[Any, Any], Any]:
    return _structurer(Authenticator, type=override(rename="authenticatorType"), enabled=override(rename="enable"))


def _authenticators(payload: Any, _: str | None) -> tuple[Authenticator, ...]:
    structure = _authenticator_structurer()
    return tuple(structure(_strict.json_object(entry), Authenticator) for entry in _strict.entries(payload))


def _custom_fields(payload: Any, _: str | None) -> tuple[CustomField, ...]:
    return tuple(_custom_field(_strict.json_object(entry)) for entry in _strict.entries(payload))


def _custom_field(entry: dict[str, Any]) -> CustomField:
    data_type = _strict.optional_text(entry.get("dataType"))
    return CustomField(
        key=_strict.text(entry["key"]),
        value=_decoded(entry.get("value"), data_type),
        label=_strict.optional_text(entry.get("label")),
        data_type=data_type,
    )


_JSON_TYPES: Final[dict[str | None, tuple[type, ...]]] = {
    "NUMBER": (int, float),
    "BOOLEAN": (bool,),
    "OBJECT": (dict, list),
}


def _decoded(value: Any, data_type: str | None) -> Any:
    """Return *value*, decoded if it is the JSON text of its declared type, else unchanged."""
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
    key = _strict.text(_strict.json_object(payload)["key"])
    if not key:
        raise ValueError("the photo key is empty")
    return PhotoKey(key)


def _nothing(_payload: Any, _: str | None) -> None:
    return None


def _no_picture(_payload: Any, _: str | None) -> NoReturn:
    raise ValueError("a picture expected, not JSON")


_READERS: Final[dict[Any, Callable[[Any, str | None], Any]]] = {
    UserInfo: _user,
    UserInfo | None: _confirmed_user,
    TotpEnrollment: _payloads.read_totp_enrollment,
    Factor: _payloads.read_factor,
    tuple[Factor, ...]: _payloads.read_factors,
    tuple[FactorType, ...]: _payloads.read_factor_types,
    FactorEnrollment: _payloads.read_factor_enrollment,
    Verified: _payloads.read_verified,
    MfaTokenInfo: _payloads.read_mfa_token_info,
    IdToken: _payloads.read_id_token,
    SecurityLevel: _payloads.read_security_level,
    tuple[Authenticator, ...]: _authenticators,
    tuple[CustomField, ...]: _custom_fields,
    PhotoKey: _photo_key,
    bool: _strict.flag,
    NoneType: _nothing,
    dict: _strict.json_object,
    list: _strict.array,
    Captcha: _no_picture,  # a captcha is no JSON; `protocol` reads it
}


def from_wire(answer: Any, payload: Any, recovery_code: Any = None) -> Any:
    """Return the value of type *answer* in an answer's *payload*; *recovery_code* is the new code beside it.

    Raises:
        TypeError, KeyError, ValueError: the payload has another shape; nothing half-filled is ever returned.
    """
    return _READERS[answer](payload, _strict.optional_text(recovery_code) or None)
