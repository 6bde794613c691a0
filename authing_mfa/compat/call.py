"""`Call`: one call of the callback layer, from the request to its completion's return."""

from __future__ import annotations

import threading
import time
import weakref
from contextvars import Context, copy_context
from enum import Enum
from typing import TYPE_CHECKING, Any

from authing_mfa._threads import own_thread
from authing_mfa.compat.outcome import CANCELLED
from authing_mfa.compat.owner import is_gone

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from authing_mfa.client import AuthClient
    from authing_mfa.compat.dispatch import Dispatcher
    from authing_mfa.compat.outcome import Outcome
    from authing_mfa.compat.runner import Engine
    from authing_mfa.compat.settings import Settings
    from authing_mfa.operations import Operation
    from authing_mfa.protocol import Answer

    Request = Operation[Any] | Callable[[AuthClient], Awaitable[Answer[Any]]]

__all__ = ["Call"]

_INTERRUPTIBLE = 1.0  # seconds; a longer wait is taken in slices, for Ctrl-C does not reach a lock on every system


class _Stage(Enum):
    OPEN = 1  # the completion has not begun: whoever ends the call first decides what it gets
    RUNNING = 2
    DONE = 3


_OPEN, _RUNNING, _DONE = _Stage  # the hot path looks names up in the module


class Call:
    """A running call. Its completion runs exactly once, never inside the call that made it.

    The client makes these. Keep one to cancel it or to wait for it; it may be dropped, the call goes on.
    """

    # What most calls never change stands in the class: making a call is the dearest part of the hop.
    owner: weakref.ref[Any] | None = None
    engine: Engine | None = None
    task: asyncio.Task[None] | None = None
    handed_over = False
    dropped = False
    _stage = _OPEN
    _ended: threading.Event | None = None

    def __init__(
        self,
        request: Request | None,
        completion: Callable[..., Any],
        dispatcher: Dispatcher | None,
        *,
        settings: Settings | None,
        token: str | None,
        outcome: Outcome | None = None,
        pair: bool = False,
        refresh: bool = False,
    ) -> None:
        self.request = request
        self.completion: Callable[..., Any] | weakref.WeakMethod[Any] | None = completion
        self.dispatcher = dispatcher
        self.settings = settings
        self.token = token
        self.outcome = outcome
        self.pair = pair  # the completion takes two arguments
        self.refresh = refresh  # an answer about somebody who is no longer current changes nothing
        self.context: Context = copy_context()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'done' if self.done else 'running'}>"

    @property
    def done(self) -> bool:
        """True once the completion has returned, or was dropped because its owner is gone."""
        return self._stage is _DONE

    def cancel(self) -> bool:
        """Stop the call. True: its completion gets code 10102. False: the completion has begun or is done.

        An answer that has arrived but not yet reached the completion is thrown away, and makes nobody current.
        """
        engine = self.engine
        if engine is None or not self.decide(CANCELLED, engine):
            return False
        engine.post(self)
        return True

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the call is done; False when *timeout* seconds pass first. Ctrl-C cancels the call.

        Raises:
            RuntimeError: on the thread the completion needs, where waiting would never end; or the call was made before a
                fork, by the parent process.
        """
        self._check_may_wait()
        event = self._event()
        if event is None:
            return True
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            while True:
                left = _INTERRUPTIBLE if deadline is None else deadline - time.monotonic()
                if event.wait(max(min(left, _INTERRUPTIBLE), 0.0)):
                    return True
                if deadline is not None and left <= _INTERRUPTIBLE:
                    return False
        except KeyboardInterrupt:
            self.cancel()
            raise

    def _check_may_wait(self) -> None:
        thread = own_thread()
        if thread is not None:
            raise RuntimeError(f"wait() on {thread} would never end: go on in the completion instead.")
        if self.dispatcher is not None and runs_here(self.dispatcher):
            raise RuntimeError("wait() on the thread that runs the completion would never end: go on in it instead.")
        if self.engine is not None and self.engine.abandoned and not self.done:
            raise RuntimeError("This call was made before the fork: it belongs to the parent process.")

    def _event(self) -> threading.Event | None:
        """What is set when the call is done; None when it is."""
        engine = self.engine
        assert engine is not None, "a call is submitted before anybody has it"
        with engine.lock:
            if self.done:
                return None
            if self._ended is None:
                self._ended = threading.Event()
            return self._ended

    # ─────────────────────── the engine's side ───────────────────────

    def wait_ended(self, timeout: float | None) -> None:
        """Block until the call is done or *timeout* seconds have passed, whatever thread this is."""
        event = self._event()
        if event is not None:
            event.wait(timeout)

    @property
    def open(self) -> bool:
        """True until the completion begins."""
        return self._stage is _OPEN

    def decide(self, outcome: Outcome, engine: Engine, *, first: bool = False) -> bool:
        """Let the call end with *outcome*, unless the completion has begun; with *first*, unless anything is decided."""
        if engine.abandoned:
            return False
        with engine.lock:
            if self._stage is not _OPEN or (first and self.outcome is not None):
                return False
            self.outcome = outcome
            return True

    def deliver(self) -> None:
        """Run the completion, if it has not begun. Whatever it raises is reported; this raises nothing."""
        engine = self.engine
        if engine is None or engine.abandoned:
            return
        completion = self._living_completion()
        if completion is None:
            self.drop()
            return
        with engine.lock:
            outcome = self.outcome
            if self._stage is not _OPEN or outcome is None:
                return
            self._stage = _RUNNING
            engine.adopt(self, outcome)
        try:
            self.context.run(completion, *outcome.arguments(pair=self.pair))
        except BaseException as error:  # noqa: BLE001 - SystemExit included: it is the completion's, not the thread's
            engine.report(error)
        finally:
            del completion
            self._end(engine)

    def drop(self) -> None:
        """End without a completion: its owner is gone, there is no one to tell."""
        engine = self.engine
        if engine is None or engine.abandoned:
            return
        with engine.lock:
            if self._stage is not _OPEN:
                return
            self._stage = _DONE
        self._end(engine)

    def _living_completion(self) -> Callable[..., Any] | None:
        completion = self.completion
        if self.owner is None and not self.dropped:
            return completion
        if self.dropped or self.owner is None or is_gone(self.owner()):
            return None
        if isinstance(completion, weakref.WeakMethod):
            method: Callable[..., Any] | None = completion()
            return method
        return completion

    def _end(self, engine: Engine) -> None:
        # What the call holds is let go of: an application may keep the call for long.
        self.completion = self.request = self.settings = self.token = self.owner = None
        self.context = _EMPTY
        with engine.lock:
            self._stage = _DONE
            event = self._ended
        engine.forget(self)
        if event is not None:
            event.set()


_EMPTY = Context()


def runs_here(dispatcher: Dispatcher) -> bool:
    """Whether *dispatcher* runs completions on the running thread, as far as it says so."""
    says = getattr(dispatcher, "runs_here", None)
    return bool(says()) if callable(says) else False
