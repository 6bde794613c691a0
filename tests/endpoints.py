"""The list of endpoints for tests: how each is called, what goes over the wire, what the service answers, what the call returns.

Paths, field names and signatures are written out here a second time on purpose: a slip in the package does not change them. The
first call of an endpoint fills the fields that may stand together; what must not be shown holds the word s3cret.

More than 300 lines: each endpoint stands here once.
"""

from __future__ import annotations

import io
from typing import Any

import attrs
from PIL import Image

from authing_mfa import operations as ops
from authing_mfa.models import (
    Authenticator,
    Captcha,
    CustomField,
    Factor,
    FactorEnrollment,
    IdToken,
    MfaTokenInfo,
    SecurityLevel,
    TotpEnrollment,
    UserInfo,
)
from authing_mfa.operations import Operation, PublicConfig
from tests.servers import USER, ok, reply


@attrs.frozen
class Endpoint:
    """One endpoint with its method of `AuthClient`.

    `calls` are pairs of an operation and what it sends: a query as text, or the object in the body. `answers` are pairs of the
    service's `data` and what the call returns for it; in place of `data`, bytes are a whole HTTP answer.
    """

    signature: str
    route: str
    calls: list[tuple[Operation[Any], Any]]
    answers: list[tuple[Any, Any]] = attrs.field(factory=lambda: [(None, None)])

    @property
    def name(self) -> str:
        """The name of the method."""
        return self.signature.partition("(")[0]

    @property
    def operation(self) -> Operation[Any]:
        """The operation with every field filled."""
        return self.calls[0][0]

    @property
    def cls(self) -> type[Operation[Any]]:
        """The class of the operation."""
        return type(self.operation)

    async def call(self, client: Any) -> Any:
        """Call the method of *client* as a program does: required arguments by position, the others by name."""
        names = [field.name for field in attrs.fields(self.cls) if field.name in self.signature]
        required = self.signature.partition("*")[0]
        positional = [getattr(self.operation, name) for name in names if f"{name}:" in required]
        by_name = {name: getattr(self.operation, name) for name in names if f"{name}:" not in required}
        return await getattr(client, self.name)(*positional, **by_name)


