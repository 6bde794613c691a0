"""Turn the JSON object of a request into an operation, with cattrs. Strict: a wrong type is an error, never coerced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from authing_mfa import _strict
from authing_mfa.operations import Operation
from authing_mfa.structuring import wire_name

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["operation_from_wire"]

O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - O for operation; never beside a zero

_converter: Final = cattrs.Converter(detailed_validation=False)
_converter.register_structure_hook(str, lambda value, _: _strict.text(value))
_converter.register_structure_hook(bool, lambda value, _: _strict.flag(value))
_converter.register_structure_hook_func(
    lambda kind: kind == (str | None), lambda value, _: _strict.optional_text(value)
)

_structurers: Final[dict[Any, Callable[[Any, Any], Any]]] = {}


def operation_from_wire(cls: type[O], body: dict[str, Any]) -> O:
    """Return the operation that a request's JSON object *body* (camelCase keys) asks for. Unknown keys are ignored.

    Raises:
        InvalidInputError: a field is empty or not of its type.
        KeyError, TypeError: a required field is missing, or a value cannot be read at all.
    """
    structure = _structurers.get(cls)
    if structure is None:
        structure = _structurers[cls] = _structurer(cls)
    operation: O = structure(_ungrouped(cls, body) if cls.groups else body, cls)
    return operation


def _structurer(cls: type[Operation[Any]]) -> Callable[[Any, Any], Any]:
    fields: dict[str, Any] = {
        field.name: override(rename=wire_name(field), omit=field.metadata.get("header", False))
        for field in attrs.fields(cls)
    }
    return make_dict_structure_fn(cls, _converter, _cattrs_detailed_validation=False, **fields)


def _ungrouped(cls: type[Operation[Any]], body: dict[str, Any]) -> dict[str, Any]:
    fields = dict(body)
    for name in cls.groups:
        held = fields.pop(name, None)
        fields |= {} if held is None else _strict.json_object(held)
    return fields
