"""Who may speak to the emulator: the right Host, and no web page of another site.

A page anywhere on the web can make a browser send requests to 127.0.0.1, and by DNS rebinding even read the answers. So the
Host header must name this machine, and a browser's request that changes something must come from the emulator's own page.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from authing_mfa._loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["cors_headers", "foreign_page", "host_allowed"]


def host_allowed(host: str, *, names: Collection[str], remote: bool) -> bool:
    """Whether a Host header may be: loopback, ``*.localhost``, one of *names*, and with *remote* any address in digits."""
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
        _ = parts.port  # raises for a port that is none
        return (parts.hostname or "").lower() or None
    except ValueError:
        return None


def foreign_page(headers: Mapping[str, str], own_origin: str) -> bool:
    """Whether a browser sent this from a page that is not the emulator's own."""
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return True
    origin = headers.get("Origin")
    return origin is not None and origin != own_origin


def cors_headers(headers: Mapping[str, str], *, names: Collection[str]) -> dict[str, str]:
    """What lets a web application on this machine (``http://localhost:3000``) call the service's own API from a browser."""
    origin = headers.get("Origin")
    name = None if origin is None else _hostname(origin)
    if (
        origin is None
        or name is None
        or not host_allowed(f"[{name}]" if ":" in name else name, names=names, remote=False)
    ):
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": headers.get("Access-Control-Request-Headers", "*"),
        "Access-Control-Expose-Headers": "x-authing-emulator, Retry-After",
        "Vary": "Origin",
    }
