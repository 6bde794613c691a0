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

import asyncio
import base64
import binascii
import json
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from authing_mfa._version import __version__
from authing_mfa.emulator import qr, totp
from authing_mfa.emulator.exchange import MARK
from authing_mfa.emulator.guard import foreign_page
from authing_mfa.emulator.records import canonical_target
from authing_mfa.emulator.state import message_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from authing_mfa.emulator.service import EmulatedUser, Service

__all__ = ["admin"]

_WAIT_LIMIT = 60.0
_KEEP_ALIVE = 15.0
_SAFE_METHODS = ("GET", "HEAD")


class _BadRequestError(Exception):
    """The request cannot be carried out; the text says why."""

    def __init__(self, problem: str, status: int = 400) -> None:
        super().__init__(problem)
        self.status = status


async def admin(request: web.BaseRequest, service: Service, path: str, *, url: str, tls: bool) -> web.StreamResponse:
    """Answer an admin request. *path* is what stands after ``/_emulator/``; *url* the namespace's own address."""
    if request.method not in _SAFE_METHODS and foreign_page(
        request.headers, f"{request.scheme}://{request.headers.get('Host')}"
    ):
        return _json({"error": "a page of another site may not change the emulator"}, 403)
    name, _, rest = path.partition("/")
    handler = _HANDLERS.get((request.method, name))
    if handler is None:
        return _json({"error": f"there is no {request.method} {path}"}, 404)
    try:
        return await handler(_Ask(request, service, rest, url, tls))
    except _BadRequestError as error:
        return _json({"error": str(error)}, error.status)
    except LookupError as error:
        return _json({"error": str(error.args[0]) if error.args else "not found"}, 404)
    except (ValueError, TypeError, OSError, ImportError) as error:
        return _json({"error": str(error)}, 400)


class _Ask:
    """An admin request and what it is about."""

    def __init__(self, request: web.BaseRequest, service: Service, rest: str, url: str, tls: bool) -> None:  # noqa: FBT001 - private
        self.request, self.service, self.rest, self.url, self.tls = request, service, rest, url, tls

    def number(self, name: str, default: float) -> float:
        value = self.request.query.get(name)
        try:
            return default if value is None else float(value)
        except ValueError:
            raise _BadRequestError(f"{name} must be a number") from None

    async def body(self) -> dict[str, Any]:
        try:
            body = json.loads(await self.request.read() or b"{}")
        except (ValueError, RecursionError):
            raise _BadRequestError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise _BadRequestError("the body is not a JSON object")
        return body


