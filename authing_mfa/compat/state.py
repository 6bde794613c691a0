"""The process-wide state behind `Authing`: its settings, the current user, the runner, and the end with the process."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import deque
from types import NoneType
from typing import TYPE_CHECKING, Any

from authing_mfa import images
from authing_mfa._log_lines import log_error
from authing_mfa._options import check_token_text
from authing_mfa._plain_function import is_plain_function
from authing_mfa._sentences import translate
from authing_mfa.compat.call import Call
from authing_mfa.compat.completion import check_completion
from authing_mfa.compat.outcome import EXITING, CurrentUser, Outcome, failed
from authing_mfa.compat.owner import held_weakly, watch
from authing_mfa.compat.runner import Runner
from authing_mfa.compat.settings import Choices, Settings
from authing_mfa.errors import AuthingError, CancelledCallError
from authing_mfa.models import IdToken
from authing_mfa.operations import GetCurrentUser, Logout, RefreshIdToken, UploadFaceImage, VerifyByRecoveryCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.compat.dispatch import Dispatcher
    from authing_mfa.operations import Operation

__all__ = ["STATE", "State"]

EXIT_TIMEOUT = 1.0  # seconds that we may add to the interpreter's exit

_log = logging.getLogger("authing_mfa.compat")


class State:
    """One application, one current user, one runner, as long as the process lives."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._choices = Choices()
        self._settings: Settings | None = None
        self._runner: Runner | None = None
        self._exiting = False
        self._late: deque[Call] = deque()  # made while the interpreter exits
        self.current: CurrentUser = CurrentUser()  # read and replaced in one step each, so no lock is needed
        self.dispatcher: Dispatcher | None = None
        self.error_handler: Callable[[BaseException], Any] | None = None

    # ─────────────────────── choices ───────────────────────

    def start(self, app_id: str, options: dict[str, Any], token: str | None = None) -> None:
        """Choose the application, and make *token* current if there is one. A wrong setting raises here, before any call is made."""
        with self._lock:
            choices = Choices(self._choices.app_id, self._choices.options, self._choices.overrides)
            choices.start(app_id, options)
            settings = choices.settings()
            assert settings is not None, "an application has just been chosen"
            settings.client()  # never opened, so there is nothing to close
            current = None if token is None else _user_with(token, settings.lang)
            self._choices, self._settings = choices, settings
            if current is not None:
                self.current = current

    def set(self, **values: Any) -> None:
        """Choose settings for the next calls; running calls keep theirs."""
        with self._lock:
            before = self._choices.overrides
            self._choices.set(**values)
            if self._choices.overrides != before:
                self._settings = self._choices.settings()

    def set_token(self, token: str | None) -> None:
        """Make *token* current, and no user. A wrong token raises."""
        self.current = _user_with(token, self._lang)

    # ─────────────────────── calls ───────────────────────

    def _taken(self, source: Any) -> Any:
        """Return what the call needs of the picture *source*. The application's own limit counts, not the usual one."""
        options = {} if self._settings is None else self._settings.options
        return images.take(source, max_memory=options.get("max_image_memory", images.MEMORY_LIMIT))

    def call(
        self,
        operation: type[Operation[Any]],
        arguments: tuple[Any, ...],
        completion: Callable[..., Any],
        dispatcher: Dispatcher | None,
        owner: object,
        *,
        name: str | None = None,
    ) -> Call:
        """Make a call. An argument that cannot be right arrives in the completion.

        Args:
            operation: what to do.
            arguments: the operation's fields, in order.
            completion: the application's function.
            dispatcher: runs the completion; None: the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that it is for.
            name: of the method, if it is not the operation's first name in Swift.

        Raises:
            TypeError: the completion cannot take the call's arguments, the dispatcher is not a plain function, or the owner
                cannot be weakly referenced.
        """
        name = operation.swift_names[0] if name is None else name
        upload = operation is UploadFaceImage
        shape = check_completion(completion, name=name, upload=upload, valueless=operation.returns is NoneType)
        if dispatcher is None:
            dispatcher = self.dispatcher
        elif not is_plain_function(dispatcher):
            raise TypeError("dispatcher must be a plain function.")
        made: Operation[Any] | None = None
        outcome: Outcome | None = None
        try:
            made = operation(*arguments) if not upload else UploadFaceImage(self._taken(arguments[0]), *arguments[1:])
        except AuthingError as error:
            outcome = failed(translate(error, self._lang))
        spends = operation is VerifyByRecoveryCode
        call = Call(
            made,
            completion if owner is None or spends else held_weakly(completion, owner),
            dispatcher,
            settings=self._settings,
            token=self.current.token,
            outcome=outcome,
            name=name,
            shape=shape,
        )
        if spends:
            call.spends_recovery_code = True
        if call.settings is None:
            call.lang_before_start = self._lang
        if owner is not None:
            call.owner = watch(owner, call.note_owner_gone)
        self._submit(call)
        return call

    @property
    def _lang(self) -> str:
        """The language of sentences."""
        settings = self._settings
        return str(self._choices.overrides.get("lang", "")) if settings is None else settings.lang

    def _submit(self, call: Call) -> None:
        runner = self._runner
        while runner is None or not runner.submit(call):
            with self._lock:
                if self._exiting:
                    self._submit_late(call)
                    return
                if self._runner is None or self._runner.closed:
                    self._runner = Runner(self.report, self._set_current)
                    _runners.add(self._runner)
                runner = self._runner

    def _submit_late(self, call: Call) -> None:
        """Complete a call that another call's completion made while the interpreter exits: no thread can be started any more."""
        if self._runner is None:
            raise RuntimeError("The interpreter is exiting: no more calls can be made.")
        call.runner = self._runner
        call.outcome = EXITING
        self._late.append(call)

    def _set_current(self, call: Call, outcome: Outcome) -> None:
        """Note the current user, just before the completion runs."""
        request, new = call.request, outcome.current
        if isinstance(request, (GetCurrentUser, RefreshIdToken, Logout)) and self.current.token != call.token:
            return  # another user has logged in since: an answer about the former user does not make them current again
        if isinstance(request, RefreshIdToken) and isinstance(outcome.value, IdToken):
            new = self.current.renewed(outcome.value)
        elif isinstance(request, Logout) and outcome.code != CancelledCallError.default_code:
            new = CurrentUser()  # whatever the service answered, as in Swift
        if new is not None:
            self.current = new

    def report(self, error: BaseException, what: str) -> None:
        """Report to the error handler, or else to the log, that *what* raised *error*. Raises nothing."""
        handler = self.error_handler
        try:
            if handler is not None:
                handler(error)
                return
        except BaseException as raised:  # noqa: BLE001 - the handler is the application's
            log_error(_log, "The error handler raised.", error=raised)
        log_error(_log, "%s raised.", what, error=error)

    # ─────────────────────── the end ───────────────────────

    def shutdown(self, timeout: float | None) -> None:
        """Complete pending calls with 10102, close clients and threads. The settings of set… and the current user stay."""
        with self._lock:
            runner, self._runner = self._runner, None
            self._choices.app_id, self._choices.options = None, {}
            self._settings = None
        if runner is not None:
            runner.close(timeout)

    def exit(self) -> None:
        """Shut down within a time limit, because the interpreter exits."""
        with self._lock:
            self._exiting = True
            runner = self._runner
        if runner is not None:
            runner.close(EXIT_TIMEOUT, exiting=True)
        deadline = time.monotonic() + EXIT_TIMEOUT  # completions that call again and again must not keep the program
        while runner is not None and self._late and time.monotonic() < deadline:
            runner.complete(self._late.popleft())
        with self._lock:
            self._runner = None

    def after_fork(self) -> None:
        """Reset in a forked child: the same application and user, no running call; the parent's calls complete only there."""
        self._lock = threading.RLock()
        self._runner = None
        _inherited.extend(_runners)  # for ever: closing their loops would change the parent's selector
        for runner in _inherited:
            runner.abandon()
        self._late.clear()


def _user_with(token: str | None, lang: str) -> CurrentUser:
    try:
        return CurrentUser(None, check_token_text(token))
    except AuthingError as error:
        raise translate(error, lang) from None


_runners: weakref.WeakSet[Runner] = weakref.WeakSet()
_inherited: list[Runner] = []


STATE = State()
atexit.register(STATE.exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=STATE.after_fork)
