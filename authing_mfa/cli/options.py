"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "OptionDecorator",
    "code_stdin",
    "country",
    "email_target",
    "login_options",
    "phone_target",
    "token_stdin",
]

F = TypeVar("F", bound="Callable[..., Any]")


class OptionDecorator(Protocol):
    """Adds an option to a command."""

    def __call__(self, command: F, /) -> F:
        """Return *command* with the option."""
        ...


token_stdin: OptionDecorator = click.option(
    "--token-stdin",
    is_flag=True,
    help="Read the token from one line of stdin (else AUTHING_TOKEN, else the stored login).",
)
code_stdin: OptionDecorator = click.option(
    "--code-stdin", is_flag=True, help="Read the code from one line of stdin (else AUTHING_CODE, else a prompt)."
)
country: OptionDecorator = click.option(
    "--country",
    "phone_country_code",
    metavar="CODE",
    help="Country code of the phone, e.g. +44; needed if it is not Chinese.",
)


def login_options(command: F) -> F:
    """Add the options for the token of a login."""
    command = click.option("--show-token", is_flag=True, help="Show the user's token.")(command)
    return click.option("--no-keep", is_flag=True, help="Do not store the token for the next commands.")(command)


def phone_target(command: F) -> F:
    """Add a phone, as argument and as option."""
    command = click.option("--phone", "phone_option", metavar="PHONE", help="The same as the argument.")(command)
    return click.argument("phone", required=False)(command)


def email_target(command: F) -> F:
    """Add an address, as argument and as option."""
    command = click.option("--email", "email_option", metavar="EMAIL", help="The same as the argument.")(command)
    return click.argument("email", required=False)(command)
