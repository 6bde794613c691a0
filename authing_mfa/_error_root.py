"""The root of the error tree and the error for wrong arguments. They stand below the models, which raise the second.

Their public place is `authing_mfa.errors`; tracebacks and pickles name that module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AuthingError", "Delivery", "InvalidInputError"]

Delivery = Literal["not_sent", "unknown", "answered"]


class AuthingError(Exception):
    """The base class of all errors that a call raises.

    Attributes:
        code: the service's code, or one of 10001-10004 and 10100-10106 if the error is not an answer of the service.
        message: a sentence for people; the service's own sentence if the service answered (in the client's `lang`).
        delivery: whether the service may have acted, see `authing_mfa.errors`.
    """

    __module__ = "authing_mfa.errors"

    default_code: ClassVar[int] = 0
    default_delivery: ClassVar[Delivery] = "not_sent"

    code: int
    message: str
    delivery: Delivery

    def __init__(self, message: str, *, code: int | None = None, delivery: Delivery | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = self.default_code if code is None else code
        self.delivery = self.default_delivery if delivery is None else delivery

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code}, message={self.message!r}, delivery={self.delivery!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own way calls cls(*args), which forgets keyword arguments.
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _rebuild(cls: type[AuthingError], args: tuple[Any, ...], state: Mapping[str, Any]) -> AuthingError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidInputError(AuthingError, ValueError):
    """An argument is not valid; nothing was sent."""

    __module__ = "authing_mfa.errors"

    default_code = 10100
