"""Coroutines of the async client, run for threads that have no event loop: the engine of `authing_mfa.sync`.

One process has at most one background loop. The first call begins it, closing the last client ends it. A forked child begins
anew: its parent's loop, pool and connections are never touched there. The interpreter's exit ends the loop within a second.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import sys
import threading
import time
import warnings
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from authing_mfa._threads import BackgroundLoop, own_thread
from authing_mfa.errors import AuthingError, CancelledCallError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from authing_mfa._progress import Observer
    from authing_mfa.client import AuthClient

__all__ = ["SharedClient", "check_thread"]

T = TypeVar("T")

EXIT_TIMEOUT: Final = 1.0  # seconds that the interpreter's exit may take for us
CLOSE_TIMEOUT: Final = 5.0  # seconds that closing the last client waits for the loop's end
_CANCEL_TIMEOUT: Final = 1.0  # seconds that an interrupted call waits for its end
_SLICE: Final = 1.0  # seconds; a wait is taken in slices, for Ctrl-C does not reach a lock on every system


class _Call(Generic[T]):
    """One awaitable on its way through the background loop. Its caller waits on `ended`, a lock that is held until then."""

    __slots__ = ("awaitable", "cancelled", "context", "done", "ended", "error", "task", "value")

    def __init__(self, awaitable: Awaitable[T]) -> None:
        self.awaitable = awaitable
        self.context = copy_context()
        self.ended = threading.Lock()
        self.ended.acquire()
        self.cancelled = self.done = False
        self.task: asyncio.Task[None] | None = None
        self.value: T
        self.error: BaseException | None = None

    async def perform(self) -> None:
        """Await it. Whatever is raised belongs to the caller, never to the loop."""
        try:
            self.value = await self.awaitable
        except BaseException as error:  # noqa: BLE001 - even SystemExit, which the caller's own file object may raise
            self.error = error

    def result(self) -> T:
        """Return what the awaitable returned, or raise what it raised."""
        error, self.error = self.error, None
        try:
            if isinstance(error, asyncio.CancelledError):
                raise CancelledCallError("The client was closed while this call ran.") from None
            if isinstance(error, RuntimeError) and not isinstance(error, AuthingError) and _exiting():
                raise too_late() from error  # no thread can be had any more to look a name up or to encrypt a password
            if error is not None:
                raise error
            return self.value
        finally:
            del error  # its traceback holds this frame


class _Runner:
    """The background loop, the calls that run on it, and the async clients that belong to it."""

    def __init__(self) -> None:
        self.clients: set[AuthClient] = set()
        self.exiting = False
        self._calls: set[_Call[Any]] = set()
        self._thread: BackgroundLoop[_Call[Any]] = BackgroundLoop(self._receive, self._finish)

    def run(self, awaitable: Awaitable[T], *, patience: float = _CANCEL_TIMEOUT) -> T:
        """Await *awaitable* on the loop's thread, in the caller's context, and return its result.

        Args:
            awaitable: what to await, once.
            patience: seconds to wait for its end when this wait is interrupted: by Ctrl-C, or by what another signal's
                handler raises, e.g. Celery's time limit.

        Raises:
            UsageError: the loop has ended; nothing was sent.
        """
        call = _Call(awaitable)
        try:
            self._thread.post(call)
            while not call.ended.acquire(timeout=_SLICE):
                self._look_after(call)
            return call.result()
        except BaseException:
            if not call.done:
                self._cancel(call, patience)
            raise
        finally:
            del call  # an error's traceback holds this frame

    def _look_after(self, call: _Call[Any]) -> None:
        """*call* takes long: wake the loop in the place of a caller that a signal interrupted, or note that the loop has ended."""
        self._thread.wake()
        if self._thread.ended and not self.exiting and not call.done:
            call.error = closed_client()
            self._ended(call)

    def _cancel(self, call: _Call[Any], patience: float) -> None:
        deadline = time.monotonic() + patience
        call.cancelled = True
        self._thread.post(call)
        while not call.done and (left := deadline - time.monotonic()) > 0 and not self._thread.ended:
            self._thread.wake()
            call.ended.acquire(timeout=min(left, _SLICE))

    def post(self, awaitable: Awaitable[Any]) -> None:
        """Have *awaitable* run; nobody waits for it. Takes no lock."""
        self._thread.post(_Call(awaitable))

    def close(self, timeout: float) -> None:
        """Cancel the calls that still run, close the clients that are still open, end the loop."""
        self._thread.stop()
        if own_thread() is None:
            self._thread.join(timeout)

    # ─────────────────────── the loop's thread ───────────────────────

    def _receive(self, call: _Call[Any]) -> None:
        if call.task is not None:
            if call.cancelled:
                call.task.cancel()
        elif call.cancelled:
            self._ended(call)
        elif not call.done:
            call.task = task = self._thread.loop.create_task(call.perform(), context=call.context)
            self._calls.add(call)
            task.add_done_callback(lambda _: self._ended(call))

    def _ended(self, call: _Call[Any]) -> None:
        if call.done:
            return
        call.done, call.task = True, None
        self._calls.discard(call)
        close = getattr(call.awaitable, "close", None)
        if close is not None:
            close()  # one that was cancelled before its first step was never awaited
        if not hasattr(call, "value") and call.error is None:
            call.error = asyncio.CancelledError()
        if not (self.exiting and isinstance(call.error, asyncio.CancelledError)):
            call.ended.release()  # at exit a daemon thread is left waiting: nobody would handle its error

    async def _finish(self) -> None:
        while self._calls:
            tasks = [call.task for call in self._calls if call.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asyncio.sleep(0)  # their callbacks
        await self._thread.loop.shutdown_asyncgens()  # batches that were left in the middle
        for client in list(self.clients):
            with contextlib.suppress(Exception):
                await client.aclose()
        self.clients.clear()


class _Process:
    """The background loop of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # re-entrant: the garbage collector and signal handlers come at any moment
        self.runner: _Runner | None = None
        self.exiting = False

    def enter(self, client: AuthClient) -> _Runner:
        """Take *client* in; the first one begins the loop."""
        with self.lock:
            if self.exiting:
                raise too_late()
            if self.runner is None:
                self.runner = _Runner()
            self.runner.clients.add(client)
            return self.runner

    def leave(self, client: AuthClient, timeout: float) -> None:
        """Take *client* out; the last one ends the loop."""
        with self.lock:
            runner = self.runner
            if runner is None:
                return
            if runner.clients - {client}:
                runner.clients.discard(client)
                return
            self.runner = None
        runner.close(timeout)

    def exit(self) -> None:
        """The interpreter exits: close all there is, within `EXIT_TIMEOUT`."""
        with self.lock:
            self.exiting = True
            runner, self.runner = self.runner, None
        if runner is not None:
            runner.exiting = True
            runner.close(EXIT_TIMEOUT)


