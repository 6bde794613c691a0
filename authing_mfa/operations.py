"""Every endpoint of the service, one frozen class each. No other module has a path or a field's wire name.

An operation holds the caller's arguments, which are checked when it is made. Its class variables are the same for every call: its
route, its constant fields, the type of its answer, whether it needs a token, whether it may be retried, the names of its methods.
Secret fields do not show in its repr.

An operation is ``retryable`` if a try changes nothing for any user: it only reads, or it uploads a photo that no user has yet.
Such a call is retried after a lost answer or HTTP 5xx. Every other call is retried only if the service has not performed it (`retry`).

Paths and bodies are those of the official iOS client (docs/wire.md#requests), except where
docs/wire.md#bugs-of-ios lists them. Field names become camelCase on the wire; fields that are None are left out;
a field with another wire name has it in its metadata. Field names are the parameter names of the methods.

More than 300 lines, because every endpoint is described here and nowhere else.
"""

from __future__ import annotations

from enum import Enum
from types import NoneType
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from authing_mfa._value import Value
from authing_mfa.errors import ApiError, InvalidInputError, RateLimitedError, WrongCodeError
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

T_co = TypeVar("T_co", covariant=True)


class Bearer(Enum):
    """Whether an operation sends the caller's token."""

    REQUIRED = "required"  # no token: LoginError, nothing is sent
    OPTIONAL = "optional"  # sent if the client has one, as the iOS client does
    NEVER = "never"  # no official client authenticates it


class PhotoKey(str):
    """The key of an uploaded photo, `data.key` of the upload's answer."""

    __slots__ = ()


class JpegBytes(bytes):
    """A picture that `images.prepare` has made ready to be uploaded."""

    __slots__ = ()


class FactorType(str):
    """The type of a factor that can be enrolled, `factorType` of its object."""

    __slots__ = ()


class Verified:
    """Marks an answer whose payload is ``{"verified": true}``; its value is a bool."""


