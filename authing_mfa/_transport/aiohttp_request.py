"""One try of a call, as aiohttp makes it: how far it got, and when it must end.

aiohttp arms a timer for each call, wraps each body, and before Python 3.12 starts a task for it: a sixth of a call's cost.
Here one timer serves all calls of a pool, and a small body is written as it is, at once.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp import hdrs
from aiohttp.http import StreamWriter
from aiohttp.payload import BytesPayload
from multidict import CIMultiDict

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from yarl import URL

__all__ = ["Attempt", "Attempts", "TrackedRequest"]


class Attempt:
    """One try: `made` once aiohttp is at work on it, `sent` once its first byte may be on the wire, `late` once its time is up."""

    __slots__ = ("_cancels", "deadline", "late", "made", "sent", "task")

    def __init__(self, task: asyncio.Task[Any], deadline: float) -> None:
        self.task = task
        self.deadline = deadline
        self.made = False
        self.sent = False
        self.late = False
        self._cancels = task.cancelling()

    def expire(self) -> None:
        """Interrupt the call, as `asyncio.timeout` does."""
        self.late = True
        self.task.cancel()

    def only_late(self) -> bool:
        """Whether a cancellation that arrived is the time-out's own, and not somebody else's as well."""
        return self.late and self.task.cancelling() - 1 <= self._cancels


# By task and not by context variable: tasks may share a context, and each has one try at a time.
_by_task: Final[dict[asyncio.Task[Any] | None, Attempt]] = {}


class Attempts:
    """The open tries of one pool. One timer is armed for the first deadline; calls that end in time never touch it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open: dict[asyncio.Task[Any], Attempt] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = float("inf")

    def begin(self, seconds: float) -> Attempt:
        """A try of the current task that is interrupted after *seconds*."""
        task = asyncio.current_task()
        assert task is not None, "a call is awaited by a task"
        deadline = self._loop.time() + seconds
        attempt = Attempt(task, deadline)
        _by_task[task] = self._open[task] = attempt
        if deadline < self._due:
            self._arm(deadline)
        return attempt

    def end(self, attempt: Attempt) -> None:
        """The try is over, however it went."""
        del _by_task[attempt.task], self._open[attempt.task]
        if attempt.late:
            attempt.task.uncancel()

    def _arm(self, deadline: float) -> None:
        self.close()
        self._due = deadline
        self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        now = max(self._due, self._loop.time())
        self._due = float("inf")
        for attempt in self._open.values():
            if attempt.deadline <= now and not attempt.late:
                attempt.expire()
        following = min((each.deadline for each in self._open.values() if not each.late), default=None)
        if following is not None:
            self._arm(following)

    def close(self) -> None:
        """Disarm the timer."""
        if self._timer is not None:
            self._timer.cancel()


# How aiohttp sends a request is its own business. It is known for this version; with any other, aiohttp's own way is taken.
_KNOWN: Final = aiohttp.__version__.startswith("3.14.")
_EAGER: Final = sys.version_info >= (3, 12)  # then aiohttp writes at once by itself
_SMALL: Final = 1 << 15  # half of what aiohttp writes without waiting for the socket


class SmallBody(BytesPayload):
    """The bytes of a body whose type stands in the request's headers already."""

    _encoding = None
    _filename = None
    _headers = CIMultiDict()

    def __init__(self, value: bytes) -> None:  # aiohttp's own way makes headers for it first
        self._value = value
        self._size = len(value)

    @property
    def value(self) -> bytes:
        """The bytes."""
        return self._value


class TrackedRequest(aiohttp.ClientRequest):
    """Notes how far the attempt got, and refuses aiohttp's own replay of GET and DELETE on a dropped connection."""

    def update_host(self, url: URL) -> None:
        """The first thing that is done with every request: aiohttp is at work on it."""
        _by_task[asyncio.current_task()].made = True
        super().update_host(url)

    def update_body_from_data(self, body: Any, _stacklevel: int = 3) -> None:
        """Take *body*; a small one of a known type as it is."""
        if _KNOWN and type(body) is bytes and 0 < len(body) < _SMALL and hdrs.CONTENT_TYPE in self.headers:
            self._body = SmallBody(body)
            self.headers[hdrs.CONTENT_LENGTH] = str(len(body))
        else:
            super().update_body_from_data(body, _stacklevel)

    def send(  # pyright: ignore[reportIncompatibleMethodOverride]  # it takes CoroutineType for another type than Coroutine
        self, conn: Any
    ) -> Coroutine[Any, Any, aiohttp.ClientResponse]:
        """Write the request."""
        attempt = _by_task[asyncio.current_task()]
        if attempt.sent:
            raise aiohttp.ClientError("the connection was dropped")
        attempt.sent = True
        body = self._body
        if isinstance(body, SmallBody) and not _EAGER and self._is_plain(conn):
            return self._send_at_once(conn, body)
        return super().send(conn)

    def _is_plain(self, conn: Any) -> bool:
        return not (
            self.proxy
            or self._traces
            or self.chunked
            or self.compress
            or self._continue
            or conn.protocol.writing_paused
            or conn._connector.force_close  # noqa: SLF001 - aiohttp's own way looks there too
        )

    async def _send_at_once(self, conn: Any, body: SmallBody) -> aiohttp.ClientResponse:
        """Headers and body in one write, from the caller's own task."""
        writer = StreamWriter(conn.protocol, self.loop)
        await writer.write_headers(f"{self.method} {self.url.raw_path_qs} HTTP/1.1", self.headers)
        await writer.write_eof(body.value)
        conn.protocol.start_timeout()
        response = self.response_class(
            self.method,
            self.original_url,
            writer=None,
            continue100=None,
            timer=self._timer,
            request_info=self.request_info,
            traces=self._traces,
            loop=self.loop,
            session=self._session,
            stream_writer=writer,
        )
        self.response = response  # type: ignore[assignment]  # aiohttp declares it by its first value, None
        return response
