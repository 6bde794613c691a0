"""The claim on a run: how long it is valid, who may take it over, and that its owner keeps it while it waits."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from itertools import pairwise

import pytest

from authing_mfa.batch import JournalError
from authing_mfa.batch.journal import claims
from authing_mfa.batch.journal import journal as journal_module
from authing_mfa.batch.journal.claims import Owner, boot_clock
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.journal.records import Writing
from authing_mfa.batch.options import RunOptions
from tests.batch.conftest import FakeClient, totp_rows
from tests.batch.test_journal import query


async def test_the_new_owner_renews_its_claim_while_it_waits_for_the_old_one(store, monkeypatch):
    """Else a third process would take it for gone: the old lease may be longer than the new one."""
    old = await Journal.open(store, lease=10.0)
    now, pauses, beats = boot_clock(), [], []

    async def sleep(seconds):
        nonlocal now
        now += seconds
        pauses.append(seconds)
        beats.extend(await query(store, "SELECT epoch, beat FROM mfa_batch_claim"))

    monkeypatch.setattr(journal_module, "boot_clock", lambda: now)
    monkeypatch.setattr(journal_module.asyncio, "sleep", sleep)
    begun = now
    new = await Journal.open(store, lease=3.0, steal=True)
    monkeypatch.undo()
    assert now >= begun + 10.0
    assert max(pauses) <= 1.0
    assert [epoch for epoch, _ in beats] == [2] * len(pauses)
    assert all(later > earlier for (_, earlier), (_, later) in pairwise(beats))
    assert new.deadline == now + 3.0
    await new.close()
    await old.close()


async def test_the_claim_of_another_owner_is_read_with_pauses_until_its_lease_has_ended(store, monkeypatch):
    """Watching it costs neither the processor nor the database much, and begins no run too early."""
    silent = await Journal.open(store, lease=3.0)
    now, pauses = boot_clock(), []

    async def sleep(seconds):
        nonlocal now
        now += seconds
        pauses.append(seconds)

    monkeypatch.setattr(journal_module, "boot_clock", lambda: now)
    monkeypatch.setattr(journal_module.asyncio, "sleep", sleep)
    async with asyncio.timeout(60):
        other = await Journal.open(store, lease=1.0)
    monkeypatch.undo()
    assert sum(pauses) >= 3.0
    assert min(pauses) >= 0.1
    await other.close()
    await silent.close()


def test_a_process_that_has_ended_and_was_not_waited_for_is_gone():
    """The system still lists it, as a zombie."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = Owner(Owner.me().machine, child.pid, claims._started(child.pid), "n")
    assert not owner.gone(owner.machine)
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert owner.gone(owner.machine)
    child.wait()


async def test_a_claim_that_may_have_ended_is_renewed_at_once_before_a_row_is_sent(store, monkeypatch):
    """The row does not wait for the next heartbeat."""
    from authing_mfa.batch.api import engine_for

    write = Journal.write

    async def stand_still(journal, writing):
        await write(journal, writing)
        if writing.rows:
            journal.deadline = 0.0  # as if the process had stood still for longer than its lease

    monkeypatch.setattr(Journal, "write", stand_still)
    client = FakeClient()
    engine = engine_for(client, totp_rows(4), RunOptions(concurrency=1, journal=store), lease=3600.0)
    async with asyncio.timeout(60):
        assert [outcome.ok async for outcome in engine.outcomes()] == [True] * 4


async def test_an_opening_that_fails_after_it_was_cancelled_logs_nothing(tmp_path, monkeypatch, caplog):
    """Its caller hears of the cancellation alone; asyncio has no error to complain about that nobody took."""
    begun, cancelled = threading.Event(), threading.Event()

    def make(*_, **__):
        begun.set()
        cancelled.wait(60)
        raise JournalError("The journal is read-only.")

    monkeypatch.setattr(journal_module, "open_database", make)
    opening = asyncio.create_task(Journal.open(tmp_path / "run.db"))
    await asyncio.to_thread(begun.wait, 20)
    opening.cancel()
    cancelled.set()
    await asyncio.wait([opening])
    assert opening.cancelled()
    del opening
    gc.collect()
    assert caplog.records == []


async def test_of_two_runs_that_claim_a_journal_at_once_one_gets_it(store, monkeypatch):
    """Both see that nobody has it. The one that comes second sees the heartbeat of the first."""
    read, together, have_read = Journal._read_claim, asyncio.Barrier(2), []

    async def read_together(journal):
        claim = await read(journal)
        if journal not in have_read:
            have_read.append(journal)
            await together.wait()
        return claim

    monkeypatch.setattr(Journal, "_read_claim", read_together)
    opening = [asyncio.create_task(Journal.open(store)) for _ in range(2)]
    (first,), (second,) = await asyncio.wait(opening, return_when=asyncio.FIRST_COMPLETED)
    owner = await first
    while not second.done():
        await owner.write(Writing())
        await asyncio.sleep(0.05)
    with pytest.raises(JournalError, match="Another run"):
        await second
    await owner.close()
