"""The admin API's users. Described in `admin`."""

from __future__ import annotations

import asyncio
import base64
import binascii
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from authing_mfa.emulator.crypto import qr, totp
from authing_mfa.emulator.http.admin_request import AdminRequest, BadRequestError, Handlers
from authing_mfa.emulator.http.answers import MARK, json_answer

if TYPE_CHECKING:
    from authing_mfa.emulator.user import EmulatedUser

__all__ = ["USER_HANDLERS"]

_CHANGEABLE = ("username", "password", "phone", "email", "phone_country_code", "nickname", "mfa", "custom")
_NEW = (*_CHANGEABLE, "id", "totp", "totp_secret", "recovery_code", "face", "password_change")


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
        return await _act(request)
    fields = _known(await request.body(), _NEW)
    face = fields.get("face")
    if face is not None:
        try:
            fields["face"] = base64.b64decode(face, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise BadRequestError("face is a picture in base64") from None
    if not fields.get("username") or fields.get("password") is None:
        raise BadRequestError("a user needs username and password")
    add = partial(request.namespace.add_user, **fields)
    # A picture is read in a thread: that may take a second.
    user = await asyncio.to_thread(add) if face is not None else add()
    return json_answer(user.as_json(), 201)


def _known(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    unknown = sorted(fields.keys() - set(names))
    if unknown:
        raise BadRequestError(f"there is no field {unknown[0]!r} here; there are {', '.join(names)}")
    return fields


async def _act(request: AdminRequest) -> web.StreamResponse:
    ident, _, what = request.rest.partition("/")
    namespace = request.namespace
    user = namespace.user_by_id(ident)
    if what == "mfa-token":
        return json_answer({"token": namespace.issue_mfa_token(user)})
    if what == "token":
        return json_answer({"token": namespace.issue_user_token(user)})
    if what == "lock":
        namespace.lock_user(user, (await request.body()).get("seconds"))
    elif what == "unlock":
        namespace.unlock_user(user)
    else:
        raise LookupError(f"there is no users/{{id}}/{what}")
    return json_answer(user.as_json())


async def _change_user(request: AdminRequest) -> web.StreamResponse:
    user = request.namespace.user_by_id(request.rest)
    request.namespace.update_user(user, **_known(await request.body(), _CHANGEABLE))
    return json_answer(user.as_json())


async def _delete(request: AdminRequest) -> web.StreamResponse:
    ident, _, what = request.rest.partition("/")
    user = request.namespace.user_by_id(ident)
    kind, _, factor = what.partition("/")
    if kind == "factors" and factor:
        request.namespace.unbind(user, factor)
        return json_answer(user.as_json())
    if what:
        raise LookupError(f"there is no users/{{id}}/{what}")
    request.namespace.delete_user(user)
    return json_answer({"deleted": ident})


USER_HANDLERS: Handlers = {
    ("GET", "users"): _users,
    ("POST", "users"): _add_user,
    ("PATCH", "users"): _change_user,
    ("DELETE", "users"): _delete,
}
