"""The lines that a result file has: their status and code by position, in a few bytes for each row."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KnownLines"]

_STATUSES: Final = ("", "ok", "rejected", "failed", "unknown")
_STATUS: Final = 7  # the bits of a status
_SPENT: Final = 8  # the bit for a row that the journal must know: the service may have acted on it
_LARGEST: Final = (1 << 31) - 1


class KnownLines:
    """Status and code of each row that has a line.

    Attributes:
        doubled: True if a row has more than one line.
    """

    def __init__(self) -> None:
        self._statuses = bytearray()
        self._codes = array("i")  # of lines that an earlier run has written
        self.doubled: bool = False

    def status(self, index: int) -> str:
        """Return the status of the row's line, empty if it has none."""
        return _STATUSES[self._statuses[index] & _STATUS] if index < len(self._statuses) else ""

    def line(self, index: int) -> tuple[str, int] | None:
        """Return status and code of the row's line, None if it has none. The code of a line that this run has written is 0."""
        status = self.status(index)
        return (status, self._codes[index] if index < len(self._codes) else 0) if status else None

    def says(self, index: int, status: str, code: int) -> bool:
        """Return True if an earlier run has written a line with this status and code."""
        return self.line(index) == (status, _short(code))

    def spent(self) -> Iterator[int]:
        """Return the positions of the rows that the journal must know."""
        return (index for index, mark in enumerate(self._statuses) if mark & _SPENT)

    def add_read(self, index: int, status: str, code: int, *, spent: bool) -> None:
        """Note a line that an earlier run has written."""
        self._mark(index, _STATUSES.index(status) | (_SPENT if spent else 0))
        if index >= len(self._codes):
            self._codes.frombytes(bytes(self._codes.itemsize * _more(index, len(self._codes))))
        self._codes[index] = _short(code)

    def add_written(self, index: int, status: str) -> None:
        """Note a line that this run has written."""
        self._mark(index, _STATUSES.index(status))
        if index < len(self._codes):
            self._codes[index] = 0

    def _mark(self, index: int, mark: int) -> None:
        marks = self._statuses
        if index >= len(marks):
            marks.extend(bytes(_more(index, len(marks))))
        self.doubled = self.doubled or bool(marks[index] & _STATUS)
        marks[index] = mark


def _short(code: int) -> int:
    """Return *code*, or 0 if it is no code of a service: it must fit into the array."""
    return code if 0 < code <= _LARGEST else 0


def _more(index: int, size: int) -> int:
    """Return the number of rows by which a list of *size* rows grows, to have a place for *index*."""
    return max(index + 1 - size, size, 1024)
