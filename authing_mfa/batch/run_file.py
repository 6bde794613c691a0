"""A batch from file to file: all that the command `authing-mfa batch` does, but for its options and its progress bar.

The command makes `BatchOptions` from its options and the keywords of `AuthClient` from its settings, and calls::

    summary = asyncio.run(run_file(options, client_options, on_progress=bar.update))

Then it prints `summary` to stderr and exits with `summary.exit_code`:

==== ==================================================================
0    all rows were verified
1    the service said no to some
3    the fate of some is unknown
7    some failed for another reason, or the run was stopped before its end; the highest of these applies
130  it was interrupted (Ctrl-C or SIGTERM): what was sent was waited for and recorded
==== ==================================================================

An `InvalidInputError` (a wrong option, a missing column; a usage error, exit code 2), an `OSError` of the input or a
`JournalError` before the first row is raised; nothing was sent then. What stops a run later is in `summary.stopped`, and
`summary.resumable` says whether the same command with ``--resume`` goes on.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from authing_mfa.batch.api import STOP_AFTER_FAILURES, engine_for
from authing_mfa.batch.files.input import count_rows, read_rows
from authing_mfa.batch.files.output import results_for
from authing_mfa.batch.journal.database import default_recovery_file
from authing_mfa.batch.models import BrokenRow, Outcome
from authing_mfa.client import AuthClient
from authing_mfa.errors import AuthingError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authing_mfa.batch.files.output import PipeResults, ResultFile
    from authing_mfa.batch.models import Progress

__all__ = ["BatchOptions", "Summary", "run_file"]

_FLUSH_EVERY: Final = 0.5  # seconds
_WORST: Final = (("failed", 7), ("unknown", 3), ("rejected", 1))


@attrs.frozen(kw_only=True)
class BatchOptions:
    """What a run of files can be told.

    Attributes:
        source: the rows: a path, or ``-`` for standard input.
        out: the outcomes: a path, or ``-`` for standard output.
        source_format: ``csv``, ``jsonl`` or ``parquet``; by default what the name, or the first character of a pipe, says.
        out_format: the same for the outcomes; a pipe gets JSON lines unless it says ``csv``.
        columns: what the input calls our columns (`rows.COLUMNS`), e.g. ``{"phone": "mobile"}``.
        kind: the kind of rows that do not name one.
        journal: a path or a database URL; without one a run cannot be resumed.
        run_name: which of several runs in one database this is.
        concurrency: calls under way at most.
        rate: calls started per second at most; None: no limit.
        ordered: outcomes in the order of the rows.
        resume: go on with the journal and the output that are there. Without it a journal that is there is refused.
        resend_unknown: on resuming, send rows of unknown fate again.
        dry_run: look at all rows and send nothing.
        stop_after_failures: the circuit breaker; None: never.
        recovery_file: where new recovery codes are kept; by default beside the journal, else beside the output.
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
    journal: str | None = None
    run_name: str = "run"
    concurrency: int = 64
    rate: float | None = None
    ordered: bool = False
    resume: bool = False
    resend_unknown: bool = False
    dry_run: bool = False
    stop_after_failures: int | None = STOP_AFTER_FAILURES
    recovery_file: str | None = None
    tokens: bool = False
    dask: str | None = None
    partition_rows: int = 1000

    def rows(self) -> Iterator[Any]:
        """The rows of the input, and in the place of a line that is none a `BrokenRow`."""
        return read_rows(self.source, form=self.source_format, columns=self.columns, kind=self.kind)


