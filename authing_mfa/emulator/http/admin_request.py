"""An admin request: its parts, its answers, its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from aiohttp import web

from authing_mfa._json import LARGE_FILE, parse_json
from authing_mfa.emulator.http.body import BodyError, read_body
from authing_mfa.emulator.namespace import Namespace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


__all__ = ["AdminRequest", "BadRequestError", "Handlers"]


class BadRequestError(Exception):
    """The request cannot be done; the text says why, *status* is the HTTP status of the answer."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


@attrs.frozen
class AdminRequest:
    """An admin request. *rest* is the path after the first word; *url* is the namespace's address."""

    http: web.BaseRequest
    namespace: Namespace
    rest: str
    url: str
    tls: bool

    def text(self, name: str) -> str | None:
        """Return a parameter of the query; None if it is missing or empty."""
        return self.http.query.get(name) or None

    def number(self, name: str, default: float) -> float:
        """Return a number in the query.

        Raises:
            BadRequestError: the parameter is not a number, or negative.
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
        """Return the request's JSON object; an empty body is an empty object.

        Raises:
            BadRequestError: the body is not an object.
        """
        try:
            body = parse_json(await read_body(self.http) or b"{}", most=LARGE_FILE)
        except BodyError as error:
            raise BadRequestError(str(error), error.status) from None
        except ValueError as error:
            raise BadRequestError(f"the body cannot be read: {error}") from None
        if not isinstance(body, dict):
            raise BadRequestError("the body is not a JSON object")
        return body


Handlers = dict[tuple[str, str], "Callable[[AdminRequest], Awaitable[web.StreamResponse]]"]
"""By HTTP method and the first word of the path."""
