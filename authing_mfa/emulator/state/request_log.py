"""The requests and their answers: the newest completely, and exact counts of verifications by token."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from typing import Any

import attrs

from authing_mfa._json import parse_json

__all__ = ["BODY_LIMIT", "RecordedRequest", "RequestLog"]

_SECRET_KEYS = ("password", "newPassword", "oldPassword")

BODY_LIMIT = 20_000
"""Largest body in bytes that is kept with a request. Of a larger body only the size is kept."""


@attrs.frozen
class RecordedRequest:
    """One request and its answer. Bodies are kept as bytes and parsed when they are read.

    Attributes:
        id: counts up from 1.
        at: epoch seconds of the emulator's clock when the request came.
        operation: the operation's name, e.g. ``mfa_verify_by_phone``; None for an unknown path.
        status: the HTTP status of the answer; None if the connection was dropped without an answer.
        code: the envelope's code, or None.
        ms: real milliseconds from the request's arrival to its answer.
        user: id of the token's user, or None.
        fault: id of the fault rule that fired, or None.
        request_bytes: size of the request's body; the body itself is kept up to `BODY_LIMIT`.
        response_bytes: the same for the answer's body.
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
    request_bytes: int = 0
    response_bytes: int = 0

    @property
    def request(self) -> Any:
        """The request's JSON, passwords redacted; None if it had none, or its body was too large to be kept."""
        return redacted(_parsed(self.request_body))

    @property
    def response(self) -> Any:
        """The answer's JSON; None where it was not JSON, or too large to be kept."""
        return _parsed(self.response_body)

    def as_json(self) -> dict[str, Any]:
        """Return the request for the admin API."""
        names = ("id", "at", "method", "path", "operation", "status", "code", "ms", "namespace", "user", "fault")
        sizes = {"request_bytes": self.request_bytes, "response_bytes": self.response_bytes}
        return {
            **{name: getattr(self, name) for name in names},
            **sizes,
            "request": self.request,
            "response": self.response,
        }


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return parse_json(body)
    except ValueError:
        return None


def redacted(value: Any) -> Any:
    """Return *value* with every password in it replaced."""
    if isinstance(value, dict):
        return {key: "***" if key in _SECRET_KEYS else redacted(item) for key, item in value.items()}
    return [redacted(item) for item in value] if isinstance(value, list) else value


class RequestLog:
    """The newest *size* requests, and how often each token was used to verify."""

    def __init__(self, size: int) -> None:
        self.entries: deque[RecordedRequest] = deque(maxlen=size)
        self.seen = 0
        self._received: Counter[bytes] = Counter()
        self._acted: Counter[bytes] = Counter()

    def count_received(self, token: str) -> None:
        """Count a received verification with *token*, a token that this emulator issued."""
        self._received[_key(token)] += 1

    def count_acted(self, token: str) -> None:
        """Count a verification with *token* that the service acted on."""
        self._acted[_key(token)] += 1

    def received(self, token: str) -> int:
        """Return how many verifications with *token* were received."""
        return self._received[_key(token)]

    def acted(self, token: str) -> int:
        """Return how many verifications with *token* the service acted on."""
        return self._acted[_key(token)]

    def all_acted(self) -> list[int]:
        """The counts of `acted`, one for each token that was ever used."""
        return list(self._acted.values())

    def resize(self, size: int) -> None:
        """Keep the newest *size* requests from now on."""
        self.entries = deque(self.entries, maxlen=size)

    def clear(self) -> None:
        """Forget everything except the number of requests."""
        self.entries.clear()
        self._received.clear()
        self._acted.clear()


def _key(token: str) -> bytes:
    """Return a short name of *token*: counts are kept for ever, so they must be small."""
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=10).digest()
