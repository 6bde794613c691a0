"""The error tree: parents, messages, pickles, and that no error shows a secret."""

from __future__ import annotations

import copy
import pickle

import pytest

from authing_mfa import errors
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
    api_error_class,
)
from authing_mfa.models import MfaChallenge, MfaFactor

CHALLENGE = MfaChallenge(token="mfa-token-secret", factors=(MfaFactor("SMS", 1),), phone="5", raw={"x": 1})

SAMPLES = [
    AuthingError("Something."),
    AuthingError("Something.", code=7, delivery="unknown"),
    InvalidInputError("phone is empty."),
    UsageError("It is closed."),
    ImageError("Not a picture."),
    CancelledCallError("Cancelled."),
    NetworkError("Refused.", delivery="not_sent"),
    CallTimeoutError("Too slow."),
    ConfigError("No config."),
    LoginError("No token."),
    ResponseError("HTML.", http_status=502),
    ResponseError("HTML."),
    ApiError("No.", code=2333, http_status=400, data={"token": "hidden-token"}, request_id="r1"),
    MfaRequiredError("Second factor.", challenge=CHALLENGE, code=1636, data={"mfaToken": "mfa-token-secret"}),
    InvalidMfaTokenError("Expired.", code=2021),
    NotAuthenticatedError("Who?", code=2020, http_status=401),
    WrongCodeError("Wrong.", code=6001),
    FaceError("Not you.", code=1702),
    RateLimitedError("Slow down.", code=429, http_status=429, retry_after=3.5),
    AccountLockedError("Locked.", code=2005),
    PasswordChangeRequiredError("New password.", token="mfa-token-secret", code=1639),
    CaptchaRequiredError("Captcha.", code=2000),
    WrongPasswordError("Wrong.", code=2333, data={"remainCount": 2}),
    AccountDisabledError("Disabled.", code=1577),
    ServiceError("Broken.", code=500, http_status=500),
]


def _name(error: AuthingError) -> str:
    return type(error).__name__


@pytest.mark.parametrize(
    ("cls", "parent", "code", "delivery"),
    [
        (InvalidInputError, AuthingError, 10100, "not_sent"),
        (UsageError, InvalidInputError, 10100, "not_sent"),
        (ImageError, AuthingError, 10101, "not_sent"),
        (CancelledCallError, AuthingError, 10102, "unknown"),
        (NetworkError, AuthingError, 10001, "unknown"),
        (CallTimeoutError, NetworkError, 10001, "unknown"),
        (ConfigError, AuthingError, 10002, "not_sent"),
        (LoginError, AuthingError, 10003, "not_sent"),
        (ResponseError, AuthingError, 10004, "answered"),
    ],
)
def test_local_errors_have_their_code_and_delivery(cls, parent, code, delivery):
    """Each error has the parent, the code and the delivery of the drawing."""
    error = cls("A sentence.")
    assert (cls.__bases__[0], error.code, error.delivery, error.message) == (parent, code, delivery, "A sentence.")


@pytest.mark.parametrize(
    "cls",
    [
        MfaRequiredError,
        InvalidMfaTokenError,
        NotAuthenticatedError,
        WrongCodeError,
        FaceError,
        RateLimitedError,
        AccountLockedError,
        AccountDisabledError,
        CaptchaRequiredError,
        PasswordChangeRequiredError,
        ServiceError,
        WrongPasswordError,
    ],
)
def test_refusals_of_the_service_are_api_errors(cls):
    """Whoever catches ApiError catches every refusal of the service; all say that it answered."""
    assert cls.__bases__ == (ApiError,)
    assert cls.default_delivery == "answered"


def test_built_in_parents():
    """Bad input is a ValueError too, and misuse of a client a RuntimeError too."""
    assert issubclass(InvalidInputError, ValueError)
    assert issubclass(UsageError, RuntimeError)


def test_every_error_is_in_the_samples():
    """A new class of error must join the round-trip tests below."""
    classes = {cls for name in errors.__all__ if isinstance(cls := getattr(errors, name), type)}
    assert {type(sample) for sample in SAMPLES} == classes


@pytest.mark.parametrize("error", SAMPLES, ids=_name)
def test_a_traceback_names_the_public_module(error):
    """`authing_mfa.errors`, in whatever file the class is written."""
    assert type(error).__module__ == "authing_mfa.errors"


