"""The options of a run, as one frozen value that every part of the run gets; and the summary of a run.

A new option of a batch is one field here, and for the command one option in `cli/commands/batch.py`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from authing_mfa.batch.errors import NEEDS_A_PERSON, RunTokenError
from authing_mfa.batch.models import Counts, Finding
from authing_mfa.errors import AuthingError, InvalidInputError

if TYPE_CHECKING:
    from collections import Counter

    from authing_mfa.batch.models import Outcome

__all__ = ["STOP_AFTER_FAILURES", "BatchOptions", "DatabaseURL", "RunOptions", "Summary"]

STOP_AFTER_FAILURES: Final = 50
"""How many calls may fail one after the other before the run stops sending."""

MAX_OUTAGE: Final = 30.0
"""Seconds that the service or the journal's database may be unreachable before the run stops."""

_WORST: Final = (("failed", 7), ("unknown", 3), ("rejected", 1))


class DatabaseURL(str):
    """A database's URL. Its `repr` shows only its kind, because it may hold a password."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(f"{self.partition('://')[0]}://…")


def _journal(value: Any) -> Any:
    return DatabaseURL(value) if isinstance(value, str) and "://" in value else value


def _whole_number(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInputError(f"{field.name} must be a whole number from 1.")


def _whole_number_or_none(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidInputError(f"{field.name} must be a whole number from 1, or None.")


def _seconds(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise InvalidInputError(f"{field.name} must be a number of seconds from 0.")


def _codes(codes: Iterable[int]) -> tuple[int, ...]:
    return tuple(codes)


def _path(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if value is not None and (not isinstance(value, (str, os.PathLike)) or not os.fspath(value)):
        raise InvalidInputError(f"{field.name} must be a path, or a database URL for the journal.")


def _name(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"{field.name} must be text and not empty.")


@attrs.frozen(kw_only=True)
class RunOptions:
    """The options of every run, wherever its rows come from: the keywords of `verify_many`.

    Attributes:
        concurrency: the maximum number of calls in flight.
        rate: the maximum number of calls that start within any second; None: no limit.
        ordered: yield outcomes in the order of the rows.
        journal: a path or a database URL; without a journal a run cannot be resumed.
        run_name: the name of this run, for several runs in one database.
        resend_unknown: when the run is resumed, send the rows with status ``unknown`` again.
        resend_rejected: when the run is resumed, send rows again that were rejected with one of these codes.
        stop_after_failures: after this number of consecutive failures nothing is sent until the service can be reached again;
            None: never.
        max_outage: seconds that the service or the journal's database may be unreachable before the run stops.
        recovery_file: the file for new recovery codes; by default a file beside the journal. Of a run on several
            processes (`BatchOptions`): a folder for such files, by default one beside the output.
    """

    concurrency: int = attrs.field(default=64, validator=_whole_number)
    rate: float | None = None
    ordered: bool = False
    journal: str | os.PathLike[str] | None = attrs.field(default=None, validator=_path, converter=_journal)
    run_name: str = attrs.field(default="run", validator=_name)
    resend_unknown: bool = False
    resend_rejected: tuple[int, ...] = attrs.field(default=(), converter=_codes)
    stop_after_failures: int | None = attrs.field(default=STOP_AFTER_FAILURES, validator=_whole_number_or_none)
    max_outage: float = attrs.field(default=MAX_OUTAGE, validator=_seconds)
    recovery_file: str | os.PathLike[str] | None = attrs.field(default=None, validator=_path)

    @property
    def beginning(self) -> Literal["new", "known", "either"]:
        """Whether the journal must not, must, or may know this run already."""
        return "either"


@attrs.frozen(kw_only=True)
class BatchOptions(RunOptions):
    """The options of a run from file to file, and the options of every run.

    Attributes:
        source: the input: a path, or ``-`` for standard input.
        out: the output: a path, or ``-`` for standard output.
        source_format: ``csv``, ``jsonl``, ``parquet`` or ``xlsx``; by default the file's name decides, or
            a pipe's first bytes.
        encoding: the encoding of a text input; by default it is detected from the bytes.
        delimiter: the character between the cells of a CSV input; by default it is detected from the header.
        out_format: the format of the output; by default the file's name decides, and a pipe gets JSON lines.
        columns: the input's names of the columns `models.COLUMNS`, e.g. ``{"phone": "mobile"}``.
        kind: the kind of rows without a kind.
        resume: continue with the journal and the output that exist. The journal must hold this run.
        start_or_resume: the same, but start a new run if there is no journal: for a command that a scheduler starts again.
        overwrite: True if the output of an earlier run may be replaced.
        dry_run: check all rows and send nothing.
        tokens: write the tokens of verified users to the output.
        processes: the number of processes on this machine. More than one need a journal and a file as output.
        dask: the address of a Dask scheduler, or ``local:N`` for N processes here. Needs a journal and a file as output.
        partition_rows: the number of rows in one partition for a process or for Dask.
    """

    source: str
    out: str = "-"
    source_format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    out_format: str | None = None
    columns: Mapping[str, str] = attrs.Factory(dict)
    kind: str | None = None
    resume: bool = False
    start_or_resume: bool = False
    overwrite: bool = False
    dry_run: bool = False
    tokens: bool = False
    processes: int = attrs.field(default=1, validator=_whole_number)
    dask: str | None = None
    partition_rows: int = attrs.field(default=1000, validator=_whole_number)

    @property
    def resumes(self) -> bool:
        """True if the journal and the output that exist are continued."""
        return self.resume or self.start_or_resume

    @property
    def beginning(self) -> Literal["new", "known", "either"]:
        """Whether the journal must not, must, or may know this run already."""
        return "either" if self.start_or_resume else "known" if self.resume else "new"


@attrs.define
class Summary:
    """The result of a run.

    Attributes:
        counts: rows with an outcome, by status and by code.
        elapsed: the seconds that the run took.
        interrupted: True if Ctrl-C, SIGTERM or SIGHUP ended the run.
        stopped: the error that ended the run early.
        recovery_file: the file with new recovery codes; None if there are none.
        resumable: True if the same command with ``--resume`` continues this run.
        dry_run: True if nothing was sent; ``ok`` then counts the valid rows.
        total: rows of the input, None if unknown.
        findings: certain and possible mistakes in the columns of the input.
        detected: the detected form of the input, e.g. "csv, gb18030, delimiter ;".
    """

    counts: Counts = attrs.Factory(Counts)
    elapsed: float = 0.0
    interrupted: bool = False
    stopped: AuthingError | None = None
    recovery_file: Path | None = None
    resumable: bool = False
    dry_run: bool = False
    total: int | None = None
    findings: tuple[Finding, ...] = ()
    detected: str | None = None

    @property
    def statuses(self) -> Counter[str]:
        """Rows by ``ok``, ``rejected``, ``failed`` and ``unknown``."""
        return self.counts.statuses

    @property
    def codes(self) -> Counter[int]:
        """Rows by the service's code (200: verified)."""
        return self.counts.codes

    @property
    def done(self) -> int:
        """Rows with an outcome."""
        return self.counts.done

    @property
    def exit_code(self) -> int:
        """The exit code of the command; see `authing_mfa.batch.run_file`."""
        if self.interrupted:
            return 130
        if isinstance(self.stopped, RunTokenError):
            return 4
        if self.stopped is not None:
            return 75 if self.resumable and self.stopped.code != NEEDS_A_PERSON else 7
        return next((code for status, code in _WORST if self.statuses[status]), 0)

    def note(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.counts.note(outcome)

    def as_json(self) -> dict[str, Any]:
        """Return one stable object, for ``--json``."""
        return {
            "done": self.done,
            **{status: self.statuses[status] for status in ("ok", "rejected", "failed", "unknown")},
            "codes": {str(code): count for code, count in sorted(self.codes.items())},
            "elapsed": round(self.elapsed, 3),
            "interrupted": self.interrupted,
            "stopped": None if self.stopped is None else str(self.stopped),
            "recovery_file": None if self.recovery_file is None else str(self.recovery_file),
            "resumable": self.resumable,
            "dry_run": self.dry_run,
            "total": self.total,
            "input": self.detected,
            "findings": [attrs.asdict(finding) for finding in self.findings],
        }
