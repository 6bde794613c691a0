"""What a call costs more through the callback layer than awaited directly: CPU time of all threads, per call.

``python -m benchmarks.hop [--rounds N]``. The client is the real one; its transport answers at once, so nothing but the hop
differs. Contenders take turns in shuffled slices; each round gives one difference to the baseline of the same round; the table
shows their median and quartiles. The second copy of the baseline shows how noisy the machine is.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from authing_mfa.client import AuthClient
from authing_mfa.compat import AuthClient as Compat
from authing_mfa.compat import Authing
from authing_mfa.compat.settings import Settings
from authing_mfa.protocol import Response

GOAL = 15.0  # microseconds of CPU per call
SLICE = 1024  # calls of one contender at a time
ANSWER = Response(200, {}, b'{"code":200,"message":"fine","data":true}')
BASELINE = "awaited directly"

Contender = Callable[[int], None]


def client() -> AuthClient:
    """A real client whose transport answers at once."""
    made = AuthClient("APP", base_url="http://127.0.0.1:9", token="token")

    async def send(*_: Any) -> Response:
        return ANSWER

    made._core.transport.send = send  # type: ignore[method-assign]  # only the hop is measured
    made._core.transport.enter = lambda: None  # type: ignore[method-assign]  # the same
    return made


def awaited(loop: asyncio.AbstractEventLoop, made: AuthClient) -> Contender:
    async def calls(number: int) -> None:
        for _ in range(number):
            await made.mfa_check(phone="13012345678")

    return lambda number: loop.run_until_complete(calls(number))


def chains(size: int) -> Contender:
    """The callback layer, *size* calls in flight, each completion making the next call: what a window does."""

    def calls(number: int) -> None:
        compat, ended, turns = Compat(), threading.Semaphore(0), iter(range(number - size))

        def completion(*_: object) -> None:
            if next(turns, None) is None:
                ended.release()
            else:
                compat.mfaCheck("13012345678", None, completion)

        for _ in range(size):
            compat.mfaCheck("13012345678", None, completion)
        for _ in range(size):
            ended.acquire()

    return calls


def naive(size: int, made: AuthClient) -> Contender:
    """What one writes first: run_coroutine_threadsafe, and a done-callback."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def calls(number: int) -> None:
        told, done = threading.Semaphore(0), 0

        def completion(future: Any) -> None:
            nonlocal done
            done += future.result()
            if done == size:
                done = 0
                told.release()

        for _ in range(number // size):
            for _ in range(size):
                call = made.mfa_check(phone="13012345678")
                asyncio.run_coroutine_threadsafe(call, loop).add_done_callback(completion)
            told.acquire()

    return calls


def measure(rounds: int, seed: int = 1) -> dict[str, list[float]]:
    """Microseconds of CPU per call: for each contender one figure per round."""
    Settings.client = lambda _: client()  # type: ignore[method-assign]  # the same
    Authing.start("APP", token="token")
    loop, made = asyncio.new_event_loop(), client()
    contenders = {
        BASELINE: awaited(loop, made),
        "the same again (A/A)": awaited(loop, made),
        "callback layer, 64 in flight": chains(64),
        "callback layer, 512 in flight": chains(512),
        "callback layer, one at a time": chains(1),
        "run_coroutine_threadsafe, 64 in flight": naive(64, client()),
    }
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    order, chance = list(contenders), random.Random(seed)
    for name in order:
        contenders[name](SLICE)  # warm
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        chance.shuffle(order)
        for name in order:
            started = time.process_time_ns()
            contenders[name](SLICE)
            figures[name].append((time.process_time_ns() - started) / SLICE / 1000)
    Authing.shutdown()
    loop.close()
    return figures


def report(figures: dict[str, list[float]]) -> str:
    """The table: each contender's cost, and its difference to the baseline of the same round."""
    lines = [f"{'microseconds of CPU per call':<42}{'cost':>8}{'hop':>8}{'quartiles':>18}"]
    for name, costs in figures.items():
        hops = [cost - base for cost, base in zip(costs, figures[BASELINE], strict=True)]
        low, middle, high = statistics.quantiles(hops, n=4)
        lines.append(f"{name:<42}{statistics.median(costs):>8.1f}{middle:>8.1f}{f'{low:.1f} to {high:.1f}':>18}")
    return "\n".join(lines)


def hop(figures: dict[str, list[float]], name: str = "callback layer, 64 in flight") -> float:
    """The median hop of one contender."""
    return statistics.median(cost - base for cost, base in zip(figures[name], figures[BASELINE], strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    figures = measure(options.rounds)
    print(report(figures))
    cost = hop(figures)
    print(f"goal: at most {GOAL:g}; 64 in flight: {cost:.1f}: {'kept' if cost <= GOAL else 'MISSED'}")
    sys.exit(cost > GOAL)


if __name__ == "__main__":
    main()
