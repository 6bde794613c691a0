"""Endpoints that only the emulator serves: what other official clients call besides the operations of this package.

They have no method in `AuthClient`. Their `method` names them in the journal and in fault rules.
"""

from __future__ import annotations

from types import NoneType
from typing import Any

import attrs

from authing_mfa.operations import Bearer, Operation, Route, SendSms, VerifyByTotp

__all__ = [
    "Captcha",
    "EnrollFactor",
    "GetFactor",
    "GraphQL",
    "IntrospectMfaToken",
    "ListEnrolledFactors",
    "ListFactorsToEnroll",
    "SendEmail",
    "SendEnrollFactorRequest",
    "SendSmsV3",
    "SendSmsWithScene",
    "UserFieldValues",
    "VerifyTotpV3",
    "WellKnown",
]


@attrs.frozen
class SendSmsWithScene(SendSms):
    """The SMS call as the JavaScript client makes it (docs/wire.md#sending-codes)."""

    scene: str | None = None


@attrs.frozen
class SendEmail(Operation[None]):
    """A code by e-mail for any scene (docs/wire.md#sending-codes): MFA_VERIFY, MFA_VERIFY_CODE, VERIFY_CODE and others."""

    route = Route.post("/api/v2/email/send")
    returns = NoneType
    bearer = Bearer.OPTIONAL
    python_name = "send_mfa_email"
    swift_names = ()

    email: str
    scene: str | None = None


@attrs.frozen
class SendSmsV3(Operation[None]):
    """The SMS call of the MFA component (docs/wire.md#sending-codes)."""

    route = Route.post("/api/v3/send-sms")
    returns = NoneType
    bearer = Bearer.OPTIONAL
    python_name = "send_sms_v3"
    swift_names = ()

    phone_number: str
    phone_country_code: str | None = None
    channel: str | None = None


@attrs.frozen
class SendEnrollFactorRequest(Operation[dict[str, Any]]):
    """Ask to bind a factor (docs/wire.md#factor-enrollment): sends a code, or makes a TOTP secret."""

    route = Route.post("/api/v3/send-enroll-factor-request")
    returns = dict
    python_name = "send_enroll_factor_request"
    swift_names = ()

    factor_type: str
    profile: dict[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class EnrollFactor(Operation[None]):
    """Bind the factor that was asked for (docs/wire.md#factor-enrollment)."""

    route = Route.post("/api/v3/enroll-factor")
    returns = NoneType
    python_name = "enroll_factor"
    swift_names = ()

    factor_type: str
    enrollment_token: str = attrs.field(repr=False)
    enrollment_data: dict[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class ListEnrolledFactors(Operation[dict[str, Any]]):
    """The user's bound factors (docs/wire.md#factor-enrollment)."""

    route = Route.get("/api/v3/list-enrolled-factors")
    returns = dict
    python_name = "list_enrolled_factors"
    swift_names = ()


@attrs.frozen
class ListFactorsToEnroll(Operation[dict[str, Any]]):
    """The factors that the user could bind (docs/wire.md#factor-enrollment)."""

    route = Route.get("/api/v3/list-factors-to-enroll")
    returns = dict
    python_name = "list_factors_to_enroll"
    swift_names = ()


@attrs.frozen
class GetFactor(Operation[dict[str, Any]]):
    """One bound factor (docs/wire.md#factor-enrollment)."""

    route = Route.get("/api/v3/get-factor")
    returns = dict
    python_name = "get_factor"
    swift_names = ()

    factor_id: str


@attrs.frozen
class VerifyTotpV3(VerifyByTotp):
    """TOTP verification of the v3 API (docs/wire.md#factor-enrollment)."""

    route = Route.post("/api/v3/mfa-totp-verify")
    python_name = "mfa_totp_verify_v3"


@attrs.frozen
class IntrospectMfaToken(Operation[dict[str, Any]]):
    """Whether an mfaToken is good (docs/wire.md#token-introspection)."""

    route = Route.post("/mfa/token/introspection")
    returns = dict
    bearer = Bearer.OPTIONAL
    python_name = "introspect_mfa_token"
    swift_names = ()

    token: str = attrs.field(repr=False)


@attrs.frozen
class UserFieldValues(Operation[tuple[dict[str, Any], ...]]):
    """Custom data as the Flutter client asks for it (docs/wire.md#profile)."""

    route = Route.get("/api/v2/udfs/values")
    returns = dict
    python_name = "user_field_values"
    swift_names = ()

    target_id: str


@attrs.frozen
class WellKnown(Operation[dict[str, Any]]):
    """The key for passwords, where the JavaScript client looks for it (docs/wire.md#public-configuration)."""

    route = Route.get("/api/v2/.well-known")
    returns = dict
    bearer = Bearer.NEVER
    python_name = "well_known"
    swift_names = ()


@attrs.frozen
class Captcha(Operation[dict[str, Any]]):
    """A captcha picture (docs/wire.md#captcha). Logins never ask for it here."""

    route = Route.get("/api/v2/security/captcha")
    returns = dict
    bearer = Bearer.NEVER
    python_name = "captcha"
    swift_names = ()


@attrs.frozen
class GraphQL(Operation[dict[str, Any]]):
    """What the JavaScript and Python clients do through GraphQL (docs/wire.md#password-login)."""

    route = Route.post("/graphql/v2")
    returns = dict
    bearer = Bearer.OPTIONAL
    python_name = "graphql"
    swift_names = ()

    query: str = attrs.field(repr=False)
    variables: dict[str, Any] = attrs.field(factory=dict, repr=False)
    operation_name: str | None = None
