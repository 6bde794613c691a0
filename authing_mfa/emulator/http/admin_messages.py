"""The admin API's messages: the inbox, fixed codes, server-sent events. Described in `admin`."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import web

from authing_mfa.emulator.http.admin_request import AdminRequest, BadRequestError, Handlers
from authing_mfa.emulator.http.answers import MARK, json_answer
from authing_mfa.emulator.state.json_text import dump
from authing_mfa.emulator.state.messages import message_json, sent_to

__all__ = ["MESSAGE_HANDLERS"]

_WAIT_LIMIT = 60.0
_KEEP_ALIVE = 15.0


async def _inbox(request: AdminRequest) -> web.StreamResponse:
    """Return the messages, newest first; with *wait*, wait for a message newer than *after*."""
    after, wait = int(request.number("after", 0)), min(request.number("wait", 0), _WAIT_LIMIT)
    deadline = time.monotonic() + wait
    with request.namespace.events.watch() as queue:
        while True:
            found = _messages(request, after)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return json_answer({"messages": found})
            try:
                await asyncio.wait_for(queue.get(), left)
            except TimeoutError:
                continue


def _messages(request: AdminRequest, after: int) -> list[dict[str, Any]]:
    to, channel = request.text("to"), request.text("channel")
    limit = int(request.number("limit", 100))
    found: list[dict[str, Any]] = []
    wanted = None if to is None else sent_to(to)
    with request.namespace.lock:
        for message in reversed(request.namespace.state.messages.sent):
            if message.id <= after or len(found) >= limit:
                break
            if channel and message.channel != channel:
                continue
            if wanted is None or wanted(message):
                found.append(message_json(message))
    return found


async def _send(request: AdminRequest) -> web.StreamResponse:
    body = await request.body()
    to, scene = body.get("to"), body.get("scene")
    if not isinstance(to, str) or not to.strip() or not isinstance(scene, (str, type(None))):
        raise BadRequestError('{"to": "phone or address", "scene": "…" or null}')
    with request.namespace.lock:
        request.namespace.send_code(to, scene=scene)
        return json_answer(message_json(request.namespace.state.messages.sent[-1]))


async def _fix_code(request: AdminRequest) -> web.StreamResponse:
    body = await request.body()
    target, code = body.get("target"), body.get("code")
    if not isinstance(target, str) or not target.strip() or not isinstance(code, (str, type(None))):
        raise BadRequestError('{"target": "phone or address", "code": "digits" or null}')
    request.namespace.fix_code(target, code)
    return json_answer({"target": target, "fixed": code is not None})


async def _events(request: AdminRequest) -> web.StreamResponse:
    """Send server-sent events until the client disconnects."""
    headers = {**MARK, "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.http.method == "HEAD":
        return web.Response(headers=headers)
    response = web.StreamResponse(headers=headers)
    with request.namespace.events.watch() as queue:
        await response.prepare(request.http)
        await response.write(b": watching\n\n")
        while True:
            try:
                name, data = await asyncio.wait_for(queue.get(), _KEEP_ALIVE)
                line = b"event: %b\ndata: %b\n\n" % (name.encode(), dump(data))
            except TimeoutError:
                line = b": still here\n\n"
            try:
                await response.write(line)
            except ConnectionError:
                return response


MESSAGE_HANDLERS: Handlers = {
    ("GET", "inbox"): _inbox,
    ("POST", "messages"): _send,
    ("POST", "codes"): _fix_code,
    ("GET", "events"): _events,
}
