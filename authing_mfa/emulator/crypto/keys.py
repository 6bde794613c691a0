"""The emulator's RSA key for passwords: a published test key, the same in every installation. It protects nothing.

The service's clients encrypt the password with RSA, PKCS#1 v1.5, 1024 bits (docs/wire.md#encrypted-passwords). The emulator only
has to decrypt, so it computes this itself and does not import cryptography, which makes its start faster.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

__all__ = ["PUBLIC_KEY", "decrypt", "hash_password", "password_matches"]

# Public test material, by design not a secret: anyone can read passwords sent to an emulator.
_P = int(
    "f01b466a82b32a69a4351bf628554aee477a564d456281afae03969db08d125b"
    "bdd805b18057cfa2940ed34ce762ce7695232210aacf3095437b6922eba345f1",
    16,
)
_Q = int(
    "d014e595d9f216ff5884ddc165aaf374a250dfea64cd6c198acbd08e852c64ad"
    "6d6f67e5ef651693e1bedaf0f5cb6a8b4b18b872c10f2c4b24d4998ff7a01f91",
    16,
)
_N = _P * _Q
_E = 65537
_D = pow(_E, -1, (_P - 1) * (_Q - 1))
_SIZE = 128


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 128 | len(size))) + size + content


def _der_integer(value: int) -> bytes:
    return _der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


_RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")

PUBLIC_KEY: str = base64.b64encode(
    _der(0x30, _RSA_ALGORITHM + _der(3, b"\0" + _der(0x30, _der_integer(_N) + _der_integer(_E))))
).decode()
"""Base64 of the key's SubjectPublicKeyInfo, as public-config and `.well-known` give it."""


def decrypt(encrypted: str) -> str | None:
    """Return the password in the base64 text *encrypted*, or None if it was not encrypted with this key."""
    try:
        cipher = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError):
        return None
    number = int.from_bytes(cipher, "big")
    if len(cipher) > _SIZE or number >= _N:  # shorter: the JavaScript client leaves leading zeros out
        return None
    # The Chinese remainder theorem halves the work of pow(number, _D, _N).
    at_p, at_q = pow(number % _P, _D % (_P - 1), _P), pow(number % _Q, _D % (_Q - 1), _Q)
    plain = (at_q + _Q * ((at_p - at_q) * pow(_Q, -1, _P) % _P)).to_bytes(_SIZE, "big")
    end = plain.find(b"\0", 2)
    if plain[:2] != b"\0\2" or end < 10:
        return None
    try:
        return plain[end + 1 :].decode()
    except UnicodeDecodeError:
        return None


_ROUNDS = 8
"""Few rounds, so that 100,000 users are made in seconds. For the emulator only: never hash a real password so cheaply."""


def hash_password(password: str, salt: str) -> bytes:
    """Return the hash of *password*; *salt* differs per user."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS)


def password_matches(password: str, salt: str, hashed: bytes) -> bool:
    """Return True if *hashed* is the hash of *password*."""
    return hmac.compare_digest(hash_password(password, salt), hashed)
