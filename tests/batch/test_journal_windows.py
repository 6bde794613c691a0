"""The windows of the journal: many rows are written in one transaction, and no row waits for others that do not come."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from authing_mfa.batch import VerifyRequest
from authing_mfa.batch.journal import writer as writer_module
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.journal.records import Writing
from tests.batch.conftest import FakeClient, default_answer, totp_rows
from tests.batch.test_engine import collect


@pytest.mark.parametrize("count", [1, 2, 127, 128, 129, 300])
async def test_a_window_of_any_size_is_written_as_it_is(store, count):
    """A statement inserts several lines: none is left out, changed or written twice, also if it is written again after an outage."""
    journal = await Journal.open(store)
    rows = [(position, None if position % 3 else f"k{position}", "totp", f"d{position}") for position in range(count)]
    answers = [(position, f'{{"t": {position}}}') for position in range(count)]
    for again in (False, True):
        await journal.write(Writing(rows, answers, again=again))
        known = await journal.load(0, count)
        assert [(at, entry.key, entry.kind, entry.digest) for at, entry in sorted(known.items())] == rows
        assert [(at, entry.answer) for at, entry in sorted(known.items())] == answers
    await journal.close()


@pytest.fixture
def writes(monkeypatch):
    """The writings of the journal. A window that is not full, and that the run does not wait for, is never written."""
    written = []
    real = Journal.write

    async def noting(self, writing):
        written.append(writing)
        await real(self, writing)

    monkeypatch.setattr(Journal, "write", noting)
    monkeypatch.setattr(writer_module, "_GATHER", 3600)
    return written


def one_by_one():
    """A client whose calls wait, and of which one is answered in each turn of the event loop."""
    waiting = deque()

    def answer_next():
        waiting.popleft().set_result(None)
        if waiting:
            asyncio.get_running_loop().call_soon(answer_next)

    async def answer(operation, token):
        loop = asyncio.get_running_loop()
        if not waiting:
            loop.call_soon(answer_next)
        turn = loop.create_future()
        waiting.append(turn)
        await turn
        return default_answer(operation, token)

    return FakeClient(answer)


@pytest.mark.parametrize("concurrency", [1, 2, 8, 64])
async def test_a_run_never_needs_the_timer_of_a_window(store, writes, concurrency):
    """A window is written when the run waits for it: of rows with and without intents, and at the end of the input."""
    rows = totp_rows(20) + [VerifyRequest.check(phone=str(n), key=f"c{n}") for n in range(20)] + totp_rows(3, first=20)
    async with asyncio.timeout(60):
        outcomes = await collect(one_by_one(), rows, journal=store, concurrency=concurrency)
    assert sorted(outcome.index for outcome in outcomes) == list(range(43))
    assert sum(len(writing.outcomes) for writing in writes) == 43


async def test_a_transaction_is_not_written_for_each_row(tmp_path, writes, monkeypatch):
    """While there is work, a transaction holds as many intents and outcomes as there may be calls in flight."""

    async def take_no_time(_journal, writing):
        writes.append(writing)

    monkeypatch.setattr(Journal, "write", take_no_time)
    rows = totp_rows(640)
    async with asyncio.timeout(60):
        outcomes = await collect(one_by_one(), rows, journal=tmp_path / "run.db", concurrency=32)
    assert len(outcomes) == 640
    assert len(writes) <= 2 * 640 / 32 + 10
