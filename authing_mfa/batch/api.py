"""`verify_many`: the run as an async iterator."""

from __future__ import annotations

import time
from collections.abc import Callable, Sized
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from authing_mfa._plain_function import is_plain_function
from authing_mfa.batch.journal.claims import LEASE
from authing_mfa.batch.journal.records import Span
from authing_mfa.batch.options import MAX_OUTAGE, STOP_AFTER_FAILURES, RunOptions, hidden
from authing_mfa.batch.run.engine import Engine
from authing_mfa.batch.run.perform import RowPerformer
from authing_mfa.batch.run.progress import ProgressCounter
from authing_mfa.batch.run.rate_limit import Limiter, RateLimiter
from authing_mfa.batch.run.source import open_source
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Collection, Iterable, Iterator, Sequence
    from os import PathLike

    from authing_mfa.batch.journal.journal import Journal
    from authing_mfa.batch.journal.writer import JournalWriter
    from authing_mfa.batch.models import InvalidRow, Outcome, Progress, VerifyRequest
    from authing_mfa.client import AuthClient
    from authing_mfa.discovery import Service

__all__ = ["Assignment", "Output", "engine_for", "verify_many"]


def verify_many(  # noqa: PLR0913 - each is a documented setting, all but two by name
    client: AuthClient,
    requests: Iterable[VerifyRequest] | AsyncIterable[VerifyRequest],
    *,
    concurrency: int = 64,
    rate: float | None = None,
    ordered: bool = False,
    journal: str | PathLike[str] | None = None,
    on_progress: Callable[[Progress], Any] | None = None,
    resend_unknown: bool = False,
    resend_rejected: Collection[int] = (),
    service_moved: bool = False,
    stop_after_failures: int | None = STOP_AFTER_FAILURES,
    max_outage: float = MAX_OUTAGE,
    recovery_file: str | PathLike[str] | None = None,
    run_name: str = "run",
) -> AsyncGenerator[Outcome, None]:
    """Perform all *requests* and yield an outcome for each.

    ::

        async for outcome in verify_many(client, rows, concurrency=256, rate=500, journal="run.db"):
            print(outcome.key, outcome.status)

    The error of a row is in its outcome and is not raised. Rows are read no faster than they are processed; a synchronous
    iterable is read in another thread (a list or tuple is not). If the loop is left early or cancelled, no further row is sent,
    and the calls that were sent are finished and recorded. To wait for this, wrap the generator in `contextlib.aclosing`.

    Args:
        client: sends each row with the row's token, or with the client's token if the row has none.
        requests: the rows.
        concurrency: the maximum number of calls in flight; at most the client's `max_connections`.
        rate: the maximum number of calls that start within any second; None: no limit.
        ordered: yield outcomes in the order of the rows; at most 2 x *concurrency* outcomes wait for their turn.
        journal: a file or a database URL, in which each row is recorded before it is sent. If the journal exists, the run is
            resumed: a row that was sent is not sent again, and its outcome is yielded again.
        on_progress: a function that is called regularly, and at the end, with the progress of the run.
        resend_unknown: when the run is resumed, send the rows with status ``unknown`` again.
        resend_rejected: when the run is resumed, send rows again that were rejected with one of these codes.
        service_moved: when the run is resumed, accept that the client's application id or address is another one than before: it is the
            same service.
        stop_after_failures: after this number of consecutive failures of the service or the network, nothing is sent until the
            service can be reached again; None: never.
        max_outage: seconds that the service or the journal's database may be unreachable before the run stops.
        recovery_file: the file to which new recovery codes are written before they are yielded; by default a file beside the
            journal. With neither, a loop that is left early loses the new codes of the calls that were sent.
        run_name: the name of this run, for several runs in one database.

    Returns:
        An asynchronous generator of outcomes.

    Raises:
        InvalidInputError: an argument is not valid. The other errors are raised during the iteration.
        JournalError: the journal cannot be used, or is that of another application or service; every row that was sent is in it.
        InputChangedError: the rows are not the rows of the journal.
        CircuitOpenError: the service does not answer any more; the remaining rows are not sent.
        RunTokenError: the client's token was refused, or the client has none; the rows that need it are not sent.
        UsageError: the client is closed, or belongs to another event loop.
    """
    journal = hidden(journal)  # this frame may be shown with its variables
    options = RunOptions(
        concurrency=concurrency,
        rate=rate,
        ordered=ordered,
        journal=journal,
        resend_unknown=resend_unknown,
        resend_rejected=resend_rejected,
        service_moved=service_moved,
        stop_after_failures=stop_after_failures,
        max_outage=max_outage,
        recovery_file=recovery_file,
        run_name=run_name,
    )
    return engine_for(client, requests, options, on_progress=on_progress).outcomes()


