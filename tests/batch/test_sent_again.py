"""Rows that are sent again: wherever the run ends, journal and output say what is known of them, and the next run goes on."""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from tests.batch.conftest import TABLES
from tests.batch.test_files import records, write_csv
from tests.batch.test_kill import Runs
from tests.batch.test_run import environment
from tests.servers import USER, Drop, ok, reply, serving

CONCURRENCY = 2
KILLED = -9
SHARES = 12  # each test does a part of the points
REFUSED, WRONG = {"code": 2021, "message": "expired"}, {"code": 2001, "message": "wrong code"}

PLACES = [
    pytest.param(store, share, marks=[pytest.mark.soak] if share else [])
    for store, shares in (("sqlite", range(SHARES)), ("postgresql", (0, 4, 8)))  # the second takes longer
    for share in shares
]

FIRST = {"0": "ok", "1": "expired", "2": "expired", "3": "expired", "4": "expired", "5": "cut", "6": "wrong"}
SECOND = {"1": "ok", "2": "ok", "3": "wrong", "4": "expired", "5": "ok"}
LINES = {"ok": ("ok", 200), "expired": ("rejected", 2021), "wrong": ("rejected", 2001)}
"""The answers to each row, when it is sent first and when it is sent again, and what the output then says."""


@pytest.fixture(scope="module")
def runs():
    command = [sys.executable, "-X", "dev", str(Path(__file__).parent / "zygote.py")]
    options = {"app_id": "app", "base_url": "http://127.0.0.1:1"}
    with subprocess.Popen(
        command, env=environment(options), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield Runs(process)
        process.stdin.close()


class Service:
    """Answers each row as `answers` says, and counts how often a row was sent."""

    def __init__(self):
        self.sent = Counter()
        self.answers = FIRST

    async def __call__(self, seen):
        if seen.path.endswith("/public-config"):
            return ok({"id": "app", "userPoolId": "pool"})
        row = seen.header("Authorization").removeprefix("Bearer token-")
        self.sent[row] += 1
        answer = self.answers.get(row, "ok")
        if answer == "cut":
            raise Drop
        if answer != "ok":
            return reply(REFUSED if answer == "expired" else WRONG)
        return ok({**USER, "token": f"new-token-{row}", "recoveryCode": f"new-code-{row}"})

    def now(self, answers):
        """Count anew, and answer like this."""
        self.sent.clear()
        self.answers = answers


class Kept:
    """Journal and files of a run as they were at one moment."""

    def __init__(self, store, folder, beside):
        self._store, self._folder, self._beside = store, folder, beside

    async def keep(self):
        shutil.copytree(self._folder, self._beside)
        await self._for_tables("DROP TABLE IF EXISTS kept_{0}; CREATE TABLE kept_{0} AS SELECT * FROM {0};")

    async def restore(self):
        shutil.rmtree(self._folder)
        shutil.copytree(self._beside, self._folder)
        await self._for_tables("DELETE FROM {0}; INSERT INTO {0} SELECT * FROM kept_{0};")

    async def _for_tables(self, statements):
        if "://" in self._store:
            connection = await asyncpg.connect(self._store.replace("+asyncpg", ""))
            await connection.execute("".join(statements.format(table) for table in TABLES.split(", ")))
            await connection.close()


class Walk:
    """Ends a run that sends rows again at each of its points, and looks what the runs after it do."""

    def __init__(self, runs, server, service, options, kept, interrupt):
        self._runs, self._server, self._service, self._options = runs, server, service, options
        self._kept, self._interrupt = kept, interrupt

    async def run(self, **more):
        """Do one run. Return its exit code."""

        def do():
            self._runs.start({**self._options, **more})
            return self._runs.status()

        status = await asyncio.to_thread(do)
        connections = self._server.connections
        _, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        writer.close()
        while self._server.connections == connections:  # noqa: ASYNC110 - everything before it is accepted then
            await asyncio.sleep(0)
        await self._server.emptied()  # and what a killed run has sent is counted
        return status

    async def ends_at(self, number):
        """Let the run end at the point of this *number*, look at everything, and return False if it has no such point."""
        service = self._service
        await self._kept.restore()
        service.now(SECOND)
        again = {"resend_rejected": [2021], "resend_unknown": True}
        ended = await self.run(**again, interrupt_at=self._interrupt, kill_at=number)
        assert ended in (KILLED, 130 if self._interrupt else 1)
        sent = +service.sent
        assert max(sent.values(), default=0) <= 1
        assert set(sent) <= set(SECOND)

        service.now({})
        await self.run(kill_at=number % 11)  # it copies earlier lines, and is killed meanwhile
        code = await self.run()
        assert (code, service.sent) in ((0, {}), (1, {}), (3, {}))
        lines = self.lines()
        self.check(lines, sent, uncertain=ended == KILLED)

        service.now({})
        assert await self.run(**again) in (0, 1)
        assert service.sent == {row: 1 for row in lines if lines[row][0] == "unknown" or lines[row][1] == 2021}
        final = self.lines()
        assert {final[row] for row in service.sent} <= {("ok", 200)}
        assert {row: final[row] for row in final if row not in service.sent} == {
            row: line for row, line in lines.items() if row not in service.sent
        }
        return ended == KILLED

    def lines(self):
        """Status and code of each row in the output, which has each of them once, as the summary says."""
        found = records(Path(self._options["out"])) if self._options["out"].endswith("l") else self.read_csv()
        assert sorted(line["index"] for line in found) == list(range(len(FIRST)))
        summary = json.loads(Path(self._options["summary"]).read_text())
        counts = Counter(line["status"] for line in found)
        assert counts == {
            status: summary[status] for status in ("ok", "rejected", "failed", "unknown") if summary[status]
        }
        for line in found:
            if line["status"] == "ok" and line["index"] != 1:
                assert line["value"]["token"] == f"new-token-{line['index']}"
            elif line["status"] == "ok":
                assert line["value"]["recovery_code"] == "new-code-1"
        return {str(line["index"]): (line["status"], int(line["code"])) for line in found}

    def read_csv(self):
        with Path(self._options["out"]).open(newline="") as file:
            found = list(csv.DictReader(file))
        return [
            {**line, "index": int(line["index"]), "value": json.loads(line["value"]) if line["value"] else None}
            for line in found
        ]

    @staticmethod
    def check(lines, sent, *, uncertain):
        """What the next run says of each row is true."""
        assert (lines["0"], lines["6"]) == (("ok", 200), ("rejected", 2001))
        for row, answer in SECOND.items():
            true = LINES[answer] if sent[row] else ("unknown", 10001) if row == "5" else ("rejected", 2021)
            assert lines[row] == true or (uncertain and lines[row][0] == "unknown"), (row, sent)
        assert sum(line[0] == "unknown" for line in lines.values()) <= 2 * CONCURRENCY + 1


@pytest.mark.parametrize(("store", "share"), PLACES, indirect=["store"])
@pytest.mark.parametrize("interrupt", [None, 1], ids=["killed", "interrupted"])
@pytest.mark.parametrize("form", ["jsonl", pytest.param("csv", marks=pytest.mark.soak), "partitions"])
async def test_wherever_a_run_ends_that_sends_rows_again(runs, store, tmp_path, form, interrupt, share):
    """Killed before and after each step that lasts, or interrupted: nothing is sent without being asked, no answer and no token is lost."""
    folder = tmp_path / "run"
    folder.mkdir()
    store = str(folder / "run.db") if "://" not in store else store
    rows = [
        {
            "kind": "recovery" if row == "1" else "phone",
            "key": f"k{row}",
            "token": f"token-{row}",
            "phone": "138",
            "code": "1",
        }
        for row in FIRST
    ]
    service = Service()
    async with serving(service) as server:
        options = {
            "source": write_csv(tmp_path / "rows.csv", rows),
            "out": str(folder / ("out.csv" if form == "csv" else "out.jsonl")),
            "journal": store,
            "tokens": True,
            "start_or_resume": True,
            "concurrency": CONCURRENCY,
            "divided": form == "partitions",
            "partition_rows": 3,
            "client": {"base_url": server.url},
            "summary": str(tmp_path / "summary.json"),
        }
        walk = Walk(runs, server, service, options, Kept(store, folder, tmp_path / "kept"), interrupt)
        assert await walk.run() == 3
        assert service.sent == dict.fromkeys(FIRST, 1)
        await walk._kept.keep()
        number = share
        while await walk.ends_at(number):
            number += SHARES
        assert number > 20
