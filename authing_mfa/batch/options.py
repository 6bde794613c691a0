"""What a run can be told, as one frozen value that is handed whole to everything that does a part of the run; and how it ended.

A new option of a batch is one field here, and where the command has it too one option in `cli/commands/batch.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from authing_mfa.batch.models import Counts
from authing_mfa.errors import AuthingError, InvalidInputError

if TYPE_CHECKING:
    from collections import Counter

    from authing_mfa.batch.models import Outcome

__all__ = ["STOP_AFTER_FAILURES", "BatchOptions", "RunOptions", "Summary"]

STOP_AFTER_FAILURES: Final = 50
"""How many calls may fail one after the other before the service is taken for dead."""

_WORST: Final = (("failed", 7), ("unknown", 3), ("rejected", 1))


def _whole_number(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInputError(f"{field.name} must be a whole number from 1.")


def _whole_number_or_none(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidInputError(f"{field.name} must be a whole number from 1, or None.")


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
        concurrency: calls in flight at most.
        rate: calls started per second at most; None: no limit.
        ordered: give outcomes in the order of the rows.
        journal: a path or a database URL; without a journal a run cannot be resumed.
        run_name: the name of this run, for several runs in one database.
        resend_unknown: on resuming, send rows of unknown fate again.
        stop_after_failures: stop when so many calls fail one after the other; None: never.
        recovery_file: the file for new recovery codes; by default a file beside the journal.
    """

    concurrency: int = attrs.field(default=64, validator=_whole_number)
    rate: float | None = None
    ordered: bool = False
    journal: str | os.PathLike[str] | None = attrs.field(default=None, validator=_path)
    run_name: str = attrs.field(default="run", validator=_name)
    resend_unknown: bool = False
    stop_after_failures: int | None = attrs.field(default=STOP_AFTER_FAILURES, validator=_whole_number_or_none)
    recovery_file: str | os.PathLike[str] | None = attrs.field(default=None, validator=_path)

    @property
    def only_new(self) -> bool:
        """True if a journal that knows this run is refused."""
        return False


@attrs.frozen(kw_only=True)
class BatchOptions(RunOptions):
    """The options of a run from file to file, beside those of every run.

    Attributes:
        source: the input: a path, or ``-`` for standard input.
        out: the output: a path, or ``-`` for standard output.
        source_format: ``csv``, ``jsonl`` or ``parquet``; by default the format of the name, or of a pipe's first bytes.
        out_format: the same for the output; a pipe gets JSON lines unless this says ``csv``.
        columns: the input's names of our columns (`models.COLUMNS`), e.g. ``{"phone": "mobile"}``.
        kind: the kind of rows that name no kind.
        resume: continue with the journal and the output that exist. Without it an existing journal is refused.
        dry_run: check all rows and send nothing.
        tokens: write the tokens of verified users to the output.
        dask: the address of a Dask scheduler, or ``local:N`` for N processes here. Needs a journal and a file as output.
        partition_rows: rows of one Dask task.
    """

    source: str
    out: str = "-"
    source_format: str | None = None
    out_format: str | None = None
    columns: Mapping[str, str] = attrs.Factory(dict)
    kind: str | None = None
    resume: bool = False
    dry_run: bool = False
    tokens: bool = False
    dask: str | None = None
    partition_rows: int = attrs.field(default=1000, validator=_whole_number)

    @property
    def only_new(self) -> bool:
        """True if a journal that knows this run is refused."""
        return not self.resume


@attrs.define
class Summary:
    """How a run ended.

    Attributes:
        counts: rows with an outcome, by status and by code.
        elapsed: seconds.
        interrupted: Ctrl-C or SIGTERM ended the run.
        stopped: the error that ended the run before its end.
        recovery_file: the file with new recovery codes, None when there are none.
        resumable: the same command with ``--resume`` continues this run.
        dry_run: nothing was sent; ``ok`` counts the rows that could be sent.
    """

    counts: Counts = attrs.Factory(Counts)
    elapsed: float = 0.0
    interrupted: bool = False
    stopped: AuthingError | None = None
    recovery_file: Path | None = None
    resumable: bool = False
    dry_run: bool = False

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
        if self.stopped is not None:
            return 7
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
        }
