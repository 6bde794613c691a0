"""Count outcomes and report the progress of a run."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import attrs

from authing_mfa.batch.models import Counts, Outcome, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ProgressCounter"]

_REPORT_EVERY: Final = 0.1  # seconds between two calls of on_progress
_RATE_OVER: Final = 5.0  # seconds over which the rate is measured


class ProgressCounter:
    """Counts outcomes, and reports the progress: at most ten times a second, and once at the end."""

    def __init__(self, on_progress: Callable[[Progress], Any], total: int | None, clock: Callable[[], float]) -> None:
        self._on_progress = on_progress
        self._total = total
        self._clock = clock
        self._began = clock()
        self._reported: deque[tuple[float, int]] = deque([(self._began, 0)])
        self._next = self._began
        self._counts = Counts()

    def note(self, outcome: Outcome) -> None:
        """Count *outcome*, and report if the last report is old enough."""
        self._counts.note(outcome)
        if self._clock() >= self._next:
            self.report()

    def report(self, *, paused: float = 0.0, away: bool = False) -> None:
        """Report now.

        Args:
            paused: seconds during which nothing starts, because the service answered 429.
            away: True if nothing starts until the service can be reached again.
        """
        now = self._clock()
        self._next = now + _REPORT_EVERY
        while len(self._reported) > 1 and now - self._reported[0][0] > _RATE_OVER:
            self._reported.popleft()
        since, before = self._reported[0]
        done = self._counts.done
        self._reported.append((now, done))
        rate = (done - before) / max(now - since, 1e-9)
        progress = self._counts.progress(total=self._total, rate=rate, elapsed=now - self._began)
        self._on_progress(attrs.evolve(progress, paused=paused, away=away) if paused or away else progress)
