"""A run from file to file on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from authing_mfa.batch.api import engine_for
from authing_mfa.batch.files.input import count_rows, rows_of
from authing_mfa.batch.files.output import results_for
from authing_mfa.batch.journal.database import default_recovery_file
from authing_mfa.batch.models import InvalidRow, Outcome
from authing_mfa.batch.options import BatchOptions, Summary
from authing_mfa.client import AuthClient
from authing_mfa.errors import AuthingError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from authing_mfa.batch.files.output import PipeResults, ResultFile
    from authing_mfa.batch.models import Progress

__all__ = ["check_rows", "recovery_file_for", "run_here", "stopped_by_signals"]

_FLUSH_EVERY: Final = 0.5  # seconds


def check_rows(options: BatchOptions, on_invalid: Callable[[Outcome], Any] | None) -> Summary:
    """The dry run: every row is made, and every photo must be there."""
    summary = Summary(dry_run=True)
    for index, row in enumerate(rows_of(options)):
        error, key, kind = None, row.key, row.kind
        if isinstance(row, InvalidRow):
            error = row.error
        elif isinstance(row.image, Path) and not row.image.is_file():
            error = InvalidInputError(f"There is no picture {row.image}.")
        outcome = Outcome(index, key, None, error, 0.0, kind)
        summary.note(outcome)
        if error is not None and on_invalid is not None:
            on_invalid(outcome)
    return summary


async def run_here(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    on_progress: Callable[[Progress], Any] | None,
    on_invalid: Callable[[Outcome], Any] | None,
) -> Summary:
    """Do the run; see `authing_mfa.batch.run_file.run_file`."""
    summary = Summary()
    recovery = recovery_file_for(options)
    total = await asyncio.to_thread(count_rows, options.source, options.source_format)
    results = results_for(options.out, options.out_format, resume=options.resume, tokens=options.tokens)
    client = AuthClient(**{"max_connections": max(options.concurrency, 1), **client_options})
    async with client:
        recorded = attrs.evolve(options, recovery_file=recovery)
        engine = engine_for(client, rows_of(options), recorded, on_progress=on_progress, total=total)
        results.open()
        with stopped_by_signals(engine.stop) as interrupted:
            await _write_outcomes(engine.outcomes(), results, summary, on_invalid)
        summary.interrupted = interrupted.is_set()
    try:
        results.finish(complete=summary.stopped is None and not summary.interrupted)
    except AuthingError as error:
        summary.stopped = summary.stopped or error
    summary.recovery_file = recovery if recovery is not None and recovery.exists() else None
    summary.resumable = options.journal is not None and (summary.interrupted or summary.stopped is not None)
    return summary


async def _write_outcomes(
    outcomes: Any,
    results: ResultFile | PipeResults,
    summary: Summary,
    on_invalid: Callable[[Outcome], Any] | None,
) -> None:
    """Write the outcomes; what stops the run after the first of them is the summary's."""
    flush_at = 0.0
    async with aclosing(outcomes):
        try:
            async for outcome in outcomes:
                summary.note(outcome)
                results.write(outcome)
                if on_invalid is not None and isinstance(outcome.error, InvalidInputError):
                    on_invalid(outcome)
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
    journal = None if options.journal is None else os.fspath(options.journal)
    if journal is not None and ("://" not in journal or journal.startswith("sqlite")):
        return default_recovery_file(journal, options.run_name)
    return Path(
        f"{options.run_name}.recovery-codes.jsonl" if options.out == "-" else f"{options.out}.recovery-codes.jsonl"
    )
