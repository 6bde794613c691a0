"""A login with TOTP against the emulator: what every installation can do."""

import asyncio

from authing_mfa import AuthClient, MfaRequiredError
from authing_mfa.emulator import Emulator


async def log_in(*, tls=False, **options):
    async with Emulator(tls=tls) as emu:
        ada = emu.add_user(username="ada", password="secret", mfa=["OTP"], totp=True)
        if tls:
            options["ssl_context"] = emu.client_ssl_context()
        async with AuthClient(emu.app_id, base_url=emu.url, public_key=emu.public_key, **options) as client:
            try:
                await client.login_by_account("ada", "secret")
            except MfaRequiredError as error:
                user = await client.as_user(error.challenge.token).mfa_verify_by_totp(ada.totp_code)
    assert user.username == "ada"


if __name__ == "__main__":
    asyncio.run(log_in())
