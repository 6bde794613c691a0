"""`mfa`: the whole journey, asked step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from authing_mfa.cli.lazy import Command
from authing_mfa.cli.options import country, login_options

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext

__all__ = ["mfa"]

FACTORS = ("sms", "email", "totp", "recovery", "face")


@click.command(cls=Command)
@click.argument("account", required=False)
@click.option("--factor", type=click.Choice(FACTORS), help="The second factor to use, if the challenge allows it.")
@click.option("--phone", metavar="PHONE", help="The phone to bind, if none is bound yet.")
@country
@click.option("--email", metavar="EMAIL", help="The address to bind, if none is bound yet.")
@click.option(
    "--photo",
    "photos",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, readable=True),
    help="Face photo. Give the option twice to bind a face.",
)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from one line of stdin (else AUTHING_PASSWORD, else a prompt).",
)
@click.option(
    "--code-stdin",
    is_flag=True,
    help="Read the code from the next line of stdin, after it was sent (else AUTHING_CODE, else a prompt).",
)
@login_options
@click.pass_obj
def mfa(context: CliContext, /, *, no_keep: bool, show_token: bool, **given: Any) -> None:
    """Log in and pass the second factor, step by step.

    The command asks for what you do not give. If you give everything, it asks nothing and works without a terminal:

    \b
    printf '%s\\n' "$PASSWORD" "$CODE" |
        authing-mfa mfa ada --factor totp --password-stdin --code-stdin

    If a factor is allowed but not bound yet, the command binds it.
    """  # noqa: D301 - click keeps what follows a backspace as it is
    from authing_mfa.cli.journey import Answers, Journey

    answers = Answers(**given)
    with context.service() as service:
        user, recovery_code = Journey(context, service, answers).pass_it()
    if recovery_code is not None:
        context.output.note(context.say("keep_recovery"))
    context.welcome(user, keep=not no_keep, show_token=show_token, recovery_code=recovery_code)
