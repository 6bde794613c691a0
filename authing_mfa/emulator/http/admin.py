"""The admin API under `/_emulator/` (and `/ns/{name}/_emulator/`), for tests in any language and for the inbox page.

JSON in and out; an error is ``{"error": "…"}`` with HTTP 400, 403, 404, 408 or 413. HEAD is answered where GET is. Requests
that change something are refused when a browser sends them from another page than the emulator's own.

=======  ==============================  ====================================================================================
method   path                            what
=======  ==============================  ====================================================================================
GET      info                            url, app_id, user_pool_id, public_key, namespace, now, version, tls
GET      inbox?to=&channel=&after=&wait= messages, newest first; with *wait* seconds: as soon as there is one newer than *after*
POST     messages                        {to, scene?}: send a code, also within the resend window; answers the message
POST     codes                           {target, code}: fix the code of a target; code null: random again
GET      events                          server-sent events: message, request, clock, faults, users, reset
GET      users?limit=&offset=&q=         users and their total; q: part of the name, phone, address or id
POST     users                           the keywords of `add_user`; `face` is a picture in base64
GET      users/{id}                      one user
GET      users/{id}/qr.svg               the otpauth QR picture of the bound TOTP
GET      users/{id}/totp                 the code now, and the seconds it still shows
POST     users/{id}/mfa-token            a new mfaToken
POST     users/{id}/token                a new token, as after a finished login
POST     users/{id}/lock; unlock         {seconds?}: lock the user, or end the lock
PATCH    users/{id}                      change username, password, phone, email, nickname, mfa, custom
DELETE   users/{id}; users/{id}/factors/{SMS|EMAIL|OTP|FACE}   delete the user; unbind a factor
GET      requests?limit=                 the requests, newest first
GET      verifications?token=            how often the service acted on a verification with this token
GET      faults; POST; DELETE; DELETE faults/{id}   the fault rules; POST takes the keywords of `FaultRule`
GET      clock; POST                     {advance: 61} or {set: epoch} or {reset: true}; answers {now, offset}
POST     reset                           back to the start
GET      snapshot; PUT                   everything, and back to it
GET      settings; POST                  the settings; POST changes some of them until the next reset
GET      photos?limit=                   the uploaded photos, newest first
GET      photos/{key}                    an uploaded photo; a private one with the signature of its address
GET      health                          200 as soon as requests are answered
GET      openapi.json                    this API as OpenAPI 3.1
=======  ==============================  ====================================================================================
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

import attrs
from aiohttp import web

from authing_mfa._version import __version__
from authing_mfa.emulator.http.admin_messages import MESSAGE_HANDLERS
from authing_mfa.emulator.http.admin_request import AdminRequest, BadRequestError, Handlers
from authing_mfa.emulator.http.admin_users import USER_HANDLERS
from authing_mfa.emulator.http.answers import MARK, json_answer, scheme_of
from authing_mfa.emulator.http.host_check import other_page

if TYPE_CHECKING:
    from authing_mfa.emulator.namespace import Namespace

__all__ = ["admin"]

_SAFE_METHODS = ("GET", "HEAD")


async def admin(
    request: web.BaseRequest, namespace: Namespace, path: str, *, url: str, tls: bool
) -> web.StreamResponse:
    """Answer an admin request. *path* is the part after ``/_emulator/``; *url* is the namespace's address."""
    if request.method not in _SAFE_METHODS and other_page(
        request.headers, f"{scheme_of(request)}://{request.headers.get('Host')}"
    ):
        return json_answer({"error": "a page of another site may not change the emulator"}, 403)
    name, _, rest = path.partition("/")
    method = "GET" if request.method == "HEAD" else request.method
    handler = _HANDLERS.get((method, name))
    if handler is None:
        return json_answer({"error": f"there is no {request.method} {path}"}, 404)
    try:
        return await handler(AdminRequest(request, namespace, rest, url, tls))
    except LookupError as error:
        return json_answer({"error": str(error.args[0]) if error.args else "not found"}, 404)
    except BadRequestError as error:
        return json_answer({"error": str(error)}, error.status)
    except (ValueError, TypeError, OSError, ImportError) as error:
        return json_answer({"error": str(error)}, 400)


# ─────────────────────────────── the application, the clock, the state ───────────────────────────────


async def _info(request: AdminRequest) -> web.StreamResponse:
    namespace = request.namespace
    return json_answer(
        {
            "url": request.url,
            "app_id": namespace.app_id,
            "user_pool_id": namespace.user_pool_id,
            "public_key": namespace.public_key,
            "namespace": namespace.name,
            "now": namespace.clock(),
            "version": __version__,
            "tls": request.tls,
        }
    )


async def _health(_request: AdminRequest) -> web.StreamResponse:
    return json_answer({"status": "ok"})


