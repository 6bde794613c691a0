"""An input that was changed between two runs: no row is sent twice, wherever the journal has no entry because a row was invalid."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest

from authing_mfa.batch import InputChangedError, VerifyRequest
from authing_mfa.batch.partitions.driver import Listeners, run_partitions
from authing_mfa.batch.partitions.shared_rate import Lease
from authing_mfa.batch.partitions.worker import PartitionWorker
from tests.batch.conftest import FakeClient, totp_rows
from tests.batch.test_engine import collect, collect_into
from tests.batch.test_journal import counts


def broken(rows, *positions):
    """The same rows, of which some are not rows."""
    return [None if index in positions else row for index, row in enumerate(rows)]


async def cut_off_after(count, rows):
    """As a file on a disk that fails."""
    for row in rows[:count]:
        yield row
    raise OSError("the disk is gone")


@pytest.mark.parametrize("bad", [[0], [3], [3, 4], [3, 5, 6], [9]])
@pytest.mark.parametrize("ordered", [False, True])
async def test_a_removed_invalid_row_sends_no_later_row_again(store, bad, ordered):
    """The row that stands there now was sent, and the journal has no entry at this position."""
    rows = broken(totp_rows(11), *bad)
    await collect(FakeClient(), rows, journal=store)
    for removed in range(1, len(bad) + 1):
        fewer = [row for index, row in enumerate(rows) if index not in bad[:removed]]
        for count in range(len(fewer) + 1):
            client = FakeClient()
            with pytest.raises((InputChangedError, OSError)):
                await collect(client, cut_off_after(count, fewer), journal=store, ordered=ordered)
            assert client.sent == []
        client, outcomes = FakeClient(), []
        with pytest.raises(InputChangedError):
            await collect_into(outcomes, client, fewer, journal=store, ordered=ordered)
        assert client.sent == []
    assert await counts(store) == (11 - len(bad), 11 - len(bad))


@pytest.mark.parametrize("ordered", [False, True])
async def test_invalid_rows_that_were_fixed_are_sent(store, ordered):
    """Also if there are more of them than a run of this concurrency holds otherwise."""
    rows = totp_rows(60)
    await collect(FakeClient(), broken(rows, 0, *range(10, 50), 58), journal=store)
    client = FakeClient()
    outcomes = await collect(client, broken(rows, 20, 58), journal=store, concurrency=1, ordered=ordered)
    assert [token for _, token in client.sent] == ["t0", *(f"t{i}" for i in range(10, 50) if i != 20)]
    assert [outcome.index for outcome in outcomes if not outcome.ok] == [20, 58]
    assert sorted(outcome.index for outcome in outcomes) == list(range(60))
    if ordered:
        assert [outcome.index for outcome in outcomes] == list(range(60))
    client = FakeClient()
    assert all(outcome.ok for outcome in await collect(client, rows, journal=store))
    assert client.counts() == {"t20": 1, "t58": 1}


async def test_a_strange_row_that_waited_is_one_failed_row(store):
    """As without a journal: it stops nothing."""

    class Strange(VerifyRequest):
        def target(self):
            raise ValueError

    rows = totp_rows(6)
    await collect(FakeClient(), broken(rows, 2, 3), journal=store)
    rows[2] = Strange("totp", operation=rows[2].operation, token="t2", key="k2")
    outcomes = await collect(FakeClient(), rows, journal=store)
    assert [outcome.index for outcome in outcomes if outcome.status == "failed"] == [2]
    assert len(outcomes) == 6


# ─────────────────────────────── in partitions ───────────────────────────────


class OneAfterTheOther:
    """A pool of one worker in this process, which does one partition after the other."""

    slots = 4
    concurrency = 4

    def __init__(self, client_options):
        async def ask(_pause):
            return Lease(None, 60.0)

        self.worker = PartitionWorker(client_options, ask)
        self.busy = asyncio.Lock()
        self.ended = []
        self.ended_before = {}  # each partition, and those that had ended when it was handed out

    async def begin(self, name):
        pass

    def journal(self, journal):
        return journal

    async def verify(self, partition, job):
        part = partition.span.part
        self.ended_before[part] = set(self.ended)
        async with self.busy:
            receipt = await self.worker.verify(partition, job)
        self.ended.append(part)
        return receipt

    async def stop(self):
        self.worker.stop()


async def divided(options, emulator):
    """Do the run in partitions, and return its summary and its pool."""
    client_options = {"app_id": emulator.app_id, "base_url": emulator.url}
    pool = OneAfterTheOther(client_options)

    @asynccontextmanager
    async def opened():
        try:
            yield pool
        finally:
            await pool.worker.aclose()

    return await run_partitions(options, client_options, opened(), Listeners()), pool


def read_rows(options):
    return Path(options.source).read_text().split()


def write_rows(options, lines):
    Path(options.source).write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("bad", "removed"),
    [([3], 1), ([2, 3], 1), ([3, *range(4, 8)], 1), ([3, *range(4, 9), 11], 2), ([1], 1), ([11], 1), ([7, 11], 1)],
)
async def test_in_partitions_too_a_removed_invalid_row_sends_no_later_row_again(
    store, make_job, emulator, bad, removed
):
    """Also if it was the last row of its partition, or the partition has no other, and the next known row is in a later one."""
    options, tokens = make_job(20, journal=store, partition_rows=4)
    header, *lines = read_rows(options)
    write_rows(
        options, [header, *(f"phone,k{index}" if index in bad else line for index, line in enumerate(lines[:14]))]
    )
    summary, _ = await divided(options, emulator)
    assert summary.statuses == {"ok": 14 - len(bad), "failed": len(bad)}
    before = [emulator.verify_count(token) for token in tokens]
    changed = [line for index, line in enumerate(lines) if index not in bad[:removed]]
    write_rows(options, [header, *changed])
    summary, _ = await divided(attrs.evolve(options, resume=True), emulator)
    assert isinstance(summary.stopped, InputChangedError)
    assert [emulator.verify_count(token) for token in tokens] == before
    write_rows(options, [header, *lines])
    summary, _ = await divided(attrs.evolve(options, resume=True), emulator)
    assert summary.statuses == {"ok": 20}
    emulator.assert_verified_once(tokens)


async def test_no_partition_of_new_rows_begins_before_the_known_rows_were_compared(store, make_job, emulator):
    """If one of those is not the journal's, no new row was sent."""
    options, tokens = make_job(24, journal=store, partition_rows=4)
    header, *lines = read_rows(options)
    write_rows(options, [header, *lines[:10]])
    await divided(options, emulator)
    write_rows(options, [header, *lines])
    summary, pool = await divided(attrs.evolve(options, resume=True), emulator)
    assert summary.statuses == {"ok": 24}
    assert [pool.ended_before[part] >= {0, 1, 2} for part in range(6)] == [False] * 3 + [True] * 3
    emulator.assert_verified_once(tokens)
