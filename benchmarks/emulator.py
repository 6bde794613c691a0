"""The emulator beside a bare aiohttp.web handler that answers the same bytes: server CPU per request, and how evenly it answers.

python -m benchmarks.emulator serve emulator|bare FILE    a server; it prints its port, and in FILE stand token and answer
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.servers import WORK, cpu_of, printing

PATH = "/api/v2/users/me"


def serve(kind: str, file: Path) -> None:
    from aiohttp import web

    from authing_mfa.emulator import Emulator

    if kind == "emulator":
        with Emulator() as emulator:
            user = emulator.add_user(username="ada", password="lovelace", phone="13800000000")
            file.write_text(json.dumps({"token": emulator.issue_user_token(user), "app_id": emulator.app_id}))
            print(emulator.url, flush=True)
            sys.stdin.read()
        return
    answer = json.loads(file.read_text())["answer"].encode()

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=answer, content_type="application/json")

    async def main() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(main())


async def load(url: str, told: dict[str, str], calls: int, pid: int) -> dict[str, Any]:
    import aiohttp

    headers = {"Authorization": f"Bearer {told['token']}", "x-authing-app-id": told["app_id"]}
    taken: list[float] = []
    turns = iter(range(calls))
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=64)) as session:

        async def caller() -> None:
            for _ in turns:
                started = time.perf_counter()
                async with session.get(url + PATH) as reply:
                    told["answer"] = await reply.text()
                    assert reply.status == 200, told["answer"]
                taken.append(time.perf_counter() - started)

        await asyncio.gather(*(session.get(url + PATH) for _ in range(64)))
        before, began = cpu_of(pid), time.perf_counter()
        taken.clear()
        await asyncio.gather(*(caller() for _ in range(64)))
        wall, cpu = time.perf_counter() - began, cpu_of(pid) - before
    taken.sort()
    return {
        "us": cpu / calls * 1e6,
        "per_second": calls / wall,
        "p99_over_p50": taken[int(calls * 0.99)] / statistics.median(taken),
    }


def measure(calls: int) -> dict[str, dict[str, float]]:
    file = WORK / "emulator.json"
    found = {}
    for kind in ("emulator", "bare"):
        with printing("emulator", "serve", kind, file) as (url, pid):
            told = json.loads(file.read_text())
            found[kind] = asyncio.run(load(url, told, calls, pid))
            file.write_text(json.dumps(told))
    return found


if __name__ == "__main__":
    serve(sys.argv[2], Path(sys.argv[3]))
