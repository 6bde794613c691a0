"""The queue in front of the connection pool: first come, first served, unlike aiohttp's own queue."""

from __future__ import annotations

import asyncio
from collections import deque

from authing_mfa.errors import UsageError

__all__ = ["FairQueue", "closed_client"]


def closed_client() -> UsageError:
    """Return the error of a call to a closed client."""
    return UsageError("This AuthClient is closed. Make a new one, and close it when the last call is done.")


class FairQueue:
    """A first-come, first-served gate: at most *count* holders, the others wait in order."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._closed = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a slot if one is free. Then no caller waits, because a freed slot goes to a waiter first.

        Raises:
            UsageError: the gate is closed.
        """
        if self._closed:
            raise closed_client()
        if self._free > 0:
            self._free -= 1
            return True
        return False

    async def acquire(self) -> None:
        """Wait for a slot. A waiter that is cancelled gives its turn to the next.

        Raises:
            UsageError: the gate is closed.
        """
        if self.take():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.release()
            raise

    def release(self) -> None:
        """Give the slot back, to the first waiter if there is one."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def close(self) -> None:
        """Close the gate: all waiting and later callers get an error."""
        self._closed = True
        for turn in self._waiting:
            if not turn.done():
                turn.set_exception(closed_client())
        self._waiting.clear()
