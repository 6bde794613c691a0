"""The emulator's time: a source of epoch seconds that a test can move."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VirtualClock", "iso"]

_LATEST = 221_845_392_000  # the year 9000: a time plus a lifetime must still be a date


class VirtualClock:
    """Epoch seconds of *source*, moved by `advance` and `set`. Call the clock to read it.

    Every lifetime, window, lock-out, TOTP step and token of the emulator uses this clock; the latency of a fault does not.
    *on_change* is called after each move, with the seconds by which the time has moved.
    """

    def __init__(self, source: Callable[[], float], on_change: Callable[[float], None] = lambda _moved: None) -> None:
        self._source = source
        self._on_change = on_change
        self.offset: float = 0.0

    def __call__(self) -> float:
        """The current time, in epoch seconds."""
        return self._source() + self.offset

    def advance(self, seconds: float) -> float:
        """Move the time by *seconds* (negative: back) and return the new time.

        Raises:
            ValueError: the new time is before 1970 or after the year 9000.
        """
        return self._move(self.offset + seconds)

    def set(self, epoch: float) -> float:
        """Set the time to *epoch*; it runs on from there. Return the new time.

        Raises:
            ValueError: *epoch* is before 1970 or after the year 9000.
        """
        return self._move(epoch - self._source())

    def reset(self) -> float:
        """Go back to the source's time, and return it."""
        return self._move(0.0)

    def check(self, offset: float) -> None:
        """Raise ValueError if this *offset* moves the time before 1970 or after the year 9000."""
        if not 0 <= self._source() + offset < _LATEST:
            raise ValueError("the clock goes from 1970 to the year 9000")

    def _move(self, offset: float) -> float:
        self.check(offset)
        moved, self.offset = offset - self.offset, offset
        self._on_change(moved)
        return self()


def iso(epoch: float) -> str:
    """Return *epoch* in the service's form: UTC, milliseconds, ``Z``."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
