"""Codes by SMS and e-mail: sending them, verifying with them, binding and unbinding targets (docs/wire.md#sending-codes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authing_mfa.emulator.rules.base import act, refuse_code
from authing_mfa.emulator.rules.context import Refusal
from authing_mfa.emulator.rules.endpoints import SendEmail, SendSmsV3, SendSmsWithScene
from authing_mfa.emulator.state.records import canonical_phone, canonical_target
from authing_mfa.operations import MfaCheck, UnbindEmail, UnbindPhone, VerifyByEmail, VerifyByPhone

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Call, Reply
    from authing_mfa.emulator.state.records import User

__all__ = ["bind_email", "bind_phone"]


@act.register(SendSmsWithScene)
def _(operation: SendSmsWithScene, call: Call) -> Reply:
    if not call.state.send("sms", operation.phone, operation.phone_country_code, operation.scene):
        raise Refusal(4004, "too_soon")
    return call.ok("sent")


@act.register(SendSmsV3)
def _(operation: SendSmsV3, call: Call) -> Reply:
    if not call.state.send("sms", operation.phone_number, operation.phone_country_code, operation.channel):
        raise Refusal(422, "too_soon")
    return call.ok("sent")


@act.register(SendEmail)
def _(operation: SendEmail, call: Call) -> Reply:
    if "@" not in operation.email:
        raise Refusal(400, "bad_request", status=400, detail=": email")
    if not call.state.send("email", operation.email, None, operation.scene):
        raise Refusal(2080, "too_soon")
    return call.ok("sent")


@act.register(MfaCheck)
def _(operation: MfaCheck, call: Call) -> Reply:
    """True where every target that is asked about is free: nobody has bound it for MFA."""
    call.mfa_user()
    state = call.state
    phone_free = operation.phone is None or canonical_phone(operation.phone) not in state.by_mfa_phone
    email_free = operation.email is None or canonical_target(operation.email) not in state.by_mfa_email
    return call.ok("ok", phone_free and email_free)


@act.register(VerifyByPhone)
def _(operation: VerifyByPhone, call: Call) -> Reply:
    user = call.mfa_user()
    country = operation.phone_country_code
    if country is None and operation.phone == user.mfa_phone:
        country = user.mfa_phone_country_code  # most official clients leave it out here
    target = canonical_phone(operation.phone, country)
    if user.mfa_phone is not None and target != canonical_phone(user.mfa_phone, user.mfa_phone_country_code):
        raise Refusal(400, "other_target")
    targets = (target, canonical_phone(operation.phone))
    _refuse_taken_phone(call, user, target)
    refuse_code(call.state.spend_code(targets, operation.code), call, user)
    bind_phone(call, user, operation.phone, country)
    return call.logged_in(user, "verified", second_factor=True)


def _refuse_taken_phone(call: Call, user: User, target: str) -> None:
    if call.state.by_mfa_phone.get(target) not in (None, user.id):
        raise Refusal(500, "target_taken")


def bind_phone(call: Call, user: User, phone: str, country: str | None) -> None:
    """Make *phone* the user's MFA target where the user has none; refused where it is another user's."""
    _refuse_taken_phone(call, user, canonical_phone(phone, country))
    if user.mfa_phone is None:
        call.state.bind_phone(user, phone, country)
        call.state.notify("users", {"id": user.id})


@act.register(VerifyByEmail)
def _(operation: VerifyByEmail, call: Call) -> Reply:
    user = call.mfa_user()
    target = canonical_target(operation.email)
    if user.mfa_email is not None and target != canonical_target(user.mfa_email):
        raise Refusal(400, "other_target")
    _refuse_taken_email(call, user, target)
    refuse_code(call.state.spend_code((target,), operation.code), call, user)
    bind_email(call, user, operation.email)
    return call.logged_in(user, "verified", second_factor=True)


def _refuse_taken_email(call: Call, user: User, target: str) -> None:
    if call.state.by_mfa_email.get(target) not in (None, user.id):
        raise Refusal(2200, "email_taken")


def bind_email(call: Call, user: User, email: str) -> None:
    """Make *email* the user's MFA target where the user has none; refused where it is another user's."""
    _refuse_taken_email(call, user, canonical_target(email))
    if user.mfa_email is None:
        call.state.bind_email(user, email)
        call.state.notify("users", {"id": user.id})


@act.register(UnbindPhone)
def _(_operation: UnbindPhone, call: Call) -> Reply:
    user = call.logged_in_user()
    call.state.unbind_phone(user)
    call.state.notify("users", {"id": user.id})
    return call.ok("unbound")


@act.register(UnbindEmail)
def _(_operation: UnbindEmail, call: Call) -> Reply:
    user = call.logged_in_user()
    call.state.unbind_email(user)
    call.state.notify("users", {"id": user.id})
    return call.ok("unbound")
