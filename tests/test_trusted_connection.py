"""Trusted connections: no answer reaches the wrong user, and no sent request is reported as `not_sent`.

More than 300 lines: one test for each moment at which a connection can break.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import functools
import gc
import os
import random
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import traceback
import warnings
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
import trustme
from yarl import URL

from authing_mfa import AuthClient, AuthingError, InvalidInputError, NetworkError, ResponseError, UsageError
from authing_mfa._transport import aiohttp_internals
from authing_mfa._transport.environment_proxy import environment_proxy
from tests.needs import require, require_module
from tests.programs import run_program
from tests.servers import USER, Drop, Seen, answering, chunked, ok, reply, serving

MALLORY = ok({"id": "mallory", "token": "token-of-mallory"})


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def tls_of(authority, name="127.0.0.1"):
    """The TLS settings of a server and of a client that trusts it."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


async def who(seen: Seen) -> bytes:
    """A script: the user whose token was sent."""
    name = (seen.header("Authorization") or "").removeprefix("Bearer ")
    return ok({"id": name, "token": f"token-of-{name}"})


def who_after(go: asyncio.Event):
    """A script like `who` that answers after *go*: see `Threaded.let_go`."""

    async def script(seen: Seen) -> bytes:
        await go.wait()
        return await who(seen)

    return script


_strays: set[asyncio.Task[None]] = set()


def after(seconds: float, rest: bytes = MALLORY):
    """A script like `who` that writes *rest* later, unasked, on the same connection."""

    async def script(seen: Seen) -> bytes:
        answer = await who(seen)
        if seconds == 0:
            return answer + rest

        async def write() -> None:
            await asyncio.sleep(seconds)
            if not seen.writer.is_closing():
                seen.writer.write(rest)

        task = asyncio.create_task(write())
        _strays.add(task)
        task.add_done_callback(_strays.discard)
        return answer

    return script


@asynccontextmanager
async def client_at(server, kind: str, authority, **options):
    """A client with its own pool, over TLS, or with a lent session."""
    options = {"base_url": server.url, "max_attempts": 1, **options}
    if kind == "tls":
        _, options["ssl_context"] = tls_of(authority)
    if kind == "lent":
        async with aiohttp.ClientSession() as session, AuthClient("app", session=session, **options) as client:
            yield client
        return
    async with AuthClient("app", **options) as client:
        yield client


def server_tls(kind, authority):
    return tls_of(authority)[0] if kind == "tls" else None


KINDS = pytest.mark.parametrize("kind", ["own", "tls", "lent"])
STRAYS = {
    "answer": MALLORY,
    "408": reply(b"", 408),
    "half": MALLORY[:30],
}


# ─────────────────────── answers that nobody asked for ───────────────────────


@KINDS
@pytest.mark.parametrize("stray", STRAYS)
@pytest.mark.parametrize("blocked", [False, True], ids=["read by the loop", "not read by the loop"])
async def test_no_user_gets_an_answer_that_was_not_asked_for(kind, stray, blocked, authority):
    """Whatever comes on an idle connection, each user gets the own answer, with one try."""
    with Threaded(after(0.001, STRAYS[stray]), server_tls(kind, authority)) as server:
        async with client_at(server, kind, authority) as client:
            for name in ("alice", "bob", "carol", "dave"):
                for call in (client.as_user(name).get_current_user, functools.partial(verify, client.as_user(name))):
                    user = await call()
                    assert (user.id, user.token) == (name, f"token-of-{name}")
                    await server.quiet(blocked=blocked)


async def verify(client):
    """The call of a user who spends a code."""
    return await client.mfa_verify_by_totp("123456")


@KINDS
async def test_rubbish_behind_an_answer(kind, authority):
    """aiohttp's parser may give up an answer that rubbish arrives with: an error, and never another user's answer."""
    with Threaded(after(0.001, b"\x00\x01"), server_tls(kind, authority)) as server:
        async with client_at(server, kind, authority) as client:
            for name in ("alice", "bob", "carol"):
                result = await outcome(verify(client.as_user(name)))
                assert isinstance(result, NetworkError) or result.id == name
                await server.quiet()


@pytest.mark.parametrize("pause", [0, 0.01])
@KINDS
async def test_an_answer_whose_beginning_has_come_reaches_no_user(kind, pause, authority):
    """aiohttp's parser has read the beginning of an answer: the rest, which comes with the next request, is nobody's answer."""
    begun: set[int] = set()

    async def script(seen: Seen) -> bytes:
        if seen.connection in begun:
            seen.writer.write(b"\r\n" + MALLORY)
            await asyncio.sleep(0.01)
        begun.add(seen.connection)
        return await after(pause, b"HTTP/1.1 100 Continue\r\n")(seen)

    with Threaded(script, server_tls(kind, authority)) as server:
        async with client_at(server, kind, authority) as client:
            for name in ("alice", "bob", "carol"):
                for call in (client.as_user(name).get_current_user, functools.partial(verify, client.as_user(name))):
                    assert (await call()).id == name
                    await server.quiet()


@KINDS
async def test_an_answer_with_another_one_behind_it(kind, authority):
    """Two answers in one packet: the connection is not used again."""
    with Threaded(after(0), server_tls(kind, authority)) as server:
        async with client_at(server, kind, authority) as client:
            for name in ("alice", "bob", "carol"):
                assert (await client.as_user(name).mfa_verify_by_totp("123456")).id == name


