"""Connect the run and its journal: log the intents of rows before they are sent, then record their outcomes, both in windows.

One task does all the writing. While a transaction runs, the next window fills; one transaction records outcomes and logs as many
new intents, so a durable write costs the run little. At most `most` rows are between their intent and their recorded outcome at any
time: an interruption can leave only these unknown.

(Longer than 300 lines: everything here shares the window.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from authing_mfa.batch.errors import JournalAwayError, JournalError
from authing_mfa.batch.journal.claims import boot_clock
from authing_mfa.batch.journal.fingerprint import fingerprint
from authing_mfa.batch.journal.records import Writing
from authing_mfa.batch.journal.serialization import UNANSWERED, to_journal
from authing_mfa.batch.models import Outcome, VerifyRequest
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from authing_mfa.batch.journal.earlier_run import EarlierRun
    from authing_mfa.batch.journal.journal import Journal
    from authing_mfa.batch.journal.records import Entry
    from authing_mfa.batch.journal.recovery_codes import RecoveryFile
    from authing_mfa.batch.options import RunOptions

__all__ = ["JournalWriter"]

_GATHER: Final = 0.02  # seconds that a window may wait to fill while there is other work to do

Sent = tuple[int, VerifyRequest]
Keep = Callable[[list[Outcome]], Awaitable[None]]
Line = tuple[int, str | None, str, str]  # a row's line in the journal: position, key, kind, fingerprint
Intent = tuple[int, VerifyRequest, Line | None]  # position and row; no line if the journal has one already


class Run(Protocol):
    """The methods of the run that the writer calls, all on the event loop."""

    def may_send(self, rows: list[Sent]) -> None:
        """Note rows that may be sent now."""

    def recorded(self, outcomes: list[Outcome]) -> None:
        """Note outcomes that are durable now."""

    def fail(self, error: BaseException) -> None:
        """Stop, because the journal cannot be written."""

    def lost(self, count: int) -> None:
        """Note the number of rows whose intents were not logged and never will be."""

    def hungry(self) -> bool:
        """True if the run has little left to send, so that the window need not fill."""
        ...

    def idle(self) -> bool:
        """True if the run only waits for the journal."""
        ...


class JournalWriter:
    """Writes the journal of one run.

    Attributes:
        journal: None if only new recovery codes are kept.
        recovery: the file for recovery codes.
        earlier: the rows of an earlier run of this journal.
    """

    def __init__(
        self,
        journal: Journal | None,
        recovery: RecoveryFile,
        options: RunOptions,
        *,
        earlier: EarlierRun,
        keep: Keep | None = None,
    ) -> None:
        """Prepare the writer; `start` begins.

        Args:
            journal: an open journal.
            recovery: the file for new recovery codes.
            options: the options of the run.
            earlier: the rows of an earlier run of this journal.
            keep: writes the values that the journal does not hold to the output, before outcomes are recorded.
        """
        self.journal = journal
        self.recovery = recovery
        self.earlier: EarlierRun = earlier
        self._keep = keep
        self._max_outage = options.max_outage
        self._resend_rejected = options.resend_rejected
        self._window = options.concurrency  # a transaction is written for this number of intents and outcomes
        self._most = 2 * options.concurrency  # rows that may be logged and not recorded
        self._open = 0  # rows with a logged intent and without a recorded outcome
        self._answered = 0  # those of them whose outcomes are in the window
        self._resend_unknown = options.resend_unknown
        self._intents: list[Intent] = []
        self._checks: dict[int, Line] = {}  # lines of rows that need no intent, written with the outcome
        self._before: dict[int, Entry] = {}  # entries of rows that are sent again, until their outcomes are written
        self._digests: dict[int, str] = {}  # fingerprints of rows with recovery codes, until their outcomes are written
        self._outcomes: list[Outcome] = []
        self._codes_kept = 0  # the new recovery codes of the first so many of them are in their file
        self._without_journal: list[Outcome] = []  # outcomes that came too late for it
        self._retracted: list[int] = []
        self._renewals: list[asyncio.Future[None]] = []
        self._news = asyncio.Event()
        self._gathering = False
        self._closing = False
        self._waits_no_more = asyncio.Event()
        self._broken: BaseException | None = None
        self._task: asyncio.Task[None] | None = None
        self._run: Run

    async def start(self, run: Run) -> None:
        """Start the task that writes, for *run*."""
        self._run = run
        await self.earlier.read_codes(self.recovery)
        self._task = asyncio.create_task(self._write_all(), name="batch journal")

    # ─────────────────────────────── what was before ───────────────────────────────

    def recall(self, index: int, row: object) -> Outcome | None:
        """Return the outcome that *row* had in an earlier run, or None if the row must be sent.

        Raises:
            InputChangedError: the journal knows another row at this position.
            JournalError: its entry cannot be read.
        """
        found = self.earlier.recall(index, row)
        if found is None:
            return None
        outcome, entry = found
        if not self._is_to_be_sent(outcome, entry):
            return outcome
        self._before[index] = entry
        return None

    def _is_to_be_sent(self, outcome: Outcome, entry: Entry) -> bool:
        if outcome.undone or (outcome.status == "unknown" and outcome.kind == "check"):
            return True
        if self.earlier.is_of_this_run(entry):
            return False
        if outcome.status == "unknown":
            return self._resend_unknown
        error = outcome.error
        return error is not None and outcome.status == "rejected" and error.code in self._resend_rejected

    # ─────────────────────────────── what comes now ───────────────────────────────

    def log_intent(self, index: int, row: VerifyRequest) -> bool:
        """Log the intent of *row*, which is sent after that. False: it needs no intent, send it. `wake` must follow."""
        if self.journal is None:
            if row.kind != "recovery":
                return False
            line = None
        else:
            before = self._before.get(index)
            if before is None:
                line = self._line(index, row, self.journal.salt)
                digest = line[3]
            else:
                line, digest = None, before.digest
            if row.kind == "recovery":
                self._digests[index] = digest
            if row.kind == "check":
                if line is not None:
                    self._checks[index] = line
                return False
        self._intents.append((index, row, line))
        return True

    def note(self, outcome: Outcome) -> bool:
        """Record *outcome*, which is given after that. False: it needs no recording."""
        if self._broken is not None:
            self._without_journal.append(outcome)
            return False
        if self.journal is None and outcome.kind != "recovery":
            return False
        self._outcomes.append(outcome)
        self._answered += outcome.kind != "check"
        self.wake()
        return True

    def drop_unlogged(self) -> int:
        """Forget the rows whose intents are not logged yet, because the run is stopping. Return their number."""
        dropped, self._intents = self._intents, []
        return len(dropped)

    def retract(self, index: int, row: VerifyRequest) -> None:
        """Remove the intent of a row that is not sent after all. A row that was to be sent again gets back its entry."""
        self._checks.pop(index, None)
        self._digests.pop(index, None)
        if row.kind == "check":
            self._before.pop(index, None)  # its old outcome is still there
        elif self.journal is not None:
            self._retracted.append(index)

    def stale(self) -> bool:
        """True if the claim must be renewed before anything is sent."""
        return self.journal is not None and boot_clock() >= self.journal.deadline

    async def renew(self) -> None:
        """Renew the claim now.

        Raises:
            JournalError: it cannot be renewed; `ClaimLostError` if another owner has it.
        """
        if self._broken is not None:
            raise self._broken
        renewed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._renewals.append(renewed)
        self.wake()
        await renewed

    def stop_waiting(self) -> None:
        """Do not wait for a database that is locked or away: nobody wants to wait for the run's end."""
        self._waits_no_more.set()
        if self.journal is not None:
            self.journal.stop_waiting()

    async def finish(self) -> None:
        """Write the last window, release the claim, close."""
        self._closing = True
        self.wake()
        try:
            if self._task is not None:
                await self._task
        finally:
            with suppress(JournalError):  # the run has ended with an error already, and the outcomes hold the codes
                await self.recovery.write(self._without_journal, self._digests)
            self.recovery.close()
            if self.journal is not None:
                with suppress(JournalError):  # everything was written or reported; the next owner handles the rest
                    await self.journal.close()

    @staticmethod
    def _line(index: int, row: VerifyRequest, salt: bytes) -> Line:
        return index, row.key, row.kind, fingerprint(row, salt)

    # ─────────────────────────────── the one who writes ───────────────────────────────

    def wake(self) -> None:
        """Wake the task that writes, but not while its window can still fill: each time would cost more than the row's line."""
        if not (self._gathering and self._may_fill()):
            self._news.set()

    async def _write_all(self) -> None:
        try:
            while True:
                self._news.clear()
                if not (self._loggable() or self._outcomes or self._retracted or self._renewals):
                    if self._closing:
                        return
                    await self._wait_for_news()
                    continue
                await self._gather()
                await self._write_window()
        except BaseException as error:  # noqa: BLE001 - the run must get every error
            self._give_up(error)

    async def _wait_for_news(self) -> None:
        beat = None if self.journal is None else self.journal.lease / 3
        try:
            async with asyncio.timeout(beat):
                await self._news.wait()
        except TimeoutError:
            assert self.journal is not None
            await self._write(self.journal, Writing())

    async def _gather(self) -> None:
        """Let the window fill, unless the run waits for it."""
        if not self._may_fill():
            return
        self._gathering = True
        try:
            async with asyncio.timeout(_GATHER):
                await self._news.wait()
        except TimeoutError:
            return
        finally:
            self._gathering = False

    def _may_fill(self) -> bool:
        """True if nothing waits for the window, and it is not full."""
        if self._closing or self._renewals:
            return False
        loggable = self._loggable()
        if len(self._outcomes) + loggable >= self._window:
            return False
        return not (self._run.idle() or (loggable and self._run.hungry()))

    def _loggable(self) -> int:
        """Return how many intents may be logged with the next window."""
        if not self._intents:
            return 0
        return min(len(self._intents), self._most - self._open + len(self._retracted) + self._answered)

    async def _write_window(self) -> None:
        count = self._loggable()
        intents, self._intents = self._intents[:count], self._intents[count:]
        outcomes, self._outcomes = self._outcomes, []
        kept, self._codes_kept = self._codes_kept, 0
        answered, self._answered = self._answered, 0
        renewals, self._renewals = self._renewals, []
        retracted, self._retracted = self._retracted, []
        try:
            await self._keep_codes(intents, outcomes[kept:])
            kept = len(outcomes)
            if self._keep is not None:
                await self._keep(outcomes)
            if self.journal is not None:
                await self._write(self.journal, self._writing(intents, outcomes, retracted))
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            self._codes_kept += kept
            self._renewals = renewals + self._renewals
            self._run.lost(len(intents))
            raise
        self._open += len(intents) - len(retracted) - answered
        self._forget(outcomes, retracted)
        for renewed in renewals:
            if not renewed.done():
                renewed.set_result(None)
        if outcomes:
            self._run.recorded(outcomes)
        if intents:
            self._run.may_send([(index, row) for index, row, _ in intents])

    def _forget(self, outcomes: list[Outcome], retracted: list[int]) -> None:
        """Forget the rows whose outcomes are recorded, or which are put back."""
        if self._before or self._digests:
            for index in [*retracted, *[outcome.index for outcome in outcomes]]:
                self._before.pop(index, None)
                self._digests.pop(index, None)

    def _writing(self, intents: list[Intent], outcomes: list[Outcome], retracted: list[int]) -> Writing:
        """Return the content of the transaction of a window."""
        lines = [line for _, _, line in intents if line is not None]
        if self._checks:
            lines += [line for outcome in outcomes if (line := self._checks.pop(outcome.index, None))]
        writing = Writing(lines, [(outcome.index, to_journal(outcome)) for outcome in outcomes], retracted=retracted)
        if self._before:
            self._replace_old(writing, [index for index, _, _ in intents])
        return writing

    def _replace_old(self, writing: Writing, intents: list[int]) -> None:
        """Add what becomes of the old outcomes of rows that are sent again.

        With its intent such a row becomes one of unknown fate, whatever the journal knew: it may have been sent. With its new outcome,
        or when it is put back, this is replaced. The old outcome of a row that is not in this window stays: it may never be sent.
        """
        before = self._before
        sent_again = [index for index in intents if index in before]
        answered = [index for index, _ in writing.outcomes if index in before]
        put_back = [index for index in writing.retracted if index in before]
        if not (sent_again or answered or put_back):
            return
        writing.undo = [*sent_again, *answered, *put_back]
        writing.outcomes += [(index, UNANSWERED) for index in sent_again]
        writing.retracted = [index for index in writing.retracted if index not in before]
        for index in put_back:
            entry = before[index]
            if entry.answer is not None and entry.epoch is not None:
                writing.put_back.append((index, entry.epoch, entry.answer))

    async def _keep_codes(self, intents: list[Any], outcomes: list[Outcome]) -> None:
        if any(entry[1].kind == "recovery" for entry in intents):
            await self.recovery.open()
        await self.recovery.write(outcomes, self._digests)

    async def _keep_waiting_codes(self) -> None:
        """Write the new recovery codes of the outcomes that wait for the next window."""
        waiting = self._outcomes[self._codes_kept :]
        await self.recovery.write(waiting, self._digests)
        self._codes_kept += len(waiting)

    async def _write(self, journal: Journal, writing: Writing) -> None:
        """Write to the journal. If its database is away for a moment, the run waits: this process knows what it sent."""
        clock = asyncio.get_running_loop().time
        until, pause, away = clock() + self._max_outage, 0.1, False
        while True:
            try:
                if away:
                    await journal.reconnect()
                await journal.write(writing)
            except JournalAwayError:
                if clock() >= until or self._waits_no_more.is_set():
                    raise
                away = writing.again = True
                await self._keep_waiting_codes()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._waits_no_more.wait()
                pause = min(2 * pause, 2.0)
            else:
                return

    def _give_up(self, error: BaseException) -> None:
        """Handle a journal that cannot be written any more: known outcomes are still given, rows without an intent are never sent.

        If nobody takes the outcomes any more, `finish` at least writes their new recovery codes to the file.
        """
        self._broken = error if isinstance(error, AuthingError) else JournalError(f"The journal failed: {error!r}.")
        self.stop_waiting()  # the claim too would wait for what could not be written
        outcomes, self._outcomes = self._outcomes, []
        self._without_journal = outcomes[self._codes_kept :]
        renewals, self._renewals = self._renewals, []
        for renewed in renewals:
            if not renewed.done():
                renewed.set_exception(self._broken)
        self._run.lost(self.drop_unlogged())
        self._run.recorded(outcomes)
        self._run.fail(self._broken)
