"""Divide a run: read the rows, hand out partitions, a few at a time, collect receipts, and make one file of their outcomes.

A `Pool` works on them: a Dask cluster, or processes of this machine. The journal prevents a second sending: a partition whose worker
died is given to another worker, and the claim of that worker ends the claim of the first.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

from authing_mfa._options import ClientOptions
from authing_mfa.batch.errors import NEEDS_A_PERSON, InputChangedError, JournalError
from authing_mfa.batch.files.input import Detected, Input
from authing_mfa.batch.files.local import may_go_on, read_on_thread, said, stopped_by_signals
from authing_mfa.batch.files.output import ResultFile, results_for
from authing_mfa.batch.files.results import cannot_write
from authing_mfa.batch.journal.claims import LEASE
from authing_mfa.batch.journal.records import Span
from authing_mfa.batch.models import InvalidRow, Outcome, Progress
from authing_mfa.batch.options import BatchOptions, Summary
from authing_mfa.batch.partitions.known_rows import KnownRows
from authing_mfa.batch.partitions.worker import Job, Partition, Receipt
from authing_mfa.batch.run.source import Source, open_source
from authing_mfa.errors import AuthingError, InvalidInputError

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

    from authing_mfa.discovery import Service

__all__ = ["Listeners", "Pool", "run_partitions"]

_AHEAD: Final = 2  # partitions that the pool holds for each of its slots


class Pool(Protocol):
    """The workers of the partitions.

    Attributes:
        slots: how many partitions are worked at the same time.
        concurrency: calls in flight at most for one partition.
    """

    slots: int
    concurrency: int

    async def begin(self, name: str) -> None:
        """Prepare the workers: give them the client and the rate. *name* is the unique name of the run."""

    def journal(self, journal: str) -> str:
        """Return the journal's address for all workers.

        Raises:
            InvalidInputError: some workers cannot reach the journal.
        """
        ...

    async def verify(self, partition: Partition, job: Job) -> Receipt:
        """Let a worker do *partition*; if the worker ends, let another worker do it."""
        ...

    async def stop(self) -> None:
        """Make the workers start no more rows."""


@attrs.frozen
class Listeners:
    """The functions of a caller that a run calls; see `authing_mfa.batch.run_file.run_file`."""

    on_progress: Callable[[Progress], Any] | None = None
    on_invalid: Callable[[Outcome], Any] | None = None
    on_detected: Callable[[Detected], Any] | None = None


async def run_partitions(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    pool: AbstractAsyncContextManager[Pool],
    listeners: Listeners,
    *,
    lease: float = LEASE,
) -> Summary:
    """Do a run of files in partitions.

    Args:
        options: the options of the run. All workers must reach the journal and the output.
        client_options: the keywords of `AuthClient`.
        pool: opened after the input was checked.
        listeners: the functions to call.
        lease: seconds; a partition whose worker cannot be reached is taken over after as long.

    Raises:
        InvalidInputError: an option is wrong here.
        JournalError: the journal cannot be used.
    """
    service = ClientOptions(**client_options).service
    driver = _Driver(options, service, lease, Input(options, listeners.on_detected))
    await read_on_thread(driver.look)
    stack = AsyncExitStack()
    try:
        await driver.install(await stack.enter_async_context(pool))
        with stopped_by_signals(driver.stop, driver.abandon) as interrupted:
            await driver.work(listeners)
        driver.summary.interrupted = interrupted.is_set()
    except BaseException:
        driver.leave()
        raise
    finally:
        with suppress(OSError, TimeoutError):  # a scheduler that has ended need not get the end of the run
            await stack.aclose()
    summary = driver.summary
    complete = summary.stopped is None and not summary.interrupted
    await asyncio.to_thread(driver.gather, complete=complete)
    summary.resumable = may_go_on(summary)
    return summary


class _Driver:
    """Hands out partitions and collects receipts."""

    def __init__(self, options: BatchOptions, service: Service, lease: float, source: Input) -> None:
        if options.journal is None:
            raise InvalidInputError(
                "A run on several processes needs a journal: it records what a process sent before it died."
            )
        results = results_for(options)
        if not isinstance(results, ResultFile):
            raise InvalidInputError(
                "The output of a run on several processes must be a file, where all of them reach it."
            )
        self._options = options
        self._service = service
        self._lease = lease
        self._name = f"authing-mfa-{uuid.uuid4().hex}"
        self._folder = Path(f"{options.out}.parts").absolute()
        self._codes = Path(options.recovery_file or f"{options.out}.recovery-codes").absolute()
        for folder in (self._folder, self._codes):
            if folder.exists() and not folder.is_dir():
                raise InvalidInputError(f"A run on several processes needs a folder {folder}, but this is a file.")
        self._rows = 0
        self._known: KnownRows
        self._input = source
        self._results = results
        self._pool: Pool
        self._job: Job
        self._stopping = self._abandoned = False
        self._receipts: dict[int, Receipt] = {}
        self._waiting: set[asyncio.Task[Receipt]] = set()
        self._comparing: set[asyncio.Task[Receipt]] = set()  # those whose rows the journal may know
        self._telling: asyncio.Task[None] | None = None
        self.summary = Summary()

    def look(self, stop: threading.Event) -> None:
        """Check the input, before anything is started."""
        self._input.look(stop)
        self.summary.total = self._input.total

    async def install(self, pool: Pool) -> None:
        """Check journal and output, and prepare the workers."""
        options = self._options
        self._pool = pool
        journal = pool.journal(os.fspath(options.journal or ""))
        await asyncio.to_thread(self._results.open)
        self._known = await KnownRows.read(journal, options, self._results.spent(), self._service, self._lease)
        for folder in (self._folder, self._codes):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise cannot_write(folder, error) from error
        await pool.begin(self._name)
        self._job = Job(
            name=self._name,
            mark=self._known.mark,
            options=attrs.evolve(options, journal=journal, concurrency=pool.concurrency),
            parts=str(self._folder),
            recovery=str(self._codes),
            lease=self._lease,
        )

    def stop(self) -> None:
        """Hand out no more; the workers end what they have sent."""
        if not self._stopping:
            self._stopping = True
            self._telling = asyncio.create_task(self._pool.stop())

    def abandon(self) -> None:
        """Do not wait for the workers: the fate of the rows that they have sent is unknown."""
        self._stopping = self._abandoned = True
        for task in self._waiting:
            task.cancel()

    async def work(self, listeners: Listeners) -> None:
        """Hand out all partitions, a few at a time, and wait for all receipts."""
        began = time.monotonic()
        source = open_source(self._input.rows(), self._options.partition_rows)
        more = True
        while more or self._waiting:
            while more and self._may_hand_out():
                more = await self._hand_out(source, listeners)
            more = more and not self._stopping
            if self._waiting:
                done, _ = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
                self._waiting -= done
                self._comparing -= done
                for task in done:
                    self._note(task)
                self._report(listeners, time.monotonic() - began)
        if not self._stopping and self._known.last >= self._rows:
            self.summary.stopped = InputChangedError(
                f"The input has {self._rows} rows, but the journal has row {self._known.last + 1}: the input was changed."
            )

    def _may_hand_out(self) -> bool:
        """True if the pool takes one more partition. Rows after all that the journal knows wait until those were compared."""
        is_compared = self._rows <= self._known.last or not self._comparing
        return is_compared and not self._stopping and len(self._waiting) < _AHEAD * self._pool.slots

    async def _hand_out(self, source: Source, listeners: Listeners) -> bool:
        """Read a partition, and hand out those that may begin; False at the end of the input."""
        try:
            partition = await self._next_partition(source, listeners)
            ready = [] if partition is None else self._known.admit(partition)
        except Exception as error:
            if not self._rows:
                raise
            self._stop_with(said(error))
            return False
        for part in ready:
            task = asyncio.create_task(self._pool.verify(part, self._job))
            self._waiting.add(task)
            if part.span.first <= self._known.last:
                self._comparing.add(task)
        return partition is not None

    async def _next_partition(self, source: Source, listeners: Listeners) -> Partition | None:
        first, size = self._rows, self._options.partition_rows
        rows: list[Any] = []
        while len(rows) < size and (more := await source.pull(size - len(rows))):
            rows += more
        for index, row in enumerate(rows, first):
            if isinstance(row, InvalidRow) and listeners.on_invalid is not None:
                listeners.on_invalid(Outcome(index, row.key, None, row.error, 0.0, row.kind))
        self._rows += len(rows)
        span, epoch = Span(first // size, first, size), self._known.epochs.get(first // size, 0)
        return Partition(span, rows, epoch, self._results.some_lines(first, self._rows)) if rows else None

    def _note(self, task: asyncio.Task[Receipt]) -> None:
        try:
            receipt = task.result()
        except AuthingError as error:
            self._stop_with(error)
            return
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - an error of the pool: a worker or the scheduler has ended
            if not self._abandoned:
                self._stop_with(
                    JournalError(f"The cluster gave a partition up: {type(error).__name__}.", code=NEEDS_A_PERSON)
                )
            return
        self._receipts[receipt.part] = receipt
        self.summary.counts.add(receipt.counts)
        if receipt.stopped is not None:
            self._stop_with(receipt.stopped)

    def _report(self, listeners: Listeners, elapsed: float) -> None:
        if listeners.on_progress is not None:
            rate = self.summary.done / max(elapsed, 1e-9)
            listeners.on_progress(self.summary.counts.progress(total=self._input.total, rate=rate, elapsed=elapsed))

    def _stop_with(self, error: AuthingError) -> None:
        self.summary.stopped = self.summary.stopped or error
        self.stop()

    def leave(self) -> None:
        """End a run that did not begin, or failed: the output stays unchanged."""
        self._results.abandon()

    def gather(self, *, complete: bool) -> None:
        """Make one file of the parts, in the order of the partitions; if nothing is missing, remove the parts."""
        results = self._results
        files = [receipt.file for _, receipt in sorted(self._receipts.items()) if receipt.file is not None]
        results.replace_with([Path(file) for file in files], complete=complete)
        with suppress(OSError):
            self._codes.rmdir()  # when it is empty
        self.summary.findings = tuple(self._input.findings.all())
        self.summary.detected = str(self._input.detected)
        self.summary.recovery_file = self._codes if self._codes.exists() else None
        if complete:
            shutil.rmtree(self._folder, ignore_errors=True)
