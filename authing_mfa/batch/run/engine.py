"""The run itself: K workers over an input that is pulled no faster than it is worked, and an output that is bounded.

From its pull to its hand-over a row takes one of 2 x concurrency places, so memory is flat whatever the input's length. With a
journal there are twice as many, so that rows are at hand to be announced with each window of outcomes.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from authing_mfa.batch.models import InvalidRow, Outcome, VerifyRequest
from authing_mfa.batch.run.perform import LIMITED_ATTEMPTS, backoff, pause_before_retry
from authing_mfa.errors import AuthingError, InvalidInputError, RateLimitedError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from authing_mfa.batch.journal.writer import JournalWriter
    from authing_mfa.batch.options import RunOptions
    from authing_mfa.batch.run.perform import RowPerformer
    from authing_mfa.batch.run.progress import ProgressCounter
    from authing_mfa.batch.run.rate_limit import CircuitBreaker, Limiter
    from authing_mfa.batch.run.source import Source

__all__ = ["Engine"]


class Engine:
    """One run. `outcomes` does it, `stop` ends it early: what was sent is waited for, the rest is not started."""

    def __init__(
        self,
        perform: RowPerformer,
        source: Source,
        options: RunOptions,
        *,
        limiter: Limiter,
        breaker: CircuitBreaker,
        open_writer: Callable[[], Awaitable[JournalWriter]] | None = None,
        progress: ProgressCounter | None = None,
        first: int = 0,
    ) -> None:
        """Set a run up; nothing is done yet.

        Args:
            perform: performs a row.
            source: where the rows come from.
            options: of the run.
            limiter: when calls may start.
            breaker: when to give up.
            open_writer: opens the journal writer when the run begins; None where nothing is to be recorded.
            progress: counts each outcome that is handed over.
            first: the position of the first row.
        """
        self._perform = perform
        self._source = source
        self._limiter = limiter
        self._breaker = breaker
        self._open_writer = open_writer
        self._writer: JournalWriter | None = None
        self._tally = progress
        self._concurrency = concurrency = options.concurrency
        self._places = (2 if open_writer is None else 4) * concurrency
        self._taken = 0  # rows pulled and not yet handed over
        self._first = self._index = first
        self._ready: deque[tuple[int, VerifyRequest]] = deque()
        self._done: deque[Outcome] = deque()
        self._held: dict[int, Outcome] | None = {} if options.ordered else None
        self._due = first
        self._idle: deque[asyncio.Future[None]] = deque()
        self._room: asyncio.Future[None] | None = None
        self._news: asyncio.Future[None] | None = None
        self._workers: list[asyncio.Task[None]] = []
        self._feeder: asyncio.Task[None] | None = None
        self._pulling = False
        self._fed = False
        self._over = False
        self._strikes = 0
        self._calls = 0
        self._began = 0.0
        self.stopping = False
        self.error: BaseException | None = None

    # ─────────────────────────────── handing over ───────────────────────────────

    async def outcomes(self) -> AsyncGenerator[Outcome, None]:
        """Do the run. What stops it is raised after the last outcome.

        Closing this generator, or cancelling whoever waits for it, stops the run and returns when what was sent is recorded.
        """
        if self._open_writer is not None:
            self._writer = await self._open_writer()
            await self._writer.start(self)
        self._start()
        done, progress = self._done, self._tally
        try:
            while True:
                while done:
                    outcome = done.popleft()
                    self._taken -= 1
                    if self._room is not None:
                        self._make_room()
                    if progress is not None:
                        progress.note(outcome)
                    yield outcome
                if self._fed and not self._taken:
                    break
                self._news = asyncio.get_running_loop().create_future()
                await self._news
                self._news = None
        finally:
            self._news = None
            await self._close()
        if progress is not None:
            progress.report()
        if self.error is not None:
            raise self.error

    def stop(self) -> None:
        """Start no more rows; those under way still come out of `outcomes`."""
        if self.stopping:
            return
        self.stopping = True
        self._limiter.close()
        while self._ready:
            self._put_back(*self._ready.popleft())
        if self._writer is not None:
            self._taken -= self._writer.drop_unlogged()
        if self._pulling and self._feeder is not None:
            self._feeder.cancel()
        self._source.close()
        self._make_room()
        self._tell()

    def _start(self) -> None:
        self._began = time.perf_counter()
        create = asyncio.create_task
        self._feeder = create(self._feed(), name="batch feeder")
        self._workers = [create(self._work(), name=f"batch worker {n}") for n in range(self._concurrency)]

    def _tell(self) -> None:
        """Wake whoever waits for outcomes."""
        if self.stopping and self._held and self._taken == len(self._held) + len(self._done):
            self._done.extend(self._held.pop(index) for index in sorted(self._held))  # those before them never come
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _make_room(self) -> None:
        """Let the feeder pull when there are places enough to be worth it."""
        room = self._room
        if room is not None and (self.stopping or self._places - self._taken >= self._source.least):
            self._room = None
            if not room.done():
                room.set_result(None)

    async def _close(self) -> None:
        self.stop()
        self._over = True
        self._wake_workers(len(self._idle))
        tasks = [*self._workers, *([] if self._feeder is None else [self._feeder])]
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:  # again: whoever cancels does not want to wait for the answers
            for worker in self._workers:
                worker.cancel()
            await asyncio.wait(tasks)
            raise
        finally:
            if self._writer is not None:
                await self._writer.finish()

    # ─────────────────────────────── taking in ───────────────────────────────

    async def _feed(self) -> None:
        try:
            self._pulling = True
            await self._perform.prepare()
            self._pulling = False
            while not self.stopping:
                if self._places - self._taken < self._source.least:
                    self._room = asyncio.get_running_loop().create_future()
                    await self._room
                    continue
                self._pulling = True
                rows = await self._pull()
                self._pulling = False
                if not rows:
                    if self._writer is not None and self.error is None and not self.stopping:
                        self._writer.check_end(self._index - self._first, self._first)
                    break
                await self._admit(rows)
        except asyncio.CancelledError:
            if not self.stopping:
                raise
        except BaseException as error:  # noqa: BLE001 - the input's own error ends the run and is the caller's to see
            self.fail(error)
        finally:
            self._pulling = False
            self._fed = True
            self._source.close()
            self._tell()

    async def _pull(self) -> list[Any]:
        """The next rows. An error of the input is its end, and raised after the outcomes of the rows before it."""
        try:
            return await self._source.pull(self._places - self._taken)
        except Exception as error:  # noqa: BLE001 - it is the caller's to see
            self.error = self.error or error
            return []

    async def _admit(self, rows: list[Any]) -> None:
        writer = self._writer
        if writer is not None:
            await writer.look_up(self._index, len(rows))
        ready = self._ready
        for row in rows:
            if self.stopping:
                return
            index = self._index
            self._index = index + 1
            known = None if writer is None else writer.recall(index, row)
            self._taken += 1
            if known is not None:
                self._finish(known)
            elif not isinstance(row, VerifyRequest):
                self._finish(_invalid(index, row))
            elif writer is None or not writer.log_intent(index, row):
                ready.append((index, row))
        self._wake_workers(len(ready))

    def _wake_workers(self, count: int) -> None:
        idle = self._idle
        while count and idle:
            worker = idle.popleft()
            if not worker.done():
                worker.set_result(None)
                count -= 1

    def _put_back(self, index: int, row: VerifyRequest) -> None:
        """A row that was not sent and will not be: the run is stopping."""
        self._taken -= 1
        if self._writer is not None:
            self._writer.retract(index, row)
        self._tell()

    # ─────────────────────────────── working ───────────────────────────────

    async def _work(self) -> None:
        try:
            await self._work_off()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - a worker that dies unheard would hang the run
            self.fail(error)

    async def _work_off(self) -> None:
        ready, limiter, writer, call, clock = self._ready, self._limiter, self._writer, self._perform, time.perf_counter
        while True:
            if not ready:
                if self._over:
                    return
                turn = asyncio.get_running_loop().create_future()
                self._idle.append(turn)
                await turn
                continue
            index, row = ready.popleft()
            must_ask = not limiter.free or (writer is not None and writer.stale())
            if must_ask and not await self._may_send(index, row):
                continue
            self._calls += 1
            started = clock()
            try:
                value = await call(row)
            except AuthingError as error:
                await self._after(index, row, error, clock() - started)
            except Exception as error:  # noqa: BLE001 - a row never raises
                await self._after(index, row, _unexpected(error), clock() - started)
            else:
                self._settle(Outcome(index, row.key, value, None, clock() - started, row.kind))

    async def _may_send(self, index: int, row: VerifyRequest) -> bool:
        """Wait for the row's turn, and for a claim that holds; False: it was put back."""
        try:
            if not self._limiter.free and not await self._limiter.turn():
                self._put_back(index, row)
                return False
            while (
                self._writer is not None and self._writer.stale()
            ):  # again: this process may have stood still meanwhile
                await self._writer.renew()
        except Exception as error:  # noqa: BLE001 - a lost claim, or of a shared rate a lost connection
            self.fail(error)
        if self.stopping:
            self._put_back(index, row)
        return not self.stopping

    async def _after(self, index: int, row: VerifyRequest, error: AuthingError, elapsed: float) -> None:
        """A call failed: try again where that is safe and allowed, else this is the row's outcome."""
        if isinstance(error, UsageError):
            self.fail(error)
            self._put_back(index, row)
            return
        attempt = 1
        while True:
            pause = self._pause(row, error, attempt)
            if pause is None or not await self._may_repeat(pause):
                self._settle(Outcome(index, row.key, None, error, elapsed, row.kind))
                return
            attempt += 1
            self._calls += 1
            started = time.perf_counter()
            try:
                value = await self._perform(row)
            except AuthingError as again:
                error, elapsed = again, time.perf_counter() - started
            except Exception as again:  # noqa: BLE001 - a row never raises
                error, elapsed = _unexpected(again), time.perf_counter() - started
            else:
                self._settle(Outcome(index, row.key, value, None, time.perf_counter() - started, row.kind))
                return

    def _pause(self, row: VerifyRequest, error: AuthingError, attempt: int) -> float | None:
        if isinstance(error, RateLimitedError) and error.http_status == 429:
            elapsed = time.perf_counter() - self._began
            self._limiter.hold(backoff(error, self._strikes), self._calls / max(elapsed, 1.0))
            self._strikes += 1
            return 0.0 if attempt < LIMITED_ATTEMPTS and not hasattr(row.image, "read") else None
        return pause_before_retry(row, error, attempt)

    async def _may_repeat(self, pause: float) -> bool:
        if self.stopping:
            return False
        if pause:
            await asyncio.sleep(pause)
        try:
            if not self._limiter.free and not await self._limiter.turn():
                return False
            while (
                self._writer is not None and self._writer.stale()
            ):  # again: this process may have stood still meanwhile
                await self._writer.renew()
        except Exception as error:  # noqa: BLE001 - a lost claim, or of a shared rate a lost connection
            self.fail(error)
        return not self.stopping

    def _settle(self, outcome: Outcome) -> None:
        """A call is over: count it, and give its outcome, once it is durable."""
        breaker = self._breaker
        if outcome.error is None:
            breaker.failures = self._strikes = 0
        elif (tripped := breaker.note(outcome.error)) is not None:
            self.fail(tripped)
        if self._writer is None or not self._writer.note(outcome):
            self._finish(outcome)

    def _finish(self, outcome: Outcome) -> None:
        held = self._held
        if held is None:
            self._done.append(outcome)
        else:
            held[outcome.index] = outcome
            while (following := held.pop(self._due, None)) is not None:
                self._done.append(following)
                self._due += 1
        if self._news is not None or self.stopping:
            self._tell()

    # ─────────────────────────────── what the writer says ───────────────────────────────

    def may_send(self, rows: list[tuple[int, VerifyRequest]]) -> None:
        """These may be sent now."""
        if self.stopping:
            for index, row in rows:
                self._put_back(index, row)
            return
        self._ready.extend(rows)
        self._wake_workers(len(self._ready))

    def recorded(self, outcomes: list[Outcome]) -> None:
        """These are durable now."""
        for outcome in outcomes:
            self._finish(outcome)

    def lost(self, count: int) -> None:
        """So many rows were not announced, and never will be."""
        self._taken -= count
        self._tell()

    def hungry(self) -> bool:
        """There is little left to send."""
        return len(self._ready) <= self._concurrency // 4

    def idle(self) -> bool:
        """There is nothing left to do but to wait for the journal."""
        return not self._ready and len(self._idle) == self._concurrency

    def fail(self, error: BaseException) -> None:
        """Stop the run with *error*; the first one counts."""
        if self.error is None:
            self.error = error
        self.stop()


def _invalid(index: int, row: object) -> Outcome:
    if isinstance(row, InvalidRow):
        return Outcome(index, row.key, None, row.error, 0.0, row.kind)
    error = InvalidInputError(f"Row {index} is not a VerifyRequest but {type(row).__name__}.")
    return Outcome(index, None, None, error, 0.0)


def _unexpected(error: Exception) -> AuthingError:
    """An error that no call should raise. Its text is left out, it may hold anything; it stands as the cause."""
    wrapped = AuthingError(f"The call failed unexpectedly ({type(error).__name__}).", delivery="unknown")
    wrapped.__cause__ = error
    return wrapped
