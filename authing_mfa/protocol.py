"""The wire, both ways, without any I/O: `encode` an operation into a request, `decode` an answer into a value or an error.

Everything that can go wrong with an answer is decided here, from its status, headers and bytes alone. The facts are those of
docs/wire.md: its sections Requests, Headers, Answers, Payloads and Codes.

More than 300 lines, because both directions belong together: one side reads what the other side writes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import quote, urlencode

import attrs
from multidict import CIMultiDict, CIMultiDictProxy, MultiMapping

from authing_mfa import structuring
from authing_mfa._json import dump_json, parse_json
from authing_mfa._masking import masked
from authing_mfa._value import Value
from authing_mfa._version import __version__
from authing_mfa.errors import (
    ApiError,
    AuthingError,
    InvalidInputError,
    LoginError,
    MfaRequiredError,
    PasswordChangeRequiredError,
    RateLimitedError,
    ResponseError,
    api_error_class,
)
from authing_mfa.models import Captcha, MfaChallenge
from authing_mfa.operations import (
    Bearer,
    LoginByAccount,
    Operation,
    PublicConfig,
    Route,
    UploadFaceImage,
    VerifyByRecoveryCode,
)

__all__ = [
    "DEFAULT_LIMIT",
    "Answer",
    "Request",
    "RequestContext",
    "Response",
    "check_header_text",
    "check_token",
    "decode",
    "encode",
]

T = TypeVar("T")

DEFAULT_LIMIT: Final = 1024 * 1024
"""The largest answer that is read, in bytes after decompression, unless the caller says otherwise."""

_SUCCESS: Final = (200, 201)
_SUCCESS_API_CODES: Final = (0, 200, 20001)
_TOO_LARGE: Final = 10**18  # for a code


def _is_header_text(text: str) -> bool:
    """Return True if *text* is printable ASCII."""
    return text.isascii() and text.isprintable()


def check_header_text(name: str, value: object) -> str:
    """Return *value* if it may be part of an HTTP header: printable ASCII and not only spaces.

    Raises:
        InvalidInputError: *value* may not. The error does not show it: it may be a token.
    """
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} must be text (str), not {type(value).__name__}.")
    if not value.strip():
        raise InvalidInputError(f"{name} is empty.")
    if not _is_header_text(value):
        raise InvalidInputError(f"{name} holds a control character or is not ASCII.")
    return value if value.__class__ is str else str.__str__(value)  # an Enum member is formatted as its name


# ─────────────────────────────── requests ───────────────────────────────


@attrs.frozen(eq=False, repr=False, slots=False)
class RequestContext(Value):
    """The sender of a request: the application, its user pool, and the user's token (never shown)."""

    app_id: str
    lang: str = "en-US"
    user_pool_id: str | None = None
    token: str | None = attrs.field(default=None, repr=False)
    _made: dict[tuple[bool, str | None], Mapping[str, str]] = attrs.field(
        init=False, factory=dict, repr=False, eq=False
    )

    def headers(self, bearer: Bearer, content_type: str | None = None) -> Mapping[str, str]:
        """Return the headers that every request of this context carries (docs/wire.md#other-headers, as the iOS client sends them).

        They are made once for each of the few kinds of requests, in a form that aiohttp does not convert.
        """
        kind = (self.token is not None and bearer is not Bearer.NEVER, content_type)
        made = self._made.get(kind)
        return self._make(*kind) if made is None else made

    def _make(self, with_token: bool, content_type: str | None) -> Mapping[str, str]:  # noqa: FBT001 - the parts of a key
        headers = CIMultiDict(
            {
                "x-authing-app-id": self.app_id,
                "x-authing-request-from": f"authing-mfa-python@{__version__}",
                "x-authing-sdk-version": __version__,
                "x-authing-lang": self.lang,
            }
        )
        if self.user_pool_id is not None:
            headers["x-authing-userpool-id"] = self.user_pool_id
        if with_token:
            headers["Authorization"] = f"Bearer {self.token}"
        if content_type is not None:
            headers["Content-Type"] = content_type
        made = CIMultiDictProxy(headers)
        if content_type in _USUAL_TYPES:
            self._made[with_token, content_type] = made
        return made


_JSON: Final = "application/json"
_USUAL_TYPES: Final = (None, _JSON)


