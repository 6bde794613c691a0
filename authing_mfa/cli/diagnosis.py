"""The checks of `doctor`, with the standard library alone: they must work where the client does not."""

from __future__ import annotations

import platform
import socket
import ssl
import time
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn
from urllib.parse import quote, urlsplit

import attrs

from authing_mfa._json import parse_json
from authing_mfa._jwt import time_claim
from authing_mfa._language import in_language
from authing_mfa._loopback import is_loopback_url
from authing_mfa._version import __version__
from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.diagnosis_texts import DIAGNOSIS_TEXTS
from authing_mfa.discovery import api_base, check_base_url, check_host, config_base
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

    from authing_mfa.cli.context import CliContext

__all__ = ["Diagnosis", "Finding"]

_SECONDS: Final = 10.0
_SKEW_WARN: Final = 5.0
_CERTIFICATE_DAYS: Final = 14


@attrs.frozen
class Finding:
    """One check.

    Attributes:
        check: what was checked.
        status: ``ok``, ``warn``, ``fail``, or ``skip``.
        detail: what was found.
        fix: how to fix it, empty if there is nothing to fix.
        exit: the exit code of a failure.
    """

    check: str
    status: Literal["ok", "warn", "fail", "skip"]
    detail: str
    fix: str = ""
    exit: int = 0


