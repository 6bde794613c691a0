"""`Call`: one call of the callback layer, as the application sees it. `authing_mfa.compat.runner` runs it."""

from __future__ import annotations

import threading
import time
import weakref
from contextvars import Context, copy_context
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from authing_mfa._threads import own_thread
from authing_mfa.compat.dispatch import runs_here
from authing_mfa.models import UserInfo

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from authing_mfa.compat.completion import Shape
    from authing_mfa.compat.dispatch import Dispatcher
    from authing_mfa.compat.outcome import Outcome
    from authing_mfa.compat.owner import Watch
    from authing_mfa.compat.settings import Settings
    from authing_mfa.operations import Operation

__all__ = ["Call", "Stage"]

_INTERRUPTIBLE = 1.0  # seconds; longer waits are split, because Ctrl-C does not interrupt a lock on every system


class Runner(Protocol):
    """The methods of a runner that a call uses."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Protects the stages of all calls."""
        ...

    @property
    def abandoned(self) -> bool:
        """True in the child process after a fork: the parent completes these calls."""
        ...

    def cancel(self, call: Call) -> bool:
        """Cancel *call*. Return True if its completion gets code 10102."""
        ...

    def post(self, call: Call) -> None:
        """Check *call* again, because it was cancelled or its owner is gone."""


class Stage(Enum):
    """The stage of a call's completion."""

    OPEN = 1  # the completion has not begun: the thread that ends the call first decides what the completion gets
    RUNNING = 2
    DONE = 3


_OPEN, _RUNNING, _DONE = Stage  # module globals: the hot path reads them
_EMPTY = Context()


class Call:
    """A running call. Its completion runs exactly once, never inside the method that made the call.

    On another thread, also the callback thread, it can run before that method has returned.

    The methods of `AuthClient` return one. Keep it to cancel the call or to wait for it; if you drop it, the call goes on.
    """

    # Defaults are class attributes, so that creating a call (the hot path) sets fewer attributes.
    owner: Watch | None = None
    owner_gone: bool = False
    runner: Runner | None = None
    task: asyncio.Task[None] | None = None
    delivered: bool = False  # handed to a dispatcher or to the callback thread
    lang_before_start: str = ""
    spends_recovery_code: bool = False
    begun: bool = False  # of a call that spends a recovery code: its request may have been sent
    stage: Stage = _OPEN
    _ended: threading.Event | None = None

    def __init__(
        self,
        request: Operation[Any] | None,
        completion: Callable[..., Any] | weakref.WeakMethod[Any],
        dispatcher: Dispatcher | None,
        *,
        settings: Settings | None,
        token: str | None,
        outcome: Outcome | None = None,
        name: str,
        shape: Shape,
    ) -> None:
        self.request = request
        self.completion: Callable[..., Any] | weakref.WeakMethod[Any] | None = completion
        self.dispatcher = dispatcher
        self.settings = settings
        self.token = token
        self.outcome = outcome
        self.name = name  # the method that made the call
        self.shape = shape  # the shape of the completion's arguments
        self.context: Context = copy_context()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {'done' if self.done else 'running'}>"

    @property
    def lang(self) -> str:
        """The language of the client's sentences."""
        return self.lang_before_start if self.settings is None else self.settings.lang

    @property
    def done(self) -> bool:
        """True once the completion has returned, or was dropped because its owner is gone."""
        return self.stage is _DONE

    def cancel(self) -> bool:
        """Cancel the call. Return True if its completion gets code 10102, False if the completion has already begun.

        An answer that has not reached the completion is discarded and does not change the current user. A call that spends a
        recovery code cannot be cancelled once its request may have been sent, because its answer holds the new code.
        """
        return self.runner is not None and self.runner.cancel(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the call is done. Ctrl-C cancels the call, see `cancel`.

        Args:
            timeout: the maximum seconds to wait; None: no limit.

        Returns:
            True when the call is done, False when *timeout* has passed first.

        Raises:
            RuntimeError: this thread must run the completion, so waiting would never end; or the parent process made the
                call before a fork.
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
        except RuntimeError as error:
            if not isinstance(error.__context__, KeyboardInterrupt):
                raise
            # Ctrl-C came while Python's Event took its lock again, and the Event released a lock that it did not have.
            self.cancel()
            raise KeyboardInterrupt from None

    def _check_may_wait(self) -> None:
        thread = own_thread()
        if thread is not None:
            raise RuntimeError(f"wait() on {thread} would never end: continue in the completion instead.")
        if self.dispatcher is not None and runs_here(self.dispatcher):
            raise RuntimeError(
                "wait() on the thread that runs the completion would never end: continue in the completion instead."
            )
        if self.runner is not None and self.runner.abandoned and not self.done:
            raise RuntimeError("This call was made before the fork: it belongs to the parent process.")

    def _event(self) -> threading.Event | None:
        """Return the event that is set when the call is done, or None if the call is done."""
        runner = self.runner
        assert runner is not None, "a call is submitted before its maker gets it"
        with runner.lock:
            if self.done:
                return None
            if self._ended is None:
                self._ended = threading.Event()
            return self._ended

    # ─────────────────────── for the runner ───────────────────────

    def wait_ended(self, timeout: float | None) -> None:
        """Block until the call is done or *timeout* seconds have passed, on any thread.

        Args:
            timeout: seconds to wait; None: as long as it takes.
        """
        event = self._event()
        if event is not None:
            event.wait(timeout)

    @property
    def open(self) -> bool:
        """True until the completion begins."""
        return self.stage is _OPEN

    def note_owner_gone(self) -> None:
        """End the call without its completion, because the owner is gone. Takes no lock, so any thread may call it at any moment."""
        self.owner_gone = True
        if self.runner is not None:
            self.runner.post(self)

    @property
    def must_end(self) -> bool:
        """True if nothing may stop the call any more: it may have spent the recovery code, and its answer holds the new one."""
        return self.spends_recovery_code and self.begun

    @property
    def holds_new_code(self) -> bool:
        """True if the answer has arrived and has a new recovery code."""
        user = None if self.outcome is None else self.outcome.value
        return self.must_end and isinstance(user, UserInfo) and user.recovery_code is not None

    @property
    def without_owner(self) -> bool:
        """True if the call had an owner that is gone."""
        return self.owner_gone or (self.owner is not None and self.owner.gone)

    def living_completion(self) -> Callable[..., Any] | None:
        """Return the completion, or None if it is a method of an owner that is gone."""
        completion = self.completion
        return completion() if isinstance(completion, weakref.WeakMethod) else completion

    def release(self) -> threading.Event | None:
        """Release the objects that the call holds (an application may keep it for long). Return the event to set, if a thread waits for it."""
        self.completion = self.request = self.settings = self.token = self.owner = None
        self.context = _EMPTY
        self.stage = _DONE
        return self._ended
