"""The emulator's time: a source of epoch seconds that a test can move."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VirtualClock", "iso"]


class VirtualClock:
    """Epoch seconds of *source*, moved by what `advance` and `set` were told. Call the clock to read it.

    Every lifetime, window, lock-out, TOTP step and token of the emulator reads this clock; latency of a fault does not.
    """

    def __init__(self, source: Callable[[], float], on_change: Callable[[], None] = lambda: None) -> None:
        self._source = source
        self._on_change = on_change
        self.offset = 0.0

    def __call__(self) -> float:
        """The time now, in epoch seconds."""
        return self._source() + self.offset

    def advance(self, seconds: float) -> float:
        """Move the time by *seconds* (negative: back) and return the new time."""
        self.offset += seconds
        self._on_change()
        return self()

    def set(self, epoch: float) -> float:
        """Make it *epoch* now; it runs on from there. Returns the new time."""
        self.offset = epoch - self._source()
        self._on_change()
        return self()

    def reset(self) -> float:
        """Back to the source's own time, which is returned."""
        self.offset = 0.0
        self._on_change()
        return self()


def iso(epoch: float) -> str:
    """*epoch* as the service writes times: UTC, milliseconds, ``Z``."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
