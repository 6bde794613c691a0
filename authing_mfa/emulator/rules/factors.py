"""The v3 API of factors: list, enroll, reset (docs/wire.md#factor-enrollment)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.rules.base import act, refuse_code
from authing_mfa.emulator.rules.codes import bind_email, bind_phone
from authing_mfa.emulator.rules.context import Refusal
from authing_mfa.emulator.rules.endpoints import (
    EnrollFactor,
    GetFactor,
    IntrospectMfaToken,
    ListEnrolledFactors,
    ListFactorsToEnroll,
    SendEnrollFactorRequest,
)
from authing_mfa.emulator.rules.face import stored_print
from authing_mfa.emulator.rules.totp import confirm_pending, enrollment_json
from authing_mfa.emulator.state.records import Enrollment, canonical_target
from authing_mfa.operations import UnbindFactor

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Call, Reply
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


@act.register(ListEnrolledFactors)
def _(_operation: ListEnrolledFactors, call: Call) -> Reply:
    return call.ok("ok", list(_factors(call.either_user()[0]).values()))


@act.register(ListFactorsToEnroll)
def _(_operation: ListFactorsToEnroll, call: Call) -> Reply:
    bound = {factor["factorType"] for factor in _factors(call.either_user()[0]).values()}
    return call.ok("ok", [{"factorType": kind} for kind in ("SMS", "EMAIL", "OTP", "FACE") if kind not in bound])


@act.register(GetFactor)
def _(operation: GetFactor, call: Call) -> Reply:
    return call.ok("ok", _factor(call, call.either_user()[0], operation.factor_id))


def _factor(_call: Call, user: User, factor_id: str) -> dict[str, Any]:
    factor = _factors(user).get(factor_id)
    if factor is None:
        raise Refusal(404, "factor_not_found")
    return factor


@act.register(UnbindFactor)
def _(operation: UnbindFactor, call: Call) -> Reply:
    user = call.logged_in_user()
    kind = _factor(call, user, operation.factor_id)["factorType"]
    if kind == "SMS":
        call.state.unbind_phone(user)
    elif kind == "EMAIL":
        call.state.unbind_email(user)
    elif kind == "OTP":
        user.totp = None
    else:
        user.face = ()
    call.state.notify("users", {"id": user.id})
    return call.ok("unbound")


@act.register(SendEnrollFactorRequest)
def _(operation: SendEnrollFactorRequest, call: Call) -> Reply:
    user = call.either_user()[0]
    kind, profile = operation.factor_type.upper(), operation.profile
    phone, email, country = profile.get("phoneNumber"), profile.get("email"), profile.get("phoneCountryCode")
    answer: dict[str, Any] = {}
    if kind == "SMS":
        _send(call, "sms", phone, country)
    elif kind == "EMAIL":
        _send(call, "email", email, None)
    elif kind == "OTP":
        user.pending_totp = call.state.new_totp("SELF")
        made = enrollment_json(user, user.pending_totp)
        answer["otpData"] = {
            "qrCodeUri": made["qrcode_uri"],
            "qrCodeDataUrl": made["qrcode_data_url"],
            "recoveryCode": made["recovery_code"],
            "secret": made["secret"],
        }
    elif kind != "FACE":
        raise Refusal(400, "bad_request", detail=": factorType")
    token = call.state.rng.randbytes(16).hex()
    expires = call.state.clock() + call.state.settings.enrollment_ttl
    call.state.enrollments[token] = Enrollment(user.id, kind, expires, phone, country, email)
    return call.ok("sent", {"enrollmentToken": token, **answer})


def _send(call: Call, channel: str, to: Any, country: str | None) -> None:
    if not isinstance(to, str) or not to.strip():
        raise Refusal(400, "bad_request", detail=": profile")
    if not call.state.send(channel, to, country, "CHANNEL_BIND_MFA"):
        raise Refusal(422, "too_soon")


@act.register(EnrollFactor)
def _(operation: EnrollFactor, call: Call) -> Reply:
    user = call.either_user()[0]
    asked = call.state.enrollments.get(operation.enrollment_token)
    if asked is None or asked.user_id != user.id or asked.expires_at <= call.state.clock():
        raise Refusal(401, "enrollment_invalid")
    if asked.factor_type != operation.factor_type.upper():
        raise Refusal(400, "bad_request", detail=": factorType")
    _enroll(call, user, asked, operation.enrollment_data)
    del call.state.enrollments[operation.enrollment_token]
    return call.ok("enrolled")


def _enroll(call: Call, user: User, asked: Enrollment, data: dict[str, Any]) -> None:
    code = str(data.get("passCode") or "")
    if asked.factor_type == "SMS" and asked.phone is not None:
        target = canonical_target(asked.phone, asked.phone_country_code)
        refuse_code(call.state.spend_code((target,), code), call, user)
        bind_phone(call, user, asked.phone, asked.phone_country_code)
    elif asked.factor_type == "EMAIL" and asked.email is not None:
        refuse_code(call.state.spend_code((canonical_target(asked.email),), code), call, user)
        bind_email(call, user, asked.email)
    elif asked.factor_type == "OTP":
        if not confirm_pending(call, user, code):
            raise Refusal(6001, "wrong_totp")
    else:
        user.face = (stored_print(call, str(data.get("photo") or ""), 1700),)
        call.state.notify("users", {"id": user.id})


@act.register(IntrospectMfaToken)
def _(operation: IntrospectMfaToken, call: Call) -> Reply:
    user, is_mfa, good = call.state.read_token(operation.token)
    if user is None or not is_mfa or not good:
        return call.ok("ok", {"active": False})
    return call.ok("ok", {"active": True, "userId": user.id, "userPoolId": call.state.user_pool_id})
