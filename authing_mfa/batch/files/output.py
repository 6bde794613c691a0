"""Write outcomes to a file or a pipe: one object for each row, complete and without duplicates after any number of resumed runs.

A result file is JSON lines while it grows. CSV and Parquet are made from it at the end; until then the lines are in
``NAME.partial.jsonl`` beside them. It is made with mode 0600, because it holds new recovery codes.

Only our own files are changed: a file that this run made, or a file with the content of a result file. Any other existing file is
refused before the first row is sent. A pipe or a device is only written to.
"""

from __future__ import annotations

import asyncio
import os
import stat
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from authing_mfa.batch.files.formats import (
    drop_replaced,
    is_ours,
    lines_of,
    need_pyarrow,
    read_line,
    record_of,
    replacing,
    restored_lines,
    write_as,
)
from authing_mfa.batch.files.input import format_of
from authing_mfa.batch.files.known_lines import KnownLines
from authing_mfa.batch.files.results import PipeResults, Results, cannot_write
from authing_mfa.batch.journal.serialization import json_line
from authing_mfa.errors import InvalidInputError
from authing_mfa.models import UserInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authing_mfa.batch.models import Outcome
    from authing_mfa.batch.options import BatchOptions

__all__ = ["PipeResults", "ResultFile", "Results", "results_for"]


def results_for(options: BatchOptions) -> Results:
    """Return the output of a path: a file, a pipe or a device, or ``-`` for standard output.

    Raises:
        InvalidInputError: this format cannot be written there.
    """
    form = "jsonl" if options.out_format is None and _kind_of(options.out) != "file" else None
    form = form or format_of(options.out, options.out_format) or "jsonl"
    if form == "xlsx":
        raise InvalidInputError("Outcomes are written as csv, jsonl or parquet.")
    if form == "parquet":
        need_pyarrow()
    if _kind_of(options.out) == "file":
        path = Path(os.path.realpath(options.out))
        return ResultFile(path, form, resume=options.resumes, overwrite=options.overwrite, tokens=options.tokens)
    if form == "parquet":
        raise InvalidInputError("Parquet cannot be written to a pipe: name a file.")
    return PipeResults(None if options.out == "-" else Path(options.out), form, tokens=options.tokens)


def _kind_of(out: str) -> str:
    """Return ``pipe`` for a pipe, a device or standard output, ``file`` for a regular file or a free name."""
    if out == "-":
        return "pipe"
    try:
        mode = Path(out).stat().st_mode
    except OSError:
        return "file"
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return "pipe"
    if not stat.S_ISREG(mode):
        raise InvalidInputError(f"Outcomes cannot be written to {out}: it is neither a file nor a pipe.")
    return "file"


