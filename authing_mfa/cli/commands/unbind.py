"""`unbind phone|email|totp|factor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from authing_mfa.cli.lazy import LazyGroup
from authing_mfa.cli.options import token_stdin

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from authing_mfa.cli.context import CliContext
    from authing_mfa.client import AuthClient

__all__ = ["unbind", "unbind_with"]


@click.group(cls=LazyGroup)
def unbind() -> None:
    """Unbind a phone, an address or another factor.

    Needs a logged-in user's token: an mfaToken is refused.
    """


@unbind.command()
@token_stdin
@click.pass_obj
def phone(context: CliContext, /, *, token_stdin: bool) -> None:
    """Unbind the MFA phone."""
    unbind_with(context, "phone", lambda client: client.mfa_unbind_phone(), token_stdin=token_stdin)


@unbind.command()
@token_stdin
@click.pass_obj
def email(context: CliContext, /, *, token_stdin: bool) -> None:
    """Unbind the MFA e-mail address."""
    unbind_with(context, "email", lambda client: client.mfa_unbind_email(), token_stdin=token_stdin)


@unbind.command()
@token_stdin
@click.pass_obj
def totp(context: CliContext, /, *, token_stdin: bool) -> None:
    """Unbind TOTP; the same as: totp delete."""
    unbind_with(context, "totp", lambda client: client.mfa_delete_totp(), token_stdin=token_stdin)


@unbind.command()
@click.argument("factor_id")
@token_stdin
@click.pass_obj
def factor(context: CliContext, /, factor_id: str, *, token_stdin: bool) -> None:
    """Unbind the factor with this id (v3 API)."""
    unbind_with(context, factor_id, lambda client: client.mfa_unbind_factor(factor_id), token_stdin=token_stdin)


def unbind_with(
    context: CliContext, what: str, call: Callable[[AuthClient], Coroutine[Any, Any, None]], *, token_stdin: bool
) -> None:
    """Unbind *what* with *call*, and say so."""
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        service(call(service.client))
    context.output.good(context.say("unbound", what=what))
    context.output.data({"unbound": what})
