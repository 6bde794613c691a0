"""The exit codes: a public contract, the same for every command."""

from __future__ import annotations

from typing import Final

from authing_mfa.errors import (
    AccountDisabledError,
    AccountLockedError,
    AuthingError,
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
    WrongCodeError,
    WrongPasswordError,
)

__all__ = [
    "BATCH",
    "BATCH_STOPPED",
    "INTERRUPTED",
    "LOGIN",
    "NETWORK",
    "NO",
    "OK",
    "OUTPUT",
    "RATE",
    "READER_GONE",
    "SERVICE",
    "USAGE",
    "exit_code",
]

OK: Final = 0
NO: Final = 1
USAGE: Final = 2
NETWORK: Final = 3
LOGIN: Final = 4
RATE: Final = 5
SERVICE: Final = 6
BATCH: Final = 7
OUTPUT: Final = 74
BATCH_STOPPED: Final = 75
INTERRUPTED: Final = 130
READER_GONE: Final = 141

_BY_CLASS: Final[tuple[tuple[type[AuthingError], int], ...]] = (
    (InvalidInputError, USAGE),
    (ImageError, USAGE),
    (NetworkError, NETWORK),
    (CancelledCallError, INTERRUPTED),
    (LoginError, LOGIN),
    (InvalidMfaTokenError, LOGIN),
    (NotAuthenticatedError, LOGIN),
    (MfaRequiredError, LOGIN),
    (CaptchaRequiredError, LOGIN),
    (PasswordChangeRequiredError, LOGIN),
    (WrongPasswordError, NO),
    (AccountDisabledError, NO),
    (WrongCodeError, NO),
    (FaceError, NO),
    (AccountLockedError, NO),
    (RateLimitedError, RATE),
)


def exit_code(error: AuthingError) -> int:
    """Return the exit code of a command that ended with *error*. A failed discovery counts as its cause."""
    if isinstance(error, ConfigError) and isinstance(error.__cause__, AuthingError):
        return NETWORK if isinstance(error.__cause__, NetworkError) else SERVICE
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), SERVICE)
