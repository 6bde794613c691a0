# Every line that ends in "# wrong" must be an error to mypy and to pyright, and no other line.
from __future__ import annotations

from authing_mfa import TotpEnrollment, UserInfo
from authing_mfa.compat import AuthClient, Authing, dispatch

client = AuthClient()


def two(code: int, message: str | None) -> None: ...
def three(code: int, message: str | None, value: object) -> None: ...
def four(code: int, message: str | None, value: object, more: object) -> None: ...
def text_code(code: str, message: str | None, value: object) -> None: ...
def message_is_there(code: int, message: str, value: object) -> None: ...
def only_user(code: int, message: str | None, user: UserInfo) -> None: ...
def forgets_challenge(code: int, message: str | None, user: UserInfo | None) -> None: ...
def on_enrollment(code: int, message: str | None, enrollment: TotpEnrollment | None) -> None: ...


client.mfaCheck("188", None, two)  # wrong
client.mfaCheck("188", None, three)
client.mfaCheck("188", None, four)  # wrong
client.mfaCheck("188", None, text_code)  # wrong
client.mfaCheck("188", None, message_is_there)  # wrong
client.mfaCheck("188", three)  # wrong
client.mfaCheck("188", None)  # wrong
client.mfaCheck("188", None, None)  # wrong
client.mfaCheck("188", None, lambda code, message: None)  # wrong
client.mfaCheck("188", None, only_user)  # wrong
client.mfaVerifyByOTP("1234", only_user)  # wrong
client.mfaVerifyByOTP("1234", forgets_challenge)  # wrong
client.mfaVerifyByOTP(1234, three)  # wrong
client.mfaVerifyByOTP(totp="1234", completion=three)  # wrong
client.mfaVerifyByOTP(code="1234", completion=three)
client.mfaAssociateByOTP(on_enrollment)
client.mfaAssociateByOTP(forgets_challenge)  # wrong
client.uploadFaceImage(b"", completion=two)
client.uploadFaceImage(b"", completion=three)  # wrong
client.uploadFaceImage(b"", True, two)  # wrong
client.sendSms("188", three, dispatcher=dispatch.qt)  # wrong
client.sendSms("188", three, dispatch.qt())  # wrong
Authing.setHost(None)  # wrong
Authing.setDispatcher(three)  # wrong
client.sendSms("188", two)
client.sendSms("188", four)  # wrong
client.logout(two)
client.getCurrentUser(two)  # wrong
client.getCustomUserData(3, three)  # wrong
