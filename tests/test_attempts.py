"""How one try is made and timed: what is written, and one timer for all deadlines."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from authing_mfa import AuthClient, CallTimeoutError, NetworkError
from authing_mfa._transport.deadlines import Deadlines
from tests.servers import USER, Drop, Seen, answering, ok, serving


def client_of(server, **options) -> AuthClient:
    """A client of *server* that never repeats."""
    return AuthClient("app", token="tok", base_url=server.url, **{"max_attempts": 1, **options})


async def test_a_body_over_a_chunk_arrives_whole():
    """A long text is sent in several writes, and arrives whole."""
    account = "é" * 100_000
    async with serving(answering(ok(USER))) as server, client_of(server) as client:
        await client.login_by_email_code(account, "123456")
    assert server.seen[0].json["email"] == account


async def test_a_pool_that_closes_its_connections_says_so():
    """A borrowed pool with force_close tells the server, as aiohttp would."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        serving(answering(ok(USER))) as server,
        aiohttp.ClientSession(connector=connector) as session,
        client_of(server, session=session) as client,
    ):
        await client.mfa_verify_by_totp("123456")
    assert server.seen[0].header("Connection") == "close"


async def test_the_traces_of_a_borrowed_session_see_the_call():
    """The tracing of a borrowed session gets the body."""
    chunks: list[bytes] = []
    tracing = aiohttp.TraceConfig()

    async def on_chunk(_session, _context, params) -> None:
        chunks.append(params.chunk)

    tracing.on_request_chunk_sent.append(on_chunk)
    async with (
        serving(answering(ok(USER))) as server,
        aiohttp.ClientSession(trace_configs=[tracing]) as session,
        client_of(server, session=session) as client,
    ):
        await client.mfa_verify_by_totp("123456")
    assert b"".join(chunks) == server.seen[0].body


async def test_a_connection_that_closes_under_the_request_is_an_error_of_unknown_delivery():
    """Writing to a connection that the server has just closed is a NetworkError, not a crash."""
    async with serving(answering(ok(USER), Drop())) as server, client_of(server) as client:
        await client.mfa_verify_by_totp("123456")
        with pytest.raises(NetworkError) as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "unknown"


# ─────────────────────────────── deadlines ───────────────────────────────


async def sleeper(tries: Deadlines, seconds: float, gate: asyncio.Event) -> str:
    """A try that waits for *gate*, and says how it ended."""
    attempt = tries.begin(seconds)
    try:
        await gate.wait()
    except asyncio.CancelledError:
        if not attempt.cancelled_by_us():
            raise
        return "late"
    else:
        return "done"
    finally:
        tries.end(attempt)


async def test_deadlines_in_any_order_are_kept():
    """The earliest deadline is kept first, whichever came first; those that are far off are not touched."""
    tries, gate = Deadlines(asyncio.get_running_loop()), asyncio.Event()
    ended: list[float] = []

    async def one(seconds: float) -> None:
        assert await sleeper(tries, seconds, gate) == "late"
        ended.append(seconds)

    far = asyncio.create_task(sleeper(tries, 60, gate))
    await asyncio.gather(*(one(seconds) for seconds in (0.06, 0.02, 0.1)))
    assert ended == [0.02, 0.06, 0.1]
    assert not far.done()
    gate.set()
    assert await far == "done"
    tries.close()


async def test_calls_that_end_in_time_share_one_timer(monkeypatch):
    """A thousand calls arm the loop's timer once."""
    loop = asyncio.get_running_loop()
    armed: list[float] = []
    call_at = loop.call_at
    monkeypatch.setattr(loop, "call_at", lambda when, *rest: (armed.append(when), call_at(when, *rest))[1])
    tries = Deadlines(loop)
    for _ in range(1000):
        tries.end(tries.begin(60))
    assert len(armed) == 1
    tries.close()


async def test_the_timer_rests_when_nothing_is_open():
    """A timer that rings for a call long ended arms no other."""
    tries, gate = Deadlines(asyncio.get_running_loop()), asyncio.Event()
    gate.set()
    assert await sleeper(tries, 0.01, gate) == "done"
    await asyncio.sleep(0.05)
    assert tries._armed_for == float("inf")
    gate.clear()
    assert await sleeper(tries, 0.01, gate) == "late"


async def test_a_caller_that_cancels_when_the_time_is_up_is_cancelled():
    """A time-out never hides a cancellation by other code at the same time."""
    tries, gate = Deadlines(asyncio.get_running_loop()), asyncio.Event()
    task = asyncio.create_task(sleeper(tries, 60, gate))
    await asyncio.sleep(0)
    (attempt,) = tries._open
    attempt.interrupt()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1
    tries.close()


async def test_a_timer_that_rings_twice_interrupts_once():
    """Another deadline a moment later does not interrupt a late call a second time: that would count as a cancellation by other code."""
    tries, gate = Deadlines(asyncio.get_running_loop()), asyncio.Event()
    late = asyncio.create_task(sleeper(tries, -1, gate))
    await asyncio.sleep(0)
    tries._expire()
    tries._expire()
    assert await late == "late"
    assert late.cancelling() == 0
    tries.close()


async def test_a_late_call_that_fails_otherwise_counts_as_late():
    """An error that the interruption itself causes is reported as the time-out that it is."""

    async def late_then_broken(seen: Seen) -> bytes:
        transport = client._core.transport
        (attempt,) = transport._deadlines._open
        attempt.timed_out = True
        attempt.task.cancelling()
        raise Drop

    async with serving(late_then_broken) as server, client_of(server) as client:
        with pytest.raises(CallTimeoutError):
            await client.mfa_verify_by_totp("123456")
