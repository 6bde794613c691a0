"""The records that are read from a journal and written to it. Pure."""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["Edge", "Entry", "Span", "Writing"]

_LAST: Final = (1 << 63) - 1  # the highest position a database can hold


@attrs.frozen
class Span:
    """The rows that a journal is opened for: all rows, or partition `part` of a divided run: `rows` rows from `first`.

    `whole` is for reading all of a divided run.
    """

    part: int = 0
    first: int = 0
    rows: int | None = None
    whole: bool = False

    @property
    def layout(self) -> str:
        """The division of the run: it must not change, because a claim belongs to a partition's number."""
        return "all rows in one" if self.rows is None else f"partitions of {self.rows} rows"

    def range(self) -> dict[str, int]:
        """The first and the last position, for a query."""
        everything = self.rows is None or self.whole
        return {"first": self.first, "last": _LAST if everything else self.first + (self.rows or 0) - 1}


@attrs.frozen
class Entry:
    """The journal's entry of a row; `answer` is None if its outcome was not recorded, `epoch` is that of the claim that recorded it."""

    key: str | None
    kind: str
    digest: str
    answer: str | None
    epoch: int | None = None


@attrs.frozen
class Edge:
    """The positions of the first and the last row of a partition that the journal knows, and the entry of the first."""

    first: int
    last: int
    entry: Entry


@attrs.define
class Writing:
    """The content of one transaction.

    Attributes:
        rows: the logged intents: position, key, kind and fingerprint of each row.
        outcomes: position and answer of each row.
        undo: positions whose outcomes are removed, because `outcomes` or `put_back` has another one.
        retracted: positions whose intents were logged, and whose rows were then not sent.
        put_back: outcomes of an earlier run, whose rows were to be sent again and were not: position, epoch and answer.
        again: the connection was lost while this was written, so a part may be stored already.
    """

    rows: list[tuple[int, str | None, str, str]] = attrs.Factory(list)
    outcomes: list[tuple[int, str]] = attrs.Factory(list)
    undo: list[int] = attrs.Factory(list)
    retracted: list[int] = attrs.Factory(list)
    put_back: list[tuple[int, int, str]] = attrs.Factory(list)
    again: bool = False
