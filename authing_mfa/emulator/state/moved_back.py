"""Adapt a namespace's state to a clock that was moved back.

What was done in the time that is taken back lies in the future then: a lock would hold for years, a code would have expired before it was
sent, and the TOTP code of the new time would be older than the last used one. So these things move back together with the clock and keep
their age. What was done before that time stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from authing_mfa.emulator.crypto.totp import step_of

if TYPE_CHECKING:
    from authing_mfa.emulator.state.records import User
    from authing_mfa.emulator.state.state import State

__all__ = ["move_back"]


def move_back(state: State, seconds: float) -> None:
    """Adapt *state* after its clock was moved back by *seconds*; the caller holds its lock."""
    now = state.clock()
    for user in state.users.values():
        _move_user(user, now, seconds)
    state.messages.move_back(now, seconds)
    settings = state.settings
    for token, enrollment in state.enrollments.items():
        latest = now + settings.enrollment_ttl
        state.enrollments[token] = attrs.evolve(enrollment, expires_at=min(enrollment.expires_at, latest))
    for token, change in state.sessions.password_tokens.items():
        latest = now + settings.password_token_ttl
        state.sessions.password_tokens[token] = attrs.evolve(change, expires_at=min(change.expires_at, latest))


def _move_user(user: User, now: float, seconds: float) -> None:
    if user.locked_at > now:
        user.locked_at -= seconds
        user.locked_until -= seconds
    binding, step = user.totp, step_of(now)
    if binding is not None and step_of(now + seconds) > step < binding.last_step:
        binding.last_step, binding.confirmed_step = -1, None
