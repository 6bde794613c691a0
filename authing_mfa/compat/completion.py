"""Which arguments a completion takes. This is checked when the call is made: later no caller could receive the error."""

from __future__ import annotations

import inspect
from enum import Enum
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from authing_mfa._plain_function import is_never_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.compat.outcome import Outcome

__all__ = ["Shape", "check_completion"]

_VALUE = (200, None, None)
_PAIR = (200, None)
_VARIABLE = inspect.CO_VARARGS


class Shape(Enum):
    """The arguments that a call gives its completion."""

    VALUE = "(code, message, value)"
    NO_VALUE = "(code, message)"
    UPLOAD = "(code, the photo's key or the message)"

    def arguments(self, outcome: Outcome) -> tuple[Any, ...]:
        """Return the arguments for *outcome*."""
        if self is _WITH_VALUE:
            return outcome.code, outcome.message, outcome.value
        if self is _WITHOUT_VALUE or outcome.value is None:
            return outcome.code, outcome.message
        return outcome.code, outcome.value


_WITH_VALUE, _WITHOUT_VALUE, _UPLOAD = Shape  # module globals: the hot path reads them


def check_completion(completion: object, *, name: str, upload: bool, valueless: bool) -> Shape:
    """Return which arguments *completion* gets.

    Args:
        completion: what the application passed.
        name: the call's name, for the error.
        upload: the completion takes the photo's key in the message's place, as in Swift.
        valueless: the call has no value; a completion may leave that argument out, as in Swift.

    Raises:
        TypeError: *completion* is not a function, cannot take the arguments, or is a coroutine function or a generator.
    """
    if not callable(completion):
        raise TypeError(f"The completion of {name} must be a function.")
    if is_never_run(completion):
        raise TypeError(
            f"The completion of {name} is a coroutine function or a generator, whose body would never run: "
            "pass a plain function; it may start a task."
        )
    if upload:
        if _takes(completion, _PAIR):
            return _UPLOAD
    elif _takes(completion, _VALUE):
        return _WITH_VALUE
    elif valueless and _takes(completion, _PAIR):
        return _WITHOUT_VALUE
    expected = _UPLOAD if upload else _WITH_VALUE
    short = f", or {_WITHOUT_VALUE.value}" if valueless else ""
    raise TypeError(f"The completion of {name} must take {expected.value}{short}.")


def _takes(completion: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    """Return True if *completion* can be called with that many arguments, or does not say how many it takes."""
    bound = type(completion) is MethodType
    function = completion.__func__ if isinstance(completion, MethodType) else completion
    if type(function) is FunctionType:  # the usual case; a hundred times faster than a signature
        code = function.__code__
        taken, given = code.co_argcount, len(arguments) + bound
        least = taken - len(function.__defaults__ or ())
        most = given if code.co_flags & _VARIABLE else taken
        without = code.co_kwonlyargcount - len(function.__kwdefaults__ or ())
        return least <= given <= most and without == 0
    try:
        inspect.signature(completion).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # a built-in function without a signature
        return True
    return True
