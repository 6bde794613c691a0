"""`CallRecord`: the facts about one finished call, for logs, metrics and traces."""

from __future__ import annotations

import attrs

from authing_mfa._value import Value
from authing_mfa.errors import AuthingError, Delivery

__all__ = ["CallRecord"]


@attrs.frozen(eq=False, repr=False, slots=False)
class CallRecord(Value):
    """One finished call with its retries. It holds no secret and no personal data.

    Attributes:
        operation: the name of the `AuthClient` method, e.g. ``mfa_verify_by_totp``.
        code: 200, or the error's code.
        error: the class of the error, or None. `CancelledCallError` if the call's task was cancelled.
        http_status: the HTTP status of the last try, or None if it had no answer.
        delivery: ``not_sent``, ``unknown`` or ``answered``: whether the service may have acted.
        attempts: the number of tries; 0 if the call was refused before anything was sent.
        elapsed: seconds from the call's first connection slot to its end, with retries and pauses.
        waited: seconds in the queue for the first connection slot.
        request_id: the service's id of the request, if the answer has one.
    """

    operation: str
    code: int
    error: type[AuthingError] | None
    http_status: int | None
    delivery: Delivery
    attempts: int
    elapsed: float
    waited: float
    request_id: str | None
