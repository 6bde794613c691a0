"""Read a request's body: up to 32 MiB, within two minutes, without an error in the log when the client disconnects."""

from __future__ import annotations

import asyncio

from aiohttp import web

__all__ = ["BODY_LIMIT", "BodyError", "read_body"]

BODY_LIMIT = 32 * 2**20
_SECONDS = 120.0


class BodyError(Exception):
    """The body cannot be read; *status* is the HTTP status of the answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def read_body(request: web.BaseRequest) -> bytes:
    """Return the body of *request*.

    Raises:
        BodyError: the body is larger than 32 MiB, too late, or incomplete.
    """
    if (request.content_length or 0) > BODY_LIMIT:
        raise BodyError(413, _TOO_LARGE)
    if not request.body_exists:
        return b""
    try:
        async with asyncio.timeout(_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise BodyError(413, _TOO_LARGE) from None
    except TimeoutError:
        raise BodyError(408, f"the body did not come within {_SECONDS:.0f} seconds") from None
    except (web.RequestPayloadError, ConnectionError):  # the client has disconnected, or its chunks are malformed
        raise BodyError(400, "the body broke off") from None


_TOO_LARGE = f"the body is larger than {BODY_LIMIT // 2**20} MiB"
