"""The runner of the callback layer: one loop thread, one callback thread, the clients, and every call that is not done.

A little over 300 lines in one file: each step in the life of a call depends on the others.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from authing_mfa._sentences import translate
from authing_mfa._threads import BackgroundLoop, CallbackThread, own_thread
from authing_mfa.compat.call import Call, Stage
from authing_mfa.compat.clients import Clients
from authing_mfa.compat.dispatch import ReceiverGoneError, runs_here
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
    from authing_mfa.compat.clients import SharedClient

__all__ = ["Runner"]

_OPEN, _RUNNING, _DONE = Stage  # module globals: the hot path reads them
_LONG_CALL = 60.0  # seconds that the interpreter's exit waits for the answer to a recovery code
_LAST_COMPLETIONS = 5.0  # seconds that the exit gives to completions behind a stuck one, however little time is left
_UNKNOWN_THREAD = 5.0  # seconds that a close without time limit waits for a dispatcher that has no `runs_here`


class Runner:
    """Runs calls until it is closed.

    Args:
        report: called with an error that belongs to the application, and with what raised it. It must not raise.
        set_current: called with a call and its outcome before the completion runs.
    """

    def __init__(
        self, report: Callable[[BaseException, str], None], set_current: Callable[[Call, Outcome], None]
    ) -> None:
        self._report = report
        self._set_current = set_current
        self.lock: threading.RLock = threading.RLock()  # re-entrant: signal handlers make and cancel calls
        self.closed: bool = False
        self.abandoned: bool = False  # after a fork: this process has no threads, and the parent completes these calls
        self._calls: set[Call] = set()
        self._clients = Clients(self._close_soon)
        self._tasks: set[asyncio.Task[None]] = set()  # held here: the loop does not keep them alive
        self._outbox: list[Call] = []
        self._callbacks = CallbackThread(self.complete)
        self._thread = BackgroundLoop(self._receive, self._close)

    # ─────────────────────── any thread ───────────────────────

    def submit(self, call: Call) -> bool:
        """Accept the call, which from now on completes exactly once. False: the runner is closed and does not accept it."""
        with self.lock:
            if self.closed:
                return False
            call.runner = self
            self._calls.add(call)
            self._thread.post(call)
            return True

    def post(self, call: Call) -> None:
        """Look at *call* again: it was cancelled, or its owner is gone."""
        if not self.abandoned:
            self._thread.post(call)

    def cancel(self, call: Call) -> bool:
        """Cancel *call*, unless its completion has begun. Return True if the completion gets code 10102."""
        if not self._decide(call, CANCELLED):
            return False
        self._thread.post(call)
        return True

    def _decide(self, call: Call, outcome: Outcome, *, first: bool = False) -> bool:
        """End *call* with *outcome*, unless its completion has begun or it must end by itself.

        Args:
            call: the call.
            outcome: what its completion gets.
            first: True: the outcome counts unless the call has an outcome already, also if it must end by itself.
        """
        if self.abandoned:
            return False
        with self.lock:
            if call.stage is not _OPEN or (call.outcome is not None if first else call.must_end):
                return False
            call.outcome = outcome
            return True

    def complete(self, call: Call) -> None:
        """Run the completion of *call*, if it has not begun. An error in it is reported; this method raises nothing."""
        if self.abandoned:
            return
        without_owner = call.without_owner
        completion = call.living_completion()
        if completion is None or (without_owner and not call.holds_new_code):
            self._drop(call)
            return
        with self.lock:
            outcome = call.outcome
            if call.stage is not _OPEN or outcome is None:
                return
            call.stage = _RUNNING
            if not without_owner:
                self._set_current(call, outcome)
        try:
            if outcome.chinese is not None:
                outcome = outcome.in_language(call.lang)
            call.context.run(completion, *call.shape.arguments(outcome))
        except BaseException as error:  # noqa: BLE001 - SystemExit included: it must not end the thread
            self._report(error, f"The completion of {call.name}")
        finally:
            del completion
            self._end(call)

    def _drop(self, call: Call) -> None:
        """End *call* without a completion: its owner is gone, so nothing is left to receive the result."""
        if self.abandoned:
            return
        with self.lock:
            if call.stage is not _OPEN:
                return
            call.stage = _DONE
        self._end(call)

    def _end(self, call: Call) -> None:
        with self.lock:
            ended = call.release()
        self._calls.discard(call)
        if ended is not None:
            ended.set()

    def abandon(self) -> None:
        """Stop in a forked child: the parent keeps everything."""
        self.abandoned = self.closed = True
        self._callbacks.abandon()

    def close(self, timeout: float | None, *, exiting: bool = False) -> None:
        """Complete pending calls with 10102, close the clients, end both threads, within *timeout* seconds.

        A call that must end by itself is answered first, if the time suffices; with *exiting* it gets the time that a call takes.
        On one of the runner's own threads this only begins: the rest follows when that thread is free again.
        """
        deadline = _deadline(timeout)
        outcome = EXITING if exiting else SHUT_DOWN
        with self.lock:
            self.closed = True
            pending = list(self._calls)
        for call in pending:
            self._decide(call, outcome)
            self._thread.post(call)  # its task must be stopped, even if it completes before the loop checks
        self._thread.stop()
        if own_thread() is not None:
            return
        if exiting and any(call.must_end for call in pending):
            with suppress(KeyboardInterrupt):  # Ctrl-C ends this wait
                self._thread.join(_LONG_CALL)
            deadline = _deadline(timeout)
        self._thread.join(_left(deadline, 0.9))
        for call in pending:
            if self._decide(call, outcome, first=True):  # it was not answered in time
                self._thread.post(call)
            if call.dispatcher is not None and runs_here(call.dispatcher):  # the dispatcher waits for this thread
                self.complete(call)
        self._callbacks.join(_left(deadline, 0.8))
        self._complete_leftovers(pending, deadline, exiting=exiting)

    def _complete_leftovers(self, pending: Sequence[Call], deadline: float | None, *, exiting: bool) -> None:
        """Complete the calls that neither the callback thread nor a dispatcher has begun in time."""
        bound = time.monotonic() + _UNKNOWN_THREAD if deadline is None else deadline
        stuck = []
        for call in pending:
            if call.dispatcher is None:
                stuck.append(call)
            elif call.open and (exiting or not hasattr(call.dispatcher, "runs_here")):
                call.wait_ended(_left(bound, 0.8))
                self.complete(call)
            else:
                call.wait_ended(_left(bound, 0.8))
        stuck = [call for call in stuck if call.open]
        if stuck:
            left = _left(bound, 1.0)
            self._complete_aside(stuck, max(left or 0.0, _LAST_COMPLETIONS) if exiting else left)

    def _complete_aside(self, calls: Sequence[Call], timeout: float | None) -> None:
        """Run completions whose thread is blocked by another completion: on a new thread, or here if no thread can be started."""
        try:
            thread = CallbackThread(self.complete)
        except RuntimeError:  # the interpreter is exiting
            for call in calls:
                self.complete(call)
            return
        thread.put(calls)
        thread.stop()
        thread.join(timeout)

    # ─────────────────────── the loop's thread ───────────────────────

    def _receive(self, call: Call) -> None:
        if call.owner_gone and not call.must_end:
            self._stop_task(call)
            self._drop(call)
        elif call.outcome is not None:
            self._stop_task(call)
            self._deliver(call)
        elif call.settings is None:
            self._finish(call, NOT_STARTED)
        elif call.task is None and (not call.spends_recovery_code or self._begin(call)):
            context = call.context.copy()  # separate: a cancelled call's completion may run before the task has ended
            call.task = self._thread.loop.create_task(self._perform(call), context=context)

    def _begin(self, call: Call) -> bool:
        """Note that nothing may stop *call* any more. False: another thread has cancelled it at this moment, and posts it again."""
        with self.lock:
            call.begun = call.outcome is None
            return call.begun

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
            return  # the task ended before its first step
        shared: SharedClient | None = None
        try:
            shared = self._clients.take(settings)
            client = shared.view(token)
            answer = await client.answer(request)
            outcome = succeeded(answer, token)
        except AuthingError as error:
            outcome = failed(translate(error, settings.lang))
        except asyncio.CancelledError:
            outcome = CANCELLED
        except BaseException as error:  # noqa: BLE001 - the call must complete and the loop must continue in any case
            outcome = self._unexpected(error, call.name)
        call.task = None
        if shared is not None:
            self._clients.give_back(shared)
        self._finish(call, outcome)

    def _unexpected(self, error: BaseException, name: str) -> Outcome:
        if not threading.main_thread().is_alive():  # the program ends, and so do its thread pools
            return EXITING
        self._report(error, f"The call {name}")
        return unexpected(error)

    def _close_soon(self, client: AuthClient) -> None:
        self._keep(self._thread.loop.create_task(client.aclose()))

    def _finish(self, call: Call, outcome: Outcome) -> None:
        self._decide(call, outcome, first=True)
        self._deliver(call)

    def _deliver(self, call: Call) -> None:
        """Run the completion through the call's dispatcher or on the callback thread."""
        if call.delivered:
            return
        call.delivered = True
        if call.dispatcher is not None:
            try:
                call.dispatcher(partial(self.complete, call))
            except BaseException as error:  # noqa: BLE001 - the dispatcher is the application's
                if not isinstance(error, ReceiverGoneError):
                    self._report(error, f"The dispatcher of {call.name}")
            else:
                return
        self._outbox.append(call)
        if len(self._outbox) == 1:
            self._thread.loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._outbox:
            batch, self._outbox = self._outbox, []
            self._callbacks.put(batch)

    async def _close(self) -> None:
        ending = [call.task for call in self._calls if call.must_end and call.task is not None]
        if ending:
            await asyncio.wait(ending)
        calls = list(self._calls)
        for call in calls:
            self._decide(call, SHUT_DOWN, first=True)
            self._receive(call)
        self._flush()
        self._callbacks.stop()
        while self._tasks:  # the end of a call may start closing its client
            await asyncio.wait(set(self._tasks))
        await self._clients.aclose(self._report)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _left(deadline: float | None, share: float) -> float | None:
    """Return the seconds to spend now: a *share* of the time until the deadline."""
    return None if deadline is None else max(deadline - time.monotonic(), 0.0) * share
