"""The contenders: each opens itself on a base address and gives a coroutine function that makes one call.

An asynchronous contender is a context manager that gives `call`; the ones in threads give a plain function.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from benchmarks.fixture import APP_ID, BODY, HEADERS, PATH, POOL_ID, TOKEN

Call = Callable[[], Awaitable[Any]]
Contender = Callable[[str, str | None], contextlib.AbstractAsyncContextManager[Call]]


def tls(ca: str | None) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=ca) if ca else None


@contextlib.asynccontextmanager
async def bare(base: str, ca: str | None, headers: dict[str, str] | None = None) -> AsyncIterator[Call]:
    """aiohttp as its documentation shows it. No headers of the service, no check of anything."""
    import aiohttp

    url = base + PATH
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=tls(ca) or True)) as session:

        async def call() -> Any:
            async with session.post(url, json=BODY, headers=headers) as reply:
                return await reply.json()

        yield call


def bare_same_request(base: str, ca: str | None) -> contextlib.AbstractAsyncContextManager[Call]:
    """The same, sending the headers that the service needs: the same bytes on the wire as the SDK."""
    return bare(base, ca, HEADERS)


@contextlib.asynccontextmanager
async def tuned(
    base: str,
    ca: str | None,
    *,
    headers: dict[str, str] | None,
    loads: Callable[[bytes], Any],
    dumps: Callable[[Any], bytes],
) -> AsyncIterator[Call]:
    """aiohttp without an SDK, with everything that its public interface offers for speed."""
    import aiohttp
    from multidict import CIMultiDict
    from yarl import URL

    url = URL(base + PATH, encoded=True)
    fixed = CIMultiDict({"Content-Type": "application/json", **(headers or {})})
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=tls(ca) or True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=60),
    ) as session:

        async def call() -> Any:
            async with session.post(url, data=dumps(BODY), headers=fixed, allow_redirects=False) as reply:
                return loads(await reply.read())

        yield call


def _dumps(value: Any) -> bytes:
    return json.dumps(value).encode()


def tuned_json(base: str, ca: str | None) -> contextlib.AbstractAsyncContextManager[Call]:
    return tuned(base, ca, headers=HEADERS, loads=json.loads, dumps=_dumps)


def tuned_orjson(base: str, ca: str | None) -> contextlib.AbstractAsyncContextManager[Call]:
    import orjson

    return tuned(base, ca, headers=HEADERS, loads=orjson.loads, dumps=orjson.dumps)


def tuned_orjson_bare(base: str, ca: str | None) -> contextlib.AbstractAsyncContextManager[Call]:
    import orjson

    return tuned(base, ca, headers=None, loads=orjson.loads, dumps=orjson.dumps)


@contextlib.asynccontextmanager
async def ours(base: str, ca: str | None, max_connections: int = 16384) -> AsyncIterator[Call]:
    """AuthClient, one full typed call: checks, headers, envelope, UserInfo."""
    from authing_mfa import AuthClient

    options: Any = {"ssl_context": tls(ca), "max_connections": max_connections}
    async with AuthClient(APP_ID, token=TOKEN, base_url=base, user_pool_id=POOL_ID, **options) as client:

        async def call() -> Any:
            return await client.mfa_verify_by_totp("123456")

        yield call


@contextlib.asynccontextmanager
async def compat(base: str, ca: str | None) -> AsyncIterator[Call]:
    """The callback layer as its callers use it: from a thread, each completion starting the next call."""
    from authing_mfa.compat import AuthClient, Authing

    Authing.start(APP_ID, base_url=base, user_pool_id=POOL_ID, ssl_context=tls(ca), max_connections=16384)
    Authing.setCurrentToken(TOKEN)
    client = AuthClient()

    def chain(calls: int, concurrency: int) -> None:
        turns, ended, failures = iter(range(calls - concurrency)), threading.Semaphore(0), []

        def completion(code: int, message: str | None, _value: Any) -> None:
            if code != 200:
                failures.append(f"{code} {message}")
            if next(turns, None) is None:
                ended.release()
            else:
                client.mfaVerifyByTOTP("123456", completion)

        for _ in range(concurrency):
            client.mfaVerifyByTOTP("123456", completion)
        for _ in range(concurrency):
            ended.acquire()
        if failures:
            raise RuntimeError(failures[0])

    loop = asyncio.get_running_loop()

    async def call() -> Any:
        await loop.run_in_executor(None, chain, 1, 1)

    call.chain = chain  # type: ignore[attr-defined]  # `drive` runs it in a thread
    try:
        yield call
    finally:
        Authing.shutdown()


@contextlib.asynccontextmanager
async def httpx_async(base: str, ca: str | None) -> AsyncIterator[Call]:
    import httpx

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(headers=HEADERS, limits=limits, verify=tls(ca) or True, timeout=60) as client:
        url = base + PATH

        async def call() -> Any:
            return (await client.post(url, json=BODY)).json()

        yield call


def in_threads(one: Callable[[], Any]) -> Call:
    """A plain function, which `drive` runs in threads that stay; each has its connection kept."""

    async def call() -> Any:
        raise TypeError("it is driven in threads")

    call.plain = one  # type: ignore[attr-defined]  # `drive` looks for it
    call.pool = ThreadPoolExecutor(512)  # type: ignore[attr-defined]  # the same
    return call


@contextlib.asynccontextmanager
async def requests_threads(base: str, ca: str | None) -> AsyncIterator[Call]:
    """requests as it should be used from threads: a session for each."""
    import requests

    own = threading.local()

    def one() -> Any:
        if not hasattr(own, "session"):
            own.session = requests.Session()
            own.session.headers.update(HEADERS)
            own.session.verify = ca or True
        return own.session.post(base + PATH, json=BODY, timeout=60).json()

    yield in_threads(one)


@contextlib.asynccontextmanager
async def httpx_threads(base: str, ca: str | None) -> AsyncIterator[Call]:
    """One httpx.Client, which threads may share."""
    import httpx

    with httpx.Client(headers=HEADERS, verify=tls(ca) or True, timeout=60) as client:
        yield in_threads(lambda: client.post(base + PATH, json=BODY).json())


@contextlib.asynccontextmanager
async def ours_threads(base: str, ca: str | None) -> AsyncIterator[Call]:
    """authing_mfa.sync.AuthClient."""
    from authing_mfa.sync import AuthClient

    client = AuthClient(APP_ID, token=TOKEN, base_url=base, user_pool_id=POOL_ID, ssl_context=tls(ca))
    yield in_threads(lambda: client.mfa_verify_by_totp("123456"))
    client.close()


CONTENDERS: dict[str, Contender] = {
    "bare": bare,
    "bare-same": bare_same_request,
    "tuned-json": tuned_json,
    "tuned-orjson": tuned_orjson,
    "tuned-orjson-bare": tuned_orjson_bare,
    "ours": ours,
    "ours-default": partial(ours, max_connections=512),  # as it comes: more callers wait their turn
    "compat": compat,
    "httpx": httpx_async,
    "requests": requests_threads,
    "httpx-threads": httpx_threads,
    "sync": ours_threads,
}


async def drive(call: Call, calls: int, concurrency: int) -> None:
    """Make *calls* calls, *concurrency* at a time."""
    chain: Callable[[int, int], None] | None = getattr(call, "chain", None)
    if chain is not None:
        await asyncio.get_running_loop().run_in_executor(None, chain, calls, min(calls, concurrency))
        return
    turns = iter(range(calls))
    if hasattr(call, "plain"):
        await asyncio.get_running_loop().run_in_executor(None, _drive_threads, call, calls, min(calls, concurrency))
        return

    async def worker() -> None:
        for _ in turns:
            await call()

    if concurrency == 1:
        await worker()
    else:
        await asyncio.gather(*(worker() for _ in range(min(calls, concurrency))))


def _drive_threads(call: Any, calls: int, threads: int) -> None:
    together = threading.Barrier(threads)

    def worker() -> None:
        together.wait()  # so that no thread makes the calls of another one
        for _ in range(calls // threads):
            call.plain()

    for done in [call.pool.submit(worker) for _ in range(threads)]:
        done.result()
