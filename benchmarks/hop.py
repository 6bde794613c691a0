"""What a call costs more through the callback layer than awaited directly: CPU time of all threads, per call.

``python -m benchmarks.hop``. The client is the real one; its transport answers at once, so nothing but the hop differs.
"""

from __future__ import annotations

import asyncio
import statistics
import threading
from collections.abc import Callable
from typing import Any

from authing_mfa.client import AuthClient
from authing_mfa.compat import AuthClient as Compat
from authing_mfa.compat import Authing
from authing_mfa.compat.settings import Settings
from authing_mfa.protocol import Response
from benchmarks.turns import AGAIN, Taken, take_turns

SLICE = 1024  # calls of one contender at a time
ANSWER = Response(200, {}, b'{"code":200,"message":"fine","data":true}')
BASELINE = "awaited directly"

Contender = Callable[[], int]


def client() -> AuthClient:
    """A real client whose transport answers at once."""
    made = AuthClient("APP", base_url="http://127.0.0.1:9", token="token")

    async def send(*_: Any) -> Response:
        return ANSWER

    made._core.transport.send = send  # type: ignore[method-assign]  # only the hop is measured
    made._core.transport.enter = lambda: None  # type: ignore[method-assign]  # the same
    return made


def awaited(loop: asyncio.AbstractEventLoop, made: AuthClient) -> Contender:
    async def calls() -> int:
        for _ in range(SLICE):
            await made.mfa_check(phone="13012345678")
        return SLICE

    return lambda: loop.run_until_complete(calls())


def chains(size: int) -> Contender:
    """The callback layer, *size* calls in flight, each completion making the next call: what a window does."""

    def calls() -> int:
        compat, ended, turns = Compat(), threading.Semaphore(0), iter(range(SLICE - size))

        def completion(*_: object) -> None:
            if next(turns, None) is None:
                ended.release()
            else:
                compat.mfaCheck("13012345678", None, completion)

        for _ in range(size):
            compat.mfaCheck("13012345678", None, completion)
        for _ in range(size):
            ended.acquire()
        return SLICE

    return calls


def measure(rounds: int) -> Taken:
    """Microseconds of CPU per call: for each contender one figure per round."""
    Settings.client = lambda _: client()  # type: ignore[method-assign]  # the same
    Authing.start("APP", token="token")
    loop, made = asyncio.new_event_loop(), client()
    figures = take_turns(
        {
            BASELINE: awaited(loop, made),
            AGAIN: awaited(loop, made),
            "callback layer, 64 in flight": chains(64),
            "callback layer, 512 in flight": chains(512),
            "callback layer, one at a time": chains(1),
        },
        rounds,
    )
    Authing.shutdown()
    loop.close()
    return figures


def hop(figures: Taken, name: str) -> float:
    """The median difference of a contender to the baseline."""
    return statistics.median(cost - base for cost, base in zip(figures[name], figures[BASELINE], strict=True))


if __name__ == "__main__":
    for name, costs in (found := measure(60)).items():
        print(f"{name:<34}{statistics.median(costs):>8.1f} µs{hop(found, name):>+8.1f}")
