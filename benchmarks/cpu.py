"""CPU per call over HTTP, of all threads of this process; servers are not counted. Prints JSON.

python -m benchmarks.cpu BASE [--field async|threads] [--concurrency N] [--rounds N]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from functools import partial

from authing_mfa import _json
from benchmarks.contenders import CONTENDERS, Call, drive
from benchmarks.turns import AGAIN, Taken, take_turns

# Name in the tables: the contender, whether orjson and uvloop are there, and how many times fewer calls it makes.
FIELDS: dict[str, dict[str, tuple[str, bool, bool, int]]] = {
    "async": {
        "bare aiohttp": ("bare", False, False, 1),
        AGAIN: ("bare", False, False, 1),
        "bare aiohttp, the service's headers": ("bare-same", False, False, 1),
        "tuned aiohttp": ("tuned-json", False, False, 1),
        "tuned aiohttp, orjson": ("tuned-orjson", True, False, 1),
        "AuthClient": ("ours", False, False, 1),
        "AuthClient, orjson": ("ours", True, False, 1),
        "AuthClient, extra speed (orjson, uvloop)": ("ours", True, True, 1),
        "callback layer": ("compat", False, False, 1),
        "httpx.AsyncClient": ("httpx", False, False, 4),
    },
    "threads": {
        "AuthClient, the coroutine": ("ours", True, False, 1),
        AGAIN: ("ours", True, False, 1),
        "sync.AuthClient": ("sync", True, False, 1),
        "requests": ("requests", False, False, 2),
        "httpx.Client": ("httpx-threads", False, False, 4),
    },
}
BASELINE = {field: next(iter(rows)) for field, rows in FIELDS.items()}


def opened(stack: contextlib.ExitStack, key: str, base: str, *, uvloop: bool) -> tuple[asyncio.Runner, Call]:
    """Open a contender on a new event loop."""
    factory = None
    if uvloop:
        import uvloop as module

        factory = module.new_event_loop
    runner = stack.enter_context(asyncio.Runner(loop_factory=factory))
    contender = CONTENDERS[key](base, None)
    call = runner.run(contender.__aenter__())
    stack.callback(lambda: runner.run(contender.__aexit__(None, None, None)))
    return runner, call


def turn(runner: asyncio.Runner, call: Call, calls: int, concurrency: int, *, orjson: bool) -> int:
    found = _json.orjson
    if not orjson:
        _json.orjson = None
    runner.run(drive(call, calls, concurrency))
    _json.orjson = found
    return calls


def measure(field: str, base: str, concurrency: int, rounds: int) -> Taken:
    calls = max(160, 2 * concurrency)
    with contextlib.ExitStack() as stack:
        running = {}
        for name, (key, orjson, uvloop, fewer) in FIELDS[field].items():
            with contextlib.suppress(ImportError):  # it is not installed
                runner, call = opened(stack, key, base, uvloop=uvloop)
                number = max(calls // fewer, concurrency)
                running[name] = partial(turn, runner, call, number, concurrency, orjson=orjson)
        return take_turns(running, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("--field", choices=list(FIELDS), default="async")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    print(json.dumps(measure(given.field, given.base, given.concurrency, given.rounds)))
