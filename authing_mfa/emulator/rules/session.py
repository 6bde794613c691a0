"""The session after a login: refresh, logout, security level (docs/wire.md#session)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authing_mfa.emulator.rules.base import handle
from authing_mfa.emulator.rules.context import ServiceRefusal
from authing_mfa.operations import GetSecurityLevel, Logout, RefreshIdToken

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Reply, RuleContext

__all__: list[str] = []


@handle.register(RefreshIdToken)
def _refresh_id_token(_operation: RefreshIdToken, context: RuleContext) -> Reply:
    """Return a new token with its times, and no user. No source says whether the old token stays valid: here it does."""
    user = context.logged_in_user()
    token = context.state.user_token(user)
    claims = context.state.signer.read(token) or {}
    return context.ok("refreshed", {"token": token, "iat": claims["iat"], "exp": claims["exp"]})


@handle.register(Logout)
def _logout(_operation: Logout, context: RuleContext) -> Reply:
    """End the token. Without a token the answer is 200 as well; for an invalid token it is 1010001."""
    if context.token is None:
        return context.ok("logged_out")
    user, is_mfa, good = context.state.read_token(context.token)
    if user is None or is_mfa or not good:
        raise ServiceRefusal(1010001, "not_logged_in")
    context.user = user
    context.state.end_token(context.token)
    return context.ok("logged_out")


@handle.register(GetSecurityLevel)
def _get_security_level(_operation: GetSecurityLevel, context: RuleContext) -> Reply:
    """Give 20 points for each of e-mail, phone and password, 40 for a second factor. No source says how the service counts."""
    user = context.logged_in_user()
    email, phone, password = user.email is not None, user.phone is not None, user.password_hash is not None
    mfa = user.totp is not None or bool(user.face)
    return context.ok(
        "ok",
        {
            "score": 20 * (email + phone + password) + 40 * mfa,
            "email": email,
            "phone": phone,
            "password": password,
            "passwordSecurityLevel": 1 if password else None,
            "mfa": mfa,
        },
    )
