"""SIGKILL at random moments, over and over, against an emulator that counts: nothing twice, nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.batch.test_files import records, write_csv
from tests.batch.test_run import environment

ROWS = 120
CONCURRENCY = 4
SEED = 20261124


class Runs:
    """Runs that are started and killed, one after the other."""

    def __init__(self, process):
        self._process = process
        self._run = None

    def start(self, options):
        if self._run is not None:  # a test has failed before its run ended
            os.kill(self._run, signal.SIGKILL)
            self.status()
        self._process.stdin.write(json.dumps(options) + "\n")
        self._process.stdin.flush()
        self._run = int(self._process.stdout.readline())
        return self._run

    def status(self):
        """Of the run that was started last, once it has ended."""
        self._run = None
        return int(self._process.stdout.readline())


@pytest.fixture(scope="module")
def runs(emulator):
    options = {"app_id": emulator.app_id, "base_url": emulator.url}
    command = [sys.executable, "-X", "dev", str(Path(__file__).parent / "zygote.py")]
    with subprocess.Popen(
        command, env=environment(options), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield Runs(process)
        process.stdin.close()


@pytest.fixture
def slow(emulator):
    """Calls take a while, so that some are in flight at any moment."""
    rule = emulator.faults.add("mfa_verify_by_phone", latency=0.004)
    yield
    emulator.faults.remove(rule.id)


@pytest.mark.parametrize("round_", [0, *(pytest.param(number, marks=pytest.mark.soak) for number in range(1, 5))])
def test_however_often_it_is_killed_nothing_is_sent_twice_and_nothing_is_lost(
    runs, slow, store, make_users, emulator, tmp_path, round_
):
    """Killed and resumed until it ends: every row once in the output, verified at most once, unknown where it may have been."""
    chance = random.Random(SEED + round_)
    users = make_users(ROWS)
    rows = [{"kind": "phone", "key": f"k{i}", "token": t, "phone": p, "code": c} for i, (p, t, c) in enumerate(users)]
    tokens = [token for _, token, _ in users]
    out = tmp_path / "out.jsonl"
    source = write_csv(tmp_path / "rows.csv", rows)
    options = {"source": source, "out": str(out), "journal": store, "concurrency": CONCURRENCY, "start_or_resume": True}

    kills = 0
    for attempt in range(40):
        process = runs.start(options)
        if attempt < 30:
            enough = verified(emulator, tokens) + chance.randrange(20)
            wait_for(lambda: verified(emulator, tokens) > enough, or_ended=process)  # noqa: B023 - called before the next
            time.sleep(chance.random() * 0.01)
            os.kill(process, signal.SIGKILL)
        status = runs.status()
        if status != -signal.SIGKILL:
            break
        kills += 1
    assert status in (0, 3)

    lines = records(out)
    assert sorted(line["index"] for line in lines) == list(range(ROWS))
    assert kills >= 3
    counts = [emulator.verify_count(token) for token in tokens]
    assert max(counts) == 1
    statuses = {line["index"]: line["status"] for line in lines}
    assert set(statuses.values()) <= {"ok", "unknown"}
    assert all(counts[index] == 1 for index, status in statuses.items() if status == "ok")
    sent_and_not_recorded = [index for index in range(ROWS) if counts[index] == 1 and statuses[index] != "ok"]
    assert all(statuses[index] == "unknown" for index in sent_and_not_recorded)
    assert Counter(statuses.values())["unknown"] <= kills * 2 * CONCURRENCY


def verified(emulator, tokens):
    return sum(emulator.verify_count(token) for token in tokens)


def wait_for(holds, *, or_ended):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if holds() or ended(or_ended):
            return
        time.sleep(0.002)
    pytest.fail("nothing happened for a minute")


def ended(process):
    """It is a zombie: its parent lets go of it when the next run starts."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
