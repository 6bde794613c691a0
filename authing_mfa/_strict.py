"""Read JSON values strictly: a value of another type is an error, never coerced. A boolean is not a number.

Every function raises TypeError with a sentence that names what was expected, and never shows the value.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "ABSENT",
    "MOST_ENTRIES",
    "array",
    "entries",
    "flag",
    "json_object",
    "one_or_more",
    "optional_number",
    "optional_text",
    "required_text",
    "text",
    "whole_number",
]

MOST_ENTRIES: Final = 1_000
"""Entries of a list that is read, for example of a user's factors."""

ABSENT: Final = (None, "")
"""What counts as "not there" where the service writes null or an empty text."""


def json_name(value: Any) -> str:
    """Return what JSON calls the type of *value*."""
    names = {dict: "an object", list: "an array", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def text(value: Any, _: Any = None) -> str:
    """*value*, which must be text. The second parameter is for cattrs."""
    if type(value) is str:
        return value
    raise TypeError(f"text expected, not {json_name(value)}")


def optional_text(value: Any, _: Any = None) -> str | None:
    """*value*, which must be text or null. The second parameter is for cattrs."""
    if type(value) is str or value is None:
        return value
    raise TypeError(f"text or null expected, not {json_name(value)}")


def required_text(raw: dict[str, Any], *names: str) -> str:
    """Return the first of the fields *names* that is there; it must be text and not empty.

    Raises:
        ValueError: it is missing or empty.
    """
    value = text(next((raw[name] for name in names if raw.get(name) is not None), ""))
    if not value:
        raise ValueError(f"{names[0]} is missing")
    return value


def flag(value: Any, _: Any = None) -> bool:
    """*value*, which must be a boolean. The second parameter is for cattrs."""
    if type(value) is bool:
        return value
    raise TypeError(f"a boolean expected, not {json_name(value)}")


def whole_number(value: Any, _: Any = None) -> int:
    """*value*, which must be a whole number. The second parameter is for cattrs."""
    if type(value) is int:
        return value
    raise TypeError(f"a whole number expected, not {json_name(value)}")


def optional_number(value: Any) -> float | None:
    """*value*, which must be a finite number or null."""
    if value is None:
        return None
    if type(value) in (int, float) and abs(value) < 1e15:  # NaN is not smaller either
        return float(value)
    raise TypeError(f"a number or null expected, not {json_name(value)}")


def json_object(value: Any, _: Any = None) -> dict[str, Any]:
    """*value*, which must be an object. The second parameter is a reader's."""
    if type(value) is dict:
        return value
    raise TypeError(f"an object expected, not {json_name(value)}")


def array(value: Any, _: Any = None) -> list[Any]:
    """*value*, which must be an array. The second parameter is a reader's."""
    if type(value) is list:
        return value
    raise TypeError(f"an array expected, not {json_name(value)}")


def entries(value: Any) -> list[Any]:
    """*value*, which must be an array of at most `MOST_ENTRIES`: to read each entry of a longer one would hold the event loop."""
    found = array(value)
    if len(found) > MOST_ENTRIES:
        raise TypeError(f"an array of at most {MOST_ENTRIES} entries expected, not {len(found)}")
    return found


def one_or_more(value: Any) -> list[dict[str, Any]]:
    """Return the objects of an array; a single object counts as an array of one, null as an empty array.

    The service documents these fields as arrays, and its published samples show one object.
    """
    if value is None:
        return []
    return [json_object(entry) for entry in ([value] if type(value) is dict else entries(value))]
