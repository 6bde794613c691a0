"""The HTTP face: from aiohttp's request to a rule's answer. Everything is decided elsewhere."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from authing_mfa._version import __version__
from authing_mfa.emulator import routing
from authing_mfa.emulator.call import Call, Refusal, Reply
from authing_mfa.emulator.journal import RecordedRequest
from authing_mfa.emulator.rules import act
from authing_mfa.operations import (
    UploadFaceImage,
    VerifyByEmail,
    VerifyByFace,
    VerifyByPhone,
    VerifyByRecoveryCode,
    VerifyByTotp,
)

if TYPE_CHECKING:
    from authing_mfa.emulator.service import Service
    from authing_mfa.operations import Operation

__all__ = ["MARK", "answer", "bearer_of"]

MARK = {"x-authing-emulator": __version__}
"""On every answer, so that nobody takes an emulator for the service."""

_VERIFYING = (VerifyByPhone, VerifyByEmail, VerifyByTotp, VerifyByRecoveryCode, VerifyByFace)


def bearer_of(request: web.BaseRequest) -> str | None:
    """The token of a request, with ``Bearer`` in front or without (wire reference, section 2.1)."""
    value = request.headers.get("Authorization", "").strip()
    if value[:7].lower() == "bearer ":
        value = value[7:].strip()
    return value or None


async def answer(request: web.BaseRequest, service: Service, path: str, prefix: str) -> web.StreamResponse:
    """Answer one request of the service's own API and write it into the journal."""
    started = time.perf_counter()
    content = await request.read()
    with service.lock:
        at = service.clock()
        call = _call(request, service, path, prefix)
        cls, reply = _act(request, service, call, path, content)
        body = reply.body if isinstance(reply.body, bytes) else _dump(reply.body)
        service.journal.seen += 1
        entry = RecordedRequest(
            id=service.journal.seen,
            at=at,
            method=request.method,
            path=path,
            operation=None if cls is None else cls.method,
            status=reply.status,
            code=_code(reply.body),
            ms=(time.perf_counter() - started) * 1000,
            namespace=service.name,
            user=None if call.user is None else call.user.id,
            request_body=b"" if cls is UploadFaceImage else content,
            response_body=body,
        )
        service.journal.entries.append(entry)
    return web.Response(body=body, status=reply.status, headers=MARK, content_type=reply.content_type)


def _call(request: web.BaseRequest, service: Service, path: str, prefix: str) -> Call:
    host = request.headers.get("Host", "")
    return Call(
        state=service.state,
        lang=request.headers.get("x-authing-lang") or "zh-CN",
        token=bearer_of(request),
        origin=f"{request.scheme}://{host}{prefix}",
        host=host,
        app_id=service.app_id,
        ip=request.remote or "127.0.0.1",
        v3=path.startswith(("/api/v3/", "/mfa/token/")),
        query=dict(request.query) if request.query_string else {},
    )


def _act(
    request: web.BaseRequest, service: Service, call: Call, path: str, content: bytes
) -> tuple[type[Operation[Any]] | None, Reply]:
    cls: type[Operation[Any]] | None = None
    try:
        found = routing.route_of(request.method, path)
        if found is None:
            raise Refusal(404, "not_found", status=404, detail=f": {request.method} {path}")
        cls, fields = found
        operation = _operation(cls, call, fields, content, request.headers.get("Content-Type", ""))
        if call.token is not None and isinstance(operation, _VERIFYING):
            service.journal.received[call.token] += 1
            service.journal.acted[call.token] += 1
        return cls, act(operation, call)
    except Refusal as refusal:
        return cls, call.refused(refusal)


def _operation(
    cls: type[Operation[Any]], call: Call, fields: dict[str, Any], content: bytes, content_type: str
) -> Operation[Any]:
    if cls is UploadFaceImage:
        part = routing.multipart_file(content, content_type)
        if part is None:
            raise Refusal(400, "no_file", status=400)
        image, call.file_type = part
        return UploadFaceImage(image=image)
    return routing.operation_of(cls, {**call.query, **routing.read_body(content), **fields})


def _dump(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _code(body: Any) -> int | None:
    if not isinstance(body, dict):
        return None
    code = body.get("code", body.get("apiCode", body.get("statusCode")))
    return code if isinstance(code, int) else None
