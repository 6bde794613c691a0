"""Rows from a file or a pipe: CSV, JSON lines or Parquet. A line that is no row keeps its place, with its error."""

from __future__ import annotations

import csv
import io
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal

from authing_mfa.batch.models import COLUMNS, InvalidRow, VerifyRequest
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authing_mfa.batch.options import BatchOptions

__all__ = ["Format", "count_rows", "format_of", "open_parquet", "read_rows", "rows_of"]

Format = Literal["csv", "jsonl", "parquet"]

_SUFFIXES: Final[Mapping[str, Format]] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_BATCH: Final = 1024  # rows of a Parquet file read at once

Row = VerifyRequest | InvalidRow


def format_of(place: str, given: str | None) -> Format | None:
    """The format *given*, else that of the file's suffix; None for a pipe: look at what comes.

    Raises:
        InvalidInputError: neither tells.
    """
    if given is not None:
        if given not in _SUFFIXES.values():
            raise InvalidInputError("A format is one of csv, jsonl and parquet.")
        return given  # type: ignore[return-value]  # checked above
    if place == "-":
        return None
    form = _SUFFIXES.get(Path(place).suffix.lower())
    if form is None:
        raise InvalidInputError(f"The format of {place} cannot be seen from its name: give csv, jsonl or parquet.")
    return form


def read_rows(
    source: str,
    *,
    form: str | None = None,
    columns: Mapping[str, str] | None = None,
    kind: str | None = None,
) -> Iterator[Row]:
    """The rows of *source*, read as they are asked for.

    Args:
        source: a path, or ``-`` for standard input.
        form: ``csv``, ``jsonl`` or ``parquet``; by default what the name, or the first character of a pipe, says.
        columns: what the file calls our columns, e.g. ``{"phone": "mobile"}``; the others have our names.
        kind: the kind of rows that do not name one.

    Raises:
        InvalidInputError: a column that was named is missing, or no column and no *kind* tells the rows' kind.
        OSError: the file cannot be read.
    """
    names = _names(columns)
    with _opened(source) as file:
        told = format_of(source, form) or _sniff(file)
        records = {"csv": _csv_records, "jsonl": _jsonl_records, "parquet": _parquet_records}[told]
        for record in records(file, names, kind):
            yield record if isinstance(record, InvalidRow) else _row(record, names, kind)


def rows_of(options: BatchOptions) -> Iterator[Row]:
    """Return the rows of the input that *options* name."""
    return read_rows(options.source, form=options.source_format, columns=options.columns, kind=options.kind)


def count_rows(source: str, form: str | None = None) -> int | None:
    """About how many rows *source* has, for a progress display; None for a pipe."""
    path = Path(source)
    if source == "-" or not path.is_file():
        return None
    told = format_of(source, form)
    if told == "parquet":
        with path.open("rb") as file:
            return int(open_parquet(file).metadata.num_rows)
    with path.open("rb") as file:
        lines, last = 0, b"\n"
        while block := file.read(1 << 20):
            lines += block.count(b"\n")
            last = block[-1:]
    return max(0, lines + (last != b"\n") - (told == "csv"))


def _names(columns: Mapping[str, str] | None) -> dict[str, str]:
    given = dict(columns or {})
    for ours in given:
        if ours not in COLUMNS:
            raise InvalidInputError(f"There is no column {ours!r}; the columns are {', '.join(COLUMNS)}.")
    return {ours: given.get(ours, ours) for ours in COLUMNS}


@contextmanager
def _opened(source: str) -> Iterator[io.BufferedReader]:
    if source == "-":
        stdin: Any = sys.stdin.buffer
        yield stdin
        return
    with Path(source).open("rb") as file:
        yield file


def _sniff(file: io.BufferedReader) -> Format:
    head = file.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if head.startswith(b"{") else "csv"


def _row(record: Mapping[str, Any], names: Mapping[str, str], kind: str | None) -> Row:
    fields = {ours: record.get(theirs) for ours, theirs in names.items()}
    try:
        return VerifyRequest.from_mapping(fields, kind=kind)
    except InvalidInputError as error:
        key, named = fields["key"], fields["kind"] or kind
        return InvalidRow(
            error, key if isinstance(key, str) and key else None, named if isinstance(named, str) else None
        )


def _check_header(header: Iterable[str], names: Mapping[str, str], kind: str | None) -> None:
    there = set(header)
    missing = sorted(theirs for ours, theirs in names.items() if theirs != ours and theirs not in there)
    if missing:
        raise InvalidInputError(f"The file has no column {', '.join(missing)}.")
    if kind is None and names["kind"] not in there:
        raise InvalidInputError(f"The file has no column {names['kind']}, and no kind was given (--kind).")


def _csv_records(file: IO[bytes], names: Mapping[str, str], kind: str | None) -> Iterator[dict[str, Any] | InvalidRow]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        reader = csv.reader(text)
        header = next(reader, [])
        _check_header(header, names, kind)
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield InvalidRow(InvalidInputError(f"Line {reader.line_num} cannot be read as CSV: {error}."))
                continue
            if len(fields) > len(header):
                problem = f"Line {reader.line_num} has {len(fields)} fields, and the header {len(header)}."
                yield InvalidRow(InvalidInputError(problem))
            elif fields:
                yield dict(zip(header, fields, strict=False))
    finally:
        text.detach()


def _jsonl_records(
    file: IO[bytes], names: Mapping[str, str], kind: str | None
) -> Iterator[dict[str, Any] | InvalidRow]:
    del names, kind  # a line may have any columns
    for number, line in enumerate(file, 1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not text:
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            yield InvalidRow(InvalidInputError(f"Line {number} is not JSON."))
            continue
        if isinstance(record, dict):
            yield record
        else:
            yield InvalidRow(InvalidInputError(f"Line {number} is JSON, but not an object."))


def _parquet_records(file: IO[bytes], names: Mapping[str, str], kind: str | None) -> Iterator[dict[str, Any]]:
    table = open_parquet(file)
    there = table.schema_arrow.names
    _check_header(there, names, kind)
    wanted = [theirs for theirs in names.values() if theirs in there]
    for batch in table.iter_batches(batch_size=_BATCH, columns=wanted):
        yield from batch.to_pylist()


def open_parquet(file: IO[bytes]) -> Any:
    """The Parquet file, from a file or, read whole, from a pipe.

    Raises:
        InvalidInputError: pyarrow is missing, or it is no Parquet file.
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
