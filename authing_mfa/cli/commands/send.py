"""`send sms`, `send email`: have a code sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from authing_mfa.cli.lazy import LazyGroup
from authing_mfa.cli.options import country, email_target, phone_target, token_stdin

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext

__all__ = ["chosen", "send"]


@click.group(cls=LazyGroup)
def send() -> None:
    """Send a code by SMS or e-mail."""


def chosen(argument: str | None, option: str | None, kept: str | None, what: str) -> str:
    """Return the target: the argument, else the option, else the one of the challenge that is kept.

    Raises:
        click.UsageError: there is none, or two.
    """
    if argument is not None and option is not None:
        raise click.UsageError(f"Give {what} once: as argument or as option.")
    given = option if argument is None else argument  # an empty one is refused by the call: it is not the stored one
    target = kept if given is None else given
    if target is None:
        raise click.UsageError(f"Give {what}: the stored login has none.")
    return target


@send.command()
@phone_target
@country
@click.option("--scene", metavar="SCENE", help="What the code is for, e.g. login or mfa-verify. Default: no scene.")
@token_stdin
@click.pass_obj
def sms(
    context: CliContext,
    /,
    phone: str | None,
    phone_option: str | None,
    phone_country_code: str | None,
    scene: str | None,
    *,
    token_stdin: bool,
) -> None:
    """Send a code by SMS.

    PHONE defaults to the phone that the login's challenge names. No login is needed.
    """
    login = context.login(stdin=token_stdin)
    target = chosen(phone, phone_option, login.phone if login else None, "PHONE")
    if login is not None and target == login.phone and phone_country_code is None:
        phone_country_code = login.phone_country_code
    with context.service(login.token if login else None) as service:
        service(service.client.send_sms(target, phone_country_code=phone_country_code, scene=scene))
    context.output.good(context.say("sms_sent", to=target))
    context.output.data({"channel": "sms", "to": target})


@send.command()
@email_target
@click.option("--scene", metavar="SCENE", help="What the code is for, e.g. VERIFY_CODE to log in. Default: MFA_VERIFY.")
@token_stdin
@click.pass_obj
def email(
    context: CliContext, /, email: str | None, email_option: str | None, scene: str | None, *, token_stdin: bool
) -> None:
    """Send a code by e-mail, by default a code for MFA.

    EMAIL defaults to the address that the login's challenge names. No login is needed.
    """
    login = context.login(stdin=token_stdin)
    target = chosen(email, email_option, login.email if login else None, "EMAIL")
    with context.service(login.token if login else None) as service:
        client = service.client
        service(client.send_mfa_email(target) if scene is None else client.send_email(target, scene=scene))
    context.output.good(context.say("email_sent", to=target))
    context.output.data({"channel": "email", "to": target})
