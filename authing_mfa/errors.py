"""Every error of the package, in one tree.

::

    AuthingError                     code, message, delivery
    ├── InvalidInputError            10100  not_sent   also a ValueError
    │   └── UsageError               10100  not_sent   also a RuntimeError: closed client, wrong event loop, …
    ├── ImageError                   10101  not_sent
    ├── CancelledCallError           10102             a cancelled or closed callback call
    ├── NetworkError                 10001  not_sent or unknown; of `AuthClient.connect` also answered
    │   └── CallTimeoutError         10001  not_sent or unknown
    ├── ConfigError                  10002  not_sent   the application's public-config is not available
    ├── LoginError                   10003  not_sent   the call needs a token and has none
    │   └── RunTokenError            10105             a batch's own token was refused (`authing_mfa.batch`)
    ├── ResponseError                10004  answered   the answer is not valid
    ├── JournalError                 10103             a batch's journal cannot be used (`authing_mfa.batch`)
    ├── CircuitOpenError             10104             a batch stopped because the service does not answer (`authing_mfa.batch`)
    └── ApiError                     answered          the service refused
        ├── MfaRequiredError         1635, 1636        carries the challenge
        ├── PasswordChangeRequiredError  1639, 2058, 2071  carries the token to change the password with
        ├── CaptchaRequiredError     2000
        ├── WrongPasswordError       2333, 2006, 2004
        ├── InvalidMfaTokenError     2021
        ├── NotAuthenticatedError    2020, 2206, 2207, 1010001, status 401
        ├── WrongCodeError           6001-6004, 2001, 2300; 400 when a TOTP binding is confirmed
        ├── FaceError                1700-1707
        ├── RateLimitedError         status 429, 2080, 4004, 1002, 2100; 422 when an SMS is sent
        ├── AccountLockedError       2005, 2057
        ├── AccountDisabledError     1577, 1578, 2120008
        └── ServiceError             HTTP 5xx, or a v3 statusCode of 500-503: the service failed

A status is the HTTP status of the answer, or the `statusCode` inside an answer of the v3 API, whose HTTP status is always 200.

`delivery` says whether the service may have acted: ``not_sent`` (it cannot have acted), ``answered`` (its answer says whether it
acted) or ``unknown`` (the request was sent and no whole answer was read: the service may have acted).

Codes 10001-10004 are those of the official mobile clients (docs/wire.md#client-codes), 10100-10106 are the codes of
this package. Every error can be pickled, and no error shows a token, a code, a password or a recovery code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from authing_mfa._error_root import AuthingError, Delivery, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authing_mfa.models import MfaChallenge

__all__ = [
    "AccountDisabledError",
    "AccountLockedError",
    "ApiError",
    "AuthingError",
    "CallTimeoutError",
    "CancelledCallError",
    "CaptchaRequiredError",
    "ConfigError",
    "Delivery",
    "FaceError",
    "ImageError",
    "InvalidInputError",
    "InvalidMfaTokenError",
    "LoginError",
    "MfaRequiredError",
    "NetworkError",
    "NotAuthenticatedError",
    "PasswordChangeRequiredError",
    "RateLimitedError",
    "ResponseError",
    "ServiceError",
    "UsageError",
    "WrongCodeError",
    "WrongPasswordError",
    "api_error_class",
]

_CHALLENGE_CODES = (1635, 1636)


class UsageError(InvalidInputError, RuntimeError):
    """The client was used after it was closed, or from another event loop than its own; nothing was sent."""


class ImageError(AuthingError):
    """The picture cannot be read, or is too large to be read safely; nothing was sent."""

    default_code = 10101


class CancelledCallError(AuthingError):
    """The call was cancelled, or its client was shut down, before an answer came (callback layer)."""

    default_code = 10102
    default_delivery: ClassVar[Delivery] = "unknown"


class NetworkError(AuthingError):
    """No whole answer was read. `delivery` says whether the request can have reached the service."""

    default_code = 10001
    default_delivery: ClassVar[Delivery] = "unknown"


class CallTimeoutError(NetworkError):
    """The call took longer than its time-out."""


class ConfigError(AuthingError):
    """The application's public-config is not available, so the service's address is unknown; nothing was sent."""

    default_code = 10002


class LoginError(AuthingError):
    """The call needs a token, and the client has none; nothing was sent."""

    default_code = 10003


class ResponseError(AuthingError):
    """The answer is not valid (HTML, a wrong type, a missing user, too large, too deep, …).

    Attributes:
        http_status: the HTTP status of the answer.
    """

    default_code = 10004
    default_delivery: ClassVar[Delivery] = "answered"

    http_status: int | None

    def __init__(self, message: str, *, http_status: int | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status


class ApiError(AuthingError):
    """The service refused the call.

    Attributes:
        code: the answer's `code`, else its `apiCode`, else its `statusCode`, else the HTTP status.
        http_status: the HTTP status of the answer.
        data: the answer's `data`, as it came. It may hold secrets (a 1636 answer's mfaToken); it is never printed.
        request_id: the answer's `requestId`, else its `uniqueId`; give it to the service's support.
    """

    default_delivery: ClassVar[Delivery] = "answered"

    http_status: int
    data: Any
    request_id: str | None

    def __init__(
        self, message: str, *, code: int, http_status: int = 200, data: Any = None, request_id: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.http_status = http_status
        self.data = data
        self.request_id = request_id


class MfaRequiredError(ApiError):
    """The first factor was right, and a second factor is needed (1635: the user turned TOTP on; 1636: the application demands it).

    Attributes:
        challenge: the mfaToken to continue with and the factors to choose from.
    """

    challenge: MfaChallenge

    def __init__(self, message: str, *, challenge: MfaChallenge, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.challenge = challenge


class PasswordChangeRequiredError(ApiError):
    """The password was right, but must be changed before a login (1639 first login, 2058 expired, 2071 unsafe).

    After 1639 and 2071 continue with `AuthClient.change_password_by_first_login_token`, after 2058 with
    `AuthClient.change_expired_password`; then log in again with the new password.

    Attributes:
        token: the token that both calls need; None if the answer had none.
    """

    token: str | None

    def __init__(self, message: str, *, token: str | None = None, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.token = token

    @property
    def firstTimeLoginToken(self) -> str | None:  # noqa: N802 - the Swift SDK's name
        """The Swift SDK's name for `token`."""
        return self.token


