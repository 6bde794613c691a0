"""An error in the application's logging, e.g. in a filter, is printed as logging prints errors, and changes no call."""

import io
import logging
import socket
import sys

import pytest

from authing_mfa import AuthClient, NetworkError
from authing_mfa.compat import AuthClient as Callbacks
from authing_mfa.compat import Authing
from tests.servers import USER, answering, ok, reply, serving


@pytest.fixture(params=["authing_mfa", "authing_mfa.compat"])
def _broken(request):
    """A filter that reads a field that its records lack."""
    logger = logging.getLogger(request.param)
    level = logger.level
    logger.setLevel(logging.DEBUG)

    def reads_a_field(record):
        return record.user_id != 5

    logger.addFilter(reads_a_field)
    yield
    logger.removeFilter(reads_a_field)
    logger.setLevel(level)


def broken(name):
    return pytest.mark.parametrize("_broken", [name], indirect=True)


def client_of(url, **options) -> AuthClient:
    return AuthClient("app", base_url=url, token="tok-en", **options)


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        return f"http://127.0.0.1:{nobody.getsockname()[1]}"


@broken("authing_mfa")
@pytest.mark.usefixtures("_broken")
async def test_the_answer_arrives(capsys):
    """With the new recovery code; the error of the filter is printed."""
    async with serving(answering(ok(USER, recoveryCode="new"))) as server, client_of(server.url) as client:
        assert (await client.mfa_verify_by_recovery_code("old")).recovery_code == "new"
    assert "AttributeError: 'LogRecord' object has no attribute 'user_id'" in capsys.readouterr().err


@broken("authing_mfa")
@pytest.mark.usefixtures("_broken")
async def test_an_error_stays_what_it_is(capsys):
    """A call that was not sent says so, after its retries; what is printed does not quote the service."""
    async with client_of(free_address(), max_attempts=2) as client:
        with pytest.raises(NetworkError, match="cannot be reached") as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "not_sent"
    assert capsys.readouterr().err.count("\nAttributeError") == 3
    async with (
        serving(answering(reply({"code": 6001, "message": "s3cret"}))) as server,
        client_of(server.url) as client,
    ):
        with pytest.raises(Exception, match="s3cret"):
            await client.mfa_verify_by_totp("123456")
    assert "s3cret" not in capsys.readouterr().err


@broken("authing_mfa")
@pytest.mark.usefixtures("_broken")
async def test_on_call_and_the_log_fail_both():
    """The answer arrives."""
    async with serving(answering(ok(USER))) as server, client_of(server.url, on_call=lambda _: 1 / 0) as client:
        assert (await client.mfa_verify_by_totp("123456")).id == "u1"


@broken("authing_mfa.compat")
@pytest.mark.usefixtures("_broken")
def test_a_completion_and_the_log_fail_both():
    """The completions after it run."""
    ran = []
    try:
        Callbacks().mfaCheck("1", None, lambda *_: 1 / 0)
        second = Callbacks().mfaCheck("1", None, lambda code, *_: ran.append(code))
        assert second.wait(60)
        Authing.setErrorHandler(lambda _: 1 / 0)
        Callbacks().mfaCheck("1", None, lambda *_: 1 / 0)
        assert Callbacks().mfaCheck("1", None, lambda code, *_: ran.append(code)).wait(60)
    finally:
        Authing.setErrorHandler(None)
        Authing.shutdown()
    assert ran == [10002, 10002]


@pytest.mark.parametrize("where", ["nowhere", "a closed stream", "switched off"])
@broken("authing_mfa")
@pytest.mark.usefixtures("_broken")
async def test_there_is_nowhere_to_print(where, monkeypatch):
    """A program without a console: the call is not affected."""
    stream = io.StringIO()
    if where == "a closed stream":
        stream.close()
    monkeypatch.setattr(sys, "stderr", None if where == "nowhere" else stream)
    monkeypatch.setattr(logging, "raiseExceptions", where != "switched off")
    async with serving(answering(ok(USER))) as server, client_of(server.url) as client:
        assert (await client.mfa_verify_by_totp("123456")).id == "u1"
    assert stream.closed or stream.getvalue() == ""


async def test_ctrl_c_in_the_log_is_ctrl_c():
    """It ends the call."""

    def interrupted(_):
        raise KeyboardInterrupt

    logger = logging.getLogger("authing_mfa")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addFilter(interrupted)
    try:
        async with serving(answering(ok(USER))) as server, client_of(server.url) as client:
            call = client.mfa_verify_by_totp("123456")
            with pytest.raises(KeyboardInterrupt):
                await call
    finally:
        logger.removeFilter(interrupted)
        logger.setLevel(level)
