"""Hand each request on: check who may call, find the namespace, then choose the page, the admin API or the service's API."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from authing_mfa.emulator.http.admin import admin
from authing_mfa.emulator.http.answers import MARK, envelope, scheme_of
from authing_mfa.emulator.http.host_check import cors_headers, host_allowed, page_allowed
from authing_mfa.emulator.http.pages import page_file
from authing_mfa.emulator.http.request import RequestHandler

if TYPE_CHECKING:
    from collections.abc import Collection

    from authing_mfa.emulator.namespace import Namespace

__all__ = ["Dispatcher", "Namespaces"]

_LOOKING = ("GET", "HEAD", "OPTIONS")

_log = logging.getLogger("authing_mfa.emulator")


class Namespaces(Protocol):
    """The namespaces of the emulator, by name."""

    def reached(self, name: str) -> Namespace:
        """Return the namespace *name*; the first call makes it."""
        ...


class Dispatcher:
    """Hands each request on. *hosts* are allowed names besides localhost; *remote*: any IP address may be called."""

    def __init__(self, namespaces: Namespaces, *, hosts: Collection[str], remote: bool, tls: bool) -> None:
        self._namespaces = namespaces
        self._hosts = hosts
        self._remote = remote
        self._tls = tls

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer *request*; also a failure gives an answer that its client can read."""
        cors = {}
        try:
            if not host_allowed(request.headers.get("Host", ""), names=self._hosts, remote=self._remote):
                return envelope(
                    421, "The Host header does not name this machine; see --allowed-host (allowed_hosts).", {}
                )
            if not page_allowed(request.headers, names=self._hosts):
                return envelope(403, "A page of another site may not use the emulator; see --allowed-host.", {})
            cors = cors_headers(request.headers) if "Origin" in request.headers else {}
            return await self._serve_namespace(request, cors)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - a defect of the emulator: sent to the caller, so that a page can read it
            _log.exception("The emulator failed at %s %r", request.method, request.path)
            return envelope(500, f"A fault of the emulator, please report it: {type(error).__name__}: {error}", cors)

    async def _serve_namespace(self, request: web.BaseRequest, cors: dict[str, str]) -> web.StreamResponse:
        path = request.path
        if not path.startswith("/ns/"):
            return await self._serve(request, self._namespaces.reached("default"), path, "", cors)
        name, slash, rest = path[4:].partition("/")
        try:
            namespace = self._namespaces.reached(name)
        except ValueError as error:
            return envelope(404, str(error), cors)
        if request.method not in _LOOKING:
            namespace.in_use = True
        return await self._serve(request, namespace, slash + rest, f"/ns/{name}", cors)

    async def _serve(
        self, request: web.BaseRequest, namespace: Namespace, path: str, prefix: str, cors: dict[str, str]
    ) -> web.StreamResponse:
        """Serve *path* of a namespace: the page, the admin API, or the service's own API."""
        if path.startswith("/_emulator/page/"):
            return page_file(path.removeprefix("/_emulator/page/"))
        if path.startswith("/_emulator/"):
            url = f"{scheme_of(request)}://{request.headers['Host']}{prefix}"
            return await admin(request, namespace, path.removeprefix("/_emulator/"), url=url, tls=self._tls)
        if path in ("/", "") and request.method in ("GET", "HEAD"):
            if path:
                return page_file("index.html")
            return web.Response(status=308, headers={**MARK, "Location": f"{prefix}/"})
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={**MARK, **cors})
        return await RequestHandler(request, namespace, path, prefix, cors).answer()
