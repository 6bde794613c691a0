"""`unbind phone|email|totp|factor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from authing_mfa.cli.lazy import LazyGroup
from authing_mfa.cli.options import token_stdin

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from authing_mfa.cli.context import Run
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
def phone(run: Run, /, *, token_stdin: bool) -> None:
    """Unbind the MFA phone."""
    unbind_with(run, "phone", lambda client: client.mfa_unbind_phone(), token_stdin=token_stdin)


@unbind.command()
@token_stdin
@click.pass_obj
def email(run: Run, /, *, token_stdin: bool) -> None:
    """Unbind the MFA e-mail address."""
    unbind_with(run, "email", lambda client: client.mfa_unbind_email(), token_stdin=token_stdin)


@unbind.command()
@token_stdin
@click.pass_obj
def totp(run: Run, /, *, token_stdin: bool) -> None:
    """Unbind TOTP; the same as: totp delete."""
    unbind_with(run, "totp", lambda client: client.mfa_delete_totp(), token_stdin=token_stdin)


@unbind.command()
@click.argument("factor_id")
@token_stdin
@click.pass_obj
def factor(run: Run, /, factor_id: str, *, token_stdin: bool) -> None:
    """Unbind the factor with this id (v3 API)."""
    unbind_with(run, factor_id, lambda client: client.mfa_unbind_factor(factor_id), token_stdin=token_stdin)


def unbind_with(
    run: Run, what: str, call: Callable[[AuthClient], Coroutine[Any, Any, None]], *, token_stdin: bool
) -> None:
    """Unbind *what* with *call*, and say so."""
    login = run.needs_login(stdin=token_stdin)
    with run.service(login.token) as service:
        service(call(service.client))
    run.output.good(run.say("unbound", what=what))
    run.output.data({"unbound": what})
