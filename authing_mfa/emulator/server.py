"""The listening server: a daemon thread with an event loop of its own, so that no test's loop is disturbed by it."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

__all__ = ["ServerThread"]

_STOP_SECONDS = 5.0
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
            with asyncio.Runner() as runner:
                runner.run(self._serve(listening))
        except Exception as error:  # noqa: BLE001 - told to whoever waits for the start
            self._failure = error
        finally:
            listening.close()
            self._ready.set()

    async def _serve(self, listening: socket.socket) -> None:
        self.loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = web.Server(self._handler, access_log=None)
        listener = await self.loop.create_server(server, sock=listening, ssl=self._ssl_context, backlog=4096)
        self._ready.set()
        await self._stopping.wait()
        with suppress(NotImplementedError):  # only where the loop has no readers, on Windows
            # asyncio's own close trips over connections that are accepted while it closes.
            self.loop.remove_reader(listening)
        await _settle()
        listener.close()
        connected = list(server.connections)
        await server.shutdown(_GRACE_SECONDS)
        for handler in (*connected, *server.connections):
            if handler.transport is not None:
                handler.transport.abort()
        await _settle()
        self.loop = None

    def stop(self) -> None:
        """Close every connection and end the thread. Stopping twice is fine."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self.loop is not None and self._stopping is not None:
            self.loop.call_soon_threadsafe(self._stopping.set)
        thread.join(_STOP_SECONDS)


async def _settle() -> None:
    """Let what is scheduled happen: connections just accepted get their handler, connections just closed are taken down."""
    for _ in range(5):
        await asyncio.sleep(0)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening
