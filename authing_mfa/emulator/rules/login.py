"""Logging in: the first factor, and the challenge for the second (docs/wire.md#password-login, docs/wire.md#mfa-challenge)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import keys
from authing_mfa.emulator.rules.base import handle, refuse_code
from authing_mfa.emulator.rules.context import Reply, ServiceRefusal
from authing_mfa.emulator.rules.passwords import refuse_missing_captcha, refuse_old_password
from authing_mfa.emulator.state.records import canonical_phone, canonical_target
from authing_mfa.operations import LoginByAccount, LoginByEmailCode, LoginByPhoneCode

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import RuleContext
    from authing_mfa.emulator.state.records import User

__all__ = ["first_factor_passed"]


@handle.register(LoginByAccount)
def _login_by_account(operation: LoginByAccount, context: RuleContext) -> Reply:
    password = keys.decrypt(operation.password)
    if password is None:
        raise ServiceRefusal(2333, "key_hint")
    user = context.state.find(operation.account)
    if user is None:
        if not operation.auto_register:
            raise ServiceRefusal(2004, "user_not_found")
        user = _register_account(context, operation.account, password)
    context.user = user
    if context.state.locked(user):
        raise ServiceRefusal(2005, "locked")
    refuse_missing_captcha(operation, context, user)
    if user.password_hash is None or not keys.password_matches(password, user.id, user.password_hash):
        context.state.count_failure(user, password=True)
        raise ServiceRefusal(2333, "wrong_password")
    user.wrong_passwords = 0
    refuse_old_password(context, user)
    return first_factor_passed(context, user)


def _register_account(context: RuleContext, account: str, password: str) -> User:
    if "@" in account:
        return context.state.add_user(email=account, password=password)
    if account.lstrip("+").isdigit():
        return context.state.add_user(phone=account, password=password)
    return context.state.add_user(username=account, password=password)


@handle.register(LoginByPhoneCode)
def _login_by_phone_code(operation: LoginByPhoneCode, context: RuleContext) -> Reply:
    target = canonical_phone(operation.phone, operation.phone_country_code)
    user = context.state.users.get(context.state.by_phone.get(target, ""))
    _check_login_code(context, user, target, operation.code, auto_register=operation.auto_register)
    if user is None:
        user = context.state.add_user(phone=operation.phone, phone_country_code=operation.phone_country_code)
    return first_factor_passed(context, user)


@handle.register(LoginByEmailCode)
def _login_by_email_code(operation: LoginByEmailCode, context: RuleContext) -> Reply:
    target = canonical_target(operation.email)
    user = context.state.users.get(context.state.by_email.get(target, ""))
    _check_login_code(context, user, target, operation.code, auto_register=operation.auto_register)
    if user is None:
        user = context.state.add_user(email=operation.email)
    return first_factor_passed(context, user)


def _check_login_code(context: RuleContext, user: User | None, target: str, code: str, *, auto_register: bool) -> None:
    context.user = user
    if user is None and not auto_register:
        raise ServiceRefusal(2004, "user_not_found")
    if user is not None and context.state.locked(user):
        raise ServiceRefusal(2005, "locked")
    refuse_code(context.state.spend_code((target,), code, "login"), context, user)


def first_factor_passed(context: RuleContext, user: User) -> Reply:
    """Return the user with a token, or the challenge: 1636 if the application asks for a factor, 1635 for the user's own TOTP."""
    policies = context.state.policies_of(user)
    if policies:
        raise ServiceRefusal(1636, "mfa_due", data=_challenge(context, user, policies))
    if user.totp is not None and user.totp.source == "SELF":
        raise ServiceRefusal(1635, "own_totp_due", data=_own_challenge(context, user))
    return context.logged_in(user, "login")


def _own_challenge(context: RuleContext, user: User) -> dict[str, Any]:
    return {
        "mfaToken": context.state.mfa_token(user),
        "nickname": user.nickname,
        "email": user.email,
        "username": user.username,
        "avatar": "https://files.authing.co/authing-console/default-user-avatar.png",
    }


def _challenge(context: RuleContext, user: User, policies: tuple[str, ...]) -> dict[str, Any]:
    return {
        **_own_challenge(context, user),
        "mfaPhone": user.mfa_phone,
        "mfaPhoneCountryCode": user.mfa_phone_country_code,
        "mfaEmail": user.mfa_email,
        "faceMfaEnabled": bool(user.face),
        "totpMfaEnabled": user.totp is not None,
        "phone": user.phone,
        "phoneCountryCode": user.phone_country_code,
        "applicationMfa": [
            {"mfaPolicy": policy, "status": 1, "sort": place} for place, policy in enumerate(policies, 1)
        ],
    }
