"""`check`: may a phone or an address be used for MFA?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.lazy import Command
from authing_mfa.cli.options import token_stdin

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext

__all__ = ["check"]


@click.command(cls=Command)
@click.option("--phone", metavar="PHONE", help="Phone number, without country code.")
@click.option("--email", metavar="EMAIL", help="E-mail address. If you give both, both are sent.")
@token_stdin
@click.pass_obj
def check(context: CliContext, /, phone: str | None, email: str | None, *, token_stdin: bool) -> int:
    """Check if a phone or an address can be bound for MFA.

    Prints true (exit code 0) if it is free, false (exit code 1) if it is bound already.
    """
    if phone is None and email is None:
        raise click.UsageError("Give --phone, --email, or both.")
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        free = service(service.client.mfa_check(phone=phone, email=email))
    what = ", ".join(target for target in (phone, email) if target is not None)
    code = exits.OK if free else exits.NO
    (context.output.good if free else context.output.warn)(context.say("free" if free else "taken", what=what))
    context.output.data({"bindable": free, "phone": phone, "email": email}, str(free).lower(), code=code)
    return code
