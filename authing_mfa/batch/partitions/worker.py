"""The work of a process on its partitions; `driver` hands them out."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from authing_mfa.batch.api import Assignment, engine_for
from authing_mfa.batch.files.formats import replacing
from authing_mfa.batch.files.output import ResultFile
from authing_mfa.batch.journal.records import Span
from authing_mfa.batch.models import Counts, InvalidRow, VerifyRequest
from authing_mfa.batch.options import BatchOptions
from authing_mfa.batch.run.rate_limit import RateLimiter
from authing_mfa.client import AuthClient
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from authing_mfa.batch.models import Outcome
    from authing_mfa.batch.partitions.shared_rate import Lease
    from authing_mfa.batch.run.engine import Engine

__all__ = ["Job", "Partition", "PartitionWorker", "Receipt", "SharedRateLimiter"]


@attrs.frozen
class Partition:
    """The rows of one task. All partitions of a run have the same size.

    Attributes:
        span: their positions.
        rows: the rows.
        epoch: the epoch of the partition's claim before this run.
        output: status and code of each line that the output has of these rows.
    """

    span: Span
    rows: list[VerifyRequest | InvalidRow] = attrs.field(repr=False)
    epoch: int = 0
    output: dict[int, tuple[str, int]] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class Receipt:
    """The result of a partition: the file of its outcomes, and their counts.

    Attributes:
        part: the partition's number.
        file: the file of outcomes, None if nothing was begun because the run was stopped.
        counts: the counts of the outcomes.
        stopped: the error that ended the partition early.
    """

    part: int
    file: str | None
    counts: Counts
    stopped: AuthingError | None = None


@attrs.frozen(kw_only=True)
class Job:
    """The values that all partitions of a run share.

    Attributes:
        name: the unique name of the run.
        mark: distinguishes the partitions' files of this journal from those of another one, which an earlier run has left.
        options: the options of the run; `concurrency` is valid for one partition.
        parts: the folder of the partitions' outcomes.
        recovery: the folder of new recovery codes.
        lease: seconds that a claim is valid.
    """

    name: str
    mark: str
    options: BatchOptions
    parts: str
    recovery: str
    lease: float


class SharedRateLimiter(RateLimiter):
    """One worker's share of the run's rate, for all partitions that it works on."""

    def __init__(self, ask: Callable[[float], Awaitable[Lease]], stop: Callable[[], None]) -> None:
        """Begin without a share.

        Args:
            ask: asks for the next share; its argument is the pause in seconds that the service asked for.
            stop: called if the answer says that the run is over.
        """
        super().__init__(None, clock=time.perf_counter, lease=self._ask_for_share)
        self._ask = ask
        self._stop = stop
        self._to_tell = 0.0
        self._starts = 0

    def limited(self, retry_after: float | None, started: float, recent_rate: float) -> None:
        """Note a 429: the other workers get the pause with their next lease."""
        super().limited(retry_after, started, recent_rate)
        self._to_tell = max(self._to_tell, self.paused())
        self.expire()

    def close(self) -> None:
        """Note that a partition is stopping; the worker's other partitions continue. `shut` ends all of them."""

    def shut(self) -> None:
        """Let no call start any more."""
        super().close()

    async def _ask_for_share(self) -> tuple[float | None, float]:
        telling, self._to_tell = self._to_tell, 0.0
        recent, self._starts = self._starts, 0
        answer = await self._ask(telling)
        if answer.stop:
            self._stop()
        if answer.pause > 0 and not telling:
            self._hold(answer.pause, float(recent))
        return answer.rate, answer.seconds

    def _note(self, now: float) -> None:
        super()._note(now)
        self._starts += 1


class PartitionWorker:
    """One client and one share of the rate, for all partitions of a process.

    Attributes:
        stopped: True if no row is started any more.
    """

    def __init__(self, client_options: Mapping[str, Any], ask: Callable[[float], Awaitable[Lease]]) -> None:
        """Make the client.

        Args:
            client_options: the keywords of the client.
            ask: see `SharedRateLimiter`.
        """
        self.stopped: bool = False
        self._client = AuthClient(**client_options)
        self._limiter = SharedRateLimiter(ask, self.stop)
        self._engines: set[Engine] = set()

    def stop(self) -> None:
        """Start no more rows."""
        self.stopped = True
        for engine in list(self._engines):
            engine.stop()
        self._limiter.shut()

    async def aclose(self) -> None:
        """Close the connections."""
        self.stop()
        await self._client.aclose()

    async def verify(self, partition: Partition, job: Job) -> Receipt:
        """Verify the rows of *partition* as `verify_many` does, under a claim that ends the claim of an earlier worker.

        Raises:
            AuthingError: no row of the partition could be done.
        """
        part = partition.span.part
        if self.stopped:
            return Receipt(part, None, Counts())
        parts = _Parts(Path(job.parts), partition, job)
        engine = engine_for(
            self._client,
            partition.rows,
            attrs.evolve(job.options, recovery_file=Path(job.recovery) / f"part-{part:06d}.jsonl"),
            assignment=Assignment(
                span=partition.span, limiter=self._limiter, on_claim=parts.open, epoch=partition.epoch
            ),
            lease=job.lease,
            output=parts,
        )
        self._engines.add(engine)
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
            self._engines.discard(engine)
            parts.finish()
        return Receipt(part, None if parts.file is None else str(parts.file), counts, stopped)


class _Parts:
    """A partition's files. Each owner writes its own file, so that an owner who lost the partition can damage nothing."""

    def __init__(self, folder: Path, partition: Partition, job: Job) -> None:
        self._folder = folder
        self._stem = f"part-{partition.span.part:06d}.{job.mark}"
        self._tokens = job.options.tokens
        self._output = partition.output
        self._results: ResultFile | None = None
        self.file: Path | None = None

    def open(self, epoch: int) -> None:
        """Begin, with the claim held: copy the outcomes of earlier owners."""
        self.file = self._folder / f"{self._stem}.e{epoch}.jsonl"
        earlier = sorted(self._folder.glob(f"{self._stem}.e*.jsonl"), key=_epoch_of)
        if earlier:
            # Whole or not at all: the next owner copies it.
            with earlier[-1].open("rb") as old, replacing(self.file) as copy:
                shutil.copyfileobj(old, copy)
        self._results = ResultFile(self.file, "jsonl", resume=True, tokens=self._tokens)
        self._results.open()

    def write(self, outcome: Outcome) -> bool:
        """Write one outcome. Return False if a line already says that the row is ok."""
        assert self._results is not None
        if outcome.restored and outcome.kind != "check" and self._results.line(outcome.index) is None:
            code = 200 if outcome.error is None else outcome.error.code
            if self._output.get(outcome.index) == (outcome.status, code):
                return True  # the output's line stays, which may say more
        return self._results.write(outcome)

    async def keep(self, outcomes: Sequence[Outcome]) -> None:
        """Write the values that the journal will not hold."""
        assert self._results is not None
        await self._results.keep(outcomes)

    def spent(self) -> Iterator[int]:
        """Return nothing: the driver has checked the whole output."""
        return iter(())

    def line(self, index: int) -> tuple[str, int] | None:
        """Return status and code of the line that the partition's files, or the output, have of a row."""
        assert self._results is not None
        line = self._output.get(index)
        return line if line is not None and line[0] == "ok" else self._results.line(index) or line

    def finish(self) -> None:
        """Close the file of the partition."""
        if self._results is not None:
            self._results.finish(complete=True)


def _epoch_of(path: Path) -> int:
    return int(path.name.rpartition(".e")[2].partition(".")[0])
