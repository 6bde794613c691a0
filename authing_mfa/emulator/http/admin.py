"""The admin API under `/_emulator/` (and `/ns/{name}/_emulator/`): what a test in any language, and the inbox page, talk to.

JSON in and out; an error is ``{"error": "…"}`` with HTTP 400, 403 or 404. Requests that change something are refused when a
browser sends them from a page of another site.

=======  ==============================  ====================================================================================
method   path                            what
=======  ==============================  ====================================================================================
GET      info                            url, app_id, user_pool_id, public_key, namespace, now, version, tls
GET      inbox?to=&channel=&after=&wait= messages, newest first; with *wait* seconds: as soon as there is one newer than *after*
POST     messages                        {to, scene?}: send a code, whatever the resend window says; answers the message
POST     codes                           {target, code}: fix the code of a target; code null: random again
GET      events                          server-sent events: message, request, clock, faults, users, reset
GET      users?limit=&offset=&q=         users and their total; q: part of the name, phone, address or id
POST     users                           the keywords of `add_user`; `face` is a picture in base64
GET      users/{id}                      one user
GET      users/{id}/qr.svg               the otpauth QR picture of the bound TOTP
GET      users/{id}/totp                 the code now, and the seconds it still shows
POST     users/{id}/mfa-token            a new mfaToken
POST     users/{id}/token                a new token, as after a finished login
GET      requests?limit=                 the journal, newest first
GET      verifications?token=            how often the service acted on a verification with this token
GET      faults; POST; DELETE; DELETE faults/{id}   the fault rules; POST takes the keywords of `FaultRule`
GET      clock; POST                     {advance: 61} or {set: epoch} or {reset: true}; answers {now, offset}
POST     reset                           back to the start
GET      snapshot; PUT                   everything, and back to it
GET      photos/{key}                    an uploaded photo; a private one with the signature of its address
=======  ==============================  ====================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from authing_mfa._version import __version__
from authing_mfa.emulator.http.admin_messages import MESSAGE_HANDLERS
from authing_mfa.emulator.http.admin_request import Ask, BadRequestError, Handlers, json_answer
from authing_mfa.emulator.http.admin_users import USER_HANDLERS
from authing_mfa.emulator.http.host_check import foreign_page
from authing_mfa.emulator.http.request import MARK

if TYPE_CHECKING:
    from authing_mfa.emulator.namespace import Service

__all__ = ["admin"]

_SAFE_METHODS = ("GET", "HEAD")


async def admin(request: web.BaseRequest, service: Service, path: str, *, url: str, tls: bool) -> web.StreamResponse:
    """Answer an admin request. *path* is what stands after ``/_emulator/``; *url* the namespace's own address."""
    if request.method not in _SAFE_METHODS and foreign_page(
        request.headers, f"{request.scheme}://{request.headers.get('Host')}"
    ):
        return json_answer({"error": "a page of another site may not change the emulator"}, 403)
    name, _, rest = path.partition("/")
    handler = _HANDLERS.get((request.method, name))
    if handler is None:
        return json_answer({"error": f"there is no {request.method} {path}"}, 404)
    try:
        return await handler(Ask(request, service, rest, url, tls))
    except LookupError as error:
        return json_answer({"error": str(error.args[0]) if error.args else "not found"}, 404)
    except (BadRequestError, ValueError, TypeError, OSError, ImportError) as error:
        return json_answer({"error": str(error)}, 400)


# ─────────────────────────────── the application, the clock, the state ───────────────────────────────


async def _info(ask: Ask) -> web.StreamResponse:
    service = ask.service
    return json_answer(
        {
            "url": ask.url,
            "app_id": service.app_id,
            "user_pool_id": service.user_pool_id,
            "public_key": service.public_key,
            "namespace": service.name,
            "now": service.clock(),
            "version": __version__,
            "tls": ask.tls,
        }
    )


async def _clock(ask: Ask) -> web.StreamResponse:
    return json_answer({"now": ask.service.clock(), "offset": ask.service.clock.offset})


async def _move_clock(ask: Ask) -> web.StreamResponse:
    body = await ask.body()
    clock = ask.service.clock
    if len(body) != 1:
        raise BadRequestError('one of {"advance": seconds}, {"set": epoch}, {"reset": true}')
    ((name, value),) = body.items()
    if name == "reset" and value is True:
        clock.reset()
    elif name in ("advance", "set") and isinstance(value, (int, float)) and not isinstance(value, bool):
        _ = clock.advance(value) if name == "advance" else clock.set(value)
    else:
        raise BadRequestError('one of {"advance": seconds}, {"set": epoch}, {"reset": true}')
    return await _clock(ask)


async def _reset(ask: Ask) -> web.StreamResponse:
    ask.service.reset()
    return json_answer({"reset": True})


async def _snapshot(ask: Ask) -> web.StreamResponse:
    return json_answer(ask.service.snapshot())


async def _restore(ask: Ask) -> web.StreamResponse:
    ask.service.restore(await ask.body())
    return json_answer({"restored": True})


# ─────────────────────────────── journal, faults, photos ───────────────────────────────


async def _requests(ask: Ask) -> web.StreamResponse:
    limit = int(ask.number("limit", 100))
    newest = ask.service.requests[::-1][:limit]
    return json_answer({"requests": [entry.as_json() for entry in newest], "total": ask.service.journal.seen})


async def _verifications(ask: Ask) -> web.StreamResponse:
    token = ask.text("token") or ""
    count, received = ask.service.verify_count(token), ask.service.verify_count(token, received=True)
    return json_answer({"count": count, "received": received})


async def _faults(ask: Ask) -> web.StreamResponse:
    return json_answer({"faults": [rule.as_json() for rule in ask.service.faults]})


async def _add_fault(ask: Ask) -> web.StreamResponse:
    return json_answer(ask.service.faults.add(**await ask.body()).as_json(), 201)


async def _delete_faults(ask: Ask) -> web.StreamResponse:
    if ask.rest:
        ask.service.faults.remove(ask.rest)
    else:
        ask.service.faults.clear()
    return await _faults(ask)


async def _photo(ask: Ask) -> web.StreamResponse:
    state = ask.service.state
    with ask.service.lock:
        photo = state.photos.get(ask.rest)
        allowed = photo is not None and (not photo.private or ask.text("signature") == state.photo_signature(ask.rest))
        content = state.blobs[photo.digest] if photo is not None and allowed else None
    if photo is None or content is None:
        raise LookupError("there is no such photo, or it is private")
    kind = (
        photo.content_type
        if photo.content_type in ("image/jpeg", "image/png", "image/webp")
        else "application/octet-stream"
    )
    headers = {**MARK, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return web.Response(body=content, content_type=kind, headers=headers)


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
    ("GET", "photos"): _photo,
}
