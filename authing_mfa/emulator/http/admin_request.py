"""An admin request: its parts, its answers, its errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
from aiohttp import web

from authing_mfa.emulator.http.request import MARK
from authing_mfa.emulator.namespace import Namespace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["AdminRequest", "BadRequestError", "Handlers", "json_answer"]


class BadRequestError(Exception):
    """The request cannot be carried out; the text says why."""


@attrs.frozen
class AdminRequest:
    """An admin request and what it is about. *rest* is the path after the first word; *url* the namespace's own address."""

    http: web.BaseRequest
    namespace: Namespace
    rest: str
    url: str
    tls: bool

    def text(self, name: str) -> str | None:
        """A parameter of the query; None where it is absent or empty."""
        return self.http.query.get(name) or None

    def number(self, name: str, default: float) -> float:
        """A number in the query.

        Raises:
            BadRequestError: it is not a number, or negative.
        """
        value = self.http.query.get(name)
        try:
            number = default if value is None else float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number < 1e12:
            raise BadRequestError(f"{name} must be a number that is not negative")
        return number

    async def body(self) -> dict[str, Any]:
        """The request's JSON object; an empty body is an empty one.

        Raises:
            BadRequestError: it is not one.
        """
        try:
            body = json.loads(await self.http.read() or b"{}")
        except (ValueError, RecursionError):
            raise BadRequestError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise BadRequestError("the body is not a JSON object")
        return body


Handlers = dict[tuple[str, str], "Callable[[AdminRequest], Awaitable[web.StreamResponse]]"]
"""By HTTP method and the first word of the path."""


def json_answer(value: Any, status: int = 200) -> web.Response:
    """*value* as an answer that is not cached."""
    headers = {**MARK, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    body = json.dumps(value, ensure_ascii=False).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
