"""One contender makes a number of calls, and nothing else.

python -m benchmarks.probe CONTENDER BASE CALLS CONCURRENCY [--no-orjson] [--ca FILE] [--cpu]

With --cpu it prints the CPU seconds of a call. Without it, it is what cachegrind counts: one child process makes CALLS calls,
the next one twice as many. Both are forked after the imports, so that these are executed once.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time


async def run(args: argparse.Namespace, calls: int, concurrency: int) -> float:
    """CPU seconds of one of *calls* calls."""
    from benchmarks.contenders import CONTENDERS, drive

    async with CONTENDERS[args.contender](args.base, args.ca) as call:
        await drive(call, 3 * concurrency, concurrency)  # connections made, caches warm
        gc.collect()
        gc.freeze()
        started = time.process_time()
        await drive(call, calls, concurrency)
        return (time.process_time() - started) / calls


def fork_twice(args: argparse.Namespace) -> None:
    """Let one child make the calls, and another one twice as many."""
    asyncio.run(run(args, 1, 1))
    for calls in (args.calls, 2 * args.calls):
        child = os.fork()
        if child == 0:
            asyncio.run(run(args, calls, args.concurrency))
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"{calls} calls failed")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("contender")
    parser.add_argument("base")
    parser.add_argument("calls", type=int)
    parser.add_argument("concurrency", type=int)
    parser.add_argument("--no-orjson", action="store_true")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--ca")
    given = parser.parse_args()
    if given.no_orjson:
        sys.modules["orjson"] = None  # type: ignore[assignment]  # the default install has none
    if given.cpu:
        print(asyncio.run(run(given, given.calls, given.concurrency)))
    else:
        fork_twice(given)
