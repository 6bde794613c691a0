"""Decide whether a failed call is tried again, and after how many seconds. Pure: the caller waits and tries.

The most important rule: a call that spends a code is never retried once the service may have seen it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authing_mfa.errors import ApiError, NetworkError, RateLimitedError, ResponseError, ServiceError

if TYPE_CHECKING:
    from authing_mfa.errors import AuthingError
    from authing_mfa.operations import Operation

__all__ = ["MAX_ATTEMPTS", "retry_delay"]

MAX_ATTEMPTS: Final = 3

_BASE: Final = 0.1  # seconds; the first back-off is at most twice this
_CAP: Final = 2.0  # seconds
_DOUBLINGS: Final = 5  # these reach the cap; after a thousand the number would be too large for a float


def retry_delay(
    operation: Operation[Any], error: AuthingError, *, attempt: int, max_attempts: int, budget: float, jitter: float
) -> float | None:
    """Return how long to wait before *operation* is tried again after *error*, or None if it is not tried again.

    Args:
        operation: the operation that failed.
        error: how the try ended.
        attempt: the number of tries so far, from 1.
        max_attempts: the maximum number of tries; 1 turns retries off.
        budget: seconds that the call has left. A longer wait is not started.
        jitter: a random number in [0, 1), the share of the whole back-off to wait (full jitter).
    """
    if attempt >= max_attempts:
        return None
    pause = _pause(operation, error, attempt, jitter)
    return pause if pause is not None and pause < budget else None


def _pause(operation: Operation[Any], error: AuthingError, attempt: int, jitter: float) -> float | None:
    if isinstance(error, RateLimitedError) and error.http_status == 429:
        return error.retry_after  # not done, so any call may be retried; without Retry-After we do not guess a pause
    if not _may_retry(operation, error):
        return None
    return jitter * min(_CAP, _BASE * (1 << min(attempt, _DOUBLINGS)))


def _may_retry(operation: Operation[Any], error: AuthingError) -> bool:
    if isinstance(error, NetworkError):
        return error.delivery == "not_sent" or operation.retryable
    if isinstance(error, RateLimitedError):
        return False  # not a 429: the service named no pause, and a retry at once makes it worse
    if isinstance(error, (ApiError, ResponseError)):
        return operation.retryable and (isinstance(error, ServiceError) or (error.http_status or 0) >= 500)
    return False
