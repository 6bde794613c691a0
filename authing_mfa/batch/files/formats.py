"""The lines of a result file, also as CSV and Parquet; and how a file of outcomes is recognised."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tempfile
from array import array
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import attrs

from authing_mfa.batch.journal.serialization import compact, json_line, microseconds, public_value
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authing_mfa.batch.models import Outcome

__all__ = [
    "FIELDS",
    "Line",
    "csv_line",
    "drop_replaced",
    "is_ours",
    "lines_of",
    "need_pyarrow",
    "read_line",
    "record_of",
    "replacing",
    "restored_lines",
    "write_as",
]

FIELDS: Final = ("index", "key", "kind", "status", "code", "message", "value", "elapsed")

_STATUSES: Final = ("ok", "rejected", "failed", "unknown")
_CHUNK: Final = 10_000  # lines converted at once


def record_of(outcome: Outcome, *, tokens: bool = False) -> dict[str, Any]:
    """Return the record that is written for *outcome*.

    Args:
        outcome: the outcome of one row.
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
        "elapsed": microseconds(outcome.elapsed),
    }


# ─────────────────────────────── lines ───────────────────────────────


@attrs.frozen
class Line:
    """What the line of an outcome says of its row, as far as a resumed run needs it."""

    index: int
    status: str
    kind: str | None
    code: int


def read_line(line: bytes) -> Line | None:
    """Return what an outcome's line says; None if the line is incomplete or another line."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
        index, status, kind, code = record["index"], record["status"], record.get("kind"), record.get("code")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(index, int) or isinstance(index, bool) or index < 0 or status not in _STATUSES:
        return None
    return Line(index, status, kind, code if isinstance(code, int) else 0)


def is_ours(path: Path, form: str) -> bool:
    """Return True if *path* begins like a file of outcomes."""
    with path.open("rb") as file:
        head = file.readline(1 << 20)
        if form == "csv":
            return head == csv_line(dict.fromkeys(FIELDS), header=True)
        if form == "jsonl":
            return read_line(head) is not None or (len(head) < 1 << 16 and not head.endswith(b"\n") and _torn(head))
    pa = need_pyarrow()
    try:
        return tuple(pa.parquet.read_schema(path).names) == FIELDS
    except (pa.ArrowException, OSError):
        return False


def _torn(head: bytes) -> bool:
    """Return True if the first line was cut off while it was written."""
    return head.startswith(b'{"index":') or b'{"index":'.startswith(head)


def lines_of(path: Path) -> Iterator[tuple[bytes, int, str | None]]:
    """Yield the whole lines of *path* with the position and the kind of their rows."""
    with path.open("rb") as lines:
        for line in lines:
            record = read_line(line)
            if record is not None:
                yield line, record.index, record.kind


def drop_replaced(path: Path) -> None:
    """Keep the last line of each row, in the order of the file."""
    last = array("q")  # the number of each row's last line, by position
    with path.open("rb") as file:
        for number, line in enumerate(file):
            record = read_line(line)
            if record is None:
                continue
            index = record.index
            if index >= len(last):
                last.extend([-1] * max(index + 1 - len(last), len(last)))
            last[index] = number
    with path.open("rb") as old, replacing(path) as file:
        for number, line in enumerate(old):
            record = read_line(line)
            if record is not None and last[record.index] == number:
                file.write(line)


@contextmanager
def replacing(path: Path, *, in_place: bool = False) -> Iterator[IO[bytes]]:
    """Yield a new file of mode 0600 that replaces *path* when it is written and synced.

    Args:
        path: the file to replace.
        in_place: the existing file keeps its identity and mode, and gets the new content.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if in_place:
            shutil.copyfile(new, path)
        else:
            new.replace(path)
    finally:
        new.unlink(missing_ok=True)


# ─────────────────────────────── CSV and Parquet ───────────────────────────────


def write_as(form: str, lines: Path, path: Path, *, in_place: bool) -> None:
    """Write the outcomes of *lines* to *path* as ``csv`` or ``parquet``."""
    with replacing(path, in_place=in_place) as file:
        if form == "parquet":
            _write_parquet(lines, file)
            return
        file.write(csv_line(dict.fromkeys(FIELDS), header=True))
        for chunk in _chunks(lines):
            file.writelines(csv_line(record) for record in chunk)


def restored_lines(path: Path, form: str) -> Iterator[bytes]:
    """Return the lines from which a finished CSV or Parquet file was made."""
    if form == "csv":
        with path.open(encoding="utf-8", newline="") as file, _long_fields():
            for record in csv.DictReader(file):
                yield _restored(dict(record))
        return
    table = need_pyarrow().parquet.ParquetFile(path)
    for batch in table.iter_batches(batch_size=_CHUNK):
        for record in batch.to_pylist():
            yield _restored(record)


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let the csv module read fields of any length: a user's fields may be longer than the 128 KiB that it allows."""
    before = csv.field_size_limit((1 << 31) - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _restored(record: dict[str, Any]) -> bytes:
    whole = {name: record.get(name) or None for name in FIELDS}
    whole |= {"index": int(record["index"]), "code": int(record["code"]), "elapsed": float(record["elapsed"])}
    if whole["value"] is not None:
        with suppress(ValueError):  # the value was text
            whole["value"] = json.loads(whole["value"])
    return json_line(whole)


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


def csv_line(record: dict[str, Any], *, header: bool = False) -> bytes:
    """Return *record* as a line of CSV, or the header."""
    text = io.StringIO()
    fields = list(record) if header else [record[name] for name in FIELDS]
    csv.writer(text).writerow([compact(f) if isinstance(f, (dict, list, bool)) else f for f in fields])
    return text.getvalue().encode("utf-8", "backslashreplace")


def need_pyarrow() -> Any:
    """Return pyarrow.

    Raises:
        InvalidInputError: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InvalidInputError("Parquet needs pyarrow: pip install 'authing-mfa[parquet]'.") from error
    return pyarrow


def _write_parquet(lines: Path, file: IO[bytes]) -> None:
    pa = need_pyarrow()
    text = pa.string()
    types = (pa.int64(), text, text, text, pa.int64(), text, text, pa.float64())
    schema = pa.schema(list(zip(FIELDS, types, strict=True)))
    with pa.parquet.ParquetWriter(file, schema) as writer:
        for chunk in _chunks(lines):
            for record in chunk:
                if record["value"] is not None:
                    record["value"] = compact(record["value"])
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
