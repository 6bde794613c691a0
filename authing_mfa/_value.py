"""`Value`: comparing, hashing and showing, written once for all operations and models.

attrs would compile these methods for each class, which takes half of the time that importing the classes takes. So each class
has this base and ``eq=False, repr=False``. It has no slots, because attrs makes a class with slots twice.
"""

from __future__ import annotations

from typing import Any

import attrs

__all__ = ["Value"]


class Value:
    """The base of an attrs class. The options ``eq``, ``hash`` and ``repr`` of a field mean what they mean in attrs."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, field.name) == getattr(other, field.name) for field in _fields(self) if field.eq)

    def __hash__(self) -> int:
        hashed = (getattr(self, field.name) for field in _fields(self) if field.eq and field.hash is not False)
        return hash((type(self), *hashed))

    def __repr__(self) -> str:
        shown = (f"{field.name}={getattr(self, field.name)!r}" for field in _fields(self) if field.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"


def _fields(value: Any) -> tuple[attrs.Attribute[Any], ...]:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(value))
    return fields
