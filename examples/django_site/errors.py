"""Errors as HTTP statuses, for both kinds of views."""

import math
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, JsonResponse

from authing_mfa import (
    AccountLockedError,
    AuthingError,
    ConfigError,
    InvalidMfaTokenError,
    LoginError,
    NetworkError,
    NotAuthenticatedError,
    RateLimitedError,
    ResponseError,
    ServiceError,
    WrongPasswordError,
)


class AuthingErrors:
    """Middleware that turns an error of the service or the network into an answer. Decide by class or code, never by message."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Let the view answer."""
        return self.get_response(request)

    def process_exception(self, _: HttpRequest, error: Exception) -> JsonResponse | None:
        """Answer for a view that raised; None: another kind of error."""
        if not isinstance(error, AuthingError):
            return None
        answer, headers = {"error": error.code, "message": error.message}, {}
        match error:
            case WrongPasswordError():  # the same answer for all its codes: nobody learns which accounts exist
                status, answer = 400, {"error": 2333, "message": "The account or the password is wrong."}
            case LoginError() | NotAuthenticatedError() | InvalidMfaTokenError():
                status = 401
            case AccountLockedError():
                status = 423
            case RateLimitedError(retry_after=seconds):
                status = 429
                headers = {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}
            case NetworkError() | ConfigError() | ResponseError() | ServiceError():
                status = 502
            case _:
                status = 400
        return JsonResponse(answer, status=status, headers=headers)