@KINDS
@pytest.mark.parametrize("blocked", [False, True])
async def test_a_server_that_closes_after_each_answer_costs_no_call(kind, blocked, authority):
    """The end of a kept connection is seen before the next request is written to it, also where the loop was blocked."""

    async def script(seen: Seen) -> bytes:
        raise Drop(await who(seen))

    with Threaded(script, server_tls(kind, authority)) as server:
        async with client_at(server, kind, authority) as client:
            for number in range(8):
                assert (await client.as_user(f"u{number}").mfa_verify_by_totp("123456")).id == f"u{number}"
                await server.closed_all(blocked=blocked)


@KINDS
async def test_two_hundred_users_among_stray_answers(kind, authority):
    """Twenty users at once, ten times, and a server that doubles, adds, cuts and closes: every user gets their own answer."""
    chance = random.Random(20261128)

    async def script(seen: Seen) -> bytes:
        answer = await who(seen)
        what = chance.randrange(6)
        if what == 0:
            return answer + MALLORY
        if what == 1:
            raise Drop(answer)
        if what == 2:
            raise Drop(answer + MALLORY)
        if what in {3, 4}:
            return await after(0.001, chance.choice([*STRAYS.values()]))(seen)
        return answer

    with Threaded(script, server_tls(kind, authority)) as server:
        async with client_at(server, kind, authority, max_connections=20) as client:
            for start in range(0, 200, 20):
                names = [f"user-{number}" for number in range(start, start + 20)]
                users = await asyncio.gather(*(client.as_user(name).mfa_verify_by_totp("1") for name in names))
                assert [(user.id, user.token) for user in users] == [(name, f"token-of-{name}") for name in names]
                await server.quiet(blocked=start % 40 == 0)


@pytest.mark.parametrize("turns", [0, 1, 5], ids=["not read by the loop", "just read by the loop", "read by the loop"])
@pytest.mark.parametrize(
    ("method", "callback"),
    [
        ("get_current_user", "on_request_headers_sent"),
        ("mfa_verify_by_totp", "on_request_headers_sent"),
        ("mfa_verify_by_totp", "on_request_chunk_sent"),
    ],
)
async def test_an_answer_that_comes_between_the_connection_and_the_request(turns, method, callback):
    """A trace callback of a lent session waits, and an answer comes: the request goes on another connection, once."""
    tracing = aiohttp.TraceConfig()

    async def wait(*_: object) -> None:
        if len(server.seen) == 1 and server.connections == 1:
            server.seen[0].writer.write(MALLORY)
            for _turn in range(turns):
                await asyncio.sleep(0)

    getattr(tracing, callback).append(wait)
    async with (
        serving(who) as server,
        aiohttp.ClientSession(trace_configs=[tracing]) as session,
        AuthClient("app", base_url=server.url, session=session, max_attempts=1) as client,
    ):
        code = ["123456"] if method == "mfa_verify_by_totp" else []
        users = [await getattr(client.as_user(name), method)(*code) for name in ("alice", "bob", "carol")]
    assert [user.id for user in users] == ["alice", "bob", "carol"]
    assert [seen.connection for seen in server.seen] == [1, 2, 2]


async def test_answers_that_always_come_before_the_request():
    """A server that answers each connection before the request: an error that says that nothing was sent, and an end of the tries."""
    writers: list[asyncio.StreamWriter] = []
    requests: list[bytes] = []
    tracing = aiohttp.TraceConfig()

    async def connected(reader, writer) -> None:
        writers.append(writer)
        with suppress(ConnectionError):
            requests.append(await reader.read())
        writer.close()

    async def on_headers(*_: object) -> None:
        tries.append(None)
        while len(writers) < len(tries):  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)
        writers[-1].write(MALLORY)

    tries: list[None] = []
    tracing.on_request_headers_sent.append(on_headers)
    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with (
        aiohttp.ClientSession(trace_configs=[tracing]) as session,
        AuthClient("app", token="t", base_url=url, session=session, max_attempts=1, max_connections=1) as client,
    ):
        error = await outcome(verify(client))
    listening.close()
    assert isinstance(error, NetworkError)
    assert (error.delivery, len(tries), b"".join(requests)) == ("not_sent", 4, b"")
    assert "before it is asked" in error.message


async def test_a_server_that_speaks_first_is_given_up_after_a_few_connections():
    """Nothing is sent, and it is not connected to without end: three times, and once for each connection of a lent pool."""
    greeted, tracing = asyncio.Semaphore(0), aiohttp.TraceConfig()
    connections = []

    async def connected(_reader, writer) -> None:
        connections.append(writer)
        writer.write(b"220 mail.test ESMTP\r\n")
        await writer.drain()
        greeted.release()

    async def on_connected(*_: object) -> None:
        await greeted.acquire()

    tracing.on_connection_create_end.append(on_connected)
    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with (
        listening,
        aiohttp.ClientSession(trace_configs=[tracing]) as session,
        AuthClient("app", token="t", base_url=url, session=session, max_attempts=1, max_connections=1) as client,
    ):
        error = await outcome(verify(client))
        for writer in connections:
            writer.close()
    assert (error.delivery, len(connections)) == ("not_sent", 4)
    assert "before it is asked" in error.message


async def test_without_poll_an_unasked_answer_is_seen_as_well(monkeypatch):
    """Windows has no `select.poll`: the same check with `select.select`."""
    monkeypatch.delattr("select.poll")
    with Threaded(after(0.001)) as server:
        async with client_at(server, "own", None) as client:
            for name in ("alice", "bob", "carol"):
                assert (await verify(client.as_user(name))).id == name
                await server.quiet(blocked=True)


