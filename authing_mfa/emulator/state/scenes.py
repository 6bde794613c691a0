"""The purposes that the codes of each scene are valid for, if the settings enforce scenes (docs/wire.md#sending-codes)."""

from __future__ import annotations

__all__ = ["fits"]

_LOGIN = ("login", "register", "LOGIN_VERIFY_CODE", "REGISTER_VERIFY_CODE", "FIRST_EMAIL_LOGIN_VERIFY")
_MFA = ("mfa-verify", "mfa-bind", "MFA_VERIFY", "MFA_VERIFY_CODE")
_SCENES = {
    "login": frozenset((*_LOGIN, "CHANNEL_LOGIN", "CHANNEL_REGISTER")),
    "mfa": frozenset((*_MFA, "CHANNEL_VERIFY_MFA", "CHANNEL_BIND_MFA")),
}


def fits(scene: str | None, purpose: str) -> bool:
    """Return True if a code of *scene* is valid for *purpose*: ``login`` or ``mfa``.

    A code without a scene is valid for both, because the mobile clients send no scene; so is VERIFY_CODE, which iOS uses for MFA.
    """
    return scene in (None, "VERIFY_CODE") or scene in _SCENES[purpose]
