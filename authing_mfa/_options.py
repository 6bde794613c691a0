"""`ClientOptions`: the keywords of one client, checked before anything is sent."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Literal

import aiohttp
import attrs

from authing_mfa import retry
from authing_mfa._checks import LONGEST, flag, is_number, whole_number
from authing_mfa._plain_function import is_plain_function
from authing_mfa._value import Value
from authing_mfa.call_record import CallRecord
from authing_mfa.discovery import Service, check_base_url, check_host, check_proxy, service_address
from authing_mfa.errors import InvalidInputError
from authing_mfa.protocol import DEFAULT_LIMIT, check_header_text

__all__ = ["ClientOptions", "check_token_text"]


def _seconds(name: str, value: Any) -> float:
    if not is_number(value) or not 0 < value <= LONGEST:
        raise InvalidInputError(f"{name} must be a number of seconds above 0 and at most ten years.")
    return float(value)


def _scheme(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or value not in {"https", "http"}:
        raise InvalidInputError('scheme must be "https" or "http".')


def _public_key(_: object, __: object, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidInputError("public_key must be text (str): base64 or PEM of a public key.")
    if value is not None and not value.strip():
        raise InvalidInputError("public_key is empty.")


def _ssl_context(_: object, __: object, value: Any) -> None:
    if value is not None and not isinstance(value, ssl.SSLContext):
        raise InvalidInputError(
            "ssl_context must be an ssl.SSLContext: certificate checks cannot be switched off by a flag."
        )


def _session(_: object, __: object, value: Any) -> None:
    if value is not None and not isinstance(value, aiohttp.ClientSession):
        raise InvalidInputError("session must be an aiohttp.ClientSession.")


def _on_call(_: object, __: object, value: Any) -> None:
    if value is not None and not is_plain_function(value):
        raise InvalidInputError("on_call must be a plain function; it is called with a CallRecord and never awaited.")


def _app_id(value: str) -> str:
    return check_header_text("app_id", value)


def _lang(value: str) -> str:
    return check_header_text("lang", value)


def check_token_text(value: str | None) -> str | None:
    return None if value is None else check_header_text("token", value)


def _user_pool_id(value: str | None) -> str | None:
    return None if value is None else check_header_text("user_pool_id", value)


def _base_url(value: str | None) -> str | None:
    return None if value is None else check_base_url(value)


def _timeout(value: float) -> float:
    return _seconds("timeout", value)


def _connect_timeout(value: float) -> float:
    return _seconds("connect_timeout", value)


@attrs.frozen(eq=False, repr=False, slots=False)
class ClientOptions(Value):
    """The keywords of one `AuthClient`, checked. `AuthClient` says what each of them means.

    Raises:
        InvalidInputError: a value that cannot be right.
    """

    app_id: str = attrs.field(converter=_app_id)
    token: str | None = attrs.field(default=None, repr=False, converter=check_token_text)
    host: str = attrs.field(default="authing.cn", converter=check_host)
    scheme: Literal["https", "http"] = attrs.field(default="https", validator=_scheme)  # pyright: ignore[reportAssignmentType] - it widens the default
    on_premise: bool = attrs.field(default=False, validator=flag)
    base_url: str | None = attrs.field(default=None, converter=_base_url)
    user_pool_id: str | None = attrs.field(default=None, converter=_user_pool_id)
    public_key: str | None = attrs.field(default=None, validator=_public_key)
    lang: str = attrs.field(default="en-US", converter=_lang)
    timeout: float = attrs.field(default=60.0, converter=_timeout)
    connect_timeout: float = attrs.field(default=10.0, converter=_connect_timeout)
    max_connections: int = attrs.field(default=512, validator=whole_number())
    proxy: str | None = attrs.field(default=None, converter=check_proxy, repr=False)
    trust_env: bool = attrs.field(default=False, validator=flag)
    ssl_context: ssl.SSLContext | None = attrs.field(default=None, validator=_ssl_context)
    session: aiohttp.ClientSession | None = attrs.field(default=None, validator=_session)
    max_attempts: int = attrs.field(default=retry.MAX_ATTEMPTS, validator=whole_number())
    max_image_side: int = attrs.field(default=1280, validator=whole_number())
    max_image_memory: int = attrs.field(default=512 * 1024 * 1024, validator=whole_number())
    max_response_size: int = attrs.field(default=DEFAULT_LIMIT, validator=whole_number())
    on_call: Callable[[CallRecord], Any] | None = attrs.field(default=None, validator=_on_call)

    @property
    def service(self) -> Service:
        """The application and the service of the client's calls."""
        return Service(self.app_id, service_address(self.scheme, self.host, self.base_url))
