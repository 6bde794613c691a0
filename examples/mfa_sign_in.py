"""The sign-in of the example windows without any widget: the screens, and the call that each button makes.

Only `SignIn.ask` makes calls. All completions arrive in `SignIn.answered`, on the window's thread (`Authing.setDispatcher`), and
never after the window is closed (`owner=`). The window does not close while a recovery code would be lost (`SignIn.may_close`).
`tk_mfa.py` and `qt_mfa.py` add the widgets.
(More than 300 lines in one file, so that a reader can follow a sign-in from button to call to screen.)
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from mfa_texts import ERRORS, LANGUAGES, TEXTS
from mfa_widgets import GREEN, Widgets

from authing_mfa import ImageError
from authing_mfa.compat import AuthClient, Authing
from authing_mfa.images import prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from mfa_demo import Demo, RunningEmulator

    from authing_mfa import Captcha, MfaChallenge, TotpEnrollment, UserInfo

RESEND = 60  # seconds; the service refuses the next code before that
PREVIEW, QR_SIDE, CAPTCHA_SIDE = 120, 160, 240  # pixels
AFTER_FAILURE = {"login": "password", "password": "new-password", **dict.fromkeys(("SMS", "EMAIL"), "code")}
CAPTCHA = 2000  # the code that asks for a captcha
UNCLEAR = (
    10001,
    10004,
    *range(500, 600),
)  # no answer, or none that can be understood, or a failure: the service may have acted
NO_TEMPLATE = 2021  # of a call that sends a code: the application has no template for the message
BAD_REQUEST = 400  # of the first code of an app: the code is wrong
OWN_CODES = 10000  # codes from here on are the client's: the service may not have seen the call
ALL_WAYS = ("SMS", "EMAIL", "OTP", "FACE")


class SignIn(Widgets):
    """One screen at a time, drawn again when the screen or the language changes."""

    def begin(self, demo: Demo | RunningEmulator | None) -> None:
        """Show the first screen of a window that exists."""
        self.demo = demo
        self.language = 0
        self.screen_name = ""
        self.captcha: Captcha | None = None  # the picture on the screen, valid for one log-in
        self.challenge: MfaChallenge | None = None
        self.enrollment: TotpEnrollment | None = None
        self.user: UserInfo | None = None
        self.recovery_code: str | None = None  # a new one that the user has not saved yet
        self.password_change: Any = None
        self.photos: list[tuple[str, bytes]] = []  # path and preview
        self.photo_keys: list[str] = []
        self.resend_at: dict[str, float] = {}  # for each phone or address
        self.first = ""  # the field or button with the keyboard focus of a new screen
        self.busy = False
        self.show_screen("login")

    # ─────────────────────── calls ───────────────────────

    def ask(
        self,
        method: Callable[..., Any],
        *arguments: Any,
        then: Callable[[Any], None],
        refused: Callable[[int, str], None] | None = None,
    ) -> None:
        """Make a call; *then* gets its value, *refused* the code and the message of a failure (`failed` if it is not given).

        The buttons are disabled meanwhile, the window stays responsive.
        """
        self.say("")
        self.set_busy(busy=True)
        method(*arguments, completion=partial(self.answered, then, refused or self.failed), owner=self)

    def answered(
        self,
        then: Callable[[Any], None],
        refused: Callable[[int, str], None],
        code: int,
        message: str | None,
        value: Any = None,
    ) -> None:
        """Every completion arrives here."""
        self.set_busy(busy=False)
        if code == 200:
            then(message if value is None else value)
        elif code in (1635, 1636):
            self.challenge = value
            self.show_screen("factors")
        elif code in (1639, 2058, 2071) and value is not None:
            self.password_change = value
            self.show_screen("password")
        else:
            refused(code, message or "")

    def failed(self, code: int, message: str) -> None:
        """Say why a call failed, on a screen where the user can do something about it."""
        if self.recovery_code is not None:
            self.show_screen("save")
        elif code in (2020, 2021):
            self.sign_out()
        elif self.screen_name == "FACE" and code not in (10001, 10002):
            self.photos = []
            self.show_screen("FACE")
        words = None if code == BAD_REQUEST and self.screen_name != "ENROL" else ERRORS.get(code)
        self.say(words[self.language] if words else f"{message} ({code})")
        self.give_focus(AFTER_FAILURE.get(self.screen_name, self.first))  # a disabled button loses it

    def sign_in(self) -> None:
        """Log in with the account and the password, and with the text of the captcha if there is one."""
        log_in: Callable[..., Any] = AuthClient().loginByAccount
        if self.captcha is not None:
            log_in = partial(log_in, captchaCode=self.get("captcha"), captcha=self.captcha)
        self.ask(log_in, self.get("account"), self.get("password"), then=self.succeed, refused=self._not_logged_in)

    def _not_logged_in(self, code: int, message: str) -> None:
        """Show a captcha if the service asks for one, and another one if the service has refused a log-in with it."""
        if code == CAPTCHA:
            self.new_captcha(self.text("captcha-due" if self.captcha is None else "captcha-wrong"))
        elif self.captcha is not None and code in ERRORS and code < OWN_CODES:
            self.new_captcha(ERRORS[code][self.language])
        else:
            self.failed(code, message)

    def new_captcha(self, words: str = "") -> None:
        """Get a captcha, then show it with *words*."""
        self.captcha = None
        self.ask(AuthClient().getSecurityCaptcha, then=partial(self._show_captcha, words))

    def _show_captcha(self, words: str, captcha: Captcha) -> None:
        self.captcha = captcha
        self.put("captcha", "")
        self.show_screen("login")
        self.say(words)

    def send_code(self) -> None:
        """Send a code; a target that is not bound yet is checked first."""
        target, sms = self.get("target"), self.screen_name == "SMS"
        if self.bound(self.screen_name):
            self._send(free=True)
        else:
            self.ask(AuthClient().mfaCheck, target if sms else None, None if sms else target, then=self._send)

    def _send(self, free: object) -> None:
        if not free:
            self.say(self.text("taken"))
            return
        client = AuthClient()
        by_sms = partial(client.sendSms, phoneCountryCode=self._country())
        send = by_sms if self.screen_name == "SMS" else client.sendMFAEmail
        self.ask(send, self.get("target"), then=self._sent, refused=self._not_sent)

    def _not_sent(self, code: int, message: str) -> None:
        """Stay on the screen if the message has no template: the user may choose another way."""
        if code == NO_TEMPLATE:
            self.say(f"{message} ({code})")
            self.give_focus("send")
        else:
            self.failed(code, message)

    def _sent(self, _: object) -> None:
        self.resend_at[self.get("target")] = time.monotonic() + RESEND
        self.tick()
        self.say(self.text("sent"), GREEN)
        self.give_focus("code")

    def verify(self) -> None:
        """Verify with what was entered on this screen."""
        client, code = AuthClient(), self.get("code")
        if self.screen_name == "SMS":
            by_phone = partial(client.mfaVerifyByPhone, phoneCountryCode=self._country())
            self.ask(by_phone, self.get("target"), code, then=self.succeed)
        elif self.screen_name == "EMAIL":
            self.ask(client.mfaVerifyByEmail, self.get("target"), code, then=self.succeed)
        elif self.screen_name == "OTP":
            self.ask(client.mfaVerifyByOTP, code, then=self.succeed)
        elif self.screen_name == "RECOVERY":
            self.ask(client.mfaVerifyByRecoveryCode, code, then=self.succeed)
        elif self.screen_name == "ENROL":
            confirmed = partial(self._confirmed, code)
            self.ask(client.mfaAssociateConfirmByOTP, code, then=confirmed, refused=self._not_confirmed)
        elif self.screen_name == "FACE":
            self.photo_keys = []
            self._upload()

    def _enrol(self, enrollment: TotpEnrollment) -> None:
        self.enrollment = enrollment
        self.show_screen("ENROL")

    def _confirmed(self, code: str, user: Any) -> None:
        """Continue after a confirmed binding. If the answer has no user, verify with the same code."""
        assert self.enrollment is not None
        assert self.challenge is not None
        self.recovery_code = self.enrollment.recovery_code
        self.challenge = attrs.evolve(self.challenge, totp_enabled=True)
        if hasattr(user, "display_name"):
            self.succeed(user)
        else:
            self.ask(AuthClient().mfaVerifyByOTP, code, then=self.succeed)

    def _not_confirmed(self, code: int, message: str) -> None:
        """Show the recovery code unless the service has refused: it may have bound the app."""
        if code in UNCLEAR and self.enrollment is not None:
            self.recovery_code = self.enrollment.recovery_code
        self.failed(code, message)

    def _upload(self) -> None:
        """Upload the photos one after the other, then verify or bind."""
        client = AuthClient()
        if len(self.photo_keys) < len(self.photos):
            path, _ = self.photos[len(self.photo_keys)]
            self.ask(client.uploadFaceImage, path, then=self._uploaded)
        elif self.bound("FACE"):
            self.ask(client.mfaVerifyByFace, *self.photo_keys, then=self.succeed)
        else:
            self.ask(client.mfaAssociateByFace, *self.photo_keys, then=self.succeed)

    def _uploaded(self, key: str) -> None:
        self.photo_keys.append(key)
        self._upload()

    def succeed(self, user: UserInfo) -> None:
        """Show the signed-in user. A new recovery code must be saved first."""
        self.user = user
        self.recovery_code = user.recovery_code or self.recovery_code
        self.show_screen("save" if self.recovery_code else "done")

    def _saved(self) -> None:
        self.recovery_code = None
        self.show_screen("done" if self.user is not None else "factors")

    def sign_out(self) -> None:
        """Forget the user, and go back to the start."""
        Authing.setCurrentToken(None)
        self.challenge = self.enrollment = self.user = self.password_change = self.recovery_code = None
        for name in ("account", "password"):
            self.put(name, "")
        self.show_screen("login")

    # ─────────────────────── screens ───────────────────────

    def show_screen(self, screen: str) -> None:
        """Draw *screen*."""
        if screen != self.screen_name:
            self.put("code", "")
            self.photos = []
            if screen != "login":
                self.captcha = None
            if screen in ("SMS", "EMAIL"):
                self.put("target", self.bound(screen) or "")
                self.put("country", "+86")
        self.screen_name = screen
        self.clear()
        self.say("")
        self.first = getattr(self, f"_draw_{screen.lower()}")()
        self.set_busy(busy=self.busy)
        self.tick()
        self.give_focus(self.first)

    def _head(self, title: str, subtitle: str, *, centre: bool = False) -> None:
        self.label(self.text(title), "title", centre=centre)
        self.label(self.text(subtitle), "soft", centre=centre)

    def _main(self, name: str, command: Callable[[], Any], *, back: bool = True) -> None:
        self.button(name, self.text(name), command, "main")
        if back:
            self.button("back", self.text("back"), partial(self.show_screen, "factors"), "link")

    def _draw_login(self) -> str:
        self._head("welcome", "welcome-sub")
        self.field("account", self.text("account"), "login")
        self.field("password", self.text("password"), "login", secret=True)
        if self.captcha is not None:
            self.picture(self.captcha.image, CAPTCHA_SIDE)
            self.field("captcha", self.text("captcha"), "login")
            self.button("another-captcha", self.text("another-captcha"), self.new_captcha, "link")
        self._main("login", self.sign_in, back=False)
        if self.captcha is not None:
            return "captcha"
        return "password" if self.get("account") else "account"

    def _draw_factors(self) -> str:
        self._head("factors", "factors-sub")
        challenge = self.challenge
        assert challenge is not None
        ways = [factor.policy for factor in challenge.factors if factor.policy in ALL_WAYS]
        for policy in ways:
            bound = self.bound(policy)
            words = self.text(policy if bound else f"{policy}-bind").format(masked(bound))
            self.button(policy, words, partial(self._choose_way, policy), "way")
        if challenge.totp_enabled:
            ways.append("RECOVERY")
            self.button("RECOVERY", self.text("RECOVERY"), partial(self.show_screen, "RECOVERY"), "way")
        if not ways:
            self.label(self.text("no-way"), "soft")
        self.button("cancel", self.text("cancel"), self.sign_out, "link")
        return [*ways, "cancel"][0]

    def _choose_way(self, policy: str) -> None:
        if policy == "OTP" and not self.bound("OTP"):
            self.ask(AuthClient().mfaAssociateByOTP, then=self._enrol)
        else:
            self.show_screen(policy)

    def _draw_sms(self) -> str:
        bound = bool(self.bound(self.screen_name))
        self._head(f"{self.screen_name}-title", f"{self.screen_name}-sub")
        self.field("target", self.text("phone" if self.screen_name == "SMS" else "email"), "send", readonly=bound)
        if self.screen_name == "SMS" and not bound:
            self.field("country", self.text("country"), "send")
        self.button("send", self.text("send"), self.send_code, "plain")
        self.field("code", self.text("code"), "verify")
        self._main("verify", self.verify)
        if self._seconds_to_resend():
            return "code"
        return "send" if bound else "target"

    _draw_email = _draw_sms

    def _draw_otp(self) -> str:
        self._head("OTP", "OTP-sub")
        self.field("code", self.text("code"), "verify")
        self._main("verify", self.verify)
        return "code"

    def _draw_recovery(self) -> str:
        self._head("RECOVERY", "RECOVERY-sub")
        self.field("code", self.text("RECOVERY"), "verify")
        self._main("verify", self.verify)
        return "code"

    def _draw_enrol(self) -> str:
        enrollment = self.enrollment
        assert enrollment is not None
        self._head("OTP", "ENROL-sub")
        if enrollment.qr_png:
            self.picture(enrollment.qr_png, QR_SIDE)
        self.copyable(self.text("key"), enrollment.secret)
        self.field("code", self.text("code"), "verify")
        self._main("verify", self.verify)
        return "code"

    def _draw_face(self) -> str:
        wanted = self._wanted_photos()
        self._head("FACE", "FACE-sub" if wanted == 1 else "FACE-bind-sub")
        for path, preview in self.photos:
            self.picture(preview, PREVIEW)
            self.label(Path(path).name, "soft", centre=True)
        enough = len(self.photos) == wanted
        self.button("choose", self.text("another" if enough else "choose"), self.choose, "plain")
        if self.demo is not None and self.demo.photo is not None and not enough:
            self.button("demo-photo", self.text("demo-photo"), partial(self.add_photo, str(self.demo.photo)), "plain")
        self._main("verify", self.verify)
        return "verify" if enough else "choose"

    def _wanted_photos(self) -> int:
        return 1 if self.bound("FACE") else 2

    def choose(self) -> None:
        """Let the user pick a photo."""
        path = self.pick_file()
        if path:
            self.add_photo(path)

    def add_photo(self, path: str) -> None:
        """Use the photo at *path* if it can be uploaded. A photo after the last one starts the list again."""
        try:
            preview = prepare(path, max_side=PREVIEW)
        except ImageError as error:
            words = ERRORS[error.code][self.language]
            self.say(f"{words} {error.message}" if self.language else error.message)  # the reason is in English
            return
        if len(self.photos) == self._wanted_photos():
            self.photos = []
        self.photos.append((path, preview))
        self.show_screen("FACE")

    def _draw_password(self) -> str:
        change = self.password_change
        self._head("new-password-title", str(change.code))
        if change.code == 2058:
            self.field("password", self.text("old-password"), "change", secret=True)
        self.put("new-password", "")
        self.field("new-password", self.text("new-password"), "change", secret=True)
        self._main("change", self.change_password, back=False)
        self.button("cancel", self.text("cancel"), self.sign_out, "link")
        return "new-password"

    def change_password(self) -> None:
        """Change a password that the service does not accept any more, then log in with the new one."""
        client, change, new = AuthClient(), self.password_change, self.get("new-password")
        if change.code == 2058:
            old = self.get("password")
            self.ask(client.resetPasswordByForceResetToken, change.token, old, new, then=self._changed)
        else:
            self.ask(client.resetPasswordByFirstTimeLoginToken, change.token, new, then=self._changed)

    def _changed(self, _: object) -> None:
        self.put("password", self.get("new-password"))
        self.sign_in()

    def _draw_save(self) -> str:
        assert self.recovery_code is not None
        self._head("saving", "saving-sub")
        self.copyable(self.text("keep"), self.recovery_code)
        self._main("saved", self._saved, back=False)
        return "copy"

    def _draw_done(self) -> str:
        user = self.user
        assert user is not None
        self.label("✓", "tick", centre=True)
        self._head("done", self.text("hello").format(user.display_name or user.id or ""), centre=True)
        for line in (user.email, user.phone):
            if line:
                self.label(line, "soft", centre=True)
        self._main("logout", self.sign_out, back=False)
        return "logout"

    # ─────────────────────── the end ───────────────────────

    def may_close(self) -> bool:
        """Return True if the window may be closed; else say why it may not. The window asks this before it closes.

        A recovery code is shown only once, and the call that spends one brings the next one.
        """
        if self.recovery_code is not None:
            self.say(self.text("save-first"))
            return False
        if self.busy and self.screen_name in ("RECOVERY", "ENROL"):
            self.say(self.text("code-comes"))
            return False
        return True

    # ─────────────────────── the rest ───────────────────────

    def text(self, key: str) -> str:
        """Return the words for *key* in the window's language; other words stay unchanged."""
        return TEXTS[key][self.language] if key in TEXTS else key

    def bound(self, policy: str) -> str | None:
        """Return the target that is bound for *policy*: the phone, the address, or another true value."""
        challenge = self.challenge
        if challenge is None:
            return None
        flags = {"OTP": challenge.totp_enabled, "FACE": challenge.face_enabled}
        targets = {"SMS": challenge.phone, "EMAIL": challenge.email}
        return targets.get(policy) or (policy if flags.get(policy) else None)

    def _country(self) -> str | None:
        """Return the country code of the phone; without one the service takes it for a Chinese one."""
        if self.challenge is not None and self.challenge.phone:
            return self.challenge.phone_country_code
        return self.get("country") or None

    def set_busy(self, *, busy: bool) -> None:
        """Disable the buttons while a call runs."""
        self.busy = busy
        resting = self.names() if busy else set()
        if self._seconds_to_resend():
            resting = resting | {"send"}
        if self.screen_name == "FACE" and len(self.photos) < self._wanted_photos():
            resting = resting | {"verify"}
        self.rest(resting)

    def _seconds_to_resend(self) -> int:
        return max(0, round(self.resend_at.get(self.get("target"), 0.0) - time.monotonic()))

    def translate(self) -> None:
        """Go to the other language: this screen and the service's messages."""
        self.language = 1 - self.language
        Authing.setLanguage(LANGUAGES[self.language])
        self.show_screen(self.screen_name)

    def tick(self) -> None:
        """Update the countdown and the hint; the window calls this regularly."""
        if "send" in self.names():
            seconds = self._seconds_to_resend()
            self.rename("send", self.text("again").format(seconds) if seconds else self.text("send"))
            self.set_busy(busy=self.busy)
        hint = self.demo.hint(self.screen_name, self) if self.demo is not None else ""
        self.show_frame(self.text("window"), ("中文", "English")[self.language], hint, busy=self.busy)


def masked(target: str | None) -> str:
    """Return a part of a phone number or an address, enough to recognise it."""
    if not target:
        return ""
    name, at, host = target.partition("@")
    return f"{name[:2]}***{at}{host}" if at else f"{name[:3]}****{name[-4:]}"
