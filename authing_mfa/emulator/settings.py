"""What can be tuned: lifetimes, windows, limits. Times are seconds of the emulator's clock."""

from __future__ import annotations

import attrs

__all__ = ["Settings"]


@attrs.frozen
class Settings:
    """How strict the emulated application is. No source states most of these; the defaults are choices.

    Attributes:
        code_ttl: how long an SMS or e-mail code is good.
        code_length: digits of an SMS or e-mail code (`verifyCodeLength` of public-config).
        resend_window: how long the next code for the same target is refused (4004, 2080, 422); 0 never refuses.
        mfa_token_ttl: lifetime of an mfaToken; 360 in the service's published samples.
        user_token_ttl: lifetime of a user's token; 15 days in the service's published sample.
        enrollment_ttl: lifetime of a v3 enrollmentToken; one minute by the service's own text.
        totp_drift: how many 30-second steps a TOTP code may be early or late.
        lock_after: wrong passwords and codes in a row until the user is locked (2005); None never locks.
        lock_seconds: how long the lock holds.
        application_mfa: second factors that every user of the application must pass, in order (SMS, EMAIL, OTP, FACE).
        journal_size: how many requests are kept in full. Counts are kept for all.
    """

    code_ttl: float = 300.0
    code_length: int = 6
    resend_window: float = 60.0
    mfa_token_ttl: float = 360.0
    user_token_ttl: float = 15 * 86400.0
    enrollment_ttl: float = 60.0
    totp_drift: int = 1
    lock_after: int | None = None
    lock_seconds: float = 900.0
    application_mfa: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    journal_size: int = 1000
