"""Log in and pass the second factor with callbacks: `python examples/short_callbacks.py` tries it against the embedded emulator."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from authing_mfa import UserInfo
from authing_mfa.compat import AuthClient, Authing
from authing_mfa.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable


def answered(ask_code: Callable[[], str], done: threading.Event, code: int, message: str | None, value: Any) -> None:
    """Handle the answer of the login, and then the answer of the second factor."""
    if code in (1635, 1636):  # the mfaToken of the challenge is the current token now
        AuthClient().mfaVerifyByTOTP(ask_code(), partial(answered, ask_code, done))
        return
    print(f"Hello, {value.display_name}" if isinstance(value, UserInfo) else f"{message} ({code})")
    done.set()


def main() -> None:
    """Sign in one user of the emulator."""
    done = threading.Event()
    with Emulator() as emulator:
        ada = emulator.add_user(username="ada", password="secret", mfa=["OTP"], totp=True)  # noqa: S106 - of the emulator
        Authing.start(emulator.app_id, base_url=emulator.url, public_key=emulator.public_key)
        AuthClient().loginByAccount("ada", "secret", partial(answered, lambda: ada.totp_code or "", done))
        done.wait(30)
        Authing.shutdown()


if __name__ == "__main__":
    main()
