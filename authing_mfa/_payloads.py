"""Turn an answer's payload into a value: factors, enrollments, mfaToken introspection, session. Users are read in `structuring`.

Every function raises TypeError, KeyError or ValueError for a payload of another shape; nothing half-filled is returned.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from authing_mfa import _jwt, _strict
from authing_mfa.models import Factor, FactorEnrollment, IdToken, MfaTokenInfo, SecurityLevel, TotpEnrollment

__all__ = [
    "expiry",
    "read_factor",
    "read_factor_enrollment",
    "read_factor_types",
    "read_factors",
    "read_id_token",
    "read_mfa_token_info",
    "read_security_level",
    "read_totp_enrollment",
    "read_verified",
]


# ─────────────────────────────── enrollments ───────────────────────────────


def read_totp_enrollment(payload: Any, recovery_code: str | None = None) -> TotpEnrollment:
    """Return a TOTP secret (docs/wire.md#totp-secret), in the snake_case of v2 or the camelCase of v3."""
    raw = _strict.json_object(payload)
    return TotpEnrollment(
        secret=_strict.required_text(raw, "secret"),
        uri=_strict.required_text(raw, "qrcode_uri", "qrCodeUri"),
        recovery_code=recovery_code or _strict.required_text(raw, "recovery_code", "recoveryCode"),
        qr_png=_qr_png(raw),
    )


def read_factor_enrollment(payload: Any, _: str | None = None) -> FactorEnrollment:
    """Return the answer to a request for an enrollment (docs/wire.md#factor-enrollment). The TOTP secret is part of the address."""
    raw = _strict.json_object(payload)
    token = _strict.required_text(raw, "enrollmentToken")
    if raw.get("otpData") is None:
        return FactorEnrollment(token, raw=raw)
    made = _strict.json_object(raw["otpData"])
    uri = _strict.required_text(made, "qrCodeUri")
    return FactorEnrollment(
        token,
        secret=_strict.optional_text(made.get("secret")) or _secret_in(uri),
        uri=uri,
        recovery_code=_strict.optional_text(made.get("recoveryCode")) or None,
        qr_png=_qr_png(made),
        raw=raw,
    )


def _secret_in(uri: str) -> str:
    secret = parse_qs(urlsplit(uri).query).get("secret")
    if not secret:
        raise ValueError("the otpauth address has no secret")
    return secret[0]


def _qr_png(raw: dict[str, Any]) -> bytes | None:
    names = ("qrcode_data_url", "qrCodeDataUrl")
    picture = next((raw[name] for name in names if raw.get(name) not in _strict.ABSENT), None)
    return None if picture is None else _png(_strict.text(picture))


def _png(data_url: str) -> bytes:
    head, _, encoded = data_url.partition(",")
    if not head.startswith("data:image/png;base64"):
        raise ValueError("the QR picture is not a PNG data URL")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("the QR picture is not base64") from None


# ─────────────────────────────── factors ───────────────────────────────


def read_factor(payload: Any, _: str | None = None) -> Factor:
    """One enrolled factor."""
    raw = _strict.json_object(payload)
    profile = {} if raw.get("profile") is None else _strict.json_object(raw["profile"])
    return Factor(
        id=_strict.required_text(raw, "factorId"),
        type=_strict.required_text(raw, "factorType"),
        phone=_strict.optional_text(profile.get("phoneNumber")) or None,
        phone_country_code=_strict.optional_text(profile.get("phoneCountryCode")) or None,
        email=_strict.optional_text(profile.get("email")) or None,
        raw=raw,
    )


def read_factors(payload: Any, _: str | None = None) -> tuple[Factor, ...]:
    """Return the enrolled factors."""
    return tuple(read_factor(entry) for entry in _strict.one_or_more(payload))


def read_factor_types(payload: Any, _: str | None = None) -> tuple[str, ...]:
    """Return the types of the factors that can be enrolled."""
    return tuple(_strict.required_text(entry, "factorType") for entry in _strict.one_or_more(payload))


def read_verified(payload: Any, _: str | None = None) -> bool:
    """Return True if a code was right."""
    return _strict.flag(_strict.json_object(payload)["verified"])


# ─────────────────────────────── session ───────────────────────────────


def read_mfa_token_info(payload: Any, _: str | None = None) -> MfaTokenInfo:
    """Return the answer of introspection (docs/wire.md#token-introspection)."""
    raw = _strict.json_object(payload)
    return MfaTokenInfo(
        active=_strict.flag(raw["active"]),
        user_id=_strict.optional_text(raw.get("userId")) or None,
        user_pool_id=_strict.optional_text(raw.get("userPoolId")) or None,
        expires_at=_strict.optional_number(raw.get("exp")),
        issued_at=_strict.optional_number(raw.get("iat")),
        raw=raw,
    )


def read_id_token(payload: Any, _: str | None = None) -> IdToken:
    """Return a refreshed token (docs/wire.md#session). Times that the answer lacks are read from the token itself."""
    raw = _strict.json_object(payload)
    token = _strict.required_text(raw, "token")
    issued_at, expires_at = _strict.optional_number(raw.get("iat")), _strict.optional_number(raw.get("exp"))
    return IdToken(
        token,
        issued_at=_jwt.time_claim(token, "iat") if issued_at is None else issued_at,
        expires_at=_jwt.time_claim(token, "exp") if expires_at is None else expires_at,
    )


def read_security_level(payload: Any, _: str | None = None) -> SecurityLevel:
    """Return how the service rates the account (docs/wire.md#profile)."""
    raw = _strict.json_object(payload)
    score, mfa = raw.get("score"), raw.get("mfa")
    return SecurityLevel(
        score=None if score is None else _strict.whole_number(score),
        mfa=None if mfa is None else _strict.flag(mfa),
        raw=raw,
    )


# Not `strptime`: its AM and PM are those of the process's locale, which a window system sets.
_US_TIME: Final = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}),\s+(1[0-2]|0?[1-9]):([0-9]{1,2}):([0-9]{1,2})\s+([AP]M)", re.IGNORECASE
)


def expiry(said: Any, token: Any) -> float | None:
    """Return when a user's token expires, in seconds since the epoch: from `tokenExpiredAt`, else from the token's own `exp`.

    The service's documents also show null and ``11/20/2019, 8:20:25 PM``, without a time zone. The token's `exp` is exact,
    so it has precedence over such a text, which is read as UTC. A time that cannot be read is None: a login never fails because of it.
    """
    stated = _iso_time(said) if isinstance(said, str) else None
    if stated is None and isinstance(token, str):
        stated = _jwt.time_claim(token, "exp")
    return _us_time(said) if stated is None and isinstance(said, str) else stated


def _iso_time(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _seconds(moment)


def _us_time(text: str) -> float | None:
    found = _US_TIME.fullmatch(text)
    if found is None:
        return None
    month, day, year, hour, minute, second = map(int, found.groups()[:6])
    try:
        moment = datetime(year, month, day, hour % 12 + 12 * (found[7].upper() == "PM"), minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return _seconds(moment)


def _seconds(moment: datetime) -> float | None:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        return aware.timestamp()
    except (OverflowError, OSError, ValueError):
        return None
