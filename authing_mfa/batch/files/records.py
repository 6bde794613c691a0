"""Read the records of a text file: the place of each, and its cells by our column names or its problem."""

from __future__ import annotations

import csv
import json
import re
from collections import deque
from typing import IO, TYPE_CHECKING, Any, Final

from authing_mfa.batch.files.table import match_columns, problem_of
from authing_mfa.batch.files.text import LONGEST_LINE, lines
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

__all__ = ["EMPTY", "Record", "csv_records", "jsonl_records"]

Record = tuple[str, "dict[str, Any] | str"]
"""The place, e.g. "line 17", and the cells by our column names, or the record's problem as text."""

DELIMITERS: Final = (",", ";", "\t", "|")
_SEP: Final = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)  # Excel's own first line
_MOST_LINES: Final = 100  # lines of one record
_MOST_TEXT: Final = 1 << 16  # characters of one record of several lines

EMPTY: Final = "The input is empty."
_STRAY: Final = "has a quote that is not closed, or that stands in the wrong place."
_NO_CELL: Final = ' \t\r\n,;|"'  # a header is no line of only these


# ─────────────────────────────── CSV ───────────────────────────────


class CsvReader:
    """The records of a CSV text. A quote that is never closed makes only its own record invalid."""

    def __init__(self, read: Iterator[str | None], delimiter: str | None) -> None:
        self._read = read
        self._waiting: deque[str | None] = deque()
        self._number = 0
        self.delimiter: str = delimiter or ","
        self._told = delimiter is not None

    def header(self) -> list[str]:
        """Return the names of the columns, and note the delimiter.

        Raises:
            InvalidInputError: the header is missing, or has a stray quote.
        """
        while (line := self._next()) != "":
            self._number += 1
            if line is None or not line.strip(_NO_CELL):
                continue
            if self._number == 1 and (sep := _SEP.fullmatch(line)) is not None:
                if not self._told:
                    self.delimiter, self._told = sep[1], True
                continue
            return self._names(line)
        raise InvalidInputError(EMPTY)

    def _names(self, line: str) -> list[str]:
        """Return the cells of the header, which begins with *line*. A name may hold a line break, but not a delimiter too."""
        best, used, names = 0, 0, None
        for mark in (self.delimiter,) if self._told else DELIMITERS:
            cells, taken = self._parse(line, mark)
            self._waiting.extendleft(reversed(taken))
            if cells is not None and any(mark in name and ("\n" in name or "\r" in name) for name in cells):
                cells = None
            count = line.count(mark) + 1 if cells is None else len(cells)
            if count > best:
                best, names, used, self.delimiter = count, cells, len(taken), mark
        if names is None:
            raise InvalidInputError(f"The header in line {self._number} {_STRAY}")
        for _ in range(used):
            self._waiting.popleft()
        self._number += used
        return names

    def records(self, width: int, ours: Mapping[str, int]) -> Iterator[tuple[str, list[str] | str]]:
        """Yield the records after the header; a line without cells is not a record."""
        while True:
            line = self._next()
            if line == "":
                return
            self._number += 1
            if line is None:
                yield f"line {self._number}", f"has more than {LONGEST_LINE} characters."
            elif '"' not in line:
                fields = _checked(line.rstrip("\r\n").split(self.delimiter), width)
                if fields is not None:
                    yield f"line {self._number}", fields
            else:
                yield from self._quoted(line, width, ours)

    def _next(self) -> str | None:
        """Return the next line; an empty text at the end."""
        return self._waiting.popleft() if self._waiting else next(self._read, "")

    def _parse(self, line: str, mark: str) -> tuple[list[str] | None, list[str]]:
        """Return the cells of the record that begins with *line*, None if a quote is wrong, and the lines after it that were read."""
        taken: list[str] = []

        def more() -> Iterator[str]:
            yield line
            size = len(line)
            while len(taken) < _MOST_LINES - 1 and size < _MOST_TEXT:
                following = self._next()
                if not following:  # the end of the text, or a line that is too long
                    if following is None:
                        self._waiting.appendleft(None)
                    return
                taken.append(following)
                size += len(following)
                yield following

        try:
            return next(csv.reader(more(), delimiter=mark, strict=True)), taken
        except (csv.Error, StopIteration):
            return None, taken

    def _quoted(self, line: str, width: int, ours: Mapping[str, int]) -> Iterator[tuple[str, list[str] | str]]:
        first = self._number
        fields, taken = self._parse(line, self.delimiter)
        spans = bool(taken)
        whole = fields is not None and (
            not spans
            or (
                len(fields) == width
                and not any("\n" in fields[at] or "\r" in fields[at] for at in ours.values())
                and not any(self._is_like_a_row(following, width, ours) for following in taken)
            )
        )
        if not whole or fields is None:
            self._waiting.extendleft(reversed(taken))  # reading continues with the next line
            yield f"line {first}", _STRAY
            return
        self._number += len(taken)
        checked = _checked(fields, width)
        if checked is not None:
            yield f"lines {first}-{self._number}" if spans else f"line {first}", checked

    def _is_like_a_row(self, line: str, width: int, ours: Mapping[str, int]) -> bool:
        """Return True if *line*, which stands between quotes, would be a row: then the quotes are stray ones, and it is one."""
        cells = line.rstrip("\r\n").split(self.delimiter)
        sent = [(name, ours[name]) for name in ("phone", "email", "code") if name in ours]
        return (
            len(cells) == width
            and bool(sent)
            and all(cells[at].strip() and problem_of(name, cells[at].strip(), None) is None for name, at in sent)
        )