@attrs.frozen(eq=False, repr=False, slots=False)
class Route(Value):
    """The HTTP method, the path and the constant query of an operation (``{app_id}`` is filled in)."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def post(cls, path: str) -> Route:
        """Return a POST to *path*."""
        return cls("POST", path)

    @classmethod
    def get(cls, path: str, **query: str) -> Route:
        """Return a GET of *path* with a fixed *query*."""
        return cls("GET", path, tuple(query.items()))

    @classmethod
    def delete(cls, path: str) -> Route:
        """Return a DELETE of *path*."""
        return cls("DELETE", path)


@attrs.frozen(eq=False, repr=False, slots=False)
class Operation(Value, Generic[T_co]):
    """One call of the service; *T_co* is what it answers."""

    route: ClassVar[Route]
    returns: ClassVar[Any]  # the type that protocol.decode reads from the answer
    constant_fields: ClassVar[dict[str, Any]] = {}  # wire fields that are always the same
    bearer: ClassVar[Bearer] = Bearer.REQUIRED
    retryable: ClassVar[bool] = False  # True: it changes nothing, and is retried although the service may have seen it
    encrypted_fields: ClassVar[tuple[str, ...]] = ()  # passwords: they are encrypted before they are sent
    error_overrides: ClassVar[dict[int, type[ApiError]]] = {}  # codes with another meaning for this operation
    false_on: ClassVar[tuple[type[ApiError], ...]] = ()  # errors that mean the answer False
    groups: ClassVar[tuple[str, ...]] = ()  # wire objects that hold some of the fields
    graphql_field: ClassVar[str | None] = None  # the field of a GraphQL operation
    python_name: ClassVar[str]  # AuthClient's name for it
    swift_names: ClassVar[tuple[str, ...]]  # the callback layer's names for it


def _check_text(_: Operation[Any], attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str):
        raise InvalidInputError(f"{attribute.name} must be text (str), not {type(value).__name__}.")
    if not value.strip():
        raise InvalidInputError(f"{attribute.name} is empty.")
    if not value.isascii() and not _is_utf8(value):
        raise InvalidInputError(
            f"{attribute.name} is not valid text: it holds half of a surrogate pair, which UTF-8 does not have."
        )


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_optional_text(operation: Operation[Any], attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None:
        _check_text(operation, attribute, value)


def _check_bool(_: Operation[Any], attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidInputError(f"{attribute.name} must be True or False, not {type(value).__name__}.")


def _check_picture(_: Operation[Any], attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None or (isinstance(value, (bytes, str)) and not value):
        raise InvalidInputError(f"{attribute.name} is empty.")


def _check_captcha(operation: Operation[Any], attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    if not isinstance(value, Captcha):
        raise InvalidInputError(f"{attribute.name} must be a Captcha of get_captcha, not {type(value).__name__}.")
    if getattr(operation, "captcha_code", None) is None:
        raise InvalidInputError("A captcha needs its captcha_code: the text in the picture.")


def _text(wire: str | None = None) -> Any:
    return attrs.field(validator=_check_text, metadata={"wire": wire})


def _secret(wire: str | None = None, *, group: str | None = None) -> Any:
    return attrs.field(validator=_check_text, repr=False, metadata={"wire": wire, "group": group})


def _optional_text(
    wire: str | None = None,
    *,
    group: str | None = None,
    beside: dict[str, Any] | None = None,
    repr: bool = True,  # noqa: A002 - attrs' own word
) -> Any:
    """Return a field for text or None. It is part of the wire object *group*; if it is set, the fields *beside* are sent with it."""
    metadata = {"wire": wire, "group": group, "beside": beside or {}}
    return attrs.field(default=None, validator=_check_optional_text, repr=repr, metadata=metadata)


def _flag(*, default: bool) -> Any:
    return attrs.field(default=default, validator=_check_bool)


_TOTP = {"authenticatorType": "totp"}


# ─────────────────────────────── the eight calls of the reference document ───────────────────────────────


@attrs.frozen(eq=False, repr=False, slots=False)
class MfaCheck(Operation[bool]):
    """Check whether a phone number or an e-mail address may be bound for MFA (docs/wire.md#mfa-check). If both are given, both are sent."""

    route: ClassVar[Route] = Route.post("/api/v2/applications/mfa/check")
    returns = bool
    retryable = True
    python_name = "mfa_check"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaCheck",)

    phone: str | None = _optional_text()
    email: str | None = _optional_text()

    def __attrs_post_init__(self) -> None:
        if self.phone is None and self.email is None:
            raise InvalidInputError("mfa_check needs a phone or an email.")


@attrs.frozen(eq=False, repr=False, slots=False)
class VerifyByPhone(Operation[UserInfo]):
    """Verify, or bind, a phone with the code that was sent to it by SMS (docs/wire.md#sms-and-e-mail-verification)."""

    route: ClassVar[Route] = Route.post("/api/v2/applications/mfa/sms/verify")
    returns = UserInfo
    python_name = "mfa_verify_by_phone"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaVerifyByPhone",)

    phone: str = _text()
    code: str = _secret()
    phone_country_code: str | None = _optional_text()


@attrs.frozen(eq=False, repr=False, slots=False)
class VerifyByEmail(Operation[UserInfo]):
    """Verify, or bind, an e-mail address with the code that was sent to it (docs/wire.md#sms-and-e-mail-verification)."""

    route: ClassVar[Route] = Route.post("/api/v2/applications/mfa/email/verify")
    returns = UserInfo
    python_name = "mfa_verify_by_email"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaVerifyByEmail",)

    email: str = _text()
    code: str = _secret()


@attrs.frozen(eq=False, repr=False, slots=False)
class VerifyByTotp(Operation[UserInfo]):
    """Verify with a code of the authenticator app (docs/wire.md#totp-verification)."""

    route: ClassVar[Route] = Route.post("/api/v2/mfa/totp/verify")
    returns = UserInfo
    constant_fields: ClassVar[dict[str, Any]] = _TOTP
    python_name = "mfa_verify_by_totp"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaVerifyByOTP", "mfaVerifyByTOTP")

    code: str = _secret("totp")


@attrs.frozen(eq=False, repr=False, slots=False)
class VerifyByRecoveryCode(Operation[UserInfo]):
    """Verify with the recovery code (docs/wire.md#recovery-code). The answer has the new code beside `data`; the old code is void."""

    route: ClassVar[Route] = Route.post("/api/v2/mfa/totp/recovery")
    returns = UserInfo
    constant_fields: ClassVar[dict[str, Any]] = _TOTP
    python_name = "mfa_verify_by_recovery_code"
    swift_names: ClassVar[tuple[str, ...]] = (
        "mfaVerifyByRecoveryCode",
        "mfaAssociteByRecoveryCode",  # the SDK's own spelling
    )

    code: str = _secret("recoveryCode")


@attrs.frozen(eq=False, repr=False, slots=False)
class UploadFaceImage(Operation[PhotoKey]):
    """Upload a face photo and return its key (docs/wire.md#photo-upload). No official client authenticates this call.

    `image` is any picture (`images.ImageSource`); the JPEG file that `images.prepare` makes of it is sent.
    """

    route: ClassVar[Route] = Route("POST", "/api/v2/upload", (("folder", "photos"),))
    returns = PhotoKey
    bearer = Bearer.NEVER
    retryable = True
    python_name = "upload_face_image"
    swift_names: ClassVar[tuple[str, ...]] = ("uploadFaceImage",)

    image: Any = attrs.field(validator=_check_picture, repr=False)
    private: bool = _flag(default=True)


@attrs.frozen(eq=False, repr=False, slots=False)
class AssociateFace(Operation[UserInfo]):
    """Bind a face with the keys of two photos; the answer is the final login (docs/wire.md#face)."""

    route: ClassVar[Route] = Route.post("/api/v2/mfa/face/associate")
    returns = UserInfo
    constant_fields: ClassVar[dict[str, Any]] = {"isExternalPhoto": False}
    python_name = "mfa_associate_by_face"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaAssociateByFace",)

    photo_key_a: str = _text("photoA")
    photo_key_b: str = _text("photoB")


@attrs.frozen(eq=False, repr=False, slots=False)
class VerifyByFace(Operation[UserInfo]):
    """Verify the bound face with the key of one photo (docs/wire.md#face)."""

    route: ClassVar[Route] = Route.post("/api/v2/mfa/face/verify")
    returns = UserInfo
    constant_fields: ClassVar[dict[str, Any]] = {"type": "face"}
    python_name = "mfa_verify_by_face"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaVerifyByFace",)

    photo_key: str = _text("photo")


# ─────────────────────────────── what a journey needs around them ───────────────────────────────


@attrs.frozen(eq=False, repr=False, slots=False)
class LoginByAccount(Operation[UserInfo]):
    """Log in with a user name, phone or e-mail address and the RSA-encrypted password (docs/wire.md#password-login)."""

    route: ClassVar[Route] = Route.post("/api/v2/login/account")
    returns = UserInfo
    bearer = Bearer.OPTIONAL
    encrypted_fields: ClassVar[tuple[str, ...]] = ("password",)
    python_name = "login_by_account"
    swift_names: ClassVar[tuple[str, ...]] = ("loginByAccount",)

    account: str = _text()
    password: str = _secret()
    auto_register: bool = _flag(default=False)
    captcha_code: str | None = _optional_text(repr=False)
    captcha: Captcha | None = attrs.field(default=None, validator=_check_captcha, metadata={"header": True})


@attrs.frozen(eq=False, repr=False, slots=False)
class LoginByPhoneCode(Operation[UserInfo]):
    """Log in with a code that was sent by SMS (docs/wire.md#code-login)."""

    route: ClassVar[Route] = Route.post("/api/v2/login/phone-code")
    returns = UserInfo
    bearer = Bearer.OPTIONAL
    python_name = "login_by_phone_code"
    swift_names: ClassVar[tuple[str, ...]] = ("loginByPhoneCode",)

    phone: str = _text()
    code: str = _secret()
    phone_country_code: str | None = _optional_text()
    auto_register: bool = _flag(default=False)


@attrs.frozen(eq=False, repr=False, slots=False)
class LoginByEmailCode(Operation[UserInfo]):
    """Log in with a code that was sent by e-mail (docs/wire.md#code-login)."""

    route: ClassVar[Route] = Route.post("/api/v2/login/email-code")
    returns = UserInfo
    bearer = Bearer.OPTIONAL
    python_name = "login_by_email_code"
    swift_names: ClassVar[tuple[str, ...]] = ("loginByEmail",)

    email: str = _text()
    code: str = _secret()
    auto_register: bool = _flag(default=False)


_TEMPLATE_MISSING: dict[int, type[ApiError]] = {2021: ApiError}  # elsewhere it means the mfaToken


@attrs.frozen(eq=False, repr=False, slots=False)
class SendSms(Operation[None]):
    """Send a code by SMS (docs/wire.md#sending-codes). Without a scene the field is left out, as in the mobile clients."""

    route: ClassVar[Route] = Route.post("/api/v2/sms/send")
    returns = NoneType
    bearer = Bearer.OPTIONAL
    error_overrides: ClassVar[dict[int, type[ApiError]]] = {**_TEMPLATE_MISSING, 422: RateLimitedError}
    python_name = "send_sms"
    swift_names: ClassVar[tuple[str, ...]] = ("sendSms",)

    phone: str = _text()
    phone_country_code: str | None = _optional_text()
    scene: str | None = _optional_text()


@attrs.frozen(eq=False, repr=False, slots=False)
class SendMfaEmail(Operation[None]):
    """Send an MFA code by e-mail, scene MFA_VERIFY (docs/wire.md#sending-codes)."""

    route: ClassVar[Route] = Route.post("/api/v2/email/send")
    returns = NoneType
    constant_fields: ClassVar[dict[str, Any]] = {"scene": "MFA_VERIFY"}
    bearer = Bearer.OPTIONAL
    error_overrides: ClassVar[dict[int, type[ApiError]]] = _TEMPLATE_MISSING
    python_name = "send_mfa_email"
    swift_names: ClassVar[tuple[str, ...]] = ("sendMFAEmail",)

    email: str = _text()


@attrs.frozen(eq=False, repr=False, slots=False)
class SendEmail(Operation[None]):
    """Send a code by e-mail for any scene (docs/wire.md#sending-codes)."""

    route: ClassVar[Route] = Route.post("/api/v2/email/send")
    returns = NoneType
    bearer = Bearer.OPTIONAL
    error_overrides: ClassVar[dict[int, type[ApiError]]] = _TEMPLATE_MISSING
    python_name = "send_email"
    swift_names: ClassVar[tuple[str, ...]] = ("sendEmail",)

    email: str = _text()
    scene: str = attrs.field(default="VERIFY_CODE", validator=_check_text)


@attrs.frozen(eq=False, repr=False, slots=False)
class AssociateTotp(Operation[TotpEnrollment]):
    """Request a TOTP secret to bind; it has no effect until it is confirmed (docs/wire.md#totp-binding)."""

    route: ClassVar[Route] = Route.post("/api/v2/mfa/totp/associate")
    returns = TotpEnrollment
    constant_fields: ClassVar[dict[str, Any]] = _TOTP
    python_name = "mfa_associate_by_totp"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaAssociateByOTP",)

    source: str = attrs.field(default="SELF", validator=_check_text)


@attrs.frozen(eq=False, repr=False, slots=False)
class ConfirmTotp(Operation["UserInfo | None"]):
    """Confirm the TOTP secret with its first code (docs/wire.md#totp-confirmation). The answer to a wrong code is code 400."""

    route: ClassVar[Route] = Route.post("/api/v2/mfa/totp/associate/confirm")
    returns = UserInfo | None
    constant_fields: ClassVar[dict[str, Any]] = _TOTP
    error_overrides: ClassVar[dict[int, type[ApiError]]] = {400: WrongCodeError}
    python_name = "mfa_confirm_totp"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaAssociateConfirmByOTP",)

    code: str = _secret("totp")
    source: str = attrs.field(default="SELF", validator=_check_text)


class DeleteTotp(Operation[None]):
    """Unbind TOTP (docs/wire.md#totp-deletion). It needs the token of a logged-in user."""

    route: ClassVar[Route] = Route.delete("/api/v2/mfa/totp/associate")
    returns = NoneType
    python_name = "mfa_delete_totp"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaDeleteOTP",)


class ListAuthenticators(Operation[tuple[Authenticator, ...]]):
    """List the user's TOTP authenticators (docs/wire.md#authenticator-list)."""

    route: ClassVar[Route] = Route.get("/api/v2/mfa/authenticator", type="totp", source="SELF")
    returns = tuple[Authenticator, ...]
    retryable = True
    python_name = "mfa_list_authenticators"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaListAuthenticators",)


class UnbindPhone(Operation[None]):
    """Unbind the MFA phone (docs/wire.md#unbinding). It needs the token of a logged-in user."""

    route: ClassVar[Route] = Route.post("/api/v2/mfa/phone/unbind")
    returns = NoneType
    python_name = "mfa_unbind_phone"
    swift_names: ClassVar[tuple[str, ...]] = ("unbindMFAPhone",)


class UnbindEmail(Operation[None]):
    """Unbind the MFA e-mail address (docs/wire.md#unbinding). It needs the token of a logged-in user."""

    route: ClassVar[Route] = Route.post("/api/v2/mfa/email/unbind")
    returns = NoneType
    python_name = "mfa_unbind_email"
    swift_names: ClassVar[tuple[str, ...]] = ("unbindMFAEmail",)


@attrs.frozen(eq=False, repr=False, slots=False)
class UnbindFactor(Operation[None]):
    """Unbind one factor by its id, through the v3 API (docs/wire.md#unbinding)."""

    route: ClassVar[Route] = Route.post("/api/v3/reset-factor")
    returns = NoneType
    python_name = "mfa_unbind_factor"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaUnbindFactor", "resetFactor")

    factor_id: str = _text()


class GetCurrentUser(Operation[UserInfo]):
    """Get the user of the token (docs/wire.md#profile)."""

    route: ClassVar[Route] = Route.get("/api/v2/users/me")
    returns = UserInfo
    retryable = True
    python_name = "get_current_user"
    swift_names: ClassVar[tuple[str, ...]] = ("getCurrentUserInfo", "getCurrentUser")


@attrs.frozen(eq=False, repr=False, slots=False)
class GetCustomUserData(Operation[tuple[CustomField, ...]]):
    """Get the custom fields of one user (docs/wire.md#custom-data)."""

    route: ClassVar[Route] = Route.post("/api/v2/udvs/get")
    returns = tuple[CustomField, ...]
    retryable = True
    constant_fields: ClassVar[dict[str, Any]] = {"targetType": "USER"}
    python_name = "get_custom_user_data"
    swift_names: ClassVar[tuple[str, ...]] = ("getCustomUserData",)

    user_id: str = _text("targetId")


# ─────────────────────────────── factors, through the v3 API ───────────────────────────────


class ListEnrolledFactors(Operation[tuple[Factor, ...]]):
    """List the factors that the user has enrolled (docs/wire.md#factor-enrollment)."""

    route: ClassVar[Route] = Route.get("/api/v3/list-enrolled-factors")
    returns = tuple[Factor, ...]
    retryable = True
    python_name = "list_enrolled_factors"
    swift_names: ClassVar[tuple[str, ...]] = ("listEnrolledFactors",)


class ListFactorsToEnroll(Operation[tuple[str, ...]]):
    """List the types of factors that the application allows and the user has not enrolled (docs/wire.md#factor-enrollment)."""

    route: ClassVar[Route] = Route.get("/api/v3/list-factors-to-enroll")
    returns = tuple[FactorType, ...]
    retryable = True
    python_name = "list_factors_to_enroll"
    swift_names: ClassVar[tuple[str, ...]] = ("listFactorsToEnroll",)


@attrs.frozen(eq=False, repr=False, slots=False)
class GetFactor(Operation[Factor]):
    """Get one enrolled factor by its id (docs/wire.md#factor-enrollment)."""

    route: ClassVar[Route] = Route.get("/api/v3/get-factor")
    returns = Factor
    retryable = True
    python_name = "get_factor"
    swift_names: ClassVar[tuple[str, ...]] = ("getFactor",)

    factor_id: str = _text()


@attrs.frozen(eq=False, repr=False, slots=False)
class SendEnrollFactorRequest(Operation[FactorEnrollment]):
    """Start an enrollment: the service sends a code by SMS or e-mail, or makes a TOTP secret (docs/wire.md#factor-enrollment)."""

    route: ClassVar[Route] = Route.post("/api/v3/send-enroll-factor-request")
    returns = FactorEnrollment
    groups: ClassVar[tuple[str, ...]] = ("profile",)
    python_name = "send_enroll_factor_request"
    swift_names: ClassVar[tuple[str, ...]] = ("sendEnrollFactorRequest",)

    factor_type: str = _text()
    phone: str | None = _optional_text("phoneNumber", group="profile")
    phone_country_code: str | None = _optional_text(group="profile")
    email: str | None = _optional_text(group="profile")

    def __attrs_post_init__(self) -> None:
        if self.factor_type == "SMS" and self.phone is None:
            raise InvalidInputError("An SMS factor needs a phone.")
        if self.factor_type == "EMAIL" and self.email is None:
            raise InvalidInputError("An EMAIL factor needs an email.")


@attrs.frozen(eq=False, repr=False, slots=False)
class EnrollFactor(Operation[None]):
    """Finish an enrollment with its code, or with the key of a photo (docs/wire.md#factor-enrollment). The answer has no id."""

    route: ClassVar[Route] = Route.post("/api/v3/enroll-factor")
    returns = NoneType
    groups: ClassVar[tuple[str, ...]] = ("enrollmentData",)
    python_name = "enroll_factor"
    swift_names: ClassVar[tuple[str, ...]] = ("enrollFactor",)

    enrollment_token: str = _secret()
    factor_type: str = _text()
    code: str | None = _optional_text("passCode", group="enrollmentData", repr=False)
    photo_key: str | None = _optional_text("photo", group="enrollmentData", beside={"isExternalPhoto": False})

    def __attrs_post_init__(self) -> None:
        if (self.code is None) == (self.photo_key is None):
            raise InvalidInputError("enroll_factor needs either a code or a photo_key.")
        if self.factor_type in ("SMS", "EMAIL", "OTP") and self.code is None:
            raise InvalidInputError(f"An {self.factor_type} factor is enrolled with a code.")
        if self.factor_type == "FACE" and self.photo_key is None:
            raise InvalidInputError("A FACE factor is enrolled with a photo_key.")


@attrs.frozen(eq=False, repr=False, slots=False)
class CheckTotp(Operation[bool]):
    """Check a TOTP code of a logged-in user (docs/wire.md#factor-enrollment). The answer has no user."""

    route: ClassVar[Route] = Route.post("/api/v3/mfa-totp-verify")
    returns = Verified
    false_on: ClassVar[tuple[type[ApiError], ...]] = (WrongCodeError,)
    python_name = "check_totp"
    swift_names: ClassVar[tuple[str, ...]] = ("mfaOtpVerify",)

    code: str = _secret("totp")


@attrs.frozen(eq=False, repr=False, slots=False)
class IntrospectMfaToken(Operation[MfaTokenInfo]):
    """Check whether an mfaToken is valid, and return its user (docs/wire.md#token-introspection)."""

    route: ClassVar[Route] = Route.post("/mfa/token/introspection")
    returns = MfaTokenInfo
    bearer = Bearer.OPTIONAL
    retryable = True
    python_name = "introspect_mfa_token"
    swift_names: ClassVar[tuple[str, ...]] = ("verifyMfaToken",)

    mfa_token: str = _secret("token")


# ─────────────────────────────── what else a login can ask for ───────────────────────────────


class GetCaptcha(Operation[Captcha]):
    """Get a captcha picture for the next login (docs/wire.md#captcha). The answer is the picture itself."""

    route: ClassVar[Route] = Route.get("/api/v2/security/captcha")
    returns = Captcha
    bearer = Bearer.NEVER
    retryable = True
    python_name = "get_captcha"
    swift_names: ClassVar[tuple[str, ...]] = ("getSecurityCaptcha",)


@attrs.frozen(eq=False, repr=False, slots=False)
class ChangePasswordByFirstLoginToken(Operation[None]):
    """Change the password after 1639 or 2071; the old password is not needed (docs/wire.md#forced-password-change)."""

    route: ClassVar[Route] = Route.post("/api/v2/users/password/reset-by-first-login-token")
    returns = NoneType
    bearer = Bearer.NEVER
    encrypted_fields: ClassVar[tuple[str, ...]] = ("password",)
    python_name = "change_password_by_first_login_token"
    swift_names: ClassVar[tuple[str, ...]] = ("resetPasswordByFirstTimeLoginToken",)

    token: str = _secret()
    password: str = _secret()


@attrs.frozen(eq=False, repr=False, slots=False)
class ChangeExpiredPassword(Operation[None]):
    """Change the password after 2058, with the old one; through GraphQL (docs/wire.md#forced-password-change)."""

    route: ClassVar[Route] = Route.post("/graphql/v2")
    returns = NoneType
    bearer = Bearer.NEVER
    encrypted_fields: ClassVar[tuple[str, ...]] = ("old_password", "new_password")
    graphql_field: ClassVar[str | None] = "resetPasswordByForceResetToken"
    constant_fields: ClassVar[dict[str, Any]] = {
        "query": (
            "mutation resetPasswordByForceResetToken($token: String!, $oldPassword: String!, $newPassword: String!) {"
            " resetPasswordByForceResetToken(token: $token, oldPassword: $oldPassword, newPassword: $newPassword)"
            " { message code } }"
        )
    }
    groups: ClassVar[tuple[str, ...]] = ("variables",)
    python_name = "change_expired_password"
    swift_names: ClassVar[tuple[str, ...]] = ("resetPasswordByForceResetToken",)

    token: str = _secret(group="variables")
    old_password: str = _secret(group="variables")
    new_password: str = _secret(group="variables")


# ─────────────────────────────── the session ───────────────────────────────


class RefreshIdToken(Operation[IdToken]):
    """Get a fresh ID token for the user's current one (docs/wire.md#session). The answer has no user."""

    route: ClassVar[Route] = Route.post("/api/v2/users/refresh-token")
    returns = IdToken
    python_name = "refresh_id_token"
    swift_names: ClassVar[tuple[str, ...]] = ("updateIdToken",)


class Logout(Operation[None]):
    """End the user's session (docs/wire.md#session). The service also answers with a success without a login."""

    route: ClassVar[Route] = Route.get("/api/v2/logout", app_id="{app_id}")
    returns = NoneType
    bearer = Bearer.OPTIONAL
    python_name = "logout"
    swift_names: ClassVar[tuple[str, ...]] = ("logout",)


class GetSecurityLevel(Operation[SecurityLevel]):
    """Ask how well the account is protected (docs/wire.md#profile)."""

    route: ClassVar[Route] = Route.get("/api/v2/users/me/security-level")
    returns = SecurityLevel
    retryable = True
    python_name = "get_security_level"
    swift_names: ClassVar[tuple[str, ...]] = ("getSecurityLevel",)


OPERATIONS: tuple[type[Operation[Any]], ...] = tuple(
    cls
    for cls in (*globals().values(),)
    if isinstance(cls, type) and issubclass(cls, Operation) and cls is not Operation
)
"""Every operation that both faces offer: the classes above, in their order."""


@attrs.frozen(eq=False, repr=False, slots=False)
class PublicConfig(Operation[dict[str, Any]]):
    """Get the application's public configuration: its address, its user pool (docs/wire.md#public-configuration). Discovery uses it."""

    route: ClassVar[Route] = Route.get("/api/v2/applications/{app_id}/public-config")
    returns = dict
    bearer = Bearer.NEVER
    retryable = True
    python_name = "public_config"
    swift_names: ClassVar[tuple[str, ...]] = ()

    app_id: str = _text()
