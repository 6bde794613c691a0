"""The connection pool of a client: `send` a request, get a whole response or a `NetworkError`.

It owns a pool of aiohttp (or borrows one), and adds what aiohttp lacks: a first-come, first-served queue for connections,
no cookies, no redirects, no silent repeat, no connection on which bytes wait, an upper bound on what is read, and for
every failure whether the request can have reached the service.

More than 300 lines, because the life of one pool (open, send, read, stop, forget) stands together.
"""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp

from authing_mfa._cancellation import note_delivery
from authing_mfa._transport.aiohttp_internals import (
    Body,
    LentPool,
    OwnPool,
    UnaskedBytesError,
    last_trace,
    loop_of,
    refuse_replay,
    watching_for_loss,
)
from authing_mfa._transport.deadlines import Deadlines
from authing_mfa._transport.environment_proxy import environment_proxy
from authing_mfa._transport.fair_queue import FairQueue, closed_client
from authing_mfa._transport.lent_traces import guarded_trace
from authing_mfa._transport.network_errors import network_error
from authing_mfa._transport.waits import Waits
from authing_mfa._version import __version__
from authing_mfa.errors import NetworkError, ResponseError, UsageError
from authing_mfa.protocol import Response

if TYPE_CHECKING:
    import ssl

    from yarl import URL

    from authing_mfa._transport.deadlines import Attempt
    from authing_mfa.protocol import Request

__all__ = ["Transport"]

# asyncio receives into a new buffer of 256 KiB each time. glibc gets each buffer from the system and returns it, which takes a
# tenth of a call's time, until a larger buffer has been freed once: then it keeps them. On other systems this is only one allocation.
_LARGER_THAN_A_RECEIVE_BUFFER: Final = 1 << 19

_HEADER_LIMIT: Final = 1 << 16
"""How long a line of an answer's header may be, in bytes: gateways add long cookies."""

_forks = 0  # how often this process was forked from another one


