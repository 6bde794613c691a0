"""`Authing`: the Swift SDK's process-wide settings and current user, under the same names."""
# ruff: noqa: N802, N803 - the names are the Swift SDK's

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authing_mfa._plain_function import is_plain_function
from authing_mfa.compat.state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.compat.dispatch import Dispatcher
    from authing_mfa.models import UserInfo

__all__ = ["Authing"]


class Authing:
    """The application of this process, its settings, and its one current user.

    **The whole process has one current user. On a server, where each request has its own user, use the async client
    (`authing_mfa.AuthClient`) or the sync client (`authing_mfa.sync.AuthClient`) instead.**

    Settings may be made before or after `start`. They apply to calls made afterwards, not to running calls.
    """

    @staticmethod
    def start(app_id: str, **options: Any) -> None:
        """Choose the application. Calls made before the first `start` complete with code 10002.

        Args:
            app_id: the application's id.
            options: the keywords of `authing_mfa.AuthClient` except *session*; *token* becomes the current token. Settings of
                `setHost` and the other methods stay, unless an option replaces them.

        Raises:
            TypeError: an unknown keyword, or *session*: the calls run on an event loop of their own.
            InvalidInputError: an option is not valid.
        """
        token = options.pop("token", None)
        STATE.start(app_id, options, token)

    @staticmethod
    def setHost(host: str) -> None:
        """Choose the service's domain. It replaces a `base_url`.

        Args:
            host: the domain, e.g. ``authing.cn`` (the default).
        """
        STATE.set(host=host, base_url=None)

    @staticmethod
    def setSchema(schema: str) -> None:
        """Choose the scheme of the service's addresses.

        Args:
            schema: ``https`` (the default) or ``http``.
        """
        STATE.set(scheme=schema)

    @staticmethod
    def setOnPremiseInfo(host: str, publicKey: str) -> None:
        """Use an on-premises installation.

        Args:
            host: its host; public-config is requested from it.
            publicKey: its RSA key for passwords, base64 or PEM.
        """
        STATE.set(host=host, base_url=None, public_key=publicKey, on_premise=True)

    @staticmethod
    def setLanguage(language: str) -> None:
        """Choose the language of the service's messages.

        Args:
            language: a language tag, e.g. ``zh-CN``.
        """
        STATE.set(lang=language)

    @staticmethod
    def setDispatcher(dispatch: Dispatcher | None) -> None:
        """Choose the dispatcher that runs the completions of the calls made from now on.

        Args:
            dispatch: takes a function and calls it once, later, on its own thread, see `authing_mfa.compat.dispatch`. None: the
                callback thread runs the completions, one after the other.

        Raises:
            TypeError: *dispatch* cannot be called, or is a coroutine function or a generator, whose body would never run.
        """
        if dispatch is not None and not is_plain_function(dispatch):
            raise TypeError("dispatch must be a plain function, or None.")
        STATE.dispatcher = dispatch

    @staticmethod
    def setErrorHandler(handler: Callable[[BaseException], Any] | None) -> None:
        """Choose a function that is called once for each completion that raised.

        Args:
            handler: called with the exception. None: the exception is logged with its traceback.

        Raises:
            TypeError: *handler* cannot be called, or is a coroutine function or a generator, whose body would never run.
        """
        if handler is not None and not is_plain_function(handler):
            raise TypeError("handler must be a plain function, or None.")
        STATE.error_handler = handler

    @staticmethod
    def getCurrentUser() -> UserInfo | None:
        """Return the user who is logged in; None before a login, and between the password and the second factor."""
        return STATE.current.user

    @staticmethod
    def setCurrentToken(token: str | None) -> None:
        """Use *token* for the calls made from now on.

        Args:
            token: e.g. an mfaToken obtained elsewhere. None: there is no current user any more.

        Raises:
            InvalidInputError: the token is empty, not ASCII, or holds a control character.
        """
        STATE.set_token(token)

    @staticmethod
    def shutdown(timeout: float | None = 5.0) -> None:
        """Shut down: pending calls complete with code 10102, then connections and threads are closed.

        A call that spends a recovery code gets its answer, if it comes in time. The current user and the settings of the set…
        methods stay, and `start` may be called again. The interpreter's exit calls this method, too.

        Args:
            timeout: seconds to wait for the completions; None: no limit. Called in a completion, it does not wait: the pending
                completions run after the current completion.
        """
        STATE.shutdown(timeout)
