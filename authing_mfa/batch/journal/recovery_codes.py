"""Write new recovery codes to disk before their outcome is given: one line of JSON each, appended and synced, in a file of mode 0600."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.batch.errors import JournalError
from authing_mfa.models import UserInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authing_mfa.batch.models import Outcome

__all__ = ["RecoveryFile"]

_BINARY: Final = getattr(os, "O_BINARY", 0)  # Windows would write each line end as two bytes


class RecoveryFile:
    """The file for recovery codes of one run, or of one partition of it. The file is made when there is something to write.

    Several runs, and several owners of a partition one after the other, may share a file: lines are only added. The run's name does not
    tell them apart, because most runs have the same one. So a line holds the row's fingerprint, which is keyed with the journal's salt.
    """

    def __init__(self, path: str | os.PathLike[str], run: str) -> None:
        self.path: Path = Path(path)
        self._run = run
        self._file: int | None = None
        self._torn = False  # the file ends with a part of a line: it stays a separate line

    async def recorded(self) -> dict[tuple[int, str], dict[str, Any]]:
        """Return the lines of this run by the position and the fingerprint of their row; empty if there is no file yet.

        Raises:
            JournalError: the file exists and cannot be read.
        """
        return await asyncio.to_thread(self._read)

    async def open(self) -> None:
        """Make sure that the file can be written, before a recovery code is spent.

        Raises:
            JournalError: the file cannot be written.
        """
        if self._file is None:
            await asyncio.to_thread(self._open)

    async def write(self, outcomes: Sequence[Outcome], digests: Mapping[int, str]) -> None:
        """Write and sync the new codes among *outcomes*.

        Args:
            outcomes: may hold new codes.
            digests: the fingerprints of rows by position; none in a run without a journal.

        Raises:
            JournalError: the codes could not be written. The outcomes still hold them.
        """
        lines = "".join(self._line(outcome, digests.get(outcome.index)) for outcome in outcomes if _has_code(outcome))
        if lines:
            await self.open()
            await asyncio.to_thread(self._append, lines.encode())

    def close(self) -> None:
        """Close the file. Calling it again has no effect."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _line(self, outcome: Outcome, digest: str | None) -> str:
        user: UserInfo = outcome.value
        kept = {
            "run": self._run,
            "index": outcome.index,
            "key": outcome.key,
            "row": digest,
            "user": user.id,
            "recovery_code": user.recovery_code,
        }
        return json.dumps(kept, ensure_ascii=False) + "\n"

    def _open(self) -> None:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY, 0o600)
            if hasattr(os, "fchmod") and stat.S_ISREG(os.fstat(file).st_mode):
                os.fchmod(file, 0o600)  # a file that was there may be open to others
            if os.fstat(file).st_size:
                os.lseek(file, -1, os.SEEK_END)
                self._torn = os.read(file, 1) != b"\n"
            os.fsync(file)
        except OSError as error:
            raise JournalError(f"The file for new recovery codes cannot be written: {_said(error)}") from error
        self._file = file

    def _append(self, lines: bytes) -> None:
        assert self._file is not None
        if self._torn:
            lines = b"\n" + lines
        try:
            while lines:
                written = os.write(self._file, lines)
                self._torn = lines[written - 1 : written] != b"\n"
                lines = lines[written:]
            os.fsync(self._file)
        except OSError as error:
            raise JournalError(
                f"New recovery codes could not be written to their file: {_said(error)} "
                "They are in the outcomes of this run: keep those."
            ) from error

    def _read(self) -> dict[tuple[int, str], dict[str, Any]]:
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise JournalError(f"The file of new recovery codes cannot be read: {_said(error)}") from error
        known: dict[tuple[int, str], dict[str, Any]] = {}
        for line in lines:
            try:
                kept = json.loads(line)
                if kept["run"] == self._run and isinstance(kept["row"], str):
                    known[int(kept["index"]), kept["row"]] = {"id": kept["user"], "code": kept["recovery_code"]}
            except (ValueError, KeyError, TypeError):
                continue  # the line that was being written when the machine stopped
        return known


def _has_code(outcome: Outcome) -> bool:
    return isinstance(outcome.value, UserInfo) and outcome.value.recovery_code is not None


def _said(error: OSError) -> str:
    return f"{error.strerror or type(error).__name__}."
