"""The Swift SDK's `AuthClient`, name for name: each method makes one call and returns at once; its completion runs later.

More than 300 lines in one file: it is one class, with one method for each call.
"""
# ruff: noqa: N802, N803 - the names are the Swift SDK's

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from authing_mfa import operations as ops
from authing_mfa.compat.state import STATE
from authing_mfa.errors import PasswordChangeRequiredError
from authing_mfa.models import (
    Authenticator,
    Captcha,
    CustomField,
    Factor,
    FactorEnrollment,
    IdToken,
    MfaChallenge,
    MfaTokenInfo,
    SecurityLevel,
    TotpEnrollment,
    UserInfo,
)

if TYPE_CHECKING:
    from authing_mfa.compat.call import Call
    from authing_mfa.compat.dispatch import Dispatcher
    from authing_mfa.images import ImageSource

__all__ = [
    "AuthenticatorsCompletion",
    "CaptchaCompletion",
    "CheckCompletion",
    "CompatAuthClient",
    "Completion",
    "CustomDataCompletion",
    "EmptyCompletion",
    "EnrollmentCompletion",
    "FactorCompletion",
    "FactorEnrollmentCompletion",
    "FactorTypesCompletion",
    "FactorsCompletion",
    "IdTokenCompletion",
    "MfaTokenInfoCompletion",
    "SecurityLevelCompletion",
    "UploadCompletion",
    "UserCompletion",
]

Completion: TypeAlias = Callable[[int, str | None, Any], object]
"""The arguments of every completion but the upload's: the code, the message, the value."""

UserCompletion: TypeAlias = (
    Callable[[int, str | None, UserInfo | MfaChallenge | PasswordChangeRequiredError | None], object]
    | Callable[[int, str | None, UserInfo | MfaChallenge | None], object]
)
"""The value is the user with code 200; the challenge with 1635 and 1636; with 1639, 2058 and 2071 the error, whose `token` changes
the password; else None."""

CheckCompletion: TypeAlias = Callable[[int, str | None, bool | None], object]
EmptyCompletion: TypeAlias = Callable[[int, str | None, None], object] | Callable[[int, str | None], object]
"""The completion of a call without a value. It takes None as the value, or only Swift's two arguments."""

EnrollmentCompletion: TypeAlias = Callable[[int, str | None, TotpEnrollment | None], object]
AuthenticatorsCompletion: TypeAlias = Callable[[int, str | None, tuple[Authenticator, ...] | None], object]
FactorsCompletion: TypeAlias = Callable[[int, str | None, tuple[Factor, ...] | None], object]
FactorTypesCompletion: TypeAlias = Callable[[int, str | None, tuple[str, ...] | None], object]
FactorCompletion: TypeAlias = Callable[[int, str | None, Factor | None], object]
FactorEnrollmentCompletion: TypeAlias = Callable[[int, str | None, FactorEnrollment | None], object]
MfaTokenInfoCompletion: TypeAlias = Callable[[int, str | None, MfaTokenInfo | None], object]
CaptchaCompletion: TypeAlias = Callable[[int, str | None, Captcha | None], object]
IdTokenCompletion: TypeAlias = Callable[[int, str | None, IdToken | None], object]
SecurityLevelCompletion: TypeAlias = Callable[[int, str | None, SecurityLevel | None], object]
CustomDataCompletion: TypeAlias = Callable[[int, str | None, tuple[CustomField, ...] | None], object]

UploadCompletion: TypeAlias = Callable[[int, str | None], object]
"""``(200, photo key)`` or ``(code, message)``."""


