"""A run from file to file on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from array import array
from contextlib import aclosing, contextmanager, suppress
from contextvars import copy_context
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from authing_mfa.batch.api import engine_for
from authing_mfa.batch.errors import (
    NEEDS_A_PERSON,
    CircuitOpenError,
    InputChangedError,
    JournalError,
    JournalLostError,
    RunTokenError,
)
from authing_mfa.batch.files.input import Input
from authing_mfa.batch.files.output import results_for
from authing_mfa.batch.files.text import ReadingStopped
from authing_mfa.batch.journal.database import default_recovery_file
from authing_mfa.batch.models import Finding, InvalidRow, Outcome
from authing_mfa.batch.options import BatchOptions, Summary
from authing_mfa.client import AuthClient
from authing_mfa.errors import AuthingError, InvalidInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping

    from authing_mfa.batch.files.input import Detected
    from authing_mfa.batch.files.output import Results
    from authing_mfa.batch.models import Progress

T = TypeVar("T")

__all__ = [
    "check_rows",
    "may_go_on",
    "read_on_thread",
    "recovery_file_for",
    "run_here",
    "said",
    "stopped_by_signals",
]

_FLUSH_EVERY: Final = 0.5  # seconds


async def read_on_thread(read: Callable[[threading.Event], T]) -> T:
    """Let *read* go through a file on a thread. It gets an event that is set when the caller is cancelled, and ends soon then.

    The thread is a daemon, not one of the event loop's: the end of a loop waits for its threads, and a read from a terminal or a
    pipe may never end.
    """
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(give: Callable[[Any], None], value: Any) -> None:
        if not answer.done():
            give(value)

    def work() -> None:
        give: Callable[[Any], None] = answer.set_result
        value: Any
        try:
            value = read(stop)
        except BaseException as error:  # noqa: BLE001 - any error is for the caller
            give, value = answer.set_exception, error
        with suppress(RuntimeError):  # the loop was closed meanwhile: no caller waits any more
            loop.call_soon_threadsafe(settle, give, value)

    threading.Thread(target=copy_context().run, args=(work,), name="batch input", daemon=True).start()
    try:
        return await answer
    finally:
        stop.set()


def check_rows(
    options: BatchOptions,
    on_invalid: Callable[[Outcome], Any] | None,
    on_detected: Callable[[Detected], Any] | None,
    stop: threading.Event,
) -> Summary:
    """Do the dry run: make every row, check that every photo exists, count repeated keys.

    Raises:
        ReadingStopped: *stop* was set before the end of the input.
    """
    summary = Summary(dry_run=True)
    source = Input(options, on_detected)
    source.look(stop)
    keys = [array("Q") for _ in range(256)]  # digests, divided so that only a part of them is compared at once
    for index, row in enumerate(source.rows()):
        if stop.is_set():
            raise ReadingStopped
        error, key, kind = None, row.key, row.kind
        if isinstance(row, InvalidRow):
            error = row.error
        elif isinstance(row.image, Path) and not row.image.is_file():
            error = InvalidInputError(f"There is no picture {row.image}.")
        if key is not None:
            digest = blake2b(key.encode(), digest_size=8).digest()
            keys[digest[0]].append(int.from_bytes(digest))
        outcome = Outcome(index, key, None, error, 0.0, kind)
        summary.note(outcome)
        if error is not None and on_invalid is not None:
            on_invalid(outcome)
    summary.total = summary.done
    repeated = sum(len(part) - len(set(part)) for part in keys)
    if repeated:
        source.findings.note("key", "is there more than once", "", count=repeated)
    _tell_input(summary, source)
    return summary


async def run_here(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    on_progress: Callable[[Progress], Any] | None,
    on_invalid: Callable[[Outcome], Any] | None,
    on_detected: Callable[[Detected], Any] | None = None,
) -> Summary:
    """Do the run; see `authing_mfa.batch.run_file.run_file`."""
    summary = Summary()
    recovery = recovery_file_for(options)
    source = Input(options, on_detected)
    results = results_for(options)
    await read_on_thread(source.look)
    summary.total = source.total
    await asyncio.to_thread(results.open)
    try:
        client = AuthClient(**{"max_connections": options.concurrency, **client_options})
        async with client:
            recorded = attrs.evolve(options, recovery_file=recovery)
            engine = engine_for(
                client, source.rows(), recorded, on_progress=on_progress, total=source.total, output=results
            )
            with stopped_by_signals(engine.stop, engine.abandon) as interrupted:
                await _write_outcomes(engine.outcomes(), results, summary, on_invalid)
            summary.interrupted = interrupted.is_set()
    except BaseException:
        with suppress(AuthingError):
            results.finish(complete=False) if summary.done else results.abandon()
        raise
    try:
        results.finish(complete=summary.stopped is None and not summary.interrupted)
    except AuthingError as error:
        summary.stopped = summary.stopped or error
    summary.recovery_file = recovery if recovery is not None and _has_codes(recovery) else None
    begun = engine.began or options.resumes
    summary.resumable = options.journal is not None and begun and may_go_on(summary)
    _tell_input(summary, source)
    return summary


def _tell_input(summary: Summary, source: Input) -> None:
    summary.findings = tuple[Finding, ...](source.findings.all())
    summary.detected = None if source.detected is None else str(source.detected)


def may_go_on(summary: Summary) -> bool:
    """Return True if the same command with --resume does the rest, after the problems in the summary are fixed."""
    if isinstance(summary.stopped, (InputChangedError, JournalLostError, UsageError)):
        return False
    return summary.interrupted or summary.stopped is not None


async def _write_outcomes(
    outcomes: AsyncGenerator[Outcome, None],
    results: Results,
    summary: Summary,
    on_invalid: Callable[[Outcome], Any] | None,
) -> None:
    """Write the outcomes. An error that stops the run after the first outcome goes into the summary."""
    flush_at, begun = 0.0, False
    async with aclosing(outcomes):
        try:
            async for outcome in outcomes:
                begun = begun or not outcome.restored
                if results.write(outcome):
                    summary.note(outcome)
                else:
                    summary.counts.note_kept()
                if on_invalid is not None and isinstance(outcome.error, InvalidInputError):
                    on_invalid(outcome)
                if (now := time.monotonic()) >= flush_at:
                    results.flush()
                    flush_at = now + _FLUSH_EVERY
        except BrokenPipeError:
            raise  # the reader of standard output closed it
        except Exception as error:
            stopped = said(error)
            if not begun and not summary.done and not _was_sent(stopped):
                raise
            summary.stopped = stopped


def _was_sent(stopped: AuthingError) -> bool:
    """Something was tried before the run was stopped, though no row has an outcome."""
    return isinstance(stopped, CircuitOpenError) or (
        isinstance(stopped, RunTokenError) and stopped.delivery != "not_sent"
    )


def said(error: Exception) -> AuthingError:
    """Return *error* as one of ours: an input that cannot be read further, a cluster that is gone."""
    if isinstance(error, AuthingError):
        return error
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
    ours = JournalError(f"The run cannot go on: {reason.rstrip('.')} ({type(error).__name__}).", code=NEEDS_A_PERSON)
    ours.__cause__ = error
    return ours


@contextmanager
def stopped_by_signals(stop: Callable[[], None], abandon: Callable[[], None]) -> Iterator[threading.Event]:
    """While inside, Ctrl-C, SIGTERM and SIGHUP call *stop* and set the event; Ctrl-C after one of them calls *abandon*.

    Only Ctrl-C does, for the others come twice without a person's wish: the end of a terminal sends SIGHUP by the shell and by the
    system, and a supervisor sends SIGTERM and SIGHUP.
    """
    interrupted = threading.Event()
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]

    def on_signal(number: int) -> None:
        if interrupted.is_set() and number == signal.SIGINT:
            abandon()
        interrupted.set()
        stop()

    installed = []
    if threading.current_thread() is threading.main_thread():
        for number in numbers:
            if signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup
            # Windows has no signal handlers of a loop; Ctrl-C is a KeyboardInterrupt there.
            with suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(number, on_signal, number)
                installed.append(number)
    try:
        yield interrupted
    finally:
        for number in installed:
            loop.remove_signal_handler(number)


def _has_codes(recovery: Path) -> bool:
    """Return True if the file holds codes, or is a pipe or a device. It is empty if every recovery code was refused."""
    return recovery.exists() and (not recovery.is_file() or recovery.stat().st_size > 0)


def recovery_file_for(options: BatchOptions) -> Path | None:
    """Return the file for new recovery codes of a run that names none."""
    if options.recovery_file is not None:
        return Path(options.recovery_file)
    journal = None if options.journal is None else os.fspath(options.journal)
    if journal is not None and ("://" not in journal or journal.startswith("sqlite")):
        return default_recovery_file(journal, options.run_name)
    beside = Path(options.out)
    if options.out == "-" or (beside.exists() and not beside.is_file()):
        return Path(f"{options.run_name}.recovery-codes.jsonl")
    return Path(f"{options.out}.recovery-codes.jsonl")
