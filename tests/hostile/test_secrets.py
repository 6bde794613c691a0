"""Secrets: canaries travel through every call and every failure, and show up in no log, repr, error, cause or traceback."""

from __future__ import annotations

import asyncio
import base64
import copy
import gc
import pickle
import traceback
import warnings
from contextlib import suppress

import attrs
import pytest

from authing_mfa import AuthClient, AuthingError, Captcha
from authing_mfa.operations import OPERATIONS, LoginByAccount
from tests.endpoints import ENDPOINTS, OTP_DATA, SAMPLES, STARTED, answer_of
from tests.hostile.network import Plan, served
from tests.servers import USER, Drop, Seen, answering, hang, ok, reply, serving

TOKEN = "canary-token-4711"
PROXY_PASSWORD = "canary-proxy-4712"
NEW = "canary-new-recovery-4713"
ANSWERED = "canary-answered-token-4714"
COOKIE = "canary-cookie-4715"
HIDDEN = {TOKEN, PROXY_PASSWORD, NEW, ANSWERED, COOKIE, "s3cret"}


def operation_of(cls):
    if cls is LoginByAccount:
        return attrs.evolve(cls(*SAMPLES[cls]), captcha=Captcha(b"<svg/>", cookie=COOKIE))
    return cls(*SAMPLES[cls])


def secrets_of(operation) -> set[str]:
    """What this operation hides from its repr, and all canaries."""
    hidden = {getattr(operation, field.name) for field in attrs.fields(type(operation)) if not field.repr}
    return HIDDEN | {value for value in hidden if isinstance(value, str)}


def everything_shown(error: BaseException) -> str:
    """All that a program or a person can be shown of an error."""
    told = [str(error), repr(error), "".join(traceback.format_exception(error)), repr(error.args), repr(vars(error))]
    cause = error
    while (cause := cause.__cause__ or cause.__context__) is not None:
        told += [str(cause), repr(cause), repr(cause.args)]
    return "\n".join(told)


def echoing(status: int, *, as_header: bool = False):
    """A page of an error that repeats the whole request, as gateways in debug mode do."""

    async def script(seen: Seen) -> bytes:
        echo = f"{seen.headers} {seen.body!r} {NEW} {ANSWERED}"
        if as_header:
            clean = "".join(letter for letter in echo if " " <= letter <= "~")
            return reply(b"<html>", status, f"X-Echo: {clean[:4000]}")
        return reply(f"<html>{echo}".encode(), status)

    return script


async def cut_in_the_answer(seen: Seen) -> bytes:
    answer = reply({"code": 200, "data": {"id": 5, "token": ANSWERED}, "recoveryCode": NEW})
    raise Drop(answer[:-20])


async def malformed(seen: Seen) -> bytes:
    return b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 10\r\nX-New: %s\r\n\r\n{"token":"%s"}' % (
        NEW.encode(),
        ANSWERED.encode(),
    )


async def malformed_chunk(seen: Seen) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n%s" % (NEW.encode(), ANSWERED.encode())


async def not_the_protocol(seen: Seen) -> bytes:
    return reply({"code": 200, "data": {"id": [ANSWERED], "token": {"a": NEW}, "applicationMfa": ANSWERED}})


def setting(cookie: str):
    """A page of an error with a cookie."""

    async def script(seen: Seen) -> bytes:
        return reply(b"<html>", 500, f"Set-Cookie: {cookie}")

    return script


async def bad_json(seen: Seen) -> bytes:
    return reply(f'{{"code": 200, "data": {{"token": "{ANSWERED}", "recoveryCode": "{NEW}"'.encode())


async def to_a_redirect(seen: Seen) -> bytes:
    return reply(b"", 302, f"Location: https://{ANSWERED}.test/?{NEW}")


FAILURES = {
    "an error page that repeats the request": echoing(500),
    "a success page that repeats the request": echoing(200),
    "a header that repeats the request": echoing(502, as_header=True),
    "an answer cut in its secrets": cut_in_the_answer,
    "a malformed head": malformed,
    "a malformed chunk": malformed_chunk,
    "an answer that is not the protocol": not_the_protocol,
    "an answer that is no JSON": bad_json,
    "a redirect": to_a_redirect,
    "a cookie": setting(f"{COOKIE}={COOKIE}; Max-Age={COOKIE}"),
    "a cookie that is none": setting(f"a b[]={COOKIE}; Expires={COOKIE}; Domain=.{COOKIE}"),
    "no answer": hang,
}


async def fails(client, operation) -> str:
    with pytest.raises(AuthingError) as caught:
        await client.perform(operation, max_attempts=1)
    error = caught.value
    pickled = pickle.dumps(error)
    return (
        everything_shown(error)
        + everything_shown(pickle.loads(pickled))
        + pickled.decode("latin-1")
        + everything_shown(copy.copy(error))
    )


def hides(told: str, operation) -> None:
    for secret in secrets_of(operation):
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
        assert secret not in told, f"{secret} of {operation!r} shows"
        assert encoded[:-1] not in told, f"{secret} of {operation!r} shows, encoded"


