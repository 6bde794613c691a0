"""Send codes by SMS and e-mail, verify them, bind and unbind targets (docs/wire.md#sending-codes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authing_mfa.emulator.rules.base import handle, refuse_code
from authing_mfa.emulator.rules.context import ServiceRefusal
from authing_mfa.emulator.rules.endpoints import SendEmailV3, SendSmsV3
from authing_mfa.emulator.state.records import canonical_phone, canonical_target, country_after_change
from authing_mfa.emulator.state.user_fields import UnacceptableError, checked_recipient
from authing_mfa.operations import (
    MfaCheck,
    SendEmail,
    SendSms,
    UnbindEmail,
    UnbindPhone,
    VerifyByEmail,
    VerifyByPhone,
)

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Reply, RuleContext
    from authing_mfa.emulator.state.records import User

__all__ = ["bind_email", "bind_phone", "refuse_bad_recipient", "refuse_taken_email", "refuse_taken_phone"]


@handle.register(SendSms)
def _send_sms(operation: SendSms, context: RuleContext) -> Reply:
    refuse_bad_recipient(operation.phone, "sms", 500)
    if not context.state.send("sms", operation.phone, operation.phone_country_code, operation.scene):
        raise ServiceRefusal(4004, "too_soon")
    return context.ok("sent")


@handle.register(SendSmsV3)
def _send_sms_v3(operation: SendSmsV3, context: RuleContext) -> Reply:
    """Send at most one code per target, channel and minute."""
    phone, country, channel = operation.phone_number, operation.phone_country_code, operation.channel
    refuse_bad_recipient(phone, "sms", 400)
    if not context.state.send("sms", phone, country, channel, per_scene=True):
        raise ServiceRefusal(422, "too_soon")
    return context.ok("sent")


@handle.register(SendEmailV3)
def _send_email_v3(operation: SendEmailV3, context: RuleContext) -> Reply:
    """Send at most one code per target, channel and minute. No source says how the second one is refused: here with 2080, as v2 does."""
    refuse_bad_recipient(operation.email, "email", 400)
    if not context.state.send("email", operation.email, None, operation.channel, per_scene=True):
        raise ServiceRefusal(2080, "too_soon")
    return context.ok("sent")


@handle.register(SendEmail)
def _send_email(operation: SendEmail, context: RuleContext) -> Reply:
    refuse_bad_recipient(operation.email, "email", 1020017)
    if not context.state.send("email", operation.email, None, operation.scene):
        raise ServiceRefusal(2080, "too_soon")
    return context.ok("sent")


def refuse_bad_recipient(to: str, channel: str, code: int) -> None:
    """Refuse with *code* a recipient that no message of *channel* can go to (docs/wire.md#server-codes)."""
    try:
        checked_recipient(to, channel)
    except UnacceptableError:
        raise ServiceRefusal(code, "bad_email" if channel == "email" else "bad_phone") from None


@handle.register(MfaCheck)
def _mfa_check(operation: MfaCheck, context: RuleContext) -> Reply:
    """Answer true if nobody has bound any of the given targets for MFA; no source says what is answered if none is given."""
    context.mfa_user()
    state = context.state
    phone_free = operation.phone is None or canonical_phone(operation.phone) not in state.by_mfa_phone
    email_free = operation.email is None or canonical_target(operation.email) not in state.by_mfa_email
    return context.ok("ok", phone_free and email_free)


@handle.register(VerifyByPhone)
def _verify_by_phone(operation: VerifyByPhone, context: RuleContext) -> Reply:
    user = context.mfa_user()
    country = operation.phone_country_code
    if country is None and user.mfa_phone is not None:  # most official clients leave it out here
        country = country_after_change(user.mfa_phone, user.mfa_phone_country_code, operation.phone)
    target = canonical_phone(operation.phone, country)
    if user.mfa_phone is not None and target != canonical_phone(user.mfa_phone, user.mfa_phone_country_code):
        raise ServiceRefusal(400, "other_target")
    targets = (target, canonical_phone(operation.phone))
    refuse_taken_phone(context, user, target)
    refuse_code(context.state.spend_code(targets, operation.code, "mfa"), context, user)
    bind_phone(context, user, operation.phone, country)
    return context.logged_in(user, "verified", second_factor=True)


def refuse_taken_phone(context: RuleContext, user: User, target: str) -> None:
    """Refuse the MFA phone *target* (canonical) of another user: before its code is spent."""
    if context.state.by_mfa_phone.get(target) not in (None, user.id):
        raise ServiceRefusal(500, "target_taken")


def bind_phone(context: RuleContext, user: User, phone: str, country: str | None, *, replace: bool = False) -> None:
    """Make *phone* the user's MFA target if the user has none, or *replace* the old one; refuse the target of another user."""
    refuse_taken_phone(context, user, canonical_phone(phone, country))
    if replace or user.mfa_phone is None:
        context.state.bind_phone(user, phone, country)
        context.state.notify("users", {"id": user.id})


@handle.register(VerifyByEmail)
def _verify_by_email(operation: VerifyByEmail, context: RuleContext) -> Reply:
    user = context.mfa_user()
    target = canonical_target(operation.email)
    if user.mfa_email is not None and target != canonical_target(user.mfa_email):
        raise ServiceRefusal(400, "other_target")
    refuse_taken_email(context, user, target)
    refuse_code(context.state.spend_code((target,), operation.code, "mfa"), context, user)
    bind_email(context, user, operation.email)
    return context.logged_in(user, "verified", second_factor=True)


def refuse_taken_email(context: RuleContext, user: User, target: str) -> None:
    """Refuse the MFA address *target* (canonical) of another user: before its code is spent."""
    if context.state.by_mfa_email.get(target) not in (None, user.id):
        raise ServiceRefusal(2200, "email_taken")


def bind_email(context: RuleContext, user: User, email: str, *, replace: bool = False) -> None:
    """Make *email* the user's MFA target if the user has none, or *replace* the old one; refuse the target of another user."""
    refuse_taken_email(context, user, canonical_target(email))
    if replace or user.mfa_email is None:
        context.state.bind_email(user, email)
        context.state.notify("users", {"id": user.id})


@handle.register(UnbindPhone)
def _unbind_phone(_operation: UnbindPhone, context: RuleContext) -> Reply:
    user = context.logged_in_user()
    context.state.unbind_phone(user)
    context.state.notify("users", {"id": user.id})
    return context.ok("unbound")


@handle.register(UnbindEmail)
def _unbind_email(_operation: UnbindEmail, context: RuleContext) -> Reply:
    user = context.logged_in_user()
    context.state.unbind_email(user)
    context.state.notify("users", {"id": user.id})
    return context.ok("unbound")