async def test_the_callback_layer_is_safe_as_well():
    """The same through compat: the second login is the second user's."""
    from authing_mfa.compat import AuthClient as CompatClient
    from authing_mfa.compat import Authing

    with Threaded(after(0.001)) as server:
        Authing.start("app", base_url=server.url)
        try:
            got = []
            for name in ("alice", "bob", "carol"):
                Authing.setCurrentToken(name)
                call = CompatClient().mfaVerifyByTOTP("123456", lambda code, message, user: got.append(user.id))
                assert await asyncio.to_thread(call.wait, 60)
                await server.quiet()
        finally:
            await asyncio.to_thread(Authing.shutdown)
    assert got == ["alice", "bob", "carol"]


async def test_a_server_that_sends_first_is_no_http_server():
    """A banner on each new connection: an error that says so, and nothing was sent."""

    async def greet(reader, writer) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        with suppress(ConnectionError):
            await reader.read()  # until the client hangs up
        writer.close()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with AuthClient("app", token="t", base_url=f"http://127.0.0.1:{port}", max_attempts=1) as client:
        results = [await outcome(client.mfa_verify_by_totp("1")) for _ in range(3)]
    listening.close()
    assert {type(result) for result in results} == {NetworkError}


async def outcome(call):
    """What a call gives or raises."""
    try:
        return await call
    except AuthingError as error:
        return error


# ─────────────────────── what `delivery` says, and what the server read ───────────────────────


class Breaking:
    """A server that breaks the first exchange at a chosen place, and may be gone afterwards."""

    def __init__(self, place: str, then: str) -> None:
        self.place, self.then = place, then
        self.read: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self.listener.close()
        self.thread.join(60)

    def _run(self) -> None:
        first = True
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection:
                    connection.settimeout(60)
                    self._serve(connection, self.place if first else "answer")
                if first and self.then == "nobody":
                    self.listener.close()
                    return
                first = False

    def _serve(self, connection, place: str) -> None:
        if place == "before reading":
            return
        data = b""
        with suppress(OSError):
            while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < _length(data):
                piece = connection.recv(1 << 16)
                if not piece:
                    break
                data += piece
                if place == "within the request":
                    break
        if data:
            self.read.append(data)
        if place == "within the answer":
            connection.sendall(ok(USER)[:40])
        elif place == "answer":
            connection.sendall(ok(USER))
        elif place == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def _length(data: bytes) -> int:
    for line in data.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


CALLS = {
    "GET": lambda client: client.get_current_user(),
    "GET that changes something": lambda client: client.logout(),
    "POST": lambda client: client.mfa_verify_by_totp("123456"),
    "DELETE": lambda client: client.mfa_delete_totp(),
    "retryable POST": lambda client: client.mfa_check(phone="1"),
}


@pytest.mark.parametrize("then", ["nobody", "a server"])
@pytest.mark.parametrize(
    "place", ["before reading", "within the request", "after the request", "reset", "within the answer"]
)
@pytest.mark.parametrize("call", CALLS)
async def test_delivery_agrees_with_what_the_server_read(call, place, then):
    """`not_sent` only if the server read nothing of any try; what is not retryable is read once at most."""
    with Breaking(place, then) as server:
        async with AuthClient("app", token="t", base_url=f"http://127.0.0.1:{server.port}", timeout=10) as client:
            result = await outcome(CALLS[call](client))
    if isinstance(result, AuthingError) and result.delivery == "not_sent":
        assert server.read == []
    if server.read and isinstance(result, NetworkError):
        assert result.delivery == "unknown"
    if call not in {"GET", "retryable POST"}:
        assert len(server.read) <= 1
    if call == "DELETE" and place == "after the request":
        assert (len(server.read), result.delivery) == (1, "unknown")


async def test_a_retry_that_finds_no_server_does_not_make_the_call_unsent():
    """The first try of an upload was read, the second finds no server: the delivery is unknown."""
    with Breaking("after the request", "nobody") as server:
        async with AuthClient("app", token="t", base_url=f"http://127.0.0.1:{server.port}") as client:
            error = await outcome(client.mfa_check(phone="1"))
    assert len(server.read) == 1
    assert (type(error), error.delivery) == (NetworkError, "unknown")


async def test_closing_during_a_retry_keeps_how_the_last_try_ended():
    """`aclose()` while a call waits for its retry: the call ends as its last try did, not as if nothing had been sent."""
    async with serving(answering(reply(b"", 503), ok(data=True))) as server:
        client = AuthClient("app", token="t", base_url=server.url)
        call = asyncio.create_task(client.mfa_check(phone="1"))
        await server.saw(1)
        await asyncio.sleep(0.02)
        await client.aclose()
        result = await outcome(call)
    assert result is True or (isinstance(result, AuthingError) and result.delivery != "not_sent")


# ─────────────────────── an aiohttp without a hook ───────────────────────


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("aiohttp.BaseConnector", "connect"),
        ("aiohttp.Payload", "write_with_length"),
        ("aiohttp.client_proto.ResponseHandler", "should_close"),
        ("aiohttp.client_proto.ResponseHandler", "closed"),
        ("aiohttp.base_protocol.BaseProtocol", "_parser"),
        ("aiohttp.abc.AbstractStreamWriter", "output_size"),
    ],
)
def test_an_aiohttp_that_lacks_a_hook_is_refused_at_import(owner, name):
    """The package does not run without what its promises need."""
    code = f"import aiohttp, aiohttp.client_proto\ndel {owner}.{name}\nfrom authing_mfa import AuthClient\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"it has no {owner.rpartition('.')[2]}.{name}" in done.stderr


