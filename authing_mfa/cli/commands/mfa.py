"""`mfa`: the whole journey, asked step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from authing_mfa.cli.lazy import Command
from authing_mfa.cli.options import country, login_options

if TYPE_CHECKING:
    from authing_mfa.cli.context import Run

__all__ = ["mfa"]

FACTORS = ("sms", "email", "totp", "recovery", "face")


@click.command(cls=Command)
@click.argument("account", required=False)
@click.option("--factor", type=click.Choice(FACTORS), help="Which second factor to use, where the challenge allows it.")
@click.option("--phone", metavar="PHONE", help="The phone to bind, where none is bound.")
@country
@click.option("--email", metavar="EMAIL", help="The address to bind, where none is bound.")
@click.option(
    "--photo",
    "photos",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, readable=True),
    help="Face photo; twice where a face is to be bound.",
)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from a line of stdin (else AUTHING_PASSWORD, else a prompt).",
)
@click.option(
    "--code-stdin",
    is_flag=True,
    help="Read the code from the next line of stdin, once it was sent (else AUTHING_CODE, else a prompt).",
)
@login_options
@click.pass_obj
def mfa(run: Run, /, *, no_keep: bool, show_token: bool, **given: Any) -> None:
    """Log in and pass the second factor, step by step.

    Asks for what is not given; nothing is asked where everything is, so it works without a terminal too:

    \b
    printf '%s\\n' "$PASSWORD" "$CODE" |
        authing-mfa mfa ada --factor totp --password-stdin --code-stdin

    Where a factor is allowed but not bound yet, it is bound on the way.
    """  # noqa: D301 - click keeps what follows a backspace as it is
    from authing_mfa.cli.journey import Answers, Journey

    answers = Answers(**given)
    with run.service() as service:
        user, recovery_code = Journey(run, service, answers).pass_it()
    if recovery_code is not None:
        run.output.note(run.say("keep_recovery"))
    run.welcome(user, keep=not no_keep, show_token=show_token, recovery_code=recovery_code)
