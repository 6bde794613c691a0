"""The claims of a JSON Web Token, without a check of its signature, which only the service can verify."""

from __future__ import annotations

import base64
import json
from typing import Any

__all__ = ["claims", "time_claim"]


def claims(token: str) -> dict[str, Any]:
    """Return the unverified claims of *token*; empty where it is not a JSON Web Token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):  # not base64, not UTF-8, not JSON, or nested too deep
        return {}
    return found if isinstance(found, dict) else {}


def time_claim(token: str, name: str) -> float | None:
    """Return the time *name* (``exp``, ``iat``) of *token* in seconds since the epoch; None where the token has no such time."""
    value: Any = claims(token).get(name)
    if type(value) not in (int, float) or not abs(value) < 1e15:  # NaN is not smaller either
        return None
    return float(value)
