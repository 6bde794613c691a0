"""Handle one request of the service's own API: act, apply the faults, write the request log, answer."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs
from aiohttp import web

from authing_mfa.emulator.crypto.faces import Fingerprint, face_fingerprint
from authing_mfa.emulator.http import routing
from authing_mfa.emulator.http.answers import MARK, envelope, scheme_of
from authing_mfa.emulator.http.body import BodyError, read_body
from authing_mfa.emulator.namespace import Namespace
from authing_mfa.emulator.rules import handle
from authing_mfa.emulator.rules.context import Reply, RuleContext, ServiceRefusal, as_refusal
from authing_mfa.emulator.rules.endpoints import GraphQL
from authing_mfa.emulator.rules.graphql import failure, given_fields
from authing_mfa.emulator.state.json_text import dump
from authing_mfa.emulator.state.request_log import BODY_LIMIT, RecordedRequest
from authing_mfa.emulator.state.user_fields import UnacceptableError
from authing_mfa.errors import InvalidInputError
from authing_mfa.operations import (
    Operation,
    UploadFaceImage,
    VerifyByEmail,
    VerifyByFace,
    VerifyByPhone,
    VerifyByRecoveryCode,
    VerifyByTotp,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authing_mfa.emulator.state.fault_rules import FaultRule
    from authing_mfa.emulator.state.records import User

__all__ = ["RequestHandler", "bearer_of"]

_VERIFYING = (VerifyByPhone, VerifyByEmail, VerifyByTotp, VerifyByRecoveryCode, VerifyByFace)
_SLICES = 8  # pieces of a body that is sent slowly
_HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """Return the token of a request, with ``Bearer`` in front or without (docs/wire.md#authorization)."""
    value = headers.get("Authorization", "").strip()
    if value[:7].lower() == "bearer ":
        value = value[7:].strip()
    return value or None


@attrs.define
class RequestHandler:
    """A request and its handling. *path* does not hold the namespace's *prefix*."""

    request: web.BaseRequest
    namespace: Namespace
    path: str
    prefix: str
    cors: dict[str, str]
    started: float = attrs.field(init=False, factory=time.perf_counter)
    at: float = attrs.field(init=False, default=0.0)
    content: bytes = attrs.field(init=False, default=b"")
    cls: type[Operation[Any]] | None = attrs.field(init=False, default=None)
    operation: Operation[Any] | ServiceRefusal | None = attrs.field(init=False, default=None)
    photo: tuple[bytes, str] | None = attrs.field(init=False, default=None)
    fingerprint: Fingerprint | None = attrs.field(init=False, default=None)

    async def answer(self) -> web.StreamResponse:
        """Handle the request."""
        try:
            self.content = await read_body(self.request)
        except BodyError as error:
            return envelope(error.status, str(error), self.cors)
        await self._examine_photo()
        with self.namespace.lock:
            self.at = self.namespace.clock()
            context = self._context()
            self._read_operation(context)
            rules = self._firing(context) if len(self.namespace.faults) else []
            if not rules:
                return self._finish(context, self._perform(context), None)
        for rule in rules:
            if rule.latency is not None:
                await asyncio.sleep(rule.seconds())
        rule = rules[-1]
        with self.namespace.lock:
            reply = self._perform(context) if rule.service_acts else None
            if reply is None or rule.is_refusal:
                reply = self._refusal(context, rule)
            response = self._finish(context, reply, rule)
        return await self._distorted(response, rule)

    async def _examine_photo(self) -> None:
        """Read an uploaded photo in a thread and before the lock is taken: that may take a second."""
        found = routing.route_of(self.request.method, self.path)
        if found is None or found[0] is not UploadFaceImage:
            return
        self.photo = routing.multipart_file(self.content, self.request.headers.get("Content-Type", ""))
        if self.photo is not None:
            with suppress(OSError):  # the file is not a picture
                self.fingerprint = await asyncio.to_thread(face_fingerprint, self.photo[0])

    def _context(self) -> RuleContext:
        request = self.request
        host = request.headers.get("Host", "")
        return RuleContext(
            state=self.namespace.state,
            lang=request.headers.get("x-authing-lang") or "zh-CN",
            token=bearer_of(request.headers),
            origin=f"{scheme_of(request)}://{host}{self.prefix}",
            host=host,
            app_id=self.namespace.app_id,
            ip=request.remote or "127.0.0.1",
            v3=self.path.startswith("/api/v3/"),
            query=dict(request.query) if request.query_string else {},
            cookies=dict(request.cookies) if "Cookie" in request.headers else {},
        )

    def _read_operation(self, context: RuleContext) -> None:
        """Return the operation of the request, or the ServiceRefusal for an unknown one."""
        try:
            found = routing.route_of(self.request.method, self.path)
            if found is None:
                raise ServiceRefusal(404, "not_found", status=404, detail=f": {self.request.method} {self.path}")  # noqa: TRY301 - answered together with all refusals
            self.cls, fields = found
            if self.cls is UploadFaceImage:
                self.operation = self._upload(context)
            else:
                body = routing.read_body(self.content)
                if context.query or fields:
                    body = {**context.query, **body, **fields}
                self.cls = routing.narrowed(self.cls, body)
                self.operation = routing.operation_of(self.cls, body)
        except ServiceRefusal as refusal:
            self.operation = refusal

    def _upload(self, context: RuleContext) -> UploadFaceImage:
        if self.photo is None or not self.photo[0]:
            raise ServiceRefusal(400, "no_file", status=400)
        image, context.file_type = self.photo
        context.fingerprint = self.fingerprint
        return UploadFaceImage(image=image)

    def _firing(self, context: RuleContext) -> list[FaultRule]:
        caller, _, _ = self.namespace.state.read_token(context.token)
        if caller is None:
            caller = self._named_user()
        names = () if self.cls is None else (self.cls.python_name, self.cls.__name__)
        users = () if caller is None else (caller.id, caller.username, caller.phone, caller.email)
        return self.namespace.faults.firing(self.path, names, users)

    def _named_user(self) -> User | None:
        """Return the user whose name, phone or address is in the request."""
        if isinstance(self.operation, GraphQL):
            given = given_fields(self.operation)
            accounts = [given.get(name) for name in ("username", "email", "phone")]
            country = given.get("phoneCountryCode")
        else:
            names = ("account", "phone", "phone_number", "email")
            accounts = [getattr(self.operation, name, None) for name in names]
            country = getattr(self.operation, "phone_country_code", None)
        account = next((account for account in accounts if isinstance(account, str)), None)
        known = country if isinstance(country, str) else None
        return None if account is None else self.namespace.state.find(account, known)

    def _perform(self, context: RuleContext) -> Reply:
        operation = self.operation
        try:
            if isinstance(operation, ServiceRefusal):
                raise operation
            if self._verifies(context.token):
                self.namespace.request_log.count_acted(context.token or "")
            return handle(operation, context)
        except (ServiceRefusal, InvalidInputError, UnacceptableError) as error:
            return context.refused(as_refusal(error))

    def _refusal(self, context: RuleContext, rule: FaultRule) -> Reply:
        """Return the answer of *rule* in place of the service's, in the shape of the API that was called."""
        status = rule.status or (429 if rule.retry_after is not None else 200)
        code = rule.code if rule.code is not None else status
        body = context.failure(code, rule.message or "A fault of the emulator.")
        return Reply(failure(self.operation, body) if isinstance(self.operation, GraphQL) else body, status)

    def _verifies(self, token: str | None) -> bool:
        """Return True if this is a verification with a token of this emulator; other tokens are not counted."""
        return isinstance(self.operation, _VERIFYING) and self.namespace.state.read_token(token)[0] is not None

    # ─────────────────────────────── the answer ───────────────────────────────

    def _finish(self, context: RuleContext, reply: Reply, rule: FaultRule | None) -> web.Response:
        body = reply.body if isinstance(reply.body, bytes) else dump(reply.body)
        status = reply.status if rule is None or rule.status is None else rule.status
        self._record(
            context, None if rule is not None and (rule.drop or rule.reset) else status, _code(reply.body), body, rule
        )
        headers = {**MARK, **self.cors, **reply.headers}
        if rule is not None and rule.retry_after is not None:
            headers["Retry-After"] = f"{rule.retry_after:f}".rstrip("0").rstrip(".")
        return web.Response(body=body, status=status, headers=headers, content_type=reply.content_type)

    def _record(
        self, context: RuleContext, status: int | None, code: int | None, body: bytes, rule: FaultRule | None
    ) -> None:
        namespace = self.namespace
        if self._verifies(context.token):
            namespace.request_log.count_received(context.token or "")
        namespace.request_log.seen += 1
        user = context.user
        if user is None and context.token is not None:
            user = namespace.state.read_token(context.token)[0]
        entry = RecordedRequest(
            id=namespace.request_log.seen,
            at=self.at,
            method=self.request.method,
            path=self.path,
            operation=None if self.cls is None else self.cls.python_name,
            status=status,
            code=None if status is None else code,
            ms=round((time.perf_counter() - self.started) * 1000, 3),
            namespace=namespace.name,
            user=None if user is None else user.id,
            fault=None if rule is None else rule.id,
            request_body=b"" if self.photo or len(self.content) > BODY_LIMIT else self.content,
            response_body=b"" if status is None or len(body) > BODY_LIMIT else body,
            request_bytes=len(self.content),
            response_bytes=0 if status is None else len(body),
        )
        namespace.request_log.entries.append(entry)
        if namespace.events:
            namespace.events.publish("request", entry.as_json())

    async def _distorted(self, response: web.Response, rule: FaultRule) -> web.StreamResponse:
        """Return *response* as *rule* changes it."""
        body = response.body if isinstance(response.body, bytes) else b""
        if rule.drop is not None or rule.reset is not None:
            _cut(self.request, reset=rule.reset is not None)
        elif rule.body == "html":
            return web.Response(body=_HTML, status=response.status, headers=MARK, content_type="text/html")
        elif rule.body == "empty":
            response.body = b""
        elif rule.body == "malformed":
            response.body = body[: max(len(body) // 2, 1)]
        elif rule.body == "truncated":
            return await self._sent_in_part(response, body)
        elif rule.slow_body is not None:
            return await self._sent_slowly(response, body, rule.slow_body)
        return response

    async def _begun(self, response: web.Response, body: bytes) -> web.StreamResponse:
        stream = web.StreamResponse(status=response.status, headers=response.headers)
        stream.content_length = len(body)
        await stream.prepare(self.request)
        return stream

    async def _sent_in_part(self, response: web.Response, body: bytes) -> web.StreamResponse:
        stream = await self._begun(response, body)
        await stream.write(body[: len(body) // 2])
        _cut(self.request, reset=False)
        return stream

    async def _sent_slowly(self, response: web.Response, body: bytes, seconds: float) -> web.StreamResponse:
        stream = await self._begun(response, body)
        size = max(len(body) // _SLICES, 1)
        for start in range(0, len(body), size):
            await asyncio.sleep(seconds / _SLICES)
            await stream.write(body[start : start + size])
        return stream


def _cut(request: web.BaseRequest, *, reset: bool) -> None:
    """End the connection: with a normal close, or with a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if reset and sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


def _code(body: Any) -> int | None:
    if not isinstance(body, dict):
        return None
    errors = body.get("errors")
    if errors:  # as GraphQL answers
        body = errors[0]["message"]
    code = body.get("code", body.get("apiCode", body.get("statusCode")))
    return code if isinstance(code, int) else None
