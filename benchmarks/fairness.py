"""Who waits how long when 512 callers share 100 connections: aiohttp's own pool, and ours with its queue.

python -m benchmarks.fairness CONTENDER BASE CALLS        prints milliseconds: median, 99 %, worst
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from typing import Any

from benchmarks.fixture import APP_ID, BODY, PATH, POOL_ID, TOKEN

CALLERS, CONNECTIONS = 512, 100


async def run(contender: str, base: str, calls: int) -> list[float]:
    """Seconds that each call took, its wait for a connection included."""
    import aiohttp

    from authing_mfa import AuthClient

    taken: list[float] = []
    turns = iter(range(calls))
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session,
        AuthClient(APP_ID, token=TOKEN, base_url=base, user_pool_id=POOL_ID, max_connections=CONNECTIONS) as client,
    ):

        async def bare() -> Any:
            async with session.post(base + PATH, json=BODY) as reply:
                return await reply.json()

        async def ours() -> Any:
            return await client.mfa_verify_by_totp("123456")

        call = bare if contender == "bare" else ours

        async def caller() -> None:
            for _ in turns:
                started = time.perf_counter()
                await call()
                taken.append(time.perf_counter() - started)

        await asyncio.gather(*(call() for _ in range(CONNECTIONS)))
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return taken


if __name__ == "__main__":
    times = sorted(asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
    figures = {"median": statistics.median(times), "p99": times[int(len(times) * 0.99)], "worst": times[-1]}
    print(json.dumps({name: seconds * 1000 for name, seconds in figures.items()}))
