"""A service behind a bad network: what happens to each request is planned to the byte."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

End = Literal["keep", "fin", "reset", "half", "stall"]

CODE = 4321  # a refusal that no rule knows: any operation may get it, and its message tells whose answer it is


@attrs.frozen
class Plan:
    """What happens to one request and its answer.

    Attributes:
        request: how many bytes of the request are read; None: all of it.
        answer: how many bytes of the answer are sent; None: all of it.
        end: what follows: the connection is kept, closed, reset, closed in one direction, or nothing happens any more.
        order: "whole"; "split" and "swapped": the answer comes in two pieces, cut at `cut`; "bytes": one by one.
        cut: where the answer is cut in two.
        extra: what is sent after the answer.
    """

    request: int | None = None
    answer: int | None = None
    end: End = "keep"
    order: Literal["whole", "split", "swapped", "bytes"] = "whole"
    cut: int = 0
    extra: bytes = b""


CLEAN = Plan()


def answer_of(act: int, *, chunked: bool = False) -> bytes:
    """The answer to the request number *act*; all answers are equally long."""
    body = json.dumps({"code": CODE, "message": f"answer {act:08d}", "data": None}).encode()
    if not chunked:
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:30], body[30:]))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n" % pieces


class Service:
    """Follows `plan` for the next request, and answers the others.

    Attributes:
        acts: the requests that were read whole, which is when a service acts.
        started: how many requests have begun to arrive.
        length: of the request that was read whole last.
        newest: the connection that was made last.
    """

    def __init__(self, *, chunked: bool = False) -> None:
        self.plan = CLEAN
        self.acts: list[bytes] = []
        self.started = 0
        self.length = 0
        self.newest: socket.socket | None = None
        self.chunked = chunked
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self) -> Plan:
        plan, self.plan = self.plan, CLEAN
        return plan

    async def listen(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(listening)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.newest = connection
            task = loop.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while await self._exchange(connection):
                    pass
            except ConnectionError:
                pass

    async def _exchange(self, connection: socket.socket) -> bool:
        loop = asyncio.get_running_loop()
        read = await loop.sock_recv(connection, 1)
        if not read:
            return False
        self.started += 1
        plan = self.take()
        if plan.request is None:
            read = await self._whole_request(connection, read)
            self.acts.append(read)
            self.length = len(read)
            await self._answer(connection, plan)
        else:
            while len(read) < plan.request:
                more = await loop.sock_recv(connection, plan.request - len(read))
                if not more:
                    return False
                read += more
        return await self._end(connection, plan.end)

    @staticmethod
    async def _whole_request(connection: socket.socket, read: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        while (end := read.find(b"\r\n\r\n")) < 0:
            read += await _some(loop, connection)
        lines = read[:end].lower().split(b"\r\n")
        length = next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), None)
        if length is None:
            return read  # no body, or a chunked one
        while len(read) < end + 4 + length:
            read += await _some(loop, connection)
        return read

    async def _answer(self, connection: socket.socket, plan: Plan) -> None:
        loop = asyncio.get_running_loop()
        answer = answer_of(len(self.acts), chunked=self.chunked)
        sent = answer if plan.answer is None else answer[: plan.answer]
        pieces = [sent]
        if plan.order == "split":
            pieces = [sent[: plan.cut], sent[plan.cut :]]
        elif plan.order == "swapped":
            pieces = [sent[plan.cut :], sent[: plan.cut]]
        elif plan.order == "bytes":
            pieces = [sent[at : at + 1] for at in range(len(sent))]
        for piece in (*pieces, plan.extra):
            if piece:
                await loop.sock_sendall(connection, piece)
                await asyncio.sleep(0)

    @staticmethod
    async def _end(connection: socket.socket, end: End) -> bool:
        if end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif end == "half":
            connection.shutdown(socket.SHUT_WR)
        elif end == "stall":
            await asyncio.Event().wait()
        return end in ("keep", "half")

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _some(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> bytes:
    read = await loop.sock_recv(connection, 65536)
    if not read:
        raise ConnectionResetError
    return read


@asynccontextmanager
async def served(*, chunked: bool = False) -> AsyncIterator[Service]:
    """A service on a free port; afterwards nothing may be left of it or of its clients: no descriptor, no task."""
    tasks, descriptors = asyncio.all_tasks(), open_descriptors()
    service = Service(chunked=chunked)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        listening.setblocking(False)
        service.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        accepting = asyncio.create_task(service.listen(listening))
        try:
            yield service
        finally:
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
            await service.stop()
    async with asyncio.timeout(60):
        while asyncio.all_tasks() - tasks or open_descriptors() > descriptors:  # noqa: ASYNC110 - closing takes a few steps
            await asyncio.sleep(0.001)


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
