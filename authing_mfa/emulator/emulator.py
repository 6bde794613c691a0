"""`Emulator`: the default namespace together with the server that answers for it."""

from __future__ import annotations

import asyncio
import secrets
import time
from random import Random
from typing import TYPE_CHECKING

from authing_mfa.emulator import keys
from authing_mfa.emulator.server import ServerThread
from authing_mfa.emulator.service import Service
from authing_mfa.emulator.settings import Settings
from authing_mfa.emulator.state import hex_id
from authing_mfa.emulator.web import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

__all__ = ["Emulator"]


class Emulator(Service):
    """The service on 127.0.0.1, in this process: no cloud, no account. Use it with ``with`` or ``async with``.

    It runs in a daemon thread of its own, so it answers a blocked test and an event loop alike; every method may be called
    from any thread.

    Args:
        port: 0 takes a free one.
        seed: makes ids, codes, secrets and the rest of every token reproducible.
        clock: epoch seconds; `emu.clock.advance(61)` moves what the emulator makes of it.
        settings: lifetimes, windows, limits.

    Attributes:
        url: ``http://127.0.0.1:PORT``, the `base_url` of a client.
        app_id: the one application; 24 hex digits.
        user_pool_id: its user pool; 24 hex digits.
        public_key: base64 of the RSA key that passwords are encrypted with.
    """

    public_key = keys.PUBLIC_KEY

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
        settings: Settings | None = None,
    ) -> None:
        ids = Random(secrets.token_hex(16) if seed is None else f"{seed}/ids")  # noqa: S311 - test data, reproducible
        app_id, user_pool_id = hex_id(ids), hex_id(ids)
        super().__init__(
            "default", settings or Settings(), clock, user_pool_id, app_id, None if seed is None else f"{seed}/default"
        )
        self._server = ServerThread(self._handle, "127.0.0.1", port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        return await answer(request, self, request.path, "")

    def start(self) -> Emulator:
        """Start to serve; `with` does it."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Close every connection and stop; leaving `with` does it. Twice is fine."""
        self._server.stop()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    async def __aenter__(self) -> Emulator:
        await asyncio.to_thread(self._server.start)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.to_thread(self._server.stop)
