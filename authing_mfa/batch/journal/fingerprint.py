"""Recognise a row in a resumed run without storing its secrets. Pure."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Final

from authing_mfa import _jwt

if TYPE_CHECKING:
    from authing_mfa.batch.models import VerifyRequest

__all__ = ["fingerprint"]

_TIMES: Final = ("iat", "exp", "nbf", "jti", "auth_time")  # claims that differ in each new token of a user


def fingerprint(row: VerifyRequest, salt: bytes) -> str:
    """Return the fingerprint of *row*, keyed with the run's *salt*. With the position it identifies the row.

    It is made from the kind, the subject of the row, and its key, or without a key from the user of its token. The code is left
    out, because six digits could be guessed from any digest. Claims that change in a new token are left out as well.
    """
    holder = _holder(row.token) if row.key is None else None
    pieces = (row.kind, row.key, holder, *row.target())
    text = "".join(["-" if piece is None else f"{len(piece)}:{piece}" for piece in pieces])
    digest = _keyed(salt).copy()
    digest.update(text.encode())
    return digest.hexdigest()


@cache
def _keyed(salt: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(key=salt[:64], digest_size=16)


def _holder(token: str | None) -> str | None:
    """Return the part of *token* that stays the same when a token is issued again; a token that is not a JWT is returned whole."""
    if token is None:
        return None
    lasting = {name: value for name, value in _jwt.claims(token).items() if name not in _TIMES}
    try:
        return json.dumps(lasting, sort_keys=True) if lasting else token
    except RecursionError:
        return token
