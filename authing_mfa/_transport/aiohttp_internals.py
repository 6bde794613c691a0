"""All uses of aiohttp beyond its documented interface.

aiohttp reuses a connection without checking what has arrived on it meanwhile (aiohttp issue 13656). An unrequested
answer would then count as the answer to the next call, of another user; and a request would be written to a connection
that the server has closed. So a pool is wrapped here: a request is sent only on a connection on which nothing waits to
be read, neither in aiohttp's parser nor in the socket.

The hooks are `BaseConnector.connect` and `Payload.write_with_length`. If a version of aiohttp lacks one of them, the
import fails; if a version does not call one of them, no call is ever reported as not sent because of it.

More than 300 lines, so that all of it stands in one file.
"""

from __future__ import annotations

import asyncio
import select
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.base_protocol import BaseProtocol
from aiohttp.client_proto import ResponseHandler

from authing_mfa._transport.deadlines import Phase, current_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiohttp.connector import Connection

    from authing_mfa._transport.deadlines import Attempt

__all__ = [
    "Body",
    "LentPool",
    "OwnPool",
    "UnaskedBytesError",
    "last_trace",
    "loop_of",
    "refuse_replay",
    "watching_for_loss",
]

_HOOKS: Final = (
    (aiohttp.BaseConnector, "connect"),
    (aiohttp.Payload, "write_with_length"),
    (ResponseHandler, "should_close"),
    (ResponseHandler, "closed"),
    (BaseProtocol, "_parser"),
    (AbstractStreamWriter, "output_size"),
)


def check_hooks() -> None:
    """Check that this version of aiohttp has all names that are overridden or read here.

    Raises:
        ImportError: a name is missing.
    """
    for owner, name in _HOOKS:
        if not hasattr(owner, name):
            raise ImportError(
                f"authing_mfa does not work with aiohttp {aiohttp.__version__}: it has no {owner.__name__}.{name}. "
                "Install aiohttp>=3.14.2,<4."
            )


check_hooks()

# Before Python 3.12 aiohttp writes a body in a task that runs a turn of the loop later: the look is repeated there.
_WRITES_LATER: Final = sys.version_info < (3, 12)

_TURNS: Final = 3  # turns of the loop in which TLS may read its own messages (session tickets)
_MOST_UNFIT: Final = 3  # new connections in a row on which bytes wait: the peer is no HTTP server
_TLS_END: Final = 1.0  # seconds that a closed connection waits for the peer's end of TLS; asyncio's default is 30
_CHUNK: Final = 1 << 16  # bytes of a large body that are written at once


class UnaskedBytesError(aiohttp.ClientError):
    """The server sends bytes before it is asked anything, on each new connection; nothing was sent."""


def loop_of(pool: aiohttp.BaseConnector) -> asyncio.AbstractEventLoop | None:
    """Return the event loop on which *pool* makes its connections; None if this version of aiohttp does not say it."""
    return getattr(pool, "_loop", None)


class _ReplayRefusedError(aiohttp.ClientError):
    """aiohttp tried to send a request again, which must not happen."""


async def refuse_replay(request: aiohttp.ClientRequest, handler: Any) -> aiohttp.ClientResponse:
    """Refuse aiohttp's own repeat of GET and DELETE, before it connects: a client middleware of the session."""
    attempt = current_attempt()
    if attempt is not None:
        if attempt.begun:
            raise _ReplayRefusedError
        attempt.begun = True
    response: aiohttp.ClientResponse = await handler(request)
    return response


# ─────────────────────────────── the look ───────────────────────────────


def _look_at(descriptor: int) -> Callable[[], object]:
    """Return a function that returns true if bytes, or an end, wait in the socket with *descriptor*."""
    if not hasattr(select, "poll"):  # Windows
        return lambda: select.select([descriptor], (), (), 0)[0]
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return partial(poll.poll, 0)


def _holds_a_part(protocol: ResponseHandler) -> bool:
    """Return True if aiohttp's parser holds the beginning of an answer.

    aiohttp has no other way to ask: the end of the connection makes its parser return what it holds. A parser that holds
    nothing stays as it is; otherwise the connection is marked, because its parser has come to an end.
    """
    parser = protocol._parser  # noqa: SLF001 - one of the hooks
    if parser is None:  # no request was sent yet
        return False
    try:
        held = parser.feed_eof() is not None
    except Exception:  # noqa: BLE001 - the beginning is malformed
        held = True
    if held:
        protocol.force_close()
    return held


