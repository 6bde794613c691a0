"""Stop sending when the service fails too often, and wait until it works again (a circuit breaker).

==========  ==============================================================================================================
closed      calls start without waiting
open        too many calls in a row failed: no call starts. A connection to the service is tried regularly, with growing pauses
half open   the connection worked: one call is sent. Its answer closes the circuit, its failure opens it again
==========  ==============================================================================================================

When the circuit has been open for as long as the run may wait, the run stops.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from authing_mfa.batch.errors import CircuitOpenError
from authing_mfa.errors import ApiError, AuthingError, ConfigError, NetworkError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["CircuitBreaker", "is_failure"]

_FIRST_PAUSE: Final = 0.25  # seconds before the connection is tried again
_LONGEST_PAUSE: Final = 10.0


class CircuitBreaker:
    """Counts failures in a row: no answer, or an error of the service itself. A refused row is not a failure.

    Attributes:
        open: True if no call may start.
        failures: how many calls failed one after the other.
        closings: how often a success closed the circuit.
    """

    def __init__(
        self,
        limit: int | None,
        patience: float,
        *,
        probe: Callable[[], Awaitable[object]],
        stop: Callable[[CircuitOpenError], object],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float],
    ) -> None:
        """Make a closed circuit.

        Args:
            limit: the number of failures that opens the circuit; None: it never opens.
            patience: seconds that the service may be away; 0: the run stops at once.
            probe: raises an `AuthingError` while the service cannot be reached.
            stop: called if the service was away for too long.
            sleep: waits.
            clock: seconds, monotonic.
        """
        self.open: bool = False
        self.failures: int = 0
        self.closings: int = 0
        self._limit = limit
        self._patience = patience
        self._probe = probe
        self._stop = stop
        self._sleep = sleep
        self._clock = clock
        self._last: AuthingError | None = None
        self._changed = asyncio.Event()
        self._half_open = False
        self._closed = False
        self._watch: asyncio.Task[None] | None = None

    def note(self, error: AuthingError | None) -> None:
        """Note that a call ended with *error*, or with a success."""
        if error is None or not is_failure(error):
            self.failures = 0
            if self.open:
                self.open = False
                self.closings += 1
                self._changed.set()
            return
        self.failures += 1
        self._last = error
        if self._limit is not None and self.failures >= self._limit:
            self._open()

    def gave_up(self, error: AuthingError) -> bool:
        """Note a row that was tried as often as allowed and never sent. Return True if it waits for the service."""
        if self._limit is None or not self._patience or self._closed or not is_failure(error):
            return False
        self._last = error
        self._open()
        return True

    async def wait(self) -> None:
        """Wait until a call may start, or the run is stopping."""
        while self.open and not self._closed:
            if self._half_open:
                self._half_open = False
                return  # this call decides
            self._changed.clear()
            await self._changed.wait()

    def close(self) -> None:
        """End all waiting, because the run is stopping."""
        self._closed = True
        self._changed.set()
        if self._watch is not None:
            self._watch.cancel()

    def _open(self) -> None:
        if self._closed or self.open:
            return
        if not self._patience:
            self._give_up()
            return
        self.open = True
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._wait_for_service(), name="batch circuit")

    async def _wait_for_service(self) -> None:
        until = self._clock() + self._patience
        pause, late = _FIRST_PAUSE, 0.0
        while self.open and not self._closed:
            await self._sleep(max(0.0, min(pause, until + late - self._clock())))
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                await self._probe()
            except AuthingError as error:
                self._last, late = error, 0.0
            else:
                late = _LONGEST_PAUSE  # the deciding call must be answered in this time
                self._half_open = self.open
                self._changed.set()
            if self.open and self._clock() >= until + late:
                self._give_up()
                return

    def _give_up(self) -> None:
        assert self._last is not None
        waited = f" The service did not come back within {self._patience:g} s." if self._patience else ""
        calls = "1 call" if self.failures == 1 else f"{self.failures} calls in a row"
        self._stop(
            CircuitOpenError(
                f"{calls} failed, the last one with: {self._last}{waited} The other rows were not sent.",
                failures=self.failures,
                last=self._last,
            )
        )


def is_failure(error: AuthingError) -> bool:
    """Return True if *error* is a failure of the service or the network."""
    if isinstance(error, (ApiError, ResponseError)):
        return (error.http_status or 0) >= 500 or (isinstance(error, ApiError) and error.http_status == 429)
    return isinstance(error, (NetworkError, ConfigError)) or error.delivery == "unknown"
