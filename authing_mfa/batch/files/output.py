"""Outcomes to a file or a pipe: one object for each row, complete and without duplicates after any number of resumed runs.

A result file is JSON lines while it grows. CSV and Parquet are made from it at the end; until then it stands beside them,
as ``NAME.partial.jsonl``. It has mode 0600, because new recovery codes are in it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
from array import array
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from authing_mfa.batch.errors import JournalError
from authing_mfa.batch.files.input import format_of
from authing_mfa.batch.journal.serialization import compact, public_value
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authing_mfa.batch.models import Outcome

__all__ = ["FIELDS", "PipeResults", "ResultFile", "record_of", "results_for"]

FIELDS: Final = ("index", "key", "kind", "status", "code", "message", "value", "elapsed")

_STATUSES: Final = ("", "ok", "rejected", "failed", "unknown")
_CHUNK: Final = 10_000  # lines converted at once


def record_of(outcome: Outcome, *, tokens: bool = False) -> dict[str, Any]:
    """What is written of *outcome*.

    Args:
        outcome: of one row.
        tokens: include a user's tokens. A new recovery code is always included: the old one is void.
    """
    error = outcome.error
    return {
        "index": outcome.index,
        "key": outcome.key,
        "kind": outcome.kind,
        "status": outcome.status,
        "code": 200 if error is None else error.code,
        "message": None if error is None else error.message,
        "value": public_value(outcome.value, tokens=tokens),
        "elapsed": round(outcome.elapsed, 6),
    }


def results_for(
    place: str, form: str | None, *, resume: bool = False, tokens: bool = False
) -> ResultFile | PipeResults:
    """Where the outcomes go: a file, or ``-`` for standard output (JSON lines unless *form* says CSV)."""
    told = format_of(place, form) or "jsonl"
    if told == "parquet":
        _pyarrow()
    if place != "-":
        return ResultFile(Path(place), told, resume=resume, tokens=tokens)
    if told == "parquet":
        raise InvalidInputError("Parquet cannot be written to a pipe: name a file.")
    return PipeResults(sys.stdout.buffer, told, tokens=tokens)


class PipeResults:
    """Outcomes to standard output, as they come."""

    def __init__(self, file: IO[bytes], form: str, *, tokens: bool) -> None:
        self._file = file
        self._csv = form == "csv"
        self._tokens = tokens
        self._begun = False

    def open(self) -> None:
        """Nothing is to be prepared."""

    def write(self, outcome: Outcome) -> None:
        """Write one outcome."""
        record = record_of(outcome, tokens=self._tokens)
        self._begin()
        self._file.write(_csv_line(record) if self._csv else compact(record).encode() + b"\n")

    def flush(self) -> None:
        """Hand over what is buffered."""
        self._file.flush()

    def finish(self, *, complete: bool) -> None:
        """The run is over."""
        del complete  # nothing more can be done about what was written to a pipe
        self._begin()
        self._file.flush()

    def _begin(self) -> None:
        if self._csv and not self._begun:
            self._begun = True
            self._file.write(_csv_line(dict.fromkeys(FIELDS), header=True))


class ResultFile:
    """Outcomes to a file. On resuming, lines that are there stay, and what the journal gives again is not doubled."""

    def __init__(self, path: Path, form: str, *, resume: bool, tokens: bool) -> None:
        self.path = path
        self.lines = path if form == "jsonl" else path.with_name(path.name + ".partial.jsonl")
        self._form = form
        self._resume = resume
        self._tokens = tokens
        self._there = bytearray()  # the status of each row that has a line, by position
        self._doubled = False
        self._file: IO[bytes] | None = None
        self._begun = False

    def open(self) -> None:
        """Make sure that it can be written, before anything is sent. What is in it stays until `begin`.

        Raises:
            JournalError: it cannot.
        """
        try:
            handle = os.open(self.lines, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if hasattr(os, "fchmod"):
                os.fchmod(handle, 0o600)
            self._file = os.fdopen(handle, "r+b", buffering=1 << 16)
        except OSError as error:
            raise _cannot_write(self.lines, error) from error

    def write(self, outcome: Outcome) -> None:
        """Write one outcome, unless it stands there from an earlier run.

        Raises:
            JournalError: it cannot be written.
        """
        if not self._begun:
            self._begin()
        if not self._is_new(outcome):
            return
        assert self._file is not None
        try:
            self._file.write(compact(record_of(outcome, tokens=self._tokens)).encode() + b"\n")
        except OSError as error:
            raise _cannot_write(self.lines, error) from error

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        if self._file is not None and self._begun:
            try:
                self._file.flush()
            except OSError as error:
                raise _cannot_write(self.lines, error) from error

    def finish(self, *, complete: bool) -> None:
        """The run is over: sync, drop lines that a later one has replaced, and where it is *complete* make CSV or Parquet.

        Raises:
            JournalError: it cannot be written.
        """
        file, self._file = self._file, None
        if file is None:
            return
        try:
            with file:
                if not self._begun and complete:
                    file.truncate(0)  # a run without rows
                file.flush()
                os.fsync(file.fileno())
            if self._doubled:
                _drop_replaced(self.lines)
            if complete and self._form != "jsonl":
                _convert(self.lines, self.path, self._form)
                self.lines.unlink()
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def replace_with(self, files: Sequence[Path], *, complete: bool) -> None:
        """The outcomes are the lines of these *files*, one after the other; where that is all, make CSV or Parquet.

        Raises:
            JournalError: it cannot be written.
        """
        self.abandon()
        try:
            with _replacing(self.lines) as new:
                for part in files:
                    with part.open("rb") as lines:
                        shutil.copyfileobj(lines, new)
            if complete and self._form != "jsonl":
                _convert(self.lines, self.path, self._form)
                self.lines.unlink()
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def abandon(self) -> None:
        """The run did not begin: leave everything as it was."""
        if self._file is not None:
            self._file.close()
            self._file = None
            if not self._begun and self.lines.stat().st_size == 0:
                self.lines.unlink()

    def _begin(self) -> None:
        """The run has begun: on resuming look at the lines that are there, else start afresh."""
        assert self._file is not None
        self._begun = True
        whole = 0
        if self._resume:
            for line in self._file:
                index, status = _read_line(line)
                if index is None:
                    break  # cut off while it was written, and nothing after it
                whole += len(line)
                self._doubled |= bool(self._mark(index, status))
        self._file.seek(whole)
        self._file.truncate()

    def _is_new(self, outcome: Outcome) -> bool:
        status = outcome.status
        before = self._mark(outcome.index, status)
        if not before:
            return True
        certain = before in ("ok", "rejected")
        if (outcome.restored and (before == status or certain)) or (before == status and outcome.elapsed == 0.0):
            self._mark(outcome.index, before)
            return False
        self._doubled = True
        return True

    def _mark(self, index: int, status: str) -> str:
        """Note the row's status; what it was before."""
        there = self._there
        if index >= len(there):
            there.extend(bytes(max(index + 1 - len(there), len(there), 1024)))
        before = _STATUSES[there[index]]
        there[index] = _STATUSES.index(status)
        return before