def _count_fork() -> None:
    global _forks  # noqa: PLW0603 - one number per process
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class Transport:
    """One connection pool, used by any number of users at once, on one event loop."""

    def __init__(
        self,
        *,
        connect_timeout: float,
        max_connections: int,
        proxy: str | None,
        trust_env: bool,
        ssl_context: ssl.SSLContext | None,
        borrowed: aiohttp.ClientSession | None,
        limit: int,
    ) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._connect_timeout = connect_timeout
        self.max_connections: int = max_connections
        self._proxy = proxy
        self._trust_env = trust_env
        self._ssl_context = ssl_context
        self._borrowed = borrowed
        self._limit = limit
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        # A connection has its own time-out; the whole call, including `connect`, is timed here.
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout, ceil_threshold=60)
        self._deadlines: Deadlines
        self._forks = _forks
        self.slots: FairQueue = FairQueue(max_connections)
        self.waits: Waits = Waits()

    @property
    def closed(self) -> bool:
        """True once the client was closed, or is being closed."""
        return self._closed

    def enter(self) -> None:
        """Check that a call may start now and on this event loop; the first call binds the pool to its loop.

        Raises:
            UsageError: the client is closed, the borrowed session is, or this is another process or another event loop than the
                client's or the borrowed session's.
        """
        loop = asyncio.get_running_loop()
        if self._session is not None and loop is self._loop and not self._closed and self._forks == _forks:
            if self._borrowed is not None and self._borrowed.closed:
                raise UsageError("The aiohttp session that this AuthClient borrowed has been closed by its owner.")
            return
        if self._closed:
            raise closed_client()
        if self._loop is None and self._borrowed is not None and self._forks != _forks:
            raise UsageError(
                "The aiohttp session given to this AuthClient belongs to the process that this one was forked from: make "
                "both in each process, after the fork."
            )
        if self._loop is not None and self._forks != _forks:
            raise UsageError(
                "This AuthClient was used before this process was forked, and its connections belong to the parent "
                "process: make an AuthClient in each process, after the fork."
            )
        if self._loop is not None:
            raise UsageError(
                "This AuthClient belongs to another event loop: use one AuthClient for each loop, or "
                "authing_mfa.sync.AuthClient, which works on any thread and without a loop."
            )
        self._session = self._open(loop)
        self._deadlines = Deadlines(loop)
        self._loop = loop
        self._forks = _forks

    def _open(self, loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
        """Return a session of our own, on a pool of our own or on the borrowed one: never the borrowed session's cookies."""
        own = self._borrowed is None
        bytes(_LARGER_THAN_A_RECEIVE_BUFFER)
        if self._borrowed is None:
            tls = self._ssl_context if self._ssl_context is not None else True
            pool: Any = OwnPool(limit=0, ssl=tls)
        else:
            connector = self._borrowed.connector
            if connector is None or self._borrowed.closed:
                raise UsageError("The aiohttp session given to this AuthClient is closed.")
            if loop_of(connector) not in (None, loop):  # the request would be sent, and its answer would never be read
                raise UsageError(
                    "The aiohttp session given to this AuthClient belongs to another event loop: make it on the loop on "
                    "which the client is used."
                )
            # A pool's own queue is neither fair nor outside the time-out: let no more in than it has connections.
            limits = (self.max_connections, connector.limit, connector.limit_per_host)
            self.max_connections = min(limit for limit in limits if limit > 0)
            self.slots = FairQueue(self.max_connections)
            pool = LentPool(connector, self.max_connections)
        traces = [] if self._borrowed is None else [guarded_trace(lent) for lent in self._borrowed.trace_configs]
        return aiohttp.ClientSession(
            connector=cast("aiohttp.BaseConnector", pool),
            connector_owner=own,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"authing-mfa-python/{__version__}"},
            max_line_size=_HEADER_LIMIT,
            max_field_size=_HEADER_LIMIT,
            trace_configs=[*traces, last_trace()] if traces else None,
        )

    async def send(self, url: URL, request: Request, seconds: float) -> Response:
        """Send *request* to *url* and read the whole answer. The caller holds a slot.

        Args:
            url: the full address, path and query included.
            request: the request.
            seconds: how long the try may take, connecting and reading included.

        Raises:
            NetworkError: no whole answer; its `delivery` says whether the service may have acted.
            CallTimeoutError: the same, because the time is over.
            ResponseError: the answer is over the size limit.
        """
        proxy = self._proxy_for(url)
        attempt = self._deadlines.begin(seconds)
        failure: NetworkError
        try:
            response = await self._exchange(url, request, attempt, proxy)
        except asyncio.CancelledError as cancelled:
            if not attempt.cancelled_by_us():
                note_delivery(cancelled, attempt.delivery)
                raise
            failure = network_error(TimeoutError(), attempt, seconds)
        except UsageError:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = network_error(TimeoutError() if attempt.timed_out else error, attempt, seconds)
        except Exception as error:
            if not attempt.closing:  # aiohttp's session raises other errors when it is closed under a call
                raise
            failure = network_error(error, attempt, seconds)
        else:
            if isinstance(response, ResponseError):
                raise response
            return response
        finally:
            self._deadlines.end(attempt)
            attempt.abort_closing()
        raise failure  # outside the except clauses: aiohttp's error quotes the answer, and must not be the context of ours

    async def _exchange(
        self, url: URL, request: Request, attempt: Attempt, proxy: str | None
    ) -> Response | ResponseError:
        """Return the whole answer, or the error to raise if it is over the limit.

        Where the connection is found unfit before the request is written, it is sent on another one.
        """
        assert self._session is not None, "enter() comes first"
        body = request.body
        for _ in range(self.max_connections + 3):
            if self._closed:
                raise closed_client()
            try:
                reply = await self._session.request(
                    request.method,
                    url,
                    data=None if body is None else Body(body, request.headers["Content-Type"], attempt),
                    headers=request.headers,
                    allow_redirects=False,
                    timeout=self._timeout,
                    proxy=proxy,
                    ssl=self._ssl_context if self._borrowed is not None and self._ssl_context is not None else True,
                    middlewares=() if request.method == "POST" else (refuse_replay,),  # aiohttp repeats no POST
                )
            except aiohttp.ClientError:
                if not attempt.stale:
                    raise
            else:
                if not attempt.unwritten():
                    return self._at_once(reply) or await self._read(reply)
                reply.close()
            attempt.start_over()
        raise UnaskedBytesError

    def _proxy_for(self, url: URL) -> str | None:
        """Return the proxy for *url*: the one given, or with `trust_env` the environment's.

        The proxy is looked up here because aiohttp's own way doubles the cost of each call and reads a netrc file.
        """
        if self._proxy is not None or not self._trust_env:
            return self._proxy
        return environment_proxy(url)

    def _is_small_and_plain(self, reply: aiohttp.ClientResponse) -> bool:
        length = reply.content_length
        if length is None or length > self._limit or "Content-Encoding" in reply.headers:
            return False
        return reply.status != 101  # aiohttp does not end the connection of a 101 by itself

    def _at_once(self, reply: aiohttp.ClientResponse) -> Response | None:
        """Return the answer if its whole body came with its head, and no trace callback wants the reading."""
        if reply.content.is_eof() and self._borrowed is None and self._is_small_and_plain(reply):
            return Response(reply.status, reply.headers, reply.content.read_nowait())
        return None

    async def _read(self, reply: aiohttp.ClientResponse) -> Response | ResponseError:
        """Read the answer to its end; return it, or the error to raise if it is over the limit."""
        with watching_for_loss(reply):
            if self._is_small_and_plain(reply):
                return Response(reply.status, reply.headers, await reply.read())
            body = bytearray()
            try:
                while len(body) <= self._limit:
                    chunk = await reply.content.readany()
                    if not chunk:
                        return Response(reply.status, reply.headers, bytes(body))
                    body += chunk
            finally:
                reply.close()  # a connection that was read to its end has returned to the pool by itself
        text = f"The answer is larger than {self._limit} bytes and was not read to its end."
        return ResponseError(text, http_status=reply.status)

    def stop(self) -> bool:
        """Refuse new calls, and end what calls wait for besides an answer. Calling it again has no effect.

        Returns:
            True if there is something left to close. There is not when the pool's event loop has ended, for its connections
            ended with it, or when they belong to the parent process.

        Raises:
            UsageError: this is not the pool's event loop, which still runs.
        """
        if self._session is not None and self._forks != _forks:
            self._closed = True
            self._session.detach()
            return False
        ended = self._loop is not None and self._loop.is_closed()
        if not ended and self._loop not in (None, asyncio.get_running_loop()):
            raise UsageError("This AuthClient belongs to another event loop: close it there.")
        self._closed = True
        if ended:
            self._forget()
            return False
        self.slots.close()
        self.waits.close()
        return True

    async def aclose(self) -> None:
        """Interrupt the calls that run, and close the pool (a borrowed one is left open). Calling it again has no effect."""
        if self.stop() and self._session is not None:
            await self._deadlines.begin_closing()
            self._deadlines.stop()
            await self._session.close()
            self._deadlines.close()

    def _forget(self) -> None:
        assert self._session is not None, "an opened client"
        self._session.detach()
        self._deadlines.close()

    def __del__(self, _finalizing: Any = sys.is_finalizing, _warn: Any = warnings.warn) -> None:
        session = getattr(self, "_session", None)
        if session is None or session.closed:
            return
        pool, loop = session.connector, self._loop
        session.detach()  # aiohttp would warn as well
        if _finalizing() or self._forks != _forks:
            return
        self._deadlines.close()
        if self._borrowed is None and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(_close_soon, pool)
        _warn(
            "An AuthClient was not closed: use 'async with', or await its aclose().",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )


_closing: Final[set[asyncio.Task[None]]] = set()  # a task without a reference may be collected before it ends


def _close_soon(pool: aiohttp.BaseConnector) -> None:
    """Close the pool of a client that was not closed, on its own event loop."""

    async def close() -> None:
        await pool.close()

    task = asyncio.get_running_loop().create_task(close())
    _closing.add(task)
    task.add_done_callback(_closing.discard)
