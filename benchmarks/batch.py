"""The batch engine beside what one would write by hand, and beside the official client in threads. One run, ratios.

``python -m benchmarks.batch [--quick] [--json FILE]``. Rows per second over real HTTP: the contenders take turns in slices of
some thousand rows, in shuffled order; each round gives one ratio to the hand-written worker loop of the same round; the table
shows their median and quartiles. A second copy of that loop shows how noisy the machine is: when it is off by more than 5 %,
so is everything else. Engine overhead is CPU time per row whose call answers at once; memory is that of fresh processes.

A little over 300 lines: the contenders stand beside the rounds that compare them.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from authing_mfa import AuthClient, UserInfo
from authing_mfa.batch import VerifyRequest, verify_many
from benchmarks.servers import ROOT, WORK, Servers, all_servers, cores

CONCURRENCY = 256
OFFICIAL = "authing==4.5.17"
OFFICIAL_PROGRAM = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from authing.v2.authentication import AuthenticationClient, AuthenticationClientOptions

base, count = sys.argv[1], int(sys.argv[2])
client = AuthenticationClient(AuthenticationClientOptions(app_id="APP", app_host=base))

def call(number):
    assert client.verify_totp_mfa("123456", "token")["code"] == 200

with ThreadPoolExecutor(64) as pool:
    list(pool.map(call, range(64)))
    wall, cpu = time.perf_counter(), time.process_time()
    list(pool.map(call, range(count)))
    print(time.perf_counter() - wall, time.process_time() - cpu)
"""

Slice = Callable[[int], Awaitable[None]]


def rows(count: int) -> Iterator[VerifyRequest]:
    return (VerifyRequest.totp("123456", token="token", key="k") for _ in range(count))


# ─────────────────────────────── over HTTP ───────────────────────────────


def hand_written(client: AuthClient) -> Slice:
    """K workers over one iterator: what a careful caller writes, without limiter, order, bounds or journal."""

    async def work(source: Iterator[VerifyRequest], done: deque[Any]) -> None:
        for row in source:
            assert row.operation is not None
            try:
                done.append(await client.as_user(row.token).perform(row.operation))
            except Exception as error:  # noqa: BLE001 - a row never raises
                done.append(error)

    async def run(count: int) -> None:
        source, done = rows(count), deque[Any]()
        await asyncio.gather(*[work(source, done) for _ in range(CONCURRENCY)])
        assert len(done) == count
        assert isinstance(done[-1], UserInfo)

    return run


def gather_semaphore(client: AuthClient) -> Slice:
    """A task for each row, and a semaphore: what most callers write."""

    async def run(count: int) -> None:
        gate = asyncio.Semaphore(CONCURRENCY)

        async def one(row: VerifyRequest) -> Any:
            assert row.operation is not None
            async with gate:
                return await client.as_user(row.token).perform(row.operation)

        assert len(await asyncio.gather(*[one(row) for row in rows(count)])) == count

    return run


def ours(client: AuthClient, journal: Callable[[], str | None]) -> Slice:
    async def run(count: int) -> None:
        given = 0
        async for outcome in verify_many(client, rows(count), concurrency=CONCURRENCY, journal=journal()):
            assert outcome.ok, outcome.error
            given += 1
        assert given == count

    return run


def new_files(folder: Path) -> Callable[[], str]:
    numbers = iter(range(10**9))
    return lambda: str(folder / f"{next(numbers)}.db")


