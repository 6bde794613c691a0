"""Data of logins: captchas that were shown, tokens to change a password with, tokens that a logout has ended.

All of it is limited: the oldest is removed first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from authing_mfa.emulator.state.records import PasswordToken

if TYPE_CHECKING:
    from random import Random

    from authing_mfa.emulator.state.records import User

__all__ = ["Sessions"]

V = TypeVar("V")

_KEPT = 10_000
_CAPTCHA_LETTERS = "ACDEFHJKLMNPRTUVWXY34679"


def _keep(table: dict[str, V], key: str, value: V) -> None:
    table[key] = value
    if len(table) > _KEPT:
        del table[next(iter(table))]


class Sessions:
    """Captchas, tokens to change a password with, and ended tokens of one namespace."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.captchas: dict[str, str] = {}
        self.password_tokens: dict[str, PasswordToken] = {}
        self.ended: dict[str, float] = {}

    def new_captcha(self) -> tuple[str, str]:
        """Return the cookie and the text of a new captcha."""
        cookie, text = self._rng.randbytes(16).hex(), "".join(self._rng.choices(_CAPTCHA_LETTERS, k=4))
        _keep(self.captchas, cookie, text)
        return cookie, text

    def new_password_token(self, user: User, expires_at: float) -> str:
        """Return a token with which *user* can change the password."""
        token = self._rng.randbytes(24).hex()
        _keep(self.password_tokens, token, PasswordToken(user.id, expires_at))
        return token

    def forget(self, user: User) -> None:
        """Void the tokens with which *user* can change the password."""
        kept = {token: known for token, known in self.password_tokens.items() if known.user_id != user.id}
        self.password_tokens = kept

    def end(self, token_id: str, expires_at: float) -> None:
        """End the token with this id."""
        _keep(self.ended, token_id, expires_at)
