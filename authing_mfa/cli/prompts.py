"""Read a secret from a line of stdin, an environment variable, or a prompt that does not echo. Never from an argument."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authing_mfa.cli.texts import Say

__all__ = ["Asker", "NoAnswerError"]

_LINE_LIMIT: Final = 65536
# Spaces at the ends of these are a part of them.
_AS_TYPED: Final = frozenset({"password", "new_password", "new_password_again"})


class NoAnswerError(click.UsageError):
    """An argument is missing, and there is no terminal to ask on."""


class Asker:
    """Asks for what a command needs. Lines of stdin are taken in the order they are asked for: token, password, code."""

    def __init__(self, environ: Mapping[str, str], say: Say) -> None:
        self._environ = environ
        self._say = say

    @property
    def interactive(self) -> bool:
        """True if there is a terminal to ask on."""
        return sys.stdin is not None and sys.stdin.isatty()

    def line(self, name: str, option: str) -> str:
        """Return the next line of stdin, which holds the secret *name*.

        Raises:
            NoAnswerError: the line is empty or missing, or stdin cannot be read.
        """
        what = self._say(name)
        try:
            text = sys.stdin.readline(_LINE_LIMIT) if sys.stdin is not None else ""
        except UnicodeDecodeError:
            raise NoAnswerError(self._say("not_text", what=what)) from None
        except OSError as error:
            raise NoAnswerError(self._say("unreadable", what=what, reason=error.strerror or error)) from error
        text = text.removeprefix("\ufeff")  # a byte order mark at the beginning of a file
        if not text.strip():
            raise NoAnswerError(self._say("empty_stdin", what=what, option=option))
        return _trimmed(name, text)

    def secret(self, name: str, *, stdin: bool, env: str, option: str) -> str:
        """Return a secret: from stdin if *stdin* is true, else from the variable *env*, else from a prompt without echo.

        Args:
            name: its key among the texts, e.g. ``code``.
            stdin: whether *option* was given.
            env: the environment variable.
            option: the option that reads it from stdin, for the error.

        Raises:
            NoAnswerError: no source has the secret.
        """
        self.check_secret(name, stdin=stdin, env=env, option=option)
        if stdin:
            return self.line(name, option)
        given = self._environ.get(env, "")
        return _trimmed(name, given if given.strip() else self._prompt(self._say(name), hide_input=True))

    def check_secret(self, name: str, *, stdin: bool, env: str, option: str) -> None:
        """Check that `secret` has a source, before something is sent that needs its answer.

        Raises:
            NoAnswerError: no source has the secret.
        """
        if not (stdin or self._environ.get(env, "").strip() or self.interactive):
            raise NoAnswerError(self._say("no_secret", what=self._say(name), option=option, env=env))

    def text(self, name: str, *, env: str | None, how: str) -> str:
        """Return a value that is not a secret: from the variable *env*, else from a prompt.

        Args:
            name: its key among the texts.
            env: the environment variable, if there is one.
            how: how to give it, for the error that says it is missing.

        Raises:
            NoAnswerError: the value is missing and there is no terminal.
        """
        given = self._environ.get(env, "").strip() if env else ""
        if given:
            return given
        if not self.interactive:
            raise NoAnswerError(self._say("no_text", what=self._say(name), how=how))
        return _trimmed(name, self._prompt(self._say(name)))

    def phone(self, country: str | None) -> tuple[str, str | None]:
        """Return a phone number, and its country code: *country*, or, if it is None, the answer to a second question.

        Raises:
            NoAnswerError: there is no terminal.
        """
        phone = self.text("phone", env=None, how="--phone PHONE")
        if country is None:
            country = self._prompt(self._say("country"), default="", show_default=False).strip() or None
        return phone, country

    def choice(self, name: str, labels: list[str], *, how: str) -> int:
        """Return the index of the label that was chosen, from 0.

        Raises:
            NoAnswerError: there is no terminal.
        """
        if not self.interactive:
            raise NoAnswerError(self._say("no_text", what=self._say(name), how=how))
        number: int = self._prompt(self._say(f"choose_{name}"), type=click.IntRange(1, len(labels)), default=1)
        return number - 1

    def _prompt(self, what: str, **options: Any) -> Any:
        try:
            return click.prompt(what, err=True, **options)
        except UnicodeDecodeError:
            raise NoAnswerError(self._say("not_text", what=what)) from None


def _trimmed(name: str, text: str) -> str:
    """Return the value of *name* without the end of its line, and without spaces at its ends unless they may be a part of it."""
    return text.strip("\r\n") if name in _AS_TYPED else text.strip()
