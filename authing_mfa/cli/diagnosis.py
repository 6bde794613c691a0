"""What `doctor` looks at, with the standard library alone: it must work where the client does not."""

from __future__ import annotations

import json
import platform
import socket
import ssl
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn
from urllib.parse import quote, urlsplit

import attrs

from authing_mfa._version import __version__
from authing_mfa.cli import exits
from authing_mfa.cli.tokens import expiry_of
from authing_mfa.discovery import api_base, check_base_url, check_host, config_base
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

    from authing_mfa.cli.run import Run

__all__ = ["Diagnosis", "Finding"]

_SECONDS: Final = 10.0
_SKEW_WARN: Final = 5.0
_CERTIFICATE_DAYS: Final = 14


@attrs.frozen
class Finding:
    """One check.

    Attributes:
        check: what was looked at.
        status: ``ok``, ``warn``, ``fail``, or ``skip``.
        detail: what was found.
        fix: what to do about it, empty where there is nothing to do.
        exit: the exit code that a failure stands for.
    """

    check: str
    status: Literal["ok", "warn", "fail", "skip"]
    detail: str
    fix: str = ""
    exit: int = 0


class _Stop(Exception):  # noqa: N818 - it ends the diagnosis, it is no error
    """The checks that follow make no sense any more."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.detail)
        self.finding = finding


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Diagnosis:
    """The checks in the order in which one needs the other."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._headers: Message | None = None
        self._asked = self._answered = 0.0
        self._config: dict[str, Any] = {}

    def findings(self) -> Iterator[Finding]:
        """Each check as it is done; the first that nothing can go on from ends them."""
        try:
            yield Finding(
                "version", "ok", f"authing-mfa {__version__}, Python {platform.python_version()}, {_libraries()}"
            )
            base = self._settings()
            yield Finding("settings", "ok", f"application {self._run.value('app_id')}, asking {base}")
            yield from self._reach(base)
            yield self._public_config(base)
            yield from self._api(base)
            yield self._clock()
            yield self._token()
        except _Stop as stop:
            yield stop.finding

    def _settings(self) -> str:
        """The address that is asked for public-config."""
        run = self._run
        try:
            if run.value("app_id") is None:
                _stop("settings", "there is no application id", run.say("no_app_id"), exits.USAGE)
            if run.value("base_url") is not None:
                return check_base_url(run.value("base_url"))
            host = check_host(run.value("host"))
        except AuthingError as error:
            _stop("settings", error.message, "See where it comes from: authing-mfa config list", exits.USAGE)
        return config_base(run.value("scheme"), host, on_premise=run.value("on_premise"))

    def _reach(self, base: str) -> Iterator[Finding]:
        """Name, connection, TLS."""
        parts = urlsplit(base)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        proxy = None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(parts.scheme)
        if proxy is not None and not self._loopback(host):
            yield Finding("name", "skip", f"a proxy of the environment is used for {host}: it looks up the name")
            return
        yield self._name(host, port)
        yield self._connection(host, port, tls=parts.scheme == "https")

    @staticmethod
    def _loopback(host: str) -> bool:
        return host in ("localhost", "127.0.0.1", "::1")

    @staticmethod
    def _name(host: str, port: int) -> Finding:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            fix = "Check the spelling of --host or --base-url, and this machine's network and DNS."
            _stop("name", f"{host} cannot be resolved: {error.strerror or error}", fix, exits.NETWORK)
        addresses = sorted({str(entry[4][0]) for entry in found})
        return Finding("name", "ok", f"{host} is {', '.join(addresses[:4])}")

    def _connection(self, host: str, port: int, *, tls: bool) -> Finding:
        started = time.perf_counter()
        try:
            with socket.create_connection((host, port), timeout=_SECONDS) as plain:
                took = f"{(time.perf_counter() - started) * 1000:.0f} ms"
                if not tls:
                    return Finding("connection", "ok", f"{host}:{port} answers in {took}; without TLS")
                with self._context().wrap_socket(plain, server_hostname=host) as secure:
                    return _certificate(secure, f"{host}:{port} answers in {took}")
        except ssl.SSLCertVerificationError as error:
            fix = "Trust a private authority with --ca-file FILE; behind an inspecting proxy, its certificate."
            _stop("TLS", f"the certificate of {host} is not trusted: {error.verify_message}", fix, exits.NETWORK)
        except ssl.SSLError as error:
            fix = "Check that the port speaks TLS, or give --scheme http."
            _stop("TLS", f"{host}:{port}: {error.reason or error}", fix, exits.NETWORK)
        except OSError as error:
            fix = "Check the address, and the firewall between; is the service (or the emulator) running?"
            _stop("connection", f"{host}:{port} cannot be reached: {error.strerror or error}", fix, exits.NETWORK)

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._run.value("ca_file"))
        except OSError as error:
            reason = error.strerror or error
            _stop("settings", f"ca_file cannot be read: {reason}", "Give a PEM file with --ca-file.", exits.USAGE)

    def _public_config(self, base: str) -> Finding:
        url = f"{base}/api/v2/applications/{quote(self._run.value('app_id'), safe='')}/public-config"
        handlers: list[Any] = [_NoRedirect(), urllib.request.HTTPSHandler(context=self._context())]
        if self._loopback(urlsplit(base).hostname or ""):
            handlers.append(urllib.request.ProxyHandler({}))
        asking = urllib.request.Request(url, headers={"User-Agent": f"authing-mfa-python/{__version__}"})  # noqa: S310 - http(s) only, checked
        self._asked = time.time()
        try:
            with urllib.request.build_opener(*handlers).open(asking, timeout=_SECONDS) as reply:
                body, status = reply.read(1 << 20), reply.status
                self._headers = reply.headers
        except urllib.error.HTTPError as error:
            with error:
                body, status = error.read(1 << 20), error.code
                self._headers = error.headers
        except OSError as error:
            reason = getattr(error, "reason", error)
            fix = "Check the network and the proxy settings of the environment."
            _stop("public-config", f"no answer: {reason}", fix, exits.NETWORK)
        self._answered = time.time()
        return self._read_config(body, status)

    def _read_config(self, body: bytes, status: int) -> Finding:
        try:
            answer = json.loads(body)
            code = int(answer.get("code") or answer.get("statusCode") or status)
        except (ValueError, AttributeError, TypeError):
            fix = "Something else than the service answers there: check --host, --base-url and the proxy."
            _stop("public-config", f"the answer (HTTP {status}) is not the service's", fix, exits.SERVICE)
        data = answer.get("data") if isinstance(answer.get("data"), dict) else answer
        if code not in (200, 201) or status not in (200, 201):
            fix = "Check --app-id: it stands in the service's console, at the application."
            _stop("public-config", f"refused ({code}): {answer.get('message')}", fix, exits.SERVICE)
        self._config = data
        return Finding("public-config", "ok", f"application {data.get('name')!r}, user pool {data.get('userPoolId')}")

    def _api(self, base: str) -> Iterator[Finding]:
        """Where the other calls go, where that is another host."""
        run = self._run
        if run.value("base_url") is not None:
            pool = run.value("user_pool_id")
            if pool is None or pool != self._config.get("userPoolId"):
                fix = f"Give --user-pool-id {self._config.get('userPoolId')}"
                yield Finding("user pool", "warn", f"the setting is {pool}, the application's is another", fix)
            return
        try:
            api = api_base(run.value("scheme"), check_host(run.value("host")), self._config)
        except AuthingError as error:
            _stop("address", error.message, "Ask the administrator of the service.", exits.SERVICE)
        yield Finding("address", "ok", f"calls go to {api}")
        if api != base:
            yield from self._reach(api)

    def _clock(self) -> Finding:
        try:
            served = parsedate_to_datetime(str(self._headers and self._headers["Date"])).timestamp()
        except (KeyError, TypeError, ValueError):
            return Finding("clock", "skip", "the service does not tell its time")
        # the header has whole seconds: half a second is the best guess of what it left out
        skew = (self._asked + self._answered) / 2 - (served + 0.5)
        if abs(skew) < _SKEW_WARN:
            return Finding("clock", "ok", "this machine's clock and the service's agree")
        way = "ahead of" if skew > 0 else "behind"
        fix = "Set this machine's clock (NTP): TOTP codes computed here are wrong otherwise."
        return Finding("clock", "warn", f"this machine is {abs(skew):.0f} s {way} the service", fix)

    def _token(self) -> Finding:
        login = self._run.login()
        if login is None:
            return Finding("token", "warn", "there is none", "Log in: authing-mfa login, or authing-mfa mfa")
        where = "AUTHING_TOKEN" if login.kind == "environment" else f"kept for {login.account or '?'}"
        expires = expiry_of(login.token)
        if expires is not None and expires < time.time():
            return Finding("token", "warn", f"{where}: expired", "Log in again: authing-mfa login")
        left = "" if expires is None else f", good for {_duration(expires - time.time())} more"
        if login.kind == "mfa":
            return Finding("token", "warn", f"{where}: an mfaToken{left}", "Pass the second factor: authing-mfa verify")
        return Finding("token", "ok", f"{where}{left}")


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _certificate(secure: ssl.SSLSocket, reached: str) -> Finding:
    told = secure.getpeercert() or {}
    ends = ssl.cert_time_to_seconds(str(told.get("notAfter", "Jan  1 00:00:00 2100 GMT")))
    days = (ends - time.time()) / 86400
    detail = f"{reached}; {secure.version()}, certificate good for {days:.0f} days"
    if days < _CERTIFICATE_DAYS:
        return Finding("TLS", "warn", detail, "The service's administrator should renew the certificate.")
    return Finding("TLS", "ok", detail)


def _libraries() -> str:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in ("aiohttp", "attrs", "cattrs", "Pillow", "cryptography"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            fix = f"pip install {name}"
            _stop("version", f"{name} is not installed", fix, exits.USAGE)
    return ", ".join(found)


def _stop(check: str, detail: str, fix: str, code: int) -> NoReturn:
    raise _Stop(Finding(check, "fail", detail, fix, code))
