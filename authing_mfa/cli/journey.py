"""The interactive journey of `mfa`: login, challenge, one second factor. A factor that is not bound yet is bound first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import attrs
import click

from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.login_dialogue import LoginDialogue
from authing_mfa.errors import MfaRequiredError, WrongCodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from authing_mfa.cli.context import CliContext, Service
    from authing_mfa.models import MfaChallenge, UserInfo

__all__ = ["Answers", "Journey"]

_TRIES: Final = 3
_POLICIES: Final = {"SMS": "sms", "EMAIL": "email", "OTP": "totp", "FACE": "face"}


@attrs.frozen
class Answers:
    """Values that were given on the command line and are not asked for."""

    account: str | None = None
    factor: str | None = None
    phone: str | None = None
    phone_country_code: str | None = None
    email: str | None = None
    photos: tuple[str, ...] = ()
    password_stdin: bool = False
    code_stdin: bool = False


class Journey:
    """One login with its second factor."""

    def __init__(self, context: CliContext, service: Service, answers: Answers) -> None:
        self._context = context
        self._service = service
        self._given = answers
        self._ask = context.asker

    def pass_it(self) -> tuple[UserInfo, str | None]:
        """Return the user who is logged in, and the recovery code of a TOTP that was bound during the login.

        Raises:
            AuthingError: as the client does.
            click.UsageError: a value is missing, and there is no terminal to ask for it.
        """
        given = self._given
        if given.factor not in (None, "face"):
            self._check_code()
        account = given.account
        if account is None:
            account = self._ask.text("account", env="AUTHING_ACCOUNT", how="authing-mfa mfa ACCOUNT")
        password = self._ask.secret(
            "password", stdin=given.password_stdin, env="AUTHING_PASSWORD", option="--password-stdin"
        )
        try:
            user = LoginDialogue(self._context, self._service, account, password, keep=False).log_in()
        except MfaRequiredError as error:
            self._service.speak_for(error.challenge.token)
            return self._second_factor(error)
        self._context.output.note(self._context.say("no_challenge"))
        return user, None

    def _check_code(self) -> None:
        """Check that the code of a second factor can be given, before anything is sent for it."""
        self._ask.check_secret("code", stdin=self._given.code_stdin, env="AUTHING_CODE", option="--code-stdin")

    # ─────────────────────────────── which factor ───────────────────────────────

    def _second_factor(self, error: MfaRequiredError) -> tuple[UserInfo, str | None]:
        challenge = error.challenge
        own_totp = challenge.totp_enabled or error.code == 1635
        choices = self._choices(challenge, own_totp=own_totp)
        factor = self._given.factor or self._chosen(choices, error.code)
        if factor not in choices:
            allowed = ", ".join(choices) or "-"
            raise click.UsageError(self._context.say("not_allowed", factor=factor, allowed=allowed))
        if factor == "sms":
            return self._by_sms(challenge), None
        if factor == "email":
            return self._by_email(challenge), None
        if factor == "recovery":
            return self._with_code(self._service.recover, name="recovery"), None
        if factor == "face":
            return self._by_face(bound=challenge.face_enabled), None
        return (self._with_code(self._service.client.mfa_verify_by_totp), None) if own_totp else self._bind_totp()

    def _choices(self, challenge: MfaChallenge, *, own_totp: bool) -> dict[str, str]:
        """Return the factors that the challenge allows: our name of each, and its text."""
        say = self._context.say
        phone = f"{challenge.phone_country_code or ''} {challenge.phone or ''}".strip()
        labels = {
            "sms": say("by_sms", to=phone) if challenge.phone else say("by_sms_bind"),
            "email": say("by_email", to=challenge.email) if challenge.email else say("by_email_bind"),
            "totp": say("by_totp" if own_totp else "by_totp_bind"),
            "face": say("by_face" if challenge.face_enabled else "by_face_bind"),
        }
        allowed = [_POLICIES[factor.policy] for factor in challenge.factors if factor.policy in _POLICIES]
        choices = {factor: labels[factor] for factor in allowed}
        if "totp" in choices and own_totp:
            choices["recovery"] = say("by_recovery")
        return choices

    def _chosen(self, choices: dict[str, str], code: int) -> str:
        output, names = self._context.output, list(choices)
        if not names:
            return ""
        output.note(output.styled(self._context.say("challenge", code=code), sys.stderr, bold=True))
        for number, name in enumerate(names, 1):
            output.note(f"  {output.styled(str(number), sys.stderr, fg='cyan')}  {choices[name]}")
        if len(names) == 1:
            return names[0]
        return names[self._ask.choice("factor", names, how=f"--factor {'|'.join(names)}")]

    # ─────────────────────────────── each factor ───────────────────────────────

    def _with_code(self, call: Callable[[str], Coroutine[Any, Any, UserInfo]], *, name: str = "code") -> UserInfo:
        """Ask for the code and verify it. At a terminal the user has three tries."""
        stdin, left = self._given.code_stdin, _TRIES
        while True:
            code = self._ask.secret(name, stdin=stdin, env="AUTHING_CODE", option="--code-stdin")
            left -= 1
            try:
                return self._service(call(code), keep=False)
            except WrongCodeError as error:
                if stdin or not left or not self._ask.interactive or self._context.environ.get("AUTHING_CODE"):
                    raise
                self._context.output.warn(self._context.say("again", code=error.code, left=left))

    def _by_sms(self, challenge: MfaChallenge) -> UserInfo:
        client, given = self._service.client, self._given
        phone, country = challenge.phone, challenge.phone_country_code
        self._check_code()
        if phone is None:
            phone, country = given.phone, given.phone_country_code
            if phone is None:
                phone, country = self._ask.phone(country)
            self._must_be_free(client.mfa_check(phone=phone), phone)
        self._service(client.send_sms(phone, phone_country_code=country))
        self._context.output.good(self._context.say("sent", to=phone))
        return self._with_code(lambda code: client.mfa_verify_by_phone(phone, code, phone_country_code=country))

    def _by_email(self, challenge: MfaChallenge) -> UserInfo:
        client, email = self._service.client, challenge.email
        self._check_code()
        if email is None:
            email = self._given.email
            if email is None:
                email = self._ask.text("email", env=None, how="--email EMAIL")
            self._must_be_free(client.mfa_check(email=email), email)
        self._service(client.send_mfa_email(email))
        self._context.output.good(self._context.say("sent", to=email))
        return self._with_code(lambda code: client.mfa_verify_by_email(email, code))

    def _must_be_free(self, check: Coroutine[Any, Any, bool], target: str) -> None:
        if self._service(check):
            return
        text = self._context.say("taken", what=target)
        self._context.output.error(text, {"type": "NotBindable", "code": exits.NO, "message": text}, exits.NO)
        raise click.exceptions.Exit(exits.NO)

    def _bind_totp(self) -> tuple[UserInfo, str]:
        """Bind an authenticator app. The code that confirms the binding is valid once more, for the verification."""
        from authing_mfa.cli.qr import drawn

        self._check_code()
        client, output = self._service.client, self._context.output
        made = self._service(client.mfa_associate_by_totp())
        for line in drawn(made.uri, output, stream=sys.stderr):
            output.note(line)
        output.note(made.uri)

        async def both(code: str) -> UserInfo:
            user = await self._context.unshown.holding(made, client.mfa_confirm_totp(code))
            return user or await client.mfa_verify_by_totp(code)

        return self._with_code(both), made.recovery_code

    def _by_face(self, *, bound: bool) -> UserInfo:
        client = self._service.client
        wanted = ("photo",) if bound else ("photo", "second_photo")
        photos = list(self._given.photos[: len(wanted)])
        photos += [self._ask.text(name, env=None, how="--photo FILE") for name in wanted[len(photos) :]]
        keys = [self._service(client.upload_face_image(photo)) for photo in photos]
        made = client.mfa_verify_by_face(keys[0]) if bound else client.mfa_associate_by_face(keys[0], keys[1])
        return self._service(made, keep=False)