def _checked(fields: list[str], width: int) -> list[str] | str | None:
    """Return the fields of a record, or its problem as text; None if it has no cell."""
    if len(fields) > width and not "".join(fields[width:]).strip():
        fields = fields[:width]
    if not "".join(fields).strip():
        return None
    return fields if len(fields) <= width else f"has {len(fields)} fields, and the header {width}."


def csv_records(
    file: IO[bytes],
    encoding: str | None,
    delimiter: str | None,
    columns: Mapping[str, str],
    kind: str | None,
    on_header: Any,
) -> Generator[Record]:
    """Yield the records of a CSV file; *on_header* is called with the delimiter when the header is read."""
    with lines(file, encoding) as read:
        reader = CsvReader(read, delimiter)
        header = reader.header()
        ours = match_columns(header, columns, kind)
        on_header(reader.delimiter)
        for where, fields in reader.records(len(header), ours):
            if isinstance(fields, str):
                yield where, fields
            else:
                yield where, {name: fields[at] for name, at in ours.items() if at < len(fields)}


# ─────────────────────────────── JSON lines ───────────────────────────────


def jsonl_records(
    file: IO[bytes],
    encoding: str | None,
    columns: Mapping[str, str],
    kind: str | None,
    on_missing: Callable[[str, int], Any],
) -> Generator[Record]:
    """Yield the records of a file of JSON lines; each line may have any columns.

    At the end *on_missing* is called with each of *columns* that no record has, and the number of records.
    """
    known: dict[tuple[str, ...], dict[str, int]] = {}
    missing = set(columns)
    count = 0
    with lines(file, encoding) as read:
        for number, line in enumerate(read, 1):
            if line is None:
                yield f"line {number}", f"has more than {LONGEST_LINE} characters."
                continue
            text = line.strip().lstrip("\N{ZERO WIDTH NO-BREAK SPACE}")
            if not text:
                continue
            if not count and text.startswith("["):
                raise InvalidInputError(
                    "The input is a JSON array. Write JSON lines: each row is an object on a line, without brackets and commas "
                    "around it."
                )
            count += 1
            cells = _json_cells(text, known, columns, kind)
            if missing:
                missing.difference_update(cells if isinstance(cells, dict) else ())
            yield f"line {number}", cells
    if not count:
        raise InvalidInputError(EMPTY)
    for name in sorted(missing):
        on_missing(name, count)


def _json_cells(
    text: str, known: dict[tuple[str, ...], dict[str, int]], columns: Mapping[str, str], kind: str | None
) -> dict[str, Any] | str:
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return "is not JSON."
    if not isinstance(pairs, _Pairs):
        return "is JSON, but not an object."
    names = tuple([name for name, _ in pairs])
    ours = known.get(names)
    if ours is None:
        try:
            ours = match_columns(names, columns, kind, whole=False)
        except InvalidInputError as error:
            return error.message
        if len(known) < 1000:
            known[names] = ours
    return {name: pairs[at][1] for name, at in ours.items()}


class _Pairs(list[tuple[str, Any]]):
    """Return a JSON object from its pairs, and notice a name that occurs twice."""
