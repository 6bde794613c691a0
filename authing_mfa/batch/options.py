"""The options of a run, as one frozen value that every part of the run gets; and the summary of a run.

A new option of a batch is one field here, and for the command one option in `cli/commands/batch.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import ascii_letters
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from authing_mfa._checks import LONGEST, flag, is_number, whole_number
from authing_mfa.batch.errors import NEEDS_A_PERSON, RunTokenError
from authing_mfa.batch.models import Counts, Finding, key_problem
from authing_mfa.errors import AuthingError, InvalidInputError

if TYPE_CHECKING:
    from collections import Counter

    from authing_mfa.batch.models import Outcome

__all__ = ["STOP_AFTER_FAILURES", "BatchOptions", "DatabaseURL", "RunOptions", "Summary", "hidden"]

STOP_AFTER_FAILURES: Final = 50
"""How many calls may fail one after the other before the run stops sending."""

MAX_OUTAGE: Final = 30.0
"""Seconds that the service or the journal's database may be unreachable before the run stops."""

_HIGHEST_RATE: Final = 1_000_000_000  # calls per second
_CONNECTIONS: Final = 65535  # the most that one machine can have to one address
_MOST_PROCESSES: Final = 1024
_MOST_ROWS: Final = 1_000_000  # of one partition, whose rows one process reads at once

_WORST: Final = (("failed", 7), ("unknown", 3), ("rejected", 1))


class DatabaseURL(str):
    """A database's URL. Its `repr` shows only its kind, because it may hold a password, however it is mistyped."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(f"{self[: len(self) - len(self.lstrip(ascii_letters))]}…")


def hidden(value: Any) -> Any:
    """Return *value*; if it is a URL, or a text that may be a mistyped one, with a `repr` that hides it."""
    return DatabaseURL(value) if isinstance(value, str) and re.search("[:@]", value) else value


def _rate(_: object, __: object, value: Any) -> None:
    if value is not None and (not is_number(value) or not 0 < value <= _HIGHEST_RATE):
        raise InvalidInputError(f"rate must be a number of calls per second above 0, at most {_HIGHEST_RATE}, or None.")


def _seconds(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not is_number(value) or not 0 <= value <= LONGEST:
        raise InvalidInputError(f"{field.name} must be a number of seconds from 0 to ten years.")


def _codes(codes: Iterable[int]) -> tuple[int, ...]:
    """Return *codes* as a tuple, whatever collection they come in."""
    found = tuple(codes) if isinstance(codes, Iterable) and not isinstance(codes, (str, bytes)) else None
    if found is None or not all(isinstance(code, int) and not isinstance(code, bool) for code in found):
        raise InvalidInputError("resend_rejected must be a collection of whole numbers: the codes of rejected rows.")
    return found


def _as_text(path: str | os.PathLike[str]) -> str:
    return os.fspath(path) if isinstance(path, os.PathLike) else path


def _can_name_a_file(value: object) -> bool:
    name: Any = os.fspath(value) if isinstance(value, os.PathLike) else value
    try:
        return isinstance(name, str) and name != "" and b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False


def _file(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if not _can_name_a_file(value):
        raise InvalidInputError(f"{field.name} must be a path, or - for a pipe.")


def _path(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not _can_name_a_file(value):
        raise InvalidInputError(f"{field.name} must be a path, or a database URL for the journal.")


def _name(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"{field.name} must be text and not empty.")
    if (problem := key_problem(value)) is not None:
        raise InvalidInputError(f"{field.name} {problem}.")


def _text_or_none(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidInputError(f"{field.name} must be text (str), not {type(value).__name__}.")


def _columns(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for pair in value.items() for name in pair):
        raise InvalidInputError(f'{field.name} must be a mapping of names to names, like {{"phone": "mobile"}}.')


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
        service_moved: when the run is resumed, accept another application id or address than before: it is the same service.
        stop_after_failures: after this number of consecutive failures nothing is sent until the service can be reached again;
            None: never.
        max_outage: seconds that the service or the journal's database may be unreachable before the run stops.
        recovery_file: the file for new recovery codes; by default a file beside the journal. Of a run on several
            processes (`BatchOptions`): a folder for such files, by default one beside the output.
    """

    concurrency: int = attrs.field(default=64, validator=whole_number(_CONNECTIONS))
    rate: float | None = attrs.field(default=None, validator=_rate)
    ordered: bool = attrs.field(default=False, validator=flag)
    journal: str | os.PathLike[str] | None = attrs.field(default=None, validator=_path, converter=hidden)
    run_name: str = attrs.field(default="run", validator=_name)
    resend_unknown: bool = attrs.field(default=False, validator=flag)
    resend_rejected: tuple[int, ...] = attrs.field(default=(), converter=_codes)
    service_moved: bool = attrs.field(default=False, validator=flag)
    stop_after_failures: int | None = attrs.field(default=STOP_AFTER_FAILURES, validator=whole_number(optional=True))
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

    source: str = attrs.field(converter=_as_text, validator=_file)
    out: str = attrs.field(default="-", converter=_as_text, validator=_file)
    source_format: str | None = attrs.field(default=None, validator=_text_or_none)
    encoding: str | None = attrs.field(default=None, validator=_text_or_none)
    delimiter: str | None = attrs.field(default=None, validator=_text_or_none)
    out_format: str | None = attrs.field(default=None, validator=_text_or_none)
    columns: Mapping[str, str] = attrs.field(factory=dict, validator=_columns)
    kind: str | None = attrs.field(default=None, validator=_text_or_none)
    resume: bool = attrs.field(default=False, validator=flag)
    start_or_resume: bool = attrs.field(default=False, validator=flag)
    overwrite: bool = attrs.field(default=False, validator=flag)
    dry_run: bool = attrs.field(default=False, validator=flag)
    tokens: bool = attrs.field(default=False, validator=flag)
    processes: int = attrs.field(default=1, validator=whole_number(_MOST_PROCESSES))
    dask: str | None = attrs.field(default=None, validator=_text_or_none)
    partition_rows: int = attrs.field(default=1000, validator=whole_number(_MOST_ROWS))

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
    dry_run: bool = attrs.field(default=False, validator=flag)
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
