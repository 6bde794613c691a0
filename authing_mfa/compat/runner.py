"""The engine under the callback layer: one loop thread, one callback thread, the clients, and every call that is not done."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

from authing_mfa._threads import BackgroundLoop, CallbackThread, own_thread
from authing_mfa.compat.call import Call, runs_here
from authing_mfa.compat.dispatch import ReceiverGoneError
from authing_mfa.compat.outcome import (
    CANCELLED,
    EXITING,
    NOT_STARTED,
    SHUT_DOWN,
    Outcome,
    failed,
    succeeded,
    unexpected,
)
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authing_mfa.client import AuthClient
    from authing_mfa.compat.settings import Settings

__all__ = ["Engine"]

_UNKNOWN_THREAD = 5.0  # seconds that an unbounded close waits for a dispatcher that does not say whose thread it is


class _Lease:
    """A client, how many calls use it, and its last user view."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client: AuthClient = settings.client()
        self.users = 0
        self._view = self.client.as_user(None)
        self._token: str | None = None

    def view(self, token: str | None) -> AuthClient:
        if token != self._token:
            self._view = self.client.as_user(token)
            self._token = token
        return self._view


class Engine:
    """Runs calls until it is closed. `report` is told what completions raise, `adopt` who is current from now on."""

    def __init__(self, report: Callable[[BaseException], None], adopt: Callable[[Call, Outcome], None]) -> None:
        self.report = report
        self.adopt = adopt
        self.lock = threading.RLock()  # re-entrant: a signal handler may make or cancel calls at any moment
        self.closed = False
        self.abandoned = False  # by a fork: this process has neither the threads nor the right to complete these calls
        self._calls: set[Call] = set()
        self._lease: _Lease | None = None
        self._leases: set[_Lease] = set()
        self._tasks: set[asyncio.Task[None]] = set()  # those no call holds: the loop would let them be collected
        self._outbox: list[Call] = []
        self._callbacks = CallbackThread()
        self._thread = BackgroundLoop(self._receive, self._wind_up)

    # ─────────────────────── any thread ───────────────────────

    def submit(self, call: Call) -> bool:
        """Take the call, which from now on completes exactly once. False: the engine is closed, it is not taken."""
        with self.lock:
            if self.closed:
                return False
            call.engine = self
            self._calls.add(call)
            self._thread.post(call)
            return True

    def post(self, call: Call) -> None:
        """Have another look at *call*, which was cancelled or dropped."""
        if not self.abandoned:
            self._thread.post(call)

    def drop(self, call: Call) -> None:
        """The owner of *call* is gone. Safe at any moment, on any thread, for it only leaves a note."""
        call.dropped = True
        self.post(call)

    def forget(self, call: Call) -> None:
        """The call is done."""
        self._calls.discard(call)

    def abandon(self) -> None:
        """In the child after a fork: leave everything to the parent."""
        self.abandoned = self.closed = True
        self._callbacks.abandon()

    def close(self, timeout: float | None, *, exiting: bool = False) -> None:
        """Complete what is pending with 10102, close the clients, end both threads, within *timeout* seconds.

        On a thread of its own it only begins all that: the rest follows when that thread is free again.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.lock:
            self.closed = True
            pending = list(self._calls)
        for call in pending:
            call.decide(EXITING if exiting else SHUT_DOWN, self)
            self._thread.post(call)  # its task is to be stopped, even if it completes before the loop looks
        self._thread.stop()
        if own_thread() is not None:
            return
        for call in pending:  # their dispatcher waits for this very thread
            if call.dispatcher is not None and runs_here(call.dispatcher):
                call.deliver()
        self._thread.join(_left(deadline, 0.9))
        self._callbacks.join(_left(deadline, 0.8))
        self._complete_leftovers(pending, deadline, exiting=exiting)

    def _complete_leftovers(self, pending: Sequence[Call], deadline: float | None, *, exiting: bool) -> None:
        """Complete what neither the callback thread nor a dispatcher has begun in time."""
        bound = time.monotonic() + _UNKNOWN_THREAD if deadline is None else deadline
        stuck = []
        for call in pending:
            if call.dispatcher is None:
                stuck.append(call)
            elif call.open and (exiting or not hasattr(call.dispatcher, "runs_here")):
                call.wait_ended(_left(bound, 0.8))
                call.deliver()
            else:
                call.wait_ended(_left(bound, 0.8))
        stuck = [call for call in stuck if call.open]
        if stuck:
            _run_aside(stuck, _left(bound, 1.0))

    # ─────────────────────── the loop's thread ───────────────────────

    def _receive(self, call: Call) -> None:
        if call.dropped:
            self._stop_task(call)
            call.drop()
        elif call.outcome is not None:
            self._stop_task(call)
            self._hand_over(call)
        elif call.settings is None:
            self._settle(call, NOT_STARTED)
        elif call.task is None:
            context = call.context.copy()  # of its own: a cancelled call's completion may run before the task has ended
            call.task = self._thread.loop.create_task(self._perform(call), context=context)

    def _stop_task(self, call: Call) -> None:
        task, call.task = call.task, None
        if task is not None:
            task.cancel()
            self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _perform(self, call: Call) -> None:
        settings, request, token = call.settings, call.request, call.token
        if settings is None or request is None:
            return  # it ended before its first step
        lease: _Lease | None = None
        try:
            lease = self._lease_for(settings)
            lease.users += 1
            client = lease.view(token)
            answer = await (request(client) if callable(request) else client._answer(request))  # noqa: SLF001 - made for us
            outcome = succeeded(answer, token)
        except AuthingError as error:
            outcome = failed(error)
        except asyncio.CancelledError:
            outcome = CANCELLED
        except BaseException as error:  # noqa: BLE001 - whatever it is, the call must complete and the loop go on
            outcome = self._unexpected(error)
        call.task = None
        if lease is not None:
            lease.users -= 1
            if lease is not self._lease:
                self._retire(lease)
        self._settle(call, outcome)

    def _unexpected(self, error: BaseException) -> Outcome:
        if not threading.main_thread().is_alive():  # the program is ending, and thread pools with it
            return EXITING
        self.report(error)
        return unexpected(error)

    def _lease_for(self, settings: Settings) -> _Lease:
        lease = self._lease
        if lease is None or lease.settings is not settings:
            self._lease = _Lease(settings)
            self._leases.add(self._lease)
            if lease is not None:
                self._retire(lease)
            lease = self._lease
        return lease

    def _retire(self, lease: _Lease) -> None:
        """Close a client that new calls no longer use, once its last call has ended."""
        if lease is not self._lease and lease.users == 0 and lease in self._leases:
            self._leases.discard(lease)
            self._keep(self._thread.loop.create_task(lease.client.aclose()))

    def _settle(self, call: Call, outcome: Outcome) -> None:
        call.decide(outcome, self, first=True)
        self._hand_over(call)

    def _hand_over(self, call: Call) -> None:
        """Have the completion run, by the call's dispatcher or on the callback thread."""
        if call.handed_over:
            return
        call.handed_over = True
        if call.dispatcher is not None:
            try:
                call.dispatcher(call.deliver)
            except BaseException as error:  # noqa: BLE001 - the dispatcher is the application's
                if not isinstance(error, ReceiverGoneError):
                    self.report(error)
            else:
                return
        self._outbox.append(call)
        if len(self._outbox) == 1:
            self._thread.loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._outbox:
            batch, self._outbox = self._outbox, []
            self._callbacks.put(batch)

    async def _wind_up(self) -> None:
        calls = list(self._calls)
        for call in calls:
            call.decide(SHUT_DOWN, self, first=True)
            self._receive(call)
        self._flush()
        self._callbacks.stop()
        while self._tasks:  # a call's end may begin the closing of its client
            await asyncio.wait(set(self._tasks))
        for lease in self._leases:
            try:
                await lease.client.aclose()
            except Exception as error:  # noqa: BLE001 - the other clients are closed all the same
                self.report(error)
        self._leases.clear()
        self._lease = None


def _left(deadline: float | None, share: float) -> float | None:
    """Seconds to spend now: a *share* of what is left until the deadline."""
    return None if deadline is None else max(deadline - time.monotonic(), 0.0) * share


def _run_aside(calls: Sequence[Call], timeout: float | None) -> None:
    """Run completions whose thread is stuck in another one: on a fresh thread, or here where none can be had any more."""
    try:
        thread = CallbackThread()
    except RuntimeError:  # the interpreter is exiting
        for call in calls:
            call.deliver()
        return
    thread.put(calls)
    thread.stop()
    thread.join(timeout)
