"""What grows: with the calls at a time, with the calls made, and with the users, messages, rows and journal of a program.

python -m benchmarks.growth concurrency CONTENDER BASE CALLS N...     JSON: microseconds of CPU per call at each N
python -m benchmarks.growth objects CONTENDER BASE CALLS              JSON: objects that the collector looks through, per call in flight
python -m benchmarks.growth memory BASE CALLS                         JSON: KiB resident after 10,000 calls and after CALLS
python -m benchmarks.growth items                                     JSON: microseconds of CPU per item at 1, 10 and 100 times as many
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.contenders import CONTENDERS, drive


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


async def of_emulator(users: int, messages: int) -> float:
    """A call to an emulator that has so many users and sent messages, client and emulator together."""
    from authing_mfa import AuthClient
    from authing_mfa.emulator import Emulator

    async with Emulator() as emulator:
        added = [emulator.add_user(username=f"u{number}", password="p") for number in range(users)]
        for number in range(messages):
            emulator.send_code(f"{13_000_000_000 + number}")
        token = emulator.issue_user_token(added[-1])
        async with AuthClient(emulator.app_id, base_url=emulator.url, token=token) as client:
            await client.get_current_user()
            gc.collect()
            started = time.process_time()
            for number in range(300):
                if messages > 1:
                    emulator.code_for(emulator.send_code(f"{14_000_000_000 + number}") and f"{14_000_000_000 + number}")
                await client.get_current_user()
            return (time.process_time() - started) / 300 * 1e6


async def items() -> dict[str, list[float]]:
    from benchmarks.batch import per_row

    with tempfile.TemporaryDirectory() as folder:
        return {
            "emulator, 100 users and more: a call": [await of_emulator(100 * times, 1) for times in (1, 10, 100)],
            "emulator, 100 messages and more: a code": [await of_emulator(1, 100 * times) for times in (1, 10, 100)],
            "batch, 10,000 rows and more: a row": [await per_row(10_000 * times) for times in (1, 10, 100)],
            "journal, 1,000 rows and more: a row": [
                await per_row(1000 * times, str(Path(folder, f"{times}.db"))) for times in (1, 10, 100)
            ],
        }


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):
        if kind == "concurrency":
            found = asyncio.run(concurrency(rest[0], rest[1], int(rest[2]), [int(size) for size in rest[3:]]))
        elif kind == "objects":
            found = asyncio.run(objects(rest[0], rest[1], int(rest[2])))
        elif kind == "memory":
            found = asyncio.run(memory(rest[0], int(rest[1])))
        else:
            found = asyncio.run(items())
    print(json.dumps(found))
