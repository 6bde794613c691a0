"""The one module of the client that knows aiohttp: `send` a request, get a whole response or a `NetworkError`.

It owns the connection pool (or borrows one), and keeps what aiohttp does not: a first-come, first-served queue for
connections, no cookies, no redirects, no silent replay, an upper bound on what is read, and for every failure whether the
request can have reached the service.
"""

from __future__ import annotations

import asyncio
import io
import os
import ssl
import urllib.request
import warnings
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from authing_mfa._transport.aiohttp_request import Attempts, TrackedRequest
from authing_mfa._transport.fair_queue import FairQueue, closed_client
from authing_mfa._version import __version__
from authing_mfa.errors import CallTimeoutError, NetworkError, ResponseError, UsageError
from authing_mfa.protocol import Response

if TYPE_CHECKING:
    from yarl import URL

    from authing_mfa._transport.aiohttp_request import Attempt
    from authing_mfa.errors import Delivery
    from authing_mfa.protocol import Request

__all__ = ["Transport"]

_LARGE_BODY: Final = 1 << 20  # aiohttp asks for larger bodies as a file

# asyncio receives into a new buffer of 256 KiB each time. glibc asks the system for one and gives it back, a tenth of a call's
# time, until a larger one has been freed once: then it keeps them. Elsewhere this is one allocation, and no more.
_LARGER_THAN_A_RECEIVE_BUFFER: Final = 1 << 19

# Provably not sent: the name was not found, nobody listened, TLS or the proxy said no.
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)


class _Connector(aiohttp.TCPConnector):
    """A pool whose loss the transport reports: aiohttp's own way closes sockets from wherever the garbage is collected."""

    def __del__(self, *_: object) -> None:
        pass


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
        self.max_connections = max_connections
        self._proxy = proxy
        self._trust_env = trust_env
        self._ssl_context = ssl_context
        self._borrowed = borrowed
        self._limit = limit
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        # The connection has its own; the whole call is timed here, `connect` being a part of it.
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout, ceil_threshold=60)
        self._attempts: Attempts
        self.slots = FairQueue(max_connections)

    def enter(self) -> None:
        """Check that a call may start here and now; the first one binds the pool to its event loop.

        Raises:
            UsageError: the client is closed, the borrowed session is, or this is another event loop.
        """
        loop = asyncio.get_running_loop()
        if self._session is not None and loop is self._loop and not self._closed:
            if self._borrowed is not None and self._borrowed.closed:
                raise UsageError("The aiohttp session that this AuthClient borrowed has been closed by its owner.")
            return
        if self._closed:
            raise closed_client()
        if self._loop is not None:
            raise UsageError("This AuthClient belongs to another event loop: use one AuthClient for each loop.")
        self._session = self._open()
        self._attempts = Attempts(loop)
        self._loop = loop

    def _open(self) -> aiohttp.ClientSession:
        """A session of our own, on a pool of our own or on the borrowed one: never the borrowed session's cookies."""
        own = self._borrowed is None
        bytes(_LARGER_THAN_A_RECEIVE_BUFFER)
        if self._borrowed is None:
            tls = self._ssl_context if self._ssl_context is not None else True
            connector: aiohttp.BaseConnector | None = _Connector(limit=0, ssl=tls)
        else:
            connector = self._borrowed.connector
            if connector is None or self._borrowed.closed:
                raise UsageError("The aiohttp session given to this AuthClient is closed.")
            # A pool's own queue is neither fair nor outside the time-out: let no more in than it has connections.
            limits = (self.max_connections, connector.limit, connector.limit_per_host)
            self.max_connections = min(limit for limit in limits if limit > 0)
            self.slots = FairQueue(self.max_connections)
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=own,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"authing-mfa-python/{__version__}"},
            request_class=TrackedRequest,
            trace_configs=None if self._borrowed is None else self._borrowed.trace_configs,
        )

    async def send(self, url: URL, request: Request, seconds: float) -> Response:
        """Send *request* to *url* and read the whole answer. The caller holds a slot.

        Args:
            url: the full address, path and query included.
            request: what to send.
            seconds: how long all of it may take, connecting and reading included.

        Raises:
            NetworkError: no whole answer; its `delivery` says whether the service may have acted.
            CallTimeoutError: the same, for want of time.
            ResponseError: the answer is over the size limit.
        """
        assert self._session is not None, "enter() comes first"
        body: Any = request.body
        if body is not None and len(body) > _LARGE_BODY:
            body = io.BytesIO(body)
        attempt = self._attempts.begin(seconds)
        try:
            reply = await self._session.request(
                request.method,
                url,
                data=body,
                headers=request.headers,
                allow_redirects=False,
                timeout=self._timeout,
                proxy=self._proxy_for(url),
                ssl=self._ssl_context if self._borrowed is not None and self._ssl_context is not None else True,
            )
            return Response(reply.status, reply.headers, await self._read(reply))
        except asyncio.CancelledError as error:
            if not attempt.only_late():
                raise
            raise _network_error(TimeoutError(), attempt, seconds) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _network_error(TimeoutError() if attempt.late else error, attempt, seconds) from error
        finally:
            self._attempts.end(attempt)

    def _proxy_for(self, url: URL) -> str | None:
        """The proxy for *url*: the one given, or with `trust_env` the environment's.

        It is looked up here because aiohttp's own way doubles the cost of each call and reads passwords from a netrc file.
        """
        if self._proxy is not None or not self._trust_env:
            return self._proxy
        host = url.host or ""
        if urllib.request.proxy_bypass(host):
            return None
        proxy = urllib.request.getproxies().get(url.scheme)
        return f"http://{proxy}" if proxy and "://" not in proxy else proxy

    async def _read(self, reply: aiohttp.ClientResponse) -> bytes:
        length = reply.content_length
        if length is not None and length <= self._limit and "Content-Encoding" not in reply.headers:
            content = reply.content
            if content.is_eof() and self._borrowed is None:
                # All of it came with the headers, and nobody traces the reading.
                return content.read_nowait()
            return await reply.read()
        body = bytearray()
        try:
            while len(body) <= self._limit:
                chunk = await reply.content.readany()
                if not chunk:
                    return bytes(body)
                body += chunk
        finally:
            reply.close()  # a connection that was read to its end has gone back to the pool by itself
        raise ResponseError(
            f"The answer is larger than {self._limit} bytes and was not read to its end.", http_status=reply.status
        )

    def stop(self) -> bool:
        """Let no new call in, and tell those that wait for a slot. Twice is fine.

        Returns:
            Whether there is anything left to close: not when the pool's event loop has ended, for its connections went with it.

        Raises:
            UsageError: this is not the pool's event loop, which still runs.
        """
        ended = self._loop is not None and self._loop.is_closed()
        if not ended and self._loop not in (None, asyncio.get_running_loop()):
            raise UsageError("This AuthClient belongs to another event loop: close it there.")
        self._closed = True
        if ended:
            self._forget()
            return False
        self.slots.close()
        return True

    async def aclose(self) -> None:
        """Close the pool (a borrowed one is left open). Twice is fine."""
        if self.stop() and self._session is not None:
            await self._session.close()
            self._attempts.close()

    def _forget(self) -> None:
        assert self._session is not None, "an opened client"
        self._session.detach()
        self._attempts.close()

    def __del__(self) -> None:
        if self._session is not None and not self._session.closed:
            self._forget()  # aiohttp would warn as well
            warnings.warn(
                "An AuthClient was not closed: use 'async with', or await its aclose().",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )


def _network_error(  # noqa: PLR0911 - one line for each kind of failure
    error: Exception, attempt: Attempt, seconds: float
) -> NetworkError:
    """What *error* of aiohttp means to a caller; the most specific first."""
    unsent = isinstance(error, _NOT_SENT) or (attempt.made and not attempt.sent)
    delivery: Delivery = "not_sent" if unsent else "unknown"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return CallTimeoutError("The service could not be reached in time.", delivery="not_sent")
    if isinstance(error, TimeoutError):
        doing = "the service could not be reached" if unsent else "the answer did not come"
        return CallTimeoutError(f"The call took longer than {seconds:g} s: {doing} in time.", delivery=delivery)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return NetworkError(
            "The service's name cannot be resolved. Check the host and your network.", delivery=delivery
        )
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError, ssl.CertificateError)):
        return NetworkError(f"No secure connection to the service: {_text(error)}", delivery=delivery)
    if isinstance(error, (aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError)):
        return NetworkError("The proxy did not connect to the service.", delivery=delivery)
    if isinstance(error, aiohttp.ClientResponseError):  # its own text quotes what came
        return NetworkError("What came back is not an HTTP answer.", delivery=delivery)
    if isinstance(error, ValueError):  # its own text may quote a proxy's address, password included
        return NetworkError("The address of the service or of the proxy is invalid.", delivery=delivery)
    if unsent:
        return NetworkError(f"The service cannot be reached: {_text(error)}", delivery=delivery)
    return NetworkError(f"The connection broke before the whole answer was read: {_text(error)}", delivery=delivery)


def _text(error: Exception) -> str:
    """What *error* says; of a connection that could not be made only where and why, not aiohttp's own details."""
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return f"{error.host}:{error.port}: {os.strerror(error.os_error.errno)}."
    return f"{str(error) or type(error).__name__}."
