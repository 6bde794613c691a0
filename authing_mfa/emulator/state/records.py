"""The records of the emulator: users, codes, photos, messages. They are plain and mutable; `state` keeps them and their indexes."""

from __future__ import annotations

import re

import attrs

__all__ = [
    "Enrollment",
    "PasswordToken",
    "Photo",
    "SentCode",
    "SentMessage",
    "Totp",
    "User",
    "canonical_phone",
    "canonical_target",
    "country_after_change",
    "country_of",
    "looks_like_phone",
]

DEFAULT_COUNTRY = "+86"
"""The country that the service assumes for a phone number without country code."""


_PHONE = re.compile(r"[\s(]*\+?[0-9\s().-]+")


def looks_like_phone(account: str) -> bool:
    """Return True if *account* is written like a phone number. A name with digits in it (``shop-138``) is not."""
    return _PHONE.fullmatch(account) is not None and any(letter.isdigit() for letter in account)


def canonical_phone(phone: str, country_code: str | None = None) -> str:
    """Return *phone* in one spelling: digits after the country code, so that ``+86 138…``, ``0086 138…`` and ``138…`` are the same."""
    digits = "".join(letter for letter in phone if letter.isdigit())
    if _has_country(phone):
        return "+" + digits.removeprefix("00")
    country = (country_code or DEFAULT_COUNTRY).strip().lstrip("+").removeprefix("00")
    return f"+{country}{digits}"


def _has_country(phone: str) -> bool:
    return phone.strip().lstrip("( ").startswith(("+", "00"))


def country_of(phone: str) -> str | None:
    """Return the country code to show beside *phone*: None if the number itself has one."""
    return None if _has_country(phone) else DEFAULT_COUNTRY


def country_after_change(before: str | None, country: str | None, phone: str) -> str | None:
    """Return the country code to show beside *phone*, which replaces *before* of *country*: the same number keeps it."""
    same = before is not None and canonical_phone(phone, country) == canonical_phone(before, country)
    return country if same and not _has_country(phone) else country_of(phone)


def canonical_target(target: str, country_code: str | None = None) -> str:
    """Return a phone number or an e-mail address in one spelling."""
    return target.strip().lower() if "@" in target else canonical_phone(target, country_code)


@attrs.define
class Totp:
    """A TOTP binding, confirmed or not.

    Attributes:
        last_step: the newest time step whose code was used; codes of this and older steps are refused.
        confirmed_step: the step that confirmed the binding; its code is valid for one more verification, because the official
            mobile clients send it again.
    """

    id: str
    secret: str = attrs.field(repr=False)
    recovery_code: str = attrs.field(repr=False)
    source: str = "SELF"
    created_at: float = 0.0
    last_step: int = -1
    confirmed_step: int | None = None


@attrs.define
class User:
    """One user of the pool.

    Attributes:
        mfa: the second factors the application asks of this user.
        serial: which user of the pool this is, counted from 1. A user who is deleted and added again with the same id has another
            one: the old tokens are of the user before. 0 for users of old snapshots.
        password_change: 1639, 2058 or 2071 if the password must be changed before a login.
        failures: wrong codes since the last right one.
        wrong_passwords: wrong passwords since the last right one.
        locked_at: when the last lock began.
    """

    id: str
    username: str | None
    password_hash: bytes | None = attrs.field(repr=False)
    created_at: float
    updated_at: float
    phone: str | None = None
    phone_country_code: str | None = None
    email: str | None = None
    nickname: str | None = None
    name: str | None = None
    mfa: tuple[str, ...] = ()
    password_change: int | None = None
    mfa_phone: str | None = None
    mfa_phone_country_code: str | None = None
    mfa_email: str | None = None
    totp: Totp | None = None
    pending_totp: Totp | None = None
    face: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    failures: int = 0
    wrong_passwords: int = 0
    locked_until: float = 0.0
    locked_at: float = 0.0
    logins: int = 0
    last_login: float | None = None
    last_mfa: float | None = None
    custom: dict[str, object] = attrs.field(factory=dict)
    serial: int = 0

    @property
    def label(self) -> str:
        """The first of user name, e-mail, phone and id that is not empty."""
        return self.username or self.email or self.phone or self.id


@attrs.frozen
class SentMessage:
    """One SMS or e-mail that the service would have sent.

    Attributes:
        channel: ``sms`` or ``email``.
        to: the phone number or address, as the request gave it.
        code: the code in it.
        sent_at: epoch seconds of the emulator's clock.
        scene: the purpose that the request named, or None.
        id: counts up from 1.
        target: *to* in one spelling, with its country code.
    """

    channel: str
    to: str
    code: str = attrs.field(repr=False)
    sent_at: float
    scene: str | None
    id: int = 0
    target: str = attrs.field(default="", repr=False)


@attrs.define
class SentCode:
    """The valid code of a target.

    Attributes:
        earlier: when the last code of each other scene was sent to the target, within the resend window.
    """

    code: str = attrs.field(repr=False)
    sent_at: float
    used: bool = False
    scene: str | None = None
    earlier: dict[str, float] = attrs.field(factory=dict)


@attrs.frozen
class Photo:
    """An uploaded file: its content, and whether it is private. `fingerprint` is None if it is not a picture."""

    digest: str
    private: bool
    content_type: str
    fingerprint: bytes | None = attrs.field(default=None, repr=False)
    size: int = 0


@attrs.frozen
class Enrollment:
    """A v3 enrollment that was started and not finished yet."""

    user_id: str
    factor_type: str
    expires_at: float
    phone: str | None = None
    phone_country_code: str | None = None
    email: str | None = None


@attrs.frozen
class PasswordToken:
    """The token of a user who must change the password."""

    user_id: str
    expires_at: float