def jpeg() -> bytes:
    """A small picture with a secret comment."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "JPEG", comment=b"s3cret")
    return picture.getvalue()


def answer_of(data: Any) -> bytes:
    """The HTTP answer that holds *data*."""
    return data if isinstance(data, bytes) else ok(data)


PHONE, EMAIL, CODE = "13900000000", "a@b.cn", "s3cret-code"
ADA = UserInfo("u1", "ada", token="id-token-of-ada", id_token="id-token-of-ada", raw=USER)
A_USER = [(USER, ADA)]
TOTP = {"authenticatorType": "totp"}
SMS_FACTOR = {
    "factorId": "6229ffaxxxxxxxxcade3e3d9",
    "factorType": "SMS",
    "profile": {"phoneNumber": "188xxxx8888", "phoneCountryCode": "+86"},
}
SMS = Factor("6229ffaxxxxxxxxcade3e3d9", "SMS", "188xxxx8888", "+86", raw=SMS_FACTOR)
PNG = b"\x89PNG\r\n\x1a\n..."
URI = "otpauth://totp/pool:test?secret=JBSWY3DPEHPK3PXP&period=30&digits=6&algorithm=SHA1&issuer=pool"
OTP_DATA = {
    "qrCodeUri": URI,
    "qrCodeDataUrl": "data:image/png;base64,iVBORw0KGgouLi4=",
    "recoveryCode": "e7ad-aaa4-da75-fa37-57d1-5141",
}
STARTED = {"enrollmentToken": "TQoCISid+JOw4T8fDWOs/z1Eh=", "otpData": OTP_DATA}
INACTIVE = {"active": False}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'
CHANGED = {"data": {"resetPasswordByForceResetToken": {"code": 200, "message": "ok"}}}
LEVEL = {"score": 60, "email": False, "phone": False, "password": True, "passwordSecurityLevel": 1, "mfa": False}

# The answers of the v3 API are those of the service's own pages (docs/wire.md#factor-enrollment, #session, #profile).
ENDPOINTS = [
    Endpoint(
        "mfa_check(*, phone: str | None = None, email: str | None = None) -> bool",
        "POST /api/v2/applications/mfa/check",
        [
            (ops.MfaCheck(PHONE, EMAIL), {"phone": PHONE, "email": EMAIL}),
            (ops.MfaCheck("1", None), {"phone": "1"}),
            (ops.MfaCheck(None, EMAIL), {"email": EMAIL}),
        ],
        [(True, True), (False, False)],
    ),
    Endpoint(
        "mfa_verify_by_phone(phone: str, code: str, *, phone_country_code: str | None = None) -> UserInfo",
        "POST /api/v2/applications/mfa/sms/verify",
        [
            (ops.VerifyByPhone(PHONE, CODE, "+86"), {"phone": PHONE, "code": CODE, "phoneCountryCode": "+86"}),
            (ops.VerifyByPhone("1", "2"), {"phone": "1", "code": "2"}),
        ],
        A_USER,
    ),
    Endpoint(
        "mfa_verify_by_email(email: str, code: str) -> UserInfo",
        "POST /api/v2/applications/mfa/email/verify",
        [(ops.VerifyByEmail(EMAIL, CODE), {"email": EMAIL, "code": CODE})],
        A_USER,
    ),
    *(
        Endpoint(
            f"{name}(code: str) -> UserInfo",
            "POST /api/v2/mfa/totp/verify",
            [(ops.VerifyByTotp(CODE), {**TOTP, "totp": CODE})],
            A_USER,
        )
        for name in ("mfa_verify_by_totp", "mfa_verify_by_otp")
    ),
    Endpoint(
        "mfa_verify_by_recovery_code(code: str) -> UserInfo",
        "POST /api/v2/mfa/totp/recovery",
        [(ops.VerifyByRecoveryCode(CODE), {**TOTP, "recoveryCode": CODE})],
        A_USER,
    ),
    Endpoint(
        "upload_face_image(image: ImageSource, *, private: bool = True) -> str",
        "POST /api/v2/upload",
        [
            (ops.UploadFaceImage(jpeg(), False), "folder=photos&private=false"),
            (ops.UploadFaceImage(jpeg(), True), "folder=photos&private=true"),
        ],
        [({"key": "k"}, "k")],
    ),
    Endpoint(
        "mfa_associate_by_face(photo_key_a: str, photo_key_b: str) -> UserInfo",
        "POST /api/v2/mfa/face/associate",
        [(ops.AssociateFace("ka", "kb"), {"photoA": "ka", "photoB": "kb", "isExternalPhoto": False})],
        A_USER,
    ),
    Endpoint(
        "mfa_verify_by_face(photo_key: str) -> UserInfo",
        "POST /api/v2/mfa/face/verify",
        [(ops.VerifyByFace("k"), {"type": "face", "photo": "k"})],
        A_USER,
    ),
    Endpoint(
        "login_by_account(account: str, password: str, *, auto_register: bool = False, captcha_code: str | None = None,"
        " captcha: Captcha | None = None) -> UserInfo",
        "POST /api/v2/login/account",
        [
            (
                ops.LoginByAccount("ada", "s3cret-word", True, "s3cret-captcha"),
                {"account": "ada", "password": "s3cret-word", "autoRegister": True, "captchaCode": "s3cret-captcha"},
            ),
            (
                ops.LoginByAccount("ada", "sealed", captcha_code="AbCd", captcha=Captcha(b"x", cookie="c=1")),
                {"account": "ada", "password": "sealed", "autoRegister": False, "captchaCode": "AbCd"},
            ),
            (ops.LoginByAccount("ada", "sealed"), {"account": "ada", "password": "sealed", "autoRegister": False}),
        ],
        A_USER,
    ),
    Endpoint(
        "login_by_phone_code(phone: str, code: str, *, phone_country_code: str | None = None, auto_register: bool = False)"
        " -> UserInfo",
        "POST /api/v2/login/phone-code",
        [
            (
                ops.LoginByPhoneCode(PHONE, CODE, "+86", True),
                {"phone": PHONE, "code": CODE, "phoneCountryCode": "+86", "autoRegister": True},
            ),
            (ops.LoginByPhoneCode("1", "2"), {"phone": "1", "code": "2", "autoRegister": False}),
        ],
        A_USER,
    ),
    Endpoint(
        "login_by_email_code(email: str, code: str, *, auto_register: bool = False) -> UserInfo",
        "POST /api/v2/login/email-code",
        [
            (ops.LoginByEmailCode(EMAIL, CODE, True), {"email": EMAIL, "code": CODE, "autoRegister": True}),
            (ops.LoginByEmailCode(EMAIL, "2"), {"email": EMAIL, "code": "2", "autoRegister": False}),
        ],
        A_USER,
    ),
    Endpoint(
        "send_sms(phone: str, *, phone_country_code: str | None = None, scene: str | None = None) -> None",
        "POST /api/v2/sms/send",
        [
            (ops.SendSms(PHONE, "+86", "login"), {"phone": PHONE, "phoneCountryCode": "+86", "scene": "login"}),
            (ops.SendSms("1"), {"phone": "1"}),
        ],
    ),
    Endpoint(
        "send_mfa_email(email: str) -> None",
        "POST /api/v2/email/send",
        [(ops.SendMfaEmail(EMAIL), {"email": EMAIL, "scene": "MFA_VERIFY"})],
    ),
    Endpoint(
        "send_email(email: str, *, scene: str = VERIFY_CODE) -> None",
        "POST /api/v2/email/send",
        [
            (ops.SendEmail(EMAIL, "RESET_PASSWORD"), {"email": EMAIL, "scene": "RESET_PASSWORD"}),
            (ops.SendEmail(EMAIL), {"email": EMAIL, "scene": "VERIFY_CODE"}),
        ],
    ),
    Endpoint(
        "mfa_associate_by_totp() -> TotpEnrollment",
        "POST /api/v2/mfa/totp/associate",
        [(ops.AssociateTotp(), {**TOTP, "source": "SELF"})],
        [({"secret": "S", "qrcode_uri": "otpauth://x", "recovery_code": "r"}, TotpEnrollment("S", "otpauth://x", "r"))],
    ),
    Endpoint(
        "mfa_confirm_totp(code: str) -> UserInfo | None",
        "POST /api/v2/mfa/totp/associate/confirm",
        [(ops.ConfirmTotp(CODE), {**TOTP, "totp": CODE, "source": "SELF"})],
        [(None, None), *A_USER],
    ),
    Endpoint("mfa_delete_totp() -> None", "DELETE /api/v2/mfa/totp/associate", [(ops.DeleteTotp(), "")]),
    Endpoint(
        "mfa_list_authenticators() -> tuple[Authenticator, ...]",
        "GET /api/v2/mfa/authenticator",
        [(ops.ListAuthenticators(), "type=totp&source=SELF")],
        [([{"id": "a", "authenticatorType": "totp", "enable": True}], (Authenticator("a", "totp", enabled=True),))],
    ),
    Endpoint("mfa_unbind_phone() -> None", "POST /api/v2/mfa/phone/unbind", [(ops.UnbindPhone(), {})]),
    Endpoint("mfa_unbind_email() -> None", "POST /api/v2/mfa/email/unbind", [(ops.UnbindEmail(), {})]),
    Endpoint(
        "mfa_unbind_factor(factor_id: str) -> None",
        "POST /api/v3/reset-factor",
        [(ops.UnbindFactor("f"), {"factorId": "f"})],
    ),
    Endpoint("get_current_user() -> UserInfo", "GET /api/v2/users/me", [(ops.GetCurrentUser(), "")], A_USER),
    Endpoint(
        "get_custom_user_data(user_id: str) -> tuple[CustomField, ...]",
        "POST /api/v2/udvs/get",
        [(ops.GetCustomUserData("u1"), {"targetType": "USER", "targetId": "u1"})],
        [([{"key": "k", "value": 1}], (CustomField("k", 1),))],
    ),
    Endpoint(
        "list_enrolled_factors() -> tuple[Factor, ...]",
        "GET /api/v3/list-enrolled-factors",
        [(ops.ListEnrolledFactors(), "")],
        # The page prints one object where it documents an array.
        [([SMS_FACTOR], (SMS,)), (SMS_FACTOR, (SMS,)), ([], ()), (None, ())],
    ),
    Endpoint(
        "list_factors_to_enroll() -> tuple[str, ...]",
        "GET /api/v3/list-factors-to-enroll",
        [(ops.ListFactorsToEnroll(), "")],
        [([{"factorType": "SMS"}, {"factorType": "OTP"}], ("SMS", "OTP")), ({"factorType": "SMS"}, ("SMS",))],
    ),
    Endpoint(
        "get_factor(factor_id: str) -> Factor",
        "GET /api/v3/get-factor",
        [(ops.GetFactor("f/&=?"), "factorId=f%2F%26%3D%3F")],
        [(SMS_FACTOR, SMS)],
    ),
    Endpoint(
        "send_enroll_factor_request(factor_type: str, *, phone: str | None = None, phone_country_code: str | None = None,"
        " email: str | None = None) -> FactorEnrollment",
        "POST /api/v3/send-enroll-factor-request",
        [
            (
                ops.SendEnrollFactorRequest("SMS", PHONE, "+86", EMAIL),
                {"factorType": "SMS", "profile": {"phoneNumber": PHONE, "phoneCountryCode": "+86", "email": EMAIL}},
            ),
            (ops.SendEnrollFactorRequest("OTP"), {"factorType": "OTP", "profile": {}}),
        ],
        [
            ({"enrollmentToken": "TQ"}, FactorEnrollment("TQ", raw={"enrollmentToken": "TQ"})),
            (
                STARTED,
                FactorEnrollment(
                    "TQoCISid+JOw4T8fDWOs/z1Eh=", "JBSWY3DPEHPK3PXP", URI, "e7ad-aaa4-da75-fa37-57d1-5141", PNG, STARTED
                ),
            ),
        ],
    ),
    Endpoint(
        "enroll_factor(enrollment_token: str, factor_type: str, *, code: str | None = None, photo_key: str | None = None)"
        " -> None",
        "POST /api/v3/enroll-factor",
        [
            (
                ops.EnrollFactor("s3cret-token", "SMS", CODE),
                {"enrollmentToken": "s3cret-token", "factorType": "SMS", "enrollmentData": {"passCode": CODE}},
            ),
            (
                ops.EnrollFactor("t", "FACE", photo_key="k"),
                {
                    "enrollmentToken": "t",
                    "factorType": "FACE",
                    "enrollmentData": {"photo": "k", "isExternalPhoto": False},
                },
            ),
        ],
    ),
    Endpoint(
        "check_totp(code: str) -> bool",
        "POST /api/v3/mfa-totp-verify",
        [(ops.CheckTotp(CODE), {"totp": CODE})],
        [({"verified": True}, True)],
    ),
    Endpoint(
        "introspect_mfa_token(mfa_token: str) -> MfaTokenInfo",
        "POST /mfa/token/introspection",
        [(ops.IntrospectMfaToken("s3cret-token"), {"token": "s3cret-token"})],
        [(INACTIVE, MfaTokenInfo(active=False, raw=INACTIVE))],
    ),
    Endpoint(
        "get_captcha() -> Captcha",
        "GET /api/v2/security/captcha",
        [(ops.GetCaptcha(), "")],
        [(reply(SVG, 200, "Content-Type: image/svg+xml"), Captcha(SVG))],
    ),
    Endpoint(
        "change_password_by_first_login_token(token: str, password: str) -> None",
        "POST /api/v2/users/password/reset-by-first-login-token",
        [
            (
                ops.ChangePasswordByFirstLoginToken("s3cret-token", "s3cret-word"),
                {"token": "s3cret-token", "password": "s3cret-word"},
            )
        ],
    ),
    Endpoint(
        "change_expired_password(token: str, old_password: str, new_password: str) -> None",
        "POST /graphql/v2",
        [
            (
                ops.ChangeExpiredPassword("s3cret-token", "s3cret-old", "s3cret-new"),
                {
                    "query": ops.ChangeExpiredPassword.constant_fields["query"],
                    "variables": {"token": "s3cret-token", "oldPassword": "s3cret-old", "newPassword": "s3cret-new"},
                },
            )
        ],
        [(reply(CHANGED), None)],
    ),
    Endpoint(
        "refresh_id_token() -> IdToken",
        "POST /api/v2/users/refresh-token",
        [(ops.RefreshIdToken(), {})],
        [({"token": "jwt", "iat": 1641796088, "exp": 1643092088}, IdToken("jwt", 1641796088.0, 1643092088.0))],
    ),
    Endpoint("logout() -> None", "GET /api/v2/logout", [(ops.Logout(), "app_id=app")]),
    Endpoint(
        "get_security_level() -> SecurityLevel",
        "GET /api/v2/users/me/security-level",
        [(ops.GetSecurityLevel(), "")],
        [(LEVEL, SecurityLevel(60, mfa=False, raw=LEVEL))],
    ),
]

SAMPLES = {
    **{endpoint.cls: attrs.astuple(endpoint.operation, recurse=False) for endpoint in ENDPOINTS},
    PublicConfig: ("app",),  # asked by discovery: no method of the client
}
"""For each class of operations, a value for each field."""
