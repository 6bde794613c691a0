"""`on_call`: one record for each finished call, and an error in it changes nothing; the fields of the log."""

import asyncio
import logging
import socket

import aiohttp
import pytest

from authing_mfa import (
    AuthClient,
    AuthingError,
    CallRecord,
    CancelledCallError,
    ConfigError,
    InvalidInputError,
    LoginError,
    NetworkError,
    WrongCodeError,
)
from authing_mfa._core import Core
from authing_mfa._options import ClientOptions
from tests.servers import USER, Drop, answering, ok, reply, serving


class Timed:
    """A client on a clock that only its own pauses move, and the records of its calls."""

    def __init__(self, server, **options):
        self.now, self.records = 1000.0, []
        keywords = {"base_url": server.url, "token": "tok-en", "on_call": self.records.append, **options}
        core = Core(ClientOptions("app", **keywords), clock=lambda: self.now, sleep=self.pause, random=lambda: 0.5)
        self.client = AuthClient.from_core(core)

    async def pause(self, seconds):
        self.now += seconds

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.client.aclose()


async def test_a_success_with_its_repeats_is_one_record():
    """Two tries, one record; its time is that of both and of the pause between them."""
    script = answering(reply(b"", 503), reply({"code": 200, "data": True, "requestId": "r-1"}))
    async with serving(script) as server, Timed(server) as timed:
        await timed.client.mfa_check(phone="1")
    [record] = timed.records
    assert record == CallRecord("mfa_check", 200, None, 200, "answered", 2, record.elapsed, 0.0, "r-1")
    assert record.elapsed == pytest.approx(0.1)


async def test_a_refusal_has_its_code_and_the_services_id():
    """HTTP 200 with another code is an error as well."""
    script = answering(reply({"code": 6001, "message": "no", "uniqueId": "u-1"}))
    async with serving(script) as server, Timed(server) as timed:
        with pytest.raises(WrongCodeError):
            await timed.client.mfa_verify_by_totp("123456")
    assert timed.records == [
        CallRecord("mfa_verify_by_totp", 6001, WrongCodeError, 200, "answered", 1, 0.0, 0.0, "u-1")
    ]


async def test_a_lost_answer_is_unknown():
    """The service may have acted."""
    async with serving(answering(Drop())) as server, Timed(server) as timed:
        with pytest.raises(NetworkError):
            await timed.client.mfa_verify_by_totp("123456")
    assert timed.records == [CallRecord("mfa_verify_by_totp", 10001, NetworkError, None, "unknown", 1, 0.0, 0.0, None)]


async def test_a_call_that_was_never_sent_has_no_tries():
    """No token; and a service that cannot be found."""
    async with serving(answering()) as server, Timed(server, token=None) as timed:
        with pytest.raises(LoginError):
            await timed.client.mfa_verify_by_totp("123456")
    assert timed.records == [CallRecord("mfa_verify_by_totp", 10003, LoginError, None, "not_sent", 0, 0.0, 0.0, None)]
    records = []
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        host = f"127.0.0.1:{nobody.getsockname()[1]}"
    options = {"scheme": "http", "host": host, "on_premise": True, "max_attempts": 1, "token": "t"}
    async with AuthClient("app", on_call=records.append, **options) as client:
        with pytest.raises(ConfigError):
            await client.get_current_user()
    assert [(record.operation, record.error, record.attempts) for record in records] == [
        ("get_current_user", ConfigError, 0)
    ]


async def test_a_cancelled_call_has_a_record():
    """As a callback call is: 10102, and the service may have acted."""
    arrived = asyncio.Event()

    async def script(_):
        arrived.set()
        await asyncio.sleep(60)

    async with serving(script) as server, Timed(server) as timed:
        task = asyncio.create_task(timed.client.mfa_verify_by_totp("123456"))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [(r.code, r.error, r.delivery) for r in timed.records] == [(10102, CancelledCallError, "unknown")]


async def test_a_call_that_is_cancelled_while_it_connects_was_not_sent(monkeypatch):
    """The record says so."""
    resolving = asyncio.Event()

    async def resolve(*_args, **_options):
        resolving.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    records = []
    async with AuthClient("app", base_url="http://service.test", token="tok-en", on_call=records.append) as client:
        await cancelled(client.mfa_verify_by_totp("123456"), resolving)
    assert [(r.error, r.delivery, r.attempts) for r in records] == [(CancelledCallError, "not_sent", 1)]


@pytest.mark.parametrize(
    ("answers", "delivery"), [([], "not_sent"), ([Drop()], "unknown"), ([reply(b"", 503)], "unknown")]
)
async def test_a_call_that_is_cancelled_before_a_retry(answers, delivery):
    """It was sent if one of its tries was."""
    paused, records = asyncio.Event(), []

    async def pause(_):
        paused.set()
        await asyncio.Event().wait()

    async with serving(answering(*answers)) as server:
        base_url = server.url if answers else "http://[::1]:1"
        options = ClientOptions("app", base_url=base_url, token="tok-en", on_call=records.append)
        async with AuthClient.from_core(Core(options, sleep=pause)) as client:
            await cancelled(client.mfa_check(phone="1"), paused)
    assert [(r.error, r.delivery, r.attempts) for r in records] == [(CancelledCallError, delivery, 1)]


