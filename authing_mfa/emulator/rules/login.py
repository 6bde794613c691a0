"""Logging in: the first factor, and the challenge for the second (docs/wire.md#password-login, docs/wire.md#mfa-challenge)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import keys
from authing_mfa.emulator.rules.base import act, refuse_code
from authing_mfa.emulator.rules.context import Refusal, Reply
from authing_mfa.emulator.state.records import canonical_phone, canonical_target
from authing_mfa.operations import LoginByAccount, LoginByEmailCode, LoginByPhoneCode

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Call
    from authing_mfa.emulator.state.records import User

__all__ = ["first_factor_passed"]


@act.register(LoginByAccount)
def _(operation: LoginByAccount, call: Call) -> Reply:
    password = keys.decrypt(operation.password)
    if password is None:
        raise Refusal(2333, "key_hint")
    user = call.state.find(operation.account)
    if user is None:
        if not operation.auto_register:
            raise Refusal(2004, "user_not_found")
        user = _register_account(call, operation.account, password)
    call.user = user
    if call.state.locked(user):
        raise Refusal(2005, "locked")
    if user.password_hash is None or not keys.password_matches(password, user.id, user.password_hash):
        call.state.count_failure(user)
        raise Refusal(2333, "wrong_password")
    return first_factor_passed(call, user)


def _register_account(call: Call, account: str, password: str) -> User:
    if "@" in account:
        return call.state.add_user(email=account, password=password)
    if account.lstrip("+").isdigit():
        return call.state.add_user(phone=account, password=password)
    return call.state.add_user(username=account, password=password)


@act.register(LoginByPhoneCode)
def _(operation: LoginByPhoneCode, call: Call) -> Reply:
    target = canonical_phone(operation.phone, operation.phone_country_code)
    user = call.state.users.get(call.state.by_phone.get(target, ""))
    _check_login_code(call, user, target, operation.code, auto_register=operation.auto_register)
    if user is None:
        user = call.state.add_user(phone=operation.phone, phone_country_code=operation.phone_country_code)
    return first_factor_passed(call, user)


@act.register(LoginByEmailCode)
def _(operation: LoginByEmailCode, call: Call) -> Reply:
    target = canonical_target(operation.email)
    user = call.state.users.get(call.state.by_email.get(target, ""))
    _check_login_code(call, user, target, operation.code, auto_register=operation.auto_register)
    if user is None:
        user = call.state.add_user(email=operation.email)
    return first_factor_passed(call, user)


def _check_login_code(call: Call, user: User | None, target: str, code: str, *, auto_register: bool) -> None:
    call.user = user
    if user is None and not auto_register:
        raise Refusal(2004, "user_not_found")
    if user is not None and call.state.locked(user):
        raise Refusal(2005, "locked")
    refuse_code(call.state.spend_code((target,), code), call, user)


def first_factor_passed(call: Call, user: User) -> Reply:
    """The user with a token, or the challenge: 1636 where the application asks for more, 1635 for the user's own TOTP."""
    policies = call.state.policies_of(user)
    if policies:
        raise Refusal(1636, "mfa_due", data=_challenge(call, user, policies))
    if user.totp is not None and user.totp.source == "SELF":
        raise Refusal(1635, "own_totp_due", data=_own_challenge(call, user))
    return call.logged_in(user, "login")


def _own_challenge(call: Call, user: User) -> dict[str, Any]:
    return {
        "mfaToken": call.state.mfa_token(user),
        "nickname": user.nickname,
        "email": user.email,
        "username": user.username,
        "avatar": "https://files.authing.co/authing-console/default-user-avatar.png",
    }


def _challenge(call: Call, user: User, policies: tuple[str, ...]) -> dict[str, Any]:
    return {
        **_own_challenge(call, user),
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
