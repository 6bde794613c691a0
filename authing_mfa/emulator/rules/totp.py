"""TOTP and its recovery code: associate, confirm, verify, recover, list, delete (docs/wire.md#totp-binding)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import totp
from authing_mfa.emulator.rules.base import act
from authing_mfa.emulator.rules.context import Refusal
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
    from authing_mfa.emulator.rules.context import Call, Reply
    from authing_mfa.emulator.state.records import Totp, User

__all__ = ["confirm_pending", "enrollment_json"]

_ISSUER = "Authing Emulator"


@act.register(AssociateTotp)
def _(operation: AssociateTotp, call: Call) -> Reply:
    user, _ = call.either_user()
    user.pending_totp = call.state.new_totp(operation.source)
    return call.ok("totp_associated", enrollment_json(user, user.pending_totp))


def enrollment_json(user: User, binding: Totp) -> dict[str, Any]:
    """What the user needs to set up an authenticator app (docs/wire.md#totp-secret)."""
    from authing_mfa.emulator.crypto.qr import png_data_url

    uri = otpauth_uri(user, binding)
    return {
        "authenticator_type": "totp",
        "secret": binding.secret,
        "qrcode_uri": uri,
        "qrcode_data_url": png_data_url(uri),
        "recovery_code": binding.recovery_code,
    }


def otpauth_uri(user: User, binding: Totp) -> str:
    """What the QR picture of *binding* holds."""
    return totp.otpauth_uri(_ISSUER, user.label, binding.secret)


@act.register(ConfirmTotp)
def _(operation: ConfirmTotp, call: Call) -> Reply:
    """An application's own binding (`source` APPLICATION) is the login itself: the user is in `data` (docs/wire.md#totp-confirmation)."""
    user, _ = call.either_user()
    if not confirm_pending(call, user, operation.code):
        raise Refusal(400, "wrong_totp", status=400)
    if operation.source.upper() == "APPLICATION":
        return call.logged_in(user, "totp_confirmed", second_factor=True)
    return call.ok("totp_confirmed")


def confirm_pending(call: Call, user: User, code: str) -> bool:
    """Bind the TOTP that was asked for, if *code* is its code now."""
    binding = user.pending_totp
    step = None if binding is None else totp.matching_step(binding.secret, code, call.state.clock(), _drift(call))
    if binding is None or step is None:
        call.state.count_failure(user)
        return False
    binding.last_step = binding.confirmed_step = step
    user.totp, user.pending_totp = binding, None
    user.failures = 0
    call.state.notify("users", {"id": user.id})
    return True


def _drift(call: Call) -> int:
    return call.state.settings.totp_drift


@act.register(VerifyByTotp)
def _(operation: VerifyByTotp, call: Call) -> Reply:
    """A step's code is good once; only the code that confirmed the binding is good once more."""
    user = call.mfa_user()
    binding = user.totp
    if binding is None:
        raise Refusal(6001, "no_totp")
    step = totp.matching_step(binding.secret, operation.code, call.state.clock(), _drift(call))
    if step is None:
        call.state.count_failure(user)
        raise Refusal(6001, "wrong_totp")
    if step <= binding.last_step and step != binding.confirmed_step:
        raise Refusal(6001, "wrong_totp")
    binding.last_step = max(step, binding.last_step)
    binding.confirmed_step = None
    return call.logged_in(user, "verified", second_factor=True)


@act.register(VerifyByRecoveryCode)
def _(operation: VerifyByRecoveryCode, call: Call) -> Reply:
    """The code is spent; the new one stands beside `data`."""
    user = call.mfa_user()
    binding = user.totp
    given = operation.code.strip().lower()
    if binding is None or not hmac.compare_digest(binding.recovery_code.encode(), given.encode()):
        call.state.count_failure(user)
        raise Refusal(6002, "wrong_recovery")
    binding.recovery_code = totp.new_recovery_code(call.state.rng)
    call.state.notify("users", {"id": user.id})
    return call.logged_in(user, "verified", second_factor=True, recoveryCode=binding.recovery_code)


@act.register(ListAuthenticators)
def _(_operation: ListAuthenticators, call: Call) -> Reply:
    user, _ = call.either_user()
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
    return call.ok("authenticators", listed)


@act.register(DeleteTotp)
def _(_operation: DeleteTotp, call: Call) -> Reply:
    user = call.logged_in_user()
    user.totp = user.pending_totp = None
    call.state.notify("users", {"id": user.id})
    return call.ok("totp_deleted")