@attrs.define(eq=False, repr=False)
class Request(Value):
    """One request without its host, which the transport knows."""

    method: str
    target: str  # path and query, already percent-encoded
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)


def check_token(operation: Operation[Any], token: str | None) -> None:
    """Check that a *token* is given if *operation* needs one.

    Raises:
        LoginError: the token is missing.
    """
    if token is None and operation.bearer is Bearer.REQUIRED:
        raise LoginError(
            f"{operation.python_name} needs a token, and the client has none: log in first, or use as_user(token)."
        )


def encode(operation: Operation[Any], context: RequestContext) -> Request:
    """Return the request of *operation*, sent for *context*: its fields in the query of GET and DELETE, else as a JSON object.

    Raises:
        LoginError: the operation needs a user's token and the context has none.
        InvalidInputError: a field cannot be sent, or the class of the operation is not complete.
    """
    check_token(operation, context.token)
    if isinstance(operation, _OTHER_REQUESTS):
        return _encode_other(operation, context)
    route = operation.route
    fields = structuring.to_wire(operation)
    method = route.method
    if method != "POST" and method in _WITHOUT_BODY:  # in this order: most calls are POSTs
        return Request(method, _target(route, context, fields), context.headers(operation.bearer))
    headers = context.headers(operation.bearer, _JSON)
    if isinstance(operation, LoginByAccount) and operation.captcha is not None and operation.captcha.cookie is not None:
        cookie = check_header_text("captcha.cookie", operation.captcha.cookie)
        headers = CIMultiDictProxy(CIMultiDict(headers, Cookie=cookie))
    target = _target(route, context, {}) if route.query else route.path
    try:
        return Request(method, target, headers, dump_json(fields))
    except (TypeError, ValueError) as error:
        problem = str(error)
    raise InvalidInputError(f"A field of {operation.python_name} cannot be sent as JSON: {problem}.")


_WITHOUT_BODY: Final = frozenset(("GET", "DELETE", "HEAD"))
_OTHER_REQUESTS: Final = (PublicConfig, UploadFaceImage)


def _target(route: Route, context: RequestContext, fields: Mapping[str, Any]) -> str:
    """Return the path of *route* with its constant query and *fields*; those that are None are left out."""
    query = [(name, value.format(app_id=context.app_id)) for name, value in route.query]
    query += [
        (name, value if value.__class__ is str else _query_text(name, value))
        for name, value in fields.items()
        if value is not None
    ]
    return f"{route.path}?{urlencode(query)}" if query else route.path


