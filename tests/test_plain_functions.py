"""Every function that an application hands over must be a plain function: the body of a coroutine function or a generator would never run."""

import functools

import pytest

from authing_mfa import AuthClient, InvalidInputError
from authing_mfa.batch import verify_many
from authing_mfa.compat import AuthClient as CompatAuthClient
from authing_mfa.compat import Authing


class Waiting:
    async def __call__(self, *_): ...


async def waiting(*_): ...


async def waiting_generator(*_):
    yield


def generator(*_):
    yield


NEVER_RUN = {
    "a coroutine function": waiting,
    "an object that is one": Waiting(),
    "a partial of an object that is one": functools.partial(Waiting()),
    "a generator": generator,
    "an asynchronous generator": waiting_generator,
    "a number": 3,
}


def on_call(function):
    AuthClient("app", base_url="http://127.0.0.1:1", on_call=function)


def on_progress(function):
    verify_many(AuthClient("app", base_url="http://127.0.0.1:1"), [], on_progress=function)


def dispatcher(function):
    CompatAuthClient().mfaVerifyByOTP("123456", print, dispatcher=function)


GIVEN = (on_call, on_progress, dispatcher, Authing.setDispatcher, Authing.setErrorHandler)


@pytest.mark.parametrize("function", NEVER_RUN.values(), ids=NEVER_RUN)
@pytest.mark.parametrize("give", GIVEN, ids=lambda give: give.__name__)
def test_a_function_that_would_never_run_is_refused(give, function):
    """When it is handed over: later a progress bar would stand still, or no completion would ever run."""
    with pytest.raises((InvalidInputError, TypeError), match="must be a plain function"):
        give(function)
