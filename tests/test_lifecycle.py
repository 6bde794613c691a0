"""Opening, closing, misuse, time-outs and the queue: the life of a client and of each call in it.

More than 300 lines: one test for each moment in the life of a client.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import threading
import time
import warnings
from contextlib import suppress

import aiohttp
import pytest
import trustme

from authing_mfa import AuthClient, CallTimeoutError, NetworkError, RateLimitedError, UsageError
from authing_mfa._transport.fair_queue import FairQueue
from authing_mfa.operations import JpegBytes, UploadFaceImage
from tests.servers import USER, Drop, Seen, answering, hang, ok, reply, serving


def client_of(server, **options) -> AuthClient:
    return AuthClient("app", base_url=server.url, **{"token": "tok-en", **options})


class Held:
    """A script that holds every request until the test lets one go, in the order they came."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

    async def __call__(self, seen: Seen) -> bytes:
        gate = asyncio.get_running_loop().create_future()
        self.waiting.put_nowait(gate)
        await gate
        return ok({**USER, "name": seen.json["totp"]})

    async def let_go(self) -> None:
        async with asyncio.timeout(60):
            (await self.waiting.get()).set_result(None)


async def settle() -> None:
    """Let everything run that can run without the network."""
    for _ in range(20):
        await asyncio.sleep(0)


# ─────────────────────── the queue ───────────────────────


async def test_first_come_first_served():
    """With one connection, callers are served in the order they came."""
    async with serving(held := Held()) as server, client_of(server, max_connections=1) as client:
        done = []

        async def call(name: str) -> None:
            user = await client.mfa_verify_by_totp(name)
            done.append(user.name)

        names = [f"caller {number}" for number in range(20)]
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(call(name))
                await asyncio.sleep(0)
            for _ in names:
                await held.let_go()
    assert done == names
    assert [seen.json["totp"] for seen in server.seen] == names
    assert server.connections == 1


async def test_a_caller_that_frees_a_slot_is_last_again():
    """A caller that goes straight into its next call does not starve those who wait."""
    async with serving(held := Held()) as server, client_of(server, max_connections=1) as client:

        async def twice(name: str) -> None:
            await client.mfa_verify_by_totp(f"{name} 1")
            await client.mfa_verify_by_totp(f"{name} 2")

        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(twice(name))
            for _ in range(6):
                await held.let_go()
    assert [seen.json["totp"] for seen in server.seen] == ["a 1", "b 1", "c 1", "a 2", "b 2", "c 2"]


async def test_max_connections_holds():
    """With any number of callers no more connections are open than allowed, and each is used again."""
    async with serving(held := Held()) as server, client_of(server, max_connections=3) as client:
        for seen_before in (0, 12, 24):  # and it holds again after all have gone home
            async with asyncio.TaskGroup() as group:
                for number in range(12):
                    group.create_task(client.mfa_verify_by_totp(str(number)))
                await server.saw(seen_before + 3)
                await settle()
                assert (len(server.seen) - seen_before, server.open) == (3, 3)
                for _ in range(12):
                    await held.let_go()
        assert (server.most_open, server.connections, len(server.seen)) == (3, 3, 36)


async def test_the_clock_starts_at_the_slot():
    """An hour in the queue, by the client's own clock, takes nothing from the time of the call."""
    async with serving(held := Held()) as server, client_of(server, max_connections=1, timeout=60.0) as client:
        engine, now, given = client._core, 0.0, []
        engine.clock = lambda: now
        send = engine.transport.send

        async def note(url, request, seconds):
            given.append(seconds)
            return await send(url, request, seconds)

        engine.transport.send = note
        calls = [asyncio.create_task(client.mfa_verify_by_totp(str(number))) for number in range(2)]
        await server.saw(1)
        now = 3600.0
        await held.let_go()
        await held.let_go()
        await asyncio.gather(*calls)
    assert given == [60.0, 60.0]


async def test_an_hour_in_the_queue_takes_nothing_from_the_next_try():
    """A call that waited long for its slot and is then asked to wait a little more still goes again."""
    too_soon = reply(b"", 429, "Retry-After: 5")
    async with (
        serving(answering(too_soon, ok(USER))) as server,
        client_of(server, max_connections=1, timeout=60.0) as client,
    ):
        engine, now, pauses = client._core, 0.0, []
        engine.clock = lambda: now

        async def pause(seconds):
            pauses.append(seconds)

        engine.sleep = pause
        await engine.transport.slots.acquire()
        call = asyncio.create_task(client.mfa_verify_by_totp("123456"))
        await settle()
        now = 3600.0
        engine.transport.slots.release()
        assert (await call).id == "u1"
    assert pauses == [5.0]


