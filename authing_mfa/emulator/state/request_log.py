"""What was asked and answered: the newest requests in full, and exact counts of verifications for ever."""

from __future__ import annotations

import json
from collections import Counter, deque
from typing import Any

import attrs

__all__ = ["RecordedRequest", "RequestLog"]

_SECRET_KEYS = ("password", "newPassword", "oldPassword")
_TOO_LARGE = 20_000


@attrs.frozen
class RecordedRequest:
    """One request and its answer. Bodies are kept as bytes and parsed when they are looked at.

    Attributes:
        id: counts up from 1.
        at: epoch seconds of the emulator's clock when it came.
        operation: the operation's name, e.g. ``mfa_verify_by_phone``; None for an unknown path.
        status: the HTTP status that was answered; None where the connection was dropped without an answer.
        code: the envelope's code; None where there is none.
        ms: real milliseconds from the request's arrival to its answer.
        user: id of the user who asked, where the token said so.
        fault: id of the fault rule that interfered.
    """

    id: int
    at: float
    method: str
    path: str
    operation: str | None
    status: int | None
    code: int | None
    ms: float
    namespace: str
    user: str | None
    fault: str | None = None
    request_body: bytes = attrs.field(default=b"", repr=False)
    response_body: bytes = attrs.field(default=b"", repr=False)

    @property
    def request(self) -> Any:
        """The request's JSON, passwords redacted; None where it had none."""
        return redacted(_parsed(self.request_body))

    @property
    def response(self) -> Any:
        """The answer's JSON; None where it was not JSON."""
        return _parsed(self.response_body)

    def as_json(self) -> dict[str, Any]:
        """What the admin API tells of it."""
        names = ("id", "at", "method", "path", "operation", "status", "code", "ms", "namespace", "user", "fault")
        return {**{name: getattr(self, name) for name in names}, "request": self.request, "response": self.response}


def _parsed(body: bytes) -> Any:
    if not body or len(body) > _TOO_LARGE * 50:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def redacted(value: Any) -> Any:
    """*value* with every password in it replaced."""
    if isinstance(value, dict):
        return {key: "***" if key in _SECRET_KEYS else redacted(item) for key, item in value.items()}
    return [redacted(item) for item in value] if isinstance(value, list) else value


class RequestLog:
    """The newest *size* requests, and how often each token was used to verify."""

    def __init__(self, size: int) -> None:
        self.entries: deque[RecordedRequest] = deque(maxlen=size)
        self.seen = 0
        self.received: Counter[str] = Counter()
        self.acted: Counter[str] = Counter()

    def clear(self) -> None:
        """Forget everything but how many there were."""
        self.entries.clear()
        self.received.clear()
        self.acted.clear()
