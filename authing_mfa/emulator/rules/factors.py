"""The v3 API of factors: list, enroll, reset (docs/wire.md#factor-enrollment)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.rules.base import handle, refuse_code
from authing_mfa.emulator.rules.codes import bind_email, bind_phone
from authing_mfa.emulator.rules.context import ServiceRefusal
from authing_mfa.emulator.rules.endpoints import (
    EnrollFactor,
    GetFactor,
    IntrospectMfaToken,
    ListEnrolledFactors,
    ListFactorsToEnroll,
    SendEnrollFactorRequest,
)
from authing_mfa.emulator.rules.face import stored_fingerprint
from authing_mfa.emulator.rules.totp import confirm_pending, enrollment_json
from authing_mfa.emulator.state.records import Enrollment, canonical_target
from authing_mfa.operations import UnbindFactor

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Reply, RuleContext
    from authing_mfa.emulator.state.records import User

__all__: list[str] = []


def _factors(user: User) -> dict[str, dict[str, Any]]:
    """The user's bound factors by id."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    if user.mfa_phone is not None:
        profile = {"phoneNumber": user.mfa_phone, "phoneCountryCode": user.mfa_phone_country_code}
        found.append((_factor_id(user, "SMS"), "SMS", profile))
    if user.mfa_email is not None:
        found.append((_factor_id(user, "EMAIL"), "EMAIL", {"email": user.mfa_email}))
    if user.totp is not None:
        found.append((user.totp.id, "OTP", {}))
    if user.face:
        found.append((_factor_id(user, "FACE"), "FACE", {}))
    return {ident: {"factorId": ident, "factorType": kind, "profile": profile} for ident, kind, profile in found}


def _factor_id(user: User, kind: str) -> str:
    return hashlib.sha256(f"{user.id}/{kind}".encode()).hexdigest()[:24]


@handle.register(ListEnrolledFactors)
def _list_enrolled_factors(_operation: ListEnrolledFactors, context: RuleContext) -> Reply:
    return context.ok("ok", list(_factors(context.either_user()[0]).values()))


@handle.register(ListFactorsToEnroll)
def _list_factors_to_enroll(_operation: ListFactorsToEnroll, context: RuleContext) -> Reply:
    bound = {factor["factorType"] for factor in _factors(context.either_user()[0]).values()}
    return context.ok("ok", [{"factorType": kind} for kind in ("SMS", "EMAIL", "OTP", "FACE") if kind not in bound])


@handle.register(GetFactor)
def _get_factor(operation: GetFactor, context: RuleContext) -> Reply:
    return context.ok("ok", _factor(context, context.either_user()[0], operation.factor_id))


def _factor(_context: RuleContext, user: User, factor_id: str) -> dict[str, Any]:
    factor = _factors(user).get(factor_id)
    if factor is None:
        raise ServiceRefusal(404, "factor_not_found")
    return factor


@handle.register(UnbindFactor)
def _unbind_factor(operation: UnbindFactor, context: RuleContext) -> Reply:
    user = context.logged_in_user()
    kind = _factor(context, user, operation.factor_id)["factorType"]
    if kind == "SMS":
        context.state.unbind_phone(user)
    elif kind == "EMAIL":
        context.state.unbind_email(user)
    elif kind == "OTP":
        user.totp = None
    else:
        user.face = ()
    context.state.notify("users", {"id": user.id})
    return context.ok("unbound")


@handle.register(SendEnrollFactorRequest)
def _send_enroll_factor_request(operation: SendEnrollFactorRequest, context: RuleContext) -> Reply:
    user = context.either_user()[0]
    kind, profile = operation.factor_type.upper(), operation.profile
    phone, email, country = profile.get("phoneNumber"), profile.get("email"), profile.get("phoneCountryCode")
    answer: dict[str, Any] = {}
    if kind == "SMS":
        _send(context, "sms", phone, country)
    elif kind == "EMAIL":
        _send(context, "email", email, None)
    elif kind == "OTP":
        user.pending_totp = context.state.new_totp("SELF")
        made = enrollment_json(user, user.pending_totp)
        answer["otpData"] = {
            "qrCodeUri": made["qrcode_uri"],
            "qrCodeDataUrl": made["qrcode_data_url"],
            "recoveryCode": made["recovery_code"],
            "secret": made["secret"],
        }
    elif kind != "FACE":
        raise ServiceRefusal(400, "bad_request", detail=": factorType")
    token = context.state.rng.randbytes(16).hex()
    expires = context.state.clock() + context.state.settings.enrollment_ttl
    context.state.enrollments[token] = Enrollment(user.id, kind, expires, phone, country, email)
    return context.ok("sent", {"enrollmentToken": token, **answer})


def _send(context: RuleContext, channel: str, to: Any, country: str | None) -> None:
    if not isinstance(to, str) or not to.strip():
        raise ServiceRefusal(400, "bad_request", detail=": profile")
    if not context.state.send(channel, to, country, "CHANNEL_BIND_MFA"):
        raise ServiceRefusal(422, "too_soon")


@handle.register(EnrollFactor)
def _enroll_factor(operation: EnrollFactor, context: RuleContext) -> Reply:
    user = context.either_user()[0]
    asked = context.state.enrollments.get(operation.enrollment_token)
    if asked is None or asked.user_id != user.id or asked.expires_at <= context.state.clock():
        raise ServiceRefusal(401, "enrollment_invalid")
    if asked.factor_type != operation.factor_type.upper():
        raise ServiceRefusal(400, "bad_request", detail=": factorType")
    _enroll(context, user, asked, operation.enrollment_data)
    del context.state.enrollments[operation.enrollment_token]
    return context.ok("enrolled")


def _enroll(context: RuleContext, user: User, asked: Enrollment, data: dict[str, Any]) -> None:
    code = str(data.get("passCode") or "")
    if asked.factor_type == "SMS" and asked.phone is not None:
        target = canonical_target(asked.phone, asked.phone_country_code)
        refuse_code(context.state.spend_code((target,), code), context, user)
        bind_phone(context, user, asked.phone, asked.phone_country_code)
    elif asked.factor_type == "EMAIL" and asked.email is not None:
        refuse_code(context.state.spend_code((canonical_target(asked.email),), code), context, user)
        bind_email(context, user, asked.email)
    elif asked.factor_type == "OTP":
        if not confirm_pending(context, user, code):
            raise ServiceRefusal(6001, "wrong_totp")
    else:
        user.face = (stored_fingerprint(context, str(data.get("photo") or ""), 1700),)
        context.state.notify("users", {"id": user.id})


@handle.register(IntrospectMfaToken)
def _introspect_mfa_token(operation: IntrospectMfaToken, context: RuleContext) -> Reply:
    user, is_mfa, good = context.state.read_token(operation.token)
    if user is None or not is_mfa or not good:
        return context.ok("ok", {"active": False})
    return context.ok("ok", {"active": True, "userId": user.id, "userPoolId": context.state.user_pool_id})