async def test_cancelling_a_call_frees_its_slot():
    """A cancelled call gives its slot to the next, and its connection, whose answer has not come, is not used again."""
    async with serving(held := Held()) as server, client_of(server, max_connections=1) as client:
        first = asyncio.create_task(client.mfa_verify_by_totp("first"))
        await server.saw(1)
        second = asyncio.create_task(client.mfa_verify_by_totp("second"))
        await settle()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await server.saw(2)
        await held.let_go()  # the answer to the first call: it is never read
        await held.let_go()
        assert (await second).name == "second"
        assert server.seen[0].connection != server.seen[1].connection


async def test_cancelling_one_who_waits_frees_its_place():
    """One who leaves the queue is passed over, and is never sent."""
    async with serving(held := Held()) as server, client_of(server, max_connections=1) as client:
        calls = []
        for name in ("first", "second", "third"):
            calls.append(asyncio.create_task(client.mfa_verify_by_totp(name)))
            await settle()
        calls[1].cancel()
        await held.let_go()
        await held.let_go()
        users = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(users[1], asyncio.CancelledError)
    assert [seen.json["totp"] for seen in server.seen] == ["first", "third"]


async def test_a_turn_given_to_one_who_just_left_is_handed_on():
    """The slot is freed and its next owner cancelled at the same moment: the one after gets it."""
    slots = FairQueue(1)
    await slots.acquire()
    second, third = (asyncio.create_task(slots.acquire()) for _ in range(2))
    await settle()
    slots.release()
    second.cancel()
    await asyncio.wait([second])
    async with asyncio.timeout(60):
        await third
    slots.release()
    async with asyncio.timeout(60):
        await slots.acquire()


async def test_closing_passes_over_those_who_left():
    """A cancelled waiter gets no second error; a waiter that still waits gets one, and no later caller gets a slot."""
    slots = FairQueue(1)
    await slots.acquire()
    left, waiting = (asyncio.create_task(slots.acquire()) for _ in range(2))
    await settle()
    left.cancel()
    slots.close()
    results = await asyncio.gather(left, waiting, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, UsageError]
    slots.release()
    with pytest.raises(UsageError, match="closed"):
        await slots.acquire()


async def test_a_failed_call_frees_its_slot():
    """However a call ends, the next one can start."""
    async with (
        serving(answering(Drop(), ok({"nobody": 1}), ok(USER))) as server,
        client_of(server, max_connections=1) as client,
    ):
        for _ in range(2):
            with pytest.raises(Exception, match=r"\(1000[14]\)"):
                await client.mfa_verify_by_totp("123456")
        assert (await client.mfa_verify_by_totp("123456")).id == "u1"


@pytest.mark.parametrize("limits", [{"limit": 2}, {"limit": 0, "limit_per_host": 2}], ids=["limit", "limit_per_host"])
async def test_a_borrowed_pools_own_limit_is_kept_in_front_of_it(limits):
    """A small borrowed pool makes callers queue with us, in order, and not with aiohttp, where the time-out runs."""
    queued: list[None] = []
    tracing = aiohttp.TraceConfig()

    async def on_queued(*_: object) -> None:
        queued.append(None)

    tracing.on_connection_queued_start.append(on_queued)
    async with (
        serving(held := Held()) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(**limits), trace_configs=[tracing]) as session,
        client_of(server, session=session) as client,
    ):
        calls = [asyncio.create_task(client.mfa_verify_by_totp(str(number))) for number in range(8)]
        for _ in range(4):
            gates = [await held.waiting.get(), await held.waiting.get()]
            await settle()
            assert held.waiting.empty()
            for gate in gates:
                gate.set_result(None)
        users = await asyncio.gather(*calls)
    assert [user.name for user in users] == [str(number) for number in range(8)]
    assert (server.most_open, queued) == (2, [])


# ─────────────────────── time-outs and cancellation ───────────────────────


async def test_a_users_own_time_out_stays_its_own():
    """`asyncio.timeout` around a call ends it as ever, not as one of our errors."""
    async with serving(hang) as server, client_of(server) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.1):
                await client.mfa_verify_by_totp("123456")
        assert not isinstance(caught.value, CallTimeoutError)


