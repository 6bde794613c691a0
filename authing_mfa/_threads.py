"""Two background threads for code without an event loop: one runs an event loop, the other runs callbacks.

Both are daemons, so that a forgotten thread never blocks the interpreter's exit; the code that starts a thread closes it, with a time limit.
Both receive their items in batches: the loop through a deque with one pending wake-up, the callbacks as whole lists. Waking a
thread costs more than all other steps between two threads, so one wake-up serves all waiting calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections import deque
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

T = TypeVar("T")

_BATCH = 256  # how many items one wake-up takes before the loop looks at its sockets again
_here = threading.local()


def own_thread() -> str | None:
    """Return which of these threads is running, or None: a thread that waits for itself would wait for ever."""
    return getattr(_here, "kind", None)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop for a thread of ours: uvloop's where that is installed, else asyncio's own."""
    if sys.platform != "win32":
        # RuntimeError: while the interpreter exits, a module that is imported may no longer register an exit function.
        with contextlib.suppress(ImportError, RuntimeError):
            return _uvloop()
    return asyncio.new_event_loop()


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run what *main* returns like `asyncio.run`, on a loop of `new_event_loop`.

    Ctrl-C may come before the first step of it: it is closed then, so that nobody says that it was never awaited.
    """
    coroutine = None
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            coroutine = main()
            return runner.run(coroutine)
    finally:
        if coroutine is not None:
            coroutine.close()


def _uvloop() -> asyncio.AbstractEventLoop:
    """Return a loop of uvloop that resolves names in Python's threads.

    libuv's own threads crash a forked child at its exit: the child waits for threads that exist only in the parent.
    """
    import uvloop

    class Loop(uvloop.Loop):
        async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
            numeric = {**options, "flags": options.get("flags", 0) | socket.AI_NUMERICHOST}
            with contextlib.suppress(socket.gaierror):  # *host* is a name
                return socket.getaddrinfo(host, port, **numeric)
            return await self.run_in_executor(None, partial(socket.getaddrinfo, host, port, **options))

    return Loop()


class BackgroundLoop(Generic[T]):
    """An event loop on a daemon thread. Items posted from any thread reach *receive* on the loop's thread, in order.

    Args:
        receive: called with each item, on the loop's thread, while the loop runs. It must not raise.
        finish: awaited once, on the loop's thread, after `stop`; then the loop ends.
    """

    def __init__(self, receive: Callable[[T], None], finish: Callable[[], Awaitable[None]]) -> None:
        self._receive = receive
        self._finish = finish
        self._inbox: deque[T] = deque()
        self._armed = False
        self.loop = new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="authing-mfa-loop", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self.loop.close()
            raise

    def post(self, item: T) -> None:
        """Hand *item* to the loop's thread. Takes no lock, so it is safe in signal handlers and weakref callbacks.

        After the loop has ended the item is silently lost: `finish` was the last to read items.
        """
        self._inbox.append(item)
        # The flag is read after the item is added, and `_drain` clears it before it reads: no item is missed. Two threads may both
        # see the flag cleared and wake the loop twice, which does no harm.
        try:
            if not self._armed:
                self._armed = True
                self.wake()
        except BaseException:  # Ctrl-C: with the flag set, no later item would wake the loop
            self.wake()
            raise

    def wake(self) -> None:
        """Make the loop read its items now. Needed only where a signal may have interrupted `post` before it woke the loop."""
        self._call(self._drain)

    @property
    def ended(self) -> bool:
        """True once the thread has ended: items posted from now on are lost."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Let `finish` run and end the loop. Calling it again has no effect."""
        self._call(self._stopping.set)

    def join(self, timeout: float | None) -> bool:
        """Wait for the thread's end, in seconds. False: it has not ended, or is the running one."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _call(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(callback)

    def _drain(self) -> None:
        self._armed = False
        for _ in range(_BATCH):
            try:
                item = self._inbox.popleft()
            except IndexError:
                return
            self._receive(item)
        self._armed = True
        self.loop.call_soon(self._drain)

    def _run(self) -> None:
        _here.kind = "the loop's thread"
        try:
            self.loop.run_until_complete(self._main())
        finally:
            self.loop.close()

    async def _main(self) -> None:
        await self._stopping.wait()
        while self._inbox:
            self._receive(self._inbox.popleft())
        await self._finish()


class CallbackThread(Generic[T]):
    """A daemon thread that handles items, one after the other, in order.

    Args:
        handle: called with each item, on this thread. It must not raise.
    """

    def __init__(self, handle: Callable[[T], object]) -> None:
        self._handle = handle
        self._batches: SimpleQueue[Sequence[T] | None] = SimpleQueue()
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name="authing-mfa-callbacks", daemon=True)
        self._thread.start()

    def put(self, batch: Sequence[T]) -> None:
        """Handle the whole *batch*, after everything that was put before."""
        self._batches.put(batch)

    def stop(self) -> None:
        """Let the thread end after everything that was put before."""
        self._batches.put(None)

    def join(self, timeout: float | None) -> bool:
        """Wait for the thread's end, in seconds. False: it has not ended, or is the running one."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """Stop in a forked child: if this thread itself forked, it ends after its current callback."""
        self._abandoned = True

    def _run(self) -> None:
        _here.kind = "the callback thread"
        for batch in iter(self._batches.get, None):
            for item in batch:
                self._handle(item)
            if self._abandoned:
                return
