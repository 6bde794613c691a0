"""Decide when the next call may start: by the rate, and by the service's request to slow down. The clock is passed in."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Limiter", "RateLimiter", "Schedule"]

_SLACK: Final = 0.995  # aim this much below the rate, so that network jitter does not raise one second above it
_WINDOW: Final = 1.001  # seconds; a little over one, for the same reason
_BACKLOG: Final = 0.25  # seconds of delay that faster starts may make up for
_SPEED_UP: Final = 1.25  # growth per second without a new 429
_FIRST_PAUSE: Final = 1.0  # seconds, after a 429 that names no pause; it doubles with each wave of 429s
_LONGEST_PAUSE: Final = 30.0  # seconds, the longest of these pauses
_LONGEST_ASKED: Final = 300.0  # seconds, the longest Retry-After; a longer one is cut to this
_FREE_AT: Final = 4.0  # times the rate before the 429: at this rate the brake ends


class Schedule:
    """Evenly spaced starts, never more than `rate` in any second, also at the beginning and after a delay. Pure."""

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
        """Note that a call starts *now*."""
        self._recent.append(now)
        behind = now - _BACKLOG if self._next > -math.inf else now
        self._next = max(self._next, behind) + 1 / (self.rate * _SLACK)

    def restart(self, now: float) -> None:
        """Forget all delay from before *now*."""
        self._next = max(self._next, now)

    def changed(self, rate: float) -> Schedule:
        """Return a copy with another rate: the starts of the last second still count."""
        other = Schedule(rate)
        other._next = self._next
        other._recent.extend(self._recent)
        return other


class _Brake:
    """The brake after a 429: evenly spaced starts at a rate that grows until the brake ends. Pure."""

    def __init__(self, recent_rate: float, ceiling: float | None) -> None:
        self._rate = max(recent_rate / 2, 1.0)
        self._release_at = max(min(recent_rate * _FREE_AT, ceiling or math.inf), self._rate * _SPEED_UP)
        self.due = -math.inf

    def note(self, now: float) -> bool:
        """Note that a call starts *now*. Return True if the brake can end."""
        self._rate *= _SPEED_UP ** (1 / self._rate)
        self.due = max(self.due, now) + 1 / self._rate
        return self._rate >= self._release_at


class Limiter(Protocol):
    """The methods of a rate limiter that a run uses."""

    @property
    def free(self) -> bool:
        """True if there is nothing to wait for."""
        ...

    async def acquire(self) -> bool:
        """Wait until a call may start; False: no call may start any more."""
        ...

    def limited(self, retry_after: float | None, started: float, recent_rate: float) -> None:
        """Note a 429 for a call that was started at *started*."""

    def succeeded(self, started: float) -> None:
        """Note an answer to a call that was started at *started*."""

    def paused(self) -> float:
        """Seconds during which nothing starts, because the service answered 429."""
        ...

    def close(self) -> None:
        """Let no call start any more."""


class RateLimiter:
    """Lets calls start, first come, first served.

    Attributes:
        free: True if there is nothing to wait for; the caller need not call `wait`.
        closed: True if no call may start any more.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] | None = None,
        lease: Callable[[], Awaitable[tuple[float | None, float]]] | None = None,
    ) -> None:
        """Start with *rate* calls per second (None: no limit).

        Args:
            rate: calls per second.
            clock: seconds, monotonic.
            sleep: waits; a test may pass another function.
            lease: returns the rate and for how many seconds it holds, for a rate that is shared with others. It is called whenever
                the last lease has ended; a rate of 0 means that no call may start for now.
        """
        self._asked = None if rate is None else Schedule(rate)
        self._brake: _Brake | None = None
        self._held_until = -math.inf
        self._waves = 0  # waves of 429 without a success between them
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
        """Wait until a call may start; False: the run is stopping, no call may start any more."""
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
        """Slow down after a 429: nothing starts during a pause, then calls start at half of *recent_rate*, slowly faster.

        Calls that were in flight together are one wave: only the first of their answers makes the next pause longer.

        Args:
            retry_after: seconds that the service asks for; None: one second, doubled with each wave.
            started: the time at which the call was started.
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
        """Note an answer: the next pause is short again, unless the call belongs to the wave before."""
        if self._waves and started >= self._wave_began:
            self._waves = 0

    def paused(self) -> float:
        """Seconds during which nothing starts, because the service answered 429."""
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
        """Wake all waiting callers, because no call may start any more."""
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