@pytest.mark.parametrize("call", CALLS)
async def test_without_the_hook_in_the_pool_nothing_is_called_unsent(call, monkeypatch):
    """An aiohttp that takes connections by another road: a lost answer is unknown, and nothing is sent twice."""
    monkeypatch.setattr(aiohttp_internals.OwnPool, "connect", aiohttp.TCPConnector.connect)
    with Breaking("after the request", "a server") as server:
        async with AuthClient("app", token="t", base_url=f"http://127.0.0.1:{server.port}", max_attempts=1) as client:
            error = await outcome(CALLS[call](client))
    assert len(server.read) == 1
    assert error.delivery == "unknown"


async def test_without_the_callback_before_the_body_nothing_is_sent_twice(monkeypatch):
    """An aiohttp that does not call a trace before it writes a body: the call has its answer, and was sent once."""

    def last_trace() -> aiohttp.TraceConfig:
        trace = aiohttp_internals.last_trace()
        trace.on_request_chunk_sent.clear()
        return trace

    monkeypatch.setattr("authing_mfa._transport.transport.last_trace", last_trace)
    async with (
        serving(who) as server,
        aiohttp.ClientSession(trace_configs=[aiohttp.TraceConfig()]) as session,
        AuthClient("app", token="ada", base_url=server.url, session=session, max_attempts=1) as client,
    ):
        assert (await verify(client)).id == "ada"
    assert len(server.seen) == 1


# ─────────────────────── another process ───────────────────────

OURS = "always:An AuthClient was not closed:ResourceWarning"  # without asyncio's own

FORK = """
import asyncio, os, sys
from authing_mfa import AuthClient, UsageError
from tests.servers import answering, ok, serving, USER

loop = asyncio.new_event_loop()

async def first():
    global client, server, stack
    global forgotten
    stack = serving(answering(*[ok(USER)] * 4))
    server = await stack.__aenter__()
    client, forgotten = (AuthClient("app", token="t", base_url=server.url) for _ in range(2))
    for each in (client, forgotten):
        await each.mfa_verify_by_totp("123456")

loop.run_until_complete(first())
pid = os.fork()
if pid == 0:
    del forgotten
    try:
        loop.run_until_complete(client.mfa_verify_by_totp("123456"))
    except UsageError as error:
        print("child:", error.message, error.delivery)
        sys.stdout.flush()
    loop.run_until_complete(client.aclose())
    os._exit(0)
os.waitpid(pid, 0)
for each in (client, forgotten):
    loop.run_until_complete(each.mfa_verify_by_totp("123456"))
    loop.run_until_complete(each.aclose())
print("parent: goes on on", server.connections, "connections")
loop.run_until_complete(stack.__aexit__(None, None, None))
loop.close()
"""


FORK_WITH_A_SESSION = """
import asyncio, os, sys
import aiohttp
from authing_mfa import AuthClient, UsageError
from tests.servers import answering, ok, serving, USER

loop = asyncio.new_event_loop()

async def first():
    global client, session, server, stack
    stack = serving(answering(*[ok(USER)] * 3))
    server = await stack.__aenter__()
    session = aiohttp.ClientSession()
    async with session.get(server.url) as answer:
        await answer.read()
    client = AuthClient("app", token="t", base_url=server.url, session=session)

loop.run_until_complete(first())
pid = os.fork()
if pid == 0:
    try:
        loop.run_until_complete(client.mfa_verify_by_totp("123456"))
    except UsageError as error:
        print("child:", error.message, error.delivery)
        sys.stdout.flush()
    os._exit(0)
os.waitpid(pid, 0)
loop.run_until_complete(client.mfa_verify_by_totp("123456"))
print("parent:", len(server.seen), "requests on", server.connections, "connection")
loop.run_until_complete(client.aclose())
loop.run_until_complete(session.close())
loop.run_until_complete(stack.__aexit__(None, None, None))
loop.close()
"""


def test_a_session_that_was_borrowed_before_a_fork_is_refused():
    """Its connections are the parent's, also if the client made no call before the fork."""
    require(hasattr(os, "fork"), "os.fork")
    done = run_program([sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK_WITH_A_SESSION])
    assert done.stderr == ""
    child, parent = done.stdout.splitlines()
    assert child.startswith("child: The aiohttp session given to this AuthClient belongs to the process")
    assert child.endswith("not_sent")
    assert parent == "parent: 2 requests on 1 connection"


def test_a_fork_with_an_inherited_loop_is_refused():
    """The child's call is refused before anything is sent, what it forgets is not its own; the parent's connections stay whole."""
    require(hasattr(os, "fork"), "os.fork")
    done = run_program([sys.executable, "-W", "ignore::DeprecationWarning", "-W", OURS, "-c", FORK])
    assert done.stderr == ""
    child, parent = done.stdout.splitlines()
    assert child.startswith("child: This AuthClient was used before this process was forked")
    assert child.endswith("not_sent")
    assert parent == "parent: goes on on 2 connections"


# ─────────────────────── what errors show ───────────────────────

SECRETS = ("s3cret-token", "s3cret-new-code", "s3cret-cookie", "s3cret-password")


