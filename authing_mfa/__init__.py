"""Authing's multi-factor authentication for Python: async first, with a callback layer and a local emulator.

`AuthClient` is the async client. `authing_mfa.sync` has the same calls without an event loop, `authing_mfa.compat` has them with
callbacks and the Swift SDK's names, `authing_mfa.batch` performs millions of rows, and `authing_mfa.emulator` is a local emulator.

Every name is loaded when it is first used: `AuthClient` imports aiohttp, which takes 0.2 s, and many programs do not need it.
"""

from typing import TYPE_CHECKING

from authing_mfa._lazy import lazy
from authing_mfa._version import __version__

if TYPE_CHECKING:
    from authing_mfa.call_record import CallRecord
    from authing_mfa.client import AuthClient
    from authing_mfa.errors import (
        AccountDisabledError,
        AccountLockedError,
        ApiError,
        AuthingError,
        CallTimeoutError,
        CancelledCallError,
        CaptchaRequiredError,
        ConfigError,
        FaceError,
        ImageError,
        InvalidInputError,
        InvalidMfaTokenError,
        LoginError,
        MfaRequiredError,
        NetworkError,
        NotAuthenticatedError,
        PasswordChangeRequiredError,
        RateLimitedError,
        ResponseError,
        ServiceError,
        UsageError,
        WrongCodeError,
        WrongPasswordError,
    )
    from authing_mfa.images import ImageSource
    from authing_mfa.models import (
        Authenticator,
        Captcha,
        CustomField,
        Factor,
        FactorEnrollment,
        IdToken,
        MfaChallenge,
        MfaFactor,
        MfaTokenInfo,
        SecurityLevel,
        TotpEnrollment,
        UserInfo,
    )

__all__ = [
    "AccountDisabledError",
    "AccountLockedError",
    "ApiError",
    "AuthClient",
    "Authenticator",
    "AuthingError",
    "CallRecord",
    "CallTimeoutError",
    "CancelledCallError",
    "Captcha",
    "CaptchaRequiredError",
    "ConfigError",
    "CustomField",
    "FaceError",
    "Factor",
    "FactorEnrollment",
    "IdToken",
    "ImageError",
    "ImageSource",
    "InvalidInputError",
    "InvalidMfaTokenError",
    "LoginError",
    "MfaChallenge",
    "MfaFactor",
    "MfaRequiredError",
    "MfaTokenInfo",
    "NetworkError",
    "NotAuthenticatedError",
    "PasswordChangeRequiredError",
    "RateLimitedError",
    "ResponseError",
    "SecurityLevel",
    "ServiceError",
    "TotpEnrollment",
    "UsageError",
    "UserInfo",
    "WrongCodeError",
    "WrongPasswordError",
    "__version__",
]

if not TYPE_CHECKING:  # a type checker knows the names from above, and refuses others
    __getattr__, __dir__ = lazy(
        globals(), ("errors", "models", "call_record"), AuthClient="client", ImageSource="images"
    )
