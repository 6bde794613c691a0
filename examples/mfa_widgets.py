"""The methods that the sign-in needs from a toolkit: the widgets of one screen, and the frame around them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abc import ABC
    from collections.abc import Callable
else:
    ABC = object  # Qt's windows have another metaclass than ABC: type checkers alone look for a missing method

RED, GREEN = "#c0312b", "#1c7c46"
PASSWORDS = ("password", "new-password")  # spaces at their ends are a part of them


class Widgets(ABC):
    """The widgets of a window; each toolkit has its own. The window closes only if `SignIn.may_close` allows it."""

    @abstractmethod
    def clear(self) -> None:
        """Remove the screen's widgets."""

    @abstractmethod
    def label(self, words: str, style: str, *, centre: bool = False) -> None:
        """Add a text: style title, soft, or tick."""

    @abstractmethod
    def field(self, name: str, words: str, on_return: str, *, secret: bool = False, readonly: bool = False) -> None:
        """Add a field; Return in it presses the button *on_return*."""

    @abstractmethod
    def button(self, name: str, words: str, command: Callable[[], Any], style: str) -> None:
        """Add a button: style main, way, link, or plain."""

    @abstractmethod
    def picture(self, content: bytes, side: int) -> None:
        """Add a picture, at most *side* pixels wide and high."""

    @abstractmethod
    def copyable(self, title: str, words: str) -> None:
        """Add a text that must be kept, with a button that copies it."""

    @abstractmethod
    def give_focus(self, name: str) -> None:
        """Give the keyboard to the field or the button *name*."""

    @abstractmethod
    def rest(self, names: set[str]) -> None:
        """Disable these buttons, and enable all others."""

    @abstractmethod
    def rename(self, name: str, words: str) -> None:
        """Change the words of a button."""

    @abstractmethod
    def names(self) -> set[str]:
        """Return the names of the buttons."""

    @abstractmethod
    def get(self, name: str) -> str:
        """Return the text of the field *name*, without spaces at its ends unless it is one of `PASSWORDS`."""

    @abstractmethod
    def put(self, name: str, words: str) -> None:
        """Set the text of the field *name*."""

    @abstractmethod
    def say(self, words: str, colour: str = RED) -> None:
        """Show *words* below the screen."""

    @abstractmethod
    def show_frame(self, title: str, other_language: str, hint: str, *, busy: bool) -> None:
        """Show the window's title, the language switch, the hint, and whether a call runs."""

    @abstractmethod
    def pick_file(self) -> str:
        """Let the user pick a file. Return its path, or nothing."""