@attrs.define
class Summary:
    """How a run ended.

    Attributes:
        done: rows with an outcome; `statuses` and `codes` count them.
        statuses: by ``ok``, ``rejected``, ``failed`` and ``unknown``.
        codes: by the service's code (200: verified).
        elapsed: seconds.
        interrupted: it was ended by Ctrl-C or SIGTERM.
        stopped: what ended it before its time.
        recovery_file: where new recovery codes were written, None when there were none.
        resumable: the same command with ``--resume`` goes on.
        dry_run: nothing was sent; ``ok`` counts the rows that could be.
    """

    statuses: Counter[str] = attrs.Factory(Counter)
    codes: Counter[int] = attrs.Factory(Counter)
    elapsed: float = 0.0
    interrupted: bool = False
    stopped: AuthingError | None = None
    recovery_file: Path | None = None
    resumable: bool = False
    dry_run: bool = False

    @property
    def done(self) -> int:
        """Rows with an outcome."""
        return self.statuses.total()

    @property
    def exit_code(self) -> int:
        """See the module's text."""
        if self.interrupted:
            return 130
        if self.stopped is not None:
            return 7
        return next((code for status, code in _WORST if self.statuses[status]), 0)

    def note(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.statuses[outcome.status] += 1
        self.codes[200 if outcome.error is None else outcome.error.code] += 1

    def as_json(self) -> dict[str, Any]:
        """One stable object, for ``--json``."""
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


async def run_file(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    *,
    on_progress: Callable[[Progress], Any] | None = None,
    on_broken: Callable[[Outcome], Any] | None = None,
) -> Summary:
    """Do a run of files.

    Args:
        options: what to do.
        client_options: the keywords of `AuthClient`, ``app_id`` among them.
        on_progress: called now and then, and at the end.
        on_broken: called with the outcome of each line that is no row.

    Raises:
        InvalidInputError: an option cannot be right, or the input has not the columns.
        JournalError: the journal or the output cannot be used; nothing was sent.
        OSError: the input cannot be read.
    """
    _check(options)
    began = time.monotonic()
    if options.dry_run:
        summary = await asyncio.to_thread(_look, options, on_broken)
    elif options.dask is not None:
        from authing_mfa.batch.dask.driver import run_on_dask

        summary = await run_on_dask(options, client_options, on_progress=on_progress, on_broken=on_broken)
    else:
        summary = await _run(options, client_options, on_progress, on_broken)
    summary.elapsed = time.monotonic() - began
    return summary


def _check(options: BatchOptions) -> None:
    if options.source != "-" and not Path(options.source).is_file():
        raise InvalidInputError(f"There is no file {options.source}.")
    if options.resume and options.journal is None:
        raise InvalidInputError("Only a run with a journal can be resumed: name it.")
    if options.resend_unknown and not options.resume:
        raise InvalidInputError("Sending unknown rows again is a matter of resuming a run.")
    if options.out != "-" and options.source != "-" and Path(options.out).resolve() == Path(options.source).resolve():
        raise InvalidInputError("The output would overwrite the input.")


def _look(options: BatchOptions, on_broken: Callable[[Outcome], Any] | None) -> Summary:
    """The dry run: every row is made, and every photo must be there."""
    summary = Summary(dry_run=True)
    for index, row in enumerate(options.rows()):
        error, key, kind = None, row.key, row.kind
        if isinstance(row, BrokenRow):
            error = row.error
        elif isinstance(row.image, Path) and not row.image.is_file():
            error = InvalidInputError(f"There is no picture {row.image}.")
        outcome = Outcome(index, key, None, error, 0.0, kind)
        summary.note(outcome)
        if error is not None and on_broken is not None:
            on_broken(outcome)
    return summary


async def _run(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    on_progress: Callable[[Progress], Any] | None,
    on_broken: Callable[[Outcome], Any] | None,
) -> Summary:
    summary = Summary()
    recovery = recovery_file_for(options)
    total = await asyncio.to_thread(count_rows, options.source, options.source_format)
    results = results_for(options.out, options.out_format, resume=options.resume, tokens=options.tokens)
    client = AuthClient(**{"max_connections": max(options.concurrency, 1), **client_options})
    async with client:
        engine = engine_for(
            client,
            options.rows(),
            concurrency=options.concurrency,
            rate=options.rate,
            ordered=options.ordered,
            journal=options.journal,
            on_progress=on_progress,
            resend_unknown=options.resend_unknown,
            stop_after_failures=options.stop_after_failures,
            recovery_file=recovery,
            run_name=options.run_name,
            total=total,
            only_new=not options.resume,
        )
        results.open()
        with stopped_by_signals(engine.stop) as interrupted:
            await _give(engine.outcomes(), results, summary, on_broken)
        summary.interrupted = interrupted.is_set()
    try:
        results.finish(complete=summary.stopped is None and not summary.interrupted)
    except AuthingError as error:
        summary.stopped = summary.stopped or error
    summary.recovery_file = recovery if recovery is not None and recovery.exists() else None
    summary.resumable = options.journal is not None and (summary.interrupted or summary.stopped is not None)
    return summary


async def _give(
    outcomes: Any,
    results: ResultFile | PipeResults,
    summary: Summary,
    on_broken: Callable[[Outcome], Any] | None,
) -> None:
    """Write the outcomes; what stops the run after the first of them is the summary's."""
    flush_at = 0.0
    async with aclosing(outcomes):
        try:
            async for outcome in outcomes:
                summary.note(outcome)
                results.write(outcome)
                if on_broken is not None and isinstance(outcome.error, InvalidInputError):
                    on_broken(outcome)
                if (now := time.monotonic()) >= flush_at:
                    results.flush()
                    flush_at = now + _FLUSH_EVERY
        except AuthingError as error:
            if not summary.done:
                abandon = getattr(results, "abandon", None)
                if abandon is not None:
                    abandon()
                raise
            summary.stopped = error


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """While inside, Ctrl-C and SIGTERM call *stop* and set the event; a second one does what it always does."""
    interrupted = threading.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    task = asyncio.current_task()

    def on_signal() -> None:
        if interrupted.is_set() and task is not None:
            task.cancel()  # again: do not wait for the answers
        interrupted.set()
        stop()

    installed = []
    if threading.current_thread() is threading.main_thread():
        for number in numbers:
            with suppress(NotImplementedError, RuntimeError):  # Windows' loops know no signals
                loop.add_signal_handler(number, on_signal)
                installed.append(number)
    try:
        yield interrupted
    finally:
        for number in installed:
            loop.remove_signal_handler(number)


def recovery_file_for(options: BatchOptions) -> Path | None:
    """Where a run without another word keeps new recovery codes; never nowhere."""
    if options.recovery_file is not None:
        return Path(options.recovery_file)
    if options.journal is not None and ("://" not in options.journal or options.journal.startswith("sqlite")):
        return default_recovery_file(options.journal, options.run_name)
    return Path(
        f"{options.run_name}.recovery-codes.jsonl" if options.out == "-" else f"{options.out}.recovery-codes.jsonl"
    )