async def test_a_call_that_is_cancelled_while_its_second_try_connects(monkeypatch):
    """The first try was sent."""
    resolving, found, records = asyncio.Event(), [[]], []

    async def resolve(*_args, **_options):
        if not found:
            resolving.set()
            await asyncio.Event().wait()
        return found.pop()

    async with serving(answering(Drop())) as server:
        address = {"hostname": "service.test", "host": "127.0.0.1", "port": server.port, "family": socket.AF_INET}
        found[0] = [{**address, "proto": 0, "flags": 0}]
        monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
        options = {"base_url": f"http://service.test:{server.port}", "token": "tok-en", "on_call": records.append}
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(use_dns_cache=False)) as session,
            AuthClient("app", session=session, **options) as client,
        ):
            await cancelled(client.mfa_check(phone="1"), resolving)
    assert [(r.error, r.delivery, r.attempts) for r in records] == [(CancelledCallError, "unknown", 2)]


async def cancelled(call, when):
    """Cancel *call* at that time."""
    task = asyncio.create_task(call)
    async with asyncio.timeout(60):
        await when.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_time_in_the_queue_is_separate():
    """`waited` is before the slot, `elapsed` from it on."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def script(seen):
        if seen.json["totp"] == "111111":
            arrived.set()
            await go_on.wait()
        return ok(USER)

    async with serving(script) as server, Timed(server, max_connections=1) as timed:
        first = asyncio.create_task(timed.client.mfa_verify_by_totp("111111"))
        await arrived.wait()
        second = asyncio.create_task(timed.client.mfa_verify_by_totp("222222"))
        await asyncio.sleep(0)
        timed.now += 5
        go_on.set()
        await asyncio.gather(first, second)
    assert [(record.elapsed, record.waited) for record in timed.records] == [(5.0, 0.0), (0.0, 5.0)]


@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(1), asyncio.CancelledError()])
async def test_what_on_call_raises_is_logged_and_changes_nothing(caplog, error):
    """The answer arrives, and so does the error of a call that failed."""

    def on_call(_):
        raise error

    script = answering(ok(USER), reply({"code": 6001}))
    async with serving(script) as server, Timed(server, on_call=on_call) as timed:
        assert (await timed.client.mfa_verify_by_totp("123456")).id == USER["id"]
        with pytest.raises(WrongCodeError):
            await timed.client.mfa_verify_by_totp("123456")
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "on_call, or another observer of calls, raised."
    ] * 2


@pytest.mark.parametrize("wrong", [7, "print", pytest.param(asyncio.sleep, id="coroutine function")])
def test_on_call_must_be_a_plain_function(wrong):
    """A coroutine function would never be awaited."""
    with pytest.raises(InvalidInputError, match="on_call must be a plain function"):
        AuthClient("app", on_call=wrong)


async def test_every_view_and_every_operation_has_a_record(authing_emulator):
    """Under the name that AuthClient has for it; nothing of the user is in the record."""
    records = []
    authing_emulator.add_user(username="ada", password="s3cret", mfa=["OTP"], totp=True)
    options = {"base_url": authing_emulator.url, "public_key": authing_emulator.public_key, "on_call": records.append}
    async with AuthClient(authing_emulator.app_id, **options) as client:
        with pytest.raises(AuthingError) as caught:
            await client.login_by_account("ada", "s3cret")
        view = client.as_user(caught.value.challenge.token)
        await view.mfa_verify_by_otp(authing_emulator.user("ada").totp_code)
    assert [(record.operation, record.code) for record in records] == [
        ("login_by_account", 1636),
        ("mfa_verify_by_totp", 200),
    ]
    assert not [word for word in ("ada", "s3cret", view._credentials.token) if word in repr(records)]


async def test_the_log_carries_fields(caplog):
    """Each try at DEBUG, each repeat at INFO, their parts as attributes of the log's record."""
    caplog.set_level(logging.DEBUG, "authing_mfa")
    script = answering(reply(b"", 503), ok(data=True))
    async with serving(script) as server, Timed(server) as timed:
        await timed.client.mfa_check(phone="1")
    fields = [
        (r.levelname, r.operation, r.attempt, getattr(r, "code", None), getattr(r, "delivery", None))
        for r in caplog.records
        if r.name == "authing_mfa"
    ]
    assert fields == [
        ("DEBUG", "mfa_check", 1, 10004, "answered"),
        ("INFO", "mfa_check", 1, None, None),
        ("DEBUG", "mfa_check", 2, 200, "answered"),
    ]
    assert all(isinstance(r.milliseconds, float) for r in caplog.records if r.name == "authing_mfa")