async def _was_read_by_tls(connection: Connection, something_waits: Callable[[], object]) -> bool:
    """Return True if only messages of TLS wait (session tickets): the loop reads them. An answer or an end stays."""
    for _ in range(_TURNS):
        transport, protocol = connection.transport, connection.protocol
        if transport is None or protocol is None or transport.get_extra_info("ssl_object") is None:
            return False
        await asyncio.sleep(0)
        if protocol.should_close or transport.is_closing() or _holds_a_part(protocol):
            return False
        if not something_waits():
            return True
    return False


async def _look_again(attempt: Attempt) -> None:
    """Check the connection once more, directly before the request is written; raise ConnectionAbortedError if it is unfit."""
    connection = attempt.connection
    if connection is None:  # our hook in the pool was not called
        return
    protocol = connection.protocol
    attempt.looking = True
    if (
        protocol is None
        or protocol.should_close
        or not protocol.is_connected()
        or _holds_a_part(protocol)
        or (attempt.something_waits() and not await _was_read_by_tls(connection, attempt.something_waits))
    ):
        attempt.stale = True
        raise ConnectionAbortedError
    attempt.looking = False


# The try whose body is written, in the task that aiohttp makes for the writing, and its writer.
_writing: Final[ContextVar[tuple[Attempt, AbstractStreamWriter] | None]] = ContextVar("_writing", default=None)


def last_trace() -> aiohttp.TraceConfig:
    """Return a trace for the end of a lent session's list: those before it may wait, and meanwhile an answer may come.

    aiohttp writes a request without a body after the callbacks for its headers, and one with a body after those for its first chunk.
    """

    async def look(*_: object) -> None:
        attempt = current_attempt()
        assert attempt is not None, "the session is the transport's own"
        await _look_again(attempt)
        attempt.looking = attempt.has_body

    async def look_at_first_chunk(*_: object) -> None:
        attempt, writer = _writing.get() or (None, None)
        if attempt is None or writer is None or writer.output_size:
            return
        if attempt.writer is not writer:  # the call has begun again on another connection
            raise ConnectionAbortedError
        await _look_again(attempt)

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(look)
    trace.on_request_chunk_sent.append(look_at_first_chunk)
    return trace


# ─────────────────────────────── pools ───────────────────────────────


class _Inspector:
    """Checks the connections of a pool, and notes the phase of the try.

    Args:
        most_unfit: after this number of unfit connections that this inspector has not seen before it gives up.
    """

    def __init__(self, most_unfit: int) -> None:
        self._most_unfit = most_unfit
        self._looks: WeakKeyDictionary[ResponseHandler, Callable[[], object]] = WeakKeyDictionary()

    def accept(self, connection: Connection, attempt: Attempt) -> bool:
        """Return True if nothing waits to be read on *connection*: one check of the parser and one of the socket."""
        protocol = connection.protocol
        assert protocol is not None, "a connection that was just handed out"
        something_waits = self._looks.get(protocol)
        if something_waits is None or protocol.should_close or something_waits() or _holds_a_part(protocol):
            return False
        attempt.connection, attempt.something_waits, attempt.phase = connection, something_waits, Phase.CONNECTED
        attempt.transport = protocol.transport
        return True

    async def examine(self, connection: Connection, attempt: Attempt) -> bool:
        """Return True if *connection*, which is new or was not accepted, is fit after all; else close it.

        Raises:
            UnaskedBytesError: bytes wait on each new connection.
        """
        protocol, transport = connection.protocol, connection.transport
        assert protocol is not None, "a connection that was just handed out"
        known = protocol in self._looks
        socket = None if transport is None else transport.get_extra_info("socket")
        if socket is not None and socket.fileno() >= 0 and not protocol.should_close and not _holds_a_part(protocol):
            something_waits = self._looks[protocol] = _look_at(socket.fileno())
            try:
                fit = not something_waits() or await _was_read_by_tls(connection, something_waits)
            except asyncio.CancelledError:
                _drop(connection)
                raise
            if fit:
                attempt.connection, attempt.something_waits = connection, something_waits
                attempt.phase, attempt.transport = Phase.CONNECTED, transport
                return True
        _drop(connection)
        if not known:
            attempt.unfit += 1
            if attempt.unfit >= self._most_unfit:
                raise UnaskedBytesError
        return False


