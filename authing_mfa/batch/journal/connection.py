"""The one connection of a journal. A transaction is one plain function of SQLAlchemy's connection.

SQLite runs it from begin to commit on a separate thread, so the event loop waits once for each transaction, and not for each
statement. PostgreSQL runs it on the event loop, with SQLAlchemy's asyncio extension.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

__all__ = ["Database", "PostgreSQL", "SQLite"]


class Database(Protocol):
    """A database with one connection. The methods raise the errors of SQLAlchemy and of the driver."""

    async def connect(self) -> None:
        """Connect, also again after the connection was lost."""

    async def transact(self, work: Callable[[sa.Connection], T]) -> T:
        """Run *work* in one transaction: it is committed as a whole, or if *work* raises, rolled back."""
        ...

    async def close(self) -> None:
        """Close the connection; nothing may follow."""


class SQLite:
    """An SQLite file. All its work is done on one thread, in the order of the calls; what has begun there is not cancelled."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batch journal")

    async def connect(self) -> None:
        """As `Database.connect`."""
        await self._on_thread(self._connect)

    async def transact(self, work: Callable[[sa.Connection], T]) -> T:
        """As `Database.transact`."""

        def transaction() -> T:
            assert self._connection is not None
            with self._connection.begin():
                return work(self._connection)

        return await self._on_thread(transaction)

    async def close(self) -> None:
        """As `Database.close`."""
        try:
            await self._on_thread(self._disconnect)
        finally:
            self._thread.shutdown(wait=False)

    async def _on_thread(self, do: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, do)

    def _connect(self) -> None:
        self._disconnect()
        self._connection = self._engine.connect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is broken already, and its error was raised
                connection.close()
        self._engine.dispose()


class PostgreSQL:
    """A PostgreSQL database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None

    async def connect(self) -> None:
        """As `Database.connect`."""
        await self._disconnect()
        self._connection = await self._engine.connect()

    async def transact(self, work: Callable[[sa.Connection], T]) -> T:
        """As `Database.transact`."""
        assert self._connection is not None
        async with self._connection.begin():
            return await self._connection.run_sync(work)

    async def close(self) -> None:
        """As `Database.close`."""
        await self._disconnect()
        await self._engine.dispose()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # as for SQLite
                await connection.close()