def _query_text(name: str, value: object) -> str:
    """Return *value* as it stands in a query. `str` would format a member of an Enum class as its name.

    Raises:
        InvalidInputError: *value* is not text, a number or a boolean.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float) and isfinite(value):
        return float.__repr__(value)
    raise InvalidInputError(
        f"{name} cannot be sent in a query: text, a number or a boolean is expected, not {type(value).__name__}."
    )


def _encode_other(operation: PublicConfig | UploadFaceImage, context: RequestContext) -> Request:
    """Return the request whose path has a field in it, or whose body is not JSON."""
    if isinstance(operation, UploadFaceImage):
        return _encode_upload(operation, context)
    route = operation.route
    target = route.path.format(app_id=quote(operation.app_id, safe=""))
    return Request(route.method, target, context.headers(operation.bearer))


def _encode_upload(operation: UploadFaceImage, context: RequestContext) -> Request:
    """Return one part named `file` (docs/wire.md#photo-upload). The boundary is made from the content: the same picture gives the same bytes."""
    boundary = hashlib.sha256(operation.image).hexdigest()
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="personal.jpeg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    headers = context.headers(operation.bearer, f"multipart/form-data; boundary={boundary}")
    query = urlencode((*operation.route.query, ("private", str(operation.private).lower())))
    body = b"".join((head.encode(), operation.image, f"\r\n--{boundary}--\r\n".encode()))
    return Request("POST", f"{operation.route.path}?{query}", headers, body)


# ─────────────────────────────── answers ───────────────────────────────


@attrs.define(eq=False, repr=False)
class Response(Value):
    """One whole HTTP answer."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)  # the transport's mapping ignores the case of names
    body: bytes = attrs.field(repr=False)


@attrs.define(eq=False, repr=False)
class Answer(Value, Generic[T]):
    """A successful answer: the value, the service's message and its request id."""

    value: T
    message: str | None = None
    request_id: str | None = None


def decode(operation: Operation[T], response: Response, context: RequestContext | None = None) -> Answer[T]:
    """Return the answer that *response* holds for *operation*, which was sent with the token of *context* (no error shows the token).

    Raises:
        ApiError: the service said no; the most specific class, see `errors`.
        ResponseError: the answer is not what the protocol allows. Nothing half-filled is ever returned.
    """
    if operation.returns is Captcha and (picture := _captcha(response)) is not None:
        return Answer(picture)  # type: ignore[arg-type]  # T is Captcha here
    try:
        return _decode(operation, response, None if context is None else context.token)
    except AuthingError as error:
        failure = error.with_traceback(None)
    failure.__context__ = failure.__cause__ = None
    raise failure  # raised here: the inner frames hold the answer, and a traceback may show the variables of its frames


def _decode(operation: Operation[T], response: Response, token: str | None) -> Answer[T]:
    try:
        body = parse_json(response.body)
    except ValueError as error:
        raise _unreadable(response, str(error)) from None
    if body.__class__ is not dict:
        return _decode_array(operation, response, body)
    if operation.graphql_field is not None:
        body = _graphql_envelope(body, operation.graphql_field, response)
    code = _code_of(body, response)
    success = response.status in _SUCCESS
    if code is None and success:
        return Answer(_structure(operation, body, body.get("recoveryCode"), response), None, _request_id(body))
    if code is not None and code in _SUCCESS and success:
        message = body.get("message")
        value = _structure(operation, body.get("data"), body.get("recoveryCode"), response)
        return Answer(value, message if isinstance(message, str) else None, _request_id(body))
    if code is None or code in _SUCCESS:
        code = response.status
    refusal = _api_error(operation, response, code, body, token)
    if isinstance(refusal, operation.false_on):
        return Answer(value=False, message=refusal.message)  # type: ignore[arg-type]  # T is bool here
    raise refusal


def _captcha(response: Response) -> Captcha | None:
    """Return the picture in *response* and its cookie; None if the answer is not a picture."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_svg = response.body.lstrip()[:4].lower() == b"<svg"
    if response.status not in _SUCCESS or not response.body or not (is_svg or media_type.startswith("image/")):
        return None
    return Captcha(response.body, "image/svg+xml" if is_svg else media_type, _cookies(response.headers))


def _cookies(headers: Mapping[str, str]) -> str | None:
    """Return the `Cookie` header that sends the cookies of an answer back; no source states their names."""
    lines = headers.getall("Set-Cookie", []) if isinstance(headers, MultiMapping) else [headers.get("Set-Cookie", "")]
    pairs = [pair for line in lines if "=" in (pair := line.partition(";")[0].strip())]
    return "; ".join(pair for pair in pairs if _is_header_text(pair)) or None


def _graphql_envelope(body: dict[str, Any], field: str, response: Response) -> dict[str, Any]:
    """Return the ordinary envelope inside a GraphQL answer: in `data` under *field*, or as the message of an error.

    Raises:
        ResponseError: the answer has no envelope; a GraphQL error whose message is a text has no code.
    """
    errors, data = body.get("errors"), body.get("data")
    if isinstance(errors, list) and errors:
        said = errors[0].get("message") if isinstance(errors[0], dict) else None
        if isinstance(said, dict) and said.get("code") is not None:
            return said
        raise _unreadable(response, "its GraphQL error has no code")
    if isinstance(data, dict) and isinstance(data.get(field), dict):
        answered: dict[str, Any] = data[field]
        return answered
    if body.get("code") is None and response.status in _SUCCESS:
        raise _unreadable(response, f"it has no {field}")
    return body


def _decode_array(operation: Operation[T], response: Response, body: Any) -> Answer[T]:
    if body.__class__ is list and response.status in _SUCCESS:
        return Answer(_structure(operation, body, None, response))
    raise _unreadable(response, f"it is JSON, but not an object ({type(body).__name__})")


def _structure(operation: Operation[T], payload: Any, recovery_code: Any, response: Response) -> T:
    try:
        if isinstance(operation, VerifyByRecoveryCode):
            return structuring.recovered_user(payload, recovery_code)  # type: ignore[return-value]  # T is UserInfo here
        return structuring.from_wire(operation.returns, payload, recovery_code)  # type: ignore[no-any-return]  # T by `answer`
    except KeyError as error:
        problem = f"{error.args[0]} is missing"
    except (TypeError, ValueError) as error:
        problem = str(error)
    raise ResponseError(
        f"The service answered {operation.python_name}, but not as the protocol allows: {problem}.",
        http_status=response.status,
    )


def _unreadable(response: Response, problem: str) -> ApiError | ResponseError:
    """Return the error for a body that cannot be read. 401 and 429 keep their meaning: they often come from a gateway in front of the service."""
    status = response.status
    if status == 401:
        return api_error_class(status, status, {})(
            "The service does not accept the token.", code=status, http_status=status
        )
    if status == 429:
        return RateLimitedError(
            "The service asks to slow down.",
            code=status,
            http_status=status,
            retry_after=_retry_after(response.headers),
        )
    return ResponseError(f"The answer (HTTP {status}) cannot be read: {problem}.", http_status=status)


def _request_id(body: dict[str, Any]) -> str | None:
    for name in ("requestId", "uniqueId"):
        value = body.get(name)
        if isinstance(value, str):
            return value
    return None


def _code_of(body: dict[str, Any], response: Response) -> int | None:
    """Return `code`, else `apiCode` or `statusCode` of a v3 answer; None if there is no code (docs/wire.md#envelopes).

    A v3 success may carry an `apiCode`: 0, 200 or 20001 (docs/wire.md#v3-envelope). Any other value is an error code.
    """
    code = _number(body, "code", response)
    if code is not None:
        return code
    api_code, status = _number(body, "apiCode", response), _number(body, "statusCode", response)
    if api_code is not None and api_code not in _SUCCESS_API_CODES:
        return api_code
    return 200 if status is None and api_code is not None else status


def _number(body: dict[str, Any], name: str, response: Response) -> int | None:
    """Return the field *name*, which holds a number or a text of digits; 18 digits at most, which databases and files can hold."""
    value = body.get(name)
    if value is None or (value.__class__ is int and -_TOO_LARGE < value < _TOO_LARGE):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _TOO_LARGE:
        return int(value)
    raise _unreadable(response, f"its {name} is not a number of at most 18 digits")


def _status_of(body: dict[str, Any], response: Response) -> int:
    """Return the status that decides the class of a refusal. A v3 answer always has HTTP status 200, so its `statusCode` counts."""
    if response.status not in _SUCCESS or body.get("code") is not None:
        return response.status
    return _number(body, "statusCode", response) or response.status


def _api_error(
    operation: Operation[Any], response: Response, code: int, body: dict[str, Any], token: str | None
) -> ApiError:
    message = body.get("message")
    if not isinstance(message, str) or not message:
        message = f"The service refused {operation.python_name}."
    data = body.get("data")
    request_id = _request_id(body)
    cls = api_error_class(code, _status_of(body, response), operation.error_overrides)
    fields: dict[str, Any] = {"code": code, "http_status": response.status, "data": data, "request_id": request_id}
    message = masked(message, operation, token)
    if issubclass(cls, RateLimitedError):
        return cls(message, retry_after=_retry_after(response.headers), **fields)
    if issubclass(cls, PasswordChangeRequiredError):
        change_token = data.get("token") if isinstance(data, dict) else None
        return cls(message, token=change_token if isinstance(change_token, str) else None, **fields)
    if issubclass(cls, MfaRequiredError):
        try:
            return cls(message, challenge=MfaChallenge.from_dict(cast("dict[str, Any]", data), code=code), **fields)
        except InvalidInputError as error:
            problem = error.message
        raise ResponseError(
            f"The service asks for a second factor ({code}), but its challenge cannot be read. {problem}",
            http_status=response.status,
        )
    return cls(message, **fields)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a `Retry-After` header; a date is counted from the answer's own `Date` (RFC 9110, section 10.2.3)."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    try:
        now, then = (parsedate_to_datetime(date) for date in (headers["Date"], value))
        # A date without a zone is UTC, as all dates of HTTP are.
        pause = then.replace(tzinfo=then.tzinfo or UTC) - now.replace(tzinfo=now.tzinfo or UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return max(pause.total_seconds(), 0.0)
