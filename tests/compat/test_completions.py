"""Completions are checked when the call is made: an invalid completion would lose the answer of a call that was sent."""

import functools
import logging
from unittest import mock

import pytest

from authing_mfa import LoginError
from authing_mfa import operations as ops
from authing_mfa.compat import AuthClient, Authing
from tests.compat.conftest import PATIENCE, Heard


class Window:
    def taking_one(self, code): ...

    def taking_three(self, code, message, value): ...

    def taking_two(self, code, message): ...

    async def waiting(self, code, message, value): ...

    def __call__(self, code, message, value): ...


class Waiting:
    async def __call__(self, code, message, value): ...


async def waiting(code, message, value): ...


async def waiting_generator(code, message, value):
    yield


def generator(code, message, value):
    yield


@functools.wraps(waiting)
def wrapping(*arguments): ...


UNABLE = {
    "nothing": None,
    "a number": 3,
    "no argument": lambda: None,
    "one argument": lambda code: None,
    "two arguments": lambda code, message: None,
    "four arguments": lambda code, message, value, more: None,
    "a keyword that is needed": lambda code, message, value, *, more: None,
    "only keywords": lambda *, code, message, value: None,
    "a method of one": Window().taking_one,
    "a partial with one too many": functools.partial(lambda a, b, c: None, 1),
    "a coroutine function": waiting,
    "a coroutine method": Window().waiting,
    "an object that is one": Waiting(),
    "a partial of one": functools.partial(waiting, 1),
    "an AsyncMock": mock.AsyncMock(),
    "a generator": generator,
    "an asynchronous generator": waiting_generator,
    "a built-in": len,
}
ABLE = {
    "three arguments": lambda code, message, value: None,
    "any arguments": lambda *arguments: None,
    "a default": lambda code, message, value=None: None,
    "one more with a default": lambda code, message, value, more=None: None,
    "a keyword with a default": lambda code, message, value, *, more=None: None,
    "a method": Window().taking_three,
    "a function of a class": functools.partial(Window.taking_three, Window()),
    "an object": Window(),
    "a class": mock.Mock,
    "a Mock": mock.Mock(),
    "a partial": functools.partial(lambda a, code, message, value: None, 1),
    "a built-in": print,
    "a built-in without a signature": max,
    "a wrapper": wrapping,
}


@pytest.mark.parametrize("completion", UNABLE.values(), ids=UNABLE)
def test_a_completion_that_cannot_be_called_is_refused_before_anything_is_sent(service, completion):
    """With a TypeError at the call, which names it."""
    with pytest.raises(TypeError, match="The completion of mfaVerifyByOTP "):
        AuthClient().mfaVerifyByOTP("123456", completion)
    assert service.seen == []


@pytest.mark.parametrize("completion", ABLE.values(), ids=ABLE)
def test_a_completion_that_can_be_called_is_called(service, errors, completion):
    """Any callable is accepted; its use of code, message and value is not checked."""
    assert AuthClient().mfaVerifyByOTP("123456", completion).wait(PATIENCE)
    assert service.seen == [ops.VerifyByTotp("123456")]
    assert [type(error) for error in errors if not isinstance(error, TypeError)] == []


VALUELESS = {
    "sendSms": ("13800138000",),
    "sendMFAEmail": ("ada@example.com",),
    "mfaDeleteOTP": (),
    "unbindMFAPhone": (),
}


@pytest.mark.parametrize("name", VALUELESS)
def test_a_call_without_a_value_takes_swifts_two_arguments_too(service, name):
    """(code, message), as in a literal port; a completion with three parameters gets None as the value."""
    service.answer = lambda operation: None
    heard = Heard()
    method = getattr(AuthClient(), name)

    def two(code, message):
        heard(code, message)

    def three(code, message, value):
        heard(code, message, value)

    method(*VALUELESS[name], completion=two)
    method(*VALUELESS[name], completion=three)
    method(*VALUELESS[name], completion=heard)
    assert sorted(heard.wait(3), key=len) == [(200, "fine"), (200, "fine", None), (200, "fine", None)]


