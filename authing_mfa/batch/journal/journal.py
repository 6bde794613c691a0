"""The journal: the rows that were sent and their outcomes, in SQLite or PostgreSQL, both through SQLAlchemy.

Two tables keep the promise. `row` has a line for each row that may have been sent, committed before it is sent; `outcome` has a
line for each row whose answer is known. A row without an outcome is of unknown fate. `claim` says who may write (see `claims`),
`run` holds the salt of the rows' fingerprints.

(A little longer than 300 lines: opening, claiming and writing share one connection and its errors.)
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

from authing_mfa.batch.errors import ClaimLostError, JournalAwayError, JournalError
from authing_mfa.batch.journal.claims import LEASE, Claim, Owner, boot_clock, takeover
from authing_mfa.batch.journal.database import is_away, open_database, shown
from authing_mfa.batch.journal.records import Edge, Entry, Span, Writing
from authing_mfa.batch.journal.service import check_service
from authing_mfa.errors import AuthingError, InvalidInputError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Coroutine, Iterator

    import sqlalchemy as sa

    from authing_mfa.batch.journal.connection import Database
    from authing_mfa.discovery import Service

__all__ = ["Journal"]

T = TypeVar("T")

_CHECKED: Final = 10_000  # positions per query
_WATCH: Final = 0.1  # seconds between two reads of a claim


class Journal:
    """One run in one database, or one partition of it, for one owner at a time. Use `open` to make one.

    Attributes:
        last: the highest position in the journal when it was opened, -1 for a new journal.
        salt: the key of the rows' fingerprints, one for each run.
        deadline: a time of `boot_clock`; after it nothing may be sent until the claim is renewed.
        epoch: of the claim.
    """

    def __init__(self, address: str | os.PathLike[str], *, run: str, span: Span, lease: float, owner: Owner) -> None:
        self.last = -1
        self.salt: bytes = b""
        self.deadline: float = 0.0
        self.epoch: int = 0
        self.lease = lease
        self._address = address
        self._run_name = run
        self._run = 0
        self._part = span.part
        self._span = span
        self._owner = owner
        self._database: Database | None = None
        self._waits_no_more = False
        self._lock = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        address: str | os.PathLike[str],
        *,
        run: str = "run",
        span: Span | None = None,
        steal: bool = False,
        lease: float = LEASE,
        beginning: Literal["new", "known", "either"] = "either",
        service: Service | None = None,
        moved: bool = False,
    ) -> Self:
        """Open or make the journal at *address* and claim *run*, or its partition.

        Args:
            address: a path (SQLite) or a database URL.
            run: the name of the run, for several in one database.
            span: the partition, if the rows are divided; else all rows.
            steal: take the partition from an owner that is alive: the scheduler has given it away.
            lease: seconds that the claim is valid without being renewed; a takeover by another machine takes at most as long.
            beginning: whether the journal must not, must, or may know the run already.
            service: the application and the service of the run; None: they are not checked.
            moved: True if *service* is the run's, though the journal has another one.

        Raises:
            JournalError: the journal cannot be opened, is read-only or damaged, another run uses it, it must know the run and
                does not, or the run has another service.
            InvalidInputError: the address is invalid, or of another database, or the journal knows the run and must not.
        """
        journal = cls(address, run=run, span=span or Span(), lease=lease, owner=Owner.me())
        try:
            with _said(f"The journal {shown(address)} cannot be opened"):
                await journal._to_its_end(journal._connect(make=beginning != "known"))
                await journal._to_its_end(journal._prepare(make=beginning != "known"))
                await journal._claim(steal=steal)
                journal.last = await journal._to_its_end(journal._highest())
                if beginning == "new":
                    journal._check_new()
                if service is not None:
                    await journal._to_its_end(journal._check_service(service, moved=moved))
        except BaseException:
            with suppress(Exception):
                await journal._close(claimed=bool(journal.deadline))
            raise
        return journal

    async def load(self, first: int, last: int) -> dict[int, Entry]:
        """Return the entries of the rows from position *first* to *last*."""
        from authing_mfa.batch.journal import schema

        def known(connection: sa.Connection) -> dict[int, Entry]:
            found = connection.execute(schema.KNOWN, {"run": self._run, "first": first, "last": last})
            return {line[0]: Entry(*line[1:]) for line in found}

        return await self._transact("read", known)

    async def edges(self) -> dict[int, Edge]:
        """Return the first and the last known row of each partition, by the partition's number."""
        from authing_mfa.batch.journal import schema

        def found(connection: sa.Connection) -> dict[int, Edge]:
            lines = connection.execute(schema.EDGES, {"run": self._run})
            return {
                part: Edge(first, last, Entry(key, kind, digest, None))
                for part, first, last, key, kind, digest in lines
            }

        return await self._transact("read", found)

    async def epochs(self) -> dict[int, int]:
        """Return the epoch of each partition that has a claim."""
        from authing_mfa.batch.journal import schema

        def claimed(connection: sa.Connection) -> dict[int, int]:
            found = connection.execute(schema.EPOCHS, {"run_": self._run})
            return {line[0]: line[1] for line in found}

        return await self._transact("read", claimed)

    def _check_new(self) -> None:
        if self.last >= 0:
            raise InvalidInputError(
                "This journal belongs to an earlier run: resume that run (--resume), or name another journal."
            )

    async def check_knows(self, positions: Iterator[int]) -> None:
        """Check that the journal has a row at each of these *positions*, given in ascending order.

        Raises:
            JournalError: a row is missing: this is another journal, or a part of it was lost.
        """
        while block := list(islice(positions, _CHECKED)):
            known = await self.load(block[0], block[-1])
            missing = [position for position in block if position not in known]
            if missing:
                raise JournalError(
                    f"The output holds an outcome of row {missing[0] + 1}, and the journal does not know that row: it is "
                    "another journal, or its -wal file was lost. Nothing is sent. Restore the journal, or begin anew with "
                    "another journal and another output."
                )

    async def write(self, writing: Writing) -> None:
        """Write all of *writing*, or nothing, durably, and renew the claim.

        Raises:
            ClaimLostError: another owner has taken over.
            JournalAwayError: the connection to the database was lost; everything was written, or nothing.
            JournalError: the journal cannot be written; nothing was written.
        """
        began = boot_clock()
        await self._transact("written", lambda connection: self._write(connection, writing))
        self.deadline = began + self.lease

    def _write(self, connection: sa.Connection, writing: Writing) -> None:
        from authing_mfa.batch.journal import schema

        run, part, epoch = self._run, self._part, self.epoch
        if not schema.renew(connection, run, part, epoch):
            raise ClaimLostError("Another worker has taken over this run: this worker stops writing and sending.")
        for statement, positions in ((schema.FORGET_OUTCOME, writing.undo), (schema.FORGET_ROW, writing.retracted)):
            if positions:
                connection.execute(statement, [{"run_": run, "position_": position} for position in positions])
        if writing.rows:
            rows = [(run, position, part, *row) for position, *row in writing.rows]
            schema.insert(connection, schema.ROW, rows, again=writing.again)
        if writing.outcomes or writing.put_back:
            outcomes = [(run, position, epoch, answer) for position, answer in writing.outcomes]
            outcomes += [(run, *outcome) for outcome in writing.put_back]
            schema.insert(connection, schema.OUTCOME, outcomes, again=writing.again)

    async def reconnect(self) -> None:
        """Connect again after the connection was lost; the claim is still ours unless another owner took it.

        Raises:
            JournalAwayError: the database still cannot be reached.
        """
        assert self._database is not None
        with _said("The journal's database cannot be reached"):
            await self._database.connect()

    async def close(self) -> None:
        """Release the claim and close the connection."""
        await self._close(claimed=self._database is not None)

    async def _close(self, *, claimed: bool) -> None:
        try:
            if claimed:
                await self._release()
        finally:
            await self._dispose()

    def stop_waiting(self) -> None:
        """Wait no more for other processes that hold the database's lock: what cannot be done soon fails."""
        self._waits_no_more = True
        if self._database is not None:
            self._database.stop_waiting()

    async def _release(self) -> None:
        from authing_mfa.batch.journal import schema

        mine = {"run_": self._run, "part_": self._part, "epoch_": self.epoch}
        await self._transact("written", lambda connection: connection.execute(schema.RELEASE, mine))

    # ─────────────────────────────── opening ───────────────────────────────

    async def _connect(self, *, make: bool) -> None:
        self._database = await asyncio.to_thread(open_database, self._address, make=make)  # imports a lot, opens files
        if self._waits_no_more:
            self._database.stop_waiting()
        await self._database.connect()

    async def _prepare(self, *, make: bool) -> None:
        from authing_mfa.batch.journal import schema

        if self._span.rows is None or self._span.whole:  # not repeated for each partition: it reads the whole database
            await self._transact("read", schema.check_whole)
        if not make and not await self._transact("read", lambda connection: schema.knows(connection, self._run_name)):
            raise JournalError(
                f"The journal {shown(self._address)} holds no run {self._run_name!r} to resume. Is it the right one?"
            )

        def found_or_made(connection: sa.Connection) -> tuple[int, str]:
            if not schema.knows(connection, self._run_name):  # else all tables exist that the run needs
                schema.create(connection)
            return schema.run_of(connection, self._run_name, salt=secrets.token_hex(32), layout=self._span.layout)

        self._run, salt = await self._transact("written", found_or_made)
        self.salt = bytes.fromhex(salt)

    async def _check_service(self, service: Service, *, moved: bool) -> None:
        begun = self.last >= 0
        await self._transact(
            "written",
            lambda connection: check_service(connection, self._run, self.salt, service, begun=begun, moved=moved),
        )

    async def _highest(self) -> int:
        from authing_mfa.batch.journal import schema

        mine = {"run": self._run, **self._span.range()}
        return await self._transact(
            "read", lambda connection: int(connection.execute(schema.HIGHEST, mine).scalar_one())
        )

    # ─────────────────────────────── claiming ───────────────────────────────

    async def _claim(self, *, steal: bool) -> None:
        seen: Claim | None = None
        until = boot_clock() + self.lease
        while True:
            began = boot_clock()
            claim = await self._to_its_end(self._read_claim())
            how = takeover(claim, self._owner.machine, steal=steal)
            if how == "watch" and claim is not None:
                seen, until = await self._watch(claim, seen, until)
                if boot_clock() < until:
                    continue
                how = "take"  # no heartbeat for as long as its lease: it can have sent nothing since
            if await self._to_its_end(self._take(claim, began)):
                if how == "take and wait" and claim is not None:
                    await self._wait_out(claim.lease)
                return

    async def _read_claim(self) -> Claim | None:
        from authing_mfa.batch.journal import schema

        mine = {"run_": self._run, "part_": self._part}
        line = await self._transact("read", lambda connection: connection.execute(schema.READ_CLAIM, mine).first())
        return None if line is None else Claim(*line)

    async def _watch(self, claim: Claim, seen: Claim | None, until: float) -> tuple[Claim, float]:
        if seen is None:
            return claim, boot_clock() + claim.lease
        if claim != seen:
            owner = Owner.parse(claim.owner)
            who = f"process {owner.pid} on {owner.machine.partition('/')[0]}" if owner else "another process"
            raise JournalError(f"Another run ({who}) uses this journal. Wait until it ends, or use another journal.")
        await asyncio.sleep(min(_WATCH, claim.lease / 4))
        return seen, until

    async def _take(self, claim: Claim | None, began: float) -> bool:
        """Take the claim that was read at *began*; False if it was changed meanwhile."""
        from authing_mfa.batch.journal import schema

        mine = {"owner": self._owner.text(), "lease": self.lease}
        self.epoch = 1 if claim is None else claim.epoch + 1

        def take(connection: sa.Connection) -> int:
            if claim is None:
                values = {"run": self._run, "part": self._part, "epoch": 1, "beat": 0, **mine}
                return connection.execute(schema.first_claim(connection.dialect.name), values).rowcount
            values = {"run_": self._run, "part_": self._part, "epoch_": claim.epoch, "beat_": claim.beat, **mine}
            return connection.execute(schema.TAKE_OVER, values).rowcount

        if await self._transact("written", take) != 1:
            return False
        self.deadline = began + self.lease
        return True

    async def _wait_out(self, seconds: float) -> None:
        """Wait until the old owner, which can no longer renew its lease, has stopped sending; our claim is renewed meanwhile."""
        until = boot_clock() + seconds
        while (left := until - boot_clock()) > 0:
            await asyncio.sleep(min(left, self.lease / 3))
            await self.write(Writing())

    # ─────────────────────────────── database ───────────────────────────────

    async def _transact(self, doing: str, work: Callable[[sa.Connection], T]) -> T:
        """Run *work* in one transaction, and nothing else at the same time."""
        from authing_mfa.batch.journal import schema

        def limited(connection: sa.Connection) -> T:
            schema.limit_idle_time(connection, self.lease)
            return work(connection)

        if self._database is None:
            raise JournalError("The journal is closed.")
        with _said(f"The journal could not be {doing}"):
            async with self._lock:
                return await self._database.transact(limited)

    async def _to_its_end(self, step: Coroutine[Any, Any, T]) -> T:
        """Run a step of opening to its end, also if it is cancelled meanwhile; then it waits for no other process.

        A transaction that is just beginning begins in the driver's thread even so, and an abandoned connection would hold the file.
        """
        task = asyncio.ensure_future(step)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self.stop_waiting()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # the cancellation is what the caller hears of
            raise

    async def _dispose(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            await database.close()


@contextmanager
def _said(what: str) -> Iterator[None]:
    """Turn any error of the database into one with a sentence; the statement and its values are left out."""
    try:
        yield
    except AuthingError:
        raise
    except Exception as error:
        cause = getattr(error, "orig", None) or error
        first = str(cause).strip().partition("\n")[0] or type(cause).__name__
        kind = JournalAwayError if is_away(error) else JournalError
        raise kind(f"{what}: {first.rstrip('.')}.") from error
