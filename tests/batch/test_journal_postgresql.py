"""What the journal does on PostgreSQL alone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import contextmanager

import pytest

from authing_mfa.batch.errors import JournalAwayError
from authing_mfa.batch.journal import connection as connection_module
from authing_mfa.batch.journal import database
from authing_mfa.batch.journal.database import open_database
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
        done, _ = await asyncio.wait([opening], timeout=45)
    with pytest.raises(JournalAwayError):
        await opening
    assert done


@contextmanager
def silent_server_of(journal):
    """The server process of the journal's connection takes what is sent and does not answer, as if its machine had lost the network."""
    process = journal._database._connection.sync_connection.connection.driver_connection.get_server_pid()
    os.kill(process, signal.SIGSTOP)  # a child of the tests' own server
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


async def test_a_server_that_stops_answering_counts_as_away(postgres, monkeypatch):
    """The transaction ends at its limit, and another connection goes on."""
    assert connection_module._ANSWER_WAIT == 20.0
    journal = await Journal.open(postgres)
    monkeypatch.setattr(connection_module, "_ANSWER_WAIT", 0.5)
    with silent_server_of(journal):
        with pytest.raises(JournalAwayError, match="the server does not answer"):
            await journal.write(Writing(rows=[line(0)]))
        monkeypatch.undo()
        await journal.reconnect()
        await journal.write(Writing(rows=[line(0)], again=True))
    assert await counts(postgres) == (1, 0)
    await journal.close()


async def test_a_run_that_is_ended_at_once_does_not_wait_for_a_silent_server(postgres, monkeypatch):
    """The transaction that waits already, and the next one, fail after a short time."""
    monkeypatch.setattr(connection_module, "_ANSWER_WAIT", 3600.0)
    journal = await Journal.open(postgres)
    with silent_server_of(journal):
        writing = asyncio.create_task(journal.write(Writing(rows=[line(0)])))
        await asyncio.wait([writing], timeout=0.1)
        journal.stop_waiting()
        with pytest.raises(JournalAwayError):
            await writing
        await journal.close()


async def test_a_run_that_is_ended_at_once_does_not_wait_for_a_silent_connection(monkeypatch):
    """The server takes the connection and says nothing."""
    monkeypatch.setattr(database, "_CONNECT_WAIT", 3600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/d?sslmode=disable"
        journal = open_database(address)
        connecting = asyncio.create_task(journal.connect())
        await asyncio.wait([connecting], timeout=0.1)
        journal.stop_waiting()
        with pytest.raises(TimeoutError, match="the server does not answer"):
            await connecting
        await journal.close()
