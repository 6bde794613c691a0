"""A password login, including the text of a captcha or a new password if the service asks for it.

The picture of a captcha is written to a file that only the user can read, and removed after the answer. Without a terminal
only a new password can be given, through AUTHING_NEW_PASSWORD: a program cannot read a captcha.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from authing_mfa.cli.context import CliContext, Service
from authing_mfa.errors import ApiError, CaptchaRequiredError, PasswordChangeRequiredError

if TYPE_CHECKING:
    from authing_mfa.models import Captcha, UserInfo

__all__ = ["LoginDialogue"]

_QUESTIONS: Final = 5  # tries of one login
_WEAK: Final = 2061
_NEW_PASSWORD: Final = "AUTHING_NEW_PASSWORD"  # noqa: S105 - the name of a variable
_ENDINGS: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}


@attrs.define
class LoginDialogue:
    """One login. `keep`: a challenge in its answer is stored for the next command."""

    context: CliContext
    service: Service
    account: str
    password: str = attrs.field(repr=False)
    auto_register: bool = False
    keep: bool = True

    def log_in(self) -> UserInfo:
        """Log in, and ask the user at the terminal for anything the service wants.

        Raises:
            AuthingError: as the client does.
        """
        captcha: Captcha | None = None
        code: str | None = None
        for question in range(_QUESTIONS + 1):
            login = self.service.client.login_by_account(
                self.account, self.password, auto_register=self.auto_register, captcha_code=code, captcha=captcha
            )
            captcha = code = None
            try:
                return self.service(login, account=self.account, keep=self.keep)
            except CaptchaRequiredError as error:
                if question == _QUESTIONS or not self.context.asker.interactive:
                    raise
                captcha, code = self._ask_captcha(error)
            except PasswordChangeRequiredError as error:
                if question == _QUESTIONS or error.token is None or not self._can_give_password():
                    raise
                self._change_password(error, error.token)
        raise AssertionError("the last question raises")

    def _ask_captcha(self, error: CaptchaRequiredError) -> tuple[Captcha, str]:
        """Print the name of the picture's file, and ask for the text in the picture.

        Raises:
            CaptchaRequiredError: *error*, because no file can be written.
        """
        captcha = self.service(self.service.client.get_captcha())
        try:
            path = _written(captcha)
        except OSError as failure:
            self.context.output.warn(self.context.say("captcha_unwritten", reason=failure.strerror or failure))
            raise error from failure
        try:
            self.context.output.note(self.context.say("captcha_picture", code=error.code, path=path))
            return captcha, self.context.asker.text("captcha", env=None, how="a terminal")
        finally:
            path.unlink(missing_ok=True)

    def _can_give_password(self) -> bool:
        return self.context.asker.interactive or bool(self.context.environ.get(_NEW_PASSWORD, "").strip())

    def _change_password(self, error: PasswordChangeRequiredError, token: str) -> None:
        """Ask for a new password and set it. At a terminal the user is asked again if the password is unsafe."""
        output, say = self.context.output, self.context.say
        output.warn(say("password_change", code=error.code, message=error.message.rstrip(".。")))
        for left in reversed(range(_QUESTIONS)):
            new = self._ask_new_password()
            try:
                self._send_new_password(error.code, token, new)
            except ApiError as refusal:
                if refusal.code != _WEAK or not left or self.context.environ.get(_NEW_PASSWORD):
                    raise
                output.warn(say("password_weak", code=refusal.code))
                continue
            self.password = new
            output.good(say("password_changed"))
            return

    def _ask_new_password(self) -> str:
        ask, say = self.context.asker, self.context.say
        while True:
            new = ask.secret("new_password", stdin=False, env=_NEW_PASSWORD, option="a terminal")
            if self.context.environ.get(_NEW_PASSWORD, "").strip():
                return new
            if ask.secret("new_password_again", stdin=False, env="", option="a terminal") == new:
                return new
            self.context.output.warn(say("passwords_differ"))

    def _send_new_password(self, code: int, token: str, new: str) -> None:
        client = self.service.client
        if code == 2058:
            self.service(client.change_expired_password(token, self.password, new))
        else:
            self.service(client.change_password_by_first_login_token(token, new))


def _written(captcha: Captcha) -> Path:
    """Return a new file that only the user can read, with the picture.

    Raises:
        OSError: no file can be made or written; none is left.
    """
    handle, name = tempfile.mkstemp(prefix="captcha-", suffix=_ENDINGS.get(captcha.media_type, ".svg"))
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(captcha.image)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path
