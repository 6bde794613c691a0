"""The process-wide state behind `Authing`: what was chosen, who is current, which engine runs, and its end with the process."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from authing_mfa.compat.call import Call
from authing_mfa.compat.current import CurrentHolder
from authing_mfa.compat.outcome import EXITING, Outcome, failed
from authing_mfa.compat.owner import attach
from authing_mfa.compat.runner import Engine
from authing_mfa.compat.settings import Choices, Settings
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.compat.call import Request
    from authing_mfa.compat.dispatch import Dispatcher

__all__ = ["SESSION", "Session"]

EXIT_TIMEOUT = 1.0  # seconds that the interpreter's exit may take for us

_log = logging.getLogger("authing_mfa.compat")


class Session:
    """One application, one current user, one engine, as long as the process lives."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._choices = Choices()
        self._settings: Settings | None = None
        self._engine: Engine | None = None
        self._exiting = False
        self._late: deque[Call] = deque()  # made while the interpreter exits
        self.current = CurrentHolder()
        self.dispatcher: Dispatcher | None = None
        self.error_handler: Callable[[BaseException], Any] | None = None

    # ─────────────────────── choices ───────────────────────

    def start(self, app_id: str, options: dict[str, Any]) -> None:
        """Choose the application. What cannot be right is raised here, before any call is made."""
        with self._lock:
            choices = Choices(self._choices.app_id, self._choices.options, self._choices.overrides)
            choices.start(app_id, options)
            settings = choices.settings()
            assert settings is not None, "an application has just been chosen"
            settings.client()  # never entered, so there is nothing to close
            self._choices, self._settings = choices, settings

    def set(self, **values: Any) -> None:
        """Choose for the next calls; those that run go on as they are."""
        with self._lock:
            before = self._choices.overrides
            self._choices.set(**values)
            if self._choices.overrides != before:
                self._settings = self._choices.settings()

    # ─────────────────────── calls ───────────────────────

    def call(
        self,
        request: Callable[[], Request],
        completion: Callable[..., Any],
        dispatcher: Dispatcher | None,
        owner: object,
        *,
        pair: bool = False,
        refresh: bool = False,
    ) -> Call:
        """Make a call. Whatever is wrong with *request* arrives in the completion.

        Raises:
            TypeError: the completion or the dispatcher cannot be called, or the owner cannot be weakly referenced: there is
                no one to tell it.
        """
        if not callable(completion):
            raise TypeError("completion must be a function.")
        dispatcher = self.dispatcher if dispatcher is None else dispatcher
        if dispatcher is not None and not callable(dispatcher):
            raise TypeError("dispatcher must be a function.")
        made: Request | None = None
        outcome: Outcome | None = None
        try:
            made = request()
        except AuthingError as error:
            outcome = failed(error)
        token = self.current.value.token
        call = Call(
            made,
            completion,
            dispatcher,
            settings=self._settings,
            token=token,
            outcome=outcome,
            pair=pair,
            refresh=refresh,
        )
        if owner is not None:
            attach(call, owner, _drop)
        self._submit(call)
        return call

    def _submit(self, call: Call) -> None:
        engine = self._engine
        while engine is None or not engine.submit(call):
            with self._lock:
                if self._exiting:
                    self._submit_late(call)
                    return
                if self._engine is None or self._engine.closed:
                    self._engine = Engine(self.report, self._adopt)
                    _engines.add(self._engine)
                engine = self._engine

    def _submit_late(self, call: Call) -> None:
        """A call made while the interpreter exits, by another one's completion: no thread can be had for it any more."""
        if self._engine is None:
            raise RuntimeError("The interpreter is exiting: no more calls can be made.")
        call.engine = self._engine
        call.outcome = EXITING
        self._late.append(call)

    def _adopt(self, call: Call, outcome: Outcome) -> None:
        if outcome.current is None:
            return
        if call.refresh and self.current.value.token != call.token:
            return  # somebody else has logged in since: an answer about the former user does not bring them back
        self.current.value = outcome.current

    def report(self, error: BaseException) -> None:
        """Tell the error handler, else the log, of what a completion or dispatcher raised. Raises nothing."""
        handler = self.error_handler
        try:
            if handler is not None:
                handler(error)
                return
        except BaseException:  # noqa: BLE001 - the handler is the application's
            _log.exception("The error handler raised.")
        _log.error("A completion raised.", exc_info=error)

    # ─────────────────────── the end ───────────────────────

    def shutdown(self, timeout: float | None) -> None:
        """Complete what is pending with 10102, close clients and threads; back to before `start`, but for set… and user."""
        with self._lock:
            engine, self._engine = self._engine, None
            self._choices.app_id, self._choices.options = None, {}
            self._settings = None
        if engine is not None:
            engine.close(timeout)

    def exit(self) -> None:
        """The interpreter exits: a shutdown, with a bound."""
        deadline = time.monotonic() + EXIT_TIMEOUT
        with self._lock:
            self._exiting = True
            engine = self._engine
        if engine is not None:
            engine.close(EXIT_TIMEOUT, exiting=True)
        while self._late and time.monotonic() < deadline:
            self._late.popleft().deliver()
        with self._lock:
            self._engine = None

    def after_fork(self) -> None:
        """In the child: the same application and user, nothing running; what runs in the parent completes only there."""
        self._lock = threading.RLock()
        self._engine = None
        _inherited.extend(_engines)  # for ever: closing their loops would take sockets off the parent's selector
        for engine in _inherited:
            engine.abandon()
        self._late.clear()


_engines: weakref.WeakSet[Engine] = weakref.WeakSet()
_inherited: list[Engine] = []


def _drop(call: Call) -> None:
    if call.engine is None:
        call.dropped = True
    else:
        call.engine.drop(call)


SESSION = Session()
atexit.register(SESSION.exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SESSION.after_fork)