async def throughput(base: str, count: int, rounds: int, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU seconds of each contender's slices."""
    async with AuthClient("APP", base_url=base, token="token", max_connections=CONCURRENCY) as client:
        contenders = {
            "hand-written worker loop": hand_written(client),
            "the same again (A/A)": hand_written(client),
            "gather + semaphore": gather_semaphore(client),
            "verify_many": ours(client, lambda: None),
            "verify_many, SQLite journal": ours(client, new_files(folder)),
        }
        for run in contenders.values():
            await run(count // 4)  # connections made, modules imported
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, run in random.sample(list(contenders.items()), len(contenders)):
                gc.collect()
                wall, cpu = time.perf_counter(), time.process_time()
                await run(count)
                taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return taken


def official(base: str, count: int, rounds: int) -> list[tuple[float, float]] | None:
    """The official synchronous client in 64 threads, in an environment and processes of its own; None: not to be had."""
    place = WORK / "batch-official"
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
    if subprocess.run([python, "-c", "import authing.v2"], capture_output=True, check=False).returncode:
        done = subprocess.run([python, "-m", "pip", "install", "-q", OFFICIAL], capture_output=True, check=False)
        if done.returncode:
            print(f"{OFFICIAL} cannot be installed here: its row is left out.")
            return None
    taken = []
    for _ in range(rounds):
        command = [str(python), "-c", OFFICIAL_PROGRAM, base, str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{OFFICIAL} failed: {done.stderr.splitlines()[-1:]}. Its row is left out.")
            return None
        wall, cpu = (float(part) for part in done.stdout.split())
        taken.append((wall, cpu))
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


async def overhead(count: int, rounds: int) -> list[float]:
    """CPU microseconds per row that the engine adds to a loop over the same rows and calls."""
    client: Any = AtOnce()
    row = VerifyRequest.totp("123456", token="token")
    differences = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(count):
            await client.as_user(row.token).perform(row.operation)
        plain = time.process_time() - began
        began = time.process_time()
        async for _ in verify_many(client, (row for _ in range(count)), concurrency=CONCURRENCY):
            pass
        differences.append((time.process_time() - began - plain) / count * 1e6)
    return differences


MEMORY_PROGRAM = """
import asyncio, resource, sys
from benchmarks.batch import AtOnce, rows, verify_many

async def main():
    async for _ in verify_many(AtOnce(), rows(int(sys.argv[1])), concurrency=256):
        pass

asyncio.run(main())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_memory(count: int) -> float:
    """MiB of a fresh process that works off *count* rows."""
    command = [sys.executable, "-c", MEMORY_PROGRAM, str(count)]
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


# ─────────────────────────────── the tables ───────────────────────────────


def spread(values: list[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    return f"{middle:6.2f}  ({low:.2f} – {high:.2f})"


def print_throughput(taken: dict[str, list[tuple[float, float]]], count: int) -> dict[str, Any]:
    base = taken["hand-written worker loop"]
    figures: dict[str, Any] = {}
    print(f"{'contender':36} {'rows/s':>8}   rate ÷ hand-written      CPU ÷ hand-written")
    for name, slices in taken.items():
        rates = [mine[0] and other[0] / mine[0] for mine, other in zip(slices, base, strict=False)]
        costs = [mine[1] / other[1] for mine, other in zip(slices, base, strict=False)]
        speed = count / statistics.median(wall for wall, _ in slices)
        figures[name] = {"rows_per_second": speed, "rate": statistics.median(rates), "cpu": statistics.median(costs)}
        print(f"{name:36} {speed:8.0f}   {spread(rates):24} {spread(costs)}")
    plain, journal = taken["verify_many"], taken["verify_many, SQLite journal"]
    kept = [one[0] / other[0] for one, other in zip(plain, journal, strict=True)]
    figures["journal_rate_ratio"] = statistics.median(kept)
    print(f"\nrate with the SQLite journal ÷ without: {spread(kept)}   goal: at least 0.80")
    noise = figures["the same again (A/A)"]["rate"]
    if abs(noise - 1) > 0.05:
        print(f"Too noisy: the baseline against itself is {noise:.2f}.")
    return figures


def measure(servers: Servers, *, quick: bool) -> dict[str, Any]:
    count, rounds = (4000, 5) if quick else (10_000, 11)
    print(f"Server: {servers.name}. {CONCURRENCY} calls at a time, {rounds} rounds of {count} rows.\n")
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        taken = asyncio.run(throughput(servers.http, count, rounds, Path(folder)))
    if slices := official(servers.http, count // 4, 1 if quick else 3):
        taken[f"{OFFICIAL} in 64 threads"] = [(wall * 4, cpu * 4) for wall, cpu in slices]
    figures = print_throughput(taken, count)

    differences = asyncio.run(overhead(50_000 if quick else 200_000, 5))
    figures["overhead_us"] = statistics.median(differences)
    print(f"\nengine, CPU µs per row beyond the call:  {spread(differences)}   goal: at most 10")

    few, many = peak_memory(10_000), peak_memory(1_000_000)
    figures["memory_growth_mib"] = many - few
    print(f"peak memory, 1,000,000 rows − 10,000:     {many - few:5.2f} MiB        goal: at most 5")

    for rate in (100.0, 500.0):
        reached, most = asyncio.run(rate_held(rate, 10.0))
        figures[f"rate_{rate:g}"] = {"reached": reached, "most_in_a_second": most}
        print(
            f"rate={rate:<5g} for 10 s: {reached / rate:6.3f} of it, at most {most} in any second   goal: 0.98, {rate:g}"
        )
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description="The batch engine's figures, as ratios in one run.")
    parser.add_argument("--quick", action="store_true", help="a minute instead of five")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cores()[0]})
    with all_servers() as servers:
        figures = measure(servers, quick=given.quick)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
