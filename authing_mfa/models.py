"""The service's answers as frozen values. `structuring` reads them from JSON.

Field names are the service's own in Python spelling. Unknown fields are kept in `raw`. Secrets (tokens, recovery codes,
TOTP secrets) and `raw` never show in a repr.

More than 300 lines, because every field is described.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from authing_mfa import _strict
from authing_mfa._error_root import InvalidInputError
from authing_mfa._value import Value

__all__ = [
    "Authenticator",
    "Captcha",
    "CustomField",
    "Factor",
    "FactorEnrollment",
    "IdToken",
    "MfaChallenge",
    "MfaFactor",
    "MfaTokenInfo",
    "SecurityLevel",
    "TotpEnrollment",
    "UserInfo",
]


def _secret(default: Any = attrs.NOTHING) -> Any:
    return attrs.field(default=default, repr=False)


def _raw() -> Any:
    return attrs.field(factory=dict, repr=False, hash=False)


@attrs.frozen(eq=False, repr=False, slots=False)
class UserInfo(Value):
    """A user, as a login or a verification returns it (docs/wire.md#user).

    Attributes:
        id: `id`, else `sub`; a nested `userEntity` is unwrapped. None only when a recovery answer brought a new recovery
            code and no user.
        photo: `photo`, else `picture`: the address of the avatar.
        id_token: `id_token`, else `token`. The bearer of the user's next calls.
        recovery_code: the new recovery code, after `mfa_verify_by_recovery_code`. Show it to the user: the old code is void.
        raw: the whole object as it came.
        token_expires_at: when the ID token expires, in seconds since the epoch: `tokenExpiredAt`, else the token's own `exp`.
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
    token_expires_at: float | None = None

    @property
    def display_name(self) -> str | None:
        """The first of nickname, preferredUsername, name, username, phone and e-mail that is not empty."""
        preferred = self.raw.get("preferredUsername")
        names = (self.nickname, preferred, self.name, self.username, self.phone, self.email)
        return next((name for name in names if name and isinstance(name, str)), None)


@attrs.frozen(eq=False, repr=False, slots=False)
class MfaFactor(Value):
    """One way to pass the challenge.

    Attributes:
        policy: ``SMS``, ``EMAIL``, ``OTP``, ``FACE``, or another value of the service.
        sort: the application's order, smallest first.
    """

    policy: str
    sort: int = 0


@attrs.frozen(eq=False, repr=False, slots=False)
class MfaChallenge(Value):
    """The `data` of a 1635 or 1636 answer (docs/wire.md#mfa-challenge).

    Attributes:
        token: the mfaToken; it is valid for six minutes. Continue with `client.as_user(challenge.token)`.
        factors: the enabled factors, ordered by `sort`; after code 1635 one OTP factor.
        phone: the phone bound for MFA, None if the user must bind a phone first.
        phone_country_code: its country code, e.g. ``+86``.
        email: the e-mail address bound for MFA, None if the user must bind an address first.
        totp_enabled: True if the user has bound TOTP.
        face_enabled: True if the user has bound a face.
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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, code: int = 1636) -> MfaChallenge:
        """Read a challenge that your program received, e.g. from its own server.

        Factors of status 0 are left out, the others are ordered by `sort`. Empty text counts as missing.

        Args:
            data: the `data` of a 1635 or 1636 answer, or of the management call ``get-mfa-trigger-data``.
            code: the code of the answer, a number. An answer 1635 lists no factors and demands the user's TOTP.

        Returns:
            The challenge.

        Raises:
            InvalidInputError: *data* is not a challenge, or *code* is not a number.

        Source: docs/wire.md#mfa-challenge.
        """
        if not isinstance(code, int) or isinstance(code, bool):
            raise InvalidInputError(f"code must be a whole number, 1635 or 1636, not {type(code).__name__}.")
        try:
            return _read_challenge(cls, data, own_totp=code == 1635)
        except KeyError as error:
            problem = f"{error.args[0]} is missing"
        except (TypeError, ValueError) as error:
            problem = str(error)
        raise InvalidInputError(f"This is not an MFA challenge: {problem}.")


def _read_challenge(cls: type[MfaChallenge], data: Mapping[str, Any], *, own_totp: bool) -> MfaChallenge:
    raw = data if isinstance(data, Mapping) else _strict.json_object(data)
    token = _strict.text(raw["mfaToken"])
    if not token:
        raise ValueError("the mfaToken is empty")
    return cls(
        token=token,
        factors=(MfaFactor("OTP"),) if own_totp else _read_factors(_plain(raw.get("applicationMfa"))),
        phone=_strict.optional_text(raw.get("mfaPhone")) or None,
        phone_country_code=_strict.optional_text(raw.get("mfaPhoneCountryCode")) or None,
        email=_strict.optional_text(raw.get("mfaEmail")) or None,
        totp_enabled=own_totp or _read_flag(raw, "totpMfaEnabled"),
        face_enabled=_read_flag(raw, "faceMfaEnabled"),
        raw=raw,
    )


def _plain(value: Any) -> Any:
    """Return *value* with each mapping as a dict and each tuple as a list: a program may have converted what it received."""
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _read_flag(raw: Mapping[str, Any], name: str) -> bool:
    value = raw.get(name)
    return False if value is None else _strict.flag(value)


def _read_factors(listed: Any) -> tuple[MfaFactor, ...]:
    enabled = [entry for entry in _strict.one_or_more(listed) if entry.get("status", 1) not in (0, False, "0")]
    factors = [MfaFactor(_strict.text(entry["mfaPolicy"]), _read_sort(entry.get("sort"))) for entry in enabled]
    return tuple(sorted(factors, key=lambda factor: factor.sort))


def _read_sort(value: Any) -> int:
    return 0 if value is None else _strict.whole_number(value)


@attrs.frozen(eq=False, repr=False, slots=False)
class TotpEnrollment(Value):
    """A TOTP secret to be confirmed with a first code (docs/wire.md#totp-secret).

    Attributes:
        secret: base32, 16 characters.
        uri: ``otpauth://totp/…``, the content of the QR picture.
        recovery_code: six groups of four; the user must keep it.
        qr_png: the QR picture as PNG bytes, None if the service sent none.
    """

    secret: str = _secret()
    uri: str = _secret()
    recovery_code: str = _secret()
    qr_png: bytes | None = _secret(None)


@attrs.frozen(eq=False, repr=False, slots=False)
class Authenticator(Value):
    """One authenticator, bound or not confirmed yet (docs/wire.md#authenticator-list). The secrets in the service's list are left out.

    Attributes:
        id: the authenticator's id.
        type: ``totp``, or another value of the service.
        enabled: False until it is confirmed.
        source: ``SELF`` (the user turned it on) or ``APPLICATION`` (the application asks for it), None if the service does not say.
    """

    id: str
    type: str
    enabled: bool
    source: str | None = None


@attrs.frozen(eq=False, repr=False, slots=False)
class CustomField(Value):
    """One custom field of a user (docs/wire.md#custom-data).

    Attributes:
        key: the field's name.
        value: the field's value; JSON text of a NUMBER, BOOLEAN or OBJECT field is decoded, a DATETIME stays as it came.
        label: the field's title for people.
        data_type: ``STRING``, ``NUMBER``, ``BOOLEAN``, ``DATETIME`` or ``OBJECT``.
    """

    key: str
    value: Any = attrs.field(hash=False)
    label: str | None = None
    data_type: str | None = None


@attrs.frozen(eq=False, repr=False, slots=False)
class Factor(Value):
    """One enrolled factor of a user (docs/wire.md#factor-enrollment).

    Attributes:
        id: the factor's id, for `get_factor` and `mfa_unbind_factor`.
        type: ``SMS``, ``EMAIL``, ``OTP``, ``FACE``, or another value of the service.
        phone: the phone of an SMS factor.
        phone_country_code: its country code, e.g. ``+86``.
        email: the address of an EMAIL factor.
        raw: the whole object as it came.
    """

    id: str
    type: str
    phone: str | None = None
    phone_country_code: str | None = None
    email: str | None = None
    raw: Mapping[str, Any] = _raw()


@attrs.frozen(eq=False, repr=False, slots=False)
class FactorEnrollment(Value):
    """An enrollment that `enroll_factor` finishes (docs/wire.md#factor-enrollment).

    Attributes:
        token: the enrollment token; it is valid for one minute.
        secret: the TOTP secret, base32. Only an OTP factor has *secret*, *uri*, *recovery_code* and *qr_png*.
        uri: ``otpauth://totp/…``, the content of the QR picture.
        recovery_code: six groups of four; the user must keep it.
        qr_png: the QR picture as PNG bytes.
        raw: the whole object as it came.
    """

    token: str = _secret()
    secret: str | None = _secret(None)
    uri: str | None = _secret(None)
    recovery_code: str | None = _secret(None)
    qr_png: bytes | None = _secret(None)
    raw: Mapping[str, Any] = _raw()


@attrs.frozen(eq=False, repr=False, slots=False)
class MfaTokenInfo(Value):
    """The service's information about an mfaToken (docs/wire.md#token-introspection). A valid token does not prove a passed factor.

    Attributes:
        active: True if the token is valid. For an inactive token the other fields may be missing.
        user_id: the token's user.
        user_pool_id: the user's pool.
        expires_at: when it expires, in seconds since the epoch.
        issued_at: when it was issued, in seconds since the epoch.
        raw: the whole object as it came.
    """

    active: bool
    user_id: str | None = None
    user_pool_id: str | None = None
    expires_at: float | None = None
    issued_at: float | None = None
    raw: Mapping[str, Any] = _raw()


@attrs.frozen(eq=False, repr=False, slots=False)
class Captcha(Value):
    """A captcha picture, and the cookie that belongs to it (docs/wire.md#captcha).

    Attributes:
        image: the picture as it came.
        media_type: its type, usually ``image/svg+xml``.
        cookie: identifies this picture for the service. The client does not store it.
    """

    image: bytes = attrs.field(repr=False)
    media_type: str = "image/svg+xml"
    cookie: str | None = _secret(None)


@attrs.frozen(eq=False, repr=False, slots=False)
class IdToken(Value):
    """A fresh ID token (docs/wire.md#session).

    Attributes:
        token: the token, the bearer of the user's next calls.
        issued_at: when it was issued, in seconds since the epoch.
        expires_at: when it expires, in seconds since the epoch.
    """

    token: str = _secret()
    issued_at: float | None = None
    expires_at: float | None = None


@attrs.frozen(eq=False, repr=False, slots=False)
class SecurityLevel(Value):
    """How well the account is protected, as the service rates it (docs/wire.md#profile).

    Attributes:
        score: the rating, 0 to 100.
        mfa: True if the user has turned a second factor on.
        raw: the whole object as it came: e-mail, phone, password, passwordSecurityLevel.
    """

    score: int | None = None
    mfa: bool | None = None
    raw: Mapping[str, Any] = _raw()
