"""The clients that calls use: one client for each set of settings, closed when the settings have changed and its last call has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.client import AuthClient
    from authing_mfa.compat.settings import Settings

__all__ = ["Clients", "SharedClient"]


class SharedClient:
    """A client, the number of calls that use it, and its last user view."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client: AuthClient = settings.client()
        self.calls = 0
        self._view = self.client.as_user(None)
        self._token: str | None = None

    def view(self, token: str | None) -> AuthClient:
        """Return the client's view for *token*."""
        if token != self._token:
            self._view = self.client.as_user(token)
            self._token = token
        return self._view


class Clients:
    """The clients of one runner. Used only on the runner's loop thread.

    Args:
        close: called with a client that is no longer used; it must close the client, later.
    """

    def __init__(self, close: Callable[[AuthClient], None]) -> None:
        self._close = close
        self._newest: SharedClient | None = None
        self._all: set[SharedClient] = set()

    def take(self, settings: Settings) -> SharedClient:
        """Return the client for *settings*, and count one more call on it.

        Raises:
            InvalidInputError: a setting cannot be right.
        """
        shared = self._newest
        if shared is None or shared.settings is not settings:
            before, shared = shared, SharedClient(settings)
            self._newest = shared
            self._all.add(shared)
            if before is not None:
                self._close_unused(before)
        shared.calls += 1
        return shared

    def give_back(self, shared: SharedClient) -> None:
        """Count one call less on *shared*."""
        shared.calls -= 1
        self._close_unused(shared)

    def _close_unused(self, shared: SharedClient) -> None:
        if shared is not self._newest and shared.calls == 0 and shared in self._all:
            self._all.discard(shared)
            self._close(shared.client)

    async def aclose(self, report: Callable[[BaseException, str], None]) -> None:
        """Close all clients. An error of one client is reported, and the others are closed nevertheless."""
        self._newest = None
        while self._all:
            try:
                await self._all.pop().client.aclose()
            except Exception as error:  # noqa: BLE001 - the other clients are closed in any case
                report(error, "Closing a client")
