"""`CallRecord`: the facts about one finished call, for logs, metrics and traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from authing_mfa.errors import AuthingError, Delivery  # noqa: TC004 - attrs does not evaluate annotations

__all__ = ["CallRecord"]


@attrs.frozen
class CallRecord:
    """One finished call, its repeats included. It holds no secret and nothing personal.

    Attributes:
        operation: `AuthClient`'s name for it, e.g. ``mfa_verify_by_totp``.
        code: 200, or the error's code.
        error: the class of the error, or None. `CancelledCallError` where the call's task was cancelled.
        http_status: status of the last try's answer, or None where that had no answer.
        delivery: ``not_sent``, ``unknown`` or ``answered``: whether the service may have acted.
        attempts: how often it was tried; 0 where it was refused before anything was sent.
        elapsed: seconds from its first connection slot to its end, repeats and pauses included.
        waited: seconds in the queue for that connection slot.
        request_id: the service's id of the request, where the answer has one.
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
