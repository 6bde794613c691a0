"""`Emulator`: the default namespace together with the server that answers for it and for the others."""

from __future__ import annotations

import asyncio
import re
import secrets
import threading
import time
from random import Random
from typing import TYPE_CHECKING, Any

from aiohttp import web

from authing_mfa._loopback import is_loopback
from authing_mfa.emulator import seeding
from authing_mfa.emulator.http.admin import admin
from authing_mfa.emulator.http.host_check import cors_headers, host_allowed
from authing_mfa.emulator.http.pages import page_file
from authing_mfa.emulator.http.request import MARK, RequestHandler
from authing_mfa.emulator.http.server import ServerThread
from authing_mfa.emulator.namespace import Namespace
from authing_mfa.emulator.state.state import hex_id

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike
    from typing import Self

    from authing_mfa.emulator.http.tls import LocalAuthority
    from authing_mfa.emulator.state.settings import Settings

__all__ = ["Emulator"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAMESPACES = 10_000


class Emulator(Namespace):
    """The service on 127.0.0.1, in this process: no cloud, no account. Use it with ``with`` or ``async with``.

    It runs in a daemon thread of its own, so it answers a blocked test and an event loop alike; every method may be called
    from any thread.

    Args:
        port: 0 takes a free one.
        seed: makes ids, codes, secrets and the rest of every token reproducible.
        clock: epoch seconds; `emu.clock.advance(61)` moves what the emulator makes of it.
        settings: lifetimes, windows, limits.
        seed_file: users, codes, faults and settings to start with, in YAML or JSON, see `seeding`.
        seeds: the same as a mapping.
        host: the address to listen on.
        allow_remote: must be true for a *host* that is not loopback: an emulator gives its codes to anyone who asks.
        allowed_hosts: names besides localhost that a request's Host header may have.
        tls: serve HTTPS, with an authority of its own; see `ca_path` and `client_ssl_context`.

    Attributes:
        app_id: the one application; 24 hex digits.
        user_pool_id: its user pool; 24 hex digits.
        public_key: base64 of the RSA key that passwords are encrypted with.
        clock: call it for the time; `advance`, `set` and `reset` move it.
        faults: `add`, `remove` and `clear` rules of what goes wrong.

    Raises:
        ValueError: *host* is not loopback and *allow_remote* is not given, or the seeds are not right.
    """

    def __init__(  # noqa: PLR0913 - all of them optional keywords
        self,
        *,
        port: int = 0,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
        settings: Settings | None = None,
        seed_file: str | PathLike[str] | None = None,
        seeds: Mapping[str, Any] | None = None,
        host: str = "127.0.0.1",
        allow_remote: bool = False,
        allowed_hosts: Iterable[str] = (),
        tls: bool = False,
    ) -> None:
        if not allow_remote and not is_loopback(host):
            raise ValueError(f"{host} is not a loopback address: to serve other machines, give allow_remote=True, too")
        if seed_file is not None:
            seeds = seeding.read(seed_file)
        self._seeds = None if seeds is None else seeding.check(dict(seeds))
        ids = Random(secrets.token_hex(16) if seed is None else f"{seed}/ids")  # noqa: S311 - test data, reproducible
        app_id, user_pool_id = hex_id(ids), hex_id(ids)
        settings = seeding.settings_of(self._seeds or {}, settings)
        super().__init__("default", settings, clock, user_pool_id, app_id, _seed_of(seed, "default"))
        self._seed, self._source, self._host = seed, clock, host
        self._remote, self._names = allow_remote, frozenset(name.lower() for name in allowed_hosts)
        self._namespaces: dict[str, Namespace] = {}
        self._namespaces_lock = threading.Lock()
        self._authority: LocalAuthority | None = None
        context = None
        if tls:
            from authing_mfa.emulator.http.tls import LocalAuthority

            self._authority = LocalAuthority("127.0.0.1", "localhost", "::1", *sorted(self._names))
            context = self._authority.server_context()
        self._server = ServerThread(self._handle, host, port, context)
        if self._seeds is not None:
            self.seed_from(self._seeds)

    # ─────────────────────────────── where it is ───────────────────────────────

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, the `base_url` of a client."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "localhost", "") else self._host  # noqa: S104 - compared only
        host = "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
        return f"{self._scheme}://{host}:{self._server.port}"

    @property
    def _scheme(self) -> str:
        return "http" if self._authority is None else "https"

    @property
    def ca_path(self) -> str | None:
        """The file with the certificate that clients of a TLS emulator must trust; None without TLS. Gone after `stop`."""
        return None if self._authority is None else self._authority.file()

    def client_ssl_context(self) -> ssl.SSLContext | None:
        """What `AuthClient(ssl_context=…)` needs to speak to this emulator; None without TLS."""
        return None if self._authority is None else self._authority.client_context()

    def namespace(self, name: str) -> Namespace:
        """Return the namespace *name*; the first call makes it. It shares nothing with the others but the application's id.

        Its address is `namespace_url(name)`; a client takes that as `base_url`.

        Args:
            name: letters, digits, ``.``, ``_`` and ``-``, 64 at most.

        Raises:
            ValueError: the name has other characters, or there are too many namespaces.
        """
        if name == self.name:
            return self
        if not _NAME.fullmatch(name):
            raise ValueError("a namespace's name is letters, digits, '.', '_' and '-', 64 at most")
        with self._namespaces_lock:
            namespace = self._namespaces.get(name)
            if namespace is None:
                if len(self._namespaces) >= _NAMESPACES:
                    raise ValueError(f"there are {_NAMESPACES} namespaces already")
                seed = _seed_of(self._seed, name)
                namespace = Namespace(name, self.settings, self._source, self.user_pool_id, self.app_id, seed)
                if self._seeds is not None:
                    namespace.seed_from(self._seeds)
                self._namespaces[name] = namespace
            return namespace

    def namespace_url(self, name: str) -> str:
        """Return the address of a namespace, a client's `base_url`.

        Args:
            name: the namespace's name.
        """
        return self.url if name == self.name else f"{self.url}/ns/{name}"

    # ─────────────────────────────── requests ───────────────────────────────

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if not host_allowed(request.headers.get("Host", ""), names=self._names, remote=self._remote):
            return _refused(421, "The Host header does not name this machine; see allowed_hosts.")
        path = request.path
        if not path.startswith("/ns/"):
            return await self._serve(request, self, path, "")
        name, slash, rest = path[4:].partition("/")
        try:
            namespace = self.namespace(name)
        except ValueError as error:
            return _refused(404, str(error))
        return await self._serve(request, namespace, slash + rest, f"/ns/{name}")

    async def _serve(
        self, request: web.BaseRequest, namespace: Namespace, path: str, prefix: str
    ) -> web.StreamResponse:
        """Serve *path* of a namespace: the page, the admin API, or the service's own API."""
        if path.startswith("/_emulator/page/"):
            return page_file(path.removeprefix("/_emulator/page/"))
        if path.startswith("/_emulator/"):
            url = f"{self.url}{prefix}"
            return await admin(
                request, namespace, path.removeprefix("/_emulator/"), url=url, tls=self._authority is not None
            )
        if path in ("/", "") and request.method in ("GET", "HEAD"):
            return (
                page_file("index.html")
                if path
                else web.Response(status=308, headers={**MARK, "Location": f"{prefix}/"})
            )
        cors = cors_headers(request.headers, names=self._names) if "Origin" in request.headers else {}
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={**MARK, **cors})
        return await RequestHandler(request, namespace, path, prefix, cors).answer()

    # ─────────────────────────────── from start to stop ───────────────────────────────

    def start(self) -> Self:
        """Start to serve; ``with`` does it.

        Raises:
            OSError: the port is taken.
        """
        self._server.start()
        return self

    def stop(self) -> None:
        """Close every connection and stop; leaving ``with`` does it. Twice is fine."""
        self._server.stop()
        if self._authority is not None:
            self._authority.remove_file()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.to_thread(self.stop)


def _seed_of(seed: int | None, name: str) -> str | None:
    return None if seed is None else f"{seed}/{name}"


def _refused(status: int, problem: str) -> web.Response:
    return web.json_response({"error": problem}, status=status, headers=MARK)
