"""Load the public names of a package when they are first used, so that unused names cost no time."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["lazy"]


def lazy(
    package: dict[str, Any], modules: tuple[str, ...], **known: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of a package.

    Args:
        package: its `globals()`. Only names in its `__all__` are loaded.
        modules: its modules that have those names, in the order in which they are searched.
        known: the module of a name, if the search would load a module that the name does not need.
    """

    def getattr_(name: str) -> Any:
        if name in package["__all__"]:
            for module in (known[name],) if name in known else modules:
                found = vars(import_module(f"{package['__name__']}.{module}"))
                if name in found:
                    package[name] = found[name]
                    return found[name]
        raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")

    def dir_() -> list[str]:
        return sorted({*package, *package["__all__"]})

    return getattr_, dir_
