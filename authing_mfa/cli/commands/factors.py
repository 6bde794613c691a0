"""`factors list|show|add|remove`: self-service of a logged-in user's second factors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from authing_mfa.cli.commands.face import photo_key
from authing_mfa.cli.lazy import LazyGroup
from authing_mfa.cli.options import code_stdin, country, token_stdin
from authing_mfa.errors import WrongCodeError

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext, Service
    from authing_mfa.models import Factor, FactorEnrollment

__all__ = ["factors"]

_TYPES: Final = {"sms": "SMS", "email": "EMAIL", "totp": "OTP", "face": "FACE"}
_TRIES: Final = 3


@click.group(cls=LazyGroup)
def factors() -> None:
    """List, enroll and remove your second factors.

    Needs a logged-in user's token: log in first.
    """


def _json(factor: Factor) -> dict[str, Any]:
    names = ("id", "type", "phone", "phone_country_code", "email")
    return {name: getattr(factor, name) for name in names}


def _target(factor: Factor) -> str | None:
    phone = f"{factor.phone_country_code or ''} {factor.phone}".strip() if factor.phone else None
    return phone or factor.email


@factors.command("list")
@token_stdin
@click.pass_obj
def list_(context: CliContext, /, *, token_stdin: bool) -> None:
    """List the enrolled factors, and those that can be enrolled."""
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        found = service(service.client.list_enrolled_factors())
        more = service(service.client.list_factors_to_enroll())
    data = {"factors": [_json(factor) for factor in found], "can_enroll": list(more)}
    rows = [(factor.id, factor.type, _target(factor)) for factor in found]
    context.output.data(data, context.output.table(("ID", "TYPE", "TARGET"), rows) if rows else ())
    context.output.note(context.say("can_enroll", types=", ".join(more)) if more else context.say("all_enrolled"))


@factors.command()
@click.argument("factor_id")
@token_stdin
@click.pass_obj
def show(context: CliContext, /, factor_id: str, *, token_stdin: bool) -> None:
    """Show one enrolled factor."""
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        data = _json(service(service.client.get_factor(factor_id)))
    context.output.data(data, context.output.fields(data.items()))


@factors.command()
@click.argument("kind", metavar="TYPE", type=click.Choice(list(_TYPES)))
@click.option("--phone", metavar="PHONE", help="The phone of an SMS factor.")
@click.option("--email", metavar="EMAIL", help="The address of an email factor.")
@click.option("--photo", metavar="FILE", help="The photo of a face factor: a file, or a key of face upload.")
@country
@code_stdin
@token_stdin
@click.pass_obj
def add(
    context: CliContext,
    /,
    kind: str,
    phone: str | None,
    email: str | None,
    photo: str | None,
    phone_country_code: str | None,
    *,
    code_stdin: bool,
    token_stdin: bool,
) -> None:
    """Enroll a factor: sms, email, totp or face.

    sms and email send a code and ask for it. totp draws a QR code for the authenticator app and asks for the app's first code; keep
    the recovery code that is printed. An enrollment must be finished within one minute.
    """
    login = context.needs_login(stdin=token_stdin)
    asker = context.asker
    if kind != "face":
        asker.check_secret("code", stdin=code_stdin, env="AUTHING_CODE", option="--code-stdin")
    if kind == "sms" and phone is None:
        phone, phone_country_code = asker.phone(phone_country_code)
    elif kind == "email" and email is None:
        email = asker.text("email", env=None, how="--email EMAIL")
    elif kind == "face" and photo is None:
        photo = asker.text("photo", env=None, how="--photo FILE")
    with context.service(login.token) as service:
        key = photo_key(service, photo) if kind == "face" and photo is not None else None
        enrollment = service(
            service.client.send_enroll_factor_request(
                _TYPES[kind],
                phone=phone if kind == "sms" else None,
                phone_country_code=phone_country_code if kind == "sms" else None,
                email=email if kind == "email" else None,
            )
        )
        if kind == "totp":
            _show_totp(context, enrollment)
        elif key is None:
            context.output.good(context.say("sent", to=phone or email))
        _finish(context, service, _TYPES[kind], enrollment, key, stdin=code_stdin)
        found = [factor for factor in service(service.client.list_enrolled_factors()) if factor.type == _TYPES[kind]]
    _tell(context, kind, found[-1] if found else None, enrollment)


def _show_totp(context: CliContext, enrollment: FactorEnrollment) -> None:
    from authing_mfa.cli.qr import drawn

    uri = enrollment.uri or ""
    if sys.stderr is not None and sys.stderr.isatty():
        for line in drawn(uri, context.output, stream=sys.stderr):
            context.output.note(line)
    context.output.note(uri)


def _finish(
    context: CliContext, service: Service, kind: str, enrollment: FactorEnrollment, key: str | None, *, stdin: bool
) -> None:
    """Send the proof. At a terminal the user has three tries."""
    client, left = service.client, _TRIES
    if key is not None:
        service(client.enroll_factor(enrollment.token, kind, photo_key=key))
        return
    while True:
        code = context.asker.secret("code", stdin=stdin, env="AUTHING_CODE", option="--code-stdin")
        left -= 1
        try:
            service(context.unshown.holding(enrollment, client.enroll_factor(enrollment.token, kind, code=code)))
        except WrongCodeError as error:
            if stdin or not left or not context.asker.interactive or context.environ.get("AUTHING_CODE"):
                raise
            context.output.warn(context.say("again", code=error.code, left=left))
        else:
            return


def _tell(context: CliContext, kind: str, factor: Factor | None, enrollment: FactorEnrollment) -> None:
    context.output.good(context.say("factor_added", kind=kind))
    data: dict[str, Any] = {"id": None, "type": _TYPES[kind]} if factor is None else _json(factor)
    if enrollment.recovery_code is not None:
        data["recovery_code"] = enrollment.recovery_code
        context.output.note(context.say("keep_recovery"))
    context.output.data(data, context.output.fields(data.items()))
    context.unshown.was_shown()


@factors.command()
@click.argument("factor")
@token_stdin
@click.pass_obj
def remove(context: CliContext, /, factor: str, *, token_stdin: bool) -> None:
    """Remove an enrolled factor.

    FACTOR is an id that factors list printed, or sms, email, totp or face.
    """
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        client = service.client
        found = [
            each
            for each in service(client.list_enrolled_factors())
            if factor in (each.id, each.type) or _TYPES.get(factor) == each.type
        ]
        if not found:
            raise click.UsageError(context.say("no_such_factor", factor=factor))
        kind = found[0].type
        if kind == "SMS":  # the service refuses to reset a phone or an address: they have other calls
            service(client.mfa_unbind_phone())
        elif kind == "EMAIL":
            service(client.mfa_unbind_email())
        else:
            service(client.mfa_unbind_factor(found[0].id))
    context.output.good(context.say("unbound", what=kind))
    context.output.data({"unbound": kind, "id": found[0].id})
