"""Operations and models are compared, hashed and shown as attrs would do it, without methods that are compiled for each class."""

import inspect
import subprocess
import sys

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


# It runs in another process, because it changes the classes.
LOOK_UP = """
import contextlib, importlib, inspect, pkgutil
import attrs, cattrs
import authing_mfa
found = set()
for module in pkgutil.walk_packages(authing_mfa.__path__, "authing_mfa."):
    with contextlib.suppress(ImportError):  # a module that needs an extra which is not installed
        names = {} if module.name.endswith("__main__") else vars(importlib.import_module(module.name))
        found |= {each for each in names.values() if inspect.isclass(each) and attrs.has(each)}
for cls in found:
    attrs.resolve_types(cls)
record = authing_mfa.CallRecord("mfa_check", 200, None, 200, "answered", 1, 0.1, 0.0, None)
print(len(found) > 60, cattrs.unstructure(record) == attrs.asdict(record))
"""


def test_the_types_of_all_fields_can_be_looked_up():
    """cattrs, pydantic and other libraries do it for the values that they are given."""
    done = subprocess.run([sys.executable, "-c", LOOK_UP], capture_output=True, text=True, timeout=100)
    assert (done.stdout, done.stderr) == ("True True\n", "")


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
