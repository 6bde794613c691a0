"""Read the records of a file in any format: the place of each, and its cells by our column names or its problem."""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
from collections import deque
from typing import IO, TYPE_CHECKING, Any, Final

from authing_mfa.batch.files.table import match_columns
from authing_mfa.batch.files.text import LONGEST_LINE, lines
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

__all__ = ["Record", "csv_records", "jsonl_records", "open_parquet", "parquet_records", "xlsx_records"]

Record = tuple[str, "dict[str, Any] | str"]
"""The place, e.g. "line 17", and the cells by our column names, or the record's problem as text."""

DELIMITERS: Final = (",", ";", "\t", "|")
_SEP: Final = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)  # Excel's own first line
_MOST_LINES: Final = 100  # lines of one record
_MOST_TEXT: Final = 1 << 16  # characters of one record of several lines
_BATCH: Final = 1024  # rows of a Parquet file that are read at once

_EMPTY: Final = "The input is empty."


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
            InvalidInputError: the header is missing.
        """
        while (line := self._next()) != "":
            if line is None or not line.strip():
                continue
            if self._number == 1 and (sep := _SEP.fullmatch(line)) is not None:
                if not self._told:
                    self.delimiter, self._told = sep[1], True
                continue
            while line.count('"') % 2 and (more := self._next()):  # a name may hold a line break
                line += more
            if not self._told:
                self.delimiter = max(DELIMITERS, key=lambda mark: len(_split(line, mark)))
            return _split(line, self.delimiter)
        raise InvalidInputError(_EMPTY)

    def records(self, width: int, ours: Mapping[int, str]) -> Iterator[tuple[str, list[str] | str]]:
        """Yield the records after the header; a line without cells is not a record."""
        while True:
            line = self._waiting.popleft() if self._waiting else next(self._read, "")
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
        """Return the next line of the header; an empty text at the end."""
        self._number += 1
        return next(self._read, "")

    def _quoted(self, line: str, width: int, ours: Mapping[int, str]) -> Iterator[tuple[str, list[str] | str]]:
        first, taken = self._number, [line]

        def more() -> Iterator[str]:
            yield line
            size = len(line)
            while len(taken) < _MOST_LINES and size < _MOST_TEXT:
                following = self._waiting.popleft() if self._waiting else next(self._read, "")
                if not following:  # the end of the text, or a line that is too long
                    if following is None:
                        self._waiting.appendleft(None)
                    return
                taken.append(following)
                size += len(following)
                yield following

        fields: list[str] | None
        try:
            fields = next(csv.reader(more(), delimiter=self.delimiter, strict=True))
        except (csv.Error, StopIteration):
            fields = None
        spans = len(taken) > 1
        whole = fields is not None and (
            not spans or (len(fields) == width and not any("\n" in fields[at] or "\r" in fields[at] for at in ours))
        )
        if not whole or fields is None:
            self._waiting.extendleft(reversed(taken[1:]))  # reading continues with the next line
            yield f"line {first}", "has a quote that is not closed, or that stands in the wrong place."
            return
        self._number += len(taken) - 1
        checked = _checked(fields, width)
        if checked is not None:
            yield f"lines {first}-{self._number}" if spans else f"line {first}", checked


def _checked(fields: list[str], width: int) -> list[str] | str | None:
    """Return the fields of a record, or its problem as text; None if it has no cell."""
    if len(fields) > width and not "".join(fields[width:]).strip():
        fields = fields[:width]
    if not "".join(fields).strip():
        return None
    return fields if len(fields) <= width else f"has {len(fields)} fields, and the header {width}."


def _split(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])


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
                yield where, {name: fields[at] for at, name in ours.items() if at < len(fields)}


# ─────────────────────────────── JSON lines ───────────────────────────────


def jsonl_records(
    file: IO[bytes], encoding: str | None, columns: Mapping[str, str], kind: str | None
) -> Generator[Record]:
    """Yield the records of a file of JSON lines; each line may have any columns."""
    known: dict[tuple[str, ...], dict[int, str]] = {}
    number = 0
    empty = True
    with lines(file, encoding) as read:
        for number, line in enumerate(read, 1):
            if line is None:
                yield f"line {number}", f"has more than {LONGEST_LINE} characters."
                continue
            text = line.strip().lstrip("\N{ZERO WIDTH NO-BREAK SPACE}")
            if not text:
                continue
            empty = False
            yield f"line {number}", _json_cells(text, known, columns, kind)
    if empty:
        raise InvalidInputError(_EMPTY)


def _json_cells(
    text: str, known: dict[tuple[str, ...], dict[int, str]], columns: Mapping[str, str], kind: str | None
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
    return {name: pairs[at][1] for at, name in ours.items()}


class _Pairs(list[tuple[str, Any]]):
    """Return a JSON object from its pairs, and notice a name that occurs twice."""


# ─────────────────────────────── Parquet and Excel ───────────────────────────────


def parquet_records(file: IO[bytes], columns: Mapping[str, str], kind: str | None) -> Generator[Record]:
    """Yield the records of a Parquet file."""
    table = open_parquet(file)
    there = table.schema_arrow.names
    ours = match_columns(there, columns, kind)
    number = 0
    for batch in table.iter_batches(batch_size=_BATCH, columns=[there[at] for at in ours]):
        cells = {name: batch.column(there[at]).to_pylist() for at, name in ours.items()}
        for at in range(batch.num_rows):
            number += 1
            yield f"row {number}", {name: values[at] for name, values in cells.items()}


def open_parquet(file: IO[bytes]) -> Any:
    """Return the Parquet file, from a file or from a pipe, which is read to its end.

    Raises:
        InvalidInputError: pyarrow is missing, or the file is not a Parquet file.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InvalidInputError("Parquet needs pyarrow: pip install 'authing-mfa[parquet]'.") from error
    pa: Any = pyarrow
    try:
        return pa.parquet.ParquetFile(file if file.seekable() else io.BytesIO(file.read()))
    except pa.ArrowInvalid as error:
        raise InvalidInputError("This is not a Parquet file.") from error


def xlsx_records(file: IO[bytes], columns: Mapping[str, str], kind: str | None) -> Generator[Record]:
    """Yield the records of the first sheet of an Excel workbook. Cells must be text: a number has lost its leading zeros."""
    rows = enumerate(_open_xlsx(file).iter_rows(values_only=True), 1)
    header: Sequence[Any] = next((row for _, row in rows if any(cell is not None for cell in row)), ())
    if not header:
        raise InvalidInputError(_EMPTY)
    ours = match_columns([cell if isinstance(cell, str) else "" for cell in header], columns, kind)
    for number, row in rows:
        if any(cell is not None and cell != "" for cell in row):
            yield f"row {number}", {name: row[at] for at, name in ours.items() if at < len(row)}


def _open_xlsx(file: IO[bytes]) -> Any:
    try:
        from openpyxl import load_workbook  # type: ignore[import-untyped]  # it has no types
    except ImportError as error:
        raise InvalidInputError("Excel workbooks need openpyxl: pip install 'authing-mfa[excel]'.") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles
            book = load_workbook(file if file.seekable() else io.BytesIO(file.read()), read_only=True)
        return book.worksheets[0]
    except Exception as error:  # any error in the file: zip, XML, a missing part
        raise InvalidInputError("This is not an Excel workbook (.xlsx).") from error
