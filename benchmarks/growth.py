"""What grows: with the calls at a time, with the calls made, and with the users, messages, rows and journal of a program.

python -m benchmarks.growth concurrency CONTENDER BASE CALLS N...     JSON: microseconds of CPU per call at each N
python -m benchmarks.growth objects CONTENDER BASE CALLS              JSON: objects that the collector looks through, per call in flight
python -m benchmarks.growth memory BASE CALLS                         JSON: KiB resident after 10,000 calls and after CALLS
python -m benchmarks.growth items [ROUNDS]                            JSON: microseconds of CPU per item at 1, 10 and 100 times as many
python -m benchmarks.growth item NAME TIMES                           one of them: a figure for each line of standard input
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS, drive
from benchmarks.goals import GROWTH
from benchmarks.servers import ROOT
from benchmarks.tables import Goal

Measure = Callable[[], Awaitable[float]]  # microseconds of CPU per item


async def concurrency(contender: str, base: str, calls: int, sizes: list[int]) -> dict[int, float]:
    """The sizes take turns, all on one client whose connections are made beforehand."""
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    async with CONTENDERS[contender](base, None) as call:
        await drive(call, 3 * max(sizes), max(sizes))
        gc.collect()
        gc.freeze()
        for _ in range(5):
            for size in sizes:
                number = max(calls, 2 * size)
                started = time.process_time()
                await drive(call, number, size)
                taken[size].append((time.process_time() - started) / number * 1e6)
    return {size: statistics.median(costs) for size, costs in taken.items()}


async def objects(contender: str, base: str, calls: int) -> float:
    """The server never answers. The connections are counted too, and the task that a caller makes for each call."""
    async with CONTENDERS[contender](base, None) as call:
        first = asyncio.ensure_future(call())
        await asyncio.sleep(0.2)
        gc.collect()
        before, count = len(gc.get_objects()), -1
        running = [asyncio.ensure_future(call()) for _ in range(calls)]
        while count != (count := len(gc.get_objects())):  # until nothing more is sent
            await asyncio.sleep(0.5)
            gc.collect()
        for task in (first, *running):
            task.cancel()
        await asyncio.gather(first, *running, return_exceptions=True)
    return (count - before) / calls


def resident() -> int:
    """KiB in physical memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


async def memory(base: str, calls: int) -> dict[str, int]:
    async with CONTENDERS["ours-default"](base, None) as call:
        await drive(call, 10_000, 64)
        gc.collect()
        before = resident()
        await drive(call, calls - 10_000, 64)
        gc.collect()
        return {"after_10000": before, f"after_{calls}": resident(), "growth": resident() - before}


# ─────────────────────────────── users, messages, rows ───────────────────────────────


@contextlib.asynccontextmanager
async def emulator_with(users: int, messages: int) -> AsyncIterator[Measure]:
    """A call to an emulator that has so many users and sent messages, client and emulator together."""
    from authing_mfa import AuthClient
    from authing_mfa.emulator import Emulator

    numbers = itertools.count(14_000_000_000)
    async with Emulator() as emulator:
        added = [emulator.add_user(username=f"u{number}", password="p") for number in range(users)]
        for number in range(messages):
            emulator.send_code(f"{13_000_000_000 + number}")
        token = emulator.issue_user_token(added[-1])
        async with AuthClient(emulator.app_id, base_url=emulator.url, token=token) as client:
            await client.get_current_user()

            async def measure() -> float:
                started = time.process_time()
                for _ in range(300):
                    if messages > 1:
                        phone = str(next(numbers))
                        emulator.send_code(phone)
                        emulator.code_for(phone)
                    await client.get_current_user()
                return (time.process_time() - started) / 300 * 1e6

            yield measure


@contextlib.asynccontextmanager
async def batch_after(before: int, *, journal: bool) -> AsyncIterator[Measure]:
    """A row of a batch after so many rows of the same run. Beginning a run and opening its journal do not count."""
    from authing_mfa.batch import verify_many
    from benchmarks.rows import CONCURRENCY, Service, made

    with tempfile.TemporaryDirectory() as folder:
        numbers = itertools.count()

        async def measure() -> float:
            path = Path(folder, f"{next(numbers)}.db") if journal else None
            client: Any = Service()
            done, started = 0, 0.0
            async for _ in verify_many(client, made(before + LAST), concurrency=CONCURRENCY, journal=path):
                done += 1
                if done == before:
                    started = time.process_time()
            return (time.process_time() - started) / LAST * 1e6

        yield measure


LAST = 10_000  # rows whose cost is measured
ITEMS: dict[str, Callable[[int], contextlib.AbstractAsyncContextManager[Measure]]] = {
    "emulator, 100 users and more: a call": lambda times: emulator_with(100 * times, 1),
    "emulator, 100 messages and more: a code": lambda times: emulator_with(1, 100 * times),
    "batch, after 5,000 rows and more: a row": lambda times: batch_after(5000 * times, journal=False),
    "journal, after 1,000 rows and more: a row": lambda times: batch_after(1000 * times, journal=True),
}


async def measure_when_asked(name: str, times: int) -> None:
    """Print a figure for each line of standard input."""
    async with ITEMS[name](times) as measure:
        await measure()
        gc.collect()
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(await measure(), flush=True)


def items(rounds: int) -> dict[str, dict[str, Any]]:
    """The three sizes of each row take turns, each in a separate process. A round gives one ratio to the smallest size."""
    found: dict[str, dict[str, Any]] = {}
    for name in ITEMS:
        with contextlib.ExitStack() as stack:
            children = [stack.enter_context(asked(name, times)) for times in (1, 10, 100)]
            taken = [[child() for child in children] for _ in range(rounds)]
        ratios = [statistics.median(costs[at] / costs[0] for costs in taken) for at in (1, 2)]
        found[name] = {
            "us": [statistics.median(costs) for costs in zip(*taken, strict=True)],
            "ratios": ratios,
            "worst": max(ratios),
            "verdict": f"{name}: at worst {max(ratios):.2f} ×: {Goal('', GROWTH, max(ratios)).mark}.",
        }
    return found


@contextlib.contextmanager
def asked(name: str, times: int) -> Iterator[Callable[[], float]]:
    """A process that is ready to measure."""
    command = [sys.executable, "-m", "benchmarks.growth", "item", name, str(times)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"

        def measure() -> float:
            print(file=child.stdin, flush=True)
            return float(child.stdout.readline())  # type: ignore[union-attr]  # checked above

        try:
            yield measure
        finally:
            child.stdin.close()


def main(kind: str, rest: list[str]) -> object:
    if kind == "concurrency":
        return asyncio.run(concurrency(rest[0], rest[1], int(rest[2]), [int(size) for size in rest[3:]]))
    if kind == "objects":
        return asyncio.run(objects(rest[0], rest[1], int(rest[2])))
    if kind == "memory":
        return asyncio.run(memory(rest[0], int(rest[1])))
    return items(int(rest[0]) if rest else 7)


if __name__ == "__main__":
    if sys.argv[1] == "item":
        asyncio.run(measure_when_asked(sys.argv[2], int(sys.argv[3])))
    else:
        with contextlib.redirect_stdout(sys.stderr):
            found = main(sys.argv[1], sys.argv[2:])
        print(json.dumps(found))
