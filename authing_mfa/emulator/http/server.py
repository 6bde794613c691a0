"""The listening server: a daemon thread with an event loop of its own, so that no test's loop is disturbed by it."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["ServerThread"]

_STOP_SECONDS = 5.0
_BACKLOG = 4096
_GRACE_SECONDS = 0.02  # aiohttp waits for idle connections too, and takes 0 for eternity


class ServerThread:
    """Serves *handler* on *host*:*port* from `start` to `stop`."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        host: str,
        port: int,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._failure: Exception | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.port = port

    def start(self) -> None:
        """Bind the port and serve. Returns when requests are answered.

        Raises:
            OSError: the port cannot be bound.
            RuntimeError: it serves already.
        """
        if self._thread is not None:
            raise RuntimeError("the emulator is started already")
        self._failure = None
        listening = _listen(self._host, self._port)
        self.port = listening.getsockname()[1]
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="authing-emulator", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def _run(self, listening: socket.socket) -> None:
        try:
            # A selector loop everywhere: only it can be told to stop accepting without losing a connection.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._serve(listening))
        except Exception as error:  # noqa: BLE001 - told to whoever waits for the start
            self._failure = error
        finally:
            listening.close()
            self._ready.set()

    async def _serve(self, listening: socket.socket) -> None:
        loop = self.loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = web.Server(self._handler, access_log=None)
        connecting: set[asyncio.Task[None]] = set()

        def accept() -> None:
            for accepted in _accepted(listening):
                task = loop.create_task(self._connect(server, accepted))
                connecting.add(task)
                task.add_done_callback(connecting.discard)

        loop.add_reader(listening, accept)
        self._ready.set()
        await self._stopping.wait()
        # asyncio's own server trips over connections that come in while it closes, and leaves them open.
        loop.remove_reader(listening)
        listening.close()
        await _end(connecting)
        transports = [handler.transport for handler in server.connections]
        await server.shutdown(_GRACE_SECONDS)
        for transport in transports:
            if transport is not None:
                transport.abort()  # TLS would wait for the client's farewell
        self.loop = None

    async def _connect(self, server: web.Server, accepted: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(server, accepted, ssl=self._ssl_context)
        except (OSError, asyncio.CancelledError):  # the client has gone, or speaks no TLS
            accepted.close()

    def stop(self) -> None:
        """Close every connection and end the thread. Stopping twice is fine."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self.loop is not None and self._stopping is not None:
            self.loop.call_soon_threadsafe(self._stopping.set)
        thread.join(_STOP_SECONDS)


def _accepted(listening: socket.socket) -> Iterator[socket.socket]:
    """The connections that wait to be accepted."""
    for _ in range(_BACKLOG):
        try:
            accepted, _address = listening.accept()
        except OSError:  # none is left, or the process has no descriptor left
            return
        accepted.setblocking(False)  # noqa: FBT003 - the same
        yield accepted


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Let *tasks* come to their end, or cancel them after a moment."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)  # noqa: FBT003 - the socket's own method
    except OSError:
        listening.close()
        raise
    return listening
