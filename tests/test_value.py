"""Operations and models are compared, hashed and shown as attrs would do it, without methods that are compiled for each class."""

import inspect

import attrs
import pytest

from authing_mfa import models
from authing_mfa import operations as ops
from authing_mfa._value import Value


@attrs.frozen(eq=False, repr=False, slots=False)
class Point(Value):
    """A value with each option of a field."""

    x: int
    y: int = attrs.field(default=0, repr=False)
    note: list[int] = attrs.field(factory=list, hash=False)
    cache: list[int] = attrs.field(factory=list, eq=False)


class Subclass(Point):
    """The same fields in another class."""


def test_values_with_the_same_fields_are_equal():
    """Every field counts but those with eq=False, and the class counts."""
    assert Point(1, 2, [3], [4]) == Point(1, 2, [3], [5])
    assert Point(1, 2) != Point(0, 2)
    assert Point(1, 2) != Point(1, 0)
    assert Point(1, 2, [3]) != Point(1, 2)
    assert Point(1) != Subclass(1)
    assert Point(1) != 1


def test_equal_values_have_one_hash():
    """A field that cannot be hashed does not prevent it."""
    assert len({Point(1, 2, [3], [4]), Point(1, 2, [3], [5])}) == 1
    assert len({hash(value) for value in (Point(1, 2), Point(0, 2), Point(1, 0), Subclass(1, 2))}) == 4
    assert hash(Point(1, 2, [3])) == hash(Point(1, 2))


def test_a_value_shows_its_class_and_its_fields():
    """A field with repr=False is not shown."""
    assert repr(Point(1, 2, [3], [4])) == "Point(x=1, note=[3], cache=[4])"
    assert repr(Subclass(1)) == "Subclass(x=1, note=[], cache=[])"


@pytest.mark.parametrize(
    "cls",
    [
        cls
        for cls in (*vars(models).values(), *vars(ops).values())
        if inspect.isclass(cls) and issubclass(cls, Value) and cls is not Value
    ],
    ids=lambda cls: cls.__name__,
)
def test_no_class_has_compiled_methods_of_its_own(cls):
    """Compiling them took half of the time that importing took. Each class is still frozen."""
    assert attrs.has(cls)
    assert {"__eq__", "__hash__", "__repr__"}.isdisjoint(vars(cls))
    assert cls.__setattr__ is not object.__setattr__