def test_two_arguments_are_too_few_where_there_is_a_value(service):
    """And the error says what the call gives."""
    with pytest.raises(TypeError, match=r"mfaCheck must take \(code, message, value\)\.$"):
        AuthClient().mfaCheck("1", None, lambda code, message: None)
    with pytest.raises(TypeError, match=r"sendSms must take \(code, message, value\), or \(code, message\)\.$"):
        AuthClient().sendSms("1", lambda code: None)


def test_the_uploads_completion_takes_two_arguments(service):
    """Three are too many there."""
    with pytest.raises(TypeError, match=r"uploadFaceImage must take \(code, the photo's key or the message\)\."):
        AuthClient().uploadFaceImage(b"photo", completion=lambda code, message, value: None)
    assert service.seen == []


def test_the_log_names_the_call_whose_completion_raised(service, caplog):
    """By the name that the application wrote."""

    def explode(*_):
        raise ValueError("boom")

    with caplog.at_level(logging.ERROR, "authing_mfa.compat"):
        assert AuthClient().mfaVerifyByTOTP("123456", explode).wait(PATIENCE)
        assert AuthClient().sendSms("1", explode).wait(PATIENCE)
    assert [record.message for record in caplog.records] == [
        "The completion of mfaVerifyByTOTP raised.",
        "The completion of sendSms raised.",
    ]


def test_a_call_without_a_token_names_this_face():
    """10003 says what to do here; as_user belongs to the other clients."""
    Authing.start("APP", base_url="http://127.0.0.1:9")
    heard = Heard()
    AuthClient().mfaVerifyByOTP("123456", heard)
    [(code, message, value)] = heard.wait()
    assert (code, value) == (10003, None)
    assert "Authing.setCurrentToken" in message
    assert "as_user" not in message


SENTENCES = {
    "zh-CN": [
        "此调用需要令牌：请先登录，或使用 Authing.setCurrentToken(token)。",
        "调用意外失败（ZeroDivisionError）。",
        "调用已取消。",
        "客户端在调用结束之前已关闭。",
        "没有应用：请先调用 Authing.start(app_id)。",
        "参数无效：mfa_check needs a phone or an email.",
        '参数无效：scheme must be "https" or "http".',
    ],
    "en-US": [
        "This call needs a token: log in first, or use Authing.setCurrentToken(token).",
        "The call failed unexpectedly (ZeroDivisionError).",
        "The call was cancelled.",
        "The client was shut down before the call had ended.",
        "There is no application: call Authing.start(app_id) first.",
        "mfa_check needs a phone or an email.",
        'scheme must be "https" or "http".',
    ],
}


@pytest.mark.parametrize("lang", SENTENCES)
def test_the_own_sentences_of_this_layer_follow_the_language(service, errors, monkeypatch, lang):
    """A window shows each message to its user: those of the service and those of this layer, also when no application is started."""

    def said(phone="1"):
        heard = Heard()
        AuthClient().mfaCheck(phone, None, heard)
        return heard.wait()[0][1]

    def message(error):
        def fail(_):
            raise error

        service.answer = fail
        return said()

    Authing.setLanguage(lang)
    told = [message(LoginError("no token")), message(ZeroDivisionError())]
    service.hold()
    cancelled, ended = Heard(), Heard()
    AuthClient().mfaCheck("1", None, cancelled).cancel()
    told.append(cancelled.wait()[0][1])
    AuthClient().mfaCheck("1", None, ended)
    Authing.shutdown(PATIENCE)
    told += [ended.calls[0][1], said(), said(phone=None)]
    monkeypatch.undo()  # a real client refuses the scheme
    Authing.start("APP")
    Authing.setSchema("gopher")
    told.append(said())
    assert told == SENTENCES[lang]
    assert len(errors) == 1
