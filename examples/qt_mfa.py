"""A sign-in window with all second factors, in Qt: `python examples/qt_mfa.py` tries it against the embedded emulator.

For a real application: `python examples/qt_mfa.py --app-id YOUR_APP_ID [--host your.host]`. Needs PySide6 (or PyQt6).
What to look at: `MfaWindow.ask` is the one place where a call is made, `MfaWindow.answered` the one where its completion
arrives, on Qt's own thread (`dispatch.qt`), and never after the window is gone (`owner=`).
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authing_mfa.compat import AuthClient, Authing, dispatch

if TYPE_CHECKING or find_spec("PySide6") is not None:
    from PySide6.QtCore import QSize, Qt, QTimer
    from PySide6.QtGui import QGuiApplication, QPixmap
    from PySide6.QtWidgets import (
        QApplication,
        QFileDialog,
        QFrame,
        QHBoxLayout,
        QLabel,
        QLineEdit,
        QProgressBar,
        QPushButton,
        QVBoxLayout,
        QWidget,
    )
else:
    from PyQt6.QtCore import QSize, Qt, QTimer
    from PyQt6.QtGui import QGuiApplication, QPixmap
    from PyQt6.QtWidgets import (
        QApplication,
        QFileDialog,
        QFrame,
        QHBoxLayout,
        QLabel,
        QLineEdit,
        QProgressBar,
        QPushButton,
        QVBoxLayout,
        QWidget,
    )

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authing_mfa import MfaChallenge, TotpEnrollment, UserInfo
    from authing_mfa.emulator import Emulator

LANGUAGES = ("en-US", "zh-CN")
TEXTS = {
    "window": ("Sign in", "登录"),
    "welcome": ("Welcome back", "欢迎回来"),
    "welcome-sub": ("Sign in with your account", "使用您的账号登录"),
    "account": ("User name, phone or e-mail", "用户名、手机号或邮箱"),
    "password": ("Password", "密码"),
    "login": ("Sign in", "登录"),
    "factors": ("One more step", "还差一步"),
    "factors-sub": ("How do you want to prove that it is you?", "请选择二次验证方式"),
    "SMS": ("Text message to {}", "短信验证码 {}"),
    "SMS-bind": ("Text message: bind a phone", "短信验证码：绑定手机号"),
    "SMS-title": ("Text message", "短信验证码"),
    "EMAIL-title": ("E-mail", "邮箱验证码"),
    "EMAIL": ("E-mail to {}", "邮箱验证码 {}"),
    "EMAIL-bind": ("E-mail: bind an address", "邮箱验证码：绑定邮箱"),
    "OTP": ("Authenticator app", "身份验证器应用"),
    "OTP-bind": ("Authenticator app: set it up", "身份验证器应用：立即绑定"),
    "FACE": ("Face photo", "人脸照片"),
    "FACE-bind": ("Face photo: set it up", "人脸照片：立即绑定"),
    "RECOVERY": ("Recovery code", "恢复代码"),
    "back": ("← Other ways", "← 其他方式"),
    "cancel": ("← Back to sign-in", "← 返回登录"),
    "phone": ("Phone number", "手机号"),
    "email": ("E-mail address", "邮箱地址"),
    "send": ("Send code", "发送验证码"),
    "code": ("Code", "验证码"),
    "verify": ("Verify", "验证"),
    "sent": ("The code is on its way.", "验证码已发送。"),
    "SMS-sub": ("We send a code to your phone", "我们将向您的手机发送验证码"),
    "EMAIL-sub": ("We send a code to your mailbox", "我们将向您的邮箱发送验证码"),
    "OTP-sub": ("Enter the six digits your app shows", "请输入身份验证器中的 6 位数字"),
    "ENROL-sub": ("Scan this with your app, then enter its six digits", "用身份验证器扫码，然后输入 6 位数字"),
    "FACE-sub": ("Choose a photo of your face", "请选择一张人脸照片"),
    "FACE-bind-sub": ("Choose two photos of your face", "请选择两张人脸照片"),
    "RECOVERY-sub": ("It works once; you get a new one", "仅可使用一次，之后会得到新的恢复代码"),
    "choose": ("Choose a photo…", "选择照片…"),
    "demo-photo": ("Use the demo photo", "使用演示照片"),
    "keep": ("Keep this recovery code, it is shown only now:", "请保存恢复代码，它只显示这一次："),
    "copy": ("Copy", "复制"),
    "copied": ("Copied.", "已复制。"),
    "done": ("You are signed in", "登录成功"),
    "hello": ("Hello, {}", "您好，{}"),
    "logout": ("Sign out", "退出登录"),
    "taken": ("Somebody else uses this already.", "已被其他账号绑定。"),
    "demo": ("Demo: {0} has every factor, {1} binds them on first use. Password: {2}", "演示账号：{0} 已绑定所有方式，{1} 首次使用时绑定。密码：{2}"),
    "demo-code": ("Demo: the code that was sent is {}", "演示：已发送的验证码为 {}"),
    "demo-totp": ("Demo: the app would show {}", "演示：身份验证器显示 {}"),
    "demo-recovery": ("Demo: the recovery code is {}", "演示：恢复代码为 {}"),
}  # fmt: skip
ERRORS = {
    2333: ("The account or the password is wrong.", "账号或密码错误。"),
    2004: ("There is no such account.", "账号不存在。"),
    2005: ("The account is locked.", "账号已被锁定。"),
    2020: ("Your session is over. Please sign in again.", "登录已失效，请重新登录。"),
    2021: ("That took too long. Please sign in again.", "验证已超时，请重新登录。"),
    2001: ("The code is wrong.", "验证码错误。"),
    2300: ("The code has expired.", "验证码已过期。"),
    400: ("The code is wrong.", "验证码错误。"),
    6001: ("The code is wrong.", "验证码错误。"),
    6002: ("The recovery code is wrong.", "恢复代码错误。"),
    2080: ("A code was sent a moment ago. Please wait a minute.", "验证码刚刚已发送，请一分钟后再试。"),
    4004: ("A code was sent a moment ago. Please wait a minute.", "验证码刚刚已发送，请一分钟后再试。"),
    1702: ("The face was not recognised. Please try another photo.", "人脸验证失败，请换一张照片。"),
    10001: ("The service cannot be reached. Please check your network.", "无法连接服务，请检查网络。"),
    10002: ("The application is not known.", "应用不存在。"),
    10100: ("Please fill in every field.", "请填写完整。"),
    10101: ("This picture cannot be read.", "无法读取该图片。"),
}
INK, SOFT, PAPER, SHADE, BLUE, RED, GREEN = "#1d2433", "#6b7385", "#ffffff", "#eef1f6", "#2456d6", "#c0312b", "#1c7c46"
STYLE = f"""
QWidget {{ background: {PAPER}; color: {INK}; font-size: 14px; }}
QLabel#title {{ font-size: 25px; font-weight: bold; }}
QLabel#tick {{ font-size: 54px; color: {GREEN}; }}
QLabel#soft, QLabel#field {{ color: {SOFT}; }}
QLabel#field {{ font-size: 13px; padding-top: 6px; }}
QLabel#hint {{ background: {SHADE}; color: {SOFT}; font-size: 13px; padding: 10px 28px; }}
QLabel#code {{ font-family: monospace; font-size: 14px; background: transparent; }}
QFrame#box {{ background: {SHADE}; border-radius: 8px; }}
QFrame#box QLabel {{ background: transparent; }}
QLineEdit {{ border: 1px solid #d4d9e3; border-radius: 6px; padding: 9px 10px; selection-background-color: {BLUE}; }}
QLineEdit:focus {{ border-color: {BLUE}; }}
QLineEdit[readOnly="true"] {{ background: {SHADE}; }}
QPushButton {{ background: {SHADE}; border: none; border-radius: 6px; padding: 10px 14px; }}
QPushButton:hover {{ background: #dfe5f0; }}
QPushButton:focus {{ border: 1px solid {BLUE}; }}
QPushButton:disabled {{ color: #a9b0bf; }}
QPushButton#way {{ text-align: left; padding: 13px 16px; }}
QPushButton#main {{ background: {BLUE}; color: {PAPER}; padding: 12px; font-weight: bold; }}
QPushButton#main:hover {{ background: #1b46b3; }}
QPushButton#main:disabled {{ background: #a8bdf0; color: {PAPER}; }}
QPushButton#link {{ background: transparent; color: {BLUE}; padding: 5px; }}
QPushButton#copy {{ background: {PAPER}; color: {BLUE}; padding: 6px 12px; }}
QProgressBar {{ border: none; background: {PAPER}; max-height: 3px; }}
QProgressBar::chunk {{ background: {BLUE}; }}
"""


class Demo:
    """The embedded emulator with two users, and what a stranger needs to know to get through."""

    ACCOUNTS = ("ada", "bob")
    PASSWORD = "secret"  # noqa: S105 - of the emulator's users

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        from PIL import Image, ImageDraw

        self.emulator = emulator
        self.photo = folder / "face.png"
        face = Image.new("RGB", (480, 480), "#cfe0ff")
        draw = ImageDraw.Draw(face)
        draw.ellipse((120, 80, 360, 400), fill="#f2c9a5")
        for box in ((180, 200, 210, 230), (270, 200, 300, 230)):
            draw.ellipse(box, fill="#1d2433")
        draw.arc((190, 240, 290, 330), 20, 160, fill="#1d2433", width=8)
        face.save(self.photo)
        add_user = partial(emulator.add_user, password=self.PASSWORD, mfa=("SMS", "EMAIL", "OTP", "FACE"))
        self.ada = add_user(
            username="ada", nickname="Ada", phone="13800138000", email="ada@example.com", totp=True, face=self.photo
        )
        add_user(username="bob", nickname="Bob")

    def hint(self, screen: str, window: MfaWindow) -> str:
        """What to enter on *screen*."""
        from authing_mfa.emulator.crypto import totp

        if screen == "login":
            return window.text("demo").format(*self.ACCOUNTS, self.PASSWORD)
        if screen in ("SMS", "EMAIL") and self.emulator.outbox:
            return window.text("demo-code").format(self.emulator.outbox[-1].code)
        if screen == "ENROL" and window.enrollment is not None:
            code = totp.code_at(window.enrollment.secret, totp.step_of(self.emulator.clock()))
            return window.text("demo-totp").format(code)
        if screen == "OTP":
            return window.text("demo-totp").format(self.ada.totp_code)
        if screen == "RECOVERY":
            return window.text("demo-recovery").format(self.ada.recovery_code)
        return ""


class MfaWindow(QWidget):
    """The window. One screen at a time, drawn anew when it changes or the language does."""

    def __init__(self, demo: Demo | None = None) -> None:
        super().__init__()
        self.demo = demo
        self.language = 0
        self.screen_name = ""
        self.challenge: MfaChallenge | None = None
        self.enrollment: TotpEnrollment | None = None
        self.user: UserInfo | None = None
        self.photos: list[str] = []
        self.photo_keys: list[str] = []
        self.entered: dict[str, str] = {}
        self.fields: dict[str, QLineEdit] = {}
        self.buttons: dict[str, QPushButton] = {}
        self.busy = False
        self.body = QWidget()
        self.column = QVBoxLayout(self.body)
        Authing.setDispatcher(dispatch.qt())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setStyleSheet(STYLE)
        self.resize(440, 690)
        self._build()
        self.show_screen("login")
        timer = QTimer(self)
        timer.timeout.connect(self._hint)
        timer.start(500)

    # ─────────────────────── calls ───────────────────────

    def ask(self, method: Callable[..., Any], *arguments: Any, then: Callable[[Any], None], **options: Any) -> None:
        """Make a call; *then* gets its value. The buttons rest meanwhile, the window does not."""
        self.set_busy(busy=True)
        method(*arguments, completion=partial(self.answered, then), owner=self, **options)

    def answered(self, then: Callable[[Any], None], code: int, message: str | None, value: Any = None) -> None:
        """Every completion arrives here."""
        self.set_busy(busy=False)
        if code == 200:
            then(message if value is None else value)
        elif code in (1635, 1636):
            self.challenge = value
            self.show_screen("factors")
        else:
            if code in (2020, 2021):
                self.log_out()
            words = ERRORS.get(code)
            self.say(words[self.language] if words else f"{message} ({code})", RED)

    def log_in(self) -> None:
        """Log in with the account and the password."""
        self.ask(AuthClient().loginByAccount, self.get("account"), self.get("password"), then=self.succeed)

    def send_code(self) -> None:
        """Send a code; a target that is not bound yet is checked first."""
        target, sms = self.get("target"), self.screen_name == "SMS"
        if self.bound(self.screen_name):
            self._send(free=True)
        else:
            self.ask(AuthClient().mfaCheck, target if sms else None, None if sms else target, then=self._send)

    def _send(self, free: object) -> None:
        if not free:
            self.say(self.text("taken"), RED)
            return
        client, target = AuthClient(), self.get("target")
        sender = client.sendSms if self.screen_name == "SMS" else client.sendMFAEmail
        self.ask(sender, target, then=lambda _: self.say(self.text("sent"), GREEN))

    def verify(self) -> None:
        """Verify with what was entered on this screen."""
        client, code = AuthClient(), self.get("code")
        if self.screen_name == "SMS":
            self.ask(client.mfaVerifyByPhone, self.get("target"), code, then=self.succeed)
        elif self.screen_name == "EMAIL":
            self.ask(client.mfaVerifyByEmail, self.get("target"), code, then=self.succeed)
        elif self.screen_name == "OTP":
            self.ask(client.mfaVerifyByOTP, code, then=self.succeed)
        elif self.screen_name == "RECOVERY":
            self.ask(client.mfaVerifyByRecoveryCode, code, then=self.succeed)
        elif self.screen_name == "ENROL":
            self.ask(client.mfaAssociateConfirmByOTP, code, then=partial(self._confirmed, code))
        elif self.screen_name == "FACE":
            self.photo_keys = []
            self._upload()

    def _enrol(self, enrollment: TotpEnrollment) -> None:
        self.enrollment = enrollment
        self.show_screen("ENROL")

    def _confirmed(self, code: str, user: Any) -> None:
        """The binding is confirmed; where the answer brings no user, the same code verifies."""
        if hasattr(user, "display_name"):
            self.succeed(user)
        else:
            self.ask(AuthClient().mfaVerifyByOTP, code, then=self.succeed)

    def _upload(self) -> None:
        """Upload the photos one after the other, then verify or bind."""
        client = AuthClient()
        if len(self.photo_keys) < len(self.photos):
            self.ask(client.uploadFaceImage, self.photos[len(self.photo_keys)], then=self._uploaded)
        elif self.bound("FACE"):
            self.ask(client.mfaVerifyByFace, *self.photo_keys, then=self.succeed)
        else:
            self.ask(client.mfaAssociateByFace, *self.photo_keys, then=self.succeed)

    def _uploaded(self, key: str) -> None:
        self.photo_keys.append(key)
        self._upload()

    def succeed(self, user: UserInfo) -> None:
        """The user is signed in: show it."""
        self.user = user
        self.show_screen("done")

    def log_out(self) -> None:
        """Forget the user, and back to the start."""
        Authing.setCurrentToken(None)
        self.challenge = self.enrollment = self.user = None
        self.entered = {}
        self.show_screen("login")

    # ─────────────────────── screens ───────────────────────

    def show_screen(self, screen: str) -> None:
        """Draw *screen*."""
        if screen != self.screen_name:
            self.entered["code"] = ""
            self.photos = []
            if screen in ("SMS", "EMAIL"):
                self.entered["target"] = self.bound(screen) or ""
        self.screen_name = screen
        self.fields, self.buttons = {}, {}
        self.say("")
        self.setWindowTitle(self.text("window"))
        old, self.body = self.body, QWidget()
        self.column = QVBoxLayout(self.body)
        self.column.setContentsMargins(28, 0, 28, 0)
        self.column.setSpacing(8)
        getattr(self, f"_draw_{screen.lower()}")()
        self.column.addStretch(1)
        self.frame.replaceWidget(old, self.body)
        old.hide()  # it may hold the button that was just pressed, so it is deleted a little later
        old.deleteLater()
        self.set_busy(busy=self.busy)
        self._hint()
        empty = (field for field in self.fields.values() if not (field.isReadOnly() or field.text()))
        next(empty, next(iter(self.buttons.values()))).setFocus()

    def _draw_login(self) -> None:
        self._head("welcome", "welcome-sub")
        self._field("account")
        self._field("password", show="•")
        self._main("login", self.log_in)

    def _draw_factors(self) -> None:
        self._head("factors", "factors-sub")
        challenge = self.challenge
        assert challenge is not None
        for factor in challenge.factors:
            if factor.policy not in ("SMS", "EMAIL", "OTP", "FACE"):
                continue
            bound = self.bound(factor.policy)
            label = self.text(factor.policy if bound else f"{factor.policy}-bind").format(_masked(bound))
            self._button(factor.policy, label, partial(self._pick, factor.policy), "way")
        if challenge.totp_enabled:
            self._button("RECOVERY", self.text("RECOVERY"), partial(self.show_screen, "RECOVERY"), "way")
        self._button("cancel", self.text("cancel"), self.log_out, "link")

    def _pick(self, policy: str) -> None:
        if policy == "OTP" and not self.bound("OTP"):
            self.ask(AuthClient().mfaAssociateByOTP, then=self._enrol)
        else:
            self.show_screen(policy)

    def _draw_sms(self) -> None:
        self._head(f"{self.screen_name}-title", f"{self.screen_name}-sub")
        self._field(
            "target", "phone" if self.screen_name == "SMS" else "email", readonly=bool(self.bound(self.screen_name))
        )
        self._button("send", self.text("send"), self.send_code, "")
        self._field("code")
        self._main("verify", self.verify, "back")

    def _draw_email(self) -> None:
        self._draw_sms()

    def _draw_otp(self) -> None:
        self._head("OTP", "OTP-sub")
        self._field("code")
        self._main("verify", self.verify, "back")

    def _draw_recovery(self) -> None:
        self._head("RECOVERY", "RECOVERY-sub")
        self._field("code", "RECOVERY")
        self._main("verify", self.verify, "back")

    def _draw_enrol(self) -> None:
        enrollment = self.enrollment
        assert enrollment is not None
        self._head("OTP", "ENROL-sub")
        if enrollment.qr_png:
            self._picture(enrollment.qr_png, 150)
        self._secret(enrollment.recovery_code)
        self._field("code")
        self._main("verify", self.verify, "back")

    def _draw_face(self) -> None:
        wanted = 1 if self.bound("FACE") else 2
        self._head("FACE", "FACE-sub" if wanted == 1 else "FACE-bind-sub")
        for photo in self.photos:
            with contextlib.suppress(OSError):
                self._picture(Path(photo).read_bytes(), 110)
            self._label(Path(photo).name, "soft", centre=True)
        if len(self.photos) < wanted:
            self._button("choose", self.text("choose"), self.choose, "")
            if self.demo is not None:
                add = partial(self.add_photo, str(self.demo.photo))
                self._button("demo-photo", self.text("demo-photo"), add, "")
        self._main("verify", self.verify, "back")
        if len(self.photos) < wanted:
            self.buttons.pop("verify").setEnabled(False)

    def choose(self) -> None:
        """Let the user choose a photo."""
        path, _ = QFileDialog.getOpenFileName(self, self.text("choose"))
        if path:
            self.add_photo(path)

    def add_photo(self, path: str) -> None:
        """Take the photo at *path*."""
        self.photos.append(path)
        self.show_screen("FACE")

    def _draw_done(self) -> None:
        user = self.user
        assert user is not None
        self._label("✓", "tick", centre=True)
        name = user.display_name or user.id or ""
        self._head("done", self.text("hello").format(name), centre=True)
        for line in (user.email, user.phone):
            if line:
                self._label(line, "soft", centre=True)
        if user.recovery_code:
            self._secret(user.recovery_code)
        self._main("logout", self.log_out)

    # ─────────────────────── pieces ───────────────────────

    def text(self, key: str) -> str:
        """The words for *key* in the window's language."""
        return TEXTS[key][self.language] if key in TEXTS else key

    def get(self, name: str) -> str:
        """What was entered in the field *name*."""
        return self.entered.get(name, "").strip()

    def bound(self, policy: str) -> str | None:
        """What is bound for *policy*: the phone, the address, or just something true."""
        challenge = self.challenge
        if challenge is None:
            return None
        flags = {"OTP": challenge.totp_enabled, "FACE": challenge.face_enabled}
        targets = {"SMS": challenge.phone, "EMAIL": challenge.email}
        return targets.get(policy) or (policy if flags.get(policy) else None)

    def say(self, words: str, colour: str = RED) -> None:
        """Show *words* below the screen."""
        self.status.setText(words)
        self.status.setStyleSheet(f"color: {colour}; padding: 4px 28px 12px 28px;")

    def set_busy(self, *, busy: bool) -> None:
        """While a call runs, the buttons rest and a bar moves."""
        self.busy = busy
        for button in (*self.buttons.values(), self.switch):
            button.setEnabled(not busy)
        self.bar.setRange(0, 0 if busy else 1)
        if busy:
            self.say("")

    def translate(self) -> None:
        """To the other language, this screen and the service's messages."""
        self.language = 1 - self.language
        Authing.setLanguage(LANGUAGES[self.language])
        self.switch.setText(("中文", "English")[self.language])
        self.show_screen(self.screen_name)

    def _hint(self) -> None:
        words = self.demo.hint(self.screen_name, self) if self.demo is not None else ""
        self.hint.setText(words)
        self.hint.setVisible(bool(words))

    def _label(self, words: str, style: str, *, centre: bool = False) -> QLabel:
        label = QLabel(words)
        label.setObjectName(style)
        label.setWordWrap(True)
        label.setIndent(0)
        if centre:
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column.addWidget(label)
        return label

    def _head(self, title: str, subtitle: str, *, centre: bool = False) -> None:
        self._label(self.text(title), "title", centre=centre)
        self._label(self.text(subtitle), "soft", centre=centre)
        self.column.addSpacing(10)

    def _field(self, name: str, label: str | None = None, *, show: str = "", readonly: bool = False) -> None:
        self._label(self.text(label or name), "field")
        field = QLineEdit(self.entered.get(name, ""))
        field.setReadOnly(readonly)
        if readonly:
            field.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if show:
            field.setEchoMode(QLineEdit.EchoMode.Password)
        field.textChanged.connect(partial(self.entered.__setitem__, name))
        self.column.addWidget(field)
        self.fields[name] = field

    def _button(self, name: str, words: str, command: Callable[[], Any], style: str) -> None:
        button = QPushButton(words)
        button.setObjectName(style)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: command())  # noqa: PLW0108 - clicked brings an argument of its own
        self.column.addWidget(button)
        self.buttons[name] = button

    def _main(self, name: str, command: Callable[[], Any], back: str = "") -> None:
        self.column.addSpacing(8)
        self._button(name, self.text(name), command, "main")
        for field in self.fields.values():
            field.returnPressed.connect(self.buttons[name].click)
        if back:
            self._button("back", self.text("back"), partial(self.show_screen, "factors"), "link")

    def _picture(self, data: bytes, side: int) -> None:
        picture = QPixmap()
        picture.loadFromData(data)
        label = self._label("", "picture", centre=True)
        size = QSize(side, side)
        label.setPixmap(
            picture.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
        )

    def _secret(self, secret: str) -> None:
        """A recovery code, with a button that copies it."""
        box = QFrame()
        box.setObjectName("box")
        outer = QVBoxLayout(box)
        outer.setContentsMargins(14, 12, 14, 12)
        column, self.column = self.column, outer
        self._label(self.text("keep"), "")
        row = QHBoxLayout()
        code = QLabel(secret)
        code.setObjectName("code")
        code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(code, 1)
        self._button("copy", self.text("copy"), partial(self._copy, secret), "copy")
        row.addWidget(self.buttons["copy"])
        outer.addLayout(row)
        self.column = column
        self.column.addWidget(box)

    def _copy(self, secret: str) -> None:
        QGuiApplication.clipboard().setText(secret)
        self.say(self.text("copied"), GREEN)

    def _build(self) -> None:
        """The frame around the screens: language on top, status, bar and hint below."""
        self.frame = QVBoxLayout(self)
        self.frame.setContentsMargins(0, 16, 0, 0)
        self.frame.setSpacing(0)
        self.switch = QPushButton("中文")
        self.switch.setObjectName("link")
        self.switch.clicked.connect(lambda: self.translate())  # noqa: PLW0108 - the same
        top = QHBoxLayout()
        top.setContentsMargins(28, 0, 28, 0)
        top.addStretch(1)
        top.addWidget(self.switch)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.hint = QLabel()
        self.hint.setObjectName("hint")
        self.hint.setWordWrap(True)
        self.frame.addLayout(top)
        self.frame.addWidget(self.body, 1)
        for widget in (self.status, self.bar, self.hint):
            self.frame.addWidget(widget)


def _masked(target: str | None) -> str:
    """Enough of a phone number or an address to know it by."""
    if not target:
        return ""
    name, at, host = target.partition("@")
    return f"{name[:2]}***{at}{host}" if at else f"{name[:3]}****{name[-4:]}"


@contextlib.contextmanager
def application(app_id: str | None, host: str | None) -> Iterator[Demo | None]:
    """Start the callback layer for a real application, or for an emulator of our own; end it afterwards."""
    with contextlib.ExitStack() as stack:
        stack.callback(Authing.shutdown)
        if app_id is not None:
            Authing.start(app_id, **({} if host is None else {"host": host}))
            yield None
            return
        from authing_mfa.emulator import Emulator

        emulator = stack.enter_context(Emulator())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        Authing.start(emulator.app_id, base_url=emulator.url, public_key=emulator.public_key)
        yield Demo(emulator, Path(folder))


def main() -> None:
    """Open the window and stay until it is closed."""
    parser = argparse.ArgumentParser(description="A sign-in window with all second factors.")
    parser.add_argument("--app-id", help="a real application; without it an embedded emulator plays the service")
    parser.add_argument("--host", help="the service's host, where it is not the cloud")
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    with application(options.app_id, options.host) as demo:
        MfaWindow(demo).show()
        app.exec()


if __name__ == "__main__":
    main()
