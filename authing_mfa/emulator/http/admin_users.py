"""The admin API's users. Described in `admin`."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from aiohttp import web

from authing_mfa.emulator.crypto import qr, totp
from authing_mfa.emulator.http.admin_request import Ask, BadRequestError, Handlers, json_answer
from authing_mfa.emulator.http.request import MARK

if TYPE_CHECKING:
    from authing_mfa.emulator.user import EmulatedUser

__all__ = ["USER_HANDLERS"]


async def _users(ask: Ask) -> web.StreamResponse:
    if ask.rest:
        return await _one_user(ask)
    query = (ask.text("q") or "").strip().lower()
    limit, offset = int(ask.number("limit", 50)), int(ask.number("offset", 0))
    service = ask.service
    with service.lock:
        found = [
            user.id
            for user in service.state.users.values()
            if not query
            or any(query in (text or "").lower() for text in (user.username, user.phone, user.email, user.id))
        ]
        page = [service.user_by_id(ident).as_json() for ident in found[offset : offset + limit]]
    return json_answer({"users": page, "total": len(found)})


async def _one_user(ask: Ask) -> web.StreamResponse:
    ident, _, what = ask.rest.partition("/")
    user = ask.service.user_by_id(ident)
    if what == "":
        return json_answer(user.as_json())
    if what == "qr.svg":
        return web.Response(body=_qr(user), content_type="image/svg+xml", headers={**MARK, "Cache-Control": "no-store"})
    if what == "totp":
        now = ask.service.clock()
        if user.totp_code is None:
            raise LookupError("this user has no TOTP")
        return json_answer({"code": user.totp_code, "seconds_left": totp.PERIOD - now % totp.PERIOD})
    raise LookupError(f"there is no users/{{id}}/{what}")


def _qr(user: EmulatedUser) -> bytes:
    uri = user.totp_uri
    if uri is None:
        raise LookupError("this user has no TOTP")
    return qr.svg(uri)


async def _add_user(ask: Ask) -> web.StreamResponse:
    if ask.rest:
        return await _issue(ask)
    fields = await ask.body()
    if isinstance(fields.get("face"), str):
        try:
            fields["face"] = base64.b64decode(fields["face"], validate=True)
        except binascii.Error:
            raise BadRequestError("face is a picture in base64") from None
    for name in ("username", "password", "phone", "email", "nickname", "phone_country_code"):
        if not isinstance(fields.get(name), (str, type(None))):
            raise BadRequestError(f"{name} must be text")
    if not fields.get("username") or fields.get("password") is None:
        raise BadRequestError("a user needs username and password")
    return json_answer(ask.service.add_user(**fields).as_json(), 201)


async def _issue(ask: Ask) -> web.StreamResponse:
    ident, _, what = ask.rest.partition("/")
    user = ask.service.user_by_id(ident)
    if what == "mfa-token":
        return json_answer({"token": ask.service.issue_mfa_token(user)})
    if what == "token":
        return json_answer({"token": ask.service.issue_user_token(user)})
    raise LookupError(f"there is no users/{{id}}/{what}")


USER_HANDLERS: Handlers = {("GET", "users"): _users, ("POST", "users"): _add_user}