def _drop(connection: Connection) -> None:
    """Close *connection* without waiting for the peer's end of TLS."""
    transport = connection.transport
    connection.close()
    if transport is not None:
        transport.abort()


class OwnPool(aiohttp.TCPConnector):
    """A pool of our own. `AuthClient` reports if it is not closed; aiohttp's own way closes sockets on any thread."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._inspector = _Inspector(_MOST_UNFIT)
        self._ssl_shutdown_timeout = _TLS_END  # the parameter of this name is deprecated

    async def close(self, *, abort_ssl: bool = True) -> None:
        """Close all connections, those over TLS without waiting for their peers."""
        await super().close(abort_ssl=abort_ssl)

    async def connect(self, *args: Any, **options: Any) -> Connection:
        """Return a connection on which nothing waits to be read."""
        attempt = current_attempt()
        assert attempt is not None, "only the transport uses this pool"
        attempt.phase = Phase.CONNECTING
        while True:
            connection = await super().connect(*args, **options)
            if self._inspector.accept(connection, attempt) or await self._inspector.examine(connection, attempt):
                return connection

    def __del__(self, *_: object) -> None:
        pass


class LentPool:
    """Another session's pool, from which only fit connections are used; otherwise it behaves like that pool."""

    def __init__(self, pool: aiohttp.BaseConnector, most_unfit: int) -> None:
        self._pool = pool
        # The owner's connections are new to us as well, so any number of them may be unfit.
        self._inspector = _Inspector(most_unfit + _MOST_UNFIT)

    async def connect(self, *args: Any, **options: Any) -> Connection:
        """Return a connection on which nothing waits to be read."""
        attempt = current_attempt()
        assert attempt is not None, "only the transport uses this pool"
        attempt.phase = Phase.CONNECTING
        while True:
            connection = await self._pool.connect(*args, **options)
            if self._inspector.accept(connection, attempt) or await self._inspector.examine(connection, attempt):
                return connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


# ─────────────────────────────── bodies ───────────────────────────────


class Body(aiohttp.Payload):
    """The bytes of a request. They are written only while nothing waits to be read on the connection."""

    def __init__(self, value: bytes, content_type: str, attempt: Attempt) -> None:
        super().__init__(value, content_type=content_type)
        self._bytes = value
        self._attempt = attempt
        attempt.has_body = True

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self._bytes)

    @property
    def autoclose(self) -> bool:
        """True: there is nothing to close."""
        return True

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the bytes as text."""
        return self._bytes.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the bytes; see `write_with_length`."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:  # noqa: ARG002 - always all of them
        """Write the bytes, if nothing waits to be read on the connection.

        Raises:
            ConnectionAbortedError: something waits; nothing was written.
        """
        if self._attempt.looking:  # a lent session has traces: the last one looks before the first byte is written
            self._attempt.writer = writer
            _writing.set((self._attempt, writer))
        elif _WRITES_LATER:
            await _look_again(self._attempt)
        data = self._bytes
        if len(data) <= _CHUNK:
            await writer.write(data)
            return
        transport = self._attempt.transport
        try:
            for start in range(0, len(data), _CHUNK):
                await writer.write(data[start : start + _CHUNK])
        except BaseException:  # the answer came before the end of the body, or the call has failed
            if transport is not None:
                transport.abort()
            raise


# ─────────────────────────────── answers ───────────────────────────────


@contextmanager
def watching_for_loss(reply: aiohttp.ClientResponse) -> Iterator[None]:
    """Make reading *reply* fail when its connection ends, also where aiohttp leaves the reader waiting.

    After a malformed chunk aiohttp closes the connection; it does not wake a reader that waits for this chunk.
    """
    connection = reply.connection
    protocol = None if connection is None else connection.protocol
    lost = None if protocol is None else protocol.closed
    content = reply.content

    def tell(_: object) -> None:
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the connection was lost within the answer"))

    if lost is None:  # the answer is whole, or the connection was lost while a trace callback waited
        tell(lost)
        yield
        return
    lost.add_done_callback(tell)
    try:
        yield
    finally:  # the connection may live on for many calls
        lost.remove_done_callback(tell)
        lost.remove_done_callback(_retrieve)
        lost.add_done_callback(_retrieve)


def _retrieve(lost: asyncio.Future[None]) -> None:
    """Take the exception of a connection that is reset between two calls, or asyncio logs it as an error."""
    if not lost.cancelled():
        lost.exception()
