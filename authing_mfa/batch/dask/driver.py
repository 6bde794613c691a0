"""A batch on a Dask cluster: Dask distributes the partitions, the journal sees to it that nothing is sent twice.

A dead worker's partitions are started again by Dask, on another worker.

The rows are read here and go to the workers in partitions, a few at a time. A worker has one client for all of its
partitions (`ClientPlugin`), verifies a partition's rows as `verify_many` does, under a claim that fences out the worker that had the
partition before, and writes the outcomes to ``OUT.parts/`` on storage that all share; what comes back is a receipt. The rate
is the cluster's: each worker leases a share of it for a second at a time (`RateCoordinator`). At the end the parts become one file.

Tokens and codes travel to the workers over Dask's own connections: on a network that is not yours, use its TLS.

A few more than 300 lines: one class drives one cluster.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
import uuid
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
from distributed import Client, LocalCluster

from authing_mfa.batch.dask.worker import ClientPlugin, Job, Partition, RateCoordinator, Receipt, verify_partition
from authing_mfa.batch.errors import NEEDS_A_PERSON, InputChangedError, JournalError
from authing_mfa.batch.files.input import Detected, Input
from authing_mfa.batch.files.local import may_go_on, said, stopped_by_signals
from authing_mfa.batch.files.output import ResultFile, results_for
from authing_mfa.batch.journal.claims import LEASE, Owner
from authing_mfa.batch.journal.records import Span
from authing_mfa.batch.models import InvalidRow, Outcome
from authing_mfa.batch.options import BatchOptions, Summary
from authing_mfa.batch.run.source import Source, open_source
from authing_mfa.errors import AuthingError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from authing_mfa.batch.models import Progress

__all__ = ["run_on_dask"]

_AHEAD: Final = 2  # partitions at the cluster for each of its slots
_RETRIES: Final = 2  # of a partition whose task fails, e.g. because the database could not be reached


async def run_on_dask(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    *,
    on_progress: Callable[[Progress], Any] | None = None,
    on_invalid: Callable[[Outcome], Any] | None = None,
    on_detected: Callable[[Detected], Any] | None = None,
    lease: float = LEASE,
) -> Summary:
    """Do a run of files on the cluster `options.dask`; `authing_mfa.batch.run_file.run_file` calls this.

    Args:
        options: what to do. The journal and the output must be where all workers reach them.
        client_options: the keywords of `AuthClient`; each worker makes one.
        on_progress: called with each partition that is done.
        on_invalid: called with each record of the input that cannot be a row.
        on_detected: called once with what the input turned out to be.
        lease: seconds; a partition whose worker cannot be reached is taken over after as long.

    Raises:
        InvalidInputError: an option cannot be right here.
        JournalError: the journal cannot be used.
    """
    driver = _Driver(options, client_options, lease, Input(options, on_detected))
    await asyncio.to_thread(driver.look)
    stack = AsyncExitStack()
    try:
        client = await stack.enter_async_context(_cluster(options.dask or ""))
        await driver.install(client, stack)
        with stopped_by_signals(driver.stop) as interrupted:
            await driver.work(on_progress, on_invalid)
        driver.summary.interrupted = interrupted.is_set()
    except BaseException:
        driver.abandon()
        raise
    finally:
        with suppress(OSError, TimeoutError):  # a scheduler that is gone need not be told that the run is over
            await stack.aclose()
    summary = driver.summary
    complete = summary.stopped is None and not summary.interrupted
    await asyncio.to_thread(driver.gather, complete=complete)
    summary.resumable = may_go_on(summary)
    return summary


@asynccontextmanager
async def _cluster(address: str) -> AsyncIterator[Any]:
    """A client of the scheduler at *address*, or of ``local:N`` processes of our own."""
    connect: Any = Client
    start: Any = LocalCluster
    if not address.startswith("local"):
        async with connect(address, asynchronous=True) as client:
            yield client
        return
    count = address.partition(":")[2] or "2"
    if not count.isdecimal() or not int(count):
        raise InvalidInputError("A local cluster is local:N, N being the number of processes.")
    cluster = start(
        n_workers=int(count), threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", asynchronous=True
    )
    async with cluster, connect(cluster, asynchronous=True) as client:
        yield client


class _Driver:
    """Hands out partitions and collects receipts."""

    def __init__(self, options: BatchOptions, client_options: Mapping[str, Any], lease: float, source: Input) -> None:
        if options.journal is None:
            raise InvalidInputError("A run on a cluster needs a journal: it records what a worker sent before it died.")
        if options.out == "-":
            raise InvalidInputError("On a cluster the output must be a file, on storage that all workers share.")
        self._options = options
        self._client_options = {"max_connections": max(options.concurrency, 1), **client_options}
        self._lease = lease
        self._name = f"authing-mfa-{uuid.uuid4().hex}"
        self._folder = Path(f"{options.out}.parts").absolute()
        self._codes = Path(options.recovery_file or f"{options.out}.recovery-codes").absolute()
        self._known_to = -1
        self._rows = 0
        self._input = source
        results = results_for(options)
        if not isinstance(results, ResultFile):
            raise InvalidInputError("On a cluster the output must be a file, on storage that all workers share.")
        self._results = results
        self._client: Any = None
        self._stopping = False
        self._slots = 1
        self._job: Job
        self._receipts: dict[int, Receipt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.summary = Summary()

    async def install(self, client: Any, stack: AsyncExitStack) -> None:
        """Bring the client and the rate to the cluster."""
        options = self._options
        self._client = client
        facts = await client.run(_facts)
        if not facts:
            raise InvalidInputError("The cluster has no workers.")
        journal = _journal_for(os.fspath(options.journal or ""), {machine for machine, _ in facts.values()})
        await asyncio.to_thread(self._results.open)
        await self._look_at(journal)
        for folder in (self._folder, self._codes):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        local = (options.dask or "").startswith("local")
        await client.register_plugin(RateCoordinator(self._name, options.rate))
        await client.register_plugin(ClientPlugin(self._name, self._client_options, local=local))
        stack.push_async_callback(client.unregister_worker_plugin, self._name)
        self._slots = sum(threads for _, threads in facts.values())
        concurrency = max(1, options.concurrency // max(threads for _, threads in facts.values()))
        self._job = Job(
            name=self._name,
            options=attrs.evolve(options, journal=journal, concurrency=concurrency),
            parts=str(self._folder),
            recovery=str(self._codes),
            lease=self._lease,
        )

    async def _look_at(self, journal: str) -> None:
        from authing_mfa.batch.journal.journal import Journal

        span = Span(part=-1, rows=self._options.partition_rows, whole=True)
        beginning = self._options.beginning
        opened = await Journal.open(
            journal, run=self._options.run_name, span=span, lease=self._lease, beginning=beginning
        )
        try:
            await opened.check_knows(self._results.spent())
        finally:
            await opened.close()
        self._known_to = opened.last

    def stop(self) -> None:
        """Hand out no more; the workers end what they have sent."""
        if not self._stopping:
            self._stopping = True
            self._tasks.add(asyncio.create_task(self._tell_to_stop()))

    async def _tell_to_stop(self) -> None:
        with suppress(Exception):  # the scheduler is gone: so are its workers
            await getattr(self._client.scheduler, f"{self._name}-stop")()

    async def work(
        self, on_progress: Callable[[Progress], Any] | None, on_invalid: Callable[[Outcome], Any] | None
    ) -> None:
        """Hand out all partitions, a few at a time, and wait for all receipts."""
        began = time.monotonic()
        waiting: set[asyncio.Task[Receipt]] = set()
        source = open_source(self._input.rows(), self._options.partition_rows)
        more = True
        while more or waiting:
            while more and not self._stopping and len(waiting) < _AHEAD * self._slots:
                try:
                    partition = await self._next_partition(source, on_invalid)
                except Exception as error:
                    if not self._rows:
                        raise
                    self._stop_with(said(error))
                    break
                if partition is None:
                    more = False
                    break
                waiting.add(asyncio.create_task(self._receipt(partition)))
            more = more and not self._stopping
            if waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._note(task)
                if on_progress is not None:
                    elapsed = time.monotonic() - began
                    rate = self.summary.done / max(elapsed, 1e-9)
                    on_progress(self.summary.counts.progress(total=self._input.total, rate=rate, elapsed=elapsed))
        if not self._stopping and self._known_to >= self._rows:
            self.summary.stopped = InputChangedError(
                f"The input has {self._rows} rows, but the journal has row {self._known_to + 1}: the input was changed."
            )

    def abandon(self) -> None:
        """The run did not begin, or broke: the output stays as it was."""
        self._results.abandon()

    def look(self) -> None:
        """Look at the input, before the cluster is."""
        self._input.look()
        self.summary.total = self._input.total

    async def _next_partition(self, source: Source, on_invalid: Callable[[Outcome], Any] | None) -> Partition | None:
        first, size = self._rows, self._options.partition_rows
        rows: list[Any] = []
        while len(rows) < size and (more := await source.pull(size - len(rows))):
            rows += more
        for index, row in enumerate(rows, first):
            if isinstance(row, InvalidRow) and on_invalid is not None:
                on_invalid(Outcome(index, row.key, None, row.error, 0.0, row.kind))
        self._rows += len(rows)
        return Partition(Span(first // size, first, size), rows) if rows else None

    async def _receipt(self, partition: Partition) -> Receipt:
        future = self._client.submit(
            verify_partition,
            partition,
            self._job,
            key=f"{self._name}-{partition.span.part}",
            pure=False,
            retries=_RETRIES,
        )
        return await future  # type: ignore[no-any-return]  # what the task returns

    def _note(self, task: asyncio.Task[Receipt]) -> None:
        try:
            receipt = task.result()
        except AuthingError as error:
            self._stop_with(error)
            return
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - Dask's own: a worker or the scheduler is gone
            self._stop_with(
                JournalError(f"The cluster gave a partition up: {type(error).__name__}.", code=NEEDS_A_PERSON)
            )
            return
        self._receipts[receipt.part] = receipt
        self.summary.counts.add(receipt.counts)
        if receipt.stopped is not None:
            self._stop_with(receipt.stopped)

    def _stop_with(self, error: AuthingError) -> None:
        self.summary.stopped = self.summary.stopped or error
        self.stop()

    def gather(self, *, complete: bool) -> None:
        """Make one file of the parts, in the order of the partitions; when nothing is missing, the parts go."""
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


def _facts(dask_worker: Any) -> tuple[str, int]:
    """Of a worker: its machine, and how many tasks it runs at once."""
    return Owner.me().machine, dask_worker.state.nthreads


def _journal_for(journal: str, machines: set[str]) -> str:
    """Return the journal's address for all workers. A file serves several processes of one machine, not several machines.

    Raises:
        InvalidInputError: it is a file, and the workers are elsewhere.
    """
    if "://" in journal and not journal.startswith("sqlite"):
        return journal
    if machines - {Owner.me().machine}:
        raise InvalidInputError("A journal in a file serves the workers of one machine: use postgresql+asyncpg://….")
    return journal if "://" in journal else str(Path(journal).absolute())
