"""`login`, `whoami`, `token`, `logout`: the login that the other commands speak with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from authing_mfa.cli.context import user_json
from authing_mfa.cli.lazy import Command
from authing_mfa.cli.options import code_stdin, country, login_options, token_stdin

if TYPE_CHECKING:
    from authing_mfa.cli.context import Run

__all__ = ["login", "logout", "token", "whoami"]


@click.command(cls=Command)
@click.argument("account", required=False)
@click.option("--phone", metavar="PHONE", help="Log in with a code sent to this phone, not with a password.")
@click.option("--email", metavar="EMAIL", help="Log in with a code sent to this address.")
@country
@click.option("--register", "auto_register", is_flag=True, help="Register the account if there is none.")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from one line of stdin (else AUTHING_PASSWORD, else a prompt).",
)
@code_stdin
@login_options
@click.pass_obj
def login(
    run: Run,
    /,
    account: str | None,
    phone: str | None,
    email: str | None,
    phone_country_code: str | None,
    *,
    auto_register: bool,
    password_stdin: bool,
    code_stdin: bool,
    **keeping: bool,
) -> None:
    """Log in. The command names the second factor that is needed.

    ACCOUNT is a user name, a phone or an e-mail address (else AUTHING_ACCOUNT, else a prompt). With --phone or --email the
    code comes from: authing-mfa send sms, send email.

    If a second factor is needed, the exit code is 4 and the mfaToken is stored. It lives six minutes. Continue with send,
    verify, totp or face.
    """
    if (account is not None) + (phone is not None) + (email is not None) > 1:
        raise click.UsageError("Give one of ACCOUNT, --phone and --email.")
    asker = run.asker
    with run.service() as service:
        client = service.client
        if phone is not None:
            code = asker.secret("code", stdin=code_stdin, env="AUTHING_CODE", option="--code-stdin")
            call = client.login_by_phone_code(
                phone, code, phone_country_code=phone_country_code, auto_register=auto_register
            )
        elif email is not None:
            code = asker.secret("code", stdin=code_stdin, env="AUTHING_CODE", option="--code-stdin")
            call = client.login_by_email_code(email, code, auto_register=auto_register)
        else:
            account = account or asker.text("account", env="AUTHING_ACCOUNT", how="authing-mfa login ACCOUNT")
            password = asker.secret("password", stdin=password_stdin, env="AUTHING_PASSWORD", option="--password-stdin")
            call = client.login_by_account(account, password, auto_register=auto_register)
        user = service(call, account=account or phone or email, keep=not keeping["no_keep"])
    run.welcome(user, keep=not keeping["no_keep"], show_token=keeping["show_token"])


@click.command(cls=Command)
@token_stdin
@click.pass_obj
def whoami(run: Run, /, *, token_stdin: bool) -> None:
    """Show the user of the stored token.

    The command asks the service, so it also shows if the token is still valid.
    """
    login = run.needs_login(stdin=token_stdin)
    with run.service(login.token) as service:
        data = user_json(service(service.client.get_current_user()))
    run.output.data(data, run.output.fields(data.items()))


@click.command(cls=Command)
@click.pass_obj
def token(run: Run, /) -> None:
    """Print the token, for other programs.

    For instance: AUTHING_TOKEN=$(authing-mfa token) my-program
    """
    login = run.needs_login()
    run.output.data({"token": login.token, "kind": login.kind, "account": login.account}, login.token)


@click.command(cls=Command)
@click.pass_obj
def logout(run: Run, /) -> None:
    """Delete the stored token.

    Nothing is sent to the service: the token stays valid until it expires.
    """
    found = run.store.delete()
    run.output.good(run.say("forgotten" if found else "nothing_kept"))
    run.output.data({"forgotten": found})
