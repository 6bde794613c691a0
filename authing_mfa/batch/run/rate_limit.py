"""When the next call may start: the rate, and the service's wish to slow down. The clock is passed in."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Limiter", "RateLimiter", "Schedule"]

_SLACK: Final = 0.995  # aim this much below the rate, so that jitter on the way does not lift a second above it
_WINDOW: Final = 1.001  # seconds; a little over one, for the same reason
_BACKLOG: Final = 0.25  # seconds of delay that may be caught up
_SPEED_UP: Final = 1.25  # per second without a new 429
_FIRST_PAUSE: Final = 1.0  # seconds, after a 429 that names none; it doubles with each wave of them
_LONGEST_PAUSE: Final = 30.0  # seconds, of those
_LONGEST_ASKED: Final = 300.0  # seconds that a Retry-After may ask for; a longer one is cut to this
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
        """Return the time from which the next call may start."""
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
        """Return the same with another rate: the starts of the last second still count."""
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
    """What a run needs of its rate limiter."""

    @property
    def free(self) -> bool:
        """There is nothing to wait for: do not even ask."""
        ...

    async def acquire(self) -> bool:
        """Wait until a call may start; False: none may any more."""
        ...

    def limited(self, retry_after: float | None, started: float, recent_rate: float) -> None:
        """The service answered 429 to a call that was started at *started*."""

    def succeeded(self, started: float) -> None:
        """The service answered a call that was started at *started*."""

    def paused(self) -> float:
        """Seconds for which nothing starts, because the service answered 429."""
        ...

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
        self._waves = 0  # of 429, without a success between them
        self._wave_began = -math.inf
        self._clock = clock
        self._sleep = self._nap if sleep is None else sleep
        self._lease = lease
        self._leased_until = -math.inf
        self._barred = False
        self._order = asyncio.Lock()
        self._napping: asyncio.Future[None] | None = None
        self.free: bool = rate is None and lease is None
        self.closed: bool = False

    async def acquire(self) -> bool:
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

    def limited(self, retry_after: float | None, started: float, recent_rate: float) -> None:
        """The service answered 429: nothing starts for a while, and then at half of *recent_rate*, speeding up slowly.

        Calls that were in flight together are one wave: only the first of their answers makes the next pause longer.

        Args:
            retry_after: seconds that the service asks for; None: one second, doubled with each wave.
            started: when the call was started.
            recent_rate: calls per second before the pause.
        """
        if started >= self._wave_began:
            self._waves += 1
            self._wave_began = self._clock()
        elif retry_after is None:
            return
        if retry_after is None:
            seconds = min(_FIRST_PAUSE * 2 ** min(self._waves - 1, 16), _LONGEST_PAUSE)
        else:
            seconds = min(retry_after, _LONGEST_ASKED)
        self._hold(seconds, recent_rate)

    def succeeded(self, started: float) -> None:
        """The service answered a call: the next pause is a short one again, if the call is not of the wave before."""
        if self._waves and started >= self._wave_began:
            self._waves = 0

    def paused(self) -> float:
        """Seconds for which nothing starts, because the service answered 429."""
        return max(0.0, self._held_until - self._clock())

    def _hold(self, seconds: float, recent_rate: float) -> None:
        now = self._clock()
        if now >= self._held_until:
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
