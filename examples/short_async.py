"""Log in and pass the second factor with coroutines: `python examples/short_async.py` tries it against the embedded emulator."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from authing_mfa import AuthClient, MfaRequiredError
from authing_mfa.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa import UserInfo


async def sign_in(client: AuthClient, account: str, password: str, ask_code: Callable[[], str]) -> UserInfo:
    """Return the user; *ask_code* is called if the service wants the code of the authenticator app."""
    try:
        return await client.login_by_account(account, password)
    except MfaRequiredError as error:
        return await client.as_user(error.challenge.token).mfa_verify_by_totp(ask_code())


async def main() -> None:
    """Sign in one user of the emulator."""
    async with Emulator() as emulator:
        ada = emulator.add_user(username="ada", password="secret", mfa=["OTP"], totp=True)  # noqa: S106 - of the emulator
        async with AuthClient(emulator.app_id, base_url=emulator.url, public_key=emulator.public_key) as client:
            user = await sign_in(client, "ada", "secret", lambda: ada.totp_code or "")
        print("Hello,", user.display_name)


if __name__ == "__main__":
    asyncio.run(main())
