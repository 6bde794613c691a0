"""Time-based one-time passwords (RFC 6238: SHA-1, six digits, 30 seconds) with the standard library alone."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from random import Random

__all__ = ["PERIOD", "code_at", "matching_step", "new_recovery_code", "new_secret", "otpauth_uri", "step_of"]

PERIOD = 30
"""Seconds of one time step."""


def new_secret(rng: Random) -> str:
    """A secret as the service makes them: 16 base32 characters, 80 bits."""
    return base64.b32encode(rng.randbytes(10)).decode()


def new_recovery_code(rng: Random) -> str:
    """A recovery code as the service makes them: six groups of four lower-case hex digits."""
    text = rng.randbytes(12).hex()
    return "-".join(text[at : at + 4] for at in range(0, 24, 4))


def step_of(now: float) -> int:
    """The time step that *now* is in."""
    return int(now // PERIOD)


def code_at(secret: str, step: int) -> str:
    """The six digits of *secret* in time step *step*."""
    padded = secret + "=" * (-len(secret) % 8)
    digest = hmac.digest(base64.b32decode(padded), step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def matching_step(secret: str, code: str, now: float, drift: int) -> int | None:
    """The step, at most *drift* away from *now*, whose code is *code*; the nearest first; None where there is none."""
    if len(code) != 6 or not code.isascii() or not code.isdigit():
        return None
    current = step_of(now)
    steps = sorted(range(max(current - drift, 0), current + drift + 1), key=lambda step: abs(step - current))
    return next((step for step in steps if hmac.compare_digest(code_at(secret, step), code)), None)


def otpauth_uri(issuer: str, account: str, secret: str) -> str:
    """What the QR picture holds."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    return f"otpauth://totp/{label}?secret={secret}&period=30&digits=6&algorithm=SHA1&issuer={quote(issuer, safe='')}"
