"""`totp associate|confirm|delete|check|list|code|qr`."""

from __future__ import annotations

import errno
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.commands.unbind import unbind_with
from authing_mfa.cli.lazy import LazyGroup
from authing_mfa.cli.options import OptionDecorator, code_stdin, login_options, token_stdin
from authing_mfa.cli.totp_codes import Secret, read_secret

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext

__all__ = ["totp"]

secret_stdin: OptionDecorator = click.option(
    "--secret-stdin",
    is_flag=True,
    help="Read the secret from one line of stdin (else AUTHING_TOTP_SECRET, else a prompt).",
)


@click.group(cls=LazyGroup)
def totp() -> None:
    """Bind an authenticator app, list it, unbind it, compute codes."""


@totp.command()
@click.option("--png", type=click.Path(dir_okay=False, writable=True), help="Write the QR code to this file.")
@click.option("--no-qr", is_flag=True, help="Do not draw the QR code.")
@token_stdin
@click.pass_obj
def associate(context: CliContext, /, png: str | None, *, no_qr: bool, token_stdin: bool) -> int:
    """Request a secret to bind, and draw its QR code.

    The command prints the secret, the otpauth:// address and the recovery code. The secret has no effect until you confirm it: totp
    confirm.
    """
    from authing_mfa.cli.qr import drawn

    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        made = service(service.client.mfa_associate_by_totp())
    code = exits.OK
    if png is not None:
        try:
            _write_png(png, made.qr_png, made.uri)
        except (OSError, ValueError) as error:  # the secret has been made: it is shown all the same
            code = exits.OUTPUT
            reason = getattr(error, "strerror", None) or error
            context.output.warn(context.say("png_unwritten", path=png, reason=reason))
    data = {"secret": made.secret, "uri": made.uri, "recovery_code": made.recovery_code}
    lines = context.output.fields(data.items())
    if sys.stdout is not None and sys.stdout.isatty() and not no_qr:
        lines = [*drawn(made.uri, context.output), *lines]
    context.output.data(data, lines, code=code)
    context.output.note(context.say("enrolled"))
    return code


def _write_png(path: str, picture: bytes | None, uri: str) -> None:
    """Write the picture to a file that only the user can read, because it holds the secret.

    Raises:
        OSError: it cannot be written.
        ValueError: *uri* is too long for a QR picture.
    """
    import os
    import stat

    if picture is None:
        import io

        import segno

        out = io.BytesIO()
        segno.make(uri, micro=False).save(out, kind="png", scale=5, border=4)
        picture = out.getvalue()
    if os.path.lexists(path) and not stat.S_ISREG(Path(path).lstat().st_mode):
        raise OSError(errno.EEXIST, "it is not a regular file", path)  # e.g. /dev/stdout, which must not be deleted
    Path(path).unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(picture)


@totp.command()
@code_stdin
@token_stdin
@login_options
@click.pass_obj
def confirm(context: CliContext, /, *, code_stdin: bool, token_stdin: bool, no_keep: bool, show_token: bool) -> None:
    """Confirm the secret with its first code. This binds TOTP.

    With an mfaToken, continue with verify totp. The service accepts the same code once more.
    """
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        code = context.asker.secret("code", stdin=code_stdin, env="AUTHING_CODE", option="--code-stdin")
        user = service(service.client.mfa_confirm_totp(code))
    if user is not None and user.id_token:
        context.welcome(user, keep=not no_keep, show_token=show_token, text="bound")
        return
    context.output.good(context.say("confirmed" if login.kind == "user" else "confirmed_next"))
    context.output.data({"confirmed": True})


@totp.command()
@token_stdin
@click.pass_obj
def delete(context: CliContext, /, *, token_stdin: bool) -> None:
    """Unbind TOTP. It needs the token of a logged-in user."""
    unbind_with(context, "TOTP", lambda client: client.mfa_delete_totp(), token_stdin=token_stdin)


@totp.command()
@code_stdin
@token_stdin
@click.pass_obj
def check(context: CliContext, /, *, code_stdin: bool, token_stdin: bool) -> int:
    """Check a code of a user who is logged in (step-up).

    The exit code is 0 if the code is right, 1 if it is wrong. The command logs nobody in.
    """
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        code = context.asker.secret("code", stdin=code_stdin, env="AUTHING_CODE", option="--code-stdin")
        right = service(service.client.check_totp(code))
    context.output.note(context.say("code_right" if right else "code_wrong"))
    exit_code = exits.OK if right else exits.NO
    context.output.data({"verified": right}, str(right).lower(), code=exit_code)
    return exit_code


@totp.command("list")
@token_stdin
@click.pass_obj
def list_(context: CliContext, /, *, token_stdin: bool) -> None:
    """List the user's authenticators."""
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        found = service(service.client.mfa_list_authenticators())
    if not found:
        context.output.note(context.say("no_authenticators"))
    rows = [(one.id, one.type, "enabled" if one.enabled else "unconfirmed", one.source) for one in found]
    data = {"authenticators": [attrs.asdict(one) for one in found]}
    context.output.data(data, context.output.table(("ID", "TYPE", "STATE", "SOURCE"), rows) if rows else ())


def _secret(context: CliContext, *, stdin: bool) -> Secret:
    text = context.asker.secret("totp_secret", stdin=stdin, env="AUTHING_TOTP_SECRET", option="--secret-stdin")
    return read_secret(text)


@totp.command()
@secret_stdin
@click.pass_obj
def code(context: CliContext, /, *, secret_stdin: bool) -> None:
    """Compute the code that an authenticator app would show now.

    The secret is the base32 secret or the otpauth:// address of totp associate. Nothing is sent. For instance:

    \b
    authing-mfa totp code | authing-mfa verify totp --code-stdin
    """  # noqa: D301 - click keeps what follows a backspace as it is
    secret = _secret(context, stdin=secret_stdin)
    now = time.time()
    shown, left = secret.code(now), secret.seconds_left(now)
    context.output.data({"code": shown, "seconds_left": left, "period": secret.period}, shown)
    context.output.note(context.say("seconds_left", seconds=left))


@totp.command()
@secret_stdin
@click.option("--account", default="", help="Account that the app shows, if the secret is not an otpauth:// address.")
@click.option("--issuer", default="", help="Service that the app shows, if the secret is not an otpauth:// address.")
@click.pass_obj
def qr(context: CliContext, /, account: str, issuer: str, *, secret_stdin: bool) -> None:
    """Draw the QR code of a secret in the terminal.

    The secret is the base32 secret or the otpauth:// address of totp associate. Nothing is sent.
    """
    from authing_mfa.cli.qr import draw

    secret = _secret(context, stdin=secret_stdin)
    secret = attrs.evolve(secret, account=account or secret.account, issuer=issuer or secret.issuer)
    uri = secret.uri()
    context.output.data({"uri": uri}, draw(uri, context.output))
