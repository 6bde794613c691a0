"""One try of a call: its phase, and its deadline. One timer serves all tries of a pool.

aiohttp arms a timer for each call; here calls that end in time never touch a timer.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp
    from aiohttp.abc import AbstractStreamWriter

    from authing_mfa.errors import Delivery

__all__ = ["Attempt", "Deadlines", "Phase", "current_attempt"]

_LAST_LOOKS: Final = 4
"""Turns of the event loop between the deadline and the interruption: an answer that has arrived is read in them."""


class Phase(Enum):
    """The phase of a try. Only our hooks show what aiohttp has done."""

    BEGUN = 1  # handed to aiohttp; it is not known what aiohttp did with it
    CONNECTING = 2  # our hook in the pool runs: no byte of the request has left
    CONNECTED = 3  # aiohttp has a connection: from now on a byte may have left


class Attempt:
    """One try of a call.

    Attributes:
        task: the task that makes the call.
        deadline: when the try must end, by the loop's clock.
        phase: the phase it has reached.
        begun: True once aiohttp has begun with it; a second beginning is an unwanted repeat of aiohttp.
        looking: True while the connection is checked, or callbacks run, before the body is written. An answer that
            comes meanwhile belongs to another call.
        has_body: True if the request has a body.
        writer: writes the body; its `output_size` is 0 until the first byte is written.
        stale: True if that check found the connection unfit; nothing was written.
        timed_out: True once its time is up.
        closing: True once the client is being closed.
        stopped: True once it was interrupted because of that.
        connection: the connection that it uses.
        transport: the transport of that connection, which aiohttp forgets when it closes the connection.
        something_waits: true if bytes, or an end, wait in that connection's socket.
        unfit: how many new connections were dropped, because bytes waited on them.
    """

    # Defaults are class attributes, so that beginning a try, which every call does, sets fewer attributes.
    phase = Phase.BEGUN
    begun = False
    looking = False
    has_body = False
    stale = False
    expiring = False
    timed_out = False
    closing = False
    stopped = False
    ended = False
    unfit = 0
    connection: aiohttp.connector.Connection | None = None
    transport: asyncio.Transport | None = None
    writer: AbstractStreamWriter | None = None
    something_waits: Callable[[], object]

    def __init__(self, task: asyncio.Task[Any], deadline: float) -> None:
        self.task = task
        self.deadline = deadline
        self.outer = _by_task.get(task)  # a trace callback of a lent session may make a call within a call
        self._cancels = task.cancelling()

    def start_over(self) -> None:
        """Begin again on another connection: nothing was written on the one before."""
        self.abort_closing()
        self.phase = Phase.BEGUN
        self.begun = self.looking = self.stale = False
        self.connection = self.writer = None

    def unwritten(self) -> bool:
        """Return True if it is known that nothing of the request was written: an answer that has come belongs to another one."""
        return self.stale or (self.looking and (self.writer is None or self.writer.output_size == 0))

    @property
    def delivery(self) -> Delivery:
        """Whether the service may have acted, if the call ends now."""
        return "not_sent" if self.phase is Phase.CONNECTING else "unknown"

    def interrupt(self) -> None:
        """Interrupt the call, as `asyncio.timeout` does."""
        self.timed_out = True
        self.task.cancel()

    def stop(self) -> None:
        """Interrupt the call, because the client is being closed."""
        if not self.timed_out and not self.stopped:
            self.stopped = True
            self.task.cancel()

    def cancelled(self) -> bool:
        """Return True if the task was cancelled since the try began, by the package or by other code."""
        return self.task.cancelling() > self._cancels

    def cancelled_by_us(self) -> bool:
        """Return True if a cancellation came only from the deadline or from the client's end, and not from other code as well.

        When a pool closes while a name is resolved, aiohttp raises CancelledError although nobody cancelled the task.
        """
        ours = self.timed_out or self.stopped
        return (ours or self.closing) and self.task.cancelling() - ours <= self._cancels

    def abort_closing(self) -> None:
        """Abort the connection if aiohttp has closed it.

        asyncio would first write what waits to be written, and over TLS wait half a minute for the peer's last message: the
        socket would stay open where the peer does not read or does not answer.
        """
        if self.transport is not None and self.transport.is_closing():
            self.transport.abort()


# By task and not by context variable: tasks may share a context, and each has one innermost try at a time.
_by_task: Final[dict[asyncio.Task[Any] | None, Attempt]] = {}


def current_attempt() -> Attempt | None:
    """Return the innermost try of the running task, or None if the task makes no call of ours."""
    return _by_task.get(asyncio.current_task())


class Deadlines:
    """The open tries of one pool. One timer is set, for the first deadline."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open: set[Attempt] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = float("inf")

    def begin(self, seconds: float) -> Attempt:
        """Begin a try of the current task that is interrupted after *seconds*."""
        task = asyncio.current_task()
        assert task is not None, "a call is awaited by a task"
        deadline = self._loop.time() + seconds
        attempt = Attempt(task, deadline)
        _by_task[task] = attempt
        self._open.add(attempt)
        if deadline < self._armed_for:
            self._arm(deadline)
        return attempt

    def end(self, attempt: Attempt) -> None:
        """End the try, in any case."""
        attempt.ended = True
        self._open.discard(attempt)
        if attempt.outer is None:
            del _by_task[attempt.task]
        else:
            _by_task[attempt.task] = attempt.outer
        if attempt.timed_out or attempt.stopped:
            attempt.task.uncancel()

    async def begin_closing(self) -> None:
        """Note that the client is being closed. Answers that have arrived are still read."""
        for attempt in self._open:
            attempt.closing = True
        for _ in range(_LAST_LOOKS):
            if not self._open:
                return
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Interrupt the tries that are still open."""
        for attempt in self._open:
            attempt.stop()

    def close(self) -> None:
        """Disarm the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, deadline: float) -> None:
        self.close()
        self._armed_for = deadline
        self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        now = max(self._armed_for, self._loop.time())
        self._armed_for = float("inf")
        following = float("inf")
        for attempt in sorted(self._open, key=lambda attempt: attempt.deadline):
            if attempt.expiring:
                continue
            if attempt.deadline <= now:
                attempt.expiring = True
                self._loop.call_soon(self._give_up, attempt, _LAST_LOOKS)
            else:
                following = min(following, attempt.deadline)
        if following < float("inf"):
            self._arm(following)

    def _give_up(self, attempt: Attempt, looks: int) -> None:
        """Interrupt the try after some more turns of the loop: after a pause of the loop, its answer may lie in the socket."""
        if attempt.ended or attempt.stopped:
            return
        if looks:
            self._loop.call_soon(self._give_up, attempt, looks - 1)
        else:
            attempt.interrupt()
