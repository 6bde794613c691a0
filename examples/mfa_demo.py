"""The service of the example windows: a real application, a running emulator, or an embedded emulator with two users."""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import urllib.request
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authing_mfa.compat import Authing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mfa_sign_in import SignIn

    from authing_mfa.emulator import Emulator


class Demo:
    """The embedded emulator with two users, and the hints for a person who tries the window."""

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

    def hint(self, screen: str, window: SignIn) -> str:
        """Return the hint for *screen*: the values to enter."""
        if screen == "login":
            return window.text("demo").format(*self.ACCOUNTS, self.PASSWORD)
        if screen in ("SMS", "EMAIL") and self.emulator.outbox:
            return window.text("demo-code").format(self.emulator.outbox[-1].code)
        if screen == "ENROL" and window.enrollment is not None:
            return window.text("demo-totp").format(self.emulator.totp_code(window.enrollment.secret))
        if screen == "OTP":
            return window.text("demo-totp").format(self.ada.totp_code)
        if screen == "RECOVERY":
            return window.text("demo-recovery").format(self.ada.recovery_code)
        return ""


class RunningEmulator:
    """An emulator of another process: its page shows the codes."""

    photo = None

    def __init__(self, base_url: str) -> None:
        self.page = f"{base_url.rstrip('/')}/"

    def hint(self, screen: str, window: SignIn) -> str:
        """Return the hint for screens that need a code: the page to look at."""
        return window.text("inbox").format(self.page) if screen in ("login", "SMS", "EMAIL", "OTP") else ""


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="A sign-in window with all second factors.")
    parser.add_argument("--app-id", help="a real application; without it an embedded emulator plays the service")
    parser.add_argument("--host", help="the service's host, where it is not the cloud")
    parser.add_argument("--base-url", help="a running emulator, e.g. http://127.0.0.1:8888, or another base address")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def application(
    app_id: str | None = None, host: str | None = None, base_url: str | None = None
) -> Iterator[Demo | RunningEmulator | None]:
    """Start the callback layer for what the command line names, or for an embedded emulator; end it afterwards."""
    with contextlib.ExitStack() as stack:
        stack.callback(Authing.shutdown)
        if base_url is not None:
            emulator = _running_emulator(base_url)
            public_key = emulator.get("public_key")
            Authing.start(app_id or emulator.get("app_id", ""), base_url=base_url, public_key=public_key)
            yield RunningEmulator(base_url) if emulator else None
        elif app_id is not None:
            Authing.start(app_id, **({} if host is None else {"host": host}))
            yield None
        else:
            from authing_mfa.emulator import Emulator, Settings

            embedded = stack.enter_context(Emulator(settings=Settings(captcha_after=3)))
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            Authing.start(embedded.app_id, base_url=embedded.url, public_key=embedded.public_key)
            yield Demo(embedded, Path(folder))


def _running_emulator(base_url: str) -> dict[str, Any]:
    """Return the emulator's information about itself; nothing if *base_url* is another service."""
    try:
        with urllib.request.urlopen(f"{base_url.rstrip('/')}/_emulator/info", timeout=5) as answer:  # noqa: S310 - the user's address
            info: dict[str, Any] = json.load(answer)
            return info
    except (OSError, ValueError):
        return {}
