"""Check who may call the emulator: the Host must be right, and no web page of another site may call.

Any web page can make a browser send requests to 127.0.0.1, and by DNS rebinding even read the answers. So the Host header must
name this machine. A request with an Origin comes from a web page: a page of another site is always refused; a page of this machine
(``http://localhost:3000``) may call the service's own API; only the emulator's own page may change something through the admin API.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from authing_mfa._loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["cors_headers", "host_allowed", "other_page", "page_allowed"]


def host_allowed(host: str, *, names: Collection[str], remote: bool) -> bool:
    """Return True if the Host header *host* names a loopback address, ``*.localhost``, one of *names*, or, with *remote*, any address in digits."""
    name = _hostname(f"//{host}")
    if name is None:
        return False
    return name in names or is_loopback(name) or (remote and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _hostname(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for an invalid port
        return (parts.hostname or "").lower() or None
    except ValueError:
        return None


def other_page(headers: Mapping[str, str], own_origin: str) -> bool:
    """Return True if a browser sent this from a page that is not the emulator's own."""
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return True
    origin = headers.get("Origin")
    return origin is not None and origin != own_origin


def page_allowed(headers: Mapping[str, str], *, names: Collection[str]) -> bool:
    """Return True if no page of another site sent this: there is no Origin, or the Origin is this machine or one of *names*.

    The Host header has been checked; a page of the same host at another port belongs to this machine.
    """
    origin = headers.get("Origin")
    if origin is None:
        return True
    name = _hostname(origin)
    return name is not None and (
        name in names or is_loopback(name) or name == _hostname(f"//{headers.get('Host', '')}")
    )


def cors_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that let a page read the answer, after `page_allowed` has allowed the page."""
    return {
        "Access-Control-Allow-Origin": _plain(headers.get("Origin", "")),
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": _plain(headers.get("Access-Control-Request-Headers", "*")),
        "Access-Control-Allow-Private-Network": "true",
        "Access-Control-Expose-Headers": "x-authing-emulator, Retry-After",
        "Vary": "Origin",
    }


def _plain(value: str) -> str:
    """Return *value* in a form that a header of an answer may hold."""
    return "".join(letter for letter in value if " " <= letter <= "~")
