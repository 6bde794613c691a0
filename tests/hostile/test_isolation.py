"""Isolation: a thousand users at once through one client, on every face; none ever gets another's answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from authing_mfa import ApiError, AuthClient, AuthingError, compat, sync
from authing_mfa.batch import VerifyRequest, verify_many
from tests.needs import require
from tests.servers import Drop, Seen, ok, reply, serving

USERS = 1000


@pytest.fixture(params=[200, pytest.param(USERS, marks=pytest.mark.soak)])
def users(request):
    """How many there are at once, where each of them costs much."""
    return request.param


def bearer(seen: Seen) -> str:
    header = seen.header("Authorization") or ""
    return header.removeprefix("Bearer ")


def echo(*, breaking: float = 0.0):
    """A script that answers each user with their own token as id, after a random number of turns; some answers break."""
    chance = random.Random(20261128)

    async def script(seen: Seen) -> bytes:
        user = bearer(seen)
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
        answer = ok({"id": user, "token": f"new-{user}"})
        fate = chance.random()
        if fate < breaking:
            raise Drop(answer[: chance.randrange(len(answer))])
        if fate < 2 * breaking:  # an answer too many: it must reach nobody
            seen.writer.write(answer)
            return ok({"id": "somebody else", "token": "somebody else's"})
        return answer

    return script


@contextmanager
def echoing(**options):
    """The same on the loop of a separate thread, for callers that block; its address."""
    started, stop = threading.Event(), asyncio.Event()
    where = {}

    async def serve():
        async with serving(echo(**options)) as server:
            where.update(url=server.url, loop=asyncio.get_running_loop())
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(60)
    try:
        yield where["url"]
    finally:
        where["loop"].call_soon_threadsafe(stop.set)
        thread.join(60)


def is_own(user, name: str) -> None:
    assert (user.id, user.token) == (name, f"new-{name}")


async def interleaved(users: int, *, breaking: float, cancelled: int, seed: int) -> None:
    chance = random.Random(seed)
    async with serving(echo(breaking=breaking)) as server:
        client = AuthClient("app", base_url=server.url, max_connections=40, max_attempts=1)

        async def one(name: str) -> str:
            try:
                is_own(await client.as_user(name).mfa_verify_by_totp("123456"), name)
            except AuthingError as error:
                assert breaking
                return error.delivery
            return "own"

        async with client:
            tasks = [asyncio.create_task(one(f"user-{number}")) for number in range(users)]
            for task in chance.sample(tasks, cancelled):
                await asyncio.sleep(0)
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    unexpected = [
        outcome for outcome in outcomes if isinstance(outcome, Exception) or outcome in {"answered", "not_sent"}
    ]
    assert unexpected == []
    assert outcomes.count("own") >= (users - cancelled) // 2


async def test_a_thousand_users_of_one_client():
    """Everybody gets their own answer."""
    await interleaved(USERS, breaking=0, cancelled=0, seed=1)


async def test_a_thousand_users_while_answers_break_and_callers_give_up():
    """Broken answers, answers too many and cancelled calls bring nobody another's answer."""
    await interleaved(USERS, breaking=0.1, cancelled=200, seed=2)


@pytest.mark.soak
async def test_twenty_thousand_users_while_answers_break_and_five_thousand_give_up():
    """The same, twenty times."""
    for seed in range(20):
        await interleaved(USERS, breaking=0.1, cancelled=250, seed=seed)


def test_users_from_threads(users):
    """Sixteen threads share one synchronous client; each call speaks for another user."""
    with (
        echoing() as url,
        sync.AuthClient("app", base_url=url, max_connections=16) as client,
        ThreadPoolExecutor(16) as pool,
    ):
        names = [f"user-{number}" for number in range(users)]
        for name, user in zip(
            names, pool.map(lambda name: client.as_user(name).mfa_verify_by_totp("1"), names), strict=True
        ):
            is_own(user, name)


