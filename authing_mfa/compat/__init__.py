"""The Swift SDK's surface for code without an event loop: calls that return at once and call their completion later.

    from authing_mfa.compat import AuthClient, Authing

    Authing.start("APP_ID")
    AuthClient().mfaVerifyByOTP("123456", lambda code, message, user: print(code, message, user))

A completion runs exactly once, never inside the method that made its call, on the callback thread or on the thread of a dispatcher
(`authing_mfa.compat.dispatch`). It gets ``(200, message, value)``, or an error's ``(code, message, None)``. The value of codes
1635 and 1636 is the `MfaChallenge`, of codes 1639, 2058 and 2071 the `PasswordChangeRequiredError`. See
docs/porting-from-swift.md.
"""

from authing_mfa.compat import dispatch
from authing_mfa.compat.authing import Authing
from authing_mfa.compat.call import Call
from authing_mfa.compat.client import (
    AuthenticatorsCompletion,
    CaptchaCompletion,
    CheckCompletion,
    CompatAuthClient,
    Completion,
    CustomDataCompletion,
    EmptyCompletion,
    EnrollmentCompletion,
    FactorCompletion,
    FactorEnrollmentCompletion,
    FactorsCompletion,
    FactorTypesCompletion,
    IdTokenCompletion,
    MfaTokenInfoCompletion,
    SecurityLevelCompletion,
    UploadCompletion,
    UserCompletion,
)
from authing_mfa.compat.dispatch import Dispatcher

AuthClient = CompatAuthClient

__all__ = [
    "AuthClient",
    "AuthenticatorsCompletion",
    "Authing",
    "Call",
    "CaptchaCompletion",
    "CheckCompletion",
    "CompatAuthClient",
    "Completion",
    "CustomDataCompletion",
    "Dispatcher",
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
    "dispatch",
]