_process = _Process()
_inherited: list[_Process] = []


def _after_fork() -> None:
    global _process  # noqa: PLW0603 - there is one for each process
    _inherited.append(_process)  # for ever: closing its loop would take sockets off the parent's selector
    _process = _Process()


@atexit.register
def _exit() -> None:
    _process.exit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class SharedClient:
    """What all views of one sync client share: its settings, and the async client that this process made from them."""

    def __init__(self, make: Callable[[], AuthClient]) -> None:
        self._make = make
        self._observers: list[Observer] = []
        self.client = make()  # now, for it checks the settings
        self._closed = False
        self._runner: _Runner | None = None
        self._process = _process

    def begin(self) -> AuthClient:
        """Return the async client of this process, with the background loop running.

        Raises:
            UsageError: the client is closed, or the interpreter is exiting.
        """
        if not self._begun:
            with _process.lock:
                if self._closed:
                    raise closed_client()
                if self._process is not _process:
                    self._process, self.client, self._runner = _process, self._make(), None
                    for observer in self._observers:
                        self.client._observe(observer)  # noqa: SLF001 - made for us
                if self._runner is None:
                    self._runner = _process.enter(self.client)
        return self.client

    @property
    def _begun(self) -> bool:
        """True if there is something to close: the client is open, and this process has begun it."""
        return self._runner is not None and self._process is _process and not self._closed

    def observe(self, observer: Observer) -> None:
        """Tell *observer* of every call, in forked children as well."""
        self._observers.append(observer)
        self.client._observe(observer)  # noqa: SLF001 - made for us

    def run(self, awaitable: Awaitable[T]) -> T:
        """Await *awaitable* of the begun client, and return its result."""
        assert self._runner is not None, "begin() comes first"
        return self._runner.run(awaitable)

    def iterate(self, outcomes: AsyncGenerator[T, None]) -> Iterator[T]:
        """Give what *outcomes* gives. Leaving early closes it, and waits for what it still does."""
        runner, process = self._runner, self._process
        assert runner is not None, "begin() comes first"
        try:
            while True:
                check_thread()
                try:
                    item = runner.run(anext(outcomes), patience=float("inf"))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            if process is _process and self._begun:
                runner.run(outcomes.aclose(), patience=float("inf"))

    def close(self) -> None:
        """Close the connections; with the last client, end the loop. Calling it again has no effect."""
        with _process.lock:
            begun, self._closed = self._begun, True
        if not begun or self._runner is None:
            return
        try:
            if own_thread() is None:
                self._runner.run(self.client.aclose())
            else:
                self._runner.post(self.client.aclose())
        finally:
            self._process.leave(self.client, CLOSE_TIMEOUT)

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and self._begun and self._runner is not None and not _process.exiting:
            self._closed = True
            self._runner.post(self.client.aclose())
            self._process.leave(self.client, 0.0)
            warnings.warn(
                "A sync.AuthClient was not closed: use 'with', or call its close().",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )


def closed_client() -> UsageError:
    """Return the error of a call to a closed client."""
    return UsageError("This sync.AuthClient is closed. Make a new one, and close it when the last call is done.")


def too_late() -> UsageError:
    """Return the error of a call that came too late."""
    return UsageError("The interpreter is exiting: no more calls can be made.")


def _exiting() -> bool:
    return not threading.main_thread().is_alive()


def check_thread() -> None:
    """Check that the running thread may wait.

    Raises:
        UsageError: an event loop runs on it, which a wait would stop.
    """
    if asyncio._get_running_loop() is not None and not _in_notebook_cell():  # noqa: SLF001 - public, for all its name
        raise UsageError(
            "An event loop runs on this thread, and a blocking call would stop it: "
            "use 'await' with authing_mfa.AuthClient, or call this client in a thread (asyncio.to_thread)."
        )


def _in_notebook_cell() -> bool:
    """Return True if a notebook's kernel runs here: its loop waits for the cell in any case."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython and ipython.get_ipython(), "kernel")
