"""What is read from a journal and written to it. Pure."""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["Entry", "Span", "Writing"]

_LAST: Final = (1 << 63) - 1  # the highest position a database can hold


@attrs.frozen
class Span:
    """Which rows a journal is opened for: all of them, or of a run that is divided, partition `part`: `rows` from `first`.

    `whole` is for a look at all of a run that is divided.
    """

    part: int = 0
    first: int = 0
    rows: int | None = None
    whole: bool = False

    @property
    def layout(self) -> str:
        """How the run is divided: it must stay so, for a claim is on a partition's number."""
        return "all rows in one" if self.rows is None else f"partitions of {self.rows} rows"

    def range(self) -> dict[str, int]:
        """First and last position, for a query."""
        everything = self.rows is None or self.whole
        return {"first": self.first, "last": _LAST if everything else self.first + (self.rows or 0) - 1}


@attrs.frozen
class Entry:
    """What the journal knows of a row; `answer` is None when its outcome was not recorded."""

    key: str | None
    kind: str
    digest: str
    answer: str | None


@attrs.define
class Writing:
    """What goes into one transaction.

    Attributes:
        rows: announced: position, key, kind and fingerprint of each.
        outcomes: position and answer of each.
        undo: positions whose outcomes are to be forgotten: the rows are sent again.
        retracted: positions whose intents were logged, and which were then not sent.
        again: the connection was lost while this was written, so it may be there already.
    """

    rows: list[tuple[int, str | None, str, str]] = attrs.Factory(list)
    outcomes: list[tuple[int, str]] = attrs.Factory(list)
    undo: list[int] = attrs.Factory(list)
    retracted: list[int] = attrs.Factory(list)
    again: bool = False
