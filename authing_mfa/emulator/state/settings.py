"""The settings of the emulator: lifetimes, windows, limits. Times are seconds of the emulator's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["FACE_VERDICTS", "POLICIES", "Settings", "changed", "normalized_policies"]

POLICIES = ("SMS", "EMAIL", "OTP", "FACE", "DEVICE", "PASSKEY")
"""The values of `mfaPolicy` (docs/wire.md#mfa-challenge)."""


FACE_VERDICTS = ("same-picture", "any", "none")


def normalized_policies(words: Iterable[str]) -> tuple[str, ...]:
    """Return policies in the service's spelling (``TOTP`` is its ``OTP``), each once.

    Raises:
        ValueError: a policy that no source has.
    """
    if isinstance(words, str) or not hasattr(words, "__iter__"):
        raise TypeError(f"mfa is a list of policy words, not {words!r:.80}")
    spelled = (str(word).upper() for word in words)
    upper = tuple(dict.fromkeys("OTP" if word == "TOTP" else word for word in spelled))
    unknown = [word for word in upper if word not in POLICIES]
    if unknown:
        raise ValueError(f"{unknown[0]} is not an MFA policy; the policies are {', '.join(POLICIES)}")
    return upper


def _between(
    least: float, most: float, kinds: tuple[type, ...] = (int,)
) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(_settings: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if type(value) not in kinds or not least <= value <= most:
            raise ValueError(f"{attribute.name} must be a number from {least:g} to {most:g}, not {value!r}")

    return check


def _one_of(words: tuple[str, ...]) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(_settings: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value not in words:
            raise ValueError(f"{attribute.name} must be one of {', '.join(words)}, not {value!r}")

    return check


def _seconds(default: float) -> Any:
    return attrs.field(default=default, validator=_between(0, 1e10, (int, float)))


@attrs.frozen
class Settings:
    """The limits and lifetimes of the emulated application. Most defaults are our choice: no published source states them.

    Attributes:
        code_ttl: how long an SMS or e-mail code is valid.
        code_length: digits of an SMS or e-mail code, 4 to 12 (`verifyCodeLength` of public-config).
        resend_window: how long the next code for the same target is refused (4004, 2080, 422); 0 never refuses.
        mfa_token_ttl: lifetime of an mfaToken; 360 in the service's published samples.
        user_token_ttl: lifetime of a user's token; 15 days in the service's published sample.
        enrollment_ttl: lifetime of a v3 enrollmentToken; one minute by the service's own text.
        password_token_ttl: lifetime of the token to change a password with (1639, 2058, 2071).
        totp_drift: how many 30-second steps a TOTP code may be early or late.
        lock_after: wrong passwords and codes in a row until the user is locked (2005); None never locks. A right password ends the row of
            wrong passwords, a right code that of wrong codes, a finished login both.
        lock_seconds: how long the lock holds.
        enabled_factors: the factors that the application enables: a user can enroll them through the v3 API.
        enforce_scenes: refuse a code that was sent for another purpose. No source says whether the service does.
        captcha_after: wrong passwords in a row until a login needs a captcha (2000); None: never.
        application_mfa: the second factors that every user of the application must pass, in order (SMS, EMAIL, OTP, FACE).
        journal_size: how many requests are stored. `verify_count` counts older requests, too.
        face: which photos are of the same face. ``same-picture``: photos that are the same picture;
            ``any``: all photos, so that a live camera passes; ``none``: no photos.

    Raises:
        ValueError: a value is invalid.
    """

    code_ttl: float = _seconds(300.0)
    code_length: int = attrs.field(default=6, validator=_between(4, 12))
    resend_window: float = _seconds(60.0)
    mfa_token_ttl: float = _seconds(360.0)
    user_token_ttl: float = _seconds(15 * 86400.0)
    enrollment_ttl: float = _seconds(60.0)
    password_token_ttl: float = _seconds(600.0)
    totp_drift: int = attrs.field(default=1, validator=_between(0, 100))
    lock_after: int | None = attrs.field(default=None, validator=attrs.validators.optional(_between(1, 1_000_000)))
    lock_seconds: float = _seconds(900.0)
    enabled_factors: tuple[str, ...] = attrs.field(
        default=("SMS", "EMAIL", "OTP", "FACE"), converter=normalized_policies
    )
    enforce_scenes: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    captcha_after: int | None = attrs.field(default=None, validator=attrs.validators.optional(_between(0, 1_000_000)))
    application_mfa: tuple[str, ...] = attrs.field(default=(), converter=normalized_policies)
    journal_size: int = attrs.field(default=1000, validator=_between(0, 10_000_000))
    face: str = attrs.field(default="same-picture", validator=_one_of(FACE_VERDICTS))


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return *settings* with *changes*.

    Raises:
        ValueError: the setting does not exist, or cannot have this value.
    """
    known = {field.name for field in attrs.fields(Settings)}
    unknown = sorted(changes.keys() - known)
    if unknown:
        raise ValueError(f"there is no setting {unknown[0]!r}; the settings are {', '.join(sorted(known))}")
    try:
        return attrs.evolve(settings, **changes)
    except TypeError as error:
        raise ValueError(str(error)) from None
