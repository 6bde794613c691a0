"""Authing's multi-factor authentication for Python: async first, with a callback layer and a local emulator.

`AuthClient` is the async client, `authing_mfa.compat` the callback layer in the Swift SDK's shape, `authing_mfa.batch` for
millions of rows, `authing_mfa.emulator` the service on your own machine.

`AuthClient` is loaded when it is first asked for: it brings aiohttp, 0.2 s that the emulator and the command line's help
have no use for.
"""

from typing import TYPE_CHECKING, Any

from authing_mfa._version import __version__
from authing_mfa.call_record import CallRecord
from authing_mfa.errors import (
    AccountLockedError,
    ApiError,
    AuthingError,
    CallTimeoutError,
    CancelledCallError,
    ConfigError,
    FaceError,
    ImageError,
    InvalidInputError,
    InvalidMfaTokenError,
    LoginError,
    MfaRequiredError,
    NetworkError,
    NotAuthenticatedError,
    RateLimitedError,
    ResponseError,
    UsageError,
    WrongCodeError,
)
from authing_mfa.images import ImageSource
from authing_mfa.models import Authenticator, CustomField, MfaChallenge, MfaFactor, TotpEnrollment, UserInfo

if TYPE_CHECKING:
    from authing_mfa.client import AuthClient

__all__ = [
    "AccountLockedError",
    "ApiError",
    "AuthClient",
    "Authenticator",
    "AuthingError",
    "CallRecord",
    "CallTimeoutError",
    "CancelledCallError",
    "ConfigError",
    "CustomField",
    "FaceError",
    "ImageError",
    "ImageSource",
    "InvalidInputError",
    "InvalidMfaTokenError",
    "LoginError",
    "MfaChallenge",
    "MfaFactor",
    "MfaRequiredError",
    "NetworkError",
    "NotAuthenticatedError",
    "RateLimitedError",
    "ResponseError",
    "TotpEnrollment",
    "UsageError",
    "UserInfo",
    "WrongCodeError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name != "AuthClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from authing_mfa.client import AuthClient

    globals()[name] = AuthClient
    return AuthClient


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
