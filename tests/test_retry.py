"""When a failed call is tried again: decided from operation, error, number of the try, time left and a random number alone."""

from __future__ import annotations

import pytest

from authing_mfa import operations as ops
from authing_mfa.errors import (
    ApiError,
    CallTimeoutError,
    ConfigError,
    InvalidMfaTokenError,
    LoginError,
    NetworkError,
    RateLimitedError,
    ResponseError,
)
from authing_mfa.operations import OPERATIONS, PublicConfig
from authing_mfa.retry import MAX_ATTEMPTS, retry_delay
from tests.endpoints import SAMPLES

SPENDING = ops.VerifyByRecoveryCode("code")
CHECK = ops.MfaCheck("1")

NOT_SENT = NetworkError("x", delivery="not_sent")
UNKNOWN = NetworkError("x", delivery="unknown")
LATE = CallTimeoutError("x", delivery="unknown")
BUSY = ApiError("x", code=500, http_status=503)
GATEWAY = ResponseError("x", http_status=502)
BROKEN = ResponseError("x", http_status=500)


def judge(operation, error, *, attempt=1, max_attempts=3, budget=60.0, jitter=0.5):
    return retry_delay(operation, error, attempt=attempt, max_attempts=max_attempts, budget=budget, jitter=jitter)


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
def test_what_was_not_sent_may_go_again(cls):
    """Any call that provably never left may be tried again, also one that spends a code."""
    assert judge(cls(*SAMPLES[cls]), NOT_SENT) is not None


@pytest.mark.parametrize("cls", [*OPERATIONS, PublicConfig], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("error", [UNKNOWN, LATE, BUSY, GATEWAY, BROKEN], ids=repr)
def test_only_retryable_calls_go_again_after_they_may_have_arrived(cls, error):
    """After a lost answer or a 5xx only a call that changes nothing is retried."""
    again = judge(cls(*SAMPLES[cls]), error) is not None
    assert again is cls.retryable


@pytest.mark.parametrize(
    "error",
    [
        ApiError("x", code=500, http_status=200),
        ApiError("x", code=499, http_status=499),
        ResponseError("x", http_status=200),
        ResponseError("x"),
        InvalidMfaTokenError("x", code=2021),
        LoginError("x"),
        ConfigError("x"),
        RateLimitedError("x", code=2080, http_status=200, retry_after=1),
        RateLimitedError("x", code=4004, http_status=503, retry_after=1),
    ],
    ids=repr,
)
def test_a_clear_answer_is_final(error):
    """A refusal, an answer that cannot be read, or "too soon" without HTTP 429 is not tried again, not even for a check."""
    assert judge(CHECK, error) is None


@pytest.mark.parametrize("cls", [*OPERATIONS, PublicConfig], ids=lambda cls: cls.__name__)
def test_429_waits_as_long_as_the_service_says(cls):
    """HTTP 429 means not done: any call may go again after exactly Retry-After seconds, chance plays no part."""
    error = RateLimitedError("x", code=429, http_status=429, retry_after=7.25)
    assert judge(cls(*SAMPLES[cls]), error, jitter=0.9) == 7.25


def test_429_without_retry_after_is_final():
    """The service named no pause, and no pause is guessed."""
    assert judge(CHECK, RateLimitedError("x", code=429, http_status=429)) is None


@pytest.mark.parametrize(("budget", "expected"), [(7.0, None), (7.01, 7.0)])
def test_a_wait_must_end_before_the_deadline(budget, expected):
    """A wait that uses the rest of the call's time is not begun."""
    assert judge(SPENDING, RateLimitedError("x", code=1, http_status=429, retry_after=7.0), budget=budget) == expected


def test_no_time_no_try():
    """A call whose time is over ends, also without a pause."""
    assert judge(SPENDING, NOT_SENT, budget=0.0, jitter=0.0) is None
    assert judge(SPENDING, NOT_SENT, budget=-1.0, jitter=0.0) is None


@pytest.mark.parametrize(("attempt", "max_attempts"), [(3, 3), (4, 3), (1, 1)])
def test_tries_are_few(attempt, max_attempts):
    """After the last try there is no other; 1 turns retries off."""
    assert judge(CHECK, NOT_SENT, attempt=attempt, max_attempts=max_attempts) is None


def test_default_number_of_tries():
    """Few means three."""
    assert MAX_ATTEMPTS == 3


@pytest.mark.parametrize(
    ("attempt", "jitter", "expected"),
    [(1, 0.0, 0.0), (1, 0.5, 0.1), (2, 0.5, 0.2), (3, 0.5, 0.4), (9, 0.5, 1.0), (9, 0.25, 0.5)],
)
def test_back_off_doubles_up_to_a_cap_with_full_jitter(attempt, jitter, expected):
    """The pause is a random share, from nothing to all, of a back-off that doubles up to two seconds."""
    assert judge(CHECK, NOT_SENT, attempt=attempt, max_attempts=99, jitter=jitter) == pytest.approx(expected)


@pytest.mark.parametrize("attempt", [1023, 1024, 10**6])
def test_there_may_be_any_number_of_tries(attempt):
    """A program that waits for a service over night tries thousands of times: the pause stays that of the cap."""
    assert judge(CHECK, NOT_SENT, attempt=attempt, max_attempts=10**7) == 1.0
