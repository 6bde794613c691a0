"""What the journal does on PostgreSQL alone."""

from __future__ import annotations

import asyncio
import socket

import pytest

from authing_mfa.batch.errors import JournalAwayError
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.journal.records import Writing
from tests.batch.conftest import until
from tests.batch.test_journal import counts, line, query


async def test_runs_that_begin_at_once_make_the_tables_once(postgres):
    """Without a lock PostgreSQL refuses to make a table that another transaction is making."""
    journals = await asyncio.gather(*(Journal.open(postgres, run=f"run {number}") for number in range(8)))
    assert sorted(journal._run for journal in journals) == list(range(1, 9))
    for journal in journals:
        await journal.close()


async def test_a_connection_that_was_ended_between_two_transactions_is_replaced(postgres):
    """An administrator, a proxy or a restart may end it while nothing happens; the next transaction says that it is away."""
    journal = await Journal.open(postgres)
    connection = (await journal._database._connection.get_raw_connection()).driver_connection
    await query(postgres, f"SELECT pg_terminate_backend({connection.get_server_pid()})")
    await until(connection.is_closed)
    with pytest.raises(JournalAwayError):
        await journal.write(Writing(rows=[line(0)]))
    await journal.reconnect()
    await journal.write(Writing(rows=[line(0)]))
    assert await counts(postgres) == (1, 0)
    await journal.close()


async def test_connect_timeout_limits_how_long_a_silent_server_is_waited_for():
    """The driver alone would wait for a minute."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/d?sslmode=disable&connect_timeout=0.1"
        opening = asyncio.create_task(Journal.open(url))
        done, _ = await asyncio.wait([opening], timeout=20)
    with pytest.raises(JournalAwayError):
        await opening
    assert done