@pytest.mark.parametrize(
    "damage",
    [
        b"HTTP/1.1 200 OK\r\nSet-Cookie: s3cret-cookie\r\nContent-Length: nonsense s3cret-token\r\n\r\n",
        reply(b'{"code":200,"data":{"id":"u1","token":"s3cret-token"},"recoveryCode":"s3cret-new-code"'),
        reply({"code": 200, "data": {"id": 5, "token": "s3cret-token"}, "recoveryCode": "s3cret-new-code"}),
        reply({"code": 500, "message": "no", "data": {"token": "s3cret-token"}}, 200, "Set-Cookie: s3cret-cookie"),
        Drop(b"HTTP/1.1 200 OK\r\nSet-Cookie: s3cret-cookie\r\nContent-Length: 500\r\n\r\ns3cret-new-code"),
    ],
    ids=["head", "cut JSON", "wrong type", "refusal", "cut answer"],
)
async def test_a_traceback_shows_no_secret(damage):
    """Neither the whole chain of errors nor the variables of this package's frames hold what must not be seen."""
    async with (
        serving(answering(damage)) as server,
        AuthClient("app", token="s3cret-token", base_url=server.url, max_attempts=1) as client,
    ):
        error = await outcome(client.get_current_user())
    assert isinstance(error, AuthingError)
    assert (error.__cause__, error.__context__) == (None, None)
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert [secret for secret in SECRETS if secret in shown] == []


async def test_a_proxys_password_is_in_no_traceback():
    """A proxy that refuses: its password is neither in the error nor in what it shows of its frames."""
    async with (
        serving(answering(reply(b"", 407))) as proxy,
        AuthClient(
            "app",
            token="s3cret-token",
            base_url="https://service.test",
            proxy=proxy.url.replace("://", "://ada:s3cret-password@"),
            max_attempts=1,
        ) as client,
    ):
        error = await outcome(client.get_current_user())
    shown = "".join(traceback.format_exception(error)) + repr(error.__cause__) + repr(error.__context__)
    assert [secret for secret in SECRETS if secret in shown] == []


# ─────────────────────── TLS failures by name ───────────────────────


async def refusal(url: str, **options) -> NetworkError:
    async with AuthClient("app", token="t", base_url=url, max_attempts=1, **options) as client:
        error = await outcome(client.mfa_verify_by_totp("123456"))
    assert isinstance(error, NetworkError)
    assert error.delivery == "not_sent"
    assert ".." not in error.message
    assert "Operation not permitted" not in error.message
    return error


async def test_an_unknown_authority_is_named(authority):
    """The reason is the certificate's."""
    async with serving(answering(), tls=tls_of(authority)[0]) as server:
        error = await refusal(server.url)
    assert "certificate is not accepted: unable to get local issuer certificate" in error.message


async def test_a_wrong_name_is_named(authority):
    """The certificate of another host."""
    server_side, client_side = tls_of(authority, "other.test")
    async with serving(answering(), tls=server_side) as server:
        error = await refusal(server.url, ssl_context=client_side)
    assert "IP address mismatch" in error.message


