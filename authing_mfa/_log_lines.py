"""The lines of the package's log. An error in the application's logging, e.g. in a filter, is printed and changes nothing."""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from authing_mfa._error_root import AuthingError

__all__ = ["LOG", "log_attempt", "log_error", "log_retry"]

LOG: Final = logging.getLogger("authing_mfa")


def log_attempt(operation: str, ended: AuthingError | int, milliseconds: float, attempt: int) -> None:
    """Write one line for one try, and its parts as fields. Never a message, an argument or a header: they hold secrets."""
    fields: dict[str, Any] = {"operation": operation, "attempt": attempt, "milliseconds": milliseconds}
    if isinstance(ended, int):
        outcome = f"HTTP {ended}"
        fields |= {"code": 200, "delivery": "answered", "http_status": ended}
    else:
        status = getattr(ended, "http_status", None)
        outcome = f"{type(ended).__name__} {ended.code}, {ended.delivery if status is None else f'HTTP {status}'}"
        fields |= {"code": ended.code, "delivery": ended.delivery, "http_status": status}
    message = "%s: %s, %.1f ms, attempt %d"
    _write(LOG, logging.DEBUG, message, operation, outcome, milliseconds, attempt, extra=fields)


def log_retry(operation: str, pause: float, attempt: int) -> None:
    """Write one line for a retry that starts in *pause* seconds, after the try with the number *attempt*."""
    fields = {"operation": operation, "attempt": attempt, "milliseconds": pause * 1000}
    _write(LOG, logging.INFO, "%s: try %d failed, retried in %.1f s", operation, attempt, pause, extra=fields)


def log_error(log: logging.Logger, message: str, *arguments: object, error: BaseException) -> None:
    """Write one line with the traceback of *error*, which the application's code raised."""
    _write(log, logging.ERROR, message, *arguments, exc_info=error)


def _write(log: logging.Logger, level: int, message: str, *arguments: object, **options: Any) -> None:
    try:
        log.log(level, message, *arguments, stacklevel=3, **options)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - an error of the application must not lose an answer
        if logging.raiseExceptions and sys.stderr is not None:  # as logging itself does with an error in a handler
            with suppress(OSError, ValueError):  # ValueError: the stream is closed
                traceback.print_exception(error, chain=False)  # what came before it may be a service's message
