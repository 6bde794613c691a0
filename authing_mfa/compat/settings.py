"""The settings of `Authing.start` and the `set…` functions, as the keywords of one `AuthClient`."""

from __future__ import annotations

import inspect
from typing import Any

import attrs

from authing_mfa.client import AuthClient

__all__ = ["Choices", "Settings"]

_KEYWORDS = frozenset(inspect.signature(AuthClient).parameters) - {"app_id"}


@attrs.frozen(eq=False)
class Settings:
    """The keywords of one client. Two settings are never equal: each has its own client."""

    app_id: str
    options: dict[str, Any] = attrs.field(repr=False)

    @property
    def lang(self) -> str:
        """The language of messages; empty if none was chosen."""
        return str(self.options.get("lang", ""))

    def client(self) -> AuthClient:
        """Return a new client with these settings.

        Raises:
            InvalidInputError: a setting cannot be right.
            TypeError: a keyword that `AuthClient` does not have.
        """
        return AuthClient(self.app_id, **self.options)


@attrs.define
class Choices:
    """The application's choices so far; the last choice for each setting counts."""

    app_id: str | None = None
    options: dict[str, Any] = attrs.field(factory=dict, repr=False)  # of the last start
    overrides: dict[str, Any] = attrs.field(factory=dict, repr=False)  # of the set… functions

    def start(self, app_id: str, options: dict[str, Any]) -> None:
        """Begin with *options*; earlier settings stay, unless *options* changes them."""
        unknown = next((name for name in options if name not in _KEYWORDS), None)
        if unknown is not None:
            raise TypeError(f"Authing.start() got an unexpected keyword argument {unknown!r}")
        if options.get("session") is not None:
            raise TypeError("Authing.start() takes no session: its calls run on an event loop of their own.")
        self.overrides = {name: value for name, value in self.overrides.items() if name not in options}
        self.app_id, self.options = app_id, dict(options)

    def set(self, **values: Any) -> None:
        """Override some of them."""
        self.overrides = {**self.overrides, **values}

    def settings(self) -> Settings | None:
        """Return the settings of the next call; None before the first start."""
        return None if self.app_id is None else Settings(self.app_id, {**self.options, **self.overrides})
