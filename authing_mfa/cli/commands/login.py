"""`login`, `whoami`, `token`, `refresh`, `introspect`, `logout`: the login whose token the other commands use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click

from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.context import user_json
from authing_mfa.cli.lazy import Command
from authing_mfa.cli.login_dialogue import LoginDialogue
from authing_mfa.cli.options import code_stdin, country, login_options, token_stdin
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext

__all__ = ["introspect", "login", "logout", "refresh", "token", "whoami"]


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
    context: CliContext,
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

    ACCOUNT is a user name, a phone or an e-mail address (else AUTHING_ACCOUNT, else a prompt). With --phone or --email, first
    send a code: authing-mfa send sms, or send email.

    If a second factor is needed, the exit code is 4 and the mfaToken is stored. It is valid for six minutes. Continue with send,
    verify, totp or face.
    """
    if (account is not None) + (phone is not None) + (email is not None) > 1:
        raise click.UsageError("Give one of ACCOUNT, --phone and --email.")
    asker = context.asker
    keep = not keeping["no_keep"]
    with context.service() as service:
        if phone is None and email is None:
            if account is None:
                account = asker.text("account", env="AUTHING_ACCOUNT", how="authing-mfa login ACCOUNT")
            password = asker.secret("password", stdin=password_stdin, env="AUTHING_PASSWORD", option="--password-stdin")
            dialogue = LoginDialogue(context, service, account, password, auto_register=auto_register, keep=keep)
            user = dialogue.log_in()
        else:
            code = asker.secret("code", stdin=code_stdin, env="AUTHING_CODE", option="--code-stdin")
            client = service.client
            call = (
                client.login_by_phone_code(
                    phone, code, phone_country_code=phone_country_code, auto_register=auto_register
                )
                if phone is not None
                else client.login_by_email_code(email or "", code, auto_register=auto_register)
            )
            user = service(call, account=phone or email, keep=keep)
    context.welcome(user, keep=not keeping["no_keep"], show_token=keeping["show_token"])


@click.command(cls=Command)
@click.option("--custom", is_flag=True, help="Show the user's custom fields, too.")
@click.option("--security", is_flag=True, help="Show the service's rating of the account's security, too.")
@token_stdin
@click.pass_obj
def whoami(context: CliContext, /, *, custom: bool, security: bool, token_stdin: bool) -> None:
    """Show the user of the stored token.

    The command asks the service, so it also shows if the token is still valid.
    """
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        user = service(service.client.get_current_user())
        data = user_json(user)
        if custom and user.id is not None:
            fields = service(service.client.get_custom_user_data(user.id))
            data["custom"] = {field.key: field.value for field in fields}
        if security:
            level = service(service.client.get_security_level())
            data["security"] = {"score": level.score, "mfa": level.mfa}
    context.output.data(data, context.output.fields(data.items()))


@click.command(cls=Command)
@token_stdin
@click.pass_obj
def refresh(context: CliContext, /, *, token_stdin: bool) -> None:
    """Renew the token of a logged-in user, and store it.

    Whether the old token stays valid is up to the service.
    """
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        fresh = service(service.client.refresh_id_token())
    stored = login.kind == "user" and context.keep(attrs.evolve(login, token=fresh.token))
    context.output.good(context.say("refreshed"))
    data: dict[str, Any] = {"issued_at": fresh.issued_at, "expires_at": fresh.expires_at, "stored": stored}
    if not stored:  # the old token may be void, so the new one must not be lost
        data["token"] = fresh.token
    context.output.data(data, context.output.fields(data.items()))


@click.command(cls=Command)
@click.option(
    "--mfa-token-stdin",
    is_flag=True,
    help="Read the mfaToken from one line of stdin (else AUTHING_MFA_TOKEN, else a prompt).",
)
@click.pass_obj
def introspect(context: CliContext, /, *, mfa_token_stdin: bool) -> int:
    """Check if an mfaToken is valid, and show its user.

    The exit code is 0 if the mfaToken is valid, else 1. A valid mfaToken does not prove that a second factor was passed.
    """
    token = context.asker.secret(
        "mfa_token", stdin=mfa_token_stdin, env="AUTHING_MFA_TOKEN", option="--mfa-token-stdin"
    )
    with context.service() as service:
        info = service(service.client.introspect_mfa_token(token))
    data = {name: getattr(info, name) for name in ("active", "user_id", "user_pool_id", "issued_at", "expires_at")}
    context.output.note(context.say("token_active" if info.active else "token_inactive"))
    exit_code = exits.OK if info.active else exits.NO
    context.output.data(data, context.output.fields(data.items()), code=exit_code)
    return exit_code


@click.command(cls=Command)
@click.pass_obj
def token(context: CliContext, /) -> None:
    """Print the token, for other programs.

    For instance: AUTHING_TOKEN=$(authing-mfa token) my-program
    """
    login = context.needs_login()
    context.output.data({"token": login.token, "kind": login.kind, "account": login.account}, login.token)


@click.command(cls=Command)
@click.option("--local", is_flag=True, help="Do not call the service; the token stays valid there until it expires.")
@click.pass_obj
def logout(context: CliContext, /, *, local: bool) -> None:
    """End the session, and delete the stored token.

    The command also ends the session at the service. The stored token is deleted even if that fails.
    """
    login = None if local else context.store.load()
    told = False
    if login is not None and login.kind == "user" and context.value("app_id") is not None:
        try:
            with context.service(login.token) as service:
                service(service.client.logout())
            told = True
        except AuthingError as error:
            context.output.warn(context.say("logout_not_told", reason=context.explain(error)))
    found = context.store.delete()
    context.output.good(context.say("forgotten" if found else "nothing_kept"))
    context.output.data({"forgotten": found, "told": told})
