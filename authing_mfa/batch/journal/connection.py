"""The one connection of a journal. A transaction is one plain function of SQLAlchemy's connection.

SQLite runs it from begin to commit on a separate thread, so the event loop waits once for each transaction, and not for each
statement. PostgreSQL runs it on the event loop, with SQLAlchemy's asyncio extension.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import weakref
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from authing_mfa.batch.errors import JournalLostError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

_LOCK_WAIT: Final = 20.0  # seconds that a transaction waits for another process that holds the file's lock
_SHORT_LOCK_WAIT: Final = 1.0  # the same after `stop_waiting`
_ANSWER_WAIT: Final = 20.0  # seconds that a transaction may take on PostgreSQL, longer than a lock of another run lasts
_SHORT_ANSWER_WAIT: Final = 1.0  # the same after `stop_waiting`

__all__ = ["Database", "PostgreSQL", "SQLite"]


class Database(Protocol):
    """A database with one connection. The methods raise the errors of SQLAlchemy and of the driver."""

    async def connect(self) -> None:
        """Connect, also again after the connection was lost."""

    async def transact(self, work: Callable[[sa.Connection], T]) -> T:
        """Run *work* in one transaction: it is committed as a whole, or if *work* raises, rolled back."""
        ...

    def stop_waiting(self) -> None:
        """Stop waiting for other processes, now and later: a transaction that waits for one fails after a second."""

    async def close(self) -> None:
        """Close the connection; nothing may follow."""


class SQLite:
    """An SQLite file. All its work is done on one thread, in the order of the calls, also if a caller is cancelled.

    The thread is a daemon and not one of an executor: it works on after the main thread has ended, and the exit of the interpreter does
    not wait for it. SQLite undoes a transaction that the exit interrupts.
    """

    def __init__(self, engine: sa.Engine, path: str) -> None:
        self._engine = engine
        self._files = (Path(path), Path(f"{path}-wal"))
        self._marks: tuple[object, ...] | None = None  # of these files, since the first transaction
        self._connection: sa.Connection | None = None
        self._waits_no_more = False
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._end = weakref.finalize(self, self._jobs.put, None)
        threading.Thread(target=_run_jobs, args=(self._jobs,), name="batch journal", daemon=True).start()

    async def connect(self) -> None:
        """As `Database.connect`."""
        await self._on_thread(self._connect)

    async def transact(self, work: Callable[[sa.Connection], T]) -> T:
        """As `Database.transact`.

        Raises:
            JournalLostError: the file was deleted or replaced.
        """

        def transaction() -> T:
            connection = self._connection
            assert connection is not None
            with self._wait_for_lock(connection.begin):
                result = work(connection)
            self._check_files()
            return result

        return await self._on_thread(transaction)

    def stop_waiting(self) -> None:
        """As `Database.stop_waiting`."""
        self._waits_no_more = True

    async def close(self) -> None:
        """As `Database.close`."""
        try:
            await self._on_thread(self._disconnect)
        finally:
            self._end()

    async def _on_thread(self, do: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(give: Callable[[Any], None], value: Any) -> None:
            if not answer.done():
                give(value)

        def job() -> None:
            give: Callable[[Any], None] = answer.set_result
            value: Any
            try:
                value = do()
            except BaseException as error:  # noqa: BLE001 - any error is for the caller
                give, value = answer.set_exception, error
            with suppress(RuntimeError):  # the loop was closed meanwhile: no caller waits any more
                loop.call_soon_threadsafe(settle, give, value)

        self._jobs.put(job)
        return await answer

    def _wait_for_lock(self, do: Callable[[], T]) -> T:
        """Do what needs the file's lock, again while another process holds it. Each try waits a little: see `schema.sqlite_engine`."""
        began = time.monotonic()
        while True:
            try:
                return do()
            except Exception as error:
                limit = _SHORT_LOCK_WAIT if self._waits_no_more else _LOCK_WAIT
                if not _is_locked(error) or time.monotonic() - began >= limit:
                    raise

    def _check_files(self) -> None:
        """Check that the files at the path are still those that SQLite writes to. SQLite checks this only without a -wal file."""
        marks = tuple([_mark(file) for file in self._files])
        if self._marks is None:
            self._marks = marks
        elif marks != self._marks:
            raise JournalLostError(
                f"The journal {self._files[0]} or its -wal file was deleted or replaced during the run, and what is recorded now is "
                "lost. Nothing more is sent. Keep the output: the journal does not know every row that was sent."
            )

    def _connect(self) -> None:
        self._disconnect()
        self._connection = self._wait_for_lock(self._engine.connect)
        self._marks = None

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is broken already, and its error was raised
                connection.close()
        self._engine.dispose()


def _run_jobs(jobs: SimpleQueue[Callable[[], None] | None]) -> None:
    """Do *jobs* until None. It holds no journal: one that is forgotten is collected, and that ends the thread."""
    while (job := jobs.get()) is not None:
        job()
        del job


def _is_locked(error: Exception) -> bool:
    cause = getattr(error, "orig", None) or error
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _mark(file: Path) -> object:
    """Return what distinguishes *file* from another file at its path, None if there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class PostgreSQL:
    """A PostgreSQL database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._limit: asyncio.Timeout | None = None  # of the step that runs
        self._waits_no_more = False

    async def connect(self) -> None:
        """As `Database.connect`."""
        await self._disconnect()
        async with self._at_most(None):  # the driver limits this wait itself
            self._connection = await self._engine.connect()

    async def transact(self, work: Callable[[sa.Connection], T]) -> T:
        """As `Database.transact`.

        Raises:
            TimeoutError: the server does not answer. Its machine may have lost the network: then TCP alone would wait for minutes.
        """
        assert self._connection is not None
        async with self._at_most(_ANSWER_WAIT), self._connection.begin():
            return await self._connection.run_sync(work)

    @asynccontextmanager
    async def _at_most(self, seconds: float | None) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_SHORT_ANSWER_WAIT if self._waits_no_more else seconds) as self._limit:
                yield
        except TimeoutError as error:
            raise TimeoutError("the server does not answer") from error
        finally:
            self._limit = None

    def stop_waiting(self) -> None:
        """As `Database.stop_waiting`."""
        self._waits_no_more = True
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + _SHORT_ANSWER_WAIT)

    async def close(self) -> None:
        """As `Database.close`."""
        await self._disconnect()
        await self._engine.dispose()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # as for SQLite
                await connection.close()
