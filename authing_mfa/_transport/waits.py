"""What calls wait for besides a connection and an answer: a picture that is prepared, the pause before a retry."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from authing_mfa._transport.fair_queue import closed_client

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Waits"]


class _Wait:
    """One wait of a task."""

    __slots__ = ("stopped", "task")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.stopped = False


class Waits:
    """The waits of one client. Closing the client ends them."""

    def __init__(self) -> None:
        self._open: set[_Wait] = set()

    @contextmanager
    def until_closed(self) -> Iterator[None]:
        """Let the current task wait in this block until the client is closed, at most.

        Raises:
            UsageError: the client was closed meanwhile.
        """
        task = asyncio.current_task()
        assert task is not None, "a call is awaited by a task"
        cancels, wait = task.cancelling(), _Wait(task)
        self._open.add(wait)
        try:
            yield
        except asyncio.CancelledError:
            if not wait.stopped or task.cancelling() - 1 > cancels:  # other code has cancelled it, too
                raise
            raise closed_client() from None
        finally:
            self._open.discard(wait)
            if wait.stopped:
                task.uncancel()

    def close(self) -> None:
        """End the waits that are open."""
        for wait in self._open:
            if not wait.stopped:
                wait.stopped = True
                wait.task.cancel()
