"""The async client as a typed program uses it. It is never run: mypy --strict and pyright read it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, assert_type

from authing_mfa import (
    AccountLockedError,
    ApiError,
    AuthClient,
    Authenticator,
    AuthingError,
    CallTimeoutError,
    CustomField,
    ImageSource,
    InvalidInputError,
    MfaChallenge,
    MfaFactor,
    MfaRequiredError,
    NetworkError,
    RateLimitedError,
    ResponseError,
    TotpEnrollment,
    UsageError,
    UserInfo,
    __version__,
)
from authing_mfa.operations import MfaCheck, VerifyByTotp

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp
    import PIL.Image

version: str = __version__


async def every_setting(session: aiohttp.ClientSession, scheme: Literal["https", "http"]) -> None:
    """All settings by name."""
    client = AuthClient(
        "app",
        token=None,
        host="authing.cn",
        scheme=scheme,
        on_premise=False,
        base_url=None,
        user_pool_id=None,
        public_key=None,
        lang="zh-CN",
        timeout=60,
        connect_timeout=10.0,
        max_connections=512,
        proxy=None,
        trust_env=False,
        ssl_context=ssl.create_default_context(),
        session=session,
        max_attempts=1,
        max_image_side=1280,
        max_image_memory=1 << 28,
        max_response_size=1 << 20,
    )
    assert_type(await client.aclose(), None)


async def every_call(token: str | None) -> None:
    """Each method, its arguments and what it gives."""
    async with AuthClient("app") as client:
        assert_type(client, AuthClient)
        user = client.as_user(token)
        assert_type(user, AuthClient)
        assert_type(await user.mfa_check(phone="1"), bool)
        assert_type(await user.mfa_check(email=None), bool)
        assert_type(await user.mfa_verify_by_phone("1", "2", phone_country_code="+86"), UserInfo)
        assert_type(await user.mfa_verify_by_email("a@b.cn", "2"), UserInfo)
        assert_type(await user.mfa_verify_by_totp("2"), UserInfo)
        assert_type(await user.mfa_verify_by_otp(code="2"), UserInfo)
        assert_type(await user.mfa_verify_by_recovery_code("2"), UserInfo)
        key = await user.upload_face_image(b"", private=False)
        text: str = key
        assert_type(await user.mfa_associate_by_face(key, text), UserInfo)
        assert_type(await user.mfa_verify_by_face(photo_key=key), UserInfo)
        assert_type(await client.login_by_account("ada", "pw", auto_register=True), UserInfo)
        assert_type(await client.login_by_phone_code("1", "2", phone_country_code=None), UserInfo)
        assert_type(await client.login_by_email_code("a@b.cn", "2"), UserInfo)
        await client.send_sms("1", phone_country_code="+86")
        await client.send_mfa_email("a@b.cn")
        assert_type(await user.mfa_associate_by_totp(), TotpEnrollment)
        assert_type(await user.mfa_confirm_totp("2"), UserInfo | None)
        await user.mfa_delete_totp()
        assert_type(await user.mfa_list_authenticators(), tuple[Authenticator, ...])
        await user.mfa_unbind_phone()
        await user.mfa_unbind_email()
        await user.mfa_unbind_factor("f")
        assert_type(await user.get_current_user(), UserInfo)
        assert_type(await user.get_custom_user_data("u"), tuple[CustomField, ...])
        assert_type(await user.perform(VerifyByTotp("2")), UserInfo)
        assert_type(await user.perform(MfaCheck("1")), bool)


async def every_picture(client: AuthClient, image: PIL.Image.Image, file: BinaryIO, path: Path) -> None:
    """All that a picture may be."""
    source: ImageSource
    for source in (image, b"bytes", "path.jpg", path, file):
        await client.upload_face_image(source)


def models(
    user: UserInfo, challenge: MfaChallenge, enrollment: TotpEnrollment, listed: Authenticator, field: CustomField
) -> None:
    """The fields of what comes back."""
    assert_type(user.id, str | None)
    assert_type(user.id_token, str | None)
    assert_type(user.recovery_code, str | None)
    assert_type(user.display_name, str | None)
    assert_type(user.raw, Mapping[str, Any])
    assert_type(challenge.token, str)
    assert_type(challenge.factors, tuple[MfaFactor, ...])
    assert_type(challenge.phone, str | None)
    assert_type(challenge.totp_enabled, bool)
    assert_type(challenge.raw, Mapping[str, Any])
    assert_type(challenge.factors[0].policy, str)
    assert_type(challenge.factors[0].sort, int)
    assert_type(enrollment.secret, str)
    assert_type(enrollment.qr_png, bytes | None)
    assert_type(listed.enabled, bool)
    assert_type(listed.source, str | None)
    assert_type(field.key, str)
    assert_type(field.data_type, str | None)


async def errors(client: AuthClient) -> None:
    """Each error carries what the next step needs."""
    try:
        await client.login_by_account("ada", "pw")
    except MfaRequiredError as error:
        assert_type(error.challenge, MfaChallenge)
        assert_type(error.code, int)
    except RateLimitedError as error:
        assert_type(error.retry_after, float | None)
    except AccountLockedError as error:
        assert_type(error.request_id, str | None)
    except ApiError as error:
        assert_type(error.http_status, int)
        assert_type(error.message, str)
    except CallTimeoutError as error:
        network: NetworkError = error
        assert_type(network.delivery, Literal["not_sent", "unknown", "answered"])
    except ResponseError as error:
        assert_type(error.http_status, int | None)
    except UsageError as error:
        misuse: RuntimeError = error
        bad: ValueError = error
        mistake: InvalidInputError = error
        del misuse, bad, mistake
    except AuthingError as error:
        if error.delivery == "unknown":
            assert_type(error.delivery, Literal["unknown"])
