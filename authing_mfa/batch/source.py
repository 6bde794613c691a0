"""Where rows come from, one face for all: `pull` gives the next few. Nothing is pulled that was not asked for.

A sync iterable that may block (a file, a generator) is read in a thread of its own, always the same one; a list or tuple is
read where it is; an async iterable is awaited.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterable, Iterable
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

__all__ = ["Source", "open_source"]

_PATIENCE: Final = 0.005  # seconds that a chunk may take to fill before it is handed over as it is


class Source(Protocol):
    """Rows in order.

    Attributes:
        least: how many rows it is worth asking for at once, at least.
    """

    least: int

    async def pull(self, most: int) -> list[Any]:
        """The next rows, from 1 to *most*; none at the end. An error of the input comes out of here."""
        ...

    def close(self) -> None:
        """No more is asked for. A read that hangs is not waited for."""
        ...


def open_source(rows: Iterable[Any] | AsyncIterable[Any], chunk: int) -> Source:
    """The source for *rows*.

    Args:
        rows: what the caller gave.
        chunk: how many rows it is worth reading at once.

    Raises:
        InvalidInputError: it is not iterable.
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

    async def pull(self, most: int) -> list[Any]:  # noqa: ARG002 - one is all that is known to be there
        try:
            return [await anext(self._rows)]
        except StopAsyncIteration:
            return []

    def close(self) -> None:
        pass


class _Threaded:
    """A daemon thread does all the reading: what the iterable opens, it opens and uses there.

    It is a daemon so that a read that never ends (a terminal, a pipe) does not hold up the interpreter's exit.
    """

    def __init__(self, rows: Iterable[Any], chunk: int) -> None:
        self.least = chunk
        self._wanted: queue.SimpleQueue[tuple[int, Callable[[list[Any], BaseException | None], None]] | None]
        self._wanted = queue.SimpleQueue()
        self._thread = threading.Thread(target=_read, args=(rows, self._wanted), name="batch rows", daemon=True)
        self._started = False

    async def pull(self, most: int) -> list[Any]:
        if not self._started:
            self._started = True
            self._thread.start()
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[list[Any]] = loop.create_future()

        def settle(rows: list[Any], error: BaseException | None) -> None:
            if reply.done():
                return
            if error is None:
                reply.set_result(rows)
            else:
                reply.set_exception(error)

        def hand_over(rows: list[Any], error: BaseException | None) -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
                loop.call_soon_threadsafe(settle, rows, error)

        self._wanted.put((most, hand_over))
        return await reply

    def close(self) -> None:
        self._wanted.put(None)


def _read(rows: Iterable[Any], wanted: queue.SimpleQueue[Any]) -> None:
    """The thread: an error of the input is handed over after the rows before it."""
    iterator: Iterator[Any] | None = None
    error: BaseException | None = None
    clock = time.monotonic
    while (order := wanted.get()) is not None:
        most, hand_over = order
        chunk: list[Any] = []
        try:
            if iterator is None:
                iterator = iter(rows)
            until = clock() + _PATIENCE
            while error is None and len(chunk) < most:
                chunk.append(next(iterator))
                if clock() > until:
                    break
        except StopIteration:
            pass
        except BaseException as problem:  # noqa: BLE001 - whatever the caller's iterable raises is the caller's to see
            error = problem
        hand_over(chunk, None if chunk else error)
        del chunk, order, hand_over