class _Stop(Exception):  # noqa: N818 - it ends the diagnosis, it is not an error
    """Raised when the next checks cannot be done."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.detail)
        self.finding = finding


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Diagnosis:
    """The checks, ordered so that each needs only earlier ones."""

    def __init__(self, context: CliContext) -> None:
        self._context = context
        self._headers: Message | None = None
        self._asked = self._answered = 0.0
        self._config: dict[str, Any] = {}

    def findings(self) -> Iterator[Finding]:
        """Yield each check when it is done. A check that all later checks need ends them if it fails."""
        try:
            libraries = ", ".join(self._libraries())
            yield Finding(
                "version", "ok", f"authing-mfa {__version__}, Python {platform.python_version()}, {libraries}"
            )
            base = self._settings()
            yield Finding("settings", "ok", self._say("asking", app_id=self._context.value("app_id"), base=base))
            yield from self._reach(base)
            yield self._public_config(base)
            yield from self._api(base)
            yield from self._public_key()
            yield self._clock()
            yield self._token()
        except _Stop as stop:
            yield stop.finding

    def _say(self, key: str, /, **fields: object) -> str:
        return in_language(self._context.lang, DIAGNOSIS_TEXTS[key]).format(**fields)

    def _stop(self, check: str, detail: str, fix: str, code: int) -> NoReturn:
        raise _Stop(Finding(check, "fail", detail, fix, code))

    def _libraries(self) -> Iterator[str]:
        from importlib.metadata import PackageNotFoundError, version

        for name in ("aiohttp", "attrs", "cattrs", "Pillow", "cryptography"):
            try:
                yield f"{name} {version(name)}"
            except PackageNotFoundError:
                missing, fix = self._say("library_missing", name=name), self._say("install", name=name)
                self._stop("version", missing, fix, exits.USAGE)

    def _settings(self) -> str:
        """Return the address of public-config."""
        context = self._context
        try:
            if context.value("app_id") is None:
                self._stop("settings", self._say("app_missing"), context.say("no_app_id"), exits.USAGE)
            if context.value("base_url") is not None:
                return check_base_url(context.value("base_url"))
            host = check_host(context.value("host"))
        except AuthingError as error:
            self._stop("settings", error.message, self._say("see_list"), exits.USAGE)
        return config_base(context.value("scheme"), host, on_premise=context.value("on_premise"))

    # ─────────────────────────────── the way there ───────────────────────────────

    def _reach(self, base: str) -> Iterator[Finding]:
        """Check name, connection and TLS."""
        parts = urlsplit(base)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        proxy = None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(parts.scheme)
        if proxy is not None and not is_loopback_url(base):
            yield Finding("name", "skip", self._say("proxied", host=host))
            return
        yield self._name(host, port)
        yield self._connection(host, port, tls=parts.scheme == "https")

    def _name(self, host: str, port: int) -> Finding:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # UnicodeError: a part of the name is too long
            detail = self._say("unresolved", host=host, reason=getattr(error, "strerror", None) or error)
            self._stop("name", detail, self._say("fix_name"), exits.NETWORK)
        addresses = sorted({str(entry[4][0]) for entry in found})
        return Finding("name", "ok", self._say("resolved", host=host, addresses=", ".join(addresses[:4])))

    def _connection(self, host: str, port: int, *, tls: bool) -> Finding:
        where, started = f"{host}:{port}", time.perf_counter()
        try:
            with socket.create_connection((host, port), timeout=_SECONDS) as plain:
                ms = f"{(time.perf_counter() - started) * 1000:.0f}"
                if not tls:
                    return Finding("connection", "ok", self._say("plain", where=where, ms=ms))
                with self._ssl_context().wrap_socket(plain, server_hostname=host) as secure:
                    return self._certificate(secure, where, ms)
        except ssl.SSLCertVerificationError as error:
            detail = self._say("untrusted", host=host, reason=error.verify_message)
            self._stop("TLS", detail, self._say("fix_trust"), exits.NETWORK)
        except ssl.SSLError as error:
            detail = self._say("no_tls", where=where, reason=error.reason or error)
            self._stop("TLS", detail, self._say("fix_tls"), exits.NETWORK)
        except OSError as error:
            detail = self._say("unreachable", where=where, reason=error.strerror or error)
            self._stop("connection", detail, self._say("fix_reach"), exits.NETWORK)

    def _certificate(self, secure: ssl.SSLSocket, where: str, ms: str) -> Finding:
        told = secure.getpeercert() or {}
        ends = ssl.cert_time_to_seconds(str(told.get("notAfter", "Jan  1 00:00:00 2100 GMT")))
        days = (ends - time.time()) / 86400
        detail = self._say("secure", where=where, ms=ms, version=secure.version(), days=f"{days:.0f}")
        if days < _CERTIFICATE_DAYS:
            return Finding("TLS", "warn", detail, self._say("fix_renew"))
        return Finding("TLS", "ok", detail)

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._context.value("ca_file"))
        except (OSError, ValueError) as error:
            detail = self._say("ca_unreadable", reason=getattr(error, "strerror", None) or error)
            self._stop("settings", detail, self._say("fix_ca"), exits.USAGE)

    # ─────────────────────────────── what is there ───────────────────────────────

    def _public_config(self, base: str) -> Finding:
        url = f"{base}/api/v2/applications/{quote(self._context.value('app_id'), safe='')}/public-config"
        handlers: list[Any] = [_NoRedirect(), urllib.request.HTTPSHandler(context=self._ssl_context())]
        if is_loopback_url(base):
            handlers.append(urllib.request.ProxyHandler({}))
        asking = urllib.request.Request(url, headers={"User-Agent": f"authing-mfa-python/{__version__}"})  # noqa: S310 - http(s) only, checked
        self._asked = time.time()
        try:
            with urllib.request.build_opener(*handlers).open(asking, timeout=_SECONDS) as reply:
                body, status = reply.read(1 << 20), reply.status
                self._headers = reply.headers
        except urllib.error.HTTPError as error:
            body, status, self._headers = b"", error.code, error.headers
            with error, suppress(OSError, HTTPException):  # the body ends too early
                body = error.read(1 << 20)
        except (OSError, HTTPException, ValueError) as error:  # ValueError: the answer is not HTTP
            detail = self._say("no_answer", reason=getattr(error, "reason", error))
            self._stop("public-config", detail, self._say("fix_answer"), exits.NETWORK)
        self._answered = time.time()
        return self._read_config(body, status)

    def _read_config(self, body: bytes, status: int) -> Finding:
        try:
            answer = parse_json(body)
            code = int(answer.get("code") or answer.get("statusCode") or status)
        except (ValueError, AttributeError, TypeError):
            detail = self._say("foreign", status=status)
            self._stop("public-config", detail, self._say("fix_foreign"), exits.SERVICE)
        data = answer.get("data") if isinstance(answer.get("data"), dict) else answer
        if code not in (200, 201) or status not in (200, 201):
            detail = self._say("refused", code=code, message=answer.get("message"))
            self._stop("public-config", detail, self._say("fix_app_id"), exits.SERVICE)
        self._config = data
        detail = self._say("config_found", name=data.get("name"), pool=data.get("userPoolId"))
        return Finding("public-config", "ok", detail)

    def _api(self, base: str) -> Iterator[Finding]:
        """Check the host of the other calls, if it is another one."""
        context = self._context
        if context.value("base_url") is not None:
            pool, right = context.value("user_pool_id"), self._config.get("userPoolId")
            if pool != right:
                fix = self._say("fix_pool", pool=right)
                yield Finding("user pool", "warn", self._say("other_pool", pool=pool), fix)
            return
        try:
            api = api_base(context.value("scheme"), check_host(context.value("host")), self._config)
        except AuthingError:
            self._stop("address", self._say("bad_api"), self._say("fix_api"), exits.SERVICE)
        yield Finding("address", "ok", self._say("api", api=api))
        if api != base:
            yield from self._reach(api)

    def _public_key(self) -> Iterator[Finding]:
        """Check that passwords are encrypted for the key that the service publishes, if it publishes one."""
        from authing_mfa.passwords import CLOUD_PUBLIC_KEY

        served = self._config.get("publicKey")
        if not isinstance(served, str) or not served.strip():
            return
        given = self._context.value("public_key")
        if _bare_key(given or CLOUD_PUBLIC_KEY) == _bare_key(served):
            yield Finding("public key", "ok", self._say("key_ok"))
            return
        detail = self._say("other_key" if given else "cloud_key")
        yield Finding("public key", "warn", detail, self._say("fix_key", key=_bare_key(served)))

    # ─────────────────────────────── clock and token ───────────────────────────────

    def _clock(self) -> Finding:
        try:
            date = parsedate_to_datetime(str(self._headers and self._headers["Date"]))
            served = date.replace(tzinfo=date.tzinfo or UTC).timestamp()  # a date without a zone is UTC, too
        except (KeyError, TypeError, ValueError, OverflowError):
            return Finding("clock", "skip", self._say("no_time"))
        # the header has whole seconds: half a second is the best guess for the rest
        skew = (self._asked + self._answered) / 2 - (served + 0.5)
        if abs(skew) < _SKEW_WARN:
            return Finding("clock", "ok", self._say("clock_ok"))
        detail = self._say("clock_ahead" if skew > 0 else "clock_behind", seconds=f"{abs(skew):.0f}")
        return Finding("clock", "warn", detail, self._say("fix_clock"))

    def _token(self) -> Finding:
        login = self._context.login()
        if login is None:
            return Finding("token", "warn", self._say("no_token"), self._say("fix_no_token"))
        kept = login.kind != "environment"
        where = self._say("token_of", account=login.account or "?") if kept else "AUTHING_TOKEN"
        expires = time_claim(login.token, "exp")
        if expires is not None and expires < time.time():
            return Finding("token", "warn", self._say("token_expired", where=where), self._say("fix_expired"))
        if login.kind == "mfa":
            where = self._say("token_mfa", where=where)
        left = None if expires is None else _duration(expires - time.time())
        detail = where if left is None else self._say("token_good", where=where, left=left)
        if login.kind == "mfa":
            return Finding("token", "warn", detail, self._say("fix_mfa"))
        return Finding("token", "ok", detail)


def _bare_key(text: str) -> str:
    """Return a key's base64 text, without the first and last line of PEM."""
    return "".join("".join(line.split()) for line in text.splitlines() if not line.startswith("-----"))


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
