"""Events for the page's server-sent events and for requests that wait for a message. Any thread may publish them."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Events"]

_BACKLOG = 1000  # a watcher that reads too slowly loses the oldest events


class Events:
    """The events of one namespace, handed to every watcher."""

    def __init__(self) -> None:
        self._watchers: dict[asyncio.Queue[tuple[str, Any]], asyncio.AbstractEventLoop] = {}

    def __bool__(self) -> bool:
        """Return True if anybody watches; otherwise no event need be made."""
        return bool(self._watchers)

    def publish(self, name: str, data: Any) -> None:
        """Hand the event *name* to every watcher."""
        for queue, loop in list(self._watchers.items()):
            try:
                loop.call_soon_threadsafe(_put, queue, (name, data))
            except RuntimeError:  # its loop has ended
                self._watchers.pop(queue, None)

    @contextmanager
    def watch(self) -> Iterator[asyncio.Queue[tuple[str, Any]]]:
        """Return a queue of the events from now on; call this on the loop that reads it."""
        queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(_BACKLOG)
        self._watchers[queue] = asyncio.get_running_loop()
        try:
            yield queue
        finally:
            self._watchers.pop(queue, None)


def _put(queue: asyncio.Queue[tuple[str, Any]], item: tuple[str, Any]) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(item)
