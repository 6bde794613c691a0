"""`verify_many`: the run as an async iterator."""

from __future__ import annotations

import os
import time
from collections.abc import Sized
from typing import TYPE_CHECKING, Any

from authing_mfa.batch.journal.claims import LEASE
from authing_mfa.batch.run.engine import Engine
from authing_mfa.batch.run.perform import Caller
from authing_mfa.batch.run.progress import Tally
from authing_mfa.batch.run.rate_limit import Breaker, Pace
from authing_mfa.batch.run.source import open_source
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
    from os import PathLike

    from authing_mfa.batch.journal.journal import Span
    from authing_mfa.batch.journal.writer import Recorder
    from authing_mfa.batch.models import BrokenRow, Outcome, Progress, VerifyRequest
    from authing_mfa.batch.run.rate_limit import Pacing
    from authing_mfa.client import AuthClient

__all__ = ["STOP_AFTER_FAILURES", "engine_for", "verify_many"]

STOP_AFTER_FAILURES = 50
"""How many calls may fail one after the other before the service is taken for dead."""


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
    stop_after_failures: int | None = STOP_AFTER_FAILURES,
    recovery_file: str | PathLike[str] | None = None,
    run_name: str = "run",
) -> AsyncGenerator[Outcome, None]:
    """Perform all *requests* and give an outcome for each.

    ::

        async for outcome in verify_many(client, rows, concurrency=256, rate=500, journal="run.db"):
            print(outcome.key, outcome.status)

    A row never raises: its error is in its outcome. Rows are pulled no faster than they are worked; a sync iterable is read
    in a thread of its own (a list or tuple is not). Leaving the loop early or being cancelled stops the run: what was sent
    is waited for and recorded, the rest is not started. To be there when that is done, leave through
    `contextlib.aclosing`.

    Args:
        client: speaks for each row's token, or with its own where a row has none.
        requests: the rows.
        concurrency: how many calls are under way at most; no more than the client has connections for.
        rate: calls started per second at most; never more than that in any second.
        ordered: give outcomes in the order of the rows, at most 2 x concurrency of them being held back.
        journal: a file or a database URL, where each row is noted before it is sent. If it is there already, the run is
            resumed: a row once sent is never sent again, its outcome is given again.
        on_progress: called now and then, and at the end, with how far the run is.
        resend_unknown: on resuming, send rows of unknown fate again.
        stop_after_failures: stop when so many calls in a row fail for the service's or the network's fault; None: never.
        recovery_file: where new recovery codes are written before they are given; by default beside the journal.
        run_name: which of several runs in one database this is.

    Raises:
        InvalidInputError: an argument cannot be right.
        JournalError: while iterating: the journal cannot be used; nothing was sent that is not in it.
        InputChangedError: while iterating: the rows are not those of the journal.
        CircuitOpenError: while iterating: the service is dead; the rest of the rows is untouched.
        UsageError: while iterating: the client is closed, or belongs to another event loop.
    """
    return engine_for(
        client,
        requests,
        concurrency=concurrency,
        rate=rate,
        ordered=ordered,
        journal=journal,
        on_progress=on_progress,
        resend_unknown=resend_unknown,
        stop_after_failures=stop_after_failures,
        recovery_file=recovery_file,
        run_name=run_name,
    ).outcomes()


def engine_for(  # noqa: PLR0913 - verify_many's settings, and those of a partition
    client: AuthClient,
    requests: Iterable[VerifyRequest | BrokenRow] | AsyncIterable[VerifyRequest | BrokenRow],
    *,
    concurrency: int,
    rate: float | None = None,
    ordered: bool = False,
    journal: str | PathLike[str] | None = None,
    on_progress: Callable[[Progress], Any] | None = None,
    resend_unknown: bool = False,
    stop_after_failures: int | None = STOP_AFTER_FAILURES,
    recovery_file: str | PathLike[str] | None = None,
    run_name: str = "run",
    total: int | None = None,
    span: Span | None = None,
    steal: bool = False,
    lease: float = LEASE,
    pace: Pacing | None = None,
    only_new: bool = False,
    on_claim: Callable[[int], Any] | None = None,
) -> Engine:
    """The engine that `verify_many` runs, for callers that want to stop it and still have its outcomes."""
    workers = _workers(client, concurrency)
    if not isinstance(run_name, str) or not run_name:
        raise InvalidInputError("run_name must be text and not empty.")
    for name, place in (("journal", journal), ("recovery_file", recovery_file)):
        if place is not None and (not isinstance(place, (str, os.PathLike)) or not os.fspath(place)):
            raise InvalidInputError(f"{name} must be a path, or a database URL for the journal.")
    if total is None and isinstance(requests, Sized):
        total = len(requests)
    open_recorder = _opener(
        journal,
        recovery_file,
        run=run_name,
        workers=workers,
        resend_unknown=resend_unknown,
        span=span,
        steal=steal,
        lease=lease,
        only_new=only_new,
        on_claim=on_claim,
    )
    return Engine(
        Caller(client),
        open_source(requests, max(1, workers // 2)),
        concurrency=workers,
        ordered=ordered,
        pace=Pace(rate, clock=time.monotonic) if pace is None else pace,
        breaker=Breaker(stop_after_failures),
        record=open_recorder,
        tally=None if on_progress is None else Tally(on_progress, total, time.monotonic),
        first=0 if span is None else span.first,
    )


def _workers(client: AuthClient, concurrency: object) -> int:
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
        raise InvalidInputError("concurrency must be a whole number from 1.")
    return min(concurrency, getattr(client, "max_connections", concurrency))


def _opener(  # noqa: PLR0913 - the journal's settings, all but two by name
    journal: str | PathLike[str] | None,
    recovery_file: str | PathLike[str] | None,
    *,
    run: str,
    workers: int,
    resend_unknown: bool,
    span: Span | None,
    steal: bool,
    lease: float,
    only_new: bool,
    on_claim: Callable[[int], Any] | None,
) -> Callable[[], Awaitable[Recorder | None]] | None:
    """What opens the recorder when the run begins; None where nothing is to be recorded."""
    if journal is None and recovery_file is None:
        return None

    async def open_it() -> Recorder:
        # Late: without a journal a run needs none of this.
        from authing_mfa.batch.journal.database import default_recovery_file
        from authing_mfa.batch.journal.journal import Journal
        from authing_mfa.batch.journal.recovery_codes import RecoveryFile
        from authing_mfa.batch.journal.writer import Recorder

        place = recovery_file
        if place is None:
            assert journal is not None
            place = default_recovery_file(journal, run)
        opened = None
        if journal is not None:
            opened = await Journal.open(journal, run=run, span=span, steal=steal, lease=lease)
            if only_new and opened.last >= 0:
                await opened.close()
                raise InvalidInputError("The journal is that of an earlier run: resume it, or name a new one.")
            if on_claim is not None:
                on_claim(opened.epoch)
        return Recorder(
            opened,
            RecoveryFile(place, run),
            window=max(1, workers // 2),
            most=2 * workers,
            resend_unknown=resend_unknown,
        )

    return open_it
