"""Time-based one-time passwords as the service makes them: SHA-1, six digits, 30 seconds, base32 secrets of 80 bits."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from authing_mfa import _totp
from authing_mfa._totp import PERIOD, step_of

if TYPE_CHECKING:
    from random import Random

__all__ = ["PERIOD", "code_at", "matching_step", "new_recovery_code", "new_secret", "otpauth_uri", "step_of"]

_ISSUER = "Authing Emulator"
_LABEL = 100


def new_secret(rng: Random) -> str:
    """Return a secret as the service makes them: 16 base32 characters, 80 bits."""
    return base64.b32encode(rng.randbytes(10)).decode()


def new_recovery_code(rng: Random) -> str:
    """Return a recovery code as the service makes them: six groups of four lower-case hex digits."""
    text = rng.randbytes(12).hex()
    return "-".join(text[at : at + 4] for at in range(0, 24, 4))


def code_at(secret: str, step: int) -> str:
    """Return the six digits of *secret* in time step *step*."""
    return _totp.code_at(base64.b32decode(secret + "=" * (-len(secret) % 8)), step)


def matching_step(secret: str, code: str, now: float, drift: int) -> int | None:
    """Return the step, at most *drift* away from *now*, whose code is *code*; the nearest first; None if no step has this code."""
    if len(code) != 6 or not code.isascii() or not code.isdigit():
        return None
    current = step_of(now)
    steps = sorted(range(max(current - drift, 0), current + drift + 1), key=lambda step: abs(step - current))
    return next((step for step in steps if hmac.compare_digest(code_at(secret, step), code)), None)


def otpauth_uri(account: str, secret: str) -> str:
    """Return the ``otpauth://`` address in the QR picture. A long *account*, which is only for people, is cut: a phone must be able to scan it."""
    return _totp.otpauth_uri(secret, account[:_LABEL], issuer=_ISSUER)