async def test_a_time_out_leaves_the_task_as_it_was():
    """After our time-out the task is not half cancelled: it can call, wait and be cancelled as before."""
    async with serving(hang) as server, client_of(server, timeout=0.1) as client:
        for _ in range(2):
            with pytest.raises(CallTimeoutError):
                await client.mfa_verify_by_totp("123456")
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()


async def test_cancelled_and_late_at_once_is_cancelled():
    """Who cancels a call at the very moment of its time-out gets a cancelled task, not an error."""
    async with serving(hang) as server, client_of(server, timeout=30.0) as client:
        call = asyncio.create_task(client.mfa_verify_by_totp("123456"))
        await server.saw(1)
        (attempt,) = client._core.transport._deadlines._open
        attempt.interrupt()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_every_call_has_a_time_out_of_its_own():
    """Many calls begun at different times: each ends, and only those that are late."""
    late: list[str] = []

    async def script(seen: Seen) -> bytes:
        if seen.json["totp"] == "slow":
            await hang(seen)
        return ok(USER)

    async with serving(script) as server, client_of(server, timeout=8.0) as client:

        async def call(kind: str) -> None:
            try:
                await client.mfa_verify_by_totp(kind)
            except CallTimeoutError:
                late.append(kind)

        async with asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task(call("slow" if number % 3 == 0 else "quick"))
                await asyncio.sleep(0.01)
    assert late == ["slow"] * 10


# ─────────────────────── closing ───────────────────────


async def test_closing_twice_has_no_effect():
    """Once by hand, once by `async with`, once more: nothing happens."""
    async with serving(answering(ok(USER))) as server:
        async with client_of(server) as client:
            await client.mfa_verify_by_totp("123456")
            await client.aclose()
        await client.aclose()
        await asyncio.gather(client.aclose(), client.aclose())
        await server.emptied()


async def test_closing_leaves_no_timer(monkeypatch):
    """Nothing of a closed client stays on its event loop until the deadline of its last call."""
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []
    call_at = loop.call_at

    def noted(*args, **options) -> asyncio.TimerHandle:
        timers.append(call_at(*args, **options))
        return timers[-1]

    monkeypatch.setattr(loop, "call_at", noted)
    async with serving(answering(ok(USER))) as server:
        async with client_of(server) as client:
            await client.mfa_verify_by_totp("123456")
            assert not all(timer.cancelled() for timer in timers)
        assert all(timer.cancelled() for timer in timers)


async def test_closing_what_was_never_opened():
    """A client that made no call has nothing to close, and counts as closed afterwards."""
    client = AuthClient("app", token="t")
    await client.aclose()
    with pytest.raises(UsageError, match="closed"):
        await client.get_current_user()


async def test_use_after_close():
    """Every way in says in a sentence that the client is closed; views of it too."""
    async with serving(answering(ok(USER))) as server:
        async with client_of(server) as client:
            view = client.as_user("other")
            await view.get_current_user()
        ways = [
            client.get_current_user(),
            view.get_current_user(),
            client.as_user("x").get_current_user(),
            client.login_by_account("ada", "pw"),
            client.upload_face_image(b"x"),
            client.__aenter__(),
        ]
        for way in ways:
            with pytest.raises(UsageError, match="This AuthClient is closed") as caught:
                await way
            assert (caught.value.code, caught.value.delivery) == (10100, "not_sent")
            assert isinstance(caught.value, RuntimeError)


async def test_a_view_does_not_close_the_client():
    """`async with client.as_user(…)` ends the view and leaves the pool to its owner."""
    async with serving(answering(ok(USER), ok(USER))) as server, client_of(server) as client:
        async with client.as_user("other") as view:
            await view.get_current_user()
        await view.aclose()
        assert (await client.get_current_user()).id == "u1"
    assert server.connections == 1


async def test_closing_wakes_those_who_wait():
    """Callers in the queue get an error; the call in flight loses its connection."""
    async with serving(hang) as server:
        client = client_of(server, max_connections=1)
        calls = [asyncio.create_task(client.mfa_verify_by_totp(str(number))) for number in range(3)]
        await server.saw(1)
        await client.aclose()
        async with asyncio.timeout(60):
            first, *others = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(first, NetworkError)
        assert first.delivery == "unknown"
        for error in others:
            assert isinstance(error, UsageError)
            assert "closed" in str(error)
        assert len(server.seen) == 1