class ResultFile(Results):
    """Writes outcomes to a file. A resumed run keeps the existing lines, and does not repeat outcomes of the journal."""

    def __init__(self, path: Path, form: str, *, resume: bool, tokens: bool, overwrite: bool = False) -> None:
        self.path = path
        self.lines: Path = path if form == "jsonl" else path.with_name(path.name + ".partial.jsonl")
        self._form = form
        self._resume = resume
        self._overwrite = overwrite
        self._tokens = tokens
        self._known = KnownLines()
        self._whole = 0  # the size of the lines that stay, in bytes
        self._made = False  # True if this run made the file
        self._in_place = False  # an empty file exists: it keeps its mode
        self._file: IO[bytes] | None = None
        self._begun = False

    # ─────────────────────────────── before the run ───────────────────────────────

    def open(self) -> None:
        """As `Results.open`. The file's content stays until the first outcome."""
        try:
            self._check(self.path)
            if self.lines != self.path:
                self._check(self.lines)
            self._in_place = self.path.exists() and not self.path.stat().st_size
            self._open()
            if self._resume:
                self._read()
        except OSError as error:
            self.abandon()
            raise cannot_write(self.lines, error) from error
        except InvalidInputError:
            self.abandon()
            raise

    def _check(self, path: Path) -> None:
        if not path.exists() or not path.stat().st_size:
            return
        if not self._resume and not self._overwrite:
            raise InvalidInputError(
                f"The output {path} exists already: name another file, or give --overwrite (or --resume with its journal)."
            )
        if not is_ours(path, "jsonl" if path == self.lines else self._form):
            raise InvalidInputError(f"{path} does not hold outcomes of a batch: it is left alone. Name another file.")

    def _open(self) -> None:
        finished = self.lines != self.path and self.path.exists() and not self._in_place
        if self._resume and finished and not self.lines.exists():
            with replacing(self.lines) as lines:  # whole or not at all: the journal does not hold its tokens
                lines.writelines(restored_lines(self.path, self._form))
            self._made = True
        try:
            handle = os.open(self.lines, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            self._made = True
        except FileExistsError:
            handle = os.open(self.lines, os.O_RDWR)
            if os.fstat(handle).st_size and hasattr(os, "fchmod"):
                os.fchmod(handle, 0o600)  # our file, by its content
        self._file = os.fdopen(handle, "r+b", buffering=1 << 16)

    def _read(self) -> None:
        """Read the existing lines."""
        assert self._file is not None
        self._file.seek(0)
        torn = None
        for number, line in enumerate(self._file, 1):
            record = read_line(line)
            if record is None:
                torn = torn or number  # cut off while it was written: no whole line may follow it
                continue
            if torn is not None:
                raise InvalidInputError(f"Line {torn} of {self.lines} cannot be read: fix or remove that line first.")
            self._whole += len(line)
            spent = record.kind != "check" and record.status in ("ok", "rejected", "unknown")
            self._known.add_read(record.index, record.status, record.code, spent=spent)

    def spent(self) -> Iterator[int]:
        """As `Results.spent`."""
        return self._known.spent()

    def line(self, index: int) -> tuple[str, int] | None:
        """As `Results.line`."""
        return self._known.line(index)

    def some_lines(self, first: int, end: int) -> dict[int, tuple[str, int]]:
        """Return `line` of each row from position *first* to before *end* that has one."""
        return {index: line for index in range(first, end) if (line := self._known.line(index)) is not None}

    def abandon(self) -> None:
        """As `Results.abandon`."""
        file, self._file = self._file, None
        if file is None:
            return
        file.close()
        if self._made and not self._begun:
            self.lines.unlink(missing_ok=True)

    # ─────────────────────────────── during the run ───────────────────────────────

    def write(self, outcome: Outcome) -> bool:
        """As `Results.write`."""
        before = self._known.status(outcome.index)
        stays = bool(before) and self._stays(before, outcome)
        if not stays:
            line = json_line(record_of(outcome, tokens=self._tokens))
            self._known.add_written(outcome.index, outcome.status)
            try:
                self._begin().write(line)
            except OSError as error:
                raise cannot_write(self.lines, error) from error
        return not stays or before != "ok" or outcome.ok

    def _stays(self, before: str, outcome: Outcome) -> bool:
        """Return True if the existing line stays, because it is ok, or says the same as *outcome*, which was not sent in this run.

        Any other line gives way: the row was sent again after it was written, by a run that was killed before it wrote its own line.
        A check that was sent again was not in the journal: its old line may be of another run.
        """
        if outcome.kind == "check" and not outcome.restored:
            return False
        if before == "ok":
            return True
        code = 200 if outcome.error is None else outcome.error.code
        old = outcome.restored or not outcome.elapsed
        return old and self._known.says(outcome.index, outcome.status, code)

    async def keep(self, outcomes: Sequence[Outcome]) -> None:
        """As `Results.keep`."""
        users = [outcome for outcome in outcomes if isinstance(outcome.value, UserInfo)] if self._tokens else []
        for outcome in users:
            self.write(outcome)
        if users:
            self.flush()
            try:
                await asyncio.to_thread(os.fsync, self._begin().fileno())
            except OSError as error:
                raise cannot_write(self.lines, error) from error

    def flush(self) -> None:
        """As `Results.flush`."""
        if self._file is not None and self._begun:
            try:
                self._file.flush()
            except OSError as error:
                raise cannot_write(self.lines, error) from error

    def _begin(self) -> IO[bytes]:
        """Begin to write: remove the lines that do not stay."""
        assert self._file is not None
        if not self._begun:
            self._begun = True
            self._file.seek(self._whole)
            self._file.truncate()
        return self._file

    # ─────────────────────────────── after the run ───────────────────────────────

    def finish(self, *, complete: bool) -> None:
        """As `Results.finish`: sync, drop lines that a later line has replaced, and make CSV or Parquet if the run is *complete*."""
        if self._file is None:
            return
        try:
            if complete:
                self._begin()  # also for a run without rows
            file, self._file = self._file, None
            with file:
                file.flush()
                os.fsync(file.fileno())
            if self._known.doubled:
                drop_replaced(self.lines)
            self._convert(complete=complete)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def replace_with(self, files: Sequence[Path], *, complete: bool) -> None:
        """Add the lines of these *files*, one after the other; if the run is *complete*, make CSV or Parquet.

        A line that exists stays unless a file has a line of its row, and as in `_stays` also then if it is ok.

        Raises:
            JournalError: the output cannot be written.
        """
        try:
            self._begun = True
            file, self._file = self._file, None
            if file is not None:
                file.close()
            new = bytearray()  # 1 for each row whose line is in *files* and counts
            for _, index, kind in chain.from_iterable(map(lines_of, files)):
                if kind == "check" or self._known.status(index) != "ok":
                    if index >= len(new):
                        new.extend(bytes(max(index + 1 - len(new), len(new), 1024)))
                    new[index] = 1
            with replacing(self.lines, in_place=self._in_place and self.lines == self.path) as whole:
                if self._whole:
                    whole.writelines(line for line, index, _ in lines_of(self.lines) if not any(new[index : index + 1]))
                for part in files:
                    whole.writelines(line for line, index, _ in lines_of(part) if any(new[index : index + 1]))
            if self._known.doubled:
                drop_replaced(self.lines)
            self._convert(complete=complete)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def _convert(self, *, complete: bool) -> None:
        if complete and self._form != "jsonl":
            write_as(self._form, self.lines, self.path, in_place=self._in_place)
            self.lines.unlink()
