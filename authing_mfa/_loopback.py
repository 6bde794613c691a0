"""The one test for "this machine". The checks of the emulator and the command line use it."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

__all__ = ["is_loopback", "is_loopback_url"]


@lru_cache(maxsize=256)  # the emulator asks at every request, nearly always about the same host
def is_loopback(host: str) -> bool:
    """Return True if *host* (a name or an address without port and brackets) means this machine.

    True for ``localhost``, the names below it (RFC 6761) and the loopback addresses. No name is resolved.
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_loopback_url(url: str) -> bool:
    """Return True if *url* (``http://host:port`` or ``//host``) is on this machine; False also if *url* is invalid."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:  # half of an IPv6 address
        return False