@pytest.mark.parametrize("error", SAMPLES, ids=_name)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_keeps_everything(error, protocol):
    """An error that crosses a process is the same error: class, arguments, every attribute, notes."""
    error = copy.copy(error)
    error.add_note("row 7")
    twin = pickle.loads(pickle.dumps(error, protocol))
    assert type(twin) is type(error)
    assert twin.args == error.args
    assert vars(twin) == vars(error)
    assert (str(twin), repr(twin)) == (str(error), repr(error))


@pytest.mark.parametrize("error", SAMPLES, ids=_name)
@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_copies_are_equal_and_apart(error, make):
    """Copies keep everything and share no attribute table."""
    twin = make(error)
    assert vars(twin) == vars(error)
    twin.message = "changed"
    assert error.message != "changed"


@pytest.mark.parametrize("error", SAMPLES, ids=_name)
def test_text_is_the_sentence_and_the_code(error):
    """What is printed is the message with the code behind it, and never the data, which may hold tokens."""
    assert str(error) == f"{error.message} ({error.code})"
    shown = f"{error} {error!r} {error.args}"
    assert "mfa-token-secret" not in shown
    assert "hidden-token" not in shown
    assert type(error).__name__ in repr(error)
    assert error.delivery in repr(error)


def test_api_error_carries_what_the_service_said():
    """Code, status, data and request id are attributes; the class's defaults are those of a plain refusal."""
    error = ApiError("No.", code=2333, http_status=499, data=[1], request_id="r")
    assert (error.code, error.http_status, error.data, error.request_id) == (2333, 499, [1], "r")
    plain = ApiError("No.", code=5)
    assert (plain.http_status, plain.data, plain.request_id, plain.delivery) == (200, None, None, "answered")


@pytest.mark.parametrize(
    ("code", "status", "special", "expected"),
    [
        (1635, 200, {}, MfaRequiredError),
        (1636, 400, {}, MfaRequiredError),
        (2021, 200, {}, InvalidMfaTokenError),
        (2021, 401, {}, InvalidMfaTokenError),
        (2020, 200, {}, NotAuthenticatedError),
        (9999, 401, {}, NotAuthenticatedError),
        (401, 200, {}, NotAuthenticatedError),
        *[(code, 200, {}, WrongCodeError) for code in (6001, 6002, 6003, 6004, 2001, 2300)],
        *[(code, 200, {}, FaceError) for code in range(1700, 1708)],
        (1699, 200, {}, ApiError),
        (1708, 200, {}, ApiError),
        (2080, 200, {}, RateLimitedError),
        (4004, 200, {}, RateLimitedError),
        (429, 200, {}, RateLimitedError),
        (6001, 429, {}, RateLimitedError),
        (1636, 429, {}, RateLimitedError),
        (422, 200, {}, ApiError),
        (422, 422, {422: RateLimitedError}, RateLimitedError),
        (400, 400, {}, ApiError),
        (400, 400, {400: WrongCodeError}, WrongCodeError),
        (2005, 200, {}, AccountLockedError),
        (2057, 200, {}, AccountLockedError),
        (987654, 500, {}, ServiceError),
        (987654, 599, {}, ServiceError),
        (987654, 600, {}, ApiError),
        (500, 200, {}, ApiError),
        (1636, 500, {}, MfaRequiredError),
        *[(code, 403, {}, WrongPasswordError) for code in (2333, 2006, 2004)],
        (2000, 200, {}, CaptchaRequiredError),
        *[(code, 200, {}, PasswordChangeRequiredError) for code in (1639, 2058, 2071)],
        *[(code, 200, {}, AccountDisabledError) for code in (1577, 1578, 2120008)],
        *[(code, 200, {}, NotAuthenticatedError) for code in (2206, 2207, 1010001)],
        *[(code, 200, {}, RateLimitedError) for code in (1002, 2100)],
        (2021, 200, {2021: ApiError}, ApiError),
        (2061, 200, {}, ApiError),
    ],
)
def test_class_of_a_refusal(code, status, special, expected):
    """The most specific class wins: 429, the operation's own codes, the code's meaning, the status's."""
    assert api_error_class(code, status, special) is expected


def test_the_swift_name_of_the_token():
    """A ported screen reads `firstTimeLoginToken`."""
    assert PasswordChangeRequiredError("New password.", token="t", code=1639).firstTimeLoginToken == "t"


@pytest.mark.parametrize(
    ("data", "left"), [({"remainCount": 2}, 2), ({"remainCount": "2"}, None), ({}, None), (None, None), ([], None)]
)
def test_how_many_wrong_passwords_are_left(data, left):
    """Where the service says how many, the error says how many."""
    assert WrongPasswordError("Wrong.", code=2333, data=data).attempts_left == left