async def test_an_expired_certificate_is_named(authority):
    """The certificate's time is over."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    authority.issue_cert("127.0.0.1", not_after=past).configure_cert(context)
    async with serving(answering(), tls=context) as server:
        error = await refusal(server.url, ssl_context=tls_of(authority)[1])
    assert "certificate has expired" in error.message


async def test_a_plain_text_peer_is_named():
    """TLS to a server of plain HTTP."""

    async def refuse(reader, writer) -> None:
        await reader.read(100)
        writer.write(reply(b"", 400))
        writer.close()

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0)
    error = await refusal(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    listening.close()
    assert "does not speak TLS on this port" in error.message


# ─────────────────────── hostile answers ───────────────────────


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 45_000 + b"]" * 45_000,
        b'{"code":200,"data":[' + b"{}," * 200_000 + b"{}]}",
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    ],
    ids=["deep lists", "many factors", "deep objects"],
)
async def test_a_hostile_answer_does_not_hold_the_loop(body):
    """Refused as too large or too deep before it is read; the loop is not blocked."""
    import gzip

    answer = reply(gzip.compress(body), 200, "Content-Encoding: gzip")
    async with (
        serving(answering(answer)) as server,
        AuthClient("app", token="t", base_url=server.url, max_attempts=1) as client,
    ):
        began = time.process_time()
        error = await outcome(client.mfa_list_authenticators())
        spent = time.process_time() - began
    assert isinstance(error, ResponseError)
    assert spent < 1.0  # it was 3-8 s


@asynccontextmanager
async def client_of(serve, **options):
    """A client of a server that answers each connection with the coroutine function *serve*."""
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with AuthClient("app", token="t", base_url=url, **options) as client:
            yield client


@pytest.mark.parametrize("pause", [0, 0.05])
async def test_a_malformed_chunk_ends_the_call(pause):
    """The reader is not left waiting for the time-out, also if it waits for this chunk, and the slot is free again."""

    async def serve(reader, writer):
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(chunked(b'{"code":200,', end=False))
            await asyncio.sleep(pause)
            writer.write(b"zz\r\nnonsense\r\n")
            await reader.read()  # the end
        writer.close()

    async with client_of(serve, max_attempts=1, max_connections=1) as client:
        for _ in range(2):
            error = await outcome(client.mfa_verify_by_totp("123456"))
            assert (type(error), error.delivery) == (NetworkError, "unknown")


async def test_a_malformed_chunk_that_comes_while_a_trace_callback_waits_ends_the_call():
    """The connection is lost before its answer is read: no end would come."""
    malformed, lost = asyncio.Event(), asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(chunked(b'{"code":200,', end=False))
        await malformed.wait()
        writer.write(b"zz\r\nnonsense\r\n")
        await reader.read()
        lost.set()
        writer.close()

    async def wait(*_: object) -> None:
        malformed.set()
        await lost.wait()
        await asyncio.sleep(0.02)

    tracing = aiohttp.TraceConfig()
    tracing.on_request_end.append(wait)
    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as server,
        aiohttp.ClientSession(trace_configs=[tracing]) as session,
    ):
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with AuthClient("app", token="t", base_url=url, max_attempts=1, session=session) as client:
            error = await outcome(client.mfa_verify_by_totp("123456"))
    assert (type(error), error.delivery) == (NetworkError, "unknown")


async def test_a_call_that_is_cancelled_while_tls_reads_its_messages_leaves_nothing(authority, caplog):
    """aiohttp would report a connection that nobody closed."""
    tracing = aiohttp.TraceConfig()

    async def made(*_: object) -> None:
        server.met()  # its session tickets have come, and the loop has not read them
        call = asyncio.current_task()
        assert call is not None
        asyncio.get_running_loop().call_soon(call.cancel)

    tracing.on_connection_create_end.append(made)
    with Threaded(who, server_tls("tls", authority)) as server:
        _, trusting = tls_of(authority)
        async with (
            aiohttp.ClientSession(trace_configs=[tracing]) as session,
            AuthClient("app", token="t", base_url=server.url, session=session, ssl_context=trusting) as client,
        ):
            call = asyncio.create_task(client.mfa_verify_by_totp("123456"))
            await asyncio.wait([call])
            assert call.cancelled()
            del call
            gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert server.seen == []


async def test_an_answer_that_changes_the_protocol_leaves_nothing(caplog):
    """A 101 with a length: aiohttp does not end its connection, and its log line would show the answer's cookies."""
    switch = reply(b"", 101, "Upgrade: websocket", "Connection: Upgrade", "Set-Cookie: s3cret-cookie")
    async with (
        serving(answering(switch, ok(USER))) as server,
        AuthClient("app", token="t", base_url=server.url, max_attempts=1) as client,
    ):
        asyncio.get_running_loop().set_debug(True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # as an error it hides aiohttp's log line
            assert isinstance(await outcome(client.mfa_verify_by_totp("123456")), ResponseError)
            gc.collect()
        assert (await client.mfa_verify_by_totp("123456")).id == "u1"
    assert server.connections == 2
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_connection_keeps_nothing_of_its_answers():
    """Answers in two pieces are watched for the end of their connection, and only while they are read."""

    async def serve(reader, writer):
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(len(b'{"totp":"123456"}'))
                answer = ok(data=USER)
                writer.write(answer[:-9])
                await asyncio.sleep(0.01)
                writer.write(answer[-9:])
        writer.close()

    async with client_of(serve) as client:
        await client.mfa_verify_by_totp("123456")
        gc.collect()
        before = sum(isinstance(each, aiohttp.StreamReader) for each in gc.get_objects())
        for _ in range(20):
            await client.mfa_verify_by_totp("123456")
        gc.collect()
        assert sum(isinstance(each, aiohttp.StreamReader) for each in gc.get_objects()) <= before


async def test_a_kept_connection_that_is_reset_later_logs_no_error(caplog):
    """The answer came in two pieces, so the call watched its connection. asyncio would log that nobody took the exception."""
    reset, done = asyncio.Event(), asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        answer = ok(data=USER)
        writer.write(answer[:-9])
        await asyncio.sleep(0.05)
        writer.write(answer[-9:])
        await reset.wait()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        done.set()

    async with client_of(serve) as client:
        await client.mfa_verify_by_totp("123456")
        reset.set()
        await done.wait()
        await asyncio.sleep(0.1)  # until the client has seen the reset
        await client.mfa_verify_by_totp("123456")  # on another connection: the first one leaves the pool
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_kept_connection_keeps_nothing_of_its_answers():
    """An answer in two pieces makes the call watch its connection; the number of watches does not grow with the calls."""

    async def script(seen: Seen) -> bytes:
        answer = ok(data=USER)
        seen.writer.write(answer[:-9])
        await seen.writer.drain()
        await asyncio.sleep(0.01)
        return answer[-9:]

    counts = []
    async with serving(script) as server, AuthClient("app", token="t", base_url=server.url) as client:
        for _ in range(6):
            await client.get_current_user()
            counts.append(sys.getrefcount(aiohttp_internals._retrieve))
    assert server.connections == 1
    assert counts == [counts[0]] * 6


@pytest.mark.parametrize("size", [9_000, 60_000])
async def test_long_headers_pass(size):
    """A gateway's long cookie is no reason to fail."""
    async with (
        serving(answering(reply({"code": 200, "data": USER}, 200, "Set-Cookie: a=" + "x" * size))) as server,
        AuthClient("app", token="t", base_url=server.url, max_attempts=1) as client,
    ):
        assert (await client.get_current_user()).id == "u1"


# ─────────────────────── smaller things ───────────────────────


@pytest.mark.parametrize("traced", [False, True])
async def test_an_answer_that_has_arrived_is_read_though_the_time_is_up(traced):
    """The loop was blocked over the deadline; the answer, which may hold a new recovery code, lies in the socket.

    The trace callbacks of a lent session need more turns of the loop. What the caller does after its call is not interrupted.
    """
    go, tracing = asyncio.Event(), aiohttp.TraceConfig()

    async def pause(*_):
        await asyncio.sleep(0)

    tracing.on_response_chunk_received.append(pause)
    tracing.on_request_end.append(pause)

    async def caller():
        user = await client.mfa_verify_by_recovery_code("123456")
        for _ in range(10):
            await asyncio.sleep(0)
        return user.id

    with Threaded(who_after(go)) as server:
        options = {"token": "ada", "base_url": server.url, "timeout": 2.0}
        async with (
            aiohttp.ClientSession(trace_configs=[tracing]) as session,
            AuthClient("app", session=session if traced else None, **options) as client,
        ):
            call = asyncio.create_task(caller())
            while not server.seen:  # noqa: ASYNC110 - it is another thread's
                await asyncio.sleep(0)
            server.let_go(go)
            time.sleep(2.2)  # noqa: ASYNC251 - the deadline passes, and the loop does not see it
            assert await call == "ada"


@pytest.mark.parametrize("lent", [False, True])
async def test_closing_lets_an_answer_be_read_that_has_arrived(lent):
    """The loop was blocked while the answer came; the client is closed before the loop reads the answer."""
    go = asyncio.Event()
    with Threaded(who_after(go)) as server:
        async with aiohttp.ClientSession() as session:
            client = AuthClient("app", token="ada", base_url=server.url, **({"session": session} if lent else {}))
            call = asyncio.create_task(client.mfa_verify_by_recovery_code("123456"))
            while not server.seen:  # noqa: ASYNC110 - it is another thread's
                await asyncio.sleep(0)
            server.let_go(go)
            await client.aclose()
            assert (await call).id == "ada"


async def test_forgotten_clients_leave_no_sockets_and_no_tasks():
    """A client that was not closed is reported, and its connections are closed; nothing keeps the tasks that closed them."""
    async with serving(answering(*[ok(USER)] * 5)) as server:
        before = tasks_in_memory()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            for _ in range(5):
                client = AuthClient("app", token="t", base_url=server.url)
                await client.get_current_user()
                del client
                gc.collect()
            await server.emptied()
            async with asyncio.timeout(60):  # until the clients' side has ended, too
                while tasks_in_memory() > before:  # noqa: ASYNC110 - closing takes a few steps
                    await asyncio.sleep(0.01)


def tasks_in_memory() -> int:
    gc.collect()
    return sum(isinstance(each, asyncio.Task) for each in gc.get_objects())


async def test_a_trace_callback_may_make_a_call():
    """A lent session's tracing that uses the client itself, within a call."""
    tracing = aiohttp.TraceConfig()
    inner = []

    async def on_start(_session, _context, params) -> None:
        if not inner:
            inner.append(None)
            inner[0] = await client.as_user("inner").get_current_user()

    tracing.on_request_start.append(on_start)
    with Threaded(who) as server:
        async with (
            aiohttp.ClientSession(trace_configs=[tracing]) as session,
            AuthClient("app", token="outer", base_url=server.url, session=session) as client,
        ):
            assert (await client.mfa_verify_by_totp("123456")).id == "outer"
    assert inner[0].id == "inner"


@pytest.mark.parametrize(
    "environment",
    [
        {"no_proxy": "127.0.0.1:{port}"},
        {"no_proxy": "127.0.0.0/8"},
        {"no_proxy": "10.0.0.0/8, 127.0.0.1"},
        {"no_proxy": "*"},
    ],
)
async def test_no_proxy_is_honoured(environment, monkeypatch):
    """An address with a port, a network, a list, and everything."""
    async with serving(answering()) as proxy, serving(answering(ok(USER))) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        for name, value in environment.items():
            monkeypatch.setenv(name, value.format(port=server.port))
        async with AuthClient("app", token="t", base_url=server.url, trust_env=True) as client:
            assert (await client.get_current_user()).id == "u1"
        assert proxy.connections == 0


@pytest.mark.parametrize("no_proxy", ["10.0.0.0/8", "10.0.0.1, 127.0.0.2", "127.0.0.1:1"])
async def test_an_address_that_no_proxy_does_not_list_goes_to_the_proxy(no_proxy, monkeypatch):
    """Other networks, other addresses and other ports do not count."""
    async with serving(answering(ok(USER))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", no_proxy)
        async with AuthClient("app", token="t", base_url="http://127.0.0.1:9", trust_env=True) as client:
            assert (await client.get_current_user()).id == "u1"


@pytest.mark.parametrize(
    ("no_proxy", "proxied"), [("[::1]", False), ("[::1]:8080", False), ("[::1]:80", True), ("fe80::/10", True)]
)
def test_no_proxy_for_an_address_of_ipv6(no_proxy, proxied, monkeypatch):
    """In brackets, with a port and without one."""
    monkeypatch.setenv("http_proxy", "http://proxy.test")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (environment_proxy(URL("http://[::1]:8080")) is not None) is proxied


async def test_all_proxy_alone_is_used(monkeypatch):
    """ALL_PROXY names the proxy of every scheme."""
    async with serving(answering(ok(USER))) as proxy:
        monkeypatch.setenv("all_proxy", proxy.url)
        async with AuthClient("app", token="t", base_url="http://service.test", trust_env=True) as client:
            assert (await client.get_current_user()).id == "u1"


@pytest.mark.parametrize("password", ["12#3", "12/3", "1?2", "[12", "1\\2"])
async def test_a_password_that_ends_the_proxys_address_is_refused_before_anything_is_sent(password, monkeypatch):
    """Else the name would be the host that gets the service's address. The password is not shown."""
    async with serving(answering()) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}{password}@proxy.test:3128")
        async with AuthClient("app", token="t", base_url="http://service.test", trust_env=True) as client:
            with pytest.raises(UsageError, match="percent-encoded") as caught:
                await client.mfa_verify_by_totp("123456")
        assert (caught.value.delivery, server.connections) == ("not_sent", 0)
        assert password not in str(caught.value)


async def test_a_socks_proxy_is_refused_before_anything_is_sent(monkeypatch):
    """A scheme that is not supported is a sentence, and the code goes nowhere."""
    async with serving(answering()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "socks5://ada:s3cret-password@"))
        async with AuthClient("app", token="t", base_url="http://service.test", trust_env=True) as client:
            error = await outcome(client.mfa_verify_by_totp("123456"))
        assert proxy.connections == 0
    assert isinstance(error, UsageError)
    assert "socks5://" in error.message
    assert "s3cret-password" not in str(error)


