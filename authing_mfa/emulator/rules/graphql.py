"""The parts of GraphQL that the official JavaScript and Python clients use around MFA (docs/wire.md#password-login).

The first field of a document decides which operation it is. Selections are ignored: all fields are answered. Errors are in `errors`,
with an object as message (docs/wire.md#envelopes, shape 10). There is no introspection.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import keys
from authing_mfa.emulator.rules.base import handle
from authing_mfa.emulator.rules.codes import refuse_bad_recipient
from authing_mfa.emulator.rules.context import Reply, ServiceRefusal, as_refusal, user_json
from authing_mfa.emulator.rules.endpoints import GraphQL
from authing_mfa.emulator.rules.login import first_factor_passed
from authing_mfa.emulator.state.user_fields import UnacceptableError
from authing_mfa.errors import InvalidInputError
from authing_mfa.operations import (
    ChangeExpiredPassword,
    ChangePasswordByFirstLoginToken,
    LoginByAccount,
    LoginByEmailCode,
    LoginByPhoneCode,
    RefreshIdToken,
    SendEmail,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.emulator.rules.context import RuleContext
    from authing_mfa.operations import Operation

__all__ = ["failure", "given_fields"]

_FIRST_FIELD = re.compile(r"\{\s*(?:\w+\s*:\s*)?(\w+)")


@handle.register(GraphQL)
def _graphql(operation: GraphQL, context: RuleContext) -> Reply:
    field = _first_field(operation)
    handler = _FIELDS.get(field)
    try:
        if handler is None:
            raise ServiceRefusal(400, "bad_request", detail=f": GraphQL {field or '?'}")  # noqa: TRY301 - answered like the others
        return Reply({"data": {field: handler(given_fields(operation), context)}})
    except (ServiceRefusal, InvalidInputError, UnacceptableError) as error:
        return Reply(failure(operation, context.refused(as_refusal(error)).body))


def _first_field(operation: GraphQL) -> str:
    found = _FIRST_FIELD.search(operation.query)
    return found.group(1) if found else ""


def given_fields(operation: GraphQL) -> dict[str, Any]:
    """Return the fields of the input, or the variables if there is no input; those that are null are left out."""
    given = operation.variables.get("input")
    fields = given if isinstance(given, dict) else operation.variables
    return {name: value for name, value in fields.items() if value is not None}


def failure(operation: GraphQL, body: dict[str, Any]) -> dict[str, Any]:
    """Return the failure *body* (code, message, data) in the form of GraphQL."""
    message = {"code": body["code"], "message": body["message"], "data": body.get("data")}
    return {"errors": [{"message": message, "path": [_first_field(operation)]}], "data": None}


def _data(operation: Operation[Any], context: RuleContext) -> Any:
    return handle(operation, context).body.get("data")


def _message(reply: Reply) -> dict[str, Any]:
    """Return the CommonMessage of GraphQL."""
    return {"code": reply.body["code"], "message": reply.body["message"]}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ServiceRefusal(400, "bad_request", detail=f": {name}")
    return value


def _login(account: str) -> Callable[[dict[str, Any], RuleContext], Any]:
    def login(fields: dict[str, Any], context: RuleContext) -> Any:
        operation = LoginByAccount(
            _text(fields, account),
            _text(fields, "password"),
            auto_register=fields.get("autoRegister") is True,
            captcha_code=fields.get("captchaCode") or None,
        )
        return _data(operation, context)

    return login


def _register(account: str) -> Callable[[dict[str, Any], RuleContext], Any]:
    def register(fields: dict[str, Any], context: RuleContext) -> Any:
        """Register what the field says: a user name is one also if it looks like an address or a phone number."""
        given, password = _text(fields, account), keys.decrypt(_text(fields, "password"))
        if account == "email":
            refuse_bad_recipient(given, "email", 400)
        if context.state.find(given) is not None:
            raise ServiceRefusal(2026, "user_exists")
        if password is None:
            raise ServiceRefusal(2333, "key_hint")
        username, email = (given, None) if account == "username" else (None, given)
        context.user = context.state.add_user(username=username, email=email, password=password)
        return first_factor_passed(context, context.user).body.get("data")

    return register


def _login_by_phone_code(fields: dict[str, Any], context: RuleContext) -> Any:
    country = fields.get("phoneCountryCode")
    return _data(LoginByPhoneCode(_text(fields, "phone"), _text(fields, "code"), country or None), context)


def _login_by_email_code(fields: dict[str, Any], context: RuleContext) -> Any:
    return _data(LoginByEmailCode(_text(fields, "email"), _text(fields, "code")), context)


def _send_email(fields: dict[str, Any], context: RuleContext) -> Any:
    return _message(handle(SendEmail(_text(fields, "email"), fields.get("scene") or "VERIFY_CODE"), context))


def _change_by_first_login_token(fields: dict[str, Any], context: RuleContext) -> Any:
    operation = ChangePasswordByFirstLoginToken(_text(fields, "token"), _text(fields, "password"))
    return _message(handle(operation, context))


def _change_expired_password(fields: dict[str, Any], context: RuleContext) -> Any:
    token, old, new = (_text(fields, name) for name in ("token", "oldPassword", "newPassword"))
    return _message(handle(ChangeExpiredPassword(token, old, new), context))


def _refresh_token(_fields: dict[str, Any], context: RuleContext) -> Any:
    return _data(RefreshIdToken(), context)


def _current_user(_fields: dict[str, Any], context: RuleContext) -> Any:
    return user_json(context.state, context.logged_in_user(), context.token, context.ip)


def _login_status(fields: dict[str, Any], context: RuleContext) -> Any:
    token = fields.get("token") or context.token
    user, is_mfa, good = context.state.read_token(token if isinstance(token, str) else None)
    if user is None or is_mfa or not good:
        return {"code": 2206, "message": "登录信息已过期", "status": False, "exp": None, "iat": None, "data": None}
    claims = context.state.signer.read(str(token)) or {}
    data = {"id": user.id, "userPoolId": context.state.user_pool_id, "arn": context.state.arn(user)}
    return {"code": 200, "message": "已登录", "status": True, "exp": claims["exp"], "iat": claims["iat"], "data": data}


_FIELDS: dict[str, Callable[[dict[str, Any], RuleContext], Any]] = {
    "loginByEmail": _login("email"),
    "loginByUsername": _login("username"),
    "loginByPhonePassword": _login("phone"),
    "loginByPhoneCode": _login_by_phone_code,
    "loginByEmailCode": _login_by_email_code,
    "registerByEmail": _register("email"),
    "registerByUsername": _register("username"),
    "sendEmail": _send_email,
    "resetPasswordByFirstLoginToken": _change_by_first_login_token,
    "resetPasswordByForceResetToken": _change_expired_password,
    "refreshToken": _refresh_token,
    "user": _current_user,
    "checkLoginStatus": _login_status,
}
