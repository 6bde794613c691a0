"""Self-service of factors through the v3 API: list, enroll, reset, check (docs/wire.md#factor-enrollment).

No source says which tokens these calls accept, so the token of a login and an mfaToken both pass. An mfaToken alone never
replaces a bound factor: a person who knows only the password must not be able to remove the second factor.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.rules.base import handle, refuse_code
from authing_mfa.emulator.rules.codes import (
    bind_email,
    bind_phone,
    refuse_bad_recipient,
    refuse_taken_email,
    refuse_taken_phone,
)
from authing_mfa.emulator.rules.context import Reply, ServiceRefusal
from authing_mfa.emulator.rules.face import stored_fingerprint
from authing_mfa.emulator.rules.totp import confirm_pending, enrollment_json, totp_matches
from authing_mfa.emulator.state.records import Enrollment, canonical_target
from authing_mfa.operations import (
    CheckTotp,
    EnrollFactor,
    GetFactor,
    IntrospectMfaToken,
    ListEnrolledFactors,
    ListFactorsToEnroll,
    SendEnrollFactorRequest,
    UnbindFactor,
)

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import RuleContext
    from authing_mfa.emulator.state.records import User

__all__: list[str] = []


def _factors(user: User) -> dict[str, dict[str, Any]]:
    """Return the user's bound factors by id."""
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


def _bound(user: User) -> set[str]:
    return {factor["factorType"] for factor in _factors(user).values()}


@handle.register(ListEnrolledFactors)
def _list_enrolled_factors(_operation: ListEnrolledFactors, context: RuleContext) -> Reply:
    return context.ok("ok", list(_factors(context.either_user()[0]).values()))


@handle.register(ListFactorsToEnroll)
def _list_factors_to_enroll(_operation: ListFactorsToEnroll, context: RuleContext) -> Reply:
    """Return what the application enables and the user has not bound."""
    bound = _bound(context.either_user()[0])
    enabled = context.state.settings.enabled_factors
    return context.ok("ok", [{"factorType": kind} for kind in enabled if kind not in bound])


@handle.register(GetFactor)
def _get_factor(operation: GetFactor, context: RuleContext) -> Reply:
    return context.ok("ok", _factor(context.either_user()[0], operation.factor_id))


def _factor(user: User, factor_id: str) -> dict[str, Any]:
    factor = _factors(user).get(factor_id)
    if factor is None:
        raise ServiceRefusal(404, "factor_not_found")
    return factor


@handle.register(UnbindFactor)
def _unbind_factor(operation: UnbindFactor, context: RuleContext) -> Reply:
    """Reset OTP or FACE only: by Android's page a phone and an address are unbound through other calls."""
    user = context.logged_in_user()
    kind = _factor(user, operation.factor_id)["factorType"]
    if kind in ("SMS", "EMAIL"):
        raise ServiceRefusal(422, "not_resettable")
    if kind == "OTP":
        user.totp = user.pending_totp = None
    else:
        user.face = ()
    context.state.notify("users", {"id": user.id})
    return context.ok("unbound")


# ─────────────────────────────── enrollment ───────────────────────────────


@handle.register(SendEnrollFactorRequest)
def _send_enroll_factor_request(operation: SendEnrollFactorRequest, context: RuleContext) -> Reply:
    user, is_mfa = context.either_user()
    kind = operation.factor_type.upper()
    _refuse_enrollment(context, user, kind, is_mfa=is_mfa)
    answer: dict[str, Any] = {}
    if kind == "SMS":
        _send(context, "sms", operation.phone, operation.phone_country_code)
    elif kind == "EMAIL":
        _send(context, "email", operation.email, None)
    elif kind == "OTP":
        user.pending_totp = context.state.new_totp("SELF")
        made = enrollment_json(user, user.pending_totp)
        names = {"qrcode_uri": "qrCodeUri", "qrcode_data_url": "qrCodeDataUrl", "recovery_code": "recoveryCode"}
        answer["otpData"] = {name: made[key] for key, name in names.items()}
    expires = context.state.clock() + context.state.settings.enrollment_ttl
    asked = Enrollment(user.id, kind, expires, operation.phone, operation.phone_country_code, operation.email)
    token = context.state.add_enrollment(asked)
    return context.ok("sent", {"enrollmentToken": token, **answer})