def test_users_of_loops_in_threads(users):
    """Eight threads with a loop and a client each, at once."""

    async def some(url: str, numbers: range) -> None:
        async with AuthClient("app", base_url=url) as client:
            answers = await asyncio.gather(*(client.as_user(f"user-{n}").mfa_verify_by_totp("1") for n in numbers))
        for number, user in zip(numbers, answers, strict=True):
            is_own(user, f"user-{number}")

    with echoing() as url, ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(asyncio.run, some(url, range(start, users, 8))) for start in range(8)]:
            done.result()


async def test_rows_of_a_batch(users):
    """Each row's own token goes with it, and its answer comes back to it."""
    async with serving(echo()) as server, AuthClient("app", base_url=server.url) as client:
        rows = (VerifyRequest.totp("1", token=f"user-{number}", key=f"user-{number}") for number in range(users))
        outcomes = [outcome async for outcome in verify_many(client, rows)]
    assert len(outcomes) == users
    for outcome in outcomes:
        is_own(outcome.value, outcome.key)


def test_calls_of_the_callback_layer(users):
    """The token is the one that was current when the call was made, whatever has become current since."""
    got, all_there = {}, threading.Event()

    def completion(name):
        def done(code, message, user):
            got[name] = (code, message)
            if len(got) == users:
                all_there.set()

        return done

    async def script(seen: Seen) -> bytes:
        # A refusal makes nobody the current user. The name comes back reversed: an error shows neither token nor code.
        return reply({"code": 2333, "message": bearer(seen)[::-1]})

    async def serve(ready, stop):
        async with serving(script) as server:
            ready.append((server.url, asyncio.get_running_loop()))
            started.set()
            await stop.wait()

    started, stop, ready = threading.Event(), asyncio.Event(), []
    thread = threading.Thread(target=asyncio.run, args=(serve(ready, stop),))
    thread.start()
    assert started.wait(60)
    [(url, loop)] = ready
    compat.Authing.start("app", base_url=url, timeout=60, connect_timeout=60)
    try:
        for number in range(users):
            compat.Authing.setCurrentToken(f"user-{number}")
            compat.AuthClient().mfaVerifyByTOTP("123456", completion(f"user-{number}"))
        assert all_there.wait(60)
    finally:
        compat.Authing.shutdown()
        compat.Authing.setCurrentToken(None)
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
    assert {name: message for name, (_, message) in got.items()} == {name: name[::-1] for name in got}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_users_of_forked_workers():
    """Four forked workers and their parent share a synchronous client: each has a separate pool, and nobody's answer crosses."""
    require(hasattr(os, "fork"), "os.fork")
    with echoing() as url, sync.AuthClient("app", base_url=url) as client:
        is_own(client.as_user("parent").mfa_verify_by_totp("1"), "parent")
        children = []
        for worker in range(4):
            child = os.fork()
            if child == 0:
                status = 1
                with contextlib.suppress(BaseException):
                    for number in range(50):
                        name = f"worker-{worker}-{number}"
                        is_own(client.as_user(name).mfa_verify_by_totp("1"), name)
                    status = 0
                os._exit(status)
            children.append(child)
        for number in range(50):
            is_own(client.as_user(f"parent-{number}").mfa_verify_by_totp("1"), f"parent-{number}")
        assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4


async def test_no_cookie_goes_from_one_user_to_another():
    """What the service sets for one user is sent for nobody; aiohttp refuses cookies of addresses, so this is localhost."""

    async def script(seen: Seen) -> bytes:
        return reply({"code": 2333, "message": "no"}, 200, f"Set-Cookie: session={bearer(seen)}; Path=/")

    async with serving(script) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        async with AuthClient("app", base_url=url) as client:
            for name in ("ada", "bob", "eve"):
                with pytest.raises(ApiError):
                    await client.as_user(name).mfa_verify_by_totp("1")
    assert [seen.header("Cookie") for seen in server.seen] == [None] * 3
