"""Rows that are sent again: not those whose answer is in the output, and each of them once in a run, whatever becomes of its worker."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import attrs
import pytest

from authing_mfa.batch import ClaimLostError
from authing_mfa.batch.options import BatchOptions
from authing_mfa.batch.partitions.driver import Listeners, run_partitions
from authing_mfa.batch.partitions.shared_rate import Lease
from authing_mfa.batch.partitions.worker import PartitionWorker
from authing_mfa.batch.run_file import run_file
from tests.batch.conftest import until
from tests.batch.test_files import records, write_csv
from tests.batch.test_journal import forget_outcomes, query
from tests.batch.test_sent_again import Service
from tests.batch.zygote_pool import here
from tests.servers import serving


def options_for(count, store, tmp_path, **more):
    rows = [{"kind": "phone", "key": f"k{n}", "token": f"token-{n}", "phone": "138", "code": "1"} for n in range(count)]
    files = {"source": write_csv(tmp_path / "rows.csv", rows), "out": str(tmp_path / "out.jsonl"), "journal": store}
    return BatchOptions(**files, concurrency=2, **more)


@pytest.mark.parametrize("divided", [False, True], ids=["one process", "partitions"])
async def test_a_row_whose_answer_is_in_the_output_is_not_unknown(store, tmp_path, divided):
    """The journal could not record the answers. Nobody asked to send those rows again who asked for the unknown ones."""

    async def run(**more):
        service.now({})
        now = attrs.evolve(options, **more)
        if divided:
            return await run_partitions(now, client, here(now, client), Listeners())
        return await run_file(now, client)

    service = Service()
    service.answers = {"1": "wrong", "2": "cut", "3": "expired"}
    async with serving(service) as server:
        client = {"app_id": "app", "base_url": server.url}
        options = options_for(4, store, tmp_path, tokens=True, start_or_resume=True)
        if divided:
            await run_partitions(options, client, here(options, client), Listeners())
        else:
            await run_file(options, client)
        before = records(tmp_path / "out.jsonl")
        await forget_outcomes(store, 0, 1, 2, 3)
        summary = await run()
        assert service.sent == {}
        assert summary.statuses == {"ok": 1, "rejected": 2, "unknown": 1}
        assert summary.codes == {200: 1, 2001: 1, 2021: 1, 10001: 1}
        assert [line for line in records(tmp_path / "out.jsonl") if line["index"] != 2] == [
            line for line in before if line["index"] != 2
        ]
        await run(resend_unknown=True)
        assert service.sent == {"2": 1}
        summary = await run(resend_rejected=(2021,))
        assert service.sent == {"3": 1}
    assert summary.statuses == {"ok": 3, "rejected": 1}
    assert {line["index"]: line["code"] for line in records(tmp_path / "out.jsonl")} == {
        0: 200,
        1: 2001,
        2: 200,
        3: 200,
    }


RECORDED = "SELECT count(*) FROM mfa_batch_outcome WHERE position = 0 AND answer LIKE '%2021%'"


class TwoOwners:
    """A pool that takes each partition from its worker, as a scheduler does that cannot reach it any more, and gives it to another one."""

    slots = concurrency = 1

    def __init__(self, client, lost):
        self._workers = [PartitionWorker(client, self._ask) for _ in range(2)]
        self._lost = lost
        self.first = None

    async def _ask(self, _pause):
        return Lease(None, 1.0)

    async def begin(self, name):
        pass

    def journal(self, journal):
        return journal

    async def verify(self, partition, job):
        job = attrs.evolve(job, options=attrs.evolve(job.options, concurrency=2))
        self.first = asyncio.create_task(self._workers[0].verify(partition, job))
        await self._lost()
        return await self._workers[1].verify(partition, job)

    async def stop(self):
        for worker in self._workers:
            worker.stop()

    async def aclose(self):
        for worker in self._workers:
            await worker.aclose()


async def test_a_row_is_sent_again_once_in_a_run_though_its_worker_is_lost(store, tmp_path):
    """Nobody asked for a third time. What the lost worker has not come to, and was rejected before this run, is sent again."""
    service, answered = Service(), asyncio.Event()
    service.answers = {"1": "cut", **{str(n): "expired" for n in range(12) if n != 1}}

    async def script(seen):
        answer = await service(seen)
        if service.answers == {"0": "expired"} and seen.header("Authorization") in ("Bearer token-1", "Bearer token-2"):
            await answered.wait()
        return answer

    async def lost():
        """The first row is recorded again, and the next two are sent."""
        await until(lambda: service.sent["1"] and service.sent["2"])
        while (await query(store, RECORDED))[0][0] != 1:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def two_owners():
        pool = TwoOwners(client, lost)
        yield pool
        answered.set()
        assert isinstance((await pool.first).stopped, ClaimLostError)
        await pool.aclose()

    async with serving(script) as server:
        options = options_for(12, store, tmp_path)
        client = {"app_id": "app", "base_url": server.url}
        first = await run_partitions(options, client, here(options, client), Listeners())
        assert first.statuses == {"rejected": 11, "unknown": 1}
        service.now({"0": "expired"})
        options = attrs.evolve(options, resume=True, resend_unknown=True, resend_rejected=(2021,))
        summary = await run_partitions(options, client, two_owners(), Listeners(), lease=0.5)
    assert set(service.sent.values()) == {1}
    lines = {line["index"]: (line["status"], line["code"]) for line in records(tmp_path / "out.jsonl")}
    assert lines[0] == ("rejected", 2021)
    assert lines[1] == lines[2] == ("unknown", 10001)
    assert [lines[row] for row in range(7, 12)] == [("ok", 200)] * 5  # the lost worker has not come to them
    assert summary.statuses == Counter(status for status, _ in lines.values())
