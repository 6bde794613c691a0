"""The admin API's users. Described in `admin`."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from aiohttp import web

from authing_mfa.emulator.crypto import qr, totp
from authing_mfa.emulator.http.admin_request import AdminRequest, BadRequestError, Handlers, json_answer
from authing_mfa.emulator.http.request import MARK

if TYPE_CHECKING:
    from authing_mfa.emulator.user import EmulatedUser

__all__ = ["USER_HANDLERS"]


async def _users(request: AdminRequest) -> web.StreamResponse:
    if request.rest:
        return await _one_user(request)
    query = (request.text("q") or "").strip().lower()
    limit, offset = int(request.number("limit", 50)), int(request.number("offset", 0))
    namespace = request.namespace
    with namespace.lock:
        found = [
            user.id
            for user in namespace.state.users.values()
            if not query
            or any(query in (text or "").lower() for text in (user.username, user.phone, user.email, user.id))
        ]
        page = [namespace.user_by_id(ident).as_json() for ident in found[offset : offset + limit]]
    return json_answer({"users": page, "total": len(found)})


async def _one_user(request: AdminRequest) -> web.StreamResponse:
    ident, _, what = request.rest.partition("/")
    user = request.namespace.user_by_id(ident)
    if what == "":
        return json_answer(user.as_json())
    if what == "qr.svg":
        return web.Response(body=_qr(user), content_type="image/svg+xml", headers={**MARK, "Cache-Control": "no-store"})
    if what == "totp":
        now = request.namespace.clock()
        if user.totp_code is None:
            raise LookupError("this user has no TOTP")
        return json_answer({"code": user.totp_code, "seconds_left": totp.PERIOD - now % totp.PERIOD})
    raise LookupError(f"there is no users/{{id}}/{what}")


def _qr(user: EmulatedUser) -> bytes:
    uri = user.totp_uri
    if uri is None:
        raise LookupError("this user has no TOTP")
    return qr.svg(uri)


async def _add_user(request: AdminRequest) -> web.StreamResponse:
    if request.rest:
        return await _issue(request)
    fields = await request.body()
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
    return json_answer(request.namespace.add_user(**fields).as_json(), 201)


async def _issue(request: AdminRequest) -> web.StreamResponse:
    ident, _, what = request.rest.partition("/")
    user = request.namespace.user_by_id(ident)
    if what == "mfa-token":
        return json_answer({"token": request.namespace.issue_mfa_token(user)})
    if what == "token":
        return json_answer({"token": request.namespace.issue_user_token(user)})
    raise LookupError(f"there is no users/{{id}}/{what}")


USER_HANDLERS: Handlers = {("GET", "users"): _users, ("POST", "users"): _add_user}
