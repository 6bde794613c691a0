"""Divide one rate among many workers: each leases a share for a short time. Pure; the clock is passed in.

The leased shares never add up to more than the whole rate, and a worker whose lease has ended has none. Shares are
whole numbers of calls per second, so that each worker's seconds, and thus their sum's, stay below the rate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lease", "RateAllocator"]

_WINDOW: Final = 1.0  # seconds that a lease lasts
_SOON: Final = 0.2  # seconds until a worker without a share asks again
_REMEMBERED: Final = 3.0  # seconds that a worker counts as active after a request


@attrs.frozen
class Lease:
    """A worker's share for the next `seconds`.

    Attributes:
        rate: calls per second, 0: none; None: no limit.
        seconds: how long the share is valid, counted from the request.
        pause: seconds during which nothing may start, because the service answered 429 to a worker.
        stop: True if the run must end.
    """

    rate: float | None
    seconds: float
    pause: float = 0.0
    stop: bool = False


class RateAllocator:
    """Divides one run's rate."""

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._out: dict[str, tuple[float, float]] = {}  # share and end, by worker
        self._asked: dict[str, float] = {}
        self._paused_until = -math.inf
        self.stopped = False

    def lease(self, owner: str, pause: float = 0.0) -> Lease:
        """Return a new share for *owner*, which replaces its old one.

        Args:
            owner: the worker.
            pause: seconds that the service asked the worker to wait.
        """
        now = self._clock()
        self._paused_until = max(self._paused_until, now + pause) if pause > 0 else self._paused_until
        left = max(0.0, self._paused_until - now)
        if self._rate is None:
            return Lease(None, _WINDOW, left, self.stopped)
        self._asked[owner] = now
        self._asked = {who: when for who, when in self._asked.items() if now - when < _REMEMBERED}
        self._out = {who: out for who, out in self._out.items() if out[1] > now and who != owner}
        share = self._share(self._rate, sum(share for share, _ in self._out.values()))
        if share <= 0:
            return Lease(0, _SOON, left, self.stopped)
        self._out[owner] = (share, now + _WINDOW)
        return Lease(share, _WINDOW, left, self.stopped)

    def _share(self, rate: float, out: float) -> float:
        if rate < 1:
            return rate if out == 0 else 0
        return min(math.ceil(int(rate) / len(self._asked)), int(rate) - out)
