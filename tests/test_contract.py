"""The public surface, written out: names, parameters, their kinds and defaults. It may grow; what stands here may not change."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Mapping
from inspect import Parameter
from typing import get_type_hints

import attrs
import pytest

import authing_mfa
from authing_mfa import AuthClient, MfaChallenge, UserInfo
from tests.endpoints import ENDPOINTS

PUBLIC = {
    "AuthClient", "CallRecord", "ImageSource", "__version__",
    "UserInfo", "MfaFactor", "MfaChallenge", "TotpEnrollment", "Authenticator", "CustomField",
    "AuthingError", "InvalidInputError", "UsageError", "ImageError", "CancelledCallError", "NetworkError",
    "CallTimeoutError", "ConfigError", "LoginError", "ResponseError", "ApiError", "MfaRequiredError",
    "InvalidMfaTokenError", "NotAuthenticatedError", "WrongCodeError", "FaceError", "RateLimitedError",
    "AccountLockedError", "AccountDisabledError", "CaptchaRequiredError", "PasswordChangeRequiredError", "ServiceError",
    "WrongPasswordError", "Factor", "FactorEnrollment", "MfaTokenInfo", "Captcha", "IdToken", "SecurityLevel",
}  # fmt: skip

OPTIONS = {
    "token": None, "host": "authing.cn", "scheme": "https", "on_premise": False, "base_url": None, "user_pool_id": None,
    "public_key": None, "lang": "en-US", "timeout": 60.0, "connect_timeout": 10.0, "max_connections": 512, "proxy": None,
    "trust_env": False, "ssl_context": None, "session": None,
}  # fmt: skip

FIELDS = {
    "UserInfo": "id username nickname name email phone phone_country_code photo user_pool_id token id_token access_token "
    "refresh_token recovery_code raw token_expires_at",
    "MfaFactor": "policy sort",
    "MfaChallenge": "token factors phone phone_country_code email totp_enabled face_enabled raw",
    "TotpEnrollment": "secret uri recovery_code qr_png",
    "Authenticator": "id type enabled source",
    "CustomField": "key value label data_type",
    "Factor": "id type phone phone_country_code email raw",
    "FactorEnrollment": "token secret uri recovery_code qr_png raw",
    "MfaTokenInfo": "active user_id user_pool_id expires_at issued_at raw",
    "Captcha": "image media_type cookie",
    "IdToken": "token issued_at expires_at",
    "SecurityLevel": "score mfa raw",
}

ERRORS = {
    "AuthingError": ("Exception", None),
    "InvalidInputError": ("AuthingError ValueError", 10100),
    "ImageError": ("AuthingError", 10101),
    "CancelledCallError": ("AuthingError", 10102),
    "NetworkError": ("AuthingError", 10001),
    "CallTimeoutError": ("NetworkError", 10001),
    "ConfigError": ("AuthingError", 10002),
    "LoginError": ("AuthingError", 10003),
    "ResponseError": ("AuthingError", 10004),
    "ApiError": ("AuthingError", None),
    "MfaRequiredError": ("ApiError", None),
    "InvalidMfaTokenError": ("ApiError", None),
    "NotAuthenticatedError": ("ApiError", None),
    "WrongCodeError": ("ApiError", None),
    "FaceError": ("ApiError", None),
    "RateLimitedError": ("ApiError", None),
    "AccountLockedError": ("ApiError", None),
    "AccountDisabledError": ("ApiError", None),
    "CaptchaRequiredError": ("ApiError", None),
    "PasswordChangeRequiredError": ("ApiError", None),
    "ServiceError": ("ApiError", None),
    "WrongPasswordError": ("ApiError", None),
}


def test_public_names():
    """Everything promised is there and listed; nothing else is listed by accident."""
    assert set(authing_mfa.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(authing_mfa, name) is not None


def test_the_client_is_made_with_these_settings():
    """One positional argument; all settings by name, with these defaults. Settings of ours come on top, with defaults."""
    parameters = inspect.signature(AuthClient).parameters
    assert parameters["app_id"].kind is Parameter.POSITIONAL_OR_KEYWORD
    assert parameters["app_id"].default is Parameter.empty
    for name, default in OPTIONS.items():
        assert parameters[name].kind is Parameter.KEYWORD_ONLY, name
        assert parameters[name].default == default, name
        assert type(parameters[name].default) is type(default), name
    more = set(parameters) - set(OPTIONS) - {"app_id"}
    assert all(parameters[name].default is not Parameter.empty for name in more)
    assert all(parameters[name].kind is Parameter.KEYWORD_ONLY for name in more)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_methods(endpoint):
    """Names, order, kinds and types of the parameters, their defaults, and what each gives."""
    method = getattr(AuthClient, endpoint.name)
    assert inspect.iscoroutinefunction(method)
    assert written(method) == endpoint.signature


def test_a_client_is_opened_and_closed():
    """`async with`, or aclose()."""
    assert written(AuthClient.__aenter__) == "__aenter__() -> Self"
    assert written(AuthClient.aclose) == "aclose() -> None"


def written(method):
    """The method's name and signature as text, without self and quotes."""
    signature = str(inspect.signature(method)).replace("'", "")
    return f"{method.__name__}({signature.removeprefix('(self').removeprefix(', ')}"


