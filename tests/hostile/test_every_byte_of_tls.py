"""A connection over TLS, cut at every byte: in the handshake nothing was sent; later the right `delivery`, and at most one act."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from contextlib import asynccontextmanager, suppress

import pytest
import trustme

from authing_mfa import ApiError, AuthClient, AuthingError, NetworkError
from authing_mfa.operations import OPERATIONS, VerifyByTotp
from tests.hostile.network import CODE, open_descriptors
from tests.hostile.test_every_byte import sample
from tests.servers import Seen, reply, serving


class Cutter:
    """Passes bytes on between clients and a TLS service, and cuts the connection after so many bytes of one direction.

    Attributes:
        passed: the bytes that went each way since `count`.
        first: how many bytes the client sent before it was answered.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self.passed = {"up": 0, "down": 0}
        self.first = 0
        self._service = port
        self._cut: tuple[str, int, str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def count(self, cut: tuple[str, int, str] | None = None) -> None:
        """Count from here, and cut once: (direction, after how many bytes, "fin" or "reset")."""
        self.passed, self.first, self._cut = {"up": 0, "down": 0}, 0, cut

    async def listen(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listening)
            service = socket.socket()
            service.setblocking(False)
            await loop.sock_connect(service, ("127.0.0.1", self._service))
            for each in (client, service):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._serve(client, service))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: socket.socket, service: socket.socket) -> None:
        both = [asyncio.ensure_future(self._pass(*way)) for way in (("up", client, service), ("down", service, client))]
        with client, service:
            try:
                done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                ends = [task.result() for task in done if not task.exception()]
                if "reset" in ends:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            finally:
                for task in both:
                    task.cancel()
                await asyncio.gather(*both, return_exceptions=True)

    async def _pass(self, way: str, source: socket.socket, target: socket.socket) -> str:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while data := await loop.sock_recv(source, 65536):
                if way == "down" and not self.first:
                    self.first = self.passed["up"]
                if self._cut and self._cut[0] == way and self.passed[way] + len(data) >= self._cut[1]:
                    (_, after, end), self._cut = self._cut, None
                    await loop.sock_sendall(target, data[: after - self.passed[way]])
                    return end
                self.passed[way] += len(data)
                await loop.sock_sendall(target, data)
        return "fin"

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture(scope="module")
def contexts():
    """What the service proves itself with, and what a client trusts."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    server.num_tickets = 0  # the handshake's last byte from the service comes before the client's first request
    return server, client


@asynccontextmanager
async def over_tls(contexts):
    """A cutter in front of a TLS service, a client of it, and how many requests the service read whole; nothing is left of them."""
    acts = []
    tasks, descriptors = asyncio.all_tasks(), open_descriptors()

    async def script(seen: Seen) -> bytes:
        acts.append(seen)
        return reply({"code": CODE, "message": f"answer {len(acts):08d}", "data": None})

    server, trusting = contexts
    options = {
        "token": "tok-en",
        "user_pool_id": "pool",
        "ssl_context": trusting,
        "max_connections": 1,
        "timeout": 30.0,
    }
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        async with serving(script, tls=server) as service:
            cutter = Cutter(service.port)
            cutter.port = listening.getsockname()[1]
            accepting = asyncio.create_task(cutter.listen(listening))
            async with AuthClient("app", base_url=f"https://127.0.0.1:{cutter.port}", **options) as client:
                yield cutter, client, acts
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
            await cutter.stop()
    async with asyncio.timeout(60):
        while asyncio.all_tasks() - tasks or open_descriptors() > descriptors:  # noqa: ASYNC110 - closing takes a few steps
            await asyncio.sleep(0.001)


async def call(client, acts, operation) -> tuple[AuthingError, int]:
    """Perform *operation* once; its error (a refusal is an answer), and how often the service acted on it."""
    before = len(acts)
    with pytest.raises(AuthingError) as caught:
        await client.perform(operation, max_attempts=1)
    if isinstance(caught.value, ApiError):
        assert caught.value.message == f"answer {len(acts):08d}", "another call's answer"
    return caught.value, len(acts) - before


async def works(client, acts, operation) -> None:
    error, acted = await call(client, acts, operation)
    assert (error.code, acted) == (CODE, 1)


async def cut(cutter, client, acts, operation, where, deliveries) -> None:
    """Cut the stream there: `delivery` is one of *deliveries*, an act is never reported as not sent, and the next call works."""
    cutter.count(where)
    error, acted = await call(client, acts, operation)
    assert isinstance(error, NetworkError), f"{error!r}: {where}"
    assert error.delivery in deliveries, f"{error!r}: {where}"
    assert acted <= (error.delivery != "not_sent"), f"{error!r}, acted: {where}"
    cutter.count()
    await works(client, acts, operation)


def places(way: str, length: int, step: int, offset: int = 0) -> list[tuple[str, int, str]]:
    """Cuts at every *step*th byte before the last; the end of the connection changes from one to the next."""
    return [(way, at, ("fin", "reset")[at % 2]) for at in range(1 + offset % step, length, step)]


async def broken_handshakes(contexts, step) -> None:
    operation = sample(VerifyByTotp)
    async with over_tls(contexts) as (cutter, _client, acts):
        _reader, writer = await asyncio.open_connection(
            "127.0.0.1", cutter.port, ssl=contexts[1], server_hostname="127.0.0.1"
        )
        hello, flight = cutter.first, cutter.passed["down"] - 8  # the length of a signature varies by a few bytes
        writer.close()
        await writer.wait_closed()
        assert hello > 100
        assert flight > 300
        for where in (*places("up", hello, step), *places("down", flight, step)):
            await cut_fresh(cutter, contexts, acts, operation, where)


async def cut_fresh(cutter, contexts, acts, operation, where) -> None:
    """The same with a client that has no connection yet."""
    options = {"token": "tok-en", "user_pool_id": "pool", "ssl_context": contexts[1], "max_connections": 1}
    async with AuthClient("app", base_url=f"https://127.0.0.1:{cutter.port}", **options) as client:
        await cut(cutter, client, acts, operation, where, {"not_sent"})


async def broken_exchanges(contexts, number, cls, step) -> None:
    operation = sample(cls)
    async with over_tls(contexts) as (cutter, client, acts):
        await works(client, acts, operation)
        cutter.count()
        await works(client, acts, operation)
        up, down = cutter.passed["up"], cutter.passed["down"]
        for where in (*places("up", up, step, number), *places("down", down, step, number)):
            await cut(cutter, client, acts, operation, where, {"unknown"})


def numbered():
    return [pytest.param(number, cls, id=cls.__name__) for number, cls in enumerate(OPERATIONS)]


async def test_a_handshake_that_breaks(contexts):
    """Until the handshake is over nothing is sent, and the error says so; the next call works."""
    await broken_handshakes(contexts, 83)


@pytest.mark.parametrize(("number", "cls"), numbered())
async def test_an_exchange_that_breaks_over_tls(number, cls, contexts):
    """Wherever the encrypted request or answer stops it is unknown, and the next call gets its own answer."""
    await broken_exchanges(contexts, number, cls, 331)


@pytest.mark.soak
async def test_a_handshake_that_breaks_at_every_byte(contexts):
    """The same at each byte."""
    await broken_handshakes(contexts, 1)


@pytest.mark.soak
@pytest.mark.parametrize(("number", "cls"), numbered())
async def test_an_exchange_that_breaks_over_tls_at_many_bytes(number, cls, contexts):
    """The same at each byte of one operation, and at every 17th of the others, each at others."""
    await broken_exchanges(contexts, number, cls, 1 if cls is VerifyByTotp else 17)
