"""Who waits how long when many callers share 100 connections: aiohttp's own pool, and ours with its queue.

python -m benchmarks.fairness CONTENDER BASE CALLS CALLERS     JSON: milliseconds (median, 99 %, worst), and how many calls failed
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from typing import Any

from benchmarks.fixture import APP_ID, BODY, PATH, POOL_ID, TOKEN

CONNECTIONS = 100


async def run(contender: str, base: str, calls: int, callers: int) -> dict[str, float]:
    """A call's time includes its wait for a connection."""
    import aiohttp

    from authing_mfa import AuthClient, NetworkError

    taken: list[float] = []
    failed = 0
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
            nonlocal failed
            for _ in turns:
                started = time.perf_counter()
                try:
                    await call()
                except (aiohttp.ClientError, NetworkError):
                    failed += 1
                taken.append(time.perf_counter() - started)

        await asyncio.gather(*(call() for _ in range(CONNECTIONS)), return_exceptions=True)
        await asyncio.gather(*(caller() for _ in range(callers)))
    taken.sort()
    worst, p99 = taken[-1] * 1000, taken[int(len(taken) * 0.99)] * 1000
    return {"median": statistics.median(taken) * 1000, "p99": p99, "worst": worst, "failed": failed}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))))
