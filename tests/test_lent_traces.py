"""The trace callbacks of a borrowed session are the application's: what one raises is logged, and no answer is lost."""

import asyncio
import socket

import aiohttp
import pytest

from authing_mfa import AuthClient, CallTimeoutError, NetworkError
from tests.servers import USER, Drop, answering, hang, ok, serving

OF_A_CALL = (
    "on_request_start",
    "on_connection_create_start",
    "on_connection_create_end",
    "on_request_headers_sent",
    "on_request_chunk_sent",
    "on_response_chunk_received",
    "on_request_end",
)
ERRORS = (ValueError("Incorrect label names"), KeyError("x"), SystemExit(1), asyncio.CancelledError())


def tracing(name, callback) -> aiohttp.ClientSession:
    """A session with *callback* as its trace callback *name*."""
    trace = aiohttp.TraceConfig()
    getattr(trace, name).append(callback)
    return aiohttp.ClientSession(trace_configs=[trace])


def raising(error):
    async def callback(*_):
        raise error

    return callback


def client_of(url, session, **options) -> AuthClient:
    return AuthClient("app", base_url=url, token="tok-en", session=session, **options)


@pytest.mark.parametrize("name", OF_A_CALL)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_what_a_callback_raises_changes_nothing(name, error, caplog):
    """The answer, which may hold a new recovery code, arrives; the log names the callback."""
    script = answering(ok(USER, recoveryCode="new"))
    async with (
        serving(script) as server,
        tracing(name, raising(error)) as session,
        client_of(server.url, session) as client,
    ):
        assert (await client.mfa_verify_by_recovery_code("old")).recovery_code == "new"
        assert len(server.seen) == 1
    [record] = caplog.records
    assert (record.name, record.levelname) == ("authing_mfa", "ERROR")
    assert record.getMessage() == f"A trace callback of the session raised ({name})."
    assert record.exc_info[1] is error


async def test_the_context_of_the_callbacks_cannot_be_made(caplog):
    """As an error in a callback."""

    def context(**_):
        raise LookupError("no request")

    trace = aiohttp.TraceConfig(context)
    async with (
        serving(answering(ok(USER))) as server,
        aiohttp.ClientSession(trace_configs=[trace]) as session,
        client_of(server.url, session) as client,
    ):
        assert (await client.get_current_user()).id == "u1"
    assert [record.exc_info[0] for record in caplog.records] == [LookupError]


async def test_callbacks_get_what_aiohttp_gives():
    """Their own context, which they share during one request, and the parameters."""
    seen = []

    class Trace(aiohttp.TraceConfig):
        def trace_config_ctx(self, trace_request_ctx=None):
            return {"given": trace_request_ctx}

    async def start(_session, context, params):
        context["method"] = params.method

    async def end(_session, context, params):
        seen.append((context, params.response.status))

    trace = Trace()
    trace.on_request_start.append(start)
    trace.on_request_end.append(end)
    async with (
        serving(answering(ok(USER))) as server,
        aiohttp.ClientSession(trace_configs=[trace]) as session,
        client_of(server.url, session) as client,
    ):
        await client.mfa_verify_by_totp("123456")
    assert seen == [({"given": None, "method": "POST"}, 200)]


async def test_an_error_in_the_callback_for_errors_does_not_replace_the_error(caplog):
    """The call was not sent, and says so."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    async with (
        tracing("on_request_exception", raising(KeyError("x"))) as session,
        client_of(url, session, max_attempts=1) as client,
    ):
        with pytest.raises(NetworkError, match="cannot be reached") as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "not_sent"
    assert len(caplog.records) == 1


async def test_the_log_does_not_quote_the_answer(caplog):
    """The error of aiohttp that the callback got may; it is not logged with the callback's own error."""

    async def callback(_session, _context, params):
        try:
            {}["mine"]
        except LookupError:
            raise ValueError(type(params.exception).__name__)  # noqa: B904 - a mistake of the application

    broken = Drop(b"HTTP/1.1 200 OK\r\nContent-Length: s3cret\r\n\r\n")
    async with (
        serving(answering(broken)) as server,
        tracing("on_request_exception", callback) as session,
        client_of(server.url, session) as client,
    ):
        with pytest.raises(NetworkError):
            await client.mfa_verify_by_totp("123456")
    assert "mine" in caplog.text
    assert "s3cret" not in caplog.text


async def test_a_cancellation_that_a_callback_turns_into_another_error_is_a_cancellation():
    """The task that was cancelled ends as cancelled."""
    waiting = asyncio.Event()

    async def callback(*_):
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("stopped") from None

    async with (
        serving(answering(ok(USER))) as server,
        tracing("on_request_start", callback) as session,
        client_of(server.url, session) as client,
    ):
        call = asyncio.create_task(client.get_current_user())
        await waiting.wait()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        assert server.seen == []


async def test_a_task_that_was_cancelled_before_may_make_a_call(caplog):
    """A logout in a task's clean-up, for instance."""
    started = asyncio.Event()

    async def work():
        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return (await client.get_current_user()).id

    async with (
        serving(answering(ok(USER))) as server,
        tracing("on_request_end", raising(KeyError("x"))) as session,
        client_of(server.url, session) as client,
    ):
        task = asyncio.create_task(work())
        await started.wait()
        task.cancel()
        assert await task == "u1"
    assert len(caplog.records) == 1


@pytest.mark.parametrize("then", [None, ValueError("late")], ids=["goes on", "raises"])
async def test_a_callback_cannot_prevent_the_time_out(then):
    """One that holds on although the time is up, and then goes on or raises another error."""

    async def callback(*_):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if then is not None:
                raise then from None

    async with (
        serving(hang) as server,
        tracing("on_request_headers_sent", callback) as session,
        client_of(server.url, session, timeout=0.1) as client,
        asyncio.timeout(60),
    ):
        with pytest.raises(CallTimeoutError) as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "unknown"


async def test_the_time_is_up_before_aiohttp_connects():
    """Nothing was sent, and the error says so."""

    async def callback(*_):
        await asyncio.Event().wait()

    async with (
        serving(answering(ok(USER))) as server,
        tracing("on_request_start", callback) as session,
        client_of(server.url, session, timeout=0.1, max_attempts=1) as client,
    ):
        with pytest.raises(CallTimeoutError) as caught:
            await client.mfa_verify_by_totp("123456")
        assert server.seen == []
    assert caught.value.delivery == "not_sent"
