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
    "MEANINGS",
    "NETWORK",
    "NO",
    "OK",
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
BATCH_STOPPED: Final = 75
INTERRUPTED: Final = 130
READER_GONE: Final = 141

MEANINGS: Final[dict[int, str]] = {
    OK: "success, or the answer is yes",
    NO: "refused: wrong password or code, face not accepted, account locked or disabled, phone or address not bindable",
    USAGE: "usage: an option, a setting, a picture or a code is missing or invalid; nothing was sent",
    NETWORK: "network or time-out; the service may have acted, unless the message says that nothing was sent",
    LOGIN: "login needed: no token, an expired token, or the login needs more: a second factor, a captcha, a new password",
    RATE: "too many requests: nothing was done",
    SERVICE: "service or protocol: any other refusal, or an answer that cannot be understood",
    BATCH: "some rows of a batch failed, or it was stopped and somebody must look why (`batch` only)",
    BATCH_STOPPED: "a batch was stopped before its end: run the same command with --resume (`batch` only)",
    INTERRUPTED: "interrupted with Ctrl-C",
    READER_GONE: "the reader closed the pipe, as `head` does",
}

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
