"""What a completion gets, decided in one place from an answer or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from authing_mfa.compat.current import Current, after
from authing_mfa.errors import AuthingError, CancelledCallError, ConfigError, MfaRequiredError, ResponseError

if TYPE_CHECKING:
    from authing_mfa.protocol import Answer

__all__ = ["CANCELLED", "EXITING", "NOT_STARTED", "SHUT_DOWN", "Outcome", "failed", "succeeded", "unexpected"]


@attrs.define
class Outcome:
    """The end of a call: the completion's arguments, and who is current from then on (None: no change). Never changed."""

    code: int
    message: str | None
    value: Any = attrs.field(default=None, repr=False)
    current: Current | None = None

    def arguments(self, *, pair: bool) -> tuple[Any, ...]:
        """The completion's arguments. As a *pair*, the Swift upload's shape: the value takes the message's place."""
        if not pair:
            return self.code, self.message, self.value
        return self.code, self.message if self.value is None else self.value


def succeeded(answer: Answer[Any], token: str | None) -> Outcome:
    """A call made with *token* was answered."""
    value = answer.value
    return Outcome(200, answer.message, value, after(value, token))


def failed(error: AuthingError) -> Outcome:
    """A call failed. A challenge is the one failure that carries a value."""
    if isinstance(error, MfaRequiredError):
        return Outcome(error.code, error.message, error.challenge, after(error.challenge, None))
    return Outcome(error.code, error.message)


def unexpected(error: BaseException) -> Outcome:
    """A call failed with something that is not of the error tree: a defect, which is reported beside this.

    The text of *error* stays out of it, it may hold anything.
    """
    return failed(ResponseError(f"The call failed in a way it should not ({type(error).__name__})."))


CANCELLED: Final = failed(CancelledCallError("The call was cancelled."))
SHUT_DOWN: Final = failed(CancelledCallError("The client was shut down before the call had ended."))
EXITING: Final = failed(CancelledCallError("The program ended before the call had."))
NOT_STARTED: Final = failed(ConfigError("There is no application: call Authing.start(app_id) first."))
