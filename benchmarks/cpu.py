"""CPU seconds per call: all contenders in one process on one loop, taking turns in shuffled slices.

Each round gives one ratio to the baseline of the same round; the figure is their median, with quartiles. A second copy of the
baseline says how far to trust it. Children and servers are not counted, threads of this process are.

    python -m benchmarks.cpu BASE [--ca FILE] [--concurrency N] [--rounds N]        prints JSON
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import random
import statistics
import time
from typing import Any

from benchmarks.contenders import CONTENDERS, Call, drive

BASELINE = "bare"
# What is compared: its name in the tables, the contender, whether orjson is there, how many rounds go by for one turn of it.
FIELD: dict[str, tuple[str, bool, int]] = {
    "bare aiohttp": ("bare", True, 1),
    "bare aiohttp again (A/A)": ("bare", True, 1),
    "bare aiohttp, the service's headers": ("bare-same", True, 1),
    "tuned aiohttp": ("tuned-json", True, 1),
    "tuned aiohttp, orjson": ("tuned-orjson", True, 1),
    "AuthClient": ("ours", False, 1),
    "AuthClient, orjson": ("ours", True, 1),
    "callback layer": ("compat", False, 1),
    "httpx.AsyncClient": ("httpx", True, 6),
    "requests in threads": ("requests", True, 3),
}


async def measure(
    base: str, ca: str | None, concurrency: int, rounds: int, seed: int = 1
) -> dict[str, list[float | None]]:
    """Microseconds of CPU per call: for each contender one figure per round, None where it had no turn."""
    from authing_mfa import protocol

    calls = max(160, 2 * concurrency)
    loads = protocol.orjson
    chance = random.Random(seed)
    async with contextlib.AsyncExitStack() as stack:
        opened: dict[str, Call] = {}
        for key in dict.fromkeys(contender for contender, _, _ in FIELD.values()):
            with contextlib.suppress(ImportError):
                opened[key] = await stack.enter_async_context(CONTENDERS[key](base, ca))
        names = [name for name, (key, _, _) in FIELD.items() if key in opened]
        for call in opened.values():
            await drive(call, 3 * concurrency, concurrency)
        gc.collect()
        gc.freeze()
        taken: dict[str, list[float | None]] = {name: [] for name in names}
        for number in range(rounds):
            for name in chance.sample(names, len(names)):
                key, orjson, every = FIELD[name]
                if number % every:
                    taken[name].append(None)
                    continue
                protocol.orjson = loads if orjson else None
                started = time.process_time()
                await drive(opened[key], calls, concurrency)
                taken[name].append((time.process_time() - started) / calls * 1e6)
        protocol.orjson = loads
    return taken


def summary(taken: dict[str, list[float | None]]) -> dict[str, dict[str, float]]:
    """For each contender: the median cost, and the median and quartiles of its ratios to the baseline."""
    base = taken["bare aiohttp"]
    figures: dict[str, dict[str, float]] = {}
    for name, costs in taken.items():
        ratios = [
            cost / other for cost, other in zip(costs, base, strict=True) if cost is not None and other is not None
        ]
        low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        figures[name] = {
            "us": statistics.median(cost for cost in costs if cost is not None),
            "ratio": middle,
            "low": low,
            "high": high,
        }
    return figures


def ratio(taken: dict[str, list[float | None]], over: str, under: str) -> float:
    """The median of paired ratios of two contenders."""
    pairs = zip(taken[over], taken[under], strict=True)
    return statistics.median(one / other for one, other in pairs if one is not None and other is not None)


def noisy(figures: dict[str, dict[str, Any]]) -> bool:
    """Whether the baseline against itself is off by more than 5 %."""
    return abs(figures["bare aiohttp again (A/A)"]["ratio"] - 1) > 0.05


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("--ca")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(measure(given.base, given.ca, given.concurrency, given.rounds))))
