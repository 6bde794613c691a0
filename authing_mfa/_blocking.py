"""Run coroutines of the async client for threads that have no event loop: the engine of `authing_mfa.sync`.

One process has at most one background loop. The first call starts the loop, closing the last client ends it. A forked child starts
a new loop and never touches the loop, the pool and the connections of its parent. The interpreter's exit ends the loop within a second.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Final, TypeVar

from authing_mfa._loop_runner import Runner, closed_client, too_late
from authing_mfa._sentences import translate
from authing_mfa._threads import own_thread
from authing_mfa.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from authing_mfa._progress import Observer
    from authing_mfa.client import AuthClient

__all__ = ["SharedClient", "check_thread"]

T = TypeVar("T")

EXIT_TIMEOUT: Final = 1.0  # seconds that we may add to the interpreter's exit
CLOSE_TIMEOUT: Final = 5.0  # seconds that closing the last client waits for the loop's end


class _Process:
    """The background loop of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # re-entrant: the garbage collector and signal handlers may run at any moment
        self.runner: Runner | None = None
        self.exiting = False

    def enter(self, client: AuthClient) -> Runner:
        """Register *client*; the first client starts the loop."""
        with self.lock:
            if self.exiting:
                raise too_late()
            if self.runner is None:
                self.runner = Runner()
            self.runner.clients.add(client)
            return self.runner

    def leave(self, client: AuthClient, timeout: float) -> None:
        """Remove *client*; removing the last client ends the loop."""
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
        """Close everything within `EXIT_TIMEOUT`, because the interpreter exits."""
        with self.lock:
            self.exiting = True
            runner, self.runner = self.runner, None
        if runner is not None:
            runner.exiting = True
            runner.close(EXIT_TIMEOUT)


_process = _Process()
_inherited: list[_Process] = []


def _after_fork() -> None:
    global _process  # noqa: PLW0603 - one object for each process
    _inherited.append(_process)  # kept for ever: closing its loop would remove sockets from the parent's selector
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
        self.client = make()  # made now, because making a client checks the settings
        self._closed = False
        self._runner: Runner | None = None
        self._process = _process

    def begin(self) -> AuthClient:
        """Return the async client of this process, with the background loop running.

        Raises:
            UsageError: the client is closed, or the interpreter is exiting.
        """
        if not self._begun or _process.exiting:
            with _process.lock:
                if self._closed:
                    raise closed_client()
                if _process.exiting and not threading.current_thread().daemon:
                    raise too_late()
                if self._process is not _process:
                    self._process, self.client, self._runner = _process, self._make(), None
                    for observer in self._observers:
                        self.client._observe(observer)  # noqa: SLF001 - made for us
                if self._runner is None:
                    self._runner = _process.enter(self.client)
        return self.client

    @property
    def _begun(self) -> bool:
        """True if there is something to close: the client is open, and this process has started it."""
        return self._runner is not None and self._process is _process and not self._closed

    @property
    def lang(self) -> str:
        """The language of the client's sentences."""
        return self.client._core.options.lang  # noqa: SLF001 - made for us

    def observe(self, observer: Observer) -> None:
        """Call *observer* for every call of the client, in forked children as well."""
        self._observers.append(observer)
        self.client._observe(observer)  # noqa: SLF001 - made for us

    def run(self, awaitable: Awaitable[T]) -> T:
        """Await *awaitable* of the started client, and return its result."""
        assert self._runner is not None, "begin() comes first"
        return self._runner.run(awaitable)

    def iterate(self, outcomes: AsyncGenerator[T, None]) -> Iterator[T]:
        """Return the items of *outcomes*. Leaving early closes *outcomes* and waits until it has ended."""
        assert self._runner is not None, "begin() comes first"
        return self._items(outcomes, self._runner, self._process)

    def _items(self, outcomes: AsyncGenerator[T, None], runner: Runner, process: _Process) -> Iterator[T]:
        try:
            while True:
                try:
                    _check_batch(process)
                except UsageError as error:
                    translate(error, self.lang)
                    raise
                try:
                    item = runner.run(_next(outcomes), patience=float("inf"))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            if process is _process and self._begun and not process.exiting:
                if _may_wait():
                    runner.run(outcomes.aclose(), patience=float("inf"))
                else:  # the garbage collector runs this on a thread that must not wait
                    runner.post(outcomes.aclose())

    def close(self) -> None:
        """Close the connections; with the last client, end the loop. Calling it again has no effect."""
        with _process.lock:
            begun, self._closed = self._begun, True
        if not begun or self._runner is None or _process.exiting:
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


async def _next(outcomes: AsyncGenerator[T, None]) -> T:
    """Return the next of *outcomes*. The iteration begins on the loop's thread, so the loop knows it and closes it at its end."""
    return await anext(outcomes)


def _check_batch(process: _Process) -> None:
    """Check that a batch that was begun in *process* may go on here.

    Raises:
        UsageError: it may not.
    """
    check_thread()
    if process is not _process:
        raise UsageError("This batch was begun before a fork and goes on in the parent: begin another one here.")


def check_thread() -> None:
    """Check that the running thread may wait.

    Raises:
        UsageError: an event loop runs on it, which a wait would stop.
    """
    if not _may_wait():
        raise UsageError(
            "An event loop runs on this thread, and a blocking call would stop it: "
            "use 'await' with authing_mfa.AuthClient, or call this client in a thread (asyncio.to_thread)."
        )


def _may_wait() -> bool:
    """Return True if no event loop runs on this thread, or only the loop of a notebook, which waits for the cell anyway."""
    if asyncio._get_running_loop() is None:  # noqa: SLF001 - public in spite of its name
        return True
    ipython = sys.modules.get("IPython")
    in_notebook = hasattr(ipython and ipython.get_ipython(), "kernel")
    return in_notebook and threading.current_thread() is threading.main_thread()
