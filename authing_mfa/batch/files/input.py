"""Read rows from a file or a pipe: CSV, JSON lines, Parquet or Excel. An invalid record keeps its position, with its error."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from authing_mfa.batch.files.opening import opened
from authing_mfa.batch.files.records import Record, csv_records, jsonl_records
from authing_mfa.batch.files.table import NULL, Findings, check_columns, forms_fit, plain_text, problem_of
from authing_mfa.batch.files.text import ReadingStopped, check_encoding, survey
from authing_mfa.batch.files.typed_records import open_parquet, parquet_records, xlsx_records
from authing_mfa.batch.models import InvalidRow, VerifyRequest, key_problem, request_of
from authing_mfa.errors import AuthingError, InvalidInputError

if TYPE_CHECKING:
    import io
    import threading
    from collections.abc import Callable, Generator, Iterator, Mapping

    from authing_mfa.batch.options import BatchOptions

__all__ = ["Detected", "Format", "Input", "format_of"]

Format = Literal["csv", "jsonl", "parquet", "xlsx"]

_SUFFIXES: Final[Mapping[str, Format]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
}
_PACKED: Final = (".gz", ".zst", ".zstd")
_NO_TEXT: Final = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password",
    b"PAR1": "a Parquet file",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "compressed twice",
    b"SQLite format 3": "an SQLite database",
}
"""The first bytes of files that are given a wrong name, and what they are."""

_JSON: Final = re.compile(rb"\{|\[\s*[{\]]")

Row = VerifyRequest | InvalidRow


def format_of(name: str, given: str | None) -> Format | None:
    """Return the format *given*, else that of the file's suffix; None for a pipe without a known suffix, whose first bytes decide.

    Raises:
        InvalidInputError: the suffix is unknown.
    """
    if given is not None:
        if given not in _SUFFIXES.values():
            raise InvalidInputError("A format is one of csv, jsonl, parquet and xlsx.")
        return given  # type: ignore[return-value]  # checked above
    if name == "-":
        return None
    path = Path(name)
    if path.suffix.lower() in _PACKED:
        path = path.with_suffix("")
    form = _SUFFIXES.get(path.suffix.lower())
    if form is None and not (path.exists() and not path.is_file()):
        raise InvalidInputError(f"The format of {name} cannot be seen from its name: give csv, jsonl, parquet or xlsx.")
    return form


@attrs.define
class Detected:
    """The detected properties of the input. None if the format has no such property, or it was not needed."""

    form: str
    compression: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None

    def __str__(self) -> str:
        mark = {"\t": "tab", None: None}.get(self.delimiter, self.delimiter)
        encoding = "utf-8" if self.encoding == "utf-8-sig" else self.encoding
        parts = (
            self.form,
            self.compression,
            encoding,
            mark and f"delimiter {mark}",
            self.sheet and f"sheet {self.sheet}",
        )
        return ", ".join(part for part in parts if part)


class Input:
    """The input of a run.

    Attributes:
        findings: certain and possible mistakes in its columns; complete when all rows are read.
        detected: its detected properties; None before anything is read.
        total: about how many rows there are; None for a pipe.
    """

    def __init__(self, options: BatchOptions, on_detected: Callable[[Detected], Any] | None = None) -> None:
        """Check what can be checked without reading.

        Raises:
            InvalidInputError: an option is wrong.
        """
        check_columns(options.columns, options.kind)
        if options.delimiter is not None and (len(options.delimiter) != 1 or options.delimiter in '"\r\n'):
            raise InvalidInputError("A delimiter is one character.")
        self._source = options.source
        self._form: Format | None = format_of(options.source, options.source_format)
        self._encoding = check_encoding(options.encoding)
        self._options = options
        self._on_detected = on_detected
        self._told = False
        self.findings: Findings = Findings()
        self.detected: Detected | None = None
        self.total: int | None = None

    def look(self, stop: threading.Event) -> None:
        """Read through a file to find its encoding, its header and its length. A pipe is not read.

        Raises:
            InvalidInputError: the file is empty, or its header is wrong.
            ReadingStopped: *stop* was set before the end of the file.
            OSError: it cannot be read.
        """
        if self._source == "-" or not Path(self._source).is_file():
            return
        with _readable(lambda: ""), opened(self._source) as (file, _):
            form = self._form or _sniff(file)
            if form == "parquet":
                self.total = int(open_parquet(file).metadata.num_rows)
            elif form != "xlsx":
                seen = survey(file, self._encoding, stop)
                if seen.empty:
                    raise InvalidInputError(f"The file {self._source} is empty.")
                self._encoding = seen.encoding
                self.total = max(0, seen.lines - (form == "csv"))
        with closing(self.rows()) as rows:
            next(rows, None)  # the header is read
        self.findings = Findings()

    def rows(self) -> Generator[Row]:
        """Yield the rows. A row is read when the caller asks for it.

        Raises:
            InvalidInputError: the input is empty, or its header is wrong.
            OSError: it cannot be read.
        """
        where = ""
        with (
            _readable(lambda: where and f" after {where}"),
            opened(self._source) as (file, compression),
            closing(self._records(file, compression)) as records,
        ):
            first = next(records, None)
            if not self._told and self.detected is not None and self._on_detected is not None:
                self._told = True
                self._on_detected(self.detected)
            for where, record in chain([] if first is None else [first], records):
                yield self._row(where, record)

    def _records(self, file: io.BufferedReader, compression: str | None) -> Generator[Record]:
        columns, kind, encoding = self._options.columns, self._options.kind, self._encoding
        form = self._form or _sniff(file)
        found = Detected(form, compression, encoding)

        def on_header(delimiter: str) -> None:
            found.delimiter = delimiter

        def on_sheet(sheet: str) -> None:
            found.sheet = sheet

        self.detected = found
        if form == "parquet":
            return parquet_records(file, columns, kind)
        if form == "xlsx":
            return xlsx_records(file, columns, kind, on_sheet)
        _check_text(file, form, self._source)
        if form == "csv":
            return csv_records(file, encoding, self._options.delimiter, columns, kind, on_header)
        return jsonl_records(file, encoding, columns, kind, self._note_missing)

    def _note_missing(self, column: str, count: int) -> None:
        self.findings.note(column, "is missing: no row has the name that was given for it", "", count=count)

    def _row(self, where: str, record: dict[str, Any] | str) -> Row:
        if isinstance(record, str):
            return InvalidRow(InvalidInputError(f"{_capital(where)} {record}"))
        cells, text = record, plain_text(record)
        if text is None or " " in text or "\\" in text or not all(record.values()):
            cells = _filled(record)
            text = plain_text(cells)
            if isinstance(key := cells.get("key"), str) and key != key.strip():
                self.findings.note("key", "begins or ends with a space", where, key)
        kind = cells.get("kind", self._options.kind)
        if isinstance(kind, str):
            kind = cells["kind"] = kind.casefold()  # it may be written in capital letters
        if text is None or not forms_fit(cells, kind):
            for name, value in cells.items():
                problem = _problem(name, value, kind if isinstance(kind, str) else None)
                if problem is not None:
                    self.findings.note(name, problem, where, str(value))
                    return _invalid(f"{_capital(where)}: {name} {problem}.", cells, kind)
        try:
            row = request_of(cells, kind)
        except InvalidInputError as error:
            return _invalid(f"{_capital(where)}: {error.message}", cells, kind)
        self.findings.note_token(row.token, where)
        if row.kind in ("phone", "email", "totp"):
            self.findings.note_code(row.kind, cells["code"], where)
        return row


def _filled(record: dict[str, Any]) -> dict[str, Any]:
    """Return the cells that are not empty, without the spaces around them."""
    return {name: cell for name, value in record.items() if (cell := _stripped(name, value)) not in (None, "", NULL)}


def _stripped(name: str, value: Any) -> Any:
    return value.strip() if isinstance(value, str) and name not in ("key", "image") else value


def _problem(name: str, value: Any, kind: str | None) -> str | None:
    if isinstance(value, str):
        return problem_of(name, value, kind)
    return "is a number or another type, not text: leading zeros may be lost"


def _invalid(problem: str, cells: Mapping[str, Any], kind: object) -> InvalidRow:
    key = cells.get("key")
    known = key if isinstance(key, str) and key_problem(key) is None else None
    return InvalidRow(InvalidInputError(problem), known, kind if isinstance(kind, str) else None)


def _capital(where: str) -> str:
    return where[0].upper() + where[1:]


def _sniff(file: io.BufferedReader) -> Format:
    head = b""
    with suppress(ValueError):
        head = file.peek(64)[:64]
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return "jsonl" if _JSON.match(text) else "csv"


def _check_text(file: io.BufferedReader, form: Format, source: str) -> None:
    """Check that *file* does not begin like a file of another kind than *form*.

    Raises:
        InvalidInputError: it does.
    """
    head = b""
    with suppress(ValueError):
        head = file.peek(16)[:16]
    name = "The input" if source == "-" else f"The file {source}"
    what = next((what for magic, what in _NO_TEXT.items() if head.startswith(magic)), None)
    if what is not None:
        raise InvalidInputError(f"{name} is not CSV or JSON lines: it is {what}.")
    if form == "csv" and _sniff(file) == "jsonl":
        raise InvalidInputError(f"{name} is not CSV: it is JSON. Give the format jsonl (--format jsonl).")


@contextmanager
def _readable(place: Callable[[], str]) -> Iterator[None]:
    """Turn what the readers of damaged files raise into an OSError with a sentence; *place* returns how far the reading came."""
    try:
        yield
    except (AuthingError, ImportError, MemoryError, ReadingStopped):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise OSError(f"the input is damaged or incomplete and cannot be read further{place()}: {reason}") from error
