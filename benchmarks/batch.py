"""The batch engine beside a hand-written worker loop, over HTTP and without; with files and a journal; and how it grows.

Rows per second over HTTP: the contenders take turns in slices of some thousand rows. The engine's own cost is CPU time per row
whose call answers at once; memory is that of fresh processes.
"""

from __future__ import annotations

import asyncio
import csv
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from authing_mfa import AuthClient, UserInfo
from authing_mfa.batch import VerifyRequest, verify_many
from authing_mfa.batch.options import BatchOptions
from authing_mfa.batch.run_file import run_file
from benchmarks.servers import ROOT, WORK
from benchmarks.turns import AGAIN, Taken, take_turns

CONCURRENCY = 256
BASELINE = "hand-written worker loop"
JOURNAL = "verify_many, SQLite journal"
OWN_CLIENT = "verify_many, a new client"  # as the run from file to file makes one: 256 connections
FILES = "from CSV to JSON lines, SQLite journal"

Slice = Callable[[int], Awaitable[None]]


def rows(count: int) -> Iterator[VerifyRequest]:
    return (VerifyRequest.totp("123456", token="token", key="k") for _ in range(count))


def hand_written(client: AuthClient) -> Slice:
    """K workers over one iterator: what a careful caller writes, without limiter, order, bounds or journal."""

    async def work(source: Iterator[VerifyRequest], done: list[Any]) -> None:
        for row in source:
            assert row.operation is not None
            try:
                done.append(await client.as_user(row.token).perform(row.operation))
            except Exception as error:  # noqa: BLE001 - a row never raises
                done.append(error)

    async def run(count: int) -> None:
        source, done = rows(count), list[Any]()
        await asyncio.gather(*[work(source, done) for _ in range(CONCURRENCY)])
        assert len(done) == count
        assert isinstance(done[-1], UserInfo)

    return run


def ours(client: Any, journal: Callable[[], str | None] = lambda: None) -> Slice:
    async def run(count: int) -> None:
        given = 0
        async for outcome in verify_many(client, rows(count), concurrency=CONCURRENCY, journal=journal()):
            assert outcome.ok, outcome.error
            given += 1
        assert given == count

    return run


def with_own_client(base: str) -> Slice:
    async def run(count: int) -> None:
        async with AuthClient("APP", base_url=base, token="token", max_connections=CONCURRENCY) as client:
            await ours(client)(count)

    return run


def from_file_to_file(base: str, new_file: Callable[[], str]) -> Slice:
    """The whole of `authing-mfa batch run`, but for the command line."""

    async def run(count: int) -> None:
        source = Path(new_file()).with_suffix(".csv")
        with source.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(("kind", "key", "token", "code"))
            table.writerows(("totp", number, "token", "123456") for number in range(count))
        journal = new_file()
        out = Path(journal).with_suffix(".jsonl")
        options = BatchOptions(source=str(source), out=str(out), journal=journal, concurrency=CONCURRENCY)
        await run_file(options, {"app_id": "APP", "base_url": base, "max_connections": CONCURRENCY})
        with out.open("rb") as file:
            assert sum(1 for _ in file) == count

    return run


def throughput(base: str, count: int, rounds: int) -> Taken:
    """Wall-clock microseconds per row of each contender."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder, asyncio.Runner() as runner:
        numbers = itertools.count()

        def new_file() -> str:
            return str(Path(folder, f"{next(numbers)}.db"))

        client = AuthClient("APP", base_url=base, token="token", max_connections=CONCURRENCY)
        contenders = {
            BASELINE: hand_written(client),
            AGAIN: hand_written(client),
            "verify_many": ours(client),
            JOURNAL: ours(client, new_file),
            OWN_CLIENT: with_own_client(base),
            FILES: from_file_to_file(base, new_file),
        }

        def turn(run: Slice) -> Callable[[], int]:
            def calls() -> int:
                runner.run(run(count))
                return count

            return calls

        taken = take_turns({name: turn(run) for name, run in contenders.items()}, rounds, clock=time.perf_counter)
        runner.run(client.aclose())
    return taken


# ─────────────────────────────── without HTTP ───────────────────────────────


class AtOnce:
    """A client whose calls answer at once."""

    user = UserInfo(id="u")
    max_connections = 512

    async def connect(self) -> None:
        pass

    def as_user(self, _token: str | None) -> AtOnce:
        return self

    async def perform(self, _operation: object, *, max_attempts: int | None = None) -> UserInfo:  # noqa: ARG002 - AuthClient's own
        return self.user


async def per_row(count: int) -> float:
    """CPU microseconds that a row costs beyond its call, in a run of *count* rows."""
    client, row = AtOnce(), VerifyRequest.totp("123456", token="token")
    began = time.process_time()
    for _ in range(count):
        await client.as_user(row.token).perform(row.operation)
    plain = time.process_time() - began
    began = time.process_time()
    await ours(client)(count)
    return (time.process_time() - began - plain) / count * 1e6


def peak_memory(count: int) -> float:
    """MiB of a fresh process that works off *count* rows."""
    command = [sys.executable, "-m", "benchmarks.batch", str(count)]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout) / 1024


async def rate_held(rate: float, seconds: float) -> tuple[float, int]:
    """Calls per second over *seconds*, and the most in any second."""
    starts: list[float] = []

    class Noting(AtOnce):
        async def perform(self, _operation: object, *, max_attempts: int | None = None) -> UserInfo:  # noqa: ARG002 - AuthClient's own
            starts.append(time.perf_counter())
            await asyncio.sleep(0.02)
            return self.user

    client: Any = Noting()
    async for _ in verify_many(client, rows(int(rate * seconds)), concurrency=64, rate=rate):
        pass
    most = end = 0
    for begin, start in enumerate(starts):
        while end < len(starts) and starts[end] < start + 1.0:
            end += 1
        most = max(most, end - begin)
    return (len(starts) - 1) / (starts[-1] - starts[0]), most


if __name__ == "__main__":
    import resource

    asyncio.run(ours(AtOnce())(int(sys.argv[1])))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