class CompatAuthClient:
    """The calls of the Swift SDK. The client has no state: make one wherever you need it, as in Swift.

    Every method takes the completion last, and after it two keywords. `dispatcher` runs this completion; the default is the
    dispatcher of `Authing.setDispatcher`. `owner` is the window or object that the completion is for: when the owner is gone,
    the call is cancelled and the completion does not run.

    Each method returns its `Call`. An error of the call, a wrong argument included, reaches the completion as a code.

    Raises:
        TypeError: the completion cannot take the arguments, the dispatcher is not a function, or the owner cannot be weakly
            referenced.
    """

    def mfaCheck(
        self,
        phone: str | None,
        email: str | None,
        completion: CheckCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Check whether a phone number or an e-mail address may be bound for MFA: True if it is free, False if it is bound already.

        Args:
            phone: the phone number, digits without the country code.
            email: the e-mail address. One of the two is needed; if both are given, both are sent.
            completion: gets the code, the message, and True if it is free.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.MfaCheck, (phone, email), completion, dispatcher, owner)

    def mfaVerifyByPhone(
        self,
        phone: str,
        code: str,
        completion: UserCompletion,
        *,
        phoneCountryCode: str | None = None,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Verify, or bind, a phone with the code that was sent to it by SMS; the user is logged in.

        Args:
            phone: the phone number, digits without the country code.
            code: the code of the SMS.
            completion: gets the code, the message, and the user.
            phoneCountryCode: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.VerifyByPhone, (phone, code, phoneCountryCode), completion, dispatcher, owner)

    def mfaVerifyByEmail(
        self,
        email: str,
        code: str,
        completion: UserCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Verify, or bind, an e-mail address with the code that was sent to it; the user is logged in.

        Args:
            email: the e-mail address.
            code: the code of the message.
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636).
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.VerifyByEmail, (email, code), completion, dispatcher, owner)

    def mfaVerifyByOTP(
        self, code: str, completion: UserCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Verify with a code of the authenticator app; the user is logged in.

        Args:
            code: six digits, which the authenticator app changes every 30 seconds.
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636).
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.VerifyByTotp, (code,), completion, dispatcher, owner)

    def mfaVerifyByTOTP(
        self, code: str, completion: UserCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Verify with a code of the authenticator app: another name of `mfaVerifyByOTP`.

        Args:
            code: six digits, which the authenticator app changes every 30 seconds.
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636).
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.VerifyByTotp, (code,), completion, dispatcher, owner, name="mfaVerifyByTOTP")

    def mfaVerifyByRecoveryCode(
        self, code: str, completion: UserCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Verify with the recovery code, which is void afterwards. `UserInfo.recovery_code` is the new code: show it to the user.

        Nothing stops this call once its request may have been sent, so that the new code is not lost.

        Args:
            code: the recovery code.
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636). It gets a new recovery code
                also when the owner is gone.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.VerifyByRecoveryCode, (code,), completion, dispatcher, owner)

    def mfaAssociteByRecoveryCode(
        self, code: str, completion: UserCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Verify with the recovery code, which is void afterwards. `UserInfo.recovery_code` is the new code: show it to the user.

        Nothing stops this call once its request may have been sent, so that the new code is not lost.

        Args:
            code: the recovery code.
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636). It gets a new recovery code
                also when the owner is gone.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(
            ops.VerifyByRecoveryCode, (code,), completion, dispatcher, owner, name="mfaAssociteByRecoveryCode"
        )

    def uploadFaceImage(
        self,
        image: ImageSource,
        isPrivate: bool = True,  # noqa: FBT001, FBT002 - as in Swift
        *,
        completion: UploadCompletion,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Upload a face photo and return its key. Before the upload the photo is turned upright and scaled down, and its metadata is removed.

        Args:
            image: a `PIL.Image`, the bytes of a picture file, its path, a ``data:`` URL, or a binary file. The method
                reads it before it returns, so you may close or change it afterwards.
            isPrivate: True if the photo must not be publicly readable.
            completion: gets ``(200, key)`` or ``(code, message)``; code 10101: the picture cannot be read.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.UploadFaceImage, (image, isPrivate), completion, dispatcher, owner)

    def mfaAssociateByFace(
        self,
        photoKeyA: str,
        photoKeyB: str,
        completion: UserCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Bind a face with the keys of two uploaded photos; the user is logged in.

        Args:
            photoKeyA: the key of the first photo, from `uploadFaceImage`.
            photoKeyB: the key of the second photo.
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636).
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.AssociateFace, (photoKeyA, photoKeyB), completion, dispatcher, owner)

    def mfaVerifyByFace(
        self, photoKey: str, completion: UserCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Verify the bound face with the key of an uploaded photo; the user is logged in.

        Args:
            photoKey: the photo's key, from `uploadFaceImage`.
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636).
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.VerifyByFace, (photoKey,), completion, dispatcher, owner)

    # ─────────────────────── what a real MFA journey needs around them ───────────────────────

    def loginByAccount(
        self,
        account: str,
        password: str,
        completion: UserCompletion,
        *,
        autoRegister: bool = False,
        captchaCode: str | None = None,
        captcha: Captcha | None = None,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Log in with the password and a user name, phone number or e-mail address.

        Args:
            account: the user name, phone number or e-mail address.
            password: the password as the user typed it; it is encrypted before it is sent.
            completion: gets the code, the message, and the user; with 1635 and 1636 the challenge, with 1639, 2058 and 2071 the
                `PasswordChangeRequiredError`.
            autoRegister: True if an unknown account may be registered.
            captchaCode: after code 2000: the text that the user read in the captcha picture.
            captcha: the value that `getSecurityCaptcha` returned.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(
            ops.LoginByAccount,
            (account, password, autoRegister, captchaCode, captcha),
            completion,
            dispatcher,
            owner,
        )

    def loginByPhoneCode(
        self,
        phone: str,
        code: str,
        completion: UserCompletion,
        *,
        phoneCountryCode: str | None = None,
        autoRegister: bool = False,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Log in with a code that was sent by SMS.

        Args:
            phone: the phone number, digits without the country code.
            code: the code of the SMS.
            completion: gets the code, the message, and the user; with 1635 and 1636 the challenge, with 1639, 2058 and 2071 the
                `PasswordChangeRequiredError`.
            phoneCountryCode: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            autoRegister: True if an unknown account may be registered.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(
            ops.LoginByPhoneCode, (phone, code, phoneCountryCode, autoRegister), completion, dispatcher, owner
        )

    def loginByEmail(
        self,
        email: str,
        code: str,
        completion: UserCompletion,
        *,
        autoRegister: bool = False,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Log in with a code that was sent by e-mail.

        Args:
            email: the e-mail address.
            code: the code of the message.
            completion: gets the code, the message, and the user; with 1635 and 1636 the challenge, with 1639, 2058 and 2071 the
                `PasswordChangeRequiredError`.
            autoRegister: True if an unknown account may be registered.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.LoginByEmailCode, (email, code, autoRegister), completion, dispatcher, owner)

    def sendSms(
        self,
        phone: str,
        completion: EmptyCompletion,
        *,
        phoneCountryCode: str | None = None,
        scene: str | None = None,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Send a code by SMS.

        Args:
            phone: the phone number, digits without the country code.
            completion: gets the code, the message, and None.
            phoneCountryCode: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            scene: what the code is for, e.g. ``login`` or ``mfa-verify``. Sent only if it is given; the mobile clients send none.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.SendSms, (phone, phoneCountryCode, scene), completion, dispatcher, owner)

    def sendMFAEmail(
        self, email: str, completion: EmptyCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Send an MFA code by e-mail.

        Args:
            email: the e-mail address.
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.SendMfaEmail, (email,), completion, dispatcher, owner)

    def mfaAssociateByOTP(
        self, completion: EnrollmentCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Request a TOTP secret to bind. It has no effect until `mfaAssociateConfirmByOTP` confirms it.

        Args:
            completion: gets the code, the message, and the enrollment.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.AssociateTotp, (), completion, dispatcher, owner)

    def mfaAssociateConfirmByOTP(
        self, code: str, completion: UserCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Confirm the TOTP secret with its first code.

        Args:
            code: six digits, which the authenticator app changes every 30 seconds.
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636).
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.ConfirmTotp, (code,), completion, dispatcher, owner)

    def mfaDeleteOTP(
        self, completion: EmptyCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Unbind TOTP. It needs the token of a logged-in user.

        Args:
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.DeleteTotp, (), completion, dispatcher, owner)

    def mfaListAuthenticators(
        self, completion: AuthenticatorsCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """List the user's TOTP authenticators, unconfirmed ones included.

        Args:
            completion: gets the code, the message, and the authenticators.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.ListAuthenticators, (), completion, dispatcher, owner)

    def unbindMFAPhone(
        self, completion: EmptyCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Unbind the MFA phone. It needs the token of a logged-in user.

        Args:
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.UnbindPhone, (), completion, dispatcher, owner)

    def unbindMFAEmail(
        self, completion: EmptyCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Unbind the MFA e-mail address. It needs the token of a logged-in user.

        Args:
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.UnbindEmail, (), completion, dispatcher, owner)

    def mfaUnbindFactor(
        self, factorId: str, completion: EmptyCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Unbind one factor by its id.

        Args:
            factorId: the factor's id.
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.UnbindFactor, (factorId,), completion, dispatcher, owner)

    def getCurrentUserInfo(
        self, completion: UserCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Return the user whose token the client uses.

        Args:
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636).
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.GetCurrentUser, (), completion, dispatcher, owner)

    def getCurrentUser(
        self, completion: UserCompletion, *, dispatcher: Dispatcher | None = None, owner: object = None
    ) -> Call:
        """Return the user whose token the client uses.

        Args:
            completion: gets the code, the message, and the user (the challenge with 1635 and 1636).
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.GetCurrentUser, (), completion, dispatcher, owner, name="getCurrentUser")

    def getCustomUserData(
        self,
        userId: str | UserInfo,
        completion: CustomDataCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Return the custom fields of one user.

        Args:
            userId: the user's id, or the `UserInfo` of the user.
            completion: gets the code, the message, and the fields.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        user_id = userId.id if isinstance(userId, UserInfo) else userId
        return STATE.call(ops.GetCustomUserData, (user_id,), completion, dispatcher, owner)

    def sendEmail(
        self,
        email: str,
        scene: str,
        completion: EmptyCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Send a code by e-mail, by default a code for a login.

        Args:
            email: the e-mail address.
            scene: what the code is for: ``VERIFY_CODE`` (log in), ``LOGIN_VERIFY_CODE``, ``MFA_VERIFY``, ``RESET_PASSWORD``,
                ``CHANGE_EMAIL``, or another value of the service.
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.SendEmail, (email, scene), completion, dispatcher, owner)

    def listEnrolledFactors(
        self,
        completion: FactorsCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """List the factors that the user has enrolled. A bound phone or e-mail address counts as one.

        Args:
            completion: gets the code, the message, and the factors.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.ListEnrolledFactors, (), completion, dispatcher, owner)

    def listFactorsToEnroll(
        self,
        completion: FactorTypesCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """List the types of factors that the application allows and the user has not enrolled yet.

        Args:
            completion: gets the code, the message, and the types.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.ListFactorsToEnroll, (), completion, dispatcher, owner)

    def getFactor(
        self,
        factorId: str,
        completion: FactorCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Get one enrolled factor by its id.

        Args:
            factorId: the id, from `listEnrolledFactors`.
            completion: gets the code, the message, and the factor.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.GetFactor, (factorId,), completion, dispatcher, owner)

    def sendEnrollFactorRequest(
        self,
        factorType: str,
        completion: FactorEnrollmentCompletion,
        *,
        phone: str | None = None,
        phoneCountryCode: str | None = None,
        email: str | None = None,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Start the enrollment of a factor: the service sends a code by SMS or e-mail, or makes a TOTP secret.

        Args:
            factorType: ``SMS``, ``EMAIL``, ``OTP`` or ``FACE``.
            completion: gets the code, the message, and the enrollment.
            phone: the phone number of an SMS factor, digits without the country code, e.g. ``13800000000``.
            phoneCountryCode: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            email: the address of an EMAIL factor.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(
            ops.SendEnrollFactorRequest,
            (factorType, phone, phoneCountryCode, email),
            completion,
            dispatcher,
            owner,
        )

    def enrollFactor(
        self,
        enrollmentToken: str,
        factorType: str,
        completion: EmptyCompletion,
        *,
        code: str | None = None,
        photoKey: str | None = None,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Finish the enrollment of a factor. `listEnrolledFactors` then gives its id.

        Args:
            enrollmentToken: `FactorEnrollment.token`, at most one minute old.
            factorType: the type that the enrollment was started with.
            completion: gets the code, the message, and None.
            code: the code of the SMS, of the e-mail, or of the authenticator app.
            photoKey: for FACE: the key of a photo, from `uploadFaceImage`.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(
            ops.EnrollFactor, (enrollmentToken, factorType, code, photoKey), completion, dispatcher, owner
        )

    def mfaOtpVerify(
        self,
        code: str,
        completion: CheckCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Check a TOTP code of a logged-in user, e.g. before a payment. The call logs nobody in.

        Args:
            code: six digits, which the authenticator app changes every 30 seconds.
            completion: gets the code, the message, and True if the code is right.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.CheckTotp, (code,), completion, dispatcher, owner)

    def verifyMfaToken(
        self,
        mfaToken: str,
        completion: MfaTokenInfoCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Check whether an mfaToken is valid, and return its user. A valid mfaToken does not prove that a second factor was passed.

        Args:
            mfaToken: the token to check.
            completion: gets the code, the message, and the token's state.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.IntrospectMfaToken, (mfaToken,), completion, dispatcher, owner)

    def getSecurityCaptcha(
        self,
        completion: CaptchaCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Get a captcha picture for the next `loginByAccount`, after a CaptchaRequiredError.

        Args:
            completion: gets the code, the message, and the picture.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.GetCaptcha, (), completion, dispatcher, owner)

    def resetPasswordByFirstTimeLoginToken(
        self,
        token: str,
        password: str,
        completion: EmptyCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Change the password after code 1639 (first login) or 2071 (unsafe password). Then log in again with the new one.

        Args:
            token: `PasswordChangeRequiredError.token`.
            password: the new password as the user typed it; it is encrypted before it is sent.
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.ChangePasswordByFirstLoginToken, (token, password), completion, dispatcher, owner)

    def resetPasswordByForceResetToken(
        self,
        token: str,
        oldPassword: str,
        newPassword: str,
        completion: EmptyCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Change the password after code 2058 (it has expired). Then log in again with the new one.

        Args:
            token: `PasswordChangeRequiredError.token`.
            oldPassword: the password of the login; it is encrypted before it is sent.
            newPassword: the new password as the user typed it; it is encrypted before it is sent.
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.ChangeExpiredPassword, (token, oldPassword, newPassword), completion, dispatcher, owner)

    def updateIdToken(
        self,
        completion: IdTokenCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Get a new ID token in exchange for the user's current one.

        The new token becomes the current token, and the token of the current user.

        Args:
            completion: gets the code, the message, and the token.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.RefreshIdToken, (), completion, dispatcher, owner)

    def logout(
        self,
        completion: EmptyCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """End the session of the user whose token the client has. The service accepts the call without a token, too.

        Afterwards there is no current user, even if the call fails, as in Swift. A cancelled call changes nothing.

        Args:
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.Logout, (), completion, dispatcher, owner)

    def getSecurityLevel(
        self,
        completion: SecurityLevelCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Return the service's rating of the account's security.

        Args:
            completion: gets the code, the message, and the rating.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.GetSecurityLevel, (), completion, dispatcher, owner)

    def resetFactor(
        self,
        factorId: str,
        completion: EmptyCompletion,
        *,
        dispatcher: Dispatcher | None = None,
        owner: object = None,
    ) -> Call:
        """Unbind one factor by its id.

        Args:
            factorId: the factor's id.
            completion: gets the code, the message, and None.
            dispatcher: runs the completion; by default the dispatcher of `Authing.setDispatcher`.
            owner: the window or object that the completion is for.
        """
        return STATE.call(ops.UnbindFactor, (factorId,), completion, dispatcher, owner, name="resetFactor")
