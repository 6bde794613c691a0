"""The inbox page's files, served from the package."""

from __future__ import annotations

from importlib.resources import files

from aiohttp import web

from authing_mfa.emulator.http.answers import MARK

__all__ = ["page_file"]

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_file(name: str) -> web.Response:
    """Return the file *name* of the page, or 404. The page is never cached, and may load files from the emulator only."""
    headers = {
        **MARK,
        "Cache-Control": "no-store",
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    ending = name[name.rfind(".") :]
    source = files("authing_mfa.emulator") / "page" / name
    if "/" in name or "\\" in name or name.startswith(".") or ending not in _TYPES or not source.is_file():
        return web.Response(status=404, text="There is no such page.", headers=headers)
    charset = "utf-8" if ending in (".html", ".css", ".js", ".svg") else None
    return web.Response(body=source.read_bytes(), content_type=_TYPES[ending], charset=charset, headers=headers)
