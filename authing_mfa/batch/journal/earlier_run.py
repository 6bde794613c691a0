"""The rows that the journal has from an earlier run: they are compared with the input, and their outcomes are given again."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

import attrs

from authing_mfa.batch.errors import InputChangedError, JournalError
from authing_mfa.batch.journal.fingerprint import fingerprint
from authing_mfa.batch.journal.serialization import INTERRUPTED, from_journal
from authing_mfa.batch.models import Outcome, VerifyRequest
from authing_mfa.errors import ApiError, NetworkError
from authing_mfa.models import UserInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.batch.journal.journal import Journal
    from authing_mfa.batch.journal.records import Entry
    from authing_mfa.batch.journal.recovery_codes import RecoveryFile

__all__ = ["EarlierRun", "check_same"]

_BLOCK: Final = 1024  # how many rows of the journal are read ahead
_ANSWERED: Final = "The service refused this row; the journal could not record its answer."


class EarlierRun:
    """What the journal holds of an earlier run."""

    def __init__(
        self,
        journal: Journal | None,
        *,
        epoch: int | None = None,
        line: Callable[[int], tuple[str, int] | None] | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            journal: an open journal; None: there is no earlier run.
            epoch: the epoch of the claim before this run, if an owner in this run may have had the claim before this one.
            line: returns status and code of the line that the output has of a row.
        """
        self._journal = journal
        self._epoch = epoch
        self._line = line
        self._known: dict[int, Entry] = {}
        self._known_to = 0
        self._compared = -1  # the position of the last row that is the journal's
        self._codes: dict[tuple[int, str], dict[str, Any]] = {}

    async def read_codes(self, recovery: RecoveryFile) -> None:
        """Read the recovery codes of the earlier run, if there was one."""
        if self._journal is not None and self._journal.last >= 0:
            self._codes = await recovery.recorded()

    async def look_up(self, first: int, count: int) -> None:
        """Read the entries of *count* rows from *first*, in blocks, for `recall`."""
        journal = self._journal
        if journal is None or first > journal.last or first + count <= self._known_to:
            return
        left = {index: entry for index, entry in self._known.items() if index >= first}
        start = max(first, self._known_to)
        self._known_to = start + max(count, _BLOCK)
        self._known = left | await journal.load(start, self._known_to - 1)

    def knows(self, end: int) -> bool:
        """Return True if the journal knows rows from position *end* on: most rows before it were sent."""
        return self._journal is not None and end <= self._journal.last + 1

    def is_gap(self, index: int) -> bool:
        """Return True if the journal does not know the row at this position, and knows a later one.

        An invalid row leaves no entry. If it was removed from the input, the row that stands there now was perhaps sent: that shows when
        the next row that the journal knows is compared, and no row of the gap may be sent before.
        """
        return self._journal is not None and self._compared < index < self._journal.last

    def recall(self, index: int, row: object) -> tuple[Outcome, Entry] | None:
        """Return the outcome that *row* had, and the journal's entry; None if the journal does not know the row.

        Raises:
            InputChangedError: the journal knows another row at this position.
            JournalError: its entry cannot be read.
        """
        entry = self._known.pop(index, None)
        if entry is None or self._journal is None:
            return None
        check_same(index, row, entry, self._journal.salt)
        self._compared = index
        return self._outcome(index, entry), entry

    def is_of_this_run(self, entry: Entry) -> bool:
        """Return True if the row may have been sent in this run, by an owner that has died or failed: it is not sent again in this run."""
        if self._journal is None or self._epoch is None:
            return False
        if entry.epoch is None:
            return self._journal.epoch > self._epoch + 1  # it is not known which owner has logged the intent
        return entry.epoch > self._epoch

    def check_end(self, count: int, first: int) -> None:
        """Check the end of the input, after *count* rows from *first*.

        Raises:
            InputChangedError: the journal knows more rows.
        """
        if self._journal is not None and self._journal.last >= first + count:
            raise InputChangedError(
                f"The input has {count} rows, but the journal has row {self._journal.last + 1}: the input was changed."
            )

    def _outcome(self, index: int, entry: Entry) -> Outcome:
        kept = self._codes.get((index, entry.digest)) if entry.kind == "recovery" else None
        outcome = _recorded(index, entry)
        if outcome.status == "unknown":
            if kept is not None:  # the new code was written before the run ended: the call succeeded
                value = UserInfo(id=kept["id"], recovery_code=kept["code"])
                return attrs.evolve(outcome, value=value, error=None, elapsed=0.0)
            return self._witnessed(outcome, entry)
        if kept is not None and isinstance(outcome.value, UserInfo):
            outcome = attrs.evolve(outcome, value=attrs.evolve(outcome.value, recovery_code=kept["code"]))
        return outcome

    def _witnessed(self, outcome: Outcome, entry: Entry) -> Outcome:
        """Return what the output's line says of a row whose answer the journal could not record; else *outcome*.

        Any line but one that says ok may be older than the last sending of a row that was sent again, which has a recorded outcome.
        """
        if self._line is None or entry.kind == "check" or (line := self._line(outcome.index)) is None:
            return outcome
        status, code = line
        if status == "ok":
            return attrs.evolve(outcome, error=None, elapsed=0.0)
        if status == "rejected" and entry.answer is None:
            return attrs.evolve(outcome, error=ApiError(_ANSWERED, code=code))
        return outcome


def _recorded(index: int, entry: Entry) -> Outcome:
    """Return the outcome that the journal has recorded; without one, the outcome of a row of unknown fate."""
    if entry.answer is None:
        error = NetworkError(INTERRUPTED, delivery="unknown")
        return Outcome(index, entry.key, None, error, 0.0, entry.kind, restored=True)
    try:
        return from_journal(entry.answer, index, entry.key, entry.kind)
    except (ValueError, KeyError, TypeError) as error:
        raise JournalError(f"The journal's entry of row {index + 1} cannot be read.") from error


def check_same(index: int, row: object, entry: Entry, salt: bytes) -> None:
    """Check that *row* is the row of this *entry*.

    Raises:
        InputChangedError: it is another row.
    """
    if (
        not isinstance(row, VerifyRequest)
        or (entry.key, entry.kind) != (row.key, row.kind)
        or not hmac.compare_digest(entry.digest, fingerprint(row, salt))
    ):
        raise InputChangedError(
            f"Row {index + 1} is not the row that the journal has at this position: the input was changed. "
            "Give the old input, or start with a new journal."
        )
