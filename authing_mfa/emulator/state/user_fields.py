"""Check the fields of a user and of a message, and bring each into one spelling."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.state import json_text
from authing_mfa.emulator.state.records import looks_like_phone

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "UnacceptableError",
    "checked_custom",
    "checked_email",
    "checked_flag",
    "checked_id",
    "checked_lock",
    "checked_password_change",
    "checked_phone",
    "checked_recipient",
    "checked_secret",
    "checked_target",
    "checked_text",
]

_LENGTH = 320  # the limit of an e-mail address (RFC 3696); no other field is longer
_CUSTOM_BYTES = 100_000
_CUSTOM_LEVELS = 90  # in a state file the fields stand five levels deep, and its JSON may nest a hundred
_LONGEST_LOCK = 1e9
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class UnacceptableError(ValueError):
    """A value that the emulator does not accept; the text says which value and why."""


def checked_text(name: str, value: Any) -> str | None:
    """Return *value* if it is a text of at most 320 characters that UTF-8 can hold, or None.

    Raises:
        UnacceptableError: *value* is something else.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnacceptableError(f"{name} must be text, not {value!r:.80}")
    if len(value) > _LENGTH:
        raise UnacceptableError(f"{name} is longer than {_LENGTH} characters")
    try:
        json_text.check_text(name, value)
    except ValueError as error:
        raise UnacceptableError(str(error)) from None
    return value


def checked_flag(name: str, value: Any) -> bool:
    """Return *value* if it is true or false; None is false. Any text, also "false", would count as true."""
    if not isinstance(value, (bool, type(None))):
        raise UnacceptableError(f"{name} must be true or false, not {value!r:.80}")
    return bool(value)


def checked_lock(seconds: Any) -> float:
    """Return *seconds* if a lock can last so long: more than 0, at most 1e9."""
    if type(seconds) not in (int, float) or not 0 < seconds <= _LONGEST_LOCK:
        raise UnacceptableError(f"seconds must be a number above 0, at most {_LONGEST_LOCK:.0f}, not {seconds!r:.80}")
    return float(seconds)


def checked_phone(value: Any, name: str = "phone") -> str | None:
    """Return *value* if it is a phone number as people write one: text with a digit in it. None is passed on."""
    phone = checked_text(name, value)
    if phone is not None and not any(letter in "0123456789" for letter in phone):
        raise UnacceptableError(f"{name} must be a phone number, not {phone!r:.80}")
    return phone


def checked_email(value: Any, name: str = "email") -> str | None:
    """Return *value* if it is an e-mail address: text with an ``@`` inside. None is passed on."""
    email = checked_text(name, value)
    if email is not None and "@" not in email.strip()[1:-1]:
        raise UnacceptableError(f"{name} must be an e-mail address, not {email!r:.80}")
    return email


def checked_recipient(value: Any, channel: str) -> str:
    """Return *value* if a message of *channel* (``sms`` or ``email``) can go to it: a phone number or an address.

    Raises:
        UnacceptableError: *value* is something else.
    """
    if channel == "email":
        return checked_email(value, "target") or ""
    phone = checked_phone(value, "target") or ""
    if not looks_like_phone(phone):
        raise UnacceptableError(f"target must be a phone number, not {phone!r:.80}")
    return phone


def checked_target(value: str) -> str:
    """Return *value* if it is a phone number or an e-mail address."""
    _ = checked_email(value, "target") if "@" in value else checked_phone(value, "target")
    return value


def checked_id(value: Any, name: str = "id") -> str | None:
    """Return *value* if it can be an id: letters, digits, ``_`` and ``-``, 64 at most. None is passed on."""
    if value is not None and (not isinstance(value, str) or not _ID.fullmatch(value)):
        raise UnacceptableError(f"{name} must be letters, digits, '_' and '-', 64 at most, not {value!r:.80}")
    return value


def checked_password_change(value: Any) -> int | None:
    """Return *value* if a login can ask for a new password with this code: 1639, 2058 or 2071. None is passed on."""
    if value is not None and (type(value) is not int or value not in (1639, 2058, 2071)):
        raise UnacceptableError(f"password_change must be 1639, 2058 or 2071, not {value!r:.80}")
    return value


def checked_secret(value: Any) -> str | None:
    """Return the TOTP secret *value* in the service's spelling: base32, upper case, no spaces. None is passed on."""
    if value is None:
        return None
    secret = "".join(value.split()).replace("-", "").rstrip("=").upper() if isinstance(value, str) else ""
    try:
        decoded = base64.b32decode(secret + "=" * (-len(secret) % 8))
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded or len(secret) > _LENGTH:
        raise UnacceptableError("totp_secret must be base32 text, like JBSWY3DPEHPK3PXP")
    return secret


def checked_custom(value: Any) -> Mapping[str, object]:
    """Return *value* if it is a mapping of names to JSON values; None is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise UnacceptableError(f"custom must map names to values, not be {value!r:.80}")
    try:
        json_text.check(value, _CUSTOM_LEVELS)
        size = len(json_text.dump(value))
    except ValueError as error:
        raise UnacceptableError(f"custom: {error}") from None
    if size > _CUSTOM_BYTES:
        raise UnacceptableError(f"custom is longer than {_CUSTOM_BYTES} bytes")
    return value
