"""Find out whether a call of an application's function would run its body: that of a coroutine function or a generator would never run."""

from __future__ import annotations

import functools
import inspect
from types import FunctionType, MethodType
from typing import Any

__all__ = ["is_never_run", "is_plain_function"]

_NOT_PLAIN = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_NEVER_RUN = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)


def is_plain_function(called: object) -> bool:
    """Return True if *called* can be called, and a plain call of it runs its body."""
    return callable(called) and not is_never_run(called)


def is_never_run(called: Any) -> bool:
    """Return True if a plain call of *called* does not run its body."""
    while isinstance(called, functools.partial):
        called = called.func
    function = called.__func__ if type(called) is MethodType else called
    if type(function) is FunctionType:
        if function.__code__.co_flags & _NOT_PLAIN:
            return True
        # A plain function may be marked as a coroutine function; the mark is an attribute.
        return bool(function.__dict__) and inspect.iscoroutinefunction(function)
    if isinstance(function, type):
        return False
    run = type(function).__call__ if hasattr(type(function), "__call__") else function  # noqa: B004 - the function that it runs
    return any(is_one(each) for is_one in _NEVER_RUN for each in (function, run))
