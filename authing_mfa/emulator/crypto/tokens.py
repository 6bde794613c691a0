"""JSON Web Tokens, HS256, with the standard library alone. Their `iss` says that an emulator made them."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ISSUER", "TokenSigner"]

ISSUER = "authing-mfa-emulator"
"""The `iss` of every token; no real service accepts or makes it."""

_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")


class TokenSigner:
    """Signs claims with *key* and reads them back."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def sign(self, claims: dict[str, Any]) -> str:
        """Return *claims* as a token."""
        payload = json.dumps(claims, separators=(",", ":")).encode()
        signed = _HEADER + b"." + base64.urlsafe_b64encode(payload).rstrip(b"=")
        return (signed + b"." + _signature(self.key, signed)).decode()

    def mark(self, text: str) -> str:
        """Return a short signature of *text*."""
        return hmac.digest(self.key, text.encode(), "sha256").hex()[:32]

    def read(self, token: str) -> Mapping[str, Any] | None:
        """Return the claims of *token*, or None if this signer did not sign it. Its times are not checked."""
        return _read(self.key, token)


@lru_cache(maxsize=1024)  # a request reads its token up to four times
def _read(key: bytes, token: str) -> Mapping[str, Any] | None:
    try:
        signed, _, signature = token.encode("ascii").rpartition(b".")
        # Compared as text: base64 decoders skip other characters, and would accept junk after the signature.
        if not hmac.compare_digest(signature, _signature(key, signed)):
            return None
        claims = json.loads(_decode(signed.partition(b".")[2]))
    except (ValueError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) else None


def _signature(key: bytes, signed: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(key, signed, "sha256")).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
