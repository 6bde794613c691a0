"""The callback layer's static types, checked by mypy and pyright: what is right here must stay right. Nothing of it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

from authing_mfa.compat import AuthClient, Authing, Call, CompatAuthClient, Completion, Dispatcher, dispatch

if TYPE_CHECKING:
    import asyncio
    import tkinter as tk
    from pathlib import Path

    from authing_mfa import (
        Authenticator,
        CustomField,
        Factor,
        FactorEnrollment,
        IdToken,
        MfaChallenge,
        PasswordChangeRequiredError,
        TotpEnrollment,
        UserInfo,
    )


def on_checked(code: int, message: str | None, free: bool | None) -> None: ...
def on_user(code: int, message: str | None, user: UserInfo | MfaChallenge | None) -> None: ...
def on_login(
    code: int, message: str | None, value: UserInfo | MfaChallenge | PasswordChangeRequiredError | None
) -> None: ...
def on_sent(code: int, message: str | None, nothing: None) -> None: ...
def on_sent_as_in_swift(code: int, message: str | None) -> None: ...
def on_factors(code: int, message: str | None, factors: tuple[Factor, ...] | None) -> None: ...
def on_factor_enrollment(code: int, message: str | None, enrollment: FactorEnrollment | None) -> None: ...
def on_token(code: int, message: str | None, token: IdToken | None) -> None: ...
def on_uploaded(code: int, key_or_message: str | None) -> None: ...
def on_enrollment(code: int, message: str | None, enrollment: TotpEnrollment | None) -> bool:
    return enrollment is not None


def on_list(code: int, message: str | None, found: tuple[Authenticator, ...] | None) -> None: ...
def on_fields(code: int, message: str | None, fields: tuple[CustomField, ...] | None) -> None: ...
def on_anything(code: int, message: str | None, value: object) -> None: ...
def on_any(*arguments: Any) -> str:
    return str(arguments)


def calls(client: CompatAuthClient, photo: bytes, path: Path) -> None:
    assert_type(client.mfaCheck("188", None, on_checked), Call)
    assert_type(client.mfaCheck(phone=None, email="a@b.test", completion=on_checked), Call)
    assert_type(client.mfaVerifyByPhone("188", "1234", on_user, phoneCountryCode="+86"), Call)
    client.mfaVerifyByEmail("a@b.test", "1234", on_user)
    client.mfaVerifyByOTP("1234", lambda code, message, user_info: None)
    client.mfaVerifyByTOTP("1234", completion=on_user)
    client.mfaVerifyByRecoveryCode("1234", on_anything)
    client.uploadFaceImage(photo, completion=on_uploaded)
    client.uploadFaceImage(path, False, completion=on_uploaded)
    client.mfaAssociateByFace("a", "b", on_user)
    client.mfaVerifyByFace("a", on_any)
    client.loginByAccount("ada", "secret", on_user, autoRegister=True)
    client.loginByPhoneCode("188", "1234", on_user)
    client.loginByEmail("a@b.test", "1234", on_user)
    client.sendSms("188", on_sent)
    client.sendMFAEmail("a@b.test", on_anything)
    client.mfaAssociateByOTP(on_enrollment)
    client.mfaAssociateConfirmByOTP("1234", on_user)
    client.mfaDeleteOTP(on_sent)
    client.mfaListAuthenticators(on_list)
    client.unbindMFAPhone(on_sent)
    client.unbindMFAEmail(on_sent)
    client.mfaUnbindFactor("id", on_sent)
    client.getCurrentUserInfo(on_user)
    client.getCustomUserData("id", on_fields)


def later_names(client: CompatAuthClient, user: UserInfo) -> None:
    client.loginByAccount("ada", "secret", on_login)
    client.loginByAccount("ada", "secret", lambda code, message, value: None)
    client.mfaAssociteByRecoveryCode("1234", on_user)
    client.getCurrentUser(on_login)
    client.getCustomUserData(user, on_fields)
    client.sendSms("188", on_sent_as_in_swift)
    client.sendEmail("a@b.test", "RESET_PASSWORD", on_sent_as_in_swift)
    client.logout(on_sent_as_in_swift)
    client.updateIdToken(on_token)
    client.listEnrolledFactors(on_factors)
    client.sendEnrollFactorRequest("SMS", on_factor_enrollment, phone="188")
    client.enrollFactor("token", "SMS", on_sent, code="1234")
    client.resetFactor("id", on_sent)
    client.resetPasswordByFirstTimeLoginToken("token", "secret", on_sent_as_in_swift)


def ours(client: CompatAuthClient, root: tk.Tk, loop: asyncio.AbstractEventLoop) -> None:
    dispatchers: list[Dispatcher] = [dispatch.tk(root), dispatch.qt(), dispatch.gtk(), dispatch.wx()]
    client.sendSms("188", on_sent, dispatcher=dispatchers[0], owner=root)
    client.sendSms("188", on_sent, dispatcher=dispatch.asyncio_loop(loop))
    completion: Completion = on_any
    call = client.mfaCheck("188", None, completion)
    assert_type(call.cancel(), bool)
    assert_type(call.wait(1.5), bool)
    assert_type(call.done, bool)


def process_wide() -> None:
    Authing.start("APP", timeout=10, host="authing.cn")
    Authing.setHost("authing.cn")
    Authing.setSchema("https")
    Authing.setOnPremiseInfo("auth.example.com", "KEY")
    Authing.setLanguage("zh-CN")
    Authing.setDispatcher(None)
    Authing.setDispatcher(lambda function: function())
    Authing.setErrorHandler(print)
    Authing.setCurrentToken(None)
    assert_type(Authing.getCurrentUser(), "UserInfo | None")
    Authing.shutdown()
    Authing.shutdown(None)
    assert_type(AuthClient(), CompatAuthClient)
