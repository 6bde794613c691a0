"""The one current user, as the Swift SDK has it: who the next call speaks as."""

from __future__ import annotations

import attrs

from authing_mfa.models import MfaChallenge, UserInfo

__all__ = ["Current", "CurrentHolder", "after"]


@attrs.frozen
class Current:
    """A user and the token to speak with; between login and second factor there is a token and no user yet."""

    user: UserInfo | None = None
    token: str | None = attrs.field(default=None, repr=False)


class CurrentHolder:
    """Where the current user is kept. Reading and replacing `value` are each one step, so no lock is needed."""

    def __init__(self) -> None:
        self.value = Current()


def after(value: object, token: str | None) -> Current | None:
    """Who is current once a call made with *token* has answered *value*. None: whoever it was before.

    A challenge makes its mfaToken current and no user. A user becomes current with the token it brought, else with the one
    that got it. An answer without a user (a recovery code alone) changes nothing: the mfaToken must not be lost with it.
    """
    if isinstance(value, UserInfo):
        return None if value.id is None else Current(value, value.id_token or token)
    if isinstance(value, MfaChallenge):
        return Current(None, value.token)
    return None
