"""`Runner`: a background loop that runs coroutines of the async client for threads that wait for them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from authing_mfa._cancellation import note_delivery, noted_delivery
from authing_mfa._threads import BackgroundLoop, own_thread
from authing_mfa.errors import AuthingError, NetworkError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from authing_mfa.client import AuthClient

__all__ = ["Runner", "closed_client", "too_late"]

T = TypeVar("T")

_CANCEL_TIMEOUT: Final = 1.0  # seconds that an interrupted call waits for its end
_SLICE: Final = 1.0  # seconds; a wait is split into slices, because Ctrl-C does not interrupt a lock on every system


class _Call(Generic[T]):
    """One awaitable that the background loop runs. Its caller waits for `ended`, a lock that is held until the awaitable has ended."""

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
        """Await the awaitable and keep its result or error for the caller. Nothing is raised into the loop."""
        try:
            self.value = await self.awaitable
        except BaseException as error:  # noqa: BLE001 - even SystemExit, which the caller's own file object may raise
            self.error = error

    def result(self) -> T:
        """Return what the awaitable returned, or raise what it raised."""
        error, self.error = self.error, None
        try:
            if isinstance(error, asyncio.CancelledError):
                delivery = noted_delivery(error) or "unknown"
                raise NetworkError("The client was closed while this call ran.", delivery=delivery) from None
            if (
                isinstance(error, RuntimeError)
                and not isinstance(error, AuthingError)
                and not threading.main_thread().is_alive()
            ):
                raise too_late() from error  # no thread can be started any more to resolve a name or to encrypt a password
            if error is not None:
                raise error
            return self.value
        finally:
            del error  # its traceback holds this frame


class Runner:
    """The background loop, the calls that run on it, and the async clients that belong to it."""

    def __init__(self) -> None:
        self.clients: set[AuthClient] = set()
        self.exiting = False
        self._calls: set[_Call[Any]] = set()
        self._thread: BackgroundLoop[_Call[Any]] = BackgroundLoop(self._receive, self._finish)

    def run(self, awaitable: Awaitable[T], *, patience: float = _CANCEL_TIMEOUT) -> T:
        """Await *awaitable* on the loop's thread, in the caller's context, and return its result.

        Args:
            awaitable: is awaited once.
            patience: seconds to wait for its end when this wait is interrupted: by Ctrl-C, or by an error that a signal handler
                raises, e.g. Celery's time limit.

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
        """Check a *call* that takes long: wake the loop if a signal kept its caller from doing so, or note that the loop has ended."""
        self._thread.wake()
        if self._thread.ended and not call.done and not (self.exiting and threading.current_thread().daemon):
            call.error = too_late() if self.exiting else closed_client()
            self._ended(call)

    def _cancel(self, call: _Call[Any], patience: float) -> None:
        deadline = time.monotonic() + patience
        call.cancelled = True
        self._thread.post(call)
        while not call.done and (left := deadline - time.monotonic()) > 0 and not self._thread.ended:
            self._thread.wake()
            call.ended.acquire(timeout=min(left, _SLICE))

    def post(self, awaitable: Awaitable[Any]) -> None:
        """Run *awaitable* without waiting for its result. Takes no lock."""
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
            close()  # an awaitable that was cancelled before its first step was never awaited
        if not hasattr(call, "value") and call.error is None:
            call.error = asyncio.CancelledError()  # it was cancelled before its first step
            note_delivery(call.error, "not_sent")
        if not (self.exiting and isinstance(call.error, asyncio.CancelledError)):
            call.ended.release()  # at exit a daemon thread keeps waiting: nothing would handle its error

    async def _end_calls(self) -> None:
        """Close the clients, and let their calls end with errors of their own."""
        for client in list(self.clients):
            with contextlib.suppress(Exception):
                await client.aclose()
        tasks = [call.task for call in self._calls if call.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCEL_TIMEOUT)

    async def _finish(self) -> None:
        if not self.exiting:
            await self._end_calls()
        while self._calls:
            tasks = [call.task for call in self._calls if call.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asyncio.sleep(0)  # their callbacks
        await self._thread.loop.shutdown_asyncgens()  # batches that were not read to their end
        for client in list(self.clients):
            with contextlib.suppress(Exception):
                await client.aclose()
        self.clients.clear()


def closed_client() -> UsageError:
    """Return the error of a call to a closed client."""
    return UsageError("This sync.AuthClient is closed. Make a new one, and close it when the last call is done.")


def too_late() -> UsageError:
    """Return the error of a call that came too late."""
    return UsageError("The interpreter is exiting: no more calls can be made.")
