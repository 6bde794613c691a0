"""What the connection of an SQLite journal promises: its thread, another process's lock, a file that is deleted under the run.

(Longer than 300 lines: all of it is about one class.)
"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import subprocess
import sys
import threading
import weakref
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from authing_mfa import InvalidInputError
from authing_mfa.batch import JournalError, JournalLostError, verify_many
from authing_mfa.batch.api import engine_for
from authing_mfa.batch.errors import JournalAwayError
from authing_mfa.batch.journal import connection as connection_module
from authing_mfa.batch.journal import journal as journal_module
from authing_mfa.batch.journal import schema
from authing_mfa.batch.journal.database import open_database
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.journal.records import Writing
from authing_mfa.batch.options import RunOptions
from tests.batch.conftest import FakeClient, default_answer, totp_rows, until
from tests.batch.test_engine import collect
from tests.batch.test_journal import line, query

ROOT = str(Path(__file__).parents[2])


def locked(path):
    """Another connection that holds the file's lock until it is closed."""
    other = sqlite3.connect(path, timeout=20, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return closing(other)


async def made(path):
    """A journal of three rows."""
    await collect(FakeClient(), totp_rows(3), journal=path)
    return path


OUTLIVING = """
import asyncio, sys, threading
sys.path.insert(0, sys.argv[2])
from tests.batch.conftest import FakeClient, default_answer, totp_rows
from authing_mfa.batch import verify_many

begun = threading.Event()

async def answer(operation, token):
    while threading.main_thread().is_alive():
        begun.set()
        await asyncio.sleep(0.01)
    return default_answer(operation, token)

async def main():
    rows = verify_many(FakeClient(answer), totp_rows(20), journal=sys.argv[1], concurrency=2)
    print(len([outcome async for outcome in rows if outcome.ok]))

threading.Thread(target=lambda: asyncio.run(main())).start()
begun.wait()
"""


def program(text, *arguments):
    command = [sys.executable, "-c", text, *map(str, arguments), ROOT]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


async def test_a_run_on_a_thread_that_outlives_the_main_one_goes_on(tmp_path):
    """An executor's threads take no more work then."""
    done = await asyncio.to_thread(program, OUTLIVING, tmp_path / "run.db")
    assert (done.stdout, done.stderr) == ("20\n", "")


FORGOTTEN = """
import asyncio, sqlite3, sys
sys.path.insert(0, sys.argv[2])
from authing_mfa.batch.journal import connection
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.journal.records import Writing

connection._LOCK_WAIT = 3600.0

async def main():
    journal = await Journal.open(sys.argv[1])
    other = sqlite3.connect(sys.argv[1], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(journal.write(Writing()))
    await asyncio.sleep(0)
    return other, writing

loop = asyncio.new_event_loop()
kept = loop.run_until_complete(main())
loop.close()
print("left", flush=True)
"""


async def test_the_exit_does_not_wait_for_a_transaction_that_waits_for_a_lock(tmp_path):
    """The event loop is closed, and the program ends, while the transaction waits. The program has 60 s to end; the wait would be an hour."""
    done = await asyncio.to_thread(program, FORGOTTEN, tmp_path / "run.db")
    assert done.stdout == "left\n"
    assert "exception calling callback" not in done.stderr


@pytest.mark.parametrize("gone", ["run.db", "run.db-wal"])
@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_journal_that_is_deleted_or_replaced_under_the_run_stops_it(tmp_path, gone, how):
    """SQLite would go on writing to the lost file, and the run would send rows that no journal knows."""
    client, given = FakeClient(), []

    async def run():
        async with aclosing(
            verify_many(client, totp_rows(500), journal=tmp_path / "run.db", concurrency=4)
        ) as outcomes:
            async for outcome in outcomes:
                given.append(outcome)
                if len(given) == 20:
                    (tmp_path / gone).unlink()
                    if how == "replaced":
                        (tmp_path / gone).write_bytes(b"")

    with pytest.raises(JournalLostError, match="deleted or replaced"):
        await run()
    assert len(given) == len(client.sent) <= 20 + 4 * 4


async def test_a_journal_that_waits_for_a_lock_goes_on_when_it_is_free(tmp_path):
    """Other runs of the same file hold it for a moment each."""
    journal = await Journal.open(tmp_path / "run.db")
    with locked(tmp_path / "run.db"):
        writing = asyncio.create_task(journal.write(Writing(rows=[line(0)])))
        await asyncio.wait([writing], timeout=0.6)  # longer than one try
        assert not writing.done()
    await writing
    await journal.close()
    assert await query(str(tmp_path / "run.db"), "SELECT position FROM mfa_batch_row") == [(0,)]


@pytest.mark.parametrize("missing", ["lock", "tables"])
async def test_only_a_lock_is_waited_for(tmp_path, monkeypatch, missing):
    """Each other error is raised at once; a lock's after the limit."""
    monkeypatch.setattr(connection_module, "_LOCK_WAIT", 0.0 if missing == "lock" else 3600.0)
    path = await made(tmp_path / "run.db")
    if missing == "lock":
        with locked(path), pytest.raises(JournalError, match="locked"):
            await Journal.open(path)
    else:
        path.write_bytes(b"no database" * 1000)
        with pytest.raises(JournalError, match="not a database"):
            await Journal.open(path)


async def test_stopping_a_run_whose_journal_is_locked_at_its_opening_does_not_wait_for_the_lock(tmp_path, monkeypatch):
    """Ctrl-C does this. Nothing was sent, so the first one is enough."""
    monkeypatch.setattr(connection_module, "_LOCK_WAIT", 3600.0)
    monkeypatch.setattr(connection_module, "_SHORT_LOCK_WAIT", 0.0)  # one try
    path = await made(tmp_path / "run.db")
    engine = engine_for(FakeClient(), totp_rows(3), RunOptions(concurrency=2, journal=path))
    with locked(path):
        run = asyncio.create_task(anext(engine.outcomes(), None))
        await until(lambda: any(thread.name == "batch journal" for thread in threading.enumerate()))
        engine.stop()
        assert await asyncio.wait_for(run, 60) is None


async def test_an_opening_that_is_cancelled_before_it_connects_does_not_wait_for_the_lock(tmp_path, monkeypatch):
    """Its thread is still looking at the file then."""
    monkeypatch.setattr(connection_module, "_LOCK_WAIT", 3600.0)
    monkeypatch.setattr(connection_module, "_SHORT_LOCK_WAIT", 0.0)  # one try
    begun, cancelled = threading.Event(), threading.Event()

    def look(*arguments, **options):
        begun.set()
        cancelled.wait(60)
        return open_database(*arguments, **options)

    monkeypatch.setattr(journal_module, "open_database", look)
    path = tmp_path / "run.db"
    with locked(path):
        opening = asyncio.create_task(Journal.open(path))
        await asyncio.to_thread(begun.wait, 20)
        opening.cancel()
        await asyncio.sleep(0)
        cancelled.set()
        done, _ = await asyncio.wait([opening], timeout=30)
    assert done
    assert opening.cancelled()


async def test_a_run_whose_journal_failed_does_not_wait_for_a_lock_to_give_its_claim_back(tmp_path, monkeypatch):
    """The lock may be why it failed: the run would wait twice as long."""
    monkeypatch.setattr(connection_module, "_LOCK_WAIT", 3600.0)
    monkeypatch.setattr(connection_module, "_SHORT_LOCK_WAIT", 0.0)  # one try

    async def fail(journal, writing):
        other.execute("BEGIN IMMEDIATE")
        raise JournalError("The journal could not be written.")

    path = await made(tmp_path / "run.db")
    monkeypatch.setattr(Journal, "write", fail)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        running = asyncio.create_task(collect(FakeClient(), totp_rows(9), journal=path))
        done, _ = await asyncio.wait([running], timeout=30)
    assert done
    with pytest.raises(JournalError, match="could not be written"):
        await running


@pytest.mark.parametrize("how", ["abandoned", "cancelled twice"])
async def test_a_run_that_is_ended_at_once_does_not_wait_for_a_lock(tmp_path, monkeypatch, how):
    """A second Ctrl-C, a second cancellation: the rows of the window are unknown, and the run ends."""
    monkeypatch.setattr(connection_module, "_LOCK_WAIT", 3600.0)
    monkeypatch.setattr(connection_module, "_SHORT_LOCK_WAIT", 0.0)  # one try
    path = await made(tmp_path / "run.db")

    async def run():
        async with aclosing(engine.outcomes()) as outcomes:
            return [outcome async for outcome in outcomes]

    answered, never = asyncio.Event(), asyncio.Event()

    async def answer(operation, token):
        if token == "t7":
            answered.set()
            await never.wait()
        return default_answer(operation, token)

    engine = engine_for(FakeClient(answer), totp_rows(9), RunOptions(concurrency=2, journal=path))
    running = asyncio.create_task(run())
    await answered.wait()
    with locked(path):
        if how == "abandoned":
            engine.stop()
            engine.abandon()
        else:
            for _ in range(2):
                running.cancel()
                await asyncio.sleep(0.05)
        done, _ = await asyncio.wait([running], timeout=60)
    assert done
    with pytest.raises((JournalError, asyncio.CancelledError)):
        await running


async def test_a_run_that_is_ended_at_once_does_not_wait_for_a_database_that_is_away(tmp_path, monkeypatch):
    """As for PostgreSQL, which may be away for as long as `max_outage`."""
    away = asyncio.Event()

    async def fail(journal, writing):
        away.set()
        raise JournalAwayError("The journal's database cannot be reached.")

    path = await made(tmp_path / "run.db")
    monkeypatch.setattr(Journal, "write", fail)
    engine = engine_for(FakeClient(), totp_rows(9), RunOptions(concurrency=2, journal=path, max_outage=3600.0))

    async def run():
        async with aclosing(engine.outcomes()) as outcomes:
            return [outcome async for outcome in outcomes]

    running = asyncio.create_task(run())
    await away.wait()
    engine.stop()
    engine.abandon()
    done, _ = await asyncio.wait([running], timeout=30)
    assert done
    with pytest.raises(JournalAwayError):
        await running


async def test_a_run_whose_writer_cannot_start_leaves_the_journal_free(tmp_path):
    """The next run need not wait until its claim has ended."""
    path = await made(tmp_path / "run.db")
    (tmp_path / "run.db.recovery-codes.jsonl").mkdir()
    with pytest.raises(JournalError, match="recovery codes"):
        await collect(FakeClient(), totp_rows(3), journal=path)
    assert await query(str(path), "SELECT owner FROM mfa_batch_claim") == [("",)]


@pytest.mark.parametrize(
    "name", ["file::memory:?uri=true", "file:run.db?mode=memory&uri=true", "file:run.db?nolock=1&uri=true"]
)
async def test_a_url_that_changes_what_sqlite_does_is_refused(tmp_path, monkeypatch, name):
    """A journal in memory under another name would be lost with the process."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError, match="uri="):
        await collect(FakeClient(), totp_rows(1), journal=f"sqlite:///{name}")
    assert list(tmp_path.iterdir()) == []


async def opened(path):
    database = open_database(path)
    await database.connect()
    return database


def number(connection):
    return connection.exec_driver_sql("SELECT 7").scalar()


async def test_a_closing_that_is_cancelled_closes_all_the_same(tmp_path):
    """An open connection would keep the -wal file."""
    database = await opened(tmp_path / "run.db")
    hold = threading.Event()
    busy = asyncio.create_task(database.transact(lambda _: hold.wait(60)))
    await asyncio.sleep(0)
    closing_ = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    closing_.cancel()
    await asyncio.wait([closing_])
    hold.set()
    assert await busy
    await until(lambda: not (tmp_path / "run.db-wal").exists())


async def test_work_that_fails_is_rolled_back_and_the_next_is_done(tmp_path):
    """A transaction is kept whole or not at all."""

    def half(connection):
        connection.exec_driver_sql("CREATE TABLE half (a)")
        raise ValueError("no")

    database = await opened(tmp_path / "run.db")
    with pytest.raises(ValueError, match="no"):
        await database.transact(half)
    assert await database.transact(number) == 7
    await database.connect()
    assert await database.transact(number) == 7
    await database.close()
    assert await query(str(tmp_path / "run.db"), "SELECT name FROM sqlite_master") == []


async def test_a_database_that_is_forgotten_or_closed_ends_its_thread(tmp_path):
    """A long-lived service runs many batches."""
    before = set(threading.enumerate())

    def ended():
        return set(threading.enumerate()) <= before

    closed = await opened(tmp_path / "one.db")
    driver = closed._connection.connection.driver_connection
    await closed.close()
    await until(ended)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        driver.execute("SELECT 7")
    forgotten = weakref.ref(await opened(tmp_path / "two.db"))
    gc.collect()
    await until(lambda: forgotten() is None)
    await until(ended)


def test_a_connection_that_cannot_be_set_up_is_closed(tmp_path):
    """SQLAlchemy leaves it open, and newer Pythons warn of that."""
    (tmp_path / "run.db").write_bytes(b"no database" * 1000)
    driver = sqlite3.connect(tmp_path / "run.db")
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        schema._set_up_sqlite(driver, None)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        driver.execute("SELECT 7")


async def test_a_file_that_is_locked_before_it_is_a_journal_is_waited_for(tmp_path):
    """Another process may just be making the journal."""
    path = tmp_path / "run.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE foreign_table (a)")
        other.execute("BEGIN EXCLUSIVE")
        opening = asyncio.create_task(Journal.open(path))
        await until(lambda: any(thread.name == "batch journal" for thread in threading.enumerate()))
        await asyncio.wait([opening], timeout=0.6)  # longer than one try
        assert not opening.done()
    await (await opening).close()


async def test_connecting_again_takes_the_file_that_is_there(tmp_path):
    """It is another file than before, and not one that was replaced under a connection."""
    database = await opened(tmp_path / "run.db")
    assert await database.transact(number) == 7
    (tmp_path / "kept.db").write_bytes(b"")
    (tmp_path / "kept.db").replace(tmp_path / "run.db")
    await database.connect()
    assert await database.transact(number) == 7
    await database.close()


def test_a_loop_that_is_closed_beside_a_transaction_does_not_end_the_thread(tmp_path, caplog):
    """No caller waits for the result of the first transaction. A transaction on another event loop is done."""
    hold = threading.Event()

    async def begin():
        database = await opened(tmp_path / "run.db")
        task = asyncio.create_task(database.transact(lambda _: hold.wait(60)))
        await asyncio.sleep(0)
        return database, task

    loop = asyncio.new_event_loop()
    database, task = loop.run_until_complete(begin())
    loop.close()
    hold.set()

    async def go_on():
        async with asyncio.timeout(60):
            assert await database.transact(number) == 7
        await database.close()

    asyncio.run(go_on())
    del task
    gc.collect()  # asyncio says that it was pending
    assert [each.getMessage() for each in caplog.records if "it is pending" not in each.getMessage()] == []


async def test_a_cancelled_call_is_done_to_its_end(tmp_path, caplog):
    """The caller gets the cancellation. The thread still commits the transaction."""
    database = await opened(tmp_path / "run.db")
    task = asyncio.create_task(database.transact(lambda each: each.exec_driver_sql("CREATE TABLE kept (a)").close()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await database.close()
    assert await query(str(tmp_path / "run.db"), "SELECT name FROM sqlite_master") == [("kept",)]
    assert caplog.records == []
