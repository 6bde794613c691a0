"""What a call costs through `authing_mfa.sync` from 32 threads: CPU time of all threads of the process, per call.

``python -m benchmarks.sync [--rounds N] [--threads N]``. The server is nginx on the other core. Contenders take turns in
shuffled slices; each round gives one ratio to the coroutine's cost in the same round; the table shows the median and the
quartiles. The second copy of the baseline shows how noisy the machine is. `requests` gets one session for each thread.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.fixture import APP_ID, BODY, HEADERS, PATH, POOL_ID, TOKEN
from benchmarks.servers import all_servers, cores

SLICE = 640  # calls of one contender at a time
BASELINE = "AuthClient, coroutine"

Contender = Callable[[], None]


def _ignore(_record: object) -> None:
    pass


def coroutine(
    base: str, loop: asyncio.AbstractEventLoop, at_once: int, on_call: Callable[..., None] | None
) -> Contender:
    """The async client on *loop*, *at_once* tasks that call one after the other."""
    from authing_mfa import AuthClient

    options = {} if on_call is None else {"on_call": on_call}
    client = AuthClient(APP_ID, token=TOKEN, base_url=base, user_pool_id=POOL_ID, **options)

    async def task() -> None:
        for _ in range(SLICE // at_once):
            await client.mfa_verify_by_totp("123456")

    async def tasks() -> None:
        await asyncio.gather(*(task() for _ in range(at_once)))

    return lambda: loop.run_until_complete(tasks())


def in_threads(threads: int, one: Callable[[], object]) -> Contender:
    """*threads* threads that stay, each of which calls *one* again and again."""
    pool = ThreadPoolExecutor(threads)
    together = threading.Barrier(threads)

    def work() -> None:
        together.wait()
        for _ in range(SLICE // threads):
            one()

    def contender() -> None:
        for work_done in [pool.submit(work) for _ in range(threads)]:
            work_done.result()

    return contender


def synchronous(base: str, threads: int) -> Contender:
    from authing_mfa.sync import AuthClient

    client = AuthClient(APP_ID, token=TOKEN, base_url=base, user_pool_id=POOL_ID)
    return in_threads(threads, lambda: client.mfa_verify_by_totp("123456"))


def naive(base: str, threads: int) -> Contender:
    """What one writes first: run_coroutine_threadsafe on a loop of one's own."""
    from authing_mfa import AuthClient

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    client = AuthClient(APP_ID, token=TOKEN, base_url=base, user_pool_id=POOL_ID)
    return in_threads(
        threads, lambda: asyncio.run_coroutine_threadsafe(client.mfa_verify_by_totp("123456"), loop).result()
    )


def requests_sessions(base: str, threads: int) -> Contender:
    import requests

    own = threading.local()

    def one() -> object:
        session = getattr(own, "session", None)
        if session is None:
            session = own.session = requests.Session()
            session.headers.update(HEADERS)
        return session.post(base + PATH, json=BODY, timeout=60).json()

    return in_threads(threads, one)


@contextlib.contextmanager
def _loops(*, asyncio_only: bool) -> Iterator[None]:
    """Without uvloop, for a contender that shows what it brings."""
    hidden = sys.modules.get("uvloop")
    if asyncio_only:
        sys.modules["uvloop"] = None  # type: ignore[assignment]  # an import of it fails
    yield
    if asyncio_only:
        sys.modules.pop("uvloop")
        if hidden is not None:
            sys.modules["uvloop"] = hidden


def contenders(base: str, threads: int) -> dict[str, Contender]:
    loop = asyncio.new_event_loop()
    found: dict[str, Contender] = {
        BASELINE: coroutine(base, loop, threads, None),
        "the same again (A/A)": coroutine(base, loop, threads, None),
    }
    with contextlib.suppress(TypeError):
        found["the same with on_call"] = coroutine(base, loop, threads, _ignore)
    with contextlib.suppress(ImportError):
        import uvloop

        found["the same on uvloop"] = coroutine(base, uvloop.new_event_loop(), threads, None)
    found["sync.AuthClient"] = synchronous(base, threads)
    found["sync.AuthClient, one thread"] = synchronous(base, 1)
    found["run_coroutine_threadsafe"] = naive(base, threads)
    with contextlib.suppress(ImportError):
        found["requests"] = requests_sessions(base, threads)
    return found


def measure(base: str, threads: int, rounds: int, seed: int = 1) -> dict[str, list[float]]:
    """Microseconds of CPU per call: for each contender one figure per round."""
    running = contenders(base, threads)
    chance, order = random.Random(seed), list(running)
    for name in order:
        running[name]()  # warm
    gc.collect()
    gc.freeze()
    figures: dict[str, list[float]] = {name: [] for name in order}
    for _ in range(rounds):
        chance.shuffle(order)
        for name in order:
            started = time.process_time()
            running[name]()
            figures[name].append((time.process_time() - started) / SLICE * 1e6)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--no-uvloop", action="store_true", help="measure sync.AuthClient on asyncio's own loop")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cores()[0]})
    with all_servers() as servers, _loops(asyncio_only=given.no_uvloop):
        figures = measure(servers.http, given.threads, given.rounds)
        base = figures[BASELINE]
        print(f"{given.threads} threads, {given.rounds} rounds of {SLICE} calls, server: {servers.name}")
        for name, taken in figures.items():
            low, middle, high = statistics.quantiles([one / other for one, other in zip(taken, base, strict=True)], n=4)
            print(f"{name:32} {statistics.median(taken):7.0f} us   {middle:5.2f} ({low:.2f}-{high:.2f})")


if __name__ == "__main__":
    main()