async def _openapi(request: AdminRequest) -> web.StreamResponse:
    from authing_mfa.emulator.http.openapi import document

    return json_answer(document(request.url))


async def _settings(request: AdminRequest) -> web.StreamResponse:
    return json_answer(attrs.asdict(request.namespace.settings))


async def _change_settings(request: AdminRequest) -> web.StreamResponse:
    request.namespace.change_settings(**await request.body())
    return await _settings(request)


async def _clock(request: AdminRequest) -> web.StreamResponse:
    return json_answer({"now": request.namespace.clock(), "offset": request.namespace.clock.offset})


async def _move_clock(request: AdminRequest) -> web.StreamResponse:
    body = await request.body()
    clock = request.namespace.clock
    if len(body) != 1:
        raise BadRequestError('one of {"advance": seconds}, {"set": epoch}, {"reset": true}')
    ((name, value),) = body.items()
    if name == "reset" and value is True:
        clock.reset()
    elif name in ("advance", "set") and type(value) in (int, float):
        _ = clock.advance(value) if name == "advance" else clock.set(value)
    else:
        raise BadRequestError('one of {"advance": seconds}, {"set": epoch}, {"reset": true}')
    return await _clock(request)


async def _reset(request: AdminRequest) -> web.StreamResponse:
    request.namespace.reset()
    return json_answer({"reset": True})


async def _snapshot(request: AdminRequest) -> web.StreamResponse:
    return json_answer(request.namespace.snapshot())


async def _restore(request: AdminRequest) -> web.StreamResponse:
    request.namespace.restore(await request.body())
    return json_answer({"restored": True})


# ─────────────────────────────── requests, faults, photos ───────────────────────────────


async def _requests(request: AdminRequest) -> web.StreamResponse:
    limit = int(request.number("limit", 100))
    newest = request.namespace.requests[::-1][:limit]
    return json_answer({"requests": [entry.as_json() for entry in newest], "total": request.namespace.request_log.seen})


async def _verifications(request: AdminRequest) -> web.StreamResponse:
    token = request.text("token") or ""
    count, received = request.namespace.verify_count(token), request.namespace.verify_count(token, received=True)
    return json_answer({"count": count, "received": received})


async def _faults(request: AdminRequest) -> web.StreamResponse:
    return json_answer({"faults": [rule.as_json() for rule in request.namespace.faults]})


async def _add_fault(request: AdminRequest) -> web.StreamResponse:
    return json_answer(request.namespace.faults.add(**await request.body()).as_json(), 201)


async def _delete_faults(request: AdminRequest) -> web.StreamResponse:
    if request.rest:
        request.namespace.faults.remove(request.rest)
    else:
        request.namespace.faults.clear()
    return await _faults(request)


async def _photos(request: AdminRequest) -> web.StreamResponse:
    """One photo by its key; without a key the list of photos, newest first."""
    if request.rest:
        return await _photo(request)
    limit = int(request.number("limit", 50))
    state = request.namespace.state
    with request.namespace.lock:
        listed = [
            {
                "key": key,
                "url": f"{request.url}/_emulator/photos/{quote(key)}?signature={state.photo_signature(key)}",
                "private": photo.private,
                "content_type": photo.content_type,
                "bytes": photo.size,
                "picture": photo.fingerprint is not None,
                "kept": state.photos.content(photo) is not None,
            }
            for key, photo in islice(reversed(state.photos.by_key.items()), limit)
        ]
        total = len(state.photos.by_key)
    return json_answer({"photos": listed, "total": total})


async def _photo(request: AdminRequest) -> web.StreamResponse:
    state, key = request.namespace.state, request.rest
    with request.namespace.lock:
        photo = state.photos.get(key)
        allowed = photo is not None and (not photo.private or request.text("signature") == state.photo_signature(key))
        content = state.photos.content(photo) if photo is not None and allowed else None
    if photo is None or content is None:
        raise LookupError("there is no such photo, it is private, or its content has gone")
    kind = photo.content_type if photo.content_type in _SHOWN else "application/octet-stream"
    headers = {**MARK, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return web.Response(body=content, content_type=kind, headers=headers)


_SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")

_HANDLERS: Handlers = {
    **MESSAGE_HANDLERS,
    **USER_HANDLERS,
    ("GET", "info"): _info,
    ("GET", "requests"): _requests,
    ("GET", "verifications"): _verifications,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _delete_faults,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _move_clock,
    ("POST", "reset"): _reset,
    ("GET", "snapshot"): _snapshot,
    ("PUT", "snapshot"): _restore,
    ("GET", "photos"): _photos,
    ("GET", "health"): _health,
    ("GET", "openapi.json"): _openapi,
    ("GET", "settings"): _settings,
    ("POST", "settings"): _change_settings,
}
