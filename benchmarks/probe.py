"""One contender makes a number of calls, and nothing else: what cachegrind counts.

python -m benchmarks.probe CONTENDER BASE CALLS CONCURRENCY [--no-orjson] [--ca FILE] [--cpu]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time


async def run(args: argparse.Namespace) -> None:
    from benchmarks.contenders import CONTENDERS, drive

    async with CONTENDERS[args.contender](args.base, args.ca) as call:
        await drive(call, 3 * args.concurrency, args.concurrency)  # connections made, caches warm
        gc.collect()
        gc.freeze()
        started = time.process_time()
        await drive(call, args.calls, args.concurrency)
        if args.cpu:
            print((time.process_time() - started) / args.calls)


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
    asyncio.run(run(given))