@pytest.mark.parametrize("what", FAILURES)
async def test_no_failure_shows_a_secret(what, shown):
    """Every operation with this failure: neither the error, its causes and its traceback, nor the logs at DEBUG."""
    async with serving(FAILURES[what]) as server:
        limit = 0.1 if FAILURES[what] is hang else 30.0
        options = {"base_url": server.url, "user_pool_id": "p", "timeout": limit}
        async with AuthClient("app", token=TOKEN, **options) as client:
            for cls in OPERATIONS:
                operation = operation_of(cls)
                try:
                    told = await fails(client, operation)
                except pytest.fail.Exception:  # a success page is a success for a call that answers nothing
                    told = ""
                hides(told + shown() + repr(client) + repr(operation) + repr(client.as_user(TOKEN)), operation)


TOKENS = ok({**USER, "accessToken": ANSWERED, "refreshToken": ANSWERED}, recoveryCode=NEW)
GIVEN = {USER["token"], ANSWERED, NEW, OTP_DATA["recoveryCode"], "JBSWY3DPEHPK3PXP", STARTED["enrollmentToken"]}


async def test_no_success_shows_a_secret(shown):
    """What a call returns and its record show no token, code or TOTP secret of the answer, and neither do the logs at DEBUG."""
    answers = [
        (endpoint, TOKENS if data is USER else answer_of(data))
        for endpoint in ENDPOINTS
        for data, _ in endpoint.answers
    ]
    came = b"".join(answer for _, answer in answers).decode()
    assert all(secret in came for secret in GIVEN)
    records = []
    async with serving(answering(*(answer for _, answer in answers))) as server:
        options = {"base_url": server.url, "user_pool_id": "p", "on_call": records.append}
        async with AuthClient("app", token=TOKEN, **options) as client:
            returned = [await endpoint.call(client) for endpoint, _ in answers]
    told = "\n".join([shown(), *map(repr, returned), *map(repr, records)])
    assert "UserInfo" in told
    assert len(records) == len(answers)
    assert [secret for secret in HIDDEN | GIVEN if secret in told] == []


@pytest.mark.parametrize("position", [1, 30, 150])
async def test_no_broken_request_shows_a_secret(position, shown):
    """The same where the connection breaks while the request is read, with asyncio's own log."""
    asyncio.get_running_loop().set_debug(True)
    async with served() as service, AuthClient("app", token=TOKEN, base_url=service.url, user_pool_id="p") as client:
        for cls in OPERATIONS:
            operation = operation_of(cls)
            service.plan = Plan(request=position, end="reset")
            hides(await fails(client, operation) + shown(), operation)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 500 No\r\n\r\n", b"rubbish\r\n\r\n", b""]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_failure_of_a_proxy_shows_its_password(answer, scheme, shown):
    """Refused, broken or no proxy at all: the password is nowhere."""

    async def proxy(_seen: Seen) -> bytes:
        raise Drop(answer)

    async with serving(proxy) as server:
        address = server.url.replace("http://", f"http://ada:{PROXY_PASSWORD}@")
        options = {"base_url": f"{scheme}://service.test", "proxy": address, "user_pool_id": "p"}
        async with AuthClient("app", token=TOKEN, **options) as client:
            for cls in OPERATIONS:
                operation = operation_of(cls)
                hides(await fails(client, operation) + shown() + repr(client), operation)


async def test_a_traceback_with_local_variables_shows_no_secret_of_ours():
    """`capture_locals` shows the reprs of variables: those of our frames hide tokens and codes. A caller's own frames are the caller's."""
    options = {"token": TOKEN, "user_pool_id": "p"}
    async with serving(echoing(500)) as server, AuthClient("app", base_url=server.url, **options) as client:
        for cls in OPERATIONS:
            operation = operation_of(cls)
            with pytest.raises(AuthingError) as caught:
                await client.perform(operation, max_attempts=1)
            told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            ours = [frame for frame in told.stack if "/authing_mfa/" in frame.filename]
            for frame in ours:
                for name, value in (frame.locals or {}).items():
                    for secret in secrets_of(operation):
                        assert secret not in value, f"{secret} in {name} of {frame.name}"
            assert ours


async def test_a_traceback_with_local_variables_shows_an_argument_only_in_the_method_that_was_handed_it():
    """A method of a client has its caller's arguments as variables; below it no frame shows them."""
    options = {"token": TOKEN, "user_pool_id": "p"}
    async with serving(echoing(500)) as server, AuthClient("app", base_url=server.url, **options) as client:
        for cls in OPERATIONS:
            operation = operation_of(cls)
            given = {
                field.name: getattr(operation, field.name) for field in attrs.fields(cls) if field.name != "source"
            }
            with pytest.raises(AuthingError) as caught:
                await getattr(client, cls.python_name)(**given)
            told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            ours = [frame for frame in told.stack if "/authing_mfa/" in frame.filename]
            shown = {
                frame.name for frame in ours if any(secret in str(frame.locals) for secret in secrets_of(operation))
            }
            assert shown <= {"call", cls.python_name}  # `call` is the decorator that speaks the caller's language


async def test_a_forgotten_client_tells_no_secret_when_it_warns():
    """The warning about a client that was not closed holds no token."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await forget_a_client()
        gc.collect()
    assert [warning.category for warning in caught] == [ResourceWarning]
    assert TOKEN not in str(caught[0].message)
    assert PROXY_PASSWORD not in str(caught[0].message)


async def forget_a_client() -> None:
    proxy = f"http://u:{PROXY_PASSWORD}@127.0.0.1:1"
    client = AuthClient("app", token=TOKEN, base_url="http://127.0.0.1:1", proxy=proxy, max_attempts=1)
    with suppress(AuthingError):
        await client.get_current_user()
