"""What the service answers, as frozen values. How each is read from the wire stands in `protocol`.

Field names are the service's own in Python spelling. Unknown fields are kept in `raw`. Secrets (tokens, recovery codes,
TOTP secrets) and `raw` never show in a repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["Authenticator", "CustomField", "MfaChallenge", "MfaFactor", "TotpEnrollment", "UserInfo"]


def _secret(default: Any = attrs.NOTHING) -> Any:
    return attrs.field(default=default, repr=False)


def _raw() -> Any:
    return attrs.field(factory=dict, repr=False, hash=False)


# Not slotted: attrs fills the many fields of a frozen class with slots by three times the work.
@attrs.frozen(slots=False)
class UserInfo:
    """A user, as a login or a verification answers it (docs/wire.md#user).

    Attributes:
        id: `id`, else `sub`; a nested `userEntity` is unwrapped. None only when a recovery answer brought a new recovery
            code and no user.
        photo: `photo`, else `picture`: the address of the avatar.
        id_token: `id_token`, else `token`. The bearer of the user's next calls.
        recovery_code: the NEW recovery code, after `mfa_verify_by_recovery_code`. Show it to the user: the old one is void.
        raw: the whole object as it came.
    """

    id: str | None = None
    username: str | None = None
    nickname: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_country_code: str | None = None
    photo: str | None = None
    user_pool_id: str | None = None
    token: str | None = _secret(None)
    id_token: str | None = _secret(None)
    access_token: str | None = _secret(None)
    refresh_token: str | None = _secret(None)
    recovery_code: str | None = _secret(None)
    raw: Mapping[str, Any] = _raw()

    @property
    def display_name(self) -> str | None:
        """The first of nickname, preferredUsername, name, username, phone and e-mail that is there."""
        preferred = self.raw.get("preferredUsername")
        names = (self.nickname, preferred, self.name, self.username, self.phone, self.email)
        return next((name for name in names if name and isinstance(name, str)), None)


@attrs.frozen
class MfaFactor:
    """One way to pass the challenge.

    Attributes:
        policy: ``SMS``, ``EMAIL``, ``OTP``, ``FACE``, or another word of the service.
        sort: the application's order, smallest first.
    """

    policy: str
    sort: int = 0


@attrs.frozen
class MfaChallenge:
    """The `data` of a 1635 or 1636 answer (docs/wire.md#mfa-challenge).

    Attributes:
        token: the mfaToken; it lives six minutes. `client.as_user(challenge.token)` goes on with it.
        factors: the enabled factors by `sort`; a 1635 gives one OTP factor.
        phone: the phone bound for MFA, None when one must be bound first.
        phone_country_code: its country code, e.g. ``+86``.
        email: the e-mail address bound for MFA, None when one must be bound first.
        totp_enabled: the user has bound TOTP.
        face_enabled: the user has bound a face.
        raw: the whole object as it came.
    """

    token: str = _secret()
    factors: tuple[MfaFactor, ...] = ()
    phone: str | None = None
    phone_country_code: str | None = None
    email: str | None = None
    totp_enabled: bool = False
    face_enabled: bool = False
    raw: Mapping[str, Any] = _raw()


@attrs.frozen
class TotpEnrollment:
    """A TOTP secret to be confirmed with a first code (docs/wire.md#totp-secret).

    Attributes:
        secret: base32, 16 characters.
        uri: ``otpauth://totp/…``, what the QR picture holds.
        recovery_code: six groups of four, to be kept by the user.
        qr_png: the QR picture as PNG bytes, None where the service sent none.
    """

    secret: str = _secret()
    uri: str = _secret()
    recovery_code: str = _secret()
    qr_png: bytes | None = _secret(None)


@attrs.frozen
class Authenticator:
    """One bound or half-bound authenticator (docs/wire.md#authenticator-list). The service's list also exposes secrets: left out.

    Attributes:
        id: the authenticator's id.
        type: ``totp``, or another word of the service.
        enabled: False until it is confirmed.
        source: ``SELF`` (the user turned it on) or ``APPLICATION`` (the application asks for it), None where not said.
    """

    id: str
    type: str
    enabled: bool
    source: str | None = None


@attrs.frozen
class CustomField:
    """One field of the user pool's own data (docs/wire.md#custom-data).

    Attributes:
        key: its name.
        value: its value; JSON text of a NUMBER, BOOLEAN or OBJECT field is decoded, a DATETIME stays as it came.
        label: its title for people.
        data_type: ``STRING``, ``NUMBER``, ``BOOLEAN``, ``DATETIME`` or ``OBJECT``.
    """

    key: str
    value: Any = attrs.field(hash=False)
    label: str | None = None
    data_type: str | None = None
