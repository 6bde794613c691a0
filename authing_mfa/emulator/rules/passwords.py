"""Captcha and new password, which a password login may need (docs/wire.md#captcha, #forced-password-change)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import keys
from authing_mfa.emulator.rules.base import handle
from authing_mfa.emulator.rules.context import Reply, ServiceRefusal
from authing_mfa.operations import ChangeExpiredPassword, ChangePasswordByFirstLoginToken, GetCaptcha

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import RuleContext
    from authing_mfa.emulator.state.records import User
    from authing_mfa.operations import LoginByAccount

__all__ = ["refuse_missing_captcha", "refuse_old_password"]

_COOKIE = "authing-emulator-captcha"  # no source states the service's name for it

_CHANGES = {1639: "first_login", 2058: "password_expired", 2071: "password_unsafe"}


@handle.register(GetCaptcha)
def _get_captcha(_operation: GetCaptcha, context: RuleContext) -> Reply:
    """Return a picture and its cookie. A program can read the text in the picture as well."""
    cookie, text = context.state.sessions.new_captcha()
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#eee"/>'
        f'<text x="60" y="27" font-family="monospace" font-size="20" text-anchor="middle">{text}</text></svg>'
    )
    headers = {"Set-Cookie": f"{_COOKIE}={cookie}; Path=/; HttpOnly", "Cache-Control": "no-store"}
    return Reply(picture.encode(), content_type="image/svg+xml", headers=headers)


def refuse_missing_captcha(operation: LoginByAccount, context: RuleContext, user: User) -> None:
    """Refuse a login without the text of a captcha after enough wrong passwords of *user*. A picture is valid once."""
    limit = context.state.settings.captcha_after
    if limit is None or user.wrong_passwords < limit:
        return
    text = context.state.sessions.captchas.pop(context.cookies.get(_COOKIE, ""), None)
    if operation.captcha_code is None:
        raise ServiceRefusal(2000, "captcha_due")
    if text is None or operation.captcha_code.strip().lower() != text.lower():
        raise ServiceRefusal(2000, "captcha_wrong")


def refuse_old_password(context: RuleContext, user: User) -> None:
    """Refuse a login with the right password if the user must change it first."""
    code = user.password_change
    if code is None:
        return
    expires = context.state.clock() + context.state.settings.password_token_ttl
    data: dict[str, Any] = {"token": context.state.sessions.new_password_token(user, expires)}
    if code == 2058:
        data |= {"forcedCycle": 90, "forcedCycleUnit": "DAY"}
    raise ServiceRefusal(code, _CHANGES[code], data=data)


@handle.register(ChangePasswordByFirstLoginToken)
def _change_by_first_login_token(operation: ChangePasswordByFirstLoginToken, context: RuleContext) -> Reply:
    user = _user_of(context, operation.token, (1639, 2071))
    return _change(context, user, operation.token, operation.password)


@handle.register(ChangeExpiredPassword)
def _change_expired_password(operation: ChangeExpiredPassword, context: RuleContext) -> Reply:
    user = _user_of(context, operation.token, (2058,))
    if not _is_password(user, keys.decrypt(operation.old_password)):
        context.state.count_failure(user, password=True)
        raise ServiceRefusal(1320011, "old_password_wrong")
    return _change(context, user, operation.token, operation.new_password)


def _user_of(context: RuleContext, token: str, codes: tuple[int, ...]) -> User:
    """Return the user of a token to change the password. No source says how another token is refused: here with 2206."""
    known = context.state.sessions.password_tokens.get(token)
    user = (
        None if known is None or known.expires_at <= context.state.clock() else context.state.users.get(known.user_id)
    )
    if user is None or user.password_change not in codes:
        raise ServiceRefusal(2206, "change_token_invalid")
    context.user = user
    return context.unlocked(user)


def _is_password(user: User, password: str | None) -> bool:
    return (
        password is not None
        and user.password_hash is not None
        and keys.password_matches(password, user.id, user.password_hash)
    )


def _change(context: RuleContext, user: User, token: str, encrypted: str) -> Reply:
    """Set the new password. The old password, or one with fewer than six characters, counts as unsafe (2061)."""
    password = keys.decrypt(encrypted)
    if password is None:
        raise ServiceRefusal(2333, "key_hint")
    if len(password) < 6 or _is_password(user, password):
        raise ServiceRefusal(2061, "new_password_unsafe")
    user.password_hash = keys.hash_password(password, user.id)
    user.password_change = None
    user.wrong_passwords = 0
    del context.state.sessions.password_tokens[token]
    context.state.notify("users", {"id": user.id})
    return context.ok("password_changed")
