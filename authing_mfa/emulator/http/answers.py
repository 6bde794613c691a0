"""The parts that all answers of the emulator share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from authing_mfa._version import __version__
from authing_mfa.emulator.state.json_text import dump

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MARK", "envelope", "json_answer", "scheme_of"]

MARK = {"x-authing-emulator": __version__}
"""A header of every answer, so that nobody mistakes an emulator for the service."""


def json_answer(value: Any, status: int = 200) -> web.Response:
    """Return *value* as an answer of the admin API, which is not cached."""
    headers = {**MARK, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=dump(value), status=status, content_type="application/json", headers=headers)


def envelope(status: int, message: str, cors: Mapping[str, str]) -> web.Response:
    """Return a refusal in the service's envelope, for errors before or outside the rules."""
    body = dump({"code": status, "statusCode": status, "message": message})
    return web.Response(body=body, status=status, headers={**MARK, **cors}, content_type="application/json")


def scheme_of(request: web.BaseRequest) -> str:
    """Return ``http`` or ``https``, as the client sees it: a proxy that ends or begins TLS says it in X-Forwarded-Proto."""
    forwarded = request.headers.get("X-Forwarded-Proto")
    return forwarded if forwarded in ("http", "https") else request.scheme
