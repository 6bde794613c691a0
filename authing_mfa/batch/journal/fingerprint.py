"""How a resumed run knows a row again, without keeping what must not be kept. Pure."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Final

from authing_mfa import _jwt

if TYPE_CHECKING:
    from authing_mfa.batch.models import VerifyRequest

__all__ = ["fingerprint"]

_TIMES: Final = ("iat", "exp", "nbf", "jti", "auth_time")  # claims of a token that change with each new one


def fingerprint(row: VerifyRequest, salt: bytes) -> str:
    """Return what tells *row* from another beside its position, keyed with the run's *salt*.

    It is taken of the kind, of whom the row is about, and of its key, or where it has none of whom its token belongs to. The
    code is left out: six digits could be found from any digest of them. So is what changes when a token is issued anew.
    """
    holder = _holder(row.token) if row.key is None else None
    pieces = (row.kind, row.key, holder, *row.target())
    text = "".join("-" if piece is None else f"{len(piece)}:{piece}" for piece in pieces)
    digest = _keyed(salt).copy()
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@cache
def _keyed(salt: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(key=salt[:64], digest_size=16)


def _holder(token: str | None) -> str | None:
    """Return whom *token* belongs to: what stays the same when a token is issued anew, or all of what is not a JWT."""
    if token is None:
        return None
    lasting = {name: value for name, value in _jwt.claims(token).items() if name not in _TIMES}
    try:
        return json.dumps(lasting, sort_keys=True) if lasting else token
    except RecursionError:
        return token
