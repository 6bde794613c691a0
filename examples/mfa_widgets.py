"""What the sign-in asks of a toolkit: the widgets of one screen, and the frame around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RED, GREEN = "#c0312b", "#1c7c46"


class Widgets:
    """What each toolkit does in its own way."""

    def clear(self) -> None:
        """Remove the screen's widgets."""
        raise NotImplementedError

    def label(self, words: str, style: str, *, centre: bool = False) -> None:
        """Add a text: style title, soft, or tick."""
        raise NotImplementedError

    def field(self, name: str, words: str, on_return: str, *, secret: bool = False, readonly: bool = False) -> None:
        """Add a field; Return in it presses the button *on_return*."""
        raise NotImplementedError

    def button(self, name: str, words: str, command: Callable[[], Any], style: str) -> None:
        """Add a button: style main, way, link, or plain."""
        raise NotImplementedError

    def picture(self, content: bytes, side: int) -> None:
        """Add a picture, at most *side* pixels wide and high."""
        raise NotImplementedError

    def copyable(self, title: str, words: str) -> None:
        """Add a text that must be kept, with a button that copies it."""
        raise NotImplementedError

    def give_focus(self, name: str) -> None:
        """Give the keyboard to the field or the button *name*."""
        raise NotImplementedError

    def rest(self, names: set[str]) -> None:
        """Make these buttons unusable, and all others usable."""
        raise NotImplementedError

    def rename(self, name: str, words: str) -> None:
        """Change the words of a button."""
        raise NotImplementedError

    def names(self) -> set[str]:
        """Return the names of the buttons."""
        raise NotImplementedError

    def get(self, name: str) -> str:
        """Return the text of the field *name*."""
        raise NotImplementedError

    def put(self, name: str, words: str) -> None:
        """Set the text of the field *name*."""
        raise NotImplementedError

    def say(self, words: str, colour: str = RED) -> None:
        """Show *words* below the screen."""
        raise NotImplementedError

    def show_frame(self, title: str, other_language: str, hint: str, *, busy: bool) -> None:
        """Show the window's title, the language switch, the hint, and whether a call runs."""
        raise NotImplementedError

    def pick_file(self) -> str:
        """Let the user pick a file. Return its path, or nothing."""
        raise NotImplementedError
