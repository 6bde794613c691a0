"""Mask the caller's secrets in a message of the service, which may repeat what it was sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from authing_mfa.operations import Operation

__all__ = ["masked"]

_LONG: Final = 8  # a secret of this length cannot be confused with a word of the service, or with a part of one
_LONGEST_CODE: Final = 64  # what is longer is a token, which nobody types


def masked(message: str, operation: Operation[Any], token: str | None) -> str:
    """Return *message* without the caller's secrets, which the service may repeat."""
    secrets = [(token, True)] if token and len(token) >= _LONG else []  # no token is shorter, but a word may be
    for field in attrs.fields(type(operation)):
        value = getattr(operation, field.name)
        if not field.repr and isinstance(value, str):
            exact = field.name in operation.encrypted_fields
            # An encrypted password holds the plain one.
            secrets += [(value, exact), (getattr(value, "plain", value), exact)]
    for secret, exact in sorted(secrets, key=lambda known: len(known[0]), reverse=True):  # one may be a part of another
        message = _without(message, secret, exact=exact or len(secret) > _LONGEST_CODE)
    return message


def _without(message: str, secret: str, *, exact: bool) -> str:
    """Return *message* without *secret*.

    A code is also found in other case, and with or without blanks and hyphens: the service may have removed what the user has pasted.
    """
    signs = "" if exact else _squeezed(secret)
    if not signs:
        return message.replace(secret, "***") if len(secret) >= _LONG else _word(message, re.escape(secret))
    if signs.lower() not in _squeezed(message).lower():  # compiling a pattern takes longer
        return message
    any_spelling = r"[-\s]*".join(map(re.escape, signs))
    found = f"(?i:{any_spelling})"
    return re.sub(found, "***", message) if len(signs) >= _LONG else _word(message, found)


def _squeezed(text: str) -> str:
    return re.sub(r"[-\s]+", "", text)


def _word(message: str, found: str) -> str:
    """Mask what *found* finds, if it is a whole word (the apostrophe of "can't" begins no word): the service's words stay whole."""
    return re.sub(rf"(?<![A-Za-z0-9])(?<![A-Za-z]'){found}(?![A-Za-z0-9])", "***", message)