def _json(value: Any, status: int = 200) -> web.Response:
    headers = {**MARK, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    body = json.dumps(value, ensure_ascii=False).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


# ─────────────────────────────── the application, the clock, the state ───────────────────────────────


async def _info(ask: _Ask) -> web.StreamResponse:
    service = ask.service
    return _json(
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


async def _clock(ask: _Ask) -> web.StreamResponse:
    return _json({"now": ask.service.clock(), "offset": ask.service.clock.offset})


async def _move_clock(ask: _Ask) -> web.StreamResponse:
    body = await ask.body()
    clock = ask.service.clock
    if len(body) != 1:
        raise _BadRequestError('one of {"advance": seconds}, {"set": epoch}, {"reset": true}')
    ((name, value),) = body.items()
    if name == "reset" and value is True:
        clock.reset()
    elif name in ("advance", "set") and isinstance(value, (int, float)) and not isinstance(value, bool):
        _ = clock.advance(value) if name == "advance" else clock.set(value)
    else:
        raise _BadRequestError('one of {"advance": seconds}, {"set": epoch}, {"reset": true}')
    return await _clock(ask)


async def _reset(ask: _Ask) -> web.StreamResponse:
    ask.service.reset()
    return _json({"reset": True})


async def _snapshot(ask: _Ask) -> web.StreamResponse:
    return _json(ask.service.snapshot())


async def _restore(ask: _Ask) -> web.StreamResponse:
    ask.service.restore(await ask.body())
    return _json({"restored": True})


# ─────────────────────────────── messages ───────────────────────────────


async def _inbox(ask: _Ask) -> web.StreamResponse:
    """Messages newest first; with *wait*, as soon as there is one newer than *after*."""
    after, wait = int(ask.number("after", 0)), min(ask.number("wait", 0), _WAIT_LIMIT)
    deadline = time.monotonic() + wait
    with ask.service.events.watch() as queue:
        while True:
            found = _messages(ask, after)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return _json({"messages": found})
            try:
                await asyncio.wait_for(queue.get(), left)
            except TimeoutError:
                continue


def _messages(ask: _Ask, after: int) -> list[dict[str, Any]]:
    to, channel = ask.request.query.get("to"), ask.request.query.get("channel")
    limit = int(ask.number("limit", 100))
    found: list[dict[str, Any]] = []
    wanted = None if not to else canonical_target(to)
    with ask.service.lock:
        for message in reversed(ask.service.state.outbox):
            if message.id <= after or len(found) >= limit:
                break
            if channel and message.channel != channel:
                continue
            if wanted is None or to == message.to or canonical_target(message.to) == wanted:
                found.append(message_json(message))
    return found


async def _send(ask: _Ask) -> web.StreamResponse:
    body = await ask.body()
    to, scene = body.get("to"), body.get("scene")
    if not isinstance(to, str) or not to.strip() or not isinstance(scene, (str, type(None))):
        raise _BadRequestError('{"to": "phone or address", "scene": "…" or null}')
    with ask.service.lock:
        ask.service.send_code(to, scene=scene)
        return _json(message_json(ask.service.state.outbox[-1]))


async def _fix_code(ask: _Ask) -> web.StreamResponse:
    body = await ask.body()
    target, code = body.get("target"), body.get("code")
    if not isinstance(target, str) or not target.strip() or not isinstance(code, (str, type(None))):
        raise _BadRequestError('{"target": "phone or address", "code": "digits" or null}')
    ask.service.fix_code(target, code)
    return _json({"target": target, "fixed": code is not None})


async def _events(ask: _Ask) -> web.StreamResponse:
    """Server-sent events until the watcher goes away."""
    headers = {**MARK, "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    with ask.service.events.watch() as queue:
        await response.prepare(ask.request)
        await response.write(b": watching\n\n")
        while True:
            try:
                name, data = await asyncio.wait_for(queue.get(), _KEEP_ALIVE)
                line = f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
            except TimeoutError:
                line = ": still here\n\n"
            try:
                await response.write(line.encode())
            except ConnectionError:
                return response


# ─────────────────────────────── users ───────────────────────────────


async def _users(ask: _Ask) -> web.StreamResponse:
    if ask.rest:
        return await _one_user(ask)
    query = ask.request.query.get("q", "").strip().lower()
    limit, offset = max(int(ask.number("limit", 50)), 0), max(int(ask.number("offset", 0)), 0)
    service = ask.service
    with service.lock:
        found = [
            user.id
            for user in service.state.users.values()
            if not query
            or any(query in (text or "").lower() for text in (user.username, user.phone, user.email, user.id))
        ]
        page = [service.user_by_id(ident).as_json() for ident in found[offset : offset + limit]]
    return _json({"users": page, "total": len(found)})


async def _one_user(ask: _Ask) -> web.StreamResponse:
    ident, _, what = ask.rest.partition("/")
    user = ask.service.user_by_id(ident)
    if what == "":
        return _json(user.as_json())
    if what == "qr.svg":
        return web.Response(body=_qr(user), content_type="image/svg+xml", headers={**MARK, "Cache-Control": "no-store"})
    if what == "totp":
        now = ask.service.clock()
        if user.totp_code is None:
            raise LookupError("this user has no TOTP")
        return _json({"code": user.totp_code, "seconds_left": totp.PERIOD - now % totp.PERIOD})
    raise LookupError(f"there is no users/{{id}}/{what}")


def _qr(user: EmulatedUser) -> bytes:
    uri = user.totp_uri
    if uri is None:
        raise LookupError("this user has no TOTP")
    return qr.svg(uri)


async def _add_user(ask: _Ask) -> web.StreamResponse:
    if ask.rest:
        return await _issue(ask)
    fields = await ask.body()
    if isinstance(fields.get("face"), str):
        try:
            fields["face"] = base64.b64decode(fields["face"], validate=True)
        except binascii.Error:
            raise _BadRequestError("face is a picture in base64") from None
    for name in ("username", "password", "phone", "email", "nickname", "phone_country_code"):
        if not isinstance(fields.get(name), (str, type(None))):
            raise _BadRequestError(f"{name} must be text")
    if not fields.get("username") or fields.get("password") is None:
        raise _BadRequestError("a user needs username and password")
    return _json(ask.service.add_user(**fields).as_json(), 201)


async def _issue(ask: _Ask) -> web.StreamResponse:
    ident, _, what = ask.rest.partition("/")
    user = ask.service.user_by_id(ident)
    if what == "mfa-token":
        return _json({"token": ask.service.issue_mfa_token(user)})
    if what == "token":
        return _json({"token": ask.service.issue_user_token(user)})
    raise LookupError(f"there is no users/{{id}}/{what}")


# ─────────────────────────────── journal, faults, photos ───────────────────────────────


async def _requests(ask: _Ask) -> web.StreamResponse:
    limit = max(int(ask.number("limit", 100)), 0)
    newest = ask.service.requests[::-1][:limit]
    return _json({"requests": [entry.as_json() for entry in newest], "total": ask.service.journal.seen})


async def _verifications(ask: _Ask) -> web.StreamResponse:
    token = ask.request.query.get("token", "")
    count, received = ask.service.verify_count(token), ask.service.verify_count(token, received=True)
    return _json({"count": count, "received": received})


async def _faults(ask: _Ask) -> web.StreamResponse:
    return _json({"faults": [rule.as_json() for rule in ask.service.faults]})


async def _add_fault(ask: _Ask) -> web.StreamResponse:
    return _json(ask.service.faults.add(**await ask.body()).as_json(), 201)


async def _delete_faults(ask: _Ask) -> web.StreamResponse:
    if ask.rest:
        ask.service.faults.remove(ask.rest)
    else:
        ask.service.faults.clear()
    return await _faults(ask)


async def _photo(ask: _Ask) -> web.StreamResponse:
    state = ask.service.state
    with ask.service.lock:
        photo = state.photos.get(ask.rest)
        allowed = photo is not None and (
            not photo.private or ask.request.query.get("signature") == state.photo_signature(ask.rest)
        )
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


_HANDLERS: dict[tuple[str, str], Callable[[_Ask], Awaitable[web.StreamResponse]]] = {
    ("GET", "info"): _info,
    ("GET", "inbox"): _inbox,
    ("POST", "messages"): _send,
    ("POST", "codes"): _fix_code,
    ("GET", "events"): _events,
    ("GET", "users"): _users,
    ("POST", "users"): _add_user,
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