def test_as_user():
    """A view takes a token, or None, and is a client."""
    (token,) = list(inspect.signature(AuthClient.as_user).parameters.values())[1:]
    assert (token.name, token.kind, token.default) == ("token", Parameter.POSITIONAL_OR_KEYWORD, Parameter.empty)
    assert isinstance(AuthClient("app").as_user("t"), AuthClient)


@pytest.mark.parametrize("name", FIELDS)
def test_models(name):
    """Frozen values with these fields, in this order."""
    cls = getattr(authing_mfa, name)
    assert [field.name for field in attrs.fields(cls)] == FIELDS[name].split()
    value = cls(*["x"] * len(FIELDS[name].split()))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, FIELDS[name].split()[0], "y")


def test_display_name_and_raw():
    """`display_name` is computed, `raw` is a mapping."""
    assert isinstance(inspect.getattr_static(UserInfo, "display_name"), property)
    assert isinstance(UserInfo().raw, Mapping)
    assert isinstance(MfaChallenge(token="t").raw, Mapping)


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    """Parents and codes of the tree."""
    parents, code = ERRORS[name]
    cls = getattr(authing_mfa, name)
    assert [base.__name__ for base in cls.__bases__] == parents.split()
    if code is not None:
        assert cls("x").code == code


def test_errors_say_what_they_hold():
    """The attributes of each kind are declared, with their types."""
    assert set(get_type_hints(authing_mfa.AuthingError)) >= {"code", "message", "delivery"}
    assert declared(authing_mfa.ApiError) == {"http_status", "data", "request_id"}
    assert declared(authing_mfa.MfaRequiredError) == {"challenge"}
    assert declared(authing_mfa.RateLimitedError) == {"retry_after"}


def declared(error):
    """The attributes of its instances that the class itself declares."""
    return {name for name, kind in error.__annotations__.items() if not str(kind).startswith("ClassVar")}


@pytest.mark.parametrize(
    ("statement", "unneeded"),
    [
        ("import authing_mfa", {"PIL", "cryptography", "aiohttp", "attr", "cattrs"}),
        ("from authing_mfa import AuthClient", {"PIL", "cryptography", "authing_mfa.images"}),
        ("from authing_mfa import ImageSource", {"PIL", "cryptography", "aiohttp", "cattrs"}),
    ],
)
def test_importing_does_not_load_what_is_not_needed_yet(statement, unneeded):
    """Pictures, encryption and the HTTP library are loaded by the first call that needs them."""
    script = f"import sys; {statement}; print(*{unneeded} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "")
