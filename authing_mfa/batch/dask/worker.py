"""What runs on the workers and the scheduler of a Dask cluster; `driver` is the other half."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs
from distributed import SchedulerPlugin, WorkerPlugin, get_worker

from authing_mfa.batch.api import Assignment, engine_for
from authing_mfa.batch.dask.shared_rate import RateAllocator
from authing_mfa.batch.files.output import ResultFile
from authing_mfa.batch.journal.records import Span
from authing_mfa.batch.models import Counts, InvalidRow, VerifyRequest
from authing_mfa.batch.options import BatchOptions
from authing_mfa.batch.run.rate_limit import RateLimiter
from authing_mfa.client import AuthClient
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from authing_mfa.batch.models import Outcome
    from authing_mfa.batch.run.engine import Engine

__all__ = ["ClientPlugin", "Job", "Partition", "RateCoordinator", "Receipt", "verify_partition"]


@attrs.frozen
class Partition:
    """Rows that are worked as one Dask task. Rows of one run are all divided alike."""

    span: Span
    rows: list[VerifyRequest | InvalidRow] = attrs.field(repr=False)


@attrs.frozen
class Receipt:
    """What a worker hands back for a partition: where its outcomes are, and their counts.

    Attributes:
        part: the partition's number.
        file: the file of outcomes, None where nothing was begun because the run was stopped.
        counts: of the outcomes.
        stopped: what ended the partition before its time.
    """

    part: int
    file: str | None
    counts: Counts
    stopped: AuthingError | None = None


@attrs.frozen(kw_only=True)
class Job:
    """What all partitions of a run have in common."""

    name: str
    options: BatchOptions
    parts: str
    recovery: str
    lease: float


# ─────────────────────────────── on the scheduler ───────────────────────────────


class RateCoordinator(SchedulerPlugin):
    """Leases shares of a run's rate to the workers, and passes on that the service asks to slow down, or that it is over."""

    def __init__(self, name: str, rate: float | None) -> None:
        self.name = name
        self._rate = rate

    async def start(self, scheduler: Any) -> None:
        """Answer the workers' and the driver's questions."""
        allocator = RateAllocator(self._rate, time.monotonic)

        def lease(owner: str, pause: float) -> dict[str, Any]:
            return attrs.asdict(allocator.lease(owner, pause))

        def stop() -> None:
            allocator.stopped = True

        scheduler.handlers.update({f"{self.name}-lease": lease, f"{self.name}-stop": stop})


# ─────────────────────────────── on a worker ───────────────────────────────


class SharedRateLimiter(RateLimiter):
    """One worker's share of the cluster's rate, for all partitions that it works on."""

    def __init__(self, ask: Callable[..., Any], owner: str, stop: Callable[[], None]) -> None:
        super().__init__(None, clock=time.perf_counter, lease=self._ask_for_share)
        self._ask = ask
        self._owner = owner
        self._stop = stop
        self._to_tell = 0.0
        self._starts = 0

    def limited(self, retry_after: float | None, started: float, recent_rate: float) -> None:
        """This worker was answered 429: the others hear of it with their next lease."""
        super().limited(retry_after, started, recent_rate)
        self._to_tell = max(self._to_tell, self.paused())
        self.expire()

    def close(self) -> None:
        """A partition is stopping; the worker's other partitions go on, and `shut` is for all of them."""

    def shut(self) -> None:
        """No call may start any more."""
        super().close()

    async def _ask_for_share(self) -> tuple[float | None, float]:
        telling, self._to_tell = self._to_tell, 0.0
        recent, self._starts = self._starts, 0
        answer = await self._ask(owner=self._owner, pause=telling)
        if answer["stop"]:
            self._stop()
        if answer["pause"] > 0 and not telling:
            self._hold(answer["pause"], float(recent))
        return answer["rate"], answer["seconds"]

    def _note(self, now: float) -> None:
        super()._note(now)
        self._starts += 1


class ClientPlugin(WorkerPlugin):
    """One client and one share of the rate for each worker."""

    def __init__(self, name: str, client_options: Mapping[str, Any], *, local: bool) -> None:
        self.name = name
        self._client_options = dict(client_options)
        self._local = local
        self.client: AuthClient
        self.limiter: SharedRateLimiter
        self.engines: set[Engine] = set()
        self.stopped: bool = False

    async def setup(self, worker: Any) -> None:
        """The worker is there."""
        if self._local and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's: it lets the workers end in order
        self.client = AuthClient(**self._client_options)
        self.limiter = SharedRateLimiter(getattr(worker.scheduler, f"{self.name}-lease"), worker.address, self.stop)

    async def teardown(self, worker: Any) -> None:
        """The worker, or the run, is at its end."""
        del worker
        self.stop()
        await self.client.aclose()

    def stop(self) -> None:
        """Start no more rows."""
        self.stopped = True
        for engine in list(self.engines):
            engine.stop()
        self.limiter.shut()


async def verify_partition(partition: Partition, job: Job) -> Receipt:
    """Return the Dask task."""
    plugin = cast("ClientPlugin", get_worker().plugins[job.name])
    part = partition.span.part
    if plugin.stopped:
        return Receipt(part, None, Counts())
    parts = _Parts(Path(job.parts), part, tokens=job.options.tokens)
    engine = engine_for(
        plugin.client,
        partition.rows,
        attrs.evolve(job.options, recovery_file=Path(job.recovery) / f"part-{part:06d}.jsonl"),
        assignment=Assignment(span=partition.span, limiter=plugin.limiter, on_claim=parts.open),
        lease=job.lease,
        output=parts,
    )
    plugin.engines.add(engine)
    counts = Counts()
    stopped: AuthingError | None = None
    try:
        async for outcome in engine.outcomes():
            if parts.write(outcome):
                counts.note(outcome)
            else:
                counts.note_kept()
    except AuthingError as error:
        if not counts.done:
            raise
        stopped = error
    finally:
        plugin.engines.discard(engine)
        parts.finish()
    return Receipt(part, str(parts.file), counts, stopped)


class _Parts:
    """A partition's files. Each owner writes one of its own, so that one who lost the partition can spoil nothing."""

    def __init__(self, folder: Path, part: int, *, tokens: bool) -> None:
        self._folder = folder
        self._stem = f"part-{part:06d}"
        self._tokens = tokens
        self._results: ResultFile | None = None
        self.file: Path | None = None

    def open(self, epoch: int) -> None:
        """The claim is ours: begin with what earlier owners wrote."""
        self.file = self._folder / f"{self._stem}.e{epoch}.jsonl"
        earlier = sorted(self._folder.glob(f"{self._stem}.e*.jsonl"), key=_epoch_of)
        if earlier:
            self.file.touch(mode=0o600)  # before there is anything to read in it
            shutil.copyfile(earlier[-1], self.file)
        self._results = ResultFile(self.file, "jsonl", resume=True, tokens=self._tokens)
        self._results.open()

    def write(self, outcome: Outcome) -> bool:
        """Write one outcome; False where a line says already that the row is ok."""
        assert self._results is not None
        return self._results.write(outcome)

    async def keep(self, outcomes: Sequence[Outcome]) -> None:
        """Write what the journal will not hold."""
        assert self._results is not None
        await self._results.keep(outcomes)

    def spent(self) -> Iterator[int]:
        """Nothing: the driver has looked at the whole output."""
        return iter(())

    def finish(self) -> None:
        """The partition is over."""
        if self._results is not None:
            self._results.finish(complete=True)


def _epoch_of(path: Path) -> int:
    return int(path.name.rpartition(".e")[2].partition(".")[0])
