"""The application and the user's own data (docs/wire.md#public-configuration, docs/wire.md#profile)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import keys
from authing_mfa.emulator.rules.base import handle
from authing_mfa.emulator.rules.context import Reply, ServiceRefusal, user_json
from authing_mfa.emulator.rules.endpoints import UserFieldValues, WellKnown
from authing_mfa.operations import GetCurrentUser, GetCustomUserData, PublicConfig

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import RuleContext
    from authing_mfa.emulator.state.records import User

__all__: list[str] = []


@handle.register(PublicConfig)
def _public_config(operation: PublicConfig, context: RuleContext) -> Reply:
    if operation.app_id != context.app_id:
        raise ServiceRefusal(2011, "app_not_found")
    return context.ok(
        "ok",
        {
            "id": context.app_id,
            "userPoolId": context.state.user_pool_id,
            "userpoolName": "Emulator",
            "name": "Emulator",
            "identifier": "emulator",
            "requestHostname": context.host,
            "logo": None,
            "publicKey": keys.PUBLIC_KEY,
            "verifyCodeLength": context.state.settings.code_length,
            "passwordStrength": 0,
            "deviceFuncEnabled": False,
            "internationalSmsConfig": {"enabled": True, "defaultISOType": "CN"},
            "mfa": {"faceScore": 0.65},
            "mfaBindConfigs": [
                {"mfa": factor, "changeable": True} for factor in context.state.settings.enabled_factors
            ],
            "redirectUris": [],
            "corsWhitelist": [],
            "allowedOrigins": [],
            "extendsFields": [],
            "loginTabs": {"list": ["password", "phone-code"], "default": "password"},
        },
    )


@handle.register(WellKnown)
def _well_known(_operation: WellKnown, context: RuleContext) -> Reply:
    return context.ok("ok", {"publicKey": keys.PUBLIC_KEY, "sm2PublicKey": None, "version": "emulator"})


@handle.register(GetCurrentUser)
def _get_current_user(_operation: GetCurrentUser, context: RuleContext) -> Reply:
    user = context.logged_in_user()
    return context.ok("ok", user_json(context.state, user, context.token, context.ip))


@handle.register(GetCustomUserData)
def _get_custom_user_data(operation: GetCustomUserData, context: RuleContext) -> Reply:
    """Return a bare array, as the service answers it."""
    return Reply(_fields(_owner(context, operation.user_id)))


@handle.register(UserFieldValues)
def _user_field_values(operation: UserFieldValues, context: RuleContext) -> Reply:
    return context.ok("ok", _fields(_owner(context, operation.target_id)))


def _owner(context: RuleContext, user_id: str) -> User:
    user = context.logged_in_user()
    if user.id != user_id:
        raise ServiceRefusal(1001, "no_permission")
    return user


def _fields(user: User) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "value": value if isinstance(value, str) else json.dumps(value),
            "label": key,
            "dataType": _type(value),
        }
        for key, value in user.custom.items()
    ]


def _type(value: object) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, (int, float)):
        return "NUMBER"
    return "STRING" if isinstance(value, str) else "OBJECT"