@attrs.frozen(kw_only=True)
class Assignment:
    """A part of a run that a cluster has given to this process.

    Attributes:
        span: the rows.
        limiter: this process's share of the run's rate.
        on_claim: called with the claim's epoch when the claim is held.
        epoch: the epoch of the claim before this run. The owner before this one, in the same run, has raised it.
    """

    span: Span
    limiter: Limiter
    on_claim: Callable[[int], Any]
    epoch: int = 0


class Output(Protocol):
    """The methods of an output that the journal calls."""

    async def keep(self, outcomes: Sequence[Outcome]) -> None:
        """Write what the journal will not hold, before it records these outcomes."""

    def spent(self) -> Iterator[int]:
        """Return the positions of rows that the journal must know."""
        ...

    def line(self, index: int) -> tuple[str, int] | None:
        """Return status and code of the line that an earlier run has written of this row; None if there is none."""
        ...


def engine_for(
    client: AuthClient,
    requests: Iterable[VerifyRequest | InvalidRow] | AsyncIterable[VerifyRequest | InvalidRow],
    options: RunOptions,
    *,
    on_progress: Callable[[Progress], Any] | None = None,
    total: int | None = None,
    assignment: Assignment | None = None,
    lease: float = LEASE,
    output: Output | None = None,
) -> Engine:
    """Return the engine that `verify_many` runs, for callers that stop it and still want its outcomes."""
    if on_progress is not None and not is_plain_function(on_progress):
        raise InvalidInputError("on_progress must be a plain function; it is called with a Progress and never awaited.")
    workers = min(options.concurrency, client.max_connections)
    options = attrs.evolve(options, concurrency=workers)
    if total is None and isinstance(requests, Sized):
        total = len(requests)

    async def open_writer() -> JournalWriter:
        service = (
            getattr(client, "_service", None) if assignment is None else None
        )  # else it is checked for the whole run
        return await _writer_for(options, assignment, lease, output, service)

    recorded = options.journal is not None or options.recovery_file is not None
    limiter = RateLimiter(options.rate, clock=time.perf_counter) if assignment is None else assignment.limiter
    return Engine(
        RowPerformer(client),
        open_source(requests, max(1, workers // 2)),
        options,
        limiter=limiter,
        open_writer=open_writer if recorded else None,
        progress=None if on_progress is None else ProgressCounter(on_progress, total, time.monotonic),
        first=0 if assignment is None else assignment.span.first,
    )


async def _writer_for(
    options: RunOptions,
    assignment: Assignment | None,
    lease: float,
    output: Output | None,
    service: Service | None,
) -> JournalWriter:
    """Open the journal of the run."""
    # Imported late: a run without a journal does not need these modules.
    from authing_mfa.batch.journal.database import default_recovery_file
    from authing_mfa.batch.journal.earlier_run import EarlierRun
    from authing_mfa.batch.journal.journal import Journal
    from authing_mfa.batch.journal.recovery_codes import RecoveryFile
    from authing_mfa.batch.journal.writer import JournalWriter

    recovery_file, journal = options.recovery_file, None
    if options.journal is not None:
        if recovery_file is None:
            recovery_file = default_recovery_file(options.journal, options.run_name)
        span = None if assignment is None else assignment.span
        steal = assignment is not None  # the cluster has given the rows to this process
        beginning = "either" if assignment is not None else options.beginning
        journal = await Journal.open(
            options.journal,
            run=options.run_name,
            span=span,
            steal=steal,
            lease=lease,
            beginning=beginning,
            service=service,
            moved=options.service_moved,
        )
        if output is not None:
            await _check_knows(journal, output)
        if assignment is not None:
            assignment.on_claim(journal.epoch)
    assert recovery_file is not None
    return JournalWriter(
        journal,
        RecoveryFile(recovery_file, options.run_name),
        options,
        earlier=EarlierRun(
            journal,
            epoch=None if assignment is None else assignment.epoch,
            line=None if output is None else output.line,
        ),
        keep=None if output is None else output.keep,
    )


async def _check_knows(journal: Journal, output: Output) -> None:
    """Check that the journal belongs to the output and is complete."""
    try:
        await journal.check_knows(output.spent())
    except BaseException:
        await journal.close()
        raise
