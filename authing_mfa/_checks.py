"""Checks of the options of a client and of a run, as attrs validators. The error names the option."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import attrs

    Validator: TypeAlias = Callable[[object, attrs.Attribute[Any], Any], None]

__all__ = ["LONGEST", "check_whole_number", "flag", "is_number", "whole_number"]

LONGEST: float = 10.0 * 365 * 86400
"""The longest time in seconds, ten years: asyncio's timers cannot hold much more."""


def is_number(value: object) -> bool:
    """Return True if *value* is an integer or a float. True and False are no numbers here."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def flag(_: object, field: attrs.Attribute[Any], value: object) -> None:
    """Check that *value* is True or False: a text like "false" counts as true."""
    if not isinstance(value, bool):
        raise InvalidInputError(f"{field.name} must be True or False, not {type(value).__name__}.")


def check_whole_number(name: str, value: object, most: int | None = None, end: str = ".") -> None:
    """Check that *value* is a whole number from 1 to *most* (None: without end)."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1 or (most is not None and value > most):
        limit = "" if most is None else f" to {most}"
        raise InvalidInputError(f"{name} must be a whole number from 1{limit}{end}")


def whole_number(most: int | None = None, *, optional: bool = False) -> Validator:
    """Return the validator of a whole number from 1 to *most* (None: without end), or, if *optional*, None."""

    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value is not None or not optional:
            check_whole_number(field.name, value, most, ", or None." if optional else ".")

    return check
