"""The output of outcomes, and the simplest one: standard output, a pipe or a device."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

from authing_mfa.batch.errors import JournalError
from authing_mfa.batch.files.formats import FIELDS, csv_line, record_of
from authing_mfa.batch.journal.serialization import json_line
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from authing_mfa.batch.models import Outcome

__all__ = ["PipeResults", "Results", "cannot_write"]

_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)  # Windows has neither
_NOCTTY: Final = getattr(os, "O_NOCTTY", 0)


class Results(ABC):
    """The output of outcomes."""

    @abstractmethod
    def open(self) -> None:
        """Make sure that outcomes can be written, before anything is sent.

        Raises:
            InvalidInputError: the path holds something else.
            JournalError: the output cannot be written.
        """

    @abstractmethod
    def write(self, outcome: Outcome) -> bool:
        """Write one outcome. Return False if an earlier run has written that the row is ok: that line stays.

        Raises:
            JournalError: the outcome cannot be written.
        """

    @abstractmethod
    async def keep(self, outcomes: Sequence[Outcome]) -> None:
        """Write and sync the tokens among *outcomes*, which the journal will not hold; called before it records them."""

    @abstractmethod
    def spent(self) -> Iterator[int]:
        """Return the positions of the rows that have an outcome here, which the journal must therefore know."""

    @abstractmethod
    def line(self, index: int) -> tuple[str, int] | None:
        """Return status and code of the line that an earlier run has written of a row; None if there is none."""

    @abstractmethod
    def flush(self) -> None:
        """Hand buffered outcomes to the system."""

    @abstractmethod
    def finish(self, *, complete: bool) -> None:
        """End a run that began.

        Raises:
            JournalError: the results cannot be written.
        """

    @abstractmethod
    def abandon(self) -> None:
        """End a run that did not begin: leave the output unchanged."""


class PipeResults(Results):
    """Writes outcomes to standard output, a pipe or a device when they come."""

    def __init__(self, path: Path | None, form: str, *, tokens: bool) -> None:
        self._path = path
        self._file: IO[bytes] | None = None  # until `open`
        self._csv = form == "csv"
        self._tokens = tokens
        self._begun = False

    def open(self) -> None:
        """As `Results.open`: a named pipe must have a reader, and standard output must not be closed."""
        if self._path is None:
            if sys.stdout is None:
                raise InvalidInputError("Standard output is closed: name a file for the outcomes.")
            self._file = sys.stdout.buffer
            return
        try:
            handle = os.open(self._path, os.O_WRONLY | _NONBLOCK | _NOCTTY)
            if _NONBLOCK:
                os.set_blocking(handle, True)
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._file = os.fdopen(handle, "wb")

    def write(self, outcome: Outcome) -> bool:
        """As `Results.write`."""
        record = record_of(outcome, tokens=self._tokens)
        self._put(csv_line(record) if self._csv else json_line(record))
        return True

    async def keep(self, outcomes: Sequence[Outcome]) -> None:
        """As `Results.keep`: a token that was written to a pipe cannot be kept."""

    def spent(self) -> Iterator[int]:
        """As `Results.spent`: a pipe holds nothing of an earlier run."""
        return iter(())

    def line(self, index: int) -> None:
        """As `Results.line`: a pipe holds nothing of an earlier run."""

    def flush(self) -> None:
        """As `Results.flush`."""
        self._put(b"", flush=True)

    def finish(self, *, complete: bool) -> None:
        """As `Results.finish`; written outcomes cannot be changed any more."""
        del complete
        try:
            self._put(b"", flush=True)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """As `Results.abandon`."""
        if self._path is not None and self._file is not None:
            with suppress(OSError):  # the failed flush was reported
                self._file.close()

    def _put(self, line: bytes, *, flush: bool = False) -> None:
        """Write *line*, after the names of a CSV file's columns."""
        assert self._file is not None
        try:
            if self._csv and not self._begun:
                self._begun = True
                self._file.write(csv_line(dict.fromkeys(FIELDS), header=True))
            self._file.write(line)
            if flush:
                self._file.flush()
        except OSError as error:
            if self._path is None and isinstance(error, BrokenPipeError):
                raise  # its reader went away, as `head` does: the command line ends quietly
            raise cannot_write(self._path or "standard output", error) from error


def cannot_write(path: Path | str, error: OSError) -> JournalError:
    """Return the error that says why nothing can be written to *path*."""
    return JournalError(f"The results cannot be written to {path}: {error.strerror or type(error).__name__}.")
