"""Find out where an application's calls go: its public-config, requested once and shared by every user of the client.

The rules are the iOS client's (docs/wire.md#hosts), without its bugs 13-15: no token goes to the console
host, a failure is not stored, and a host that is an IP address or has a port is used unchanged.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from contextvars import Context
from typing import TYPE_CHECKING, Any

import attrs

from authing_mfa._value import Value
from authing_mfa.errors import AuthingError, ConfigError, InvalidInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = [
    "Discovery",
    "Endpoint",
    "Service",
    "api_base",
    "check_base_url",
    "check_host",
    "check_proxy",
    "config_base",
    "service_address",
]

_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
_IP = re.compile(r"[0-9A-Fa-f.:]+(%[A-Za-z0-9._~-]+)?")  # other signs in a zone are not possible in an address
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://((?P<user>[!\"$-.0->@-Z^-~]*)@)?(?P<host>[^\s/?#@]+)(?P<path>(/[!-\"$->@-~]*)?)"
)


@attrs.frozen(eq=False, repr=False, slots=False)
class Endpoint(Value):
    """The address of the calls, and the user pool they name."""

    base_url: str
    user_pool_id: str | None = None


@attrs.frozen
class Service:
    """What tells the users and codes of one client from those of another: the application, and where its calls go."""

    app_id: str
    address: str


def service_address(scheme: str, host: str, base_url: str | None) -> str:
    """Return the address of the calls in one form, whichever way it was written; before public-config is known, the service's domain."""
    parts = _read_address(base_url or f"{scheme}://{host}")
    assert parts is not None
    name, port = _split_port(parts["host"].lower())
    if _is_ip(name.strip("[]")):
        name = str(ipaddress.ip_address(name.strip("[]")))
    number = int(port or ("443" if parts["scheme"] == "https" else "80"))
    return f"{parts['scheme']} {name} {number} {parts['path'].rstrip('/')}"


def check_host(host: object) -> str:
    """Return *host* as part of an address: a name or an IP address (IPv6 gets its brackets), with or without a port.

    Raises:
        InvalidInputError: *host* is not a host, for instance it has a scheme or a path.
    """
    text = host.strip() if isinstance(host, str) else ""
    if _is_ip(text) and ":" in text:
        return f"[{text}]"
    name, port = _split_port(text)
    named = _is_ip(name[1:-1]) and ":" in name if name.endswith("]") else _NAME.fullmatch(name)
    if not named or not _is_port(port) or text.endswith(":"):
        raise InvalidInputError(
            'host must be a name or an address with an optional port, like "authing.cn", without https://.'
        )
    return text


def check_base_url(base_url: object) -> str:
    """Return *base_url* without its last slash.

    Raises:
        InvalidInputError: *base_url* is not an http or https address.
    """
    parts = _read_address(base_url)
    if parts is None or parts["user"] is not None:
        raise InvalidInputError(
            'base_url must be an address like "https://your-app.authing.cn", without query or password.'
        )
    return f"{parts['scheme']}://{check_host(parts['host'])}{parts['path'].rstrip('/')}"


def check_proxy(proxy: object) -> str | None:
    """Return *proxy*, the address of an HTTP proxy, which may hold a name and a password; None: no proxy.

    Raises:
        InvalidInputError: *proxy* is not an address. The error does not show it: it may hold a password.
    """
    if proxy is None:
        return None
    parts = _read_address(proxy)
    if parts is None or "@" in parts["path"]:  # a slash in the password would make the name the host
        raise InvalidInputError(
            'proxy must be an address like "http://proxy.example:3128"; in a name or password # is %23, / is %2F, ? is %3F.'
        )
    return parts[0]


def _read_address(text: object) -> re.Match[str] | None:
    parts = _ADDRESS.fullmatch(text.strip()) if isinstance(text, str) and text.isascii() else None
    try:
        if parts is not None:
            check_host(parts["host"])
    except InvalidInputError:
        return None
    return parts


