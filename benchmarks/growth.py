"""What grows: CPU per call with the number of concurrent calls, memory with the number of calls made.

python -m benchmarks.growth concurrency BASE CALLS N...     microseconds of CPU per call at each N, as JSON
python -m benchmarks.growth memory BASE CALLS               KiB resident after 10,000 calls and after CALLS, as JSON
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time

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


def resident() -> int:
    """KiB in physical memory."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a file on disk
        return int(file.read().split()[1]) * 4


async def memory(base: str, calls: int) -> dict[str, int]:
    async with CONTENDERS["ours-default"](base, None) as call:
        await drive(call, 10_000, 64)
        gc.collect()
        before = resident()
        await drive(call, calls - 10_000, 64)
        gc.collect()
        return {"after_10000": before, f"after_{calls}": resident(), "growth": resident() - before}


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    if kind == "concurrency":
        contender, where, count, *sizes = rest
        print(json.dumps(asyncio.run(concurrency(contender, where, int(count), [int(size) for size in sizes]))))
    else:
        print(json.dumps(asyncio.run(memory(rest[0], int(rest[1])))))
