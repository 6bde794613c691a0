"""The progress of one call, for its observers: `on_call`, and `authing_mfa.otel`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeAlias

from authing_mfa._cancellation import noted_delivery
from authing_mfa._log_lines import LOG, log_error
from authing_mfa.call_record import CallRecord
from authing_mfa.errors import AuthingError, CancelledCallError

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.errors import Delivery
    from authing_mfa.protocol import Answer

__all__ = ["Observer", "Progress"]

Observer: TypeAlias = "Callable[[str], Callable[[CallRecord], Any]]"
"""Called with the operation's name when a call begins. It returns a function, which is called with the record when the call has ended."""


class Progress:
    """The progress of one observed call. The engine calls `queue` and `begin` around each wait for a slot."""

    __slots__ = ("_clock", "_operation", "_queued", "_started", "_tellers", "attempts", "http_status")

    def __init__(self, operation: str, observers: tuple[Observer, ...], clock: Callable[[], float]) -> None:
        self._operation = operation
        self._clock = clock
        self._queued: float | None = None
        self._started: float | None = None
        self.attempts = 0
        self.http_status: int | None = None
        self._tellers = [teller for teller in (_guarded(observer, operation) for observer in observers) if teller]

    def queue(self) -> None:
        """Note that the call waits for a connection slot from now on."""
        if self._queued is None:
            self._queued = self._clock()

    def begin(self, now: float) -> None:
        """Note that the call has its slot and a try begins."""
        self.attempts += 1
        if self._started is None:
            self._started = now

    def succeeded(self, answer: Answer[Any]) -> None:
        """Report a success to the observers."""
        self._tell(200, None, self.http_status, "answered", answer.request_id)

    def failed(self, error: BaseException) -> None:
        """Report to the observers how the call ended; an error outside the error tree counts as an `AuthingError`."""
        sent: Delivery = "unknown" if self.attempts else "not_sent"
        if isinstance(error, AuthingError):
            status = getattr(error, "http_status", None)
            self._tell(error.code, type(error), status, error.delivery, getattr(error, "request_id", None))
        elif isinstance(error, asyncio.CancelledError):
            delivery = noted_delivery(error) or sent
            self._tell(CancelledCallError.default_code, CancelledCallError, None, delivery, None)
        else:
            self._tell(AuthingError.default_code, AuthingError, None, sent, None)

    def _tell(
        self,
        code: int,
        error: type[AuthingError] | None,
        status: int | None,
        delivery: Delivery,
        request_id: str | None,
    ) -> None:
        now = self._clock()
        started = now if self._started is None else self._started
        waited = 0.0 if self._queued is None else started - self._queued
        record = CallRecord(
            self._operation, code, error, status, delivery, self.attempts, now - started, waited, request_id
        )
        for teller in reversed(self._tellers):
            _guarded(teller, record)


def _guarded(call: Callable[[Any], Any], argument: Any) -> Any:
    """Call the application's function. An error in it is logged and changes nothing; only Ctrl-C is passed on."""
    try:
        return call(argument)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - an error of the application must not lose an answer
        log_error(LOG, "on_call, or another observer of calls, raised.", error=error)
        return None
