"""One try of a call, as aiohttp makes it: how far it got, and when it must end.

aiohttp arms a timer for each call and, before Python 3.12, starts a task for each body. Both are a tenth of a call's cost.
Here one timer serves all calls of a pool, and a small body is written at once.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp.http import StreamWriter
from aiohttp.payload import BytesPayload

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


# What aiohttp does itself from Python 3.12 on. Its inside is known for this version; with another, its own way is taken.
_WRITES_AT_ONCE: Final = sys.version_info < (3, 12) and aiohttp.__version__.startswith("3.14.")
_SMALL: Final = 1 << 15  # half of what aiohttp writes without waiting for the socket


class TrackedRequest(aiohttp.ClientRequest):
    """Notes how far the attempt got, and refuses aiohttp's own replay of GET and DELETE on a dropped connection."""

    def update_host(self, url: URL) -> None:
        """The first thing that is done with every request: aiohttp is at work on it."""
        _by_task[asyncio.current_task()].made = True
        super().update_host(url)

    def send(self, conn: Any) -> Coroutine[Any, Any, aiohttp.ClientResponse]:  # pyright: ignore[reportIncompatibleMethodOverride]  # a coroutine all the same
        """Write the request."""
        attempt = _by_task[asyncio.current_task()]
        if attempt.sent:
            raise aiohttp.ClientError("the connection was dropped")
        attempt.sent = True
        if _WRITES_AT_ONCE and self._is_small(conn):
            return self._send_at_once(conn)
        return super().send(conn)

    def _is_small(self, conn: Any) -> bool:
        body = self._body
        return (
            isinstance(body, BytesPayload)
            and (body.size or _SMALL) < _SMALL
            and not (self.proxy or self._traces or self.chunked or self.compress or self._continue)
            and not (conn.protocol.writing_paused or conn._connector.force_close)  # noqa: SLF001 - aiohttp's own way looks there too
        )

    async def _send_at_once(self, conn: Any) -> aiohttp.ClientResponse:
        """Headers and body in one write, from the caller's own task."""
        writer = StreamWriter(conn.protocol, self.loop)
        await writer.write_headers(f"{self.method} {self.url.raw_path_qs} HTTP/1.1", self.headers)
        await self.write_bytes(writer, conn)
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
