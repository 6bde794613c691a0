"""Decide from an answer or an error which arguments a completion gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from authing_mfa._language import in_language
from authing_mfa.errors import (
    AuthingError,
    CancelledCallError,
    ConfigError,
    LoginError,
    MfaRequiredError,
    PasswordChangeRequiredError,
    ResponseError,
)
from authing_mfa.models import IdToken, MfaChallenge, UserInfo

if TYPE_CHECKING:
    from authing_mfa.protocol import Answer

__all__ = [
    "CANCELLED",
    "EXITING",
    "NOT_STARTED",
    "SHUT_DOWN",
    "CurrentUser",
    "Outcome",
    "failed",
    "succeeded",
    "unexpected",
]


@attrs.frozen
class CurrentUser:
    """The user and the token of the next call. Between login and second factor there is a token and no user yet."""

    user: UserInfo | None = None
    token: str | None = attrs.field(default=None, repr=False)

    @classmethod
    def after(cls, value: object, token: str | None) -> CurrentUser | None:
        """Return the current user after a call with *token* returned *value*; None if that changes nothing.

        A challenge makes its mfaToken current and no user. A user becomes current with the token in the answer, or else with
        the token of the call. An answer without a user (a recovery code alone) changes nothing: the mfaToken must not be lost.
        """
        if isinstance(value, UserInfo):
            return None if value.id is None else cls(value, value.id_token or token)
        if isinstance(value, MfaChallenge):
            return cls(None, value.token)
        return None

    def renewed(self, fresh: IdToken) -> CurrentUser:
        """Return the same user with a *fresh* token."""
        user = self.user
        if user is not None:
            user = attrs.evolve(
                user,
                token=fresh.token,
                id_token=fresh.token,
                token_expires_at=fresh.expires_at or user.token_expires_at,
            )
        return CurrentUser(user, fresh.token)


@attrs.define
class Outcome:
    """The end of a call: the completion's arguments, and the current user from then on (None: no change). Immutable.

    Attributes:
        chinese: the message in Chinese, where *message* is an English sentence of this layer; else None.
    """

    code: int
    message: str | None
    value: Any = attrs.field(default=None, repr=False)
    current: CurrentUser | None = None
    chinese: str | None = None

    def in_language(self, lang: str) -> Outcome:
        """Return the outcome with its message in the language *lang*."""
        if self.chinese is None or self.message is None:
            return self
        return attrs.evolve(self, message=in_language(lang, (self.message, self.chinese)), chinese=None)


def succeeded(answer: Answer[Any], token: str | None) -> Outcome:
    """Return the outcome of a call with *token* that was answered."""
    value = answer.value
    return Outcome(200, answer.message, value, CurrentUser.after(value, token))


def failed(error: AuthingError) -> Outcome:
    """Return the outcome of a call that failed. Two failures have a value: the challenge, and the error that holds the token to change a password with."""
    if isinstance(error, LoginError):
        return _ours(LoginError(_NEEDS_TOKEN[0]), _NEEDS_TOKEN[1])
    if isinstance(error, MfaRequiredError):
        return Outcome(error.code, error.message, error.challenge, CurrentUser.after(error.challenge, None))
    return Outcome(error.code, error.message, error if isinstance(error, PasswordChangeRequiredError) else None)


def unexpected(error: BaseException) -> Outcome:
    """Return the outcome of a call that failed with an error outside the error tree: a defect, which is reported as well.

    The text of *error* is left out, because it may hold a secret.
    """
    kind = type(error).__name__
    return _ours(ResponseError(f"The call failed unexpectedly ({kind})."), f"调用意外失败（{kind}）。")


def _ours(error: AuthingError, chinese: str) -> Outcome:
    return Outcome(error.code, error.message, chinese=chinese)


_NEEDS_TOKEN: Final = (
    "This call needs a token: log in first, or use Authing.setCurrentToken(token).",
    "此调用需要令牌：请先登录，或使用 Authing.setCurrentToken(token)。",
)
CANCELLED: Final = _ours(CancelledCallError("The call was cancelled."), "调用已取消。")
SHUT_DOWN: Final = _ours(
    CancelledCallError("The client was shut down before the call had ended."), "客户端在调用结束之前已关闭。"
)
EXITING: Final = _ours(CancelledCallError("The program ended before the call."), "程序在调用之前已结束。")
NOT_STARTED: Final = _ours(
    ConfigError("There is no application: call Authing.start(app_id) first."),
    "没有应用：请先调用 Authing.start(app_id)。",
)
