"""Passwords are sent encrypted: RSA PKCS#1 v1.5 of the UTF-8 text, base64 (docs/wire.md#encrypted-passwords)."""

from __future__ import annotations

import base64
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

__all__ = ["CLOUD_PUBLIC_KEY", "EncryptedPassword", "encrypt"]

CLOUD_PUBLIC_KEY: Final = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC4xKeUgQ+Aoz7TLfAfs9+paePb5KIofVthEopwrXFkp8OCeocaTHt9ICjTT2QeJh6cZaDaArfZ873GPUn0"
    "0eOIZ7Ae+TiA2BKHbCvloW3w5Lnqm70iSsUi5Fmu9/2+68GZRH9L7Mlh8cFksCicW2Y2W2uMGKl64GDcIq3au+aqJQIDAQAB"
)
"""The cloud's published 1024-bit key, which every official client contains."""

_LEAST_BITS: Final = 1024  # the cloud's own; shorter keys were broken with a few computers


class EncryptedPassword(str):
    """An encrypted password. It also holds the plain password, so that an error can hide it if the service repeats it."""

    __slots__ = ("plain",)

    plain: str


def encrypt(password: str, public_key: str) -> EncryptedPassword:
    """Return *password* encrypted for the holder of *public_key*, as base64 text. The text differs each time (random padding).

    Args:
        password: the user's password.
        public_key: base64 of a SubjectPublicKeyInfo, or its PEM.

    Raises:
        InvalidInputError: the key is not an RSA key of 1024 bits or more, or the password is too long for the key.
    """
    from cryptography.hazmat.primitives.asymmetric import padding  # slow to import; only password logins need it

    key = _load(public_key)
    data = password.encode()
    longest = key.key_size // 8 - 11  # PKCS#1 v1.5 needs that much for its padding
    if len(data) > longest:
        raise InvalidInputError(f"password must be text of at most {longest} bytes in UTF-8.")
    sealed: bytes | None = None
    with suppress(ValueError):  # not chained: its frames hold the password
        sealed = key.encrypt(data, padding.PKCS1v15())
    if sealed is None:
        raise InvalidInputError("public_key is not a valid RSA key: it cannot encrypt.")
    text = EncryptedPassword(base64.b64encode(sealed).decode())
    text.plain = password
    return text


@lru_cache(maxsize=8)
def _load(public_key: str) -> RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

    text = public_key.strip()
    try:
        if text.startswith("-----"):
            key = load_pem_public_key(text.encode())
        else:
            key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidInputError("public_key is neither base64 nor PEM of a public key.") from error
    if not isinstance(key, RSAPublicKey):
        raise InvalidInputError("public_key is not an RSA key.")
    if key.key_size < _LEAST_BITS:
        raise InvalidInputError(f"public_key is too short: it must be an RSA key of {_LEAST_BITS} bits or more.")
    return key
