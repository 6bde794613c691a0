"""Scripted HTTP servers on raw sockets: they answer exactly the bytes, or do exactly the damage, that a test wants."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import attrs

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

# asyncio's default is 100: when more clients connect at once, Linux resets some of them after they have sent their request.
ACCEPT_QUEUE = 4096
USER: dict[str, Any] = {"id": "u1", "username": "ada", "token": "id-token-of-ada"}


@attrs.define
class Seen:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    writer: asyncio.StreamWriter = attrs.field(repr=False)

    def header(self, name: str) -> str | None:
        """The value of header *name*; a header that came twice fails the test."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The target's query."""
        return dict(parse_qsl(self.target.partition("?")[2]))

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Drop(Exception):  # noqa: N818 - a signal, not an error
    """Raised by a script: close the connection now, after writing `rest`."""

    def __init__(self, rest: bytes = b"") -> None:
        super().__init__()
        self.rest = rest


def reply(body: Any = None, status: int = 200, *headers: str, length: int | None = None) -> bytes:
    """An HTTP answer; *body* is bytes, or something that becomes JSON. *length* lies about its size."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def ok(data: Any = None, **beside: Any) -> bytes:
    """A success in the service's envelope."""
    return reply({"code": 200, "message": "OK", "data": data, **beside})


def chunked(*chunks: bytes, end: bool = True) -> bytes:
    """An answer in chunks; without *end* it is cut off."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + (b"0\r\n\r\n" if end else b"")


class Server:
    """A running server: its requests and its address."""

    def __init__(self, script: Callable[[Seen], Awaitable[bytes]], scheme: str, host: str) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.arrived = asyncio.Condition()
        self.scheme = scheme
        self.host = host
        self.port = 0
        self._script = script
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def paths(self) -> list[str]:
        """The paths of all requests so far, in order."""
        return [seen.path for seen in self.seen]

    async def saw(self, count: int) -> None:
        """Wait until *count* requests have come, a minute at most."""
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(lambda: len(self.seen) >= count)

    async def emptied(self) -> None:
        """Wait until no connection is open, a minute at most."""
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(lambda: self.open == 0)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        number = self.connections
        try:
            while await self._exchange(reader, writer, number):
                pass
        except ConnectionError:
            with suppress(ConnectionError):  # asyncio keeps it a second time, and logs it if nobody takes it
                await writer.wait_closed()
        except asyncio.IncompleteReadError:
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()
            self._tasks.discard(task)
            self.open -= 1
            async with self.arrived:
                self.arrived.notify_all()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, _ = first.split(" ")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
        seen = Seen(method, target, headers, await reader.readexactly(length), number, writer)
        async with self.arrived:
            self.seen.append(seen)
            self.arrived.notify_all()
        try:
            writer.write(await self._script(seen))
        except Drop as drop:
            writer.write(drop.rest)
            await writer.drain()
            return False
        await writer.drain()
        return True

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def serving(
    script: Callable[[Seen], Awaitable[bytes]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Server]:
    """A server that answers each request with what *script* returns for it; it may wait, or raise `Drop`."""
    server = Server(script, "http" if tls is None else "https", host)
    listening = await asyncio.start_server(server.connected, host="127.0.0.1", port=port, ssl=tls, backlog=ACCEPT_QUEUE)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.stop()
        await listening.wait_closed()


def answering(*answers: bytes | Drop) -> Callable[[Seen], Awaitable[bytes]]:
    """A script that gives *answers* one after the other; one request too many is dropped, and the test sees it."""
    remaining = list(answers)

    async def script(_: Seen) -> bytes:
        answer = remaining.pop(0) if remaining else Drop()
        if isinstance(answer, Drop):
            raise answer
        return answer

    return script


async def hang(_: Seen) -> bytes:
    """A script that never answers."""
    await asyncio.Event().wait()
    raise AssertionError