@pytest.mark.parametrize("named", ["[fe80::1%25eth0]", "fe80::1%eth0", "[::1%]", "::1%25", "a%b.test"])
async def test_a_zone_in_an_address_is_a_config_error(named):
    """Rubbish in public-config is a ConfigError, never a bare ValueError, and is asked for again by the next call."""
    script = answering(*[ok({"requestHostname": named})] * 2)
    async with (
        serving(script) as proxy,
        AuthClient("app", token="t", host="authing.test", scheme="http", proxy=proxy.url, max_attempts=1) as client,
    ):
        for _ in range(2):
            error = await outcome(client.get_current_user())
            assert isinstance(error, AuthingError)


@pytest.mark.parametrize("kind", ["own", *(pytest.param(kind, marks=pytest.mark.soak) for kind in ("tls", "lent"))])
@pytest.mark.parametrize("blocked", [False, True], ids=["read by the loop", "not read by the loop"])
def test_the_same_holds_on_uvloop(kind, blocked, authority):
    """Strays and closed connections, on the loop that the extra `speed` brings."""
    require_module("uvloop")
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for stray in STRAYS:
            runner.run(test_no_user_gets_an_answer_that_was_not_asked_for(kind, stray, blocked, authority))
        runner.run(test_a_server_that_closes_after_each_answer_costs_no_call(kind, blocked, authority))
        if not blocked:
            runner.run(test_two_hundred_users_among_stray_answers(kind, authority))


