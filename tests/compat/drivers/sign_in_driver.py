"""The sign-in of the example windows, typed and clicked, in the words that Qt's and Tk's windows share.

(More than 300 lines: one class, with each way through the windows.)
"""

import re
import socket
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

import attrs
from PIL import Image

from authing_mfa.compat import Authing


class SignInDriver(ABC):
    """Uses the window of one toolkit as a person does: the methods below differ, the ways through the window do not."""

    @abstractmethod
    def until(self, window, condition):
        """Let the window run until *condition* holds."""

    @abstractmethod
    def type_into(self, window, name, words):
        """Type *words* into the field *name*."""

    @abstractmethod
    def click(self, window, name):
        """Click the button *name*."""

    @abstractmethod
    def press_return(self, window):
        """Press Return in the widget that has the keyboard."""

    @abstractmethod
    def text(self, widget):
        """The text of a label or a button."""

    @abstractmethod
    def enabled(self, button):
        """True if the button can be clicked."""

    @abstractmethod
    def focus(self, window):
        """The widget that has the keyboard."""

    @abstractmethod
    def clipboard(self, window):
        """The text in the clipboard."""

    @abstractmethod
    def switch_language(self, window):
        """Click the language switch."""

    @abstractmethod
    def sizes_of_pictures(self, window):
        """Width and height of each picture on the screen."""

    @abstractmethod
    def picture(self, window, name):
        """Save a picture of the window, if that is asked for."""

    @abstractmethod
    def close(self, window):
        """Close the window."""

    @abstractmethod
    def check_layout(self, window, last):
        """Check that the screen fits into the window down to the button *last*, if the toolkit can cut it."""

    def sign_in(self, window, account, password="secret"):
        self.type_into(window, "account", account)
        self.type_into(window, "password", password)
        self.click(window, "login")

    def by_sms(self, window, demo):
        emulator = demo.emulator
        self.picture(window, "1-login")
        self.sign_in(window, "ada", "wrong")
        assert window.busy
        assert not self.enabled(window.buttons["login"])
        self.until(window, lambda: not window.busy)
        assert self.text(window.status) == "The account or the password is wrong."
        self.sign_in(window, "ada")
        self.until(window, lambda: window.screen_name == "factors")
        self.picture(window, "2-factors")
        self.click(window, "SMS")
        self.press_return(window)  # the keyboard is on "Send code"
        self.until(window, lambda: emulator.outbox and not window.busy)
        assert self.text(window.buttons["send"]).startswith("Send again (")
        assert not self.enabled(window.buttons["send"])
        self.type_into(window, "code", "000000")
        self.click(window, "verify")
        self.until(window, lambda: not window.busy)
        assert self.text(window.status) == "The code is wrong."
        assert self.focus(window) is window.fields["code"]
        self.until(window, lambda: emulator.code_for("13800138000") in self.text(window.hint))
        self.picture(window, "3-sms")
        self.type_into(window, "code", emulator.code_for("13800138000"))
        self.click(window, "verify")
        self.until(window, lambda: window.screen_name == "done")
        assert Authing.getCurrentUser().username == "ada"
        self.click(window, "logout")

    def to_a_phone_of_another_country(self, window, demo):
        """The code goes to the country of the bound phone, and verifies it."""
        emulator = demo.emulator
        emulator.add_user(username="carl", password="secret", phone="7700900123", phone_country_code="+44", mfa=["SMS"])
        self.sign_in(window, "carl")
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "SMS")
        self.click(window, "send")
        self.until(window, lambda: not window.busy)
        assert emulator.outbox[-1].target == "+447700900123"
        self.type_into(window, "code", emulator.outbox[-1].code)
        self.click(window, "verify")
        self.until(window, lambda: window.screen_name == "done")
        self.click(window, "logout")

    def binding_a_phone_of_another_country(self, window, demo):
        """The screen asks for the country. A message without a template leaves the user on it."""
        emulator = demo.emulator
        emulator.add_user(username="dora", password=" spaced ", mfa=["SMS"])
        emulator.faults.add("send_sms", code=2021, message="There is no template", count=1)
        self.sign_in(window, "dora", " spaced ")
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "SMS")
        self.check_layout(window, "back")
        self.type_into(window, "target", "7700900124")
        self.type_into(window, "country", "+44")
        self.click(window, "send")
        self.until(window, lambda: not window.busy)
        assert (window.screen_name, self.text(window.status)) == ("SMS", "There is no template (2021)")
        self.click(window, "send")
        self.until(window, lambda: emulator.outbox and emulator.outbox[-1].target == "+447700900124")
        self.until(window, lambda: not window.busy)
        self.picture(window, "3-bind-phone")
        self.type_into(window, "code", emulator.outbox[-1].code)
        self.click(window, "verify")
        self.until(window, lambda: window.screen_name == "done")
        self.click(window, "logout")

    def by_captcha(self, window):
        """After three wrong passwords a log-in needs the text of a picture, and each picture is valid once."""
        for _ in range(3):
            self.sign_in(window, "ada", "wrong")
            self.until(window, lambda: not window.busy)
        assert self.sizes_of_pictures(window) == []
        self.sign_in(window, "ada")
        self.until(window, lambda: self.text(window.status) == "Please enter the text in the picture as well.")
        assert self.sizes_of_pictures(window) == [(120, 40)]
        assert self.focus(window) is window.fields["captcha"]
        self.check_layout(window, "login")
        self.picture(window, "1-captcha")
        self.type_into(window, "captcha", "wrong")
        self.press_return(window)
        self.until(window, lambda: self.text(window.status).startswith("That was not the text in the picture."))
        self.type_into(window, "captcha", self.captcha_text(window))
        self.sign_in(window, "ada", "wrong")
        self.until(window, lambda: self.text(window.status) == "The account or the password is wrong.")
        first = window.captcha
        self.click(window, "another-captcha")
        self.until(window, lambda: window.captcha not in (None, first))
        self.type_into(window, "captcha", self.captcha_text(window))
        self.sign_in(window, "ada")
        self.until(window, lambda: window.screen_name == "factors")
        assert self.sizes_of_pictures(window) == []
        self.click(window, "FACE")  # a whole log-in: the wrong passwords are forgotten
        self.click(window, "demo-photo")
        self.click(window, "verify")
        self.until(window, lambda: window.screen_name == "done")
        self.click(window, "logout")

    def captcha_text(self, window):
        """The text that a person reads in the picture."""
        return re.search(r">(\w+)</text>", window.captcha.image.decode())[1]

    def by_recovery_code(self, window, demo):
        self.switch_language(window)
        self.sign_in(window, "ada")
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "RECOVERY")
        self.type_into(window, "code", demo.ada.recovery_code)
        self.click(window, "verify")
        self.until(window, lambda: window.screen_name == "save")
        self.click(window, "copy")
        assert self.clipboard(window) == demo.ada.recovery_code
        assert self.text(window.status) == "已复制。"
        self.picture(window, "5-save-zh")
        self.click(window, "saved")
        assert window.screen_name == "done"
        self.switch_language(window)
        self.picture(window, "6-done")
        self.click(window, "logout")

    def refused_photos(self, window):
        """A picture that cannot be read, then the face of another person: the window shows the reason and offers another choice."""
        with tempfile.TemporaryDirectory() as folder:
            broken, portrait = Path(folder, "broken.heic"), Path(folder, "portrait.jpg")
            broken.write_bytes(b"%PDF-1.7")
            window.add_photo(str(broken))
            assert "a PDF document" in self.text(window.status)
            exif = Image.Exif()
            exif[0x0112] = 6
            Image.linear_gradient("L").resize((400, 200)).save(portrait, exif=exif)
            window.add_photo(str(portrait))
            assert self.sizes_of_pictures(window) == [(60, 120)]  # upright
            self.picture(window, "4-photo")
            self.click(window, "verify")
            self.until(window, lambda: not window.busy)
        assert self.text(window.status) == "The face was not recognised. Please try another photo."
        assert window.photos == []
        assert "choose" in window.buttons

    def by_face(self, window):
        self.sign_in(window, "ada")
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "FACE")
        self.refused_photos(window)
        self.click(window, "demo-photo")
        self.click(window, "verify")
        self.until(window, lambda: window.screen_name == "done")
        self.click(window, "logout")

    def bind_an_app(self, window, demo):
        self.sign_in(window, "bob")
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "EMAIL")
        self.type_into(window, "target", "ada@example.com")
        self.click(window, "send")
        self.until(window, lambda: not window.busy)
        assert self.text(window.status) == "Somebody else uses this already."
        self.click(window, "back")
        self.click(window, "OTP")
        self.until(window, lambda: window.screen_name == "ENROL")
        assert self.sizes_of_pictures(window)[0][0] > 100
        self.check_layout(window, "back")
        self.picture(window, "4-enrol")
        self.until(window, lambda: self.text(window.hint))
        self.type_into(window, "code", self.text(window.hint).split()[-1])
        self.press_return(window)
        self.until(window, lambda: window.screen_name == "save")
        assert demo.emulator.user("bob").recovery_code == window.recovery_code
        self.press_return(window)  # copies: it must not be lost by pressing Return once too often
        assert window.screen_name == "save"
        self.click(window, "saved")
        self.until(window, lambda: window.screen_name == "done")
        assert demo.emulator.user("bob").totp_enabled
        self.click(window, "logout")

    def forced_password_change(self, window, demo):
        """First log-in: a new password; expired: the old one too. Then the log-in continues with the new one."""
        demo.ada.require_password_change(1639)
        self.sign_in(window, "ada")
        self.until(window, lambda: window.screen_name == "password")
        self.type_into(window, "new-password", "n3w-secret")
        self.picture(window, "7-password")
        self.press_return(window)
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "cancel")
        demo.ada.require_password_change(2058)
        self.sign_in(window, "ada", "n3w-secret")
        self.until(window, lambda: window.screen_name == "password")
        self.type_into(window, "password", "n3w-secret")
        self.type_into(window, "new-password", "secret")
        self.click(window, "change")
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "cancel")

    def without_a_way_out(self, window, demo):
        """A challenge with no factor that the window knows still has a button."""
        self.sign_in(window, "ada")
        self.until(window, lambda: window.screen_name == "factors")
        window.challenge = attrs.evolve(window.challenge, factors=(), totp_enabled=False)
        window.show_screen("factors")
        self.press_return(window)
        assert window.screen_name == "login"
        self.close(window)

    def closing_with_a_recovery_code(self, window, demo):
        """The window stays open while a new recovery code is on its way, and until the user has saved it."""
        lost = "The service cannot be reached. Please check your network."
        self.bound_code_whose_answer_is_unclear(window, demo, lost, drop="after")
        self.bound_code_whose_answer_is_unclear(window, demo, "", status=502, acts=True)
        self.bound_code_whose_answer_is_unclear(window, demo, "", body="html")
        self.bound_code_that_is_not_lost(window, demo)
        self.sign_in(window, "ada")
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "RECOVERY")
        self.type_into(window, "code", demo.ada.recovery_code)
        with demo.emulator.lock:  # the service does not answer
            self.click(window, "verify")
            self.close(window)
            assert self.text(window.status) == "Please wait: your recovery code is on its way."
            self.picture(window, "1-wait")
        self.until(window, lambda: window.screen_name == "save")
        assert window.recovery_code == demo.ada.recovery_code
        self.close(window)
        assert self.text(window.status) == "Save the recovery code first, then press “I have saved it”."
        self.picture(window, "2-save-first")
        self.click(window, "saved")
        self.close(window)

    def bound_code_that_is_not_lost(self, window, demo):
        """The binding is confirmed, then the login takes too long: its recovery code is shown all the same."""
        demo.emulator.faults.add("mfa_verify_by_totp", code=2021)
        self.sign_in(window, "bob")
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "OTP")
        self.until(window, lambda: window.screen_name == "ENROL")
        self.type_into(window, "code", demo.emulator.totp_code(window.enrollment.secret))
        with demo.emulator.lock:
            self.click(window, "verify")
            self.close(window)
            assert self.text(window.status) == "Please wait: your recovery code is on its way."
        self.until(window, lambda: window.screen_name == "save" and not window.busy)
        assert window.recovery_code == demo.emulator.user("bob").recovery_code
        assert self.text(window.status) == "That took too long. Please sign in again."
        self.click(window, "saved")
        self.click(window, "cancel")

    def bound_code_whose_answer_is_unclear(self, window, demo, words, **fault):
        """The service binds the app, and its answer does not say so: the recovery code is shown all the same."""
        bob = demo.emulator.user("bob")
        demo.emulator.faults.add("mfa_confirm_totp", count=1, **fault)
        self.sign_in(window, "bob")
        self.until(window, lambda: window.screen_name == "factors")
        self.click(window, "OTP")
        self.until(window, lambda: window.screen_name == "ENROL")
        self.type_into(window, "code", demo.emulator.totp_code(window.enrollment.secret))
        self.click(window, "verify")
        self.until(window, lambda: not window.busy)
        assert window.screen_name == "save"
        assert window.recovery_code == bob.recovery_code
        assert self.text(window.status).startswith(words)
        self.click(window, "saved")
        self.click(window, "cancel")
        demo.emulator.unbind(bob, "OTP")

    def journey(self, window, demo):
        self.by_sms(window, demo)
        self.to_a_phone_of_another_country(window, demo)
        self.binding_a_phone_of_another_country(window, demo)
        self.by_captcha(window)
        self.by_recovery_code(window, demo)
        self.by_face(window)
        self.bind_an_app(window, demo)
        self.forced_password_change(window, demo)
        self.without_a_way_out(window, demo)


def silent_server():
    """Takes connections and never answers: every call stays in flight."""
    server = socket.create_server(("127.0.0.1", 0))
    address = server.getsockname()
    server.detach()  # left open to the end
    Authing.start("APP", base_url=f"http://127.0.0.1:{address[1]}")
