"""The package's own errors are in the client's language; the service's messages are unchanged."""

import asyncio
import inspect
import pickle
import socket

import pytest

from authing_mfa import (
    AuthClient,
    CallTimeoutError,
    ConfigError,
    ImageError,
    InvalidInputError,
    LoginError,
    NetworkError,
    ResponseError,
    UsageError,
    WrongCodeError,
)
from authing_mfa import sync as synchronous
from authing_mfa._sentences import translate
from authing_mfa.compat import AuthClient as CompatAuthClient
from authing_mfa.compat import Authing
from authing_mfa.operations import GetCaptcha
from tests.servers import Drop, answering, reply, serving


def _bound():
    """A port that is taken to the end, so that no other test's server gets it, and where nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    address = "{}:{}".format(*taken.getsockname())
    taken.detach()  # left open to the end, without a warning
    return address


NOBODY = _bound()


async def says(lang, error, method, *arguments, script=None, **options):
    """The sentence of *error*, raised by one call."""
    async with serving(answering(*(script or ()))) as server:
        keywords = {"base_url": server.url, "token": "tok-en", "max_attempts": 1, "lang": lang, **options}
        async with AuthClient("app", **keywords) as client:
            with pytest.raises(error) as caught:
                await getattr(client, method)(*arguments)
    assert type(caught.value) is error
    assert str(caught.value) == f"{caught.value.message} ({caught.value.code})"
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message
    return caught.value.message


CASES = [
    (LoginError, "mfa_verify_by_totp", ("123456",), {"token": None}, "此操作需要先登录："),
    (InvalidInputError, "mfa_verify_by_totp", ("",), {}, "参数无效："),
    (ImageError, "upload_face_image", (b"no picture",), {}, "图片无法使用："),
    (NetworkError, "mfa_verify_by_totp", ("123456",), {"script": [Drop()]}, "连接在收到完整响应之前中断，服务可能已处理该请求："),
    (NetworkError, "mfa_verify_by_totp", ("123456",), {"base_url": f"http://{NOBODY}"}, "无法连接到服务："),
    (ResponseError, "mfa_verify_by_totp", ("123456",), {"script": [reply(b"<html>")]}, "无法理解服务的响应："),
    (
        ConfigError,
        "get_current_user",
        (),
        {"base_url": None, "host": NOBODY, "scheme": "http", "on_premise": True},
        "无法获取应用配置：",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("error", "method", "arguments", "options", "chinese"), CASES)
async def test_an_error_of_the_package_follows_lang(error, method, arguments, options, chinese):
    """In Chinese the sentence stands in front of the English details; any other language is English."""
    said = await says("zh-CN", error, method, *arguments, **options)
    english = await says("ja-JP", error, method, *arguments, **options)
    assert said.startswith(chinese)
    assert said.count("：") == 1
    assert english.isascii()


def test_a_time_out_says_whether_the_service_may_have_acted():
    """It is the one thing that a user must know."""

    error = CallTimeoutError("x", delivery="unknown")
    assert translate(error, "zh-CN").message == "请求超时，未收到响应；服务可能已处理该请求。"
    assert translate(error, "zh-CN").message == "请求超时，未收到响应；服务可能已处理该请求。"
    assert translate(CallTimeoutError("x", delivery="not_sent"), "zh").message == "请求超时，未能连接到服务。"


async def test_the_services_own_words_are_left_alone():
    """They follow `lang` by themselves."""
    script = [reply({"code": 6001, "message": "wrong"})]
    assert await says("zh-CN", WrongCodeError, "mfa_verify_by_totp", "000000", script=script) == "wrong"


async def test_a_misuse_is_explained_in_the_language_too():
    """A closed client."""
    client = AuthClient("app", lang="zh-CN", token="t")
    await client.aclose()
    with pytest.raises(UsageError, match="客户端使用方式有误：This AuthClient is closed"):
        await client.get_current_user()


async def test_what_is_refused_before_a_call_is_said_in_the_language_too():
    """A setting, the token of a view, a number of tries, a closed client in `async with`."""
    client = AuthClient("app", lang="zh-CN", token="t")
    with pytest.raises(InvalidInputError, match=r"^参数无效：app_id is empty"):
        AuthClient("", lang="zh-CN")
    with pytest.raises(InvalidInputError, match=r"^lang must be text"):
        AuthClient("app", lang=5)
    with pytest.raises(InvalidInputError, match=r"^参数无效：token is empty"):
        client.as_user("")
    with pytest.raises(InvalidInputError, match=r"^参数无效：max_attempts"):
        await client.perform(GetCaptcha(), max_attempts=0)
    await client.aclose()
    with pytest.raises(UsageError, match=r"^客户端使用方式有误：This AuthClient is closed"):
        await client.__aenter__()


async def test_the_sync_client_explains_a_misuse_in_the_language_too():
    """Its settings, a view, an event loop on the thread before a call and within a batch, a closed client."""
    with pytest.raises(InvalidInputError, match=r"^参数无效：app_id is empty"):
        synchronous.AuthClient("", lang="zh-CN")
    client = synchronous.AuthClient("app", base_url=f"http://{NOBODY}", lang="zh-CN", token="t")
    with pytest.raises(InvalidInputError, match=r"^参数无效：token is empty"):
        client.as_user("")
    with pytest.raises(UsageError, match=r"^客户端使用方式有误：An event loop runs on this thread"):
        client.get_captcha()
    outcomes = await asyncio.to_thread(client.verify_many, [])
    with pytest.raises(UsageError, match=r"^客户端使用方式有误：An event loop runs on this thread"):
        next(outcomes)
    with pytest.raises(InvalidInputError, match=r"^参数无效：max_attempts"):
        await asyncio.to_thread(client.perform, GetCaptcha(), max_attempts=0)
    await asyncio.to_thread(client.close)
    with pytest.raises(UsageError, match=r"^客户端使用方式有误：This sync\.AuthClient is closed"):
        await asyncio.to_thread(client.get_captcha)


def test_the_sync_client_and_the_callback_layer_say_the_same():
    """Also of an argument that was refused before the call."""
    with synchronous.AuthClient("app", lang="zh-CN", token="t") as client, pytest.raises(InvalidInputError) as caught:
        client.mfa_verify_by_totp("")
    told = []
    Authing.start("app", base_url="http://127.0.0.1:9", lang="zh-CN")
    try:
        call = CompatAuthClient().mfaVerifyByTOTP("", lambda code, message, _: told.append((code, message)))
        assert call.wait(60)
    finally:
        Authing.shutdown()
    assert told == [(10100, caught.value.message)] == [(10100, "参数无效：code is empty.")]


def test_the_methods_keep_their_faces():
    """Name, words and parameters are those that are written down."""
    method = AuthClient.mfa_check
    assert inspect.iscoroutinefunction(method)
    assert list(inspect.signature(method).parameters) == ["self", "phone", "email"]
    assert method.__doc__.startswith("Check whether a phone number")
