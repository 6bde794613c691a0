"""The run itself: K workers, an input that is read no faster than rows are processed, and an output of limited size.

The life of a row. "Durable" is what the journal holds then; without a journal the states are the same and nothing is durable.

=============  ===================================================  ==================================================
state          who moves it on                                      durable
=============  ===================================================  ==================================================
pulled         `_admit`: known from the journal -> settled;         nothing
               at a gap of the journal -> waiting; else an intent
               is logged, or (a check) it is ready
waiting        `_admit`, when the next row that the journal knows   nothing
               was compared: as a row that was pulled
intent logged  `JournalWriter`, with its next window -> ready       nothing
ready          a worker -> in flight                                the intent (not of a check)
in flight      `_verify`: answered -> answered; it cannot have      the intent
               acted and may be tried again -> in flight; the run
               stops and it cannot have acted -> put back
put back       `JournalWriter.retract`: gone from this run          what was before, once the retraction is written
answered       `JournalWriter`, with its next window -> settled     the intent; then the outcome
settled        `outcomes` hands it over                             the outcome
=============  ===================================================  ==================================================

A resumed run follows the journal: an outcome is given again, an intent without an outcome is of unknown fate, and a row with
neither is sent. A row that is sent again goes through the same states. Its intent replaces its old outcome by one of unknown fate, so
that what a killed run leaves is never taken for the old outcome, and sent once more.

From its pull to its hand-over a row takes one of 2 x concurrency places, so memory does not grow with the input. With a
journal there are twice as many places, so that rows are ready to be logged with each window of outcomes.

(Longer than 300 lines: every change of state in the table is made here.)
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.batch.errors import RunTokenError
from authing_mfa.batch.models import InvalidRow, Outcome, VerifyRequest
from authing_mfa.batch.run.circuit import CircuitBreaker
from authing_mfa.batch.run.perform import LIMITED_ATTEMPTS, is_retryable, pause_before_retry
from authing_mfa.errors import (
    AuthingError,
    InvalidInputError,
    InvalidMfaTokenError,
    LoginError,
    NotAuthenticatedError,
    RateLimitedError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from authing_mfa.batch.journal.writer import JournalWriter
    from authing_mfa.batch.options import RunOptions
    from authing_mfa.batch.run.perform import RowPerformer
    from authing_mfa.batch.run.progress import ProgressCounter
    from authing_mfa.batch.run.rate_limit import Limiter
    from authing_mfa.batch.run.source import Source

__all__ = ["Engine"]

_REPORT_EVERY: Final = 1.0  # seconds, while nothing happens


class Engine:
    """One run. `outcomes` does it, `stop` ends it early: what was sent is waited for, the rest is not started.

    Attributes:
        stopping: True if no row is started any more.
        began: the journal, where there is one, was opened and is this run's.
        error: the error that ended the run.
    """

    def __init__(
        self,
        perform: RowPerformer,
        source: Source,
        options: RunOptions,
        *,
        limiter: Limiter,
        open_writer: Callable[[], Awaitable[JournalWriter]] | None = None,
        progress: ProgressCounter | None = None,
        first: int = 0,
    ) -> None:
        """Prepare a run; nothing is done yet.

        Args:
            perform: performs a row.
            source: the source of the rows.
            options: the options of the run.
            limiter: decides when calls may start.
            open_writer: opens the journal writer when the run begins; None if nothing is recorded.
            progress: counts each outcome that is handed over.
            first: the position of the first row.
        """
        self._perform = perform
        self._source = source
        self._limiter = limiter
        self._circuit = CircuitBreaker(
            options.stop_after_failures,
            options.max_outage,
            probe=perform.probe,
            stop=self.fail,
            clock=time.perf_counter,
        )
        self._open_writer = open_writer
        self._writer: JournalWriter | None = None
        self._progress = progress
        self._concurrency = concurrency = options.concurrency
        self._places = (2 if open_writer is None else 4) * concurrency
        self._taken = 0  # rows pulled and not yet handed over
        self._first = self._index = first
        # Rows at a gap of the journal take no place: the row that they wait for must be pulled.
        self._at_gap: list[tuple[int, VerifyRequest]] = []
        self._ready: deque[tuple[int, VerifyRequest]] = deque()
        self._done: deque[Outcome] = deque()
        self._held: dict[int, Outcome] | None = {} if options.ordered else None
        self._due = first
        self._idle: deque[asyncio.Future[None]] = deque()
        self._room: asyncio.Future[None] | None = None
        self._news: asyncio.Future[None] | None = None
        self._workers: list[asyncio.Task[None]] = []
        self._feeder: asyncio.Task[None] | None = None
        self._reporter: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[JournalWriter] | None = None
        self._pulling = self._prepared = False
        self._fed = self._over = self._abandoned = False
        self._calls = 0
        self._own_tokens = False  # True after a row with its own token
        self._began = 0.0
        self.stopping: bool = False
        self.began: bool = False
        self.error: BaseException | None = None

    # ─────────────────────────────── handing over ───────────────────────────────

    async def outcomes(self) -> AsyncGenerator[Outcome, None]:
        """Do the run. The error that stops it is raised after the last outcome.

        Closing this generator, or cancelling the task that waits for it, stops the run and returns when the sent rows are recorded.
        """
        if not await self._open():
            return
        self._start()
        done, progress = self._done, self._progress
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
                if self._abandoned or (self._fed and not self._taken):
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
        """Start no more rows; those in flight still come out of `outcomes`."""
        if self.stopping:
            return
        self.stopping = True
        if self._opening is not None:
            self._opening.cancel()  # nothing was sent
        self._limiter.close()
        self._circuit.close()
        self._at_gap.clear()
        while self._ready:
            self._put_back(*self._ready.popleft())
        if self._writer is not None:
            self._taken -= self._writer.drop_unlogged()
        if self._pulling and self._feeder is not None:
            self._feeder.cancel()
        self._source.close()
        self._make_room()
        self._tell()

    def abandon(self) -> None:
        """Stop, and do not wait for the answers to sent rows: the fate of those rows is unknown."""
        self.stop()
        self._abandoned = True
        if self._writer is not None:
            self._writer.stop_waiting()
        for worker in self._workers:
            worker.cancel()
        self._tell()

    def fail(self, error: BaseException) -> None:
        """Stop the run with *error*; the first one counts."""
        if self.error is None:
            self.error = error
        self.stop()

    async def _open(self) -> bool:
        """Open the journal, where there is one; False: the run was stopped meanwhile."""
        if self.stopping:
            return False
        if self._open_writer is not None:
            opening = self._opening = asyncio.ensure_future(self._open_writer())
            try:
                self._writer = await opening
            except asyncio.CancelledError:
                if not self._was_stopped():
                    raise
                return False
            finally:
                self._opening = None
            try:
                await self._writer.start(self)
            except BaseException:
                await self._writer.finish()  # the journal is free for the next run at once
                raise
        self.began = True
        return True

    def _was_stopped(self) -> bool:
        """The run was stopped, and the running task was not cancelled by its owner."""
        task = asyncio.current_task()
        return self.stopping and task is not None and not task.cancelling()

    def _start(self) -> None:
        self._began = time.perf_counter()
        create = asyncio.create_task
        self._feeder = create(self._feed(), name="batch feeder")
        self._workers = [create(self._work(), name=f"batch worker {n}") for n in range(self._concurrency)]
        if self._progress is not None:
            self._reporter = create(self._report(self._progress), name="batch progress")

    async def _report(self, progress: ProgressCounter) -> None:
        """Report regularly, so that a pause is shown as well."""
        try:
            while True:
                await asyncio.sleep(_REPORT_EVERY)
                progress.report(paused=self._limiter.paused(), away=self._circuit.open)
        except Exception as error:  # noqa: BLE001 - an error of the caller's callback is for the caller
            self.fail(error)

    def _tell(self) -> None:
        """Wake the tasks that wait for outcomes."""
        if self.stopping and self._held and self._taken == len(self._held) + len(self._done):
            self._done.extend(self._held.pop(index) for index in sorted(self._held))  # the rows before them never come
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _make_room(self) -> None:
        """Let the feeder pull when enough places are free."""
        room = self._room
        if room is not None and (self.stopping or self._places - self._taken >= self._source.least):
            self._room = None
            if not room.done():
                room.set_result(None)

    async def _close(self) -> None:
        self.stop()
        self._over = True
        self._wake_workers(len(self._idle))
        if self._reporter is not None:
            self._reporter.cancel()
        tasks = [*self._workers, *([] if self._feeder is None else [self._feeder])]
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:  # cancelled again: the caller does not want to wait for the answers
            self.abandon()
            await asyncio.wait(tasks)
            raise
        finally:
            if self._reporter is not None:
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([self._reporter])
            if self._writer is not None:
                await self._writer.finish()

    # ─────────────────────────────── taking in ───────────────────────────────

    async def _feed(self) -> None:
        try:
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
                        self._writer.earlier.check_end(self._index - self._first, self._first)
                    break
                await self._prepare(self._index + len(rows))
                await self._admit(rows)
        except asyncio.CancelledError:
            if not self.stopping:
                raise
        except BaseException as error:  # noqa: BLE001 - an error of the input ends the run and is for the caller
            self.fail(error)
        finally:
            self._pulling = False
            self._fed = True
            self._source.close()
            self._tell()

    async def _prepare(self, end: int) -> None:
        """Find the service, once rows before position *end* are to be sent."""
        if not self._prepared and (self._writer is None or not self._writer.earlier.knows(end)):
            self._prepared = self._pulling = True
            await self._perform.prepare()
            self._pulling = False

    async def _pull(self) -> list[Any]:
        """Return the next rows. An error of the input is its end, and raised after the outcomes of the rows before it."""
        try:
            return await self._source.pull(self._places - self._taken)
        except Exception as error:  # noqa: BLE001 - it is for the caller
            self.error = self.error or error
            return []

    async def _admit(self, rows: list[Any]) -> None:
        if self._writer is not None:
            await self._writer.earlier.look_up(self._index, len(rows))
        for row in rows:
            if self.stopping:
                return
            index = self._index
            self._index = index + 1
            self._taken += 1
            try:
                self._admit_one(index, row)
            except AuthingError:
                self._taken -= 1
                raise
            except Exception as error:  # noqa: BLE001 - a strange row is one failed row
                self._finish(_strange(index, row, error))
        if self._writer is not None:
            self._writer.wake()
        self._wake_workers(len(self._ready))

    def _admit_one(self, index: int, row: object) -> None:
        writer = self._writer
        known = None if writer is None else writer.recall(index, row)
        at_gap = writer is not None and writer.earlier.is_gap(index)
        if self._at_gap and not at_gap:
            self._leave_gap()
        if known is not None:
            self._finish(known)
        elif not isinstance(row, VerifyRequest):
            self._finish(_invalid(index, row))
        elif at_gap:
            self._taken -= 1
            self._at_gap.append((index, row))
        else:
            self._begin_row(index, row)

    def _leave_gap(self) -> None:
        """Begin the rows of a gap of the journal: the row after it is the journal's, so none of them was removed or added."""
        rows, self._at_gap = self._at_gap, []
        self._taken += len(rows)
        for index, row in rows:
            try:
                self._begin_row(index, row)
            except Exception as error:  # noqa: BLE001 - a strange row is one failed row
                self._finish(_strange(index, row, error))

    def _begin_row(self, index: int, row: VerifyRequest) -> None:
        if row.token is not None:
            self._own_tokens = True
        if self._writer is None or not self._writer.log_intent(index, row):
            self._ready.append((index, row))

    def _wake_workers(self, count: int) -> None:
        idle = self._idle
        while count and idle:
            worker = idle.popleft()
            if not worker.done():
                worker.set_result(None)
                count -= 1

    def _put_back(self, index: int, row: VerifyRequest) -> None:
        """Put a row back that the service has not acted on, because the run is stopping."""
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
        except BaseException as error:  # noqa: BLE001 - a worker that dies unnoticed would block the run for ever
            self.fail(error)

    async def _work_off(self) -> None:
        ready = self._ready
        while True:
            if ready:
                await self._verify(*ready.popleft())
                continue
            if self._over:
                return
            turn = asyncio.get_running_loop().create_future()
            self._idle.append(turn)
            if self._writer is not None and self.idle():
                self._writer.wake()
            await turn

    async def _verify(self, index: int, row: VerifyRequest) -> None:
        """Send a row until it is answered, or may not be sent again; then settle it, or put it back."""
        attempt, waits = 0, list[int]()
        outcome: Outcome | None = None
        while self._at_once() or await self._may_send():
            attempt += 1
            self._calls += 1
            started = time.perf_counter()
            value, error = await self._answer(row)
            outcome = Outcome(index, row.key, value, error, time.perf_counter() - started, row.kind)
            if error is None:
                self._limiter.succeeded(started)
                self._circuit.note(None)
                break
            if self._ends_run(row, error):
                continue
            pause = self._pause(row, error, attempt, started)
            if pause is None and self._waits_for_service(row, outcome, waits):
                attempt, pause = 0, 0.0
                waits.append(self._circuit.closings)
            if pause is None:
                break
            if pause and not self.stopping:
                await asyncio.sleep(pause)
        if outcome is None or (self.stopping and self._is_untouched(row, outcome)):
            self._put_back(index, row)
        elif self._writer is None or not self._writer.note(outcome):
            self._finish(outcome)

    async def _answer(self, row: VerifyRequest) -> tuple[Any, AuthingError | None]:
        try:
            return await self._perform(row), None
        except AuthingError as error:
            return None, error
        except Exception as error:  # noqa: BLE001 - a row never raises
            return None, _unexpected(error)

    def _at_once(self) -> bool:
        """True if there is nothing to wait for before a call starts."""
        return (
            self._limiter.free
            and not self._circuit.open
            and not self.stopping
            and (self._writer is None or not self._writer.stale())
        )

    async def _may_send(self) -> bool:
        """Wait until a call may start: the service answers, the rate allows it, the claim is valid. False: no call may start any more."""
        try:
            while not self.stopping:
                waited = self._circuit.open
                if waited:
                    await self._circuit.wait()
                if not self._limiter.free and not await self._limiter.acquire():
                    return False
                if waited or not self._circuit.open:
                    break
            while self._writer is not None and self._writer.stale() and not self.stopping:
                await self._writer.renew()  # checked again: this process may have been suspended meanwhile
        except Exception as error:  # noqa: BLE001 - a lost claim, or of a shared rate a lost connection
            self.fail(error)
        return not self.stopping

    def _ends_run(self, row: VerifyRequest, error: AuthingError) -> bool:
        """Stop the run and return True if *error* does not concern the row: every other row would fail as well."""
        if isinstance(error, UsageError):
            self.fail(error)
        elif row.token is None and isinstance(error, (NotAuthenticatedError, InvalidMfaTokenError)):
            self.fail(RunTokenError.refused(error))
        elif row.token is None and isinstance(error, LoginError) and not self._own_tokens:
            self.fail(RunTokenError.missing())
        else:
            return False
        return True

    @staticmethod
    def _is_untouched(row: VerifyRequest, outcome: Outcome) -> bool:
        """Return True if the service has not acted on the row, and its answer does not concern the row: the row is not done yet."""
        return (
            outcome.undone
            or isinstance(outcome.error, UsageError)
            or (row.token is None and isinstance(outcome.error, (NotAuthenticatedError, InvalidMfaTokenError)))
        )

    def _pause(self, row: VerifyRequest, error: AuthingError, attempt: int, started: float) -> float | None:
        """Return the seconds until the row is tried again, or None."""
        if isinstance(error, RateLimitedError) and error.http_status == 429:
            elapsed, paused = time.perf_counter() - self._began, self._limiter.paused()
            self._limiter.limited(error.retry_after, started, self._calls / max(elapsed, 1.0))
            if self._progress is not None and not paused:
                self._progress.report(paused=self._limiter.paused())
            if attempt < LIMITED_ATTEMPTS and is_retryable(row):
                return 0.0
            self._circuit.note(error)
            return None
        self._circuit.note(error)
        return pause_before_retry(row, error, attempt)

    def _waits_for_service(self, row: VerifyRequest, outcome: Outcome, waits: list[int]) -> bool:
        """Return True if nothing of the row was sent because the service cannot be reached: it is sent when the service is back.

        Not if the row itself is the cause: other rows were answered since it waited first, or its photo cannot be uploaded.
        """
        error = outcome.error
        if error is None or error.delivery != "not_sent" or not is_retryable(row):
            return False
        if waits and (row.operation is None or self._circuit.closings > waits[0] + 1):
            return False
        return self._circuit.gave_up(error)

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

    # ─────────────────────────────── what the journal writer says ───────────────────────────────

    def may_send(self, rows: list[tuple[int, VerifyRequest]]) -> None:
        """Send these rows: their intents are durable."""
        if self.stopping:
            for index, row in rows:
                self._put_back(index, row)
            return
        self._ready.extend(rows)
        self._wake_workers(len(self._ready))

    def recorded(self, outcomes: list[Outcome]) -> None:
        """Give these outcomes: they are durable."""
        for outcome in outcomes:
            self._finish(outcome)

    def lost(self, count: int) -> None:
        """Note the number of rows whose intents were not logged, and never will be."""
        self._taken -= count
        self._tell()

    def hungry(self) -> bool:
        """True if little is left to send."""
        return len(self._ready) <= self._concurrency // 4

    def idle(self) -> bool:
        """True if the run only waits for the journal."""
        return not self._ready and len(self._idle) == self._concurrency


def _invalid(index: int, row: object) -> Outcome:
    if isinstance(row, InvalidRow):
        return Outcome(index, row.key, None, row.error, 0.0, row.kind)
    error = InvalidInputError(f"Row {index + 1} is not a VerifyRequest but {type(row).__name__}.")
    return Outcome(index, None, None, error, 0.0)


def _strange(index: int, row: object, error: Exception) -> Outcome:
    return Outcome(index, getattr(row, "key", None), None, _unexpected(error, sent=False), 0.0)


def _unexpected(error: Exception, *, sent: bool = True) -> AuthingError:
    """Return an error that no call should raise. Its text is left out, because it may hold anything; the error is the cause."""
    doing = "call failed" if sent else "row could not be taken in"
    said = f"The {doing} unexpectedly ({type(error).__name__})."
    wrapped = AuthingError(said, delivery="unknown" if sent else "not_sent")
    wrapped.__cause__ = error
    return wrapped
