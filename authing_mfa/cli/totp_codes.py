"""TOTP (RFC 6238) as an authenticator app computes it, and the otpauth:// address it reads from a QR picture. No I/O."""

from __future__ import annotations

import base64
import binascii
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import attrs

from authing_mfa import _totp
from authing_mfa.errors import InvalidInputError

__all__ = ["Secret", "read_secret"]

_DIGESTS: Final = ("sha1", "sha256", "sha512")
_LONGEST_PERIOD: Final = 1 << 31  # seconds; a number without end has no time step


@attrs.frozen
class Secret:
    """One account of an authenticator app.

    Attributes:
        key: the secret, decoded.
        digits: of a code.
        period: seconds that a code is shown.
        digest: ``sha1``, ``sha256`` or ``sha512``.
        account: the account's name, for people.
        issuer: the service's name, for people.
    """

    key: bytes = attrs.field(repr=False)
    digits: int = 6
    period: int = _totp.PERIOD
    digest: str = "sha1"
    account: str = ""
    issuer: str = ""

    def code(self, now: float) -> str:
        """Return the code that is shown at *now*, in epoch seconds."""
        return _totp.code_at(self.key, _totp.step_of(now, self.period), self.digits, self.digest)

    def seconds_left(self, now: float) -> int:
        """Return how many seconds the code of *now* is still shown."""
        return self.period - int(now % self.period)

    def uri(self) -> str:
        """Return the otpauth:// address.

        Raises:
            InvalidInputError: the account or the issuer is not valid text.
        """
        secret = base64.b32encode(self.key).decode().rstrip("=")
        try:
            return _totp.otpauth_uri(
                secret, self.account, issuer=self.issuer, digits=self.digits, period=self.period, digest=self.digest
            )
        except UnicodeEncodeError:
            raise InvalidInputError("The account or the issuer is not valid text in UTF-8.") from None


def read_secret(text: str) -> Secret:
    """Read a base32 secret (spaces and dashes are ignored) or an otpauth:// address.

    Raises:
        InvalidInputError: the text is neither. The error never shows it.
    """
    if not text.strip().lower().startswith("otpauth:"):
        return Secret(_decode(text))
    try:
        parts = urlsplit(text.strip())
    except ValueError:  # not chained: the error may show a part of the address
        raise InvalidInputError("The otpauth:// address cannot be read.") from None
    if parts.netloc.lower() != "totp":
        raise InvalidInputError("The address is not otpauth://totp/…; only time-based codes can be computed.")
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    issuer, colon, account = unquote(parts.path.lstrip("/")).rpartition(":")
    digest = query.get("algorithm", "SHA1").lower()
    try:
        digits, period = int(query.get("digits", "6")), int(query.get("period", "30"))
    except ValueError:
        digits = period = 0
    if digest not in _DIGESTS or not 6 <= digits <= 10 or not 1 <= period < _LONGEST_PERIOD:
        raise InvalidInputError("The otpauth:// address has an algorithm, digits or period that cannot be used.")
    named = query.get("issuer") or (issuer if colon else "")
    return Secret(_decode(query.get("secret", "")), digits, period, digest, account.strip(), named)


def _decode(text: str) -> bytes:
    letters = "".join(text.split()).replace("-", "").rstrip("=").upper()
    try:
        key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (ValueError, binascii.Error):
        key = b""
    if not key:
        # Not chained: the decoder's error may show the secret.
        raise InvalidInputError("The TOTP secret is not base32 text, like JBSW Y3DP EHPK 3PXP.") from None
    return key
