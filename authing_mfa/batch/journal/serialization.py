"""Turn outcomes into JSON and back, for the journal and for result files. Never with a token or a code."""

from __future__ import annotations

import json
from typing import Any, Final

import attrs

from authing_mfa import _json, errors
from authing_mfa.batch.models import Outcome
from authing_mfa.models import UserInfo

__all__ = [
    "INTERRUPTED",
    "UNANSWERED",
    "compact",
    "from_journal",
    "json_line",
    "microseconds",
    "public_value",
    "to_journal",
]

_PUBLIC: Final = tuple(field.name for field in attrs.fields(UserInfo) if field.repr)
_PUBLIC_AND_CODE: Final = (*_PUBLIC, "recovery_code")
_TOKENS: Final = ("token", "id_token", "access_token", "refresh_token")

_KEPT: Final = ("http_status", "request_id", "retry_after")  # of an error, beside code, message and delivery

INTERRUPTED: Final = (
    "The run ended after this row was sent and before its answer was recorded: the service may have acted on it."
)

_encoder: Final = json.JSONEncoder(separators=(",", ":"), default=str)


def compact(value: Any) -> str:
    """Return *value* as one line of JSON; values that JSON does not have become text."""
    return _dumped(value).decode()


def json_line(value: Any) -> bytes:
    """Return *value* as `compact` does, with a newline."""
    return _dumped(value) + b"\n"


def _dumped(value: Any) -> bytes:
    if _json.orjson is not None:
        try:
            return _json.orjson.dumps(value, default=str)
        except TypeError:  # half of a surrogate pair, or a number that is too large: the standard library accepts them
            pass
    return _encoder.encode(value).encode()


def microseconds(elapsed: float) -> float:
    """Return these seconds without the digits below a microsecond. `round` does the same and costs three times as much."""
    return int(elapsed * 1e6 + 0.5) / 1e6


def public_value(value: Any, *, recovery_code: bool = True, tokens: bool = False) -> Any:
    """Return *value* as plain JSON: a user without secrets, unless *tokens* asks for them; anything else unchanged."""
    if not isinstance(value, UserInfo):
        return value
    names = _PUBLIC_AND_CODE if recovery_code else _PUBLIC
    fields = value.__dict__
    public: dict[str, Any] = {}
    for name in names + _TOKENS if tokens else names:
        field = fields[name]
        if field is not None:
            public[name] = field
    return public


def to_journal(outcome: Outcome) -> str:
    """Return the journal's entry of *outcome*: enough to restore it, no secrets."""
    kept: dict[str, Any] = {"t": microseconds(outcome.elapsed)}
    error = outcome.error
    if error is not None:
        kept["e"] = [type(error).__name__, error.code, error.message, error.delivery]
        extra = {name: value for name in _KEPT if (value := getattr(error, name, None)) is not None}
        if extra:
            kept["x"] = extra
    elif isinstance(outcome.value, UserInfo):
        kept["u"] = public_value(outcome.value, recovery_code=False)
    else:
        kept["v"] = outcome.value
    return compact(kept)


def from_journal(text: str, index: int, key: str | None, kind: str) -> Outcome:
    """Return the outcome that `to_journal` wrote.

    A user comes back without tokens, recovery code and `raw`; an error with code, message and delivery; an answer
    that asked for a second factor as a plain `ApiError`, without its challenge.

    Raises:
        ValueError, KeyError, TypeError: the entry has another form.
    """
    kept = json.loads(text)
    value = UserInfo(**kept["u"]) if "u" in kept else kept.get("v")
    error = _error(kept["e"], kept.get("x", {})) if "e" in kept else None
    return Outcome(index, key, value, error, float(kept["t"]), kind, restored=True)


UNANSWERED: Final = to_journal(Outcome(0, None, None, errors.NetworkError(INTERRUPTED, delivery="unknown"), 0.0))
"""The journal's entry of a row that is being sent again: its fate is unknown until its new outcome takes this one's place."""


def _error(said: list[Any], extra: dict[str, Any]) -> errors.AuthingError:
    name, code, message, delivery = said
    cls = getattr(errors, name, errors.AuthingError) if name in errors.__all__ else errors.AuthingError
    if issubclass(cls, errors.MfaRequiredError):
        cls = errors.ApiError
    if issubclass(cls, errors.ApiError):
        return cls(message, code=code, **extra)
    if issubclass(cls, errors.ResponseError):
        return cls(message, **extra)
    return cls(message, code=code, delivery=delivery)
