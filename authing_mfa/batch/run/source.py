"""The source of rows, the same for all kinds of input: `pull` returns the next rows. Nothing is pulled before it is asked for.

A sync iterable that may block (a file, a generator) is read in a separate thread; a list or tuple is read on the event loop;
an async iterable is awaited.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import AsyncIterable, Iterable
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["Source", "open_source"]

_GRACE: Final = 0.001  # seconds that a chunk may take to fill


class Source(Protocol):
    """Rows in order.

    Attributes:
        least: the smallest number of rows that one `pull` should ask for.
    """

    least: int

    async def pull(self, most: int) -> list[Any]:
        """Return the next rows, from 1 to *most*; none at the end. An error of the input is raised here."""
        ...

    def close(self) -> None:
        """End the source. A read that hangs is not waited for."""
        ...


def open_source(rows: Iterable[Any] | AsyncIterable[Any], chunk: int) -> Source:
    """Return the source for *rows*.

    Args:
        rows: the caller's iterable.
        chunk: how many rows to read at once.

    Raises:
        InvalidInputError: *rows* is not iterable.
    """
    if isinstance(rows, AsyncIterable):
        return _Awaited(aiter(rows))
    if not isinstance(rows, Iterable) or isinstance(rows, (str, bytes, dict)):
        raise InvalidInputError(f"requests must be an iterable of VerifyRequest, not {type(rows).__name__}.")
    if isinstance(rows, (list, tuple)):
        return _InMemory(iter(rows), chunk)
    return _Threaded(rows, chunk)


class _InMemory:
    def __init__(self, rows: Iterator[Any], chunk: int) -> None:
        self.least = chunk
        self._rows = rows

    async def pull(self, most: int) -> list[Any]:
        return list(islice(self._rows, most))

    def close(self) -> None:
        self._rows = iter(())


class _Awaited:
    least = 1

    def __init__(self, rows: AsyncIterator[Any]) -> None:
        self._rows = rows

    async def pull(self, most: int) -> list[Any]:  # noqa: ARG002 - only one row is known to exist
        try:
            return [await anext(self._rows)]
        except StopAsyncIteration:
            return []

    def close(self) -> None:
        pass


class _Threaded:
    """A daemon thread does all the reading, so that the iterable opens and uses its resources on one thread.

    It is a daemon so that a read that never ends (a terminal, a pipe) does not hold up the interpreter's exit. Rows that
    it has read are available at once, also while it waits for the next row.
    """

    def __init__(self, rows: Iterable[Any], chunk: int) -> None:
        self.least = chunk
        self._read: deque[Any] = deque()
        self._wanted: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._enough = 1  # rows that the waiting caller wants
        self._asked = 0  # rows that were asked for and not given yet
        self._waiting: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._read_all, args=(rows,), name="batch rows", daemon=True)

    async def pull(self, most: int) -> list[Any]:
        """Return the next rows."""
        read = self._read
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread.start()
        if most > self._asked:
            self._wanted.put(most - self._asked)
            self._asked = most
        if not read:
            await self._until(1, None)
        if len(read) < min(self.least, most):
            await self._until(min(self.least, most), _GRACE)  # a slow reader is not waited for
        rows: list[Any] = []
        while read and len(rows) < most and not isinstance(read[0], _End):
            rows.append(read.popleft())
        self._asked -= len(rows)
        if not rows and (error := read[0].error) is not None:
            raise error
        return rows

    async def _until(self, enough: int, seconds: float | None) -> None:
        """Wait until *enough* rows are read, or the input has ended, or *seconds* are over."""
        assert self._loop is not None
        read = self._read
        self._enough = enough
        waiting = self._waiting = self._loop.create_future()
        try:
            if len(read) >= enough or (read and isinstance(read[-1], _End)):
                return  # the row came before the reader could see the waiting caller
            alarm = None if seconds is None else self._loop.call_later(seconds, _wake, waiting)
            await waiting
            if alarm is not None:
                alarm.cancel()
        finally:
            self._waiting = None

    def close(self) -> None:
        """End the thread after its current row."""
        self._wanted.put(None)

    def _read_all(self, rows: Iterable[Any]) -> None:
        """Read rows, on the thread."""
        wanted, read = self._wanted, self._read
        end = _End(None)
        allowed = 0
        try:
            iterator = iter(rows)
            while True:
                while not allowed or not wanted.empty():
                    more = wanted.get()
                    if more is None:
                        return
                    allowed += more
                read.append(next(iterator))
                allowed -= 1
                if self._waiting is not None and len(read) >= self._enough:
                    self._tell()
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001 - any error of the caller's iterable is for the caller
            end = _End(error)
        read.append(end)
        self._tell()

    def _tell(self) -> None:
        loop, waiting = self._loop, self._waiting
        if loop is not None and waiting is not None:
            self._waiting = None
            with suppress(RuntimeError):  # the loop was closed meanwhile: no caller waits any more
                loop.call_soon_threadsafe(_wake, waiting)


class _End:
    """The input's error after the last row, or None."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
