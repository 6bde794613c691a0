"""`handle` runs the rule of an operation, chosen by the operation's class."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.rules.context import ServiceRefusal

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Reply, RuleContext
    from authing_mfa.emulator.state.records import User

__all__ = ["handle", "refuse_code"]


@singledispatch
def handle(operation: Any, _context: RuleContext) -> Reply:
    """Do *operation* for the call and return the answer.

    Raises:
        ServiceRefusal: the service says no.
    """
    raise ServiceRefusal(404, "not_found", status=404, detail=f": {type(operation).__name__}")


def refuse_code(outcome: str, context: RuleContext, user: User | None) -> None:
    """Refuse an SMS or e-mail code that is not ``ok``. Only a wrong code counts for the lock-out; a right one ends the row.

    No source says which code the service gives here; 2001 and 2300 are those of its error table.
    """
    if outcome == "ok":
        if user is not None:
            user.failures = 0
        return
    if outcome == "wrong" and user is not None:
        context.state.count_failure(user)
    raise ServiceRefusal(2300, "code_expired") if outcome == "expired" else ServiceRefusal(2001, "wrong_code")