def _split_port(host: str) -> tuple[str, str]:
    if host.startswith("[") and "]" in host:
        name, _, rest = host.partition("]")
        return name + "]", rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


def _is_port(text: str) -> bool:
    return not text or (re.fullmatch("[0-9]{1,5}", text) is not None and 0 < int(text) < 65536)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return _IP.fullmatch(text) is not None


def _is_literal(host: str) -> bool:
    """Return True if *host* is used unchanged: it is an IP address or has a port."""
    name, port = _split_port(host)
    return bool(port) or _is_ip(name.strip("[]"))


def config_base(scheme: str, host: str, *, on_premise: bool) -> str:
    """Return the address of public-config: `console.{host}` in the cloud, else the host itself."""
    return f"{scheme}://{host}" if on_premise or _is_literal(host) else f"{scheme}://console.{host}"


def api_base(scheme: str, host: str, config: dict[str, Any]) -> str:
    """Return the address of all other calls: a literal host unchanged, else `requestHostname`, else `{identifier or core}.{host}`.

    Raises:
        ConfigError: public-config names an invalid host.
    """
    if _is_literal(host):
        return f"{scheme}://{host}"
    named = config.get("requestHostname") or f"{config.get('identifier') or 'core'}.{host}"
    try:
        return f"{scheme}://{check_host(named)}"
    except InvalidInputError as error:
        raise ConfigError("The application's public-config names an invalid host.") from error


class Discovery:
    """Requests public-config when the first call needs it; all callers wait for the same answer."""

    def __init__(
        self,
        *,
        scheme: str,
        host: str,
        on_premise: bool,
        user_pool_id: str | None,
        base_url: str | None,
    ) -> None:
        self._scheme = scheme
        self._host = host
        self._user_pool_id = user_pool_id
        self._pending: asyncio.Task[Endpoint] | None = None
        self.config_base: str = config_base(scheme, host, on_premise=on_premise)
        """The address that public-config is requested from."""
        self.endpoint = Endpoint(base_url, user_pool_id) if base_url is not None else None
        """The endpoint of the calls, once it is known."""

    async def resolve(self, ask: Callable[[str], Awaitable[dict[str, Any]]]) -> Endpoint:
        """Return the endpoint. Only the first caller runs *ask*; a failure is not stored, so the next caller tries again.

        *ask* is not stored: it references this object, and a reference cycle would be collected in arbitrary order.

        Raises:
            ConfigError: public-config cannot be fetched.
        """
        if self.endpoint is not None:
            return self.endpoint
        if self._pending is None:
            # An empty context: the context of the first caller must not leak into the task that all callers share.
            # Not as `context=`: a task factory of the program may not take it.
            self._pending = Context().run(asyncio.get_running_loop().create_task, self._fetch(ask))
            self._pending.add_done_callback(self._fetched)
        asking = self._pending
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if asking.cancelled() and task is not None and not task.cancelling():
                raise UsageError("This AuthClient was closed before its first call.") from None
            raise
        except AuthingError as error:
            # A new error for each caller: one object raised in many tasks would collect all their tracebacks.
            raise ConfigError(f"The application's public-config cannot be fetched: {error.message}") from error

    async def _fetch(self, ask: Callable[[str], Awaitable[dict[str, Any]]]) -> Endpoint:
        config = await ask(self.config_base)
        pool = config.get("userPoolId")
        named = pool if isinstance(pool, str) and pool.isascii() and pool.isprintable() and pool.strip() else None
        return Endpoint(api_base(self._scheme, self._host, config), self._user_pool_id or named)

    def _fetched(self, task: asyncio.Task[Endpoint]) -> None:
        self._pending = None
        if not task.cancelled() and task.exception() is None:
            self.endpoint = task.result()

    async def aclose(self) -> None:
        """Stop a request that is running."""
        if self._pending is not None:
            self._pending.cancel()
            await asyncio.wait([self._pending])
