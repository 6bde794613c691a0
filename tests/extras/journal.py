"""A batch with a journal: run twice, each row is sent once."""

from authing_mfa import AuthClient
from authing_mfa.batch import VerifyRequest, verify_many
from authing_mfa.emulator import Emulator


async def run_twice(journal, **options):
    async with Emulator() as emu, AuthClient(emu.app_id, base_url=emu.url) as client:
        ada = emu.add_user(username="ada", password="secret", totp=True)
        rows = [VerifyRequest.totp(ada.totp_code, token=emu.issue_mfa_token(ada), key="ada")]
        for _ in range(2):
            assert [outcome.ok async for outcome in verify_many(client, rows, journal=journal, **options)] == [True]
        emu.assert_verified_once()