def _read_line(line: bytes) -> tuple[int | None, str]:
    if not line.endswith(b"\n"):
        return None, ""
    try:
        record = json.loads(line)
        index, status = record["index"], record["status"]
    except (ValueError, KeyError, TypeError):
        return None, ""
    return (index, status) if isinstance(index, int) and status in _STATUSES else (None, "")


def _drop_replaced(path: Path) -> None:
    """Keep the last line of each row, in the order in which they stand."""
    last = array("q")  # the number of each row's last line, by position
    with path.open("rb") as file:
        for number, line in enumerate(file):
            index, _ = _read_line(line)
            if index is None:
                continue
            if index >= len(last):
                last.extend([-1] * max(index + 1 - len(last), len(last)))
            last[index] = number
    with path.open("rb") as old, _replacing(path) as file:
        for number, line in enumerate(old):
            index, _ = _read_line(line)
            if index is not None and last[index] == number:
                file.write(line)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes *path*'s place once it is written and synced."""
    new = path.with_name(path.name + ".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _convert(lines: Path, path: Path, form: str) -> None:
    with _replacing(path) as file:
        if form == "parquet":
            _write_parquet(lines, file)
            return
        file.write(_csv_line(dict.fromkeys(FIELDS), header=True))
        for chunk in _chunks(lines):
            file.writelines(_csv_line(record) for record in chunk)


def _chunks(lines: Path) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    with lines.open("rb") as file:
        for line in file:
            chunk.append(json.loads(line))
            if len(chunk) == _CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _csv_line(record: dict[str, Any], *, header: bool = False) -> bytes:
    text = io.StringIO()
    fields = list(record) if header else [record[name] for name in FIELDS]
    csv.writer(text).writerow([compact(f) if isinstance(f, (dict, list, bool)) else f for f in fields])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InvalidInputError("Parquet needs pyarrow: pip install 'authing-mfa[parquet]'.") from error
    return pyarrow


def _write_parquet(lines: Path, file: IO[bytes]) -> None:
    pa = _pyarrow()
    text = pa.string()
    types = (pa.int64(), text, text, text, pa.int64(), text, text, pa.float64())
    schema = pa.schema(list(zip(FIELDS, types, strict=True)))
    with pa.parquet.ParquetWriter(file, schema) as writer:
        for chunk in _chunks(lines):
            for record in chunk:
                if record["value"] is not None:
                    record["value"] = compact(record["value"])
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))


def _cannot_write(path: Path, error: OSError) -> JournalError:
    return JournalError(f"The results cannot be written to {path}: {error.strerror or type(error).__name__}.")