def _refuse_enrollment(context: RuleContext, user: User, kind: str, *, is_mfa: bool) -> None:
    """Refuse a factor that the application does not enable, and with an mfaToken a factor that is bound already."""
    if kind not in ("SMS", "EMAIL", "OTP", "FACE") or kind not in context.state.settings.enabled_factors:
        raise ServiceRefusal(400, "bad_request", detail=": factorType")
    if is_mfa and kind in _bound(user):
        raise ServiceRefusal(1001, "bound_needs_login")


def _send(context: RuleContext, channel: str, to: str | None, country: str | None) -> None:
    if to is None:
        raise ServiceRefusal(400, "bad_request", detail=": profile")
    refuse_bad_recipient(to, channel, 400)
    if not context.state.send(channel, to, country, "CHANNEL_BIND_MFA", per_scene=True):
        raise ServiceRefusal(4004 if channel == "sms" else 2080, "too_soon")


@handle.register(EnrollFactor)
def _enroll_factor(operation: EnrollFactor, context: RuleContext) -> Reply:
    user, is_mfa = context.either_user()
    context.unlocked(user)
    asked = context.state.enrollments.get(operation.enrollment_token)
    if asked is None or asked.user_id != user.id or asked.expires_at <= context.state.clock():
        raise ServiceRefusal(400, "enrollment_invalid")
    if asked.factor_type != operation.factor_type.upper():
        raise ServiceRefusal(400, "bad_request", detail=": factorType")
    _refuse_enrollment(context, user, asked.factor_type, is_mfa=is_mfa)
    _enroll(context, user, asked, operation)
    del context.state.enrollments[operation.enrollment_token]
    return context.ok("enrolled")


def _enroll(context: RuleContext, user: User, asked: Enrollment, operation: EnrollFactor) -> None:
    code = operation.code or ""
    if asked.phone is not None and asked.factor_type == "SMS":
        target = canonical_target(asked.phone, asked.phone_country_code)
        refuse_taken_phone(context, user, target)
        refuse_code(context.state.spend_code((target,), code, "mfa"), context, user)
        bind_phone(context, user, asked.phone, asked.phone_country_code, replace=True)
    elif asked.email is not None and asked.factor_type == "EMAIL":
        target = canonical_target(asked.email)
        refuse_taken_email(context, user, target)
        refuse_code(context.state.spend_code((target,), code, "mfa"), context, user)
        bind_email(context, user, asked.email, replace=True)
    elif asked.factor_type == "OTP":
        if not confirm_pending(context, user, code):
            raise ServiceRefusal(6001, "wrong_totp")
    else:
        user.face = (stored_fingerprint(context, operation.photo_key or "", 1700),)
        context.state.notify("users", {"id": user.id})


# ─────────────────────────────── step-up ───────────────────────────────


@handle.register(CheckTotp)
def _check_totp(operation: CheckTotp, context: RuleContext) -> Reply:
    """Answer whether the code is right, without user and token. No source says how a wrong code is answered: here with false."""
    user = context.unlocked(context.either_user()[0])
    if user.totp is None:
        raise ServiceRefusal(404, "no_totp")
    return context.ok("ok", {"verified": totp_matches(context, user, operation.code)})


@handle.register(IntrospectMfaToken)
def _introspect_mfa_token(operation: IntrospectMfaToken, context: RuleContext) -> Reply:
    """Return a flat object without an envelope."""
    user, is_mfa, good = context.state.read_token(operation.mfa_token)
    if user is None or not is_mfa or not good:
        return Reply({"active": False})
    claims = context.state.signer.read(operation.mfa_token) or {}
    known = {"userPoolId": context.state.user_pool_id, "userId": user.id, "exp": claims["exp"], "iat": claims["iat"]}
    return Reply({"active": True, **known})
