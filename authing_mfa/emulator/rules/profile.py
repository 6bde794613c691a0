"""The application and the user's own data (docs/wire.md#public-configuration, docs/wire.md#profile)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import keys
from authing_mfa.emulator.rules.base import act
from authing_mfa.emulator.rules.context import Refusal, Reply, user_json
from authing_mfa.emulator.rules.endpoints import Captcha, UserFieldValues, WellKnown
from authing_mfa.operations import GetCurrentUser, GetCustomUserData, PublicConfig

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Call
    from authing_mfa.emulator.state.records import User

__all__: list[str] = []


@act.register(PublicConfig)
def _(operation: PublicConfig, call: Call) -> Reply:
    if operation.app_id != call.app_id:
        raise Refusal(2011, "app_not_found")
    return call.ok(
        "ok",
        {
            "id": call.app_id,
            "userPoolId": call.state.user_pool_id,
            "userpoolName": "Emulator",
            "name": "Emulator",
            "identifier": "emulator",
            "requestHostname": call.host,
            "logo": None,
            "publicKey": keys.PUBLIC_KEY,
            "verifyCodeLength": call.state.settings.code_length,
            "passwordStrength": 0,
            "deviceFuncEnabled": False,
            "internationalSmsConfig": {"enabled": True, "defaultISOType": "CN"},
            "mfa": {"faceScore": 0.65},
            "mfaBindConfigs": [{"mfa": factor, "changeable": True} for factor in ("SMS", "EMAIL", "OTP", "FACE")],
            "redirectUris": [],
            "corsWhitelist": [],
            "allowedOrigins": [],
            "extendsFields": [],
            "loginTabs": {"list": ["password", "phone-code"], "default": "password"},
        },
    )


@act.register(WellKnown)
def _(_operation: WellKnown, call: Call) -> Reply:
    return call.ok("ok", {"publicKey": keys.PUBLIC_KEY, "sm2PublicKey": None, "version": "emulator"})


@act.register(Captcha)
def _(_operation: Captcha, _call: Call) -> Reply:
    """A picture without a riddle: logins here never ask for one."""
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#eee"/>'
        '<text x="60" y="27" font-family="monospace" font-size="20" text-anchor="middle">EMULATOR</text></svg>'
    )
    return Reply(picture.encode(), content_type="image/svg+xml")


@act.register(GetCurrentUser)
def _(_operation: GetCurrentUser, call: Call) -> Reply:
    user = call.logged_in_user()
    return call.ok("ok", user_json(call.state, user, call.token, call.ip))


@act.register(GetCustomUserData)
def _(operation: GetCustomUserData, call: Call) -> Reply:
    """A bare array, as the service answers it."""
    return Reply(_fields(_owner(call, operation.user_id)))


@act.register(UserFieldValues)
def _(operation: UserFieldValues, call: Call) -> Reply:
    return call.ok("ok", _fields(_owner(call, operation.target_id)))


def _owner(call: Call, user_id: str) -> User:
    user = call.logged_in_user()
    if user.id != user_id:
        raise Refusal(1001, "no_permission")
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