async def test_closing_ends_a_pause():
    """A call that was about to be tried again when the client closed ends as its last try did, and nothing more is sent."""
    async with serving(answering(Drop(), ok(USER))) as server:
        client = client_of(server)
        paused, go_on = asyncio.Event(), asyncio.Event()

        async def pause(_seconds: float) -> None:
            paused.set()
            await go_on.wait()

        client._core.sleep = pause
        call = asyncio.create_task(client.mfa_check(phone="1"))
        await paused.wait()
        await client.aclose()
        go_on.set()
        with pytest.raises(NetworkError, match="broke") as caught:
            await call
        assert caught.value.delivery == "unknown"
        assert len(server.seen) == 1


@pytest.mark.parametrize("answered", [True, False], ids=["after an answer", "nothing was sent"])
async def test_closing_does_not_wait_for_the_end_of_a_pause(answered, monkeypatch):
    """The call ends as its last try did, however long it was to wait."""
    paused = asyncio.Event()

    async def pause(_seconds: float) -> None:
        paused.set()
        await asyncio.Event().wait()

    async with serving(answering(reply(b"", 429, "Retry-After: 50"))) as server:
        client = client_of(server) if answered else AuthClient("app", base_url="http://[::1]:1", token="tok-en")
        monkeypatch.setattr(client._core, "sleep", pause)
        call = asyncio.create_task(client.mfa_verify_by_totp("123456"))
        await paused.wait()
        await client.aclose()
        async with asyncio.timeout(60):
            with pytest.raises(RateLimitedError if answered else NetworkError) as caught:
                await call
    assert caught.value.delivery == ("answered" if answered else "not_sent")
    assert call.cancelling() == 0


async def test_a_call_that_closing_has_interrupted_is_not_retried(monkeypatch):
    """Its error comes at once, without a pause before a retry that cannot be made."""
    pauses = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with serving(hang) as server:
        client = client_of(server)
        monkeypatch.setattr(client._core, "sleep", pause)
        call = asyncio.create_task(client.get_current_user())
        await server.saw(1)
        await client.aclose()
        assert (await closed(call)).delivery == "unknown"
    assert pauses == []


class _Unfinished:
    """A photo whose bytes never come."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def read(self, _size: int = -1) -> bytes:
        self.begun.set()
        await asyncio.Event().wait()
        return b""


async def test_closing_ends_a_call_whose_photo_is_read():
    """Nothing was sent: it ends as a call in the queue does."""
    client, photo = AuthClient("app", token="tok-en", base_url="http://[::1]:1"), _Unfinished()
    call = asyncio.create_task(client.upload_face_image(photo))
    await photo.begun.wait()
    await client.aclose()
    async with asyncio.timeout(60):
        with pytest.raises(UsageError, match="closed") as caught:
            await call
    assert (caught.value.delivery, call.cancelling()) == ("not_sent", 0)


async def test_closed_and_cancelled_at_once_is_cancelled():
    """The task was cancelled by its owner as well, so the cancellation is its owner's."""
    client, photo = AuthClient("app", token="tok-en", base_url="http://[::1]:1"), _Unfinished()
    call = asyncio.create_task(client.upload_face_image(photo))
    await photo.begun.wait()
    closing = asyncio.create_task(client.aclose())
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call, closing])
    assert call.cancelled()


