"""`Emulator`: the default namespace, and the server for it and all other namespaces."""

from __future__ import annotations

import asyncio
import re
import secrets
import threading
import time
from collections.abc import Collection
from contextlib import nullcontext
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from authing_mfa._loopback import is_loopback
from authing_mfa.emulator import seeding, state_files
from authing_mfa.emulator.http.dispatch import Dispatcher
from authing_mfa.emulator.http.own_addresses import own_addresses
from authing_mfa.emulator.http.server import ServerThread
from authing_mfa.emulator.namespace import Namespace
from authing_mfa.emulator.state.directory import hex_id
from authing_mfa.emulator.state.settings import changed
from authing_mfa.emulator.state.user_fields import checked_id

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from os import PathLike
    from typing import Self

    from authing_mfa.emulator.state.settings import Settings

__all__ = ["Emulator"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAMESPACES = 10_000
_EVERY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - compared only


def _check_listening(host: object, port: object, names: object, **flags: object) -> None:
    if not isinstance(host, str):
        raise TypeError(f"host must be text (str), not {type(host).__name__}")
    if isinstance(port, bool) or not isinstance(port, int):
        raise TypeError(f"port must be a whole number, not {type(port).__name__}")
    if not 0 <= port <= 65535:
        raise ValueError("port must be from 0 to 65535")
    if isinstance(names, str) or not isinstance(names, Collection) or not all(isinstance(name, str) for name in names):
        raise TypeError("allowed_hosts must be a collection of names, for example a list")
    for name, value in flags.items():
        if not isinstance(value, bool):  # a text like "false" counts as true
            raise TypeError(f"{name} must be True or False, not {type(value).__name__}")


class Emulator(Namespace):
    """An emulator of the service in this process, on 127.0.0.1. Use it with ``with`` or ``async with``.

    It runs in a daemon thread, so it also answers while a test blocks. Every method may be called from any thread.

    Args:
        port: the port; 0: any free port.
        seed: a number that makes ids, codes, secrets and tokens reproducible.
        clock: a function that returns epoch seconds; `emu.clock.advance(61)` moves the emulator's time on top of it.
        settings: lifetimes, windows, limits.
        seed_file: users, codes, faults and settings to start with, in YAML or JSON, see `seeding`.
        seeds: the same as a mapping.
        app_id: the application's id; None: the id in the state file, else a new id of 24 hex digits.
        user_pool_id: the user pool's id; None: as for *app_id*.
        state_file: the whole state (users, ids, tokens, codes) is loaded from this file if it exists, and `stop` writes it. Only
            its owner can read the file. If the file exists, only `reset` uses the seeds.
        face: which faces match, see `Settings.face`; a value other than ``same-picture`` overrides *settings*.
        host: the address to listen on.
        allow_remote: must be True if *host* is not loopback, because the emulator shows its codes to everybody.
        allowed_hosts: names besides localhost and *host* that a request's Host header, and the Origin of a web page, may have.
        tls: serve HTTPS with a new certificate authority; see `ca_path` and `client_ssl_context`.
        tls_folder: keep the authority in this folder, so that it must be trusted only once; None: a new authority at each start.
        certificate: serve HTTPS with this certificate file (PEM).
        private_key: the file of the certificate's key, if it is another file.

    Attributes:
        app_id: the application's id.
        user_pool_id: the id of its user pool.
        public_key: base64 of the RSA key that passwords are encrypted with.
        clock: call it to read the time; `advance`, `set` and `reset` move the time.
        faults: `add`, `remove` and `clear` fault rules.

    Raises:
        ValueError: *host* is not loopback and *allow_remote* is not given, or the port, an id, the seeds or the state file are invalid.
        TypeError: an argument is of the wrong type.
        OSError: a file cannot be read, or the folder of *state_file* does not exist.
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
        app_id: str | None = None,
        user_pool_id: str | None = None,
        state_file: str | PathLike[str] | None = None,
        face: Literal["same-picture", "any", "none"] = "same-picture",
        host: str = "127.0.0.1",
        allow_remote: bool = False,
        allowed_hosts: Collection[str] = (),
        tls: bool = False,
        tls_folder: str | PathLike[str] | None = None,
        certificate: str | PathLike[str] | None = None,
        private_key: str | PathLike[str] | None = None,
    ) -> None:
        _check_listening(host, port, allowed_hosts, allow_remote=allow_remote, tls=tls)
        if not allow_remote and not is_loopback(host):
            raise ValueError(f"{host} is not a loopback address: to serve other machines, give allow_remote=True, too")
        self._seeds = (
            seeding.read(seed_file) if seed_file is not None else None if seeds is None else seeding.prepared(seeds)
        )
        kept = None if state_file is None else state_files.load(state_file)
        ids = Random(secrets.token_hex(16) if seed is None else f"{seed}/ids")  # noqa: S311 - test data, reproducible
        drawn = hex_id(ids), hex_id(ids)
        kept_ids = (None, None) if kept is None else (kept["app_id"], kept["user_pool_id"])
        chosen = checked_id(app_id, "app_id"), checked_id(user_pool_id, "user_pool_id")
        app_id, user_pool_id = (a or b or c for a, b, c in zip(chosen, kept_ids, drawn, strict=True))
        settings = seeding.settings_of(self._seeds or {}, settings)
        if face != "same-picture":
            settings = changed(settings, {"face": face})
        super().__init__("default", settings, clock, user_pool_id, app_id, _seed_of(seed, "default"))
        self._seed, self._source, self._host, self._state_file = seed, clock, host, state_file
        own = () if host in _EVERY_ADDRESS or "%" in host else (host,)
        self._names = frozenset(name.lower() for name in (*allowed_hosts, *own))
        self._namespaces: dict[str, Namespace] = {}
        self._namespaces_lock = threading.Lock()
        self._certificate = None
        if tls or any(part is not None for part in (certificate, private_key, tls_folder)):
            from authing_mfa.emulator.http.tls import certificate_for

            names = (*sorted(self._names), *(own_addresses() if host in _EVERY_ADDRESS else ()))
            self._certificate = certificate_for(certificate, private_key, tls_folder, names)
        self._dispatcher = Dispatcher(self, hosts=self._names, remote=allow_remote, tls=self._certificate is not None)
        self._server = ServerThread(
            self._dispatcher.handle,
            host,
            port,
            None if self._certificate is None else self._certificate.server_context(),
        )
        if kept is not None:
            self._take_over(kept)
        elif self._seeds is not None:
            with seeding.place(str(seed_file)) if seed_file is not None else nullcontext():
                self.seed_from(self._seeds)

    def _take_over(self, kept: Mapping[str, Any]) -> None:
        """Load the state of the state file. Seeds are kept for `reset`."""
        self.baseline: Mapping[str, Any] | None = self._seeds
        with seeding.place(f"the state file {self._state_file}"):
            self.restore(kept)
            for name, snapshot in kept.get("namespaces", {}).items():
                self.namespace(name).restore(snapshot)
        for namespace in (self, *self._namespaces.values()):
            namespace.state.user_pool_id = self._first_pool_id

    # ─────────────────────────────── where it is ───────────────────────────────

    @property
    def url(self) -> str:
        """The `base_url` of a client, e.g. ``http://127.0.0.1:PORT``."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "localhost", "") else self._host  # noqa: S104 - compared only
        host = "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
        return f"{self._scheme}://{host}:{self._server.port}"

    @property
    def _scheme(self) -> str:
        return "http" if self._certificate is None else "https"

    @property
    def ca_path(self) -> str | None:
        """The file with the certificate that clients of a TLS emulator must trust; None without TLS."""
        return None if self._certificate is None else self._certificate.ca_file()

    def client_ssl_context(self) -> ssl.SSLContext | None:
        """Return the `ssl_context` that an `AuthClient` needs for this emulator; None without TLS."""
        return None if self._certificate is None else self._certificate.client_context()

    @property
    def lan_urls(self) -> list[str]:
        """Addresses at which other machines may reach the emulator; empty if it listens on one address only."""
        if self._host not in _EVERY_ADDRESS:
            return []
        return [f"{self._scheme}://{address}:{self._server.port}" for address in own_addresses()]

    def namespace(self, name: str) -> Namespace:
        """Return the namespace *name*; the first call makes it. It shares only the application's id with other namespaces.

        Its address is `namespace_url(name)`; use it as the `base_url` of a client.

        Args:
            name: letters, digits, ``.``, ``_`` and ``-``, 64 at most.

        Raises:
            ValueError: the name has other characters, or there are too many namespaces.
        """
        namespace = self.reached(name)
        namespace.in_use = True
        return namespace

    def reached(self, name: str) -> Namespace:
        """Return the namespace *name* for a request, which may only look at it: then the namespace can be forgotten again.

        Args:
            name: as for `namespace`.

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
                    self._forget_unused()
                seed = _seed_of(self._seed, name)
                namespace = Namespace(name, self._first_settings, self._source, self._first_pool_id, self.app_id, seed)
                namespace.on_message = self.on_message
                if self._seeds is not None:
                    namespace.seed_from(self._seeds)
                self._namespaces[name] = namespace
            return namespace

    def _forget_unused(self) -> None:
        """Make room: forget a namespace that was only read (any web page can do that); it would be made again in the same state."""
        for name in [name for name, namespace in self._namespaces.items() if namespace.unused]:
            del self._namespaces[name]
        if len(self._namespaces) >= _NAMESPACES:
            raise ValueError(f"there are {_NAMESPACES} namespaces already")

    def namespace_url(self, name: str) -> str:
        """Return the address of a namespace, a client's `base_url`.

        Args:
            name: the namespace's name.
        """
        return self.url if name == self.name else f"{self.url}/ns/{name}"

    # ─────────────────────────────── from start to stop ───────────────────────────────

    def start(self) -> Self:
        """Start to serve; ``with`` calls this.

        Raises:
            OSError: the port is in use; the error names it.
        """
        self._server.start()
        return self

    def stop(self) -> None:
        """Close every connection, write the state file, and stop; leaving ``with`` calls this. Calling it again has no effect.

        Raises:
            OSError: the state file cannot be written.
        """
        if not self._server.stop():
            return
        if self._certificate is not None:
            self._certificate.remove_file()
        if self._state_file is not None:
            state_files.save(self._state_file, self, self._namespaces)

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
