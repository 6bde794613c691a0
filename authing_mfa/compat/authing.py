"""`Authing`: the Swift SDK's process-wide settings and current user, under the same names."""
# ruff: noqa: N802, N803 - the names are the Swift SDK's

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authing_mfa.compat.outcome import CurrentUser
from authing_mfa.compat.state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.compat.dispatch import Dispatcher
    from authing_mfa.models import UserInfo

__all__ = ["Authing"]


class Authing:
    """The application of this process, its settings, and its one current user.

    **There is one current user for the whole process. On a server, where each request has a user of its own, use the async client
    (`authing_mfa.AuthClient`) or the sync client (`authing_mfa.sync.AuthClient`) instead.**

    Settings may be made before or after `start`: they apply to the calls made afterwards, not to those that run.
    """

    @staticmethod
    def start(app_id: str, **options: Any) -> None:
        """Choose the application; calls made before this complete with code 10002.

        Args:
            app_id: the application's id.
            options: the keywords of `authing_mfa.AuthClient`; `token` makes it the current one. What `setHost` and the others
                said before stays, unless it is said here again.

        Raises:
            TypeError: an unknown keyword.
            InvalidInputError: a value that cannot be right.
        """
        token = options.pop("token", None)
        STATE.start(app_id, options)
        if token is not None:
            STATE.current = CurrentUser(None, token)

    @staticmethod
    def setHost(host: str) -> None:
        """Choose the service's domain. It takes the place of a `base_url`.

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
        """Use an installation of one's own.

        Args:
            host: its host, which is asked for public-config itself.
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
            dispatch: given a function, has it called once, later, where it likes: see `authing_mfa.compat.dispatch`. None:
                the callback thread, one completion after the other.
        """
        if dispatch is not None and not callable(dispatch):
            raise TypeError("dispatch must be a function, or None.")
        STATE.dispatcher = dispatch

    @staticmethod
    def setErrorHandler(handler: Callable[[BaseException], Any] | None) -> None:
        """Choose a function that is called once for each completion that raised.

        Args:
            handler: called with the exception. None: the exception is logged with its traceback.

        Raises:
            TypeError: *handler* cannot be called.
        """
        if handler is not None and not callable(handler):
            raise TypeError("handler must be a function, or None.")
        STATE.error_handler = handler

    @staticmethod
    def getCurrentUser() -> UserInfo | None:
        """Return the user who last logged in or passed a second factor; None between the two."""
        return STATE.current.user

    @staticmethod
    def setCurrentToken(token: str | None) -> None:
        """Use *token* for the calls made from now on.

        Args:
            token: e.g. an mfaToken obtained elsewhere. None: nobody is logged in any more.
        """
        STATE.current = CurrentUser(None, token)

    @staticmethod
    def shutdown(timeout: float | None = 5.0) -> None:
        """End what `start` began: pending calls complete with code 10102; connections and threads are closed.

        `start` again works; the current user and what the set… functions said stay. Leaving the interpreter does this too.

        Args:
            timeout: seconds it may take; None: as long as the completions take. In a completion it does not wait at all: the
                pending ones run after that one.
        """
        STATE.shutdown(timeout)
