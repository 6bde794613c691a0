"""Throughput of one process and of two, each on its own core: batch rows in a fixed time.

python -m benchmarks.processes BASE SECONDS     prints a line when it is warm, reads the time to start at, prints the rows verified in SECONDS
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.servers import ROOT, cores, pinned

if TYPE_CHECKING:
    from collections.abc import Iterator


WARM = 0.5  # seconds of warming up, not counted


async def work(base: str, seconds: float) -> int:
    from authing_mfa import AuthClient
    from authing_mfa.batch import VerifyRequest, verify_many

    until = float("inf")

    def rows() -> Iterator[VerifyRequest]:
        while time.time() < until:
            yield VerifyRequest.totp("123456", token="token")

    async with AuthClient("APP", base_url=base, token="token", max_connections=128) as client:
        until = time.time() + WARM
        async for _ in verify_many(client, rows(), concurrency=128):
            pass
        print("warm", flush=True)
        start = float(sys.stdin.readline())
        await asyncio.sleep(max(0.0, start - time.time()))
        until, count = start + seconds, 0
        async for outcome in verify_many(client, rows(), concurrency=128):
            count += outcome.ok
    return count


def rows_per_second(base: str, number: int, seconds: float) -> float:
    """Rows of *number* processes together."""
    running = [
        subprocess.Popen(
            [*pinned(core), sys.executable, "-m", "benchmarks.processes", base, str(seconds)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for core in cores()[:number]
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    start = time.time() + 0.5
    for process in running:
        assert process.stdin is not None
        process.stdin.write(f"{start}\n")
        process.stdin.flush()
    counts = [int(process.communicate()[0]) for process in running]
    return sum(counts) / seconds


if __name__ == "__main__":
    print(asyncio.run(work(sys.argv[1], float(sys.argv[2]))))