async def test_closing_that_was_interrupted_can_be_repeated():
    """A cancelled close lets no new call in, and the next close finishes it."""
    async with serving(answering(ok(USER))) as server:
        client = client_of(server)
        await client.get_current_user()
        closing = asyncio.create_task(client.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        with pytest.raises(UsageError):
            await client.get_current_user()
        await client.aclose()
        await server.emptied()


async def closed(call: asyncio.Task[object]) -> NetworkError:
    """Return the error of a call whose client was closed; its task is not cancelled."""
    async with asyncio.timeout(60):
        with pytest.raises(NetworkError, match="closed") as caught:
            await call
    assert call.cancelling() == 0
    return caught.value


async def test_closing_ends_a_call_that_resolves_a_name(monkeypatch):
    """The call gets an error that says that nothing was sent."""
    resolving = asyncio.Event()

    async def resolve(*_args: object, **_options: object) -> list[object]:
        resolving.set()
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    client = AuthClient("app", token="tok-en", base_url="http://service.test")
    call = asyncio.create_task(client.mfa_verify_by_totp("123456"))
    await resolving.wait()
    await client.aclose()
    assert (await closed(call)).delivery == "not_sent"


class _Unread(asyncio.Protocol):
    """A service's side of a connection that reads nothing."""

    def __init__(self, arrived: asyncio.Event) -> None:
        self._arrived = arrived

    def connection_made(self, transport) -> None:
        transport.pause_reading()
        self.transport = transport
        self._arrived.set()


def _capacity(address: tuple[str, int]) -> int:
    """The number of bytes that the system takes on a connection whose peer reads nothing."""
    with socket.create_connection(address) as probe:
        probe.setblocking(False)
        taken = 0
        with suppress(BlockingIOError):
            while True:
                taken += probe.send(bytes(1 << 16))
    return taken


@pytest.mark.parametrize("rest", ["large", "small"])
@pytest.mark.parametrize("way", ["the time is up", "cancelled", "closed", "closed, lent"])
async def test_an_upload_that_the_service_does_not_read_leaves_no_socket(way, rest):
    """What was not written is dropped with its connection. The service sees the end, although it reads nothing more.

    A small rest does not keep the call writing: it waits for the answer then.
    """
    arrived = asyncio.Event()
    accepted: list[_Unread] = []
    server = await asyncio.get_running_loop().create_server(
        lambda: accepted.append(_Unread(arrived)) or accepted[-1], "127.0.0.1", 0
    )
    size = 20_000_000
    if rest == "small":
        size = _capacity(server.sockets[0].getsockname()) + 30_000
        await arrived.wait()
        arrived.clear()
    upload = UploadFaceImage(JpegBytes(bytes(size)))
    async with server, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        options = {"session": session} if "lent" in way else {}
        seconds = 2 if way == "the time is up" else 300
        client = AuthClient("app", base_url=url, timeout=seconds, max_attempts=1, **options)
        call = asyncio.create_task(client.perform(upload))
        await arrived.wait()
        await asyncio.sleep(0.05)  # the buffers of the system are full
        if way == "cancelled":
            call.cancel()
        async with asyncio.timeout(60):
            if "closed" in way:
                await client.aclose()
            (result,) = await asyncio.gather(call, return_exceptions=True)
            assert isinstance(result, asyncio.CancelledError if way == "cancelled" else NetworkError)
            await settle()
            assert [each for each in gc.get_objects() if _is_open_to(each, server)] == []
            await client.aclose()
        for each in accepted:
            each.transport.abort()


def _is_open_to(thing: object, server: asyncio.Server) -> bool:
    """True if *thing* is an open socket of a client that is connected to *server*."""
    if type(thing) is not socket.socket or thing.fileno() < 0:
        return False
    with suppress(OSError):
        return thing.getpeername() == server.sockets[0].getsockname()
    return False


def _elsewhere(coroutine_of) -> object:
    """What a coroutine gives on another event loop, in another thread."""
    return asyncio.run(coroutine_of())


class Deaf:
    """A service over TLS that answers a request with *pieces* and then neither reads TLS nor ends it; `left` once it is left."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        authority = trustme.CA()
        self.trusting = ssl.create_default_context()
        authority.configure_trust(self.trusting)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)
        self._pieces = pieces
        self.asked, self.left = threading.Event(), threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(30)
        self._listening.close()

    def _serve(self) -> None:
        plain, _ = self._listening.accept()
        with self._context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(1 << 16)
            self.asked.set()
            for piece in self._pieces:
                connection.sendall(piece)
                time.sleep(0.1)  # so that the client reads them one by one
            with suppress(ConnectionError), socket.socket(fileno=os.dup(connection.fileno())) as below:
                below.settimeout(20)  # asyncio would wait for 30 s
                while below.recv(1 << 16):
                    pass
            self.left.set()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


@pytest.mark.parametrize(
    ("way", "pieces"),
    [
        ("the time is up", ()),
        ("cancelled", ()),
        ("malformed", (b"nonsense\r\n\r\n",)),
        ("malformed", (CHUNKED, b"zz\r\n")),
    ],
    ids=["the time is up", "cancelled", "malformed head", "malformed chunk"],
)
async def test_a_call_over_tls_whose_service_does_not_end_tls_leaves_no_socket(way, pieces):
    """asyncio would keep the socket for 30 seconds, and a call whose answer is malformed would wait as long."""
    with Deaf(pieces) as service:
        seconds = 1 if way == "the time is up" else 60
        async with client_of(service, ssl_context=service.trusting, timeout=seconds, max_attempts=1) as client:
            call = asyncio.create_task(client.mfa_verify_by_totp("123456"))
            if way == "cancelled":
                await asyncio.to_thread(service.asked.wait, 30)
                call.cancel()
            (result,) = await asyncio.gather(call, return_exceptions=True)
            kinds = {"the time is up": CallTimeoutError, "cancelled": asyncio.CancelledError, "malformed": NetworkError}
            assert type(result) is kinds[way]
            assert await asyncio.to_thread(service.left.wait, 10)


async def test_use_from_another_loop():
    """A client belongs to the loop of its first call; on another one calling and closing say so, and change nothing."""
    async with serving(hang) as server, client_of(server, max_connections=1) as client:
        first = asyncio.create_task(client.mfa_verify_by_totp("1"))
        await server.saw(1)
        waiting = asyncio.create_task(client.mfa_verify_by_totp("2"))
        await settle()
        for way in (client.get_current_user, client.aclose, lambda: client.upload_face_image(b"x")):
            with pytest.raises(UsageError, match="another event loop"):
                await asyncio.to_thread(_elsewhere, way)
        assert not first.done()
        assert not waiting.done()
        for call in (first, waiting):
            call.cancel()
        await asyncio.wait([first, waiting])


async def test_closing_on_the_next_loop_after_the_first_has_ended():
    """The first loop took its connections along: closing is quiet, and the client is closed."""
    async with serving(answering(ok(USER), Drop())) as server:
        client = client_of(server)

        async def use() -> str | None:
            return (await client.mfa_verify_by_totp("1")).id

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # asyncio's own, of the socket that the loop took along
            assert await asyncio.to_thread(_elsewhere, use) == "u1"
            with pytest.raises(UsageError, match="another event loop"):
                await client.get_current_user()
            await client.aclose()
            gc.collect()
        with pytest.raises(UsageError, match="closed"):
            await client.get_current_user()


async def test_closing_after_a_loop_that_ended_in_the_midst():
    """A caller that was still waiting when its loop was closed does not stop the client from being closed."""
    client = AuthClient("app", token="t", base_url="http://127.0.0.1:9", max_connections=1)
    held: list[asyncio.Task[object]] = []

    async def wait_in_vain() -> None:
        client._core.transport.enter()
        await client._core.transport.slots.acquire()
        held.append(asyncio.create_task(client.get_current_user()))
        await settle()

    def run() -> None:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # the task that its loop forgot
        loop.run_until_complete(wait_in_vain())
        loop.close()

    await asyncio.to_thread(run)
    await client.aclose()
    await client.aclose()
    with pytest.raises(UsageError, match="closed"):
        await client.get_current_user()
    held.clear()
    gc.collect()


async def test_a_forgotten_close_warns_once_and_schedules_nothing():
    """One ResourceWarning of ours names what was forgotten; aiohttp's own do not join it, and the loop is left alone."""
    loop = asyncio.get_running_loop()
    complaints: list[object] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    async with serving(answering(ok(USER))) as server:
        client = client_of(server)
        await client.get_current_user()
        await settle()
        gc.collect()
        before = asyncio.all_tasks()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            scheduled = []
            call_soon = loop.call_soon
            loop.call_soon = lambda *args, **kwargs: scheduled.append(args) or call_soon(*args, **kwargs)  # type: ignore[method-assign]  # to listen
            try:
                del client
                gc.collect()
            finally:
                del loop.call_soon
        assert [(item.category, str(item.message)) for item in caught] == [
            (ResourceWarning, "An AuthClient was not closed: use 'async with', or await its aclose().")
        ]
        assert (scheduled, complaints, asyncio.all_tasks() - before) == ([], [], set())
    await settle()


def _forget(holder: list[object]) -> None:
    holder.clear()
    gc.collect()


def test_a_client_that_was_never_used_is_forgotten_quietly():
    """Without a call there is no pool, and nothing to warn about."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AuthClient("app", token="t")
        gc.collect()


# ─────────────────────── borrowed sessions ───────────────────────


async def test_a_borrowed_session_is_never_closed():
    """Closing the client leaves the session, its pool and its open connection to their owner."""
    async with serving(answering(ok(USER), ok(USER))) as server, aiohttp.ClientSession() as session:
        async with client_of(server, session=session) as client:
            await client.get_current_user()
        assert not session.closed
        async with session.get(server.url + "/x") as answer:
            assert answer.status == 200
        assert server.connections == 1


async def test_closing_ends_a_call_on_a_borrowed_session():
    """The pool stays open, and the call in flight ends nevertheless: its deadline would never come."""
    async with serving(hang) as server, aiohttp.ClientSession() as session:
        client = client_of(server, session=session)
        call = asyncio.create_task(client.mfa_verify_by_totp("123456"))
        await server.saw(1)
        await client.aclose()
        assert (await closed(call)).delivery == "unknown"
        assert not session.closed


async def test_closing_ends_a_call_that_waits_for_a_borrowed_pools_connection():
    """Nothing was sent, and the connection is given back."""
    connecting, go_on = asyncio.Event(), asyncio.Event()

    class Slow(aiohttp.TCPConnector):
        async def connect(self, *args, **options):
            connecting.set()
            await go_on.wait()
            return await super().connect(*args, **options)

    async with serving(answering(ok(USER))) as server, aiohttp.ClientSession(connector=Slow()) as session:
        client = client_of(server, session=session)
        call = asyncio.create_task(client.mfa_verify_by_totp("123456"))
        await connecting.wait()
        await client.aclose()
        go_on.set()
        assert (await closed(call)).delivery == "not_sent"
        await settle()
        assert server.seen == []


async def test_closing_under_a_trace_callback_that_holds_on():
    """A callback that takes no cancellation: the call gets an error of ours nevertheless, not one of aiohttp's session."""
    started, go_on = asyncio.Event(), asyncio.Event()

    async def hold(*_: object) -> None:
        started.set()
        with suppress(asyncio.CancelledError):
            await go_on.wait()

    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(hold)
    async with serving(answering(ok(USER))) as server, aiohttp.ClientSession(trace_configs=[tracing]) as session:
        client = client_of(server, session=session)
        call = asyncio.create_task(client.mfa_verify_by_totp("123456"))
        await started.wait()
        await client.aclose()
        await closed(call)
        assert server.seen == []


async def test_a_forgotten_client_on_a_borrowed_session_leaves_it_open():
    """The warning comes, the pool stays its owner's."""
    async with serving(answering(ok(USER), ok(USER))) as server, aiohttp.ClientSession() as session:
        client = client_of(server, session=session)
        await client.get_current_user()
        holder = [client]
        del client
        with pytest.warns(ResourceWarning, match="AuthClient was not closed"):
            _forget(holder)
        async with session.get(server.url + "/x") as answer:
            assert answer.status == 200
        assert server.connections == 1


async def test_a_borrowed_session_of_another_loop():
    """It is refused, also if it has a free connection: the code would be sent, and the answer never read."""

    async def used() -> aiohttp.ClientSession:
        session = aiohttp.ClientSession()
        async with session.get(server.url + "/x") as answer:
            await answer.read()
        return session

    other = asyncio.new_event_loop()
    async with serving(answering(ok(), ok(USER))) as server:
        session = await asyncio.to_thread(other.run_until_complete, used())
        try:
            client = client_of(server, session=session)
            for _ in range(2):
                with pytest.raises(UsageError, match=r"session given .* belongs to another event loop") as caught:
                    await client.mfa_verify_by_recovery_code("1111-2222")
                assert caught.value.delivery == "not_sent"
            with pytest.raises(UsageError, match="another event loop"):
                await client.__aenter__()
            await client.aclose()
        finally:
            await asyncio.to_thread(other.run_until_complete, session.close())
            other.close()
        assert len(server.seen) == 1


async def test_a_borrowed_session_closed_by_its_owner():
    """Before or after the first call: the next one says whose doing it is."""
    async with serving(answering(ok(USER))) as server:
        session = aiohttp.ClientSession()
        async with client_of(server, session=session) as client, client_of(server, session=session) as unused:
            await client.get_current_user()
            await session.close()
            with pytest.raises(UsageError, match="closed by its owner"):
                await client.get_current_user()
        with pytest.raises(UsageError, match="session given"):
            await client_of(server, session=session).get_current_user()
        assert unused is not client
        async with aiohttp.ClientSession() as pool, aiohttp.ClientSession(connector=pool.connector) as sharing:
            await pool.connector.close()
            with pytest.raises(UsageError, match="session given"):
                await client_of(server, session=sharing).get_current_user()