LEFT_OPEN = """
import asyncio, threading
from authing_mfa import AuthClient
from tests.servers import answering, ok, serving, USER

async def main():
    async with serving(answering(ok(USER))) as server:
        client = AuthClient("app", token="t", base_url=server.url)
        await client.get_current_user()
        return client

kept = asyncio.run(main())
"""


def test_a_client_that_is_left_open_prints_nothing_at_exit():
    """Modules are taken down before objects: the client's end does not need them, and nobody could act on a warning."""
    done = run_program([sys.executable, "-W", OURS, "-c", LEFT_OPEN])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Language(str, enum.Enum):  # noqa: UP042 - StrEnum formats as its value, this does not
    """What programs keep such texts in."""

    CHINESE = "zh-CN"


async def test_an_enum_of_texts_is_its_value():
    """As a token and as a language, not the name of the member."""
    async with (
        serving(answering(ok(USER))) as server,
        AuthClient("app", token=Language.CHINESE, lang=Language.CHINESE, base_url=server.url) as client,
    ):
        await client.get_current_user()
    assert server.seen[0].header("Authorization") == "Bearer zh-CN"
    assert server.seen[0].header("x-authing-lang") == "zh-CN"


@pytest.mark.parametrize("name", ["timeout", "connect_timeout"])
@pytest.mark.parametrize("value", [10**400, 1e300, float("inf"), float("nan"), 0, -1, True, "5", None])
def test_times_that_no_timer_can_hold_are_refused(name, value):
    """Before anything is sent, and by their name."""
    with pytest.raises(InvalidInputError, match=name):
        AuthClient("app", **{name: value})


@pytest.mark.parametrize("name", ["on_premise", "trust_env"])
@pytest.mark.parametrize("value", ["false", "", 0, 1, None])
def test_only_true_and_false_are_flags(name, value):
    """A text like "false" is no flag."""
    with pytest.raises(InvalidInputError, match=name):
        AuthClient("app", **{name: value})


# ─────────────────────── a server on a separate thread ───────────────────────


class Threaded:
    """`serving` on its own thread: it continues while the test's loop is blocked."""

    def __init__(self, script, tls=None) -> None:
        self._script, self._tls = script, tls
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with serving(self._script, tls=self._tls) as self._server:
            self.url, self.seen = self._server.url, self._server.seen
            self._ready.set()
            await self._stop.wait()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def met(self) -> None:
        """Block until a client has connected, and what TLS sends after the handshake is written."""
        while not self._server.connections:
            time.sleep(0.001)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), self._loop).result(60)

    def let_go(self, go: asyncio.Event) -> None:
        """Set *go*, an event of the server's loop, and block until the answers that waited for it are written."""

        async def written() -> None:
            go.set()
            for _ in range(20):
                await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(written(), self._loop).result(60)

    async def quiet(self, *, blocked: bool = False) -> None:
        """Wait until the server has written all that it is going to write unasked; *blocked*: the loop does not run."""
        if blocked:
            while _strays:
                time.sleep(0.001)  # noqa: ASYNC251 - as a debugger or a closed lid would do
            time.sleep(0.002)  # noqa: ASYNC251 - and until it lies in the socket
        else:
            while _strays:  # noqa: ASYNC110 - it is another thread's
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.002)

    async def closed_all(self, *, blocked: bool) -> None:
        """Wait until the server has closed every connection; *blocked*: the test's loop does not run and does not see it."""
        done = asyncio.run_coroutine_threadsafe(self._closed_all(), self._loop)
        if blocked:
            done.result(60)
        else:
            await asyncio.wrap_future(done)

    async def _closed_all(self) -> None:
        await self._server.emptied()
        for _ in range(3):  # a transport closes its socket in a later turn of the loop
            await asyncio.sleep(0)

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        assert not self._thread.is_alive()
