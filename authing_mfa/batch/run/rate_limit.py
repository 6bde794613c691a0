"""When the next call may start: the rate, the service's wish to slow down, and when to give up. The clock is passed in."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from authing_mfa.batch.errors import CircuitOpenError
from authing_mfa.errors import ApiError, ConfigError, InvalidInputError, NetworkError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from authing_mfa.errors import AuthingError

__all__ = ["CircuitBreaker", "Limiter", "RateLimiter", "Schedule"]

_SLACK: Final = 0.995  # aim this much below the rate, so that jitter on the way does not lift a second above it
_WINDOW: Final = 1.001  # seconds; a little over one, for the same reason
_BACKLOG: Final = 0.25  # seconds of delay that may be caught up
_SPEED_UP: Final = 1.25  # per second without a new 429
_FREE_AT: Final = 4.0  # times the rate before the 429: then the brake is let go


class Schedule:
    """Evenly spaced starts, never more than `rate` in any second: not at the start, not when catching up. Pure."""

    def __init__(self, rate: float) -> None:
        if not 0 < rate < math.inf:
            raise InvalidInputError("rate must be a number of calls per second above 0.")
        self.rate = rate
        self._next = -math.inf
        most = math.ceil(rate)
        self._recent: deque[float] = deque(maxlen=most)
        self._span = max(_WINDOW, most / rate)

    def due(self) -> float:
        """The time from which the next call may start."""
        recent = self._recent
        if len(recent) == recent.maxlen:
            return max(self._next, recent[0] + self._span)
        return self._next

    def note(self, now: float) -> None:
        """A call starts *now*."""
        self._recent.append(now)
        behind = now - _BACKLOG if self._next > -math.inf else now
        self._next = max(self._next, behind) + 1 / (self.rate * _SLACK)

    def restart(self, now: float) -> None:
        """Nothing is to be caught up from before *now*."""
        self._next = max(self._next, now)

    def changed(self, rate: float) -> Schedule:
        """The same with another rate: the starts of the last second still count."""
        other = Schedule(rate)
        other._next = self._next
        other._recent.extend(self._recent)
        return other


class _Brake:
    """After a 429: evenly spaced starts at a rate that grows until the brake is let go. Pure."""

    def __init__(self, recent_rate: float, ceiling: float | None) -> None:
        self._rate = max(recent_rate / 2, 1.0)
        self._release_at = max(min(recent_rate * _FREE_AT, ceiling or math.inf), self._rate * _SPEED_UP)
        self.due = -math.inf

    def note(self, now: float) -> bool:
        """A call starts *now*; True: the brake can be let go."""
        self._rate *= _SPEED_UP ** (1 / self._rate)
        self.due = max(self.due, now) + 1 / self._rate
        return self._rate >= self._release_at


class Limiter(Protocol):
    """What a run needs of its limiter."""

    @property
    def free(self) -> bool:
        """There is nothing to wait for: do not even ask."""
        ...

    async def turn(self) -> bool:
        """Wait until a call may start; False: none may any more."""
        ...

    def hold(self, seconds: float, recent_rate: float) -> None:
        """The service answered 429."""

    def close(self) -> None:
        """No call may start any more."""


class RateLimiter:
    """Gives leave to start calls, first come, first served.

    Attributes:
        free: there is nothing to wait for; the caller need not ask.
        closed: no call may start any more.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] | None = None,
        lease: Callable[[], Awaitable[tuple[float | None, float]]] | None = None,
    ) -> None:
        """Start with *rate* calls per second (None: as many as come).

        Args:
            rate: calls per second.
            clock: seconds, monotonic.
            sleep: instead of waiting for real.
            lease: asked for the rate and for how many seconds it holds, whenever the last lease has run out (a rate that is
                shared with others); a rate of 0 means none for now.
        """
        self._asked = None if rate is None else Schedule(rate)
        self._brake: _Brake | None = None
        self._held_until = -math.inf
        self._clock = clock
        self._sleep = self._nap if sleep is None else sleep
        self._lease = lease
        self._leased_until = -math.inf
        self._barred = False
        self._order = asyncio.Lock()
        self._napping: asyncio.Future[None] | None = None
        self.free = rate is None and lease is None
        self.closed = False

    async def turn(self) -> bool:
        """Wait until a call may start; False: none may any more, the run is stopping."""
        async with self._order:
            while not self.closed:
                now = self._clock()
                if self._lease is not None and now >= self._leased_until:
                    await self._renew()
                    continue
                pause = self._due() - now
                if pause <= 0:
                    self._note(now)
                    return True
                await self._sleep(pause)
        return False

    def hold(self, seconds: float, recent_rate: float) -> None:
        """The service answered 429: nothing starts for *seconds*, and then at half of *recent_rate*, speeding up slowly."""
        now = self._clock()
        if now >= self._held_until:  # else one of the calls that were on their way together
            self._brake = _Brake(recent_rate, None if self._asked is None else self._asked.rate)
        self._held_until = max(self._held_until, now + seconds)
        self.free = False

    def expire(self) -> None:
        """Ask for a new lease before the next call."""
        self._leased_until = -math.inf

    def close(self) -> None:
        """Wake all who wait: no call may start any more."""
        self.closed = True
        self.free = False
        if self._napping is not None:
            _wake(self._napping)

    def _due(self) -> float:
        if self._barred:
            return self._leased_until
        due = self._held_until
        if self._asked is not None:
            self._asked.restart(due)
            due = max(due, self._asked.due())
        return due if self._brake is None else max(due, self._brake.due)

    def _note(self, now: float) -> None:
        if self._asked is not None:
            self._asked.note(now)
        if self._brake is not None and self._brake.note(now):
            self._brake = None
            self.free = self._asked is None and self._lease is None and not self.closed

    async def _renew(self) -> None:
        assert self._lease is not None
        asked = self._clock()
        rate, seconds = await self._lease()
        self._leased_until = asked + seconds
        self._barred = rate == 0
        if not rate:
            return
        self._asked = Schedule(rate) if self._asked is None else self._asked.changed(rate)

    async def _nap(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        nap = self._napping = loop.create_future()
        alarm = loop.call_later(seconds, _wake, nap)
        try:
            await nap
        finally:
            alarm.cancel()
            self._napping = None


def _wake(nap: asyncio.Future[None]) -> None:
    if not nap.done():
        nap.set_result(None)


class CircuitBreaker:
    """Counts failures that follow each other: no answer, or the service's own fault. A row it says no to is none."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.failures = 0

    def note(self, error: AuthingError | None) -> CircuitOpenError | None:
        """A call ended with *error*; what to stop the run with, if this was one too many."""
        if error is None or not is_failure(error):
            self.failures = 0
            return None
        self.failures += 1
        if self.failures != self._limit:
            return None
        return CircuitOpenError(
            f"{self.failures} calls in a row failed, the last one with: {error} The other rows were not sent.",
            failures=self.failures,
            last=error,
        )


def is_failure(error: AuthingError) -> bool:
    """*error* says that the service, or the way to it, is in trouble."""
    if isinstance(error, (ApiError, ResponseError)):
        return (error.http_status or 0) >= 500 or (isinstance(error, ApiError) and error.http_status == 429)
    return isinstance(error, (NetworkError, ConfigError)) or error.delivery == "unknown"