class CaptchaRequiredError(ApiError):
    """2000: the login needs the text of a captcha, or the text was wrong. `AuthClient.get_captcha` gets a new picture."""


class WrongPasswordError(ApiError):
    """2333, 2006 or 2004: there is no such account, or the password is wrong."""

    @property
    def attempts_left(self) -> int | None:
        """How many more wrong passwords the service accepts, if the answer says so."""
        left = self.data.get("remainCount") if isinstance(self.data, dict) else None
        return left if type(left) is int else None


class InvalidMfaTokenError(ApiError):
    """2021: the mfaToken is missing, has expired (it is valid for six minutes), or is not an mfaToken. Log in again."""


class NotAuthenticatedError(ApiError):
    """2020, 2206, 2207, 1010001 or status 401: the token is not, or no longer, valid. Log in again."""


class WrongCodeError(ApiError):
    """The SMS, e-mail, TOTP or recovery code is wrong, missing or has expired."""


class FaceError(ApiError):
    """1700-1707: the face photo is missing, does not match, or cannot be bound."""


class RateLimitedError(ApiError):
    """Status 429, 2080, 4004, 1002, 2100, or 422 when an SMS is sent: too many calls; the service did nothing.

    Attributes:
        retry_after: seconds to wait, if the answer says so (`Retry-After`).
    """

    retry_after: float | None

    def __init__(self, message: str, *, retry_after: float | None = None, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.retry_after = retry_after


class AccountLockedError(ApiError):
    """2005 or 2057: the account is locked."""


class AccountDisabledError(ApiError):
    """1577, 1578 or 2120008: the account, its device or its tenant is disabled or suspended."""


class ServiceError(ApiError):
    """HTTP 5xx with an answer of the service, or a v3 statusCode of 500-503: the service failed. It may have acted."""


_BY_CODE: dict[int, type[ApiError]] = {
    **dict.fromkeys(_CHALLENGE_CODES, MfaRequiredError),
    **dict.fromkeys((1639, 2058, 2071), PasswordChangeRequiredError),
    2000: CaptchaRequiredError,
    **dict.fromkeys((2333, 2006, 2004), WrongPasswordError),
    2021: InvalidMfaTokenError,
    **dict.fromkeys((2020, 2206, 2207, 1010001, 401), NotAuthenticatedError),
    **dict.fromkeys((6001, 6002, 6003, 6004, 2001, 2300), WrongCodeError),
    **dict.fromkeys(range(1700, 1708), FaceError),
    **dict.fromkeys((2080, 4004, 1002, 2100, 429), RateLimitedError),
    **dict.fromkeys((2005, 2057), AccountLockedError),
    **dict.fromkeys((1577, 1578, 2120008), AccountDisabledError),
}


_BY_STATUS: dict[int, type[ApiError]] = {
    401: NotAuthenticatedError,
    429: RateLimitedError,
}


def api_error_class(code: int, status: int, overrides: Mapping[int, type[ApiError]]) -> type[ApiError]:
    """Return the most specific class for a refusal.

    Status 429 always means "not done" and comes first; then the *overrides* of the operation (400 and 422 mean different
    things on different calls), then the code's own meaning, then the status's (docs/wire.md#server-codes).

    Args:
        code: the answer's code.
        status: the HTTP status; of an answer of the v3 API, whose HTTP status is always 200, its `statusCode`.
        overrides: codes that mean something else for this operation.
    """
    if status == 429:
        return RateLimitedError
    known = overrides.get(code) or _BY_CODE.get(code) or _BY_STATUS.get(status)
    return known or (ServiceError if 500 <= status < 600 else ApiError)
