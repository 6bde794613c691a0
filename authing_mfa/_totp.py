"""Time-based one-time passwords (RFC 6238) with the standard library alone. No I/O, no clock."""

from __future__ import annotations

import hmac
from urllib.parse import quote

__all__ = ["PERIOD", "code_at", "otpauth_uri", "step_of"]

PERIOD = 30
"""Seconds of one time step, unless an address names another number."""


def step_of(now: float, period: int = PERIOD) -> int:
    """Return the time step that *now* (epoch seconds) is in."""
    return int(now // period)


def code_at(key: bytes, step: int, digits: int = 6, digest: str = "sha1") -> str:
    """Return the code of the decoded secret *key* in time step *step* (RFC 4226, section 5.3)."""
    mac = hmac.digest(key, step.to_bytes(8, "big"), digest)
    start = mac[-1] & 15
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def otpauth_uri(
    secret: str, account: str, *, issuer: str = "", digits: int = 6, period: int = PERIOD, digest: str = "sha1"
) -> str:
    """Return the ``otpauth://`` address that authenticator apps read from a QR picture.

    Args:
        secret: base32 text.
        account: the account's name, for people.
        issuer: the service's name, for people.
        digits: digits of a code.
        period: seconds that a code is shown.
        digest: ``sha1``, ``sha256`` or ``sha512``.
    """
    named = quote(issuer, safe="")
    label = f"{named}:{quote(account, safe='')}" if issuer else quote(account, safe="")
    tail = f"&issuer={named}" if issuer else ""
    return f"otpauth://totp/{label}?secret={secret}&period={period}&digits={digits}&algorithm={digest.upper()}{tail}"
