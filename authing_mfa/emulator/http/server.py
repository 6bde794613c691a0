"""The listening server: a daemon thread with its own event loop, so that it does not disturb the loop of a test."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

from aiohttp import web

from authing_mfa.emulator.http.body import BODY_LIMIT

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["ServerThread"]

_STOP_SECONDS = 5.0
_BACKLOG = 4096
_GRACE_SECONDS = 0.02  # aiohttp also waits for idle connections, and 0 means for ever
_HEADER_SECONDS = 30.0  # from the connection to the end of the first request's headers
_IDLE_SECONDS = 75.0  # from an answer to the end of the next request's headers
_PAUSE_SECONDS = 0.25  # the pause when there is no descriptor left
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def _without_content(record: logging.LogRecord) -> bool:
    """Leave out what aiohttp quotes of a request that it cannot read: a token or a password may stand there."""
    error = record.exc_info[1] if record.exc_info else None
    if type(error).__module__.startswith("aiohttp."):
        record.msg, record.exc_info = f"{record.msg}: {type(error).__name__}", None
    return True


_log = logging.getLogger("authing_mfa.emulator.http")
_log.addFilter(_without_content)
_log.addHandler(logging.NullHandler())  # broken HTTP of a client is logged only if the program configures logging


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
        self._heard: WeakSet[asyncio.BaseTransport] = WeakSet()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.port: int = port

    def start(self) -> None:
        """Bind the port and serve. Returns when requests are answered.

        Raises:
            OSError: the port cannot be bound.
            RuntimeError: the server has been started already.
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
            # A selector loop on every system: only this loop can stop accepting without losing a connection.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._serve(listening))
        except Exception as error:  # noqa: BLE001 - raised in the caller that waits for the start
            self._failure = error
        finally:
            listening.close()
            self._ready.set()

    async def _serve(self, listening: socket.socket) -> None:
        loop = self.loop = asyncio.get_running_loop()
        stopping = self._stopping = asyncio.Event()
        loop.set_default_executor(ThreadPoolExecutor(1, "authing-emulator-picture"))  # one picture in memory at a time
        server = web.Server(
            self._handle,
            request_factory=_request,
            access_log=None,
            logger=_log,
            keepalive_timeout=_IDLE_SECONDS,
        )
        connecting: set[asyncio.Task[None]] = set()

        def accept() -> None:
            for accepted in _accepted(listening):
                if accepted is None:
                    loop.remove_reader(listening)
                    loop.call_later(_PAUSE_SECONDS, listen)
                    return
                task = loop.create_task(self._connect(server, accepted))
                connecting.add(task)
                task.add_done_callback(connecting.discard)

        def listen() -> None:
            if not stopping.is_set():
                loop.add_reader(listening, accept)

        listen()
        self._ready.set()
        await stopping.wait()
        # asyncio's own server leaves connections open that come in while it closes.
        loop.remove_reader(listening)
        listening.close()
        await _end(connecting)
        transports = [handler.transport for handler in server.connections]
        await server.shutdown(_GRACE_SECONDS)
        for transport in transports:
            if transport is not None:
                transport.abort()  # TLS would wait for the client's closing message
        self.loop = None

    async def _connect(self, server: web.Server, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.connect_accepted_socket(server, accepted, ssl=self._ssl_context)
        except (OSError, asyncio.CancelledError):  # the client has disconnected, or does not use TLS
            accepted.close()
            return
        # aiohttp itself waits for ever for the first request of a connection.
        loop.call_later(_HEADER_SECONDS, self._hang_up_if_silent, ref(transport))

    def _hang_up_if_silent(self, connection: ref[asyncio.Transport]) -> None:
        transport = connection()
        if transport is not None and transport not in self._heard:
            transport.abort()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is not None:
            self._heard.add(request.transport)
        return await self._handler(request)

    def stop(self) -> bool:
        """Close every connection and end the thread. Calling it again has no effect.

        Returns:
            True if it was serving.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return False
        if self.loop is not None and self._stopping is not None:
            self.loop.call_soon_threadsafe(self._stopping.set)
        thread.join(_STOP_SECONDS)
        return True


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=BODY_LIMIT)


def _accepted(listening: socket.socket) -> Iterator[socket.socket | None]:
    """Return the connections that wait to be accepted; None if the process has no descriptor or memory left for another one."""
    for _ in range(_BACKLOG):
        try:
            accepted, _address = listening.accept()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                yield None
            return  # no descriptor is left
        accepted.setblocking(False)  # noqa: FBT003 - the same
        yield accepted


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Wait until *tasks* end, and cancel them after a moment."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _bind(listening: socket.socket, host: str, port: int) -> None:
    try:
        listening.bind((host, port))
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: {host}:{port}") from None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listening, host, port)
        listening.listen(_BACKLOG)
        listening.setblocking(False)  # noqa: FBT003 - the socket's own method
    except OSError:
        listening.close()
        raise
    return listening
