"""Load: ten thousand calls at once, callers that give up at any moment, and a service that dies and comes back."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager

import pytest

from authing_mfa import AuthClient, NetworkError
from tests.hostile.network import open_descriptors
from tests.servers import Seen, ok, serving


async def script(seen: Seen) -> bytes:
    return ok({"id": (seen.header("Authorization") or "").removeprefix("Bearer ")})


@asynccontextmanager
async def nothing_left():
    """After the block no task and no descriptor is left; closing takes a few turns of the loop."""
    before, tasks = open_descriptors(), len(asyncio.all_tasks())
    yield
    async with asyncio.timeout(60):
        while open_descriptors() > before or len(asyncio.all_tasks()) > tasks:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.001)


async def at_once(calls: int) -> None:
    async with (
        nothing_left(),
        serving(script) as server,
        AuthClient("app", base_url=server.url, max_connections=100) as client,
    ):
        names = [f"user-{number}" for number in range(calls)]
        users = await asyncio.gather(*(client.as_user(name).mfa_verify_by_totp("123456") for name in names))
        assert [user.id for user in users] == names
        assert server.most_open <= 100


async def test_two_thousand_calls_at_once():
    """All are answered over a hundred connections, and nothing is left: no task, no descriptor."""
    await at_once(2_000)


@pytest.mark.soak
async def test_ten_thousand_calls_at_once():
    """The same with ten thousand."""
    await at_once(10_000)


CONNECTIONS = 5
STEPS = 60  # turns of the loop: a call has its answer after fewer, so some callers give up, and others do not


class Slow:
    """A script whose answers come in two pieces with some turns of the loop between; at `last` it answers all users at once."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._together = asyncio.Barrier(CONNECTIONS)

    async def __call__(self, seen: Seen) -> bytes:
        answer = await script(seen)
        if b"last" in answer:
            await self._together.wait()
            return answer
        for piece in (b"", answer[:30]):
            seen.writer.write(piece)
            for _ in range(self._chance.randrange(6)):
                await asyncio.sleep(0)
        return answer[30:]


async def given_up(calls: int) -> None:
    """Cancel each call after a random number of turns of the loop, twenty callers at a time."""
    chance = random.Random(20261129)
    ended = {"answered": set(), "cancelled": set()}

    async def caller(client: AuthClient, name: str) -> None:
        call = asyncio.create_task(client.as_user(name).mfa_verify_by_totp("123456"))
        for _ in range(chance.randrange(STEPS)):
            await asyncio.sleep(0)
        call.cancel()
        [outcome] = await asyncio.gather(call, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError) or outcome.id == name
        ended["cancelled" if isinstance(outcome, asyncio.CancelledError) else "answered"].add(name)

    async with (
        nothing_left(),
        serving(Slow(chance)) as server,
        AuthClient("app", base_url=server.url, max_connections=CONNECTIONS) as client,
    ):
        for start in range(0, calls, 20):
            await asyncio.gather(*(caller(client, f"user-{number}") for number in range(start, start + 20)))
        sent = [seen.header("Authorization").removeprefix("Bearer ") for seen in server.seen]
        assert len(sent) == len(set(sent)), "a call was sent twice"
        assert ended["answered"]
        assert ended["cancelled"] & {*sent}, "some gave up after their request had come"
        assert ended["cancelled"] - {*sent}, "and some before"
        async with asyncio.timeout(60):  # every slot is free: these are answered only when all of them have come
            names = [f"last-{number}" for number in range(CONNECTIONS)]
            users = await asyncio.gather(*(client.as_user(name).mfa_verify_by_totp("123456") for name in names))
        assert [user.id for user in users] == names
        assert server.most_open <= 2 * CONNECTIONS  # the server sees the end of a connection a little later


async def test_callers_that_give_up_at_any_moment():
    """In the queue, while it connects, sends, waits or reads: nobody's answer crosses, nothing is sent twice, every slot is free."""
    await given_up(300)


@pytest.mark.soak
async def test_five_thousand_callers_that_give_up_at_any_moment():
    """The same with five thousand."""
    await given_up(5_000)


async def lives(times: int) -> None:
    """The service stops with its connections and starts again on the same port, while callers go on."""
    delivered = {"ok": 0, "not_sent": 0, "unknown": 0}
    over = False

    async def caller(client: AuthClient) -> None:
        while not over:
            try:
                await client.mfa_verify_by_totp("123456")
            except NetworkError as error:
                delivered[error.delivery] += 1
                await asyncio.sleep(0.002)
            else:
                delivered["ok"] += 1

    async with serving(script) as first:
        port = first.port
        client = AuthClient("app", token="t", base_url=first.url, max_connections=20, max_attempts=1)
        callers = [asyncio.create_task(caller(client)) for _ in range(40)]
        await first.saw(50)
    for _ in range(times):
        async with serving(script, port=port) as server:
            await server.saw(50)
    over = True
    await asyncio.gather(*callers)
    async with serving(script, port=port):
        assert (await client.mfa_verify_by_totp("123456")).id == "t"
    await client.aclose()
    assert delivered["ok"] >= 50 * times


async def test_a_service_that_dies_and_comes_back():
    """Calls fail while it is away and succeed when it is there again, with no help from the caller."""
    await lives(3)


@pytest.mark.soak
async def test_a_service_that_dies_two_hundred_times():
    """The same, two hundred times."""
    await lives(200)
