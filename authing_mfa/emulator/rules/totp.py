"""TOTP and its recovery code: associate, confirm, verify, recover, list, delete (docs/wire.md#totp-binding)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import totp
from authing_mfa.emulator.rules.base import handle
from authing_mfa.emulator.rules.context import ServiceRefusal
from authing_mfa.emulator.state.clock import iso
from authing_mfa.operations import (
    AssociateTotp,
    ConfirmTotp,
    DeleteTotp,
    ListAuthenticators,
    VerifyByRecoveryCode,
    VerifyByTotp,
)

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Reply, RuleContext
    from authing_mfa.emulator.state.records import Totp, User

__all__ = ["confirm_pending", "enrollment_json", "totp_matches"]


@handle.register(AssociateTotp)
def _associate_totp(operation: AssociateTotp, context: RuleContext) -> Reply:
    """Start a binding. An mfaToken alone does not replace a bound TOTP: its holder may know only the password."""
    user, is_mfa = context.either_user()
    if is_mfa and user.totp is not None:
        raise ServiceRefusal(1001, "bound_needs_login")
    user.pending_totp = context.state.new_totp(operation.source)
    return context.ok("totp_associated", enrollment_json(user, user.pending_totp))


def enrollment_json(user: User, binding: Totp) -> dict[str, Any]:
    """Return what the user needs to set up an authenticator app (docs/wire.md#totp-secret)."""
    from authing_mfa.emulator.crypto.qr import png_data_url

    uri = totp.otpauth_uri(user.label, binding.secret)
    return {
        "authenticator_type": "totp",
        "secret": binding.secret,
        "qrcode_uri": uri,
        "qrcode_data_url": png_data_url(uri),
        "recovery_code": binding.recovery_code,
    }


@handle.register(ConfirmTotp)
def _confirm_totp(operation: ConfirmTotp, context: RuleContext) -> Reply:
    """Confirm a binding. An application's binding (`source` APPLICATION) finishes the login: the user is in `data` (docs/wire.md#totp-confirmation)."""
    user, is_mfa = context.either_user()
    context.unlocked(user)
    if is_mfa and user.totp is not None:
        raise ServiceRefusal(1001, "bound_needs_login")
    if not confirm_pending(context, user, operation.code):
        raise ServiceRefusal(400, "wrong_totp", status=400)
    if operation.source.upper() == "APPLICATION":
        return context.logged_in(user, "totp_confirmed", second_factor=True)
    return context.ok("totp_confirmed")


def confirm_pending(context: RuleContext, user: User, code: str) -> bool:
    """Bind the requested TOTP if *code* is its current code."""
    binding = user.pending_totp
    step = None if binding is None else totp.matching_step(binding.secret, code, context.state.clock(), _drift(context))
    if binding is None or step is None:
        context.state.count_failure(user)
        return False
    binding.last_step = binding.confirmed_step = step
    user.totp, user.pending_totp = binding, None
    user.failures = 0
    context.state.notify("users", {"id": user.id})
    return True


def _drift(context: RuleContext) -> int:
    return context.state.settings.totp_drift


@handle.register(VerifyByTotp)
def _verify_by_totp(operation: VerifyByTotp, context: RuleContext) -> Reply:
    user = context.mfa_user()
    if user.totp is None:
        raise ServiceRefusal(6001, "no_totp")
    if not totp_matches(context, user, operation.code):
        raise ServiceRefusal(6001, "wrong_totp")
    return context.logged_in(user, "verified", second_factor=True)


def totp_matches(context: RuleContext, user: User, code: str) -> bool:
    """Use *code* of the bound TOTP. A code is valid once; only the code that confirmed the binding is valid once more."""
    binding, now = user.totp, context.state.clock()
    step = None if binding is None else totp.matching_step(binding.secret, code, now, _drift(context))
    if binding is None or step is None:
        context.state.count_failure(user)
        return False
    newest = totp.step_of(now) + _drift(context)
    last = binding.last_step if binding.last_step <= newest else -1  # -1: the clock was moved back
    if step <= last and step != binding.confirmed_step:
        return False
    binding.last_step = max(step, last)
    binding.confirmed_step = None
    user.failures = 0
    return True


@handle.register(VerifyByRecoveryCode)
def _verify_by_recovery_code(operation: VerifyByRecoveryCode, context: RuleContext) -> Reply:
    """Spend the recovery code; the new one is beside `data`."""
    user = context.mfa_user()
    binding = user.totp
    given = operation.code.strip().lower()
    if binding is None or not hmac.compare_digest(binding.recovery_code.encode(), given.encode()):
        context.state.count_failure(user)
        raise ServiceRefusal(6002, "wrong_recovery")
    binding.recovery_code = totp.new_recovery_code(context.state.rng)
    context.state.notify("users", {"id": user.id})
    return context.logged_in(user, "verified", second_factor=True, recoveryCode=binding.recovery_code)


@handle.register(ListAuthenticators)
def _list_authenticators(_operation: ListAuthenticators, context: RuleContext) -> Reply:
    user, _ = context.either_user()
    listed = [
        {
            "id": binding.id,
            "createdAt": iso(binding.created_at),
            "updatedAt": iso(binding.created_at),
            "userId": user.id,
            "enable": binding is user.totp,
            "secret": binding.secret,
            "authenticatorType": "totp",
            "recoveryCode": binding.recovery_code,
            "source": binding.source,
        }
        for binding in (user.totp, user.pending_totp)
        if binding is not None
    ]
    return context.ok("authenticators", listed)


@handle.register(DeleteTotp)
def _delete_totp(_operation: DeleteTotp, context: RuleContext) -> Reply:
    user = context.logged_in_user()
    user.totp = user.pending_totp = None
    context.state.notify("users", {"id": user.id})
    return context.ok("totp_deleted")
