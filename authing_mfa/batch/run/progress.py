"""Counts outcomes and tells how far the run is."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.batch.models import Outcome, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Tally"]

_TELL_EVERY: Final = 0.1  # seconds between two calls of on_progress
_RATE_OVER: Final = 5.0  # seconds that a progress's rate is taken over


class Tally:
    """Counts outcomes, and tells how far the run is: at most ten times a second, and once at the end."""

    def __init__(self, tell: Callable[[Progress], Any], total: int | None, clock: Callable[[], float]) -> None:
        self._tell = tell
        self._total = total
        self._clock = clock
        self._began = clock()
        self._told: deque[tuple[float, int]] = deque([(self._began, 0)])
        self._next = self._began
        self.done = self.ok = self.rejected = self.unknown = 0

    def note(self, outcome: Outcome) -> None:
        """Count *outcome*, and tell when it is time."""
        self.done += 1
        if outcome.error is None:
            self.ok += 1
        elif outcome.status == "rejected":
            self.rejected += 1
        elif outcome.status == "unknown":
            self.unknown += 1
        if self._clock() >= self._next:
            self.tell()

    def tell(self) -> None:
        """Tell now."""
        now = self._clock()
        self._next = now + _TELL_EVERY
        while len(self._told) > 1 and now - self._told[0][0] > _RATE_OVER:
            self._told.popleft()
        since, before = self._told[0]
        self._told.append((now, self.done))
        rate = (self.done - before) / max(now - since, 1e-9)
        failed = self.done - self.ok
        self._tell(
            Progress(
                done=self.done,
                total=self._total,
                ok=self.ok,
                failed=failed,
                rate=rate,
                elapsed=now - self._began,
                rejected=self.rejected,
                unknown=self.unknown,
            )
        )
