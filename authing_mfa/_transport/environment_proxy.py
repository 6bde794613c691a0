"""Find the proxy that the environment names: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

The rules are those of `urllib.request`, and networks in `NO_PROXY` (``10.0.0.0/8``), as curl and requests have them.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.request
from typing import TYPE_CHECKING

from authing_mfa.errors import UsageError

if TYPE_CHECKING:
    from yarl import URL

__all__ = ["environment_proxy"]


def environment_proxy(url: URL) -> str | None:
    """Return the address of the proxy for *url*, or None if there is none.

    Raises:
        UsageError: the environment names a proxy of a kind that is not supported, or its address is not valid. Nothing was sent.
    """
    proxies = urllib.request.getproxies()
    host = url.raw_host or ""
    bracketed = f"[{host}]" if ":" in host else host
    if urllib.request.proxy_bypass(bracketed) or urllib.request.proxy_bypass(f"{bracketed}:{url.port}"):
        return None
    if _in_networks(host, proxies.get("no", "")):
        return None
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy:
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    scheme = proxy.partition("://")[0].lower()
    if scheme not in {"http", "https"}:
        raise UsageError(
            f"The environment names a proxy of the kind {scheme}://, which is not supported: name an http:// proxy, "
            "or list the service's host in NO_PROXY."
        )
    user, at, _ = proxy.partition("://")[2].rpartition("@")
    if at and re.search(r"[/?#\\[\]]", user):  # the name would be the host, and get the service's address
        raise UsageError(
            "The environment names a proxy whose name or password holds / ? # \\ [ or ]: "
            "write it percent-encoded, # as %23, / as %2F, ? as %3F."
        )
    return proxy


def _in_networks(host: str, no_proxy: str) -> bool:
    """Return True if *host* is an address of one of the networks that *no_proxy* lists."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for entry in no_proxy.replace(",", " ").split():
        try:
            if address in ipaddress.ip_network(entry.strip("[]"), strict=False):
                return True
        except (ValueError, TypeError):
            continue
    return False
