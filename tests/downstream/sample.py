"""A user's program, checked with mypy --strict and pyright against the installed wheel: every face, as users write it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from authing_mfa import AuthClient, AuthingError, MfaChallenge, MfaRequiredError, TotpEnrollment, UserInfo, compat, sync
from authing_mfa.batch import Outcome, VerifyRequest, verify_many
from authing_mfa.emulator import EmulatedUser, Emulator


async def log_in(client: AuthClient, password: str, ask: Callable[[MfaChallenge], str]) -> UserInfo:
    try:
        return await client.login_by_account("ada", password)
    except MfaRequiredError as error:
        view: AuthClient = client.as_user(error.challenge.token)
        code: str = ask(error.challenge)
        return await view.mfa_verify_by_totp(code)


async def bind(client: AuthClient, user: UserInfo, picture: Path) -> tuple[TotpEnrollment, str]:
    view = client.as_user(user.id_token)
    enrollment = await view.mfa_associate_by_totp()
    key: str = await view.upload_face_image(picture)
    return enrollment, key


async def batch(client: AuthClient, codes: dict[str, str]) -> list[Outcome]:
    rows = [VerifyRequest.totp(code, token=token) for token, code in codes.items()]
    return [outcome async for outcome in verify_many(client, rows)]


def blocking(client: sync.AuthClient) -> bool:
    try:
        answer: bool = client.mfa_check(phone="13800000000")
    except AuthingError as error:
        print(error.code, error.message, error.delivery)
        return False
    return answer


def callbacks() -> compat.Call:
    def done(code: int, message: str | None, user: UserInfo | MfaChallenge | None) -> None:
        print(code, message, user)

    return compat.AuthClient().mfaVerifyByOTP("123456", done)


async def main() -> str | None:
    async with Emulator() as emu, AuthClient(emu.app_id, base_url=emu.url, public_key=emu.public_key) as client:
        ada: EmulatedUser = emu.add_user(username="ada", password="secret", mfa=["OTP"], totp=True)
        user = await log_in(client, "secret", lambda challenge: ada.totp_code or challenge.token)
        return user.username


if __name__ == "__main__":
    print(asyncio.run(main()))
