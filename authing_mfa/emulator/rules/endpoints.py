"""Endpoints that only the emulator serves: other official clients call them, this package does not.

They have no method in `AuthClient`. The request log and fault rules know them by their `python_name`.
"""

from __future__ import annotations

from types import NoneType
from typing import Any, ClassVar

import attrs

from authing_mfa.operations import Bearer, ChangeExpiredPassword, MfaCheck, Operation, Route, SendEmail, SendMfaEmail

__all__ = [
    "ExpiredPasswordGraphQL",
    "GraphQL",
    "MfaCheckOfNothing",
    "SendEmailV3",
    "SendMfaEmailOfScene",
    "SendSmsV3",
    "UserFieldValues",
    "WellKnown",
]


@attrs.frozen
class SendSmsV3(Operation[None]):
    """The SMS call of the MFA component (docs/wire.md#sending-codes)."""

    route: ClassVar[Route] = Route.post("/api/v3/send-sms")
    returns = NoneType
    bearer = Bearer.OPTIONAL
    python_name = "send_sms_v3"
    swift_names: ClassVar[tuple[str, ...]] = ()

    phone_number: str
    phone_country_code: str | None = None
    channel: str | None = None


@attrs.frozen
class SendMfaEmailOfScene(SendEmail):
    """An e-mail for MFA (MFA_VERIFY, MFA_VERIFY_CODE): faults and the request log know it under the name of `SendMfaEmail`."""

    python_name = SendMfaEmail.python_name
    swift_names = ()


@attrs.frozen
class MfaCheckOfNothing(MfaCheck):
    """An MFA check without phone and address, which iOS and Android can send and `MfaCheck` refuses (docs/wire.md#mfa-check)."""

    swift_names = ()

    def __attrs_post_init__(self) -> None:
        """Accept both as None."""


@attrs.frozen
class SendEmailV3(Operation[None]):
    """A code by e-mail through the v3 API (docs/wire.md#sending-codes)."""

    route: ClassVar[Route] = Route.post("/api/v3/send-email")
    returns = NoneType
    bearer = Bearer.OPTIONAL
    python_name = "send_email_v3"
    swift_names: ClassVar[tuple[str, ...]] = ()

    email: str
    channel: str | None = None


@attrs.frozen
class UserFieldValues(Operation[tuple[dict[str, Any], ...]]):
    """Custom data as the Flutter client asks for it (docs/wire.md#profile)."""

    route: ClassVar[Route] = Route.get("/api/v2/udfs/values")
    returns = dict
    python_name = "user_field_values"
    swift_names: ClassVar[tuple[str, ...]] = ()

    target_id: str


@attrs.frozen
class WellKnown(Operation[dict[str, Any]]):
    """The key for passwords, where the JavaScript client looks for it (docs/wire.md#public-configuration)."""

    route: ClassVar[Route] = Route.get("/api/v2/.well-known")
    returns = dict
    bearer = Bearer.NEVER
    python_name = "well_known"
    swift_names: ClassVar[tuple[str, ...]] = ()


@attrs.frozen
class GraphQL(Operation[dict[str, Any]]):
    """The GraphQL requests of the JavaScript and Python clients (docs/wire.md#password-login)."""

    route: ClassVar[Route] = Route.post("/graphql/v2")
    returns = dict
    bearer = Bearer.OPTIONAL
    python_name = "graphql"
    swift_names: ClassVar[tuple[str, ...]] = ()

    query: str = attrs.field(repr=False)
    variables: dict[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class ExpiredPasswordGraphQL(GraphQL):
    """A new password after 2058: faults and the request log know it under the name of `ChangeExpiredPassword`."""

    python_name = ChangeExpiredPassword.python_name
