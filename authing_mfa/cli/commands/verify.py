"""`verify sms|email|totp|recovery|face`: pass the second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from authing_mfa.cli.commands.face import verify_photo
from authing_mfa.cli.commands.send import chosen
from authing_mfa.cli.lazy import LazyGroup
from authing_mfa.cli.options import code_stdin, country, email_target, login_options, phone_target, token_stdin

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext

__all__ = ["verify"]


@click.group(cls=LazyGroup)
def verify() -> None:
    """Pass the second factor.

    The code comes from a prompt without echo, from a line of stdin (--code-stdin), or from AUTHING_CODE. There is no --code
    option, on purpose: every user of the machine can read a command line, and the shell keeps it in its history.

    With both --token-stdin and --code-stdin, the token is the first line of stdin and the code the second.
    """


@verify.command()
@phone_target
@country
@code_stdin
@token_stdin
@login_options
@click.pass_obj
def sms(
    context: CliContext,
    /,
    phone: str | None,
    phone_option: str | None,
    phone_country_code: str | None,
    *,
    code_stdin: bool,
    token_stdin: bool,
    **keeping: bool,
) -> None:
    """Verify, or bind, a phone with the code sent to it.

    PHONE defaults to the phone that the login's challenge names.
    """
    login = context.needs_login(stdin=token_stdin)
    target = chosen(phone, phone_option, login.phone, "PHONE")
    if target == login.phone and phone_country_code is None:
        phone_country_code = login.phone_country_code
    with context.service(login.token) as service:
        code = _code(context, stdin=code_stdin)
        made = service.client.mfa_verify_by_phone(target, code, phone_country_code=phone_country_code)
        user = service(made, account=login.account, keep=not keeping["no_keep"])
    _welcome(context, user, keeping)


@verify.command()
@email_target
@code_stdin
@token_stdin
@login_options
@click.pass_obj
def email(
    context: CliContext,
    /,
    email: str | None,
    email_option: str | None,
    *,
    code_stdin: bool,
    token_stdin: bool,
    **keeping: bool,
) -> None:
    """Verify, or bind, an address with the code sent to it.

    EMAIL defaults to the address that the login's challenge names.
    """
    login = context.needs_login(stdin=token_stdin)
    target = chosen(email, email_option, login.email, "EMAIL")
    with context.service(login.token) as service:
        code = _code(context, stdin=code_stdin)
        made = service.client.mfa_verify_by_email(target, code)
        user = service(made, account=login.account, keep=not keeping["no_keep"])
    _welcome(context, user, keeping)


@verify.command()
@code_stdin
@token_stdin
@login_options
@click.pass_obj
def totp(context: CliContext, /, *, code_stdin: bool, token_stdin: bool, **keeping: bool) -> None:
    """Verify with a code of the authenticator app."""
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        code = _code(context, stdin=code_stdin)
        user = service(service.client.mfa_verify_by_totp(code), account=login.account, keep=not keeping["no_keep"])
    _welcome(context, user, keeping)


@verify.command()
@code_stdin
@token_stdin
@login_options
@click.pass_obj
def recovery(context: CliContext, /, *, code_stdin: bool, token_stdin: bool, **keeping: bool) -> None:
    """Verify with the recovery code, and print the new code.

    The old recovery code is void afterwards: keep the new recovery code in the output.
    """
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        code = _code(context, "recovery", stdin=code_stdin)
        user = service(service.recover(code), account=login.account, keep=not keeping["no_keep"])
    _welcome(context, user, keeping)


@verify.command()
@click.argument("photo")
@token_stdin
@login_options
@click.pass_obj
def face(context: CliContext, /, photo: str, *, token_stdin: bool, **keeping: bool) -> None:
    """Verify the bound face with a photo; the same as: face verify.

    PHOTO is a picture file, or the key that `face upload` printed.
    """
    verify_photo(context, photo, token_stdin=token_stdin, **keeping)


def _code(context: CliContext, name: str = "code", *, stdin: bool) -> str:
    return context.asker.secret(name, stdin=stdin, env="AUTHING_CODE", option="--code-stdin")


def _welcome(context: CliContext, user: Any, keeping: dict[str, bool]) -> None:
    context.welcome(user, keep=not keeping["no_keep"], show_token=keeping["show_token"])
