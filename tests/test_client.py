"""`AuthClient` as a user calls it: each method on the wire, its token, repeats and the log.

More than 300 lines: one test for each promise of the client.
"""

from __future__ import annotations

import asyncio
import base64
import io
import logging
from contextvars import copy_context

import aiohttp
import attrs
import pytest
from aioresponses import aioresponses
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image

from authing_mfa import (
    ApiError,
    AuthClient,
    ImageError,
    InvalidInputError,
    LoginError,
    MfaRequiredError,
    NetworkError,
    RateLimitedError,
    ResponseError,
    WrongCodeError,
    images,
)
from authing_mfa import sync as synchronous
from authing_mfa._options import ClientOptions
from authing_mfa.operations import OPERATIONS, Bearer
from tests.endpoints import ENDPOINTS, answer_of
from tests.servers import USER, Drop, Seen, answering, ok, reply, serving
from tests.test_transport import KEY, REFUSED, TOTP_URL, Answer


def client_of(server, **options) -> AuthClient:
    """A client of one user, at the server's address."""
    return AuthClient("app", base_url=server.url, **{"token": "tok-en", **options})


class Time:
    """A clock that only the client's own pauses move, and the pauses that it asked for."""

    def __init__(self, client: AuthClient, chance: float = 0.5) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        engine = client._core
        engine.clock, engine.sleep, engine.random = lambda: self.now, self.pause, lambda: chance

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


# ─────────────────────── each method on the wire ───────────────────────


@pytest.mark.parametrize(
    ("endpoint", "data", "value"),
    [(endpoint, *answer) for endpoint in ENDPOINTS for answer in endpoint.answers],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_each_method(endpoint, data, value):
    """One request to the endpoint with all that the caller gave, and the value that the answer holds."""
    async with serving(answering(answer_of(data))) as server, client_of(server) as client:
        assert await endpoint.call(client) == value
    ((seen,), (operation, sent)) = server.seen, endpoint.calls[0]
    assert f"{seen.method} {seen.path}" == endpoint.route
    if isinstance(sent, str):
        assert seen.target.partition("?")[2] == sent
    elif operation.encrypted_fields:
        assert b"s3cret-word" not in seen.body
    else:
        assert seen.json == sent
    assert (seen.header("Authorization") is None) == (operation.bearer is Bearer.NEVER)


def test_the_list_misses_no_method():
    """Every operation's method is called above, and the document's other name for one."""
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert sorted(names) == sorted([*(cls.python_name for cls in OPERATIONS), "mfa_verify_by_otp"])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
async def test_each_method_without_a_token(endpoint):
    """Calls that act for a user need a token and send nothing without; the others go without one."""
    [(data, value), *_] = endpoint.answers
    async with serving(answering(answer_of(data))) as server, client_of(server, token=None) as client:
        if endpoint.cls.bearer is Bearer.REQUIRED:
            with pytest.raises(LoginError) as caught:
                await endpoint.call(client)
            assert (caught.value.code, caught.value.delivery) == (10003, "not_sent")
            assert server.connections == 0
        else:
            assert await endpoint.call(client) == value
            assert server.seen[0].header("Authorization") is None


async def test_mfa_check_sends_both_and_refuses_neither():
    """Two targets are both sent; no target is an error, and nothing is sent."""
    async with serving(answering(ok(data=True))) as server, client_of(server) as client:
        assert await client.mfa_check(phone="1", email="a@b.cn") is True
        assert server.seen[0].json == {"phone": "1", "email": "a@b.cn"}
        for options in ({}, {"phone": None}, {"phone": ""}, {"email": "  "}):
            with pytest.raises(InvalidInputError):
                await client.mfa_check(**options)
    assert len(server.seen) == 1


@pytest.mark.parametrize("private", [True, False])
async def test_an_upload_is_a_clean_jpeg(private):
    """A PNG goes in, one JPEG part goes out, with the privacy in the query."""
    png = io.BytesIO()
    Image.new("RGBA", (40, 30), (255, 0, 0, 128)).save(png, "PNG")
    async with serving(answering(ok({"key": "photos/k"}))) as server, client_of(server) as client:
        assert await client.upload_face_image(png.getvalue(), private=private) == "photos/k"
    (seen,) = server.seen
    assert seen.target == f"/api/v2/upload?folder=photos&private={str(private).lower()}"
    boundary = (seen.header("Content-Type") or "").partition("boundary=")[2]
    head, _, content = seen.body.partition(b"\r\n\r\n")
    assert b'name="file"; filename="personal.jpeg"' in head
    assert Image.open(io.BytesIO(content.removesuffix(f"\r\n--{boundary}--\r\n".encode()))).format == "JPEG"


async def test_an_invalid_picture_is_not_sent():
    """Broken pictures stop before the network."""
    async with serving(answering()) as server, client_of(server) as client:
        with pytest.raises(ImageError) as caught:
            await client.upload_face_image(b"not a picture")
    assert caught.value.delivery == "not_sent"
    assert server.connections == 0


async def test_the_password_travels_encrypted():
    """Only the holder of the private key can read it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    public = base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    async with serving(answering(ok(USER))) as server, client_of(server, public_key=public) as client:
        await client.login_by_account("ada", "hunter2 密码")
    sent = server.seen[0].json
    assert key.decrypt(base64.b64decode(sent["password"]), padding.PKCS1v15()).decode() == "hunter2 密码"
    assert sent["account"] == "ada"


@pytest.mark.parametrize(
    ("args", "options"),
    [(("ada", ""), {}), (("", "pw"), {}), (("ada", "p" * 200), {}), (("ada", "pw"), {"public_key": "no key"})],
)
async def test_a_login_that_cannot_be_right_is_not_sent(args, options):
    """No account, no password, a password that is too long, an invalid key: refused before anything is sent."""
    async with serving(answering()) as server, client_of(server, **options) as client:
        with pytest.raises(InvalidInputError):
            await client.login_by_account(*args)
    assert server.connections == 0


async def test_an_echoed_password_is_not_shown():
    """A service that repeats the password, plain or sealed, or the token, cannot make an error leak them."""

    async def echo(seen: Seen) -> bytes:
        words = f"{seen.json['password']} is not hunter2 of {seen.header('Authorization')}"
        return reply({"code": 2333, "message": words})

    async with serving(echo) as server, client_of(server, token="tok-en-of-ada") as client:
        with pytest.raises(ApiError) as caught:
            await client.login_by_account("ada", "hunter2")
    assert caught.value.message == "*** is not *** of Bearer ***"


async def test_a_whole_second_factor():
    """The first answer asks for a second factor; the next call sends its token, and no other."""
    challenge = {"mfaToken": "mfa-token", "applicationMfa": [{"mfaPolicy": "OTP", "status": 1, "sort": 1}]}
    script = answering(reply({"code": 1636, "message": "…", "data": challenge}), ok(USER))
    async with serving(script) as server, client_of(server, token=None) as client:
        with pytest.raises(MfaRequiredError) as caught:
            await client.login_by_account("ada", "pw")
        assert "mfa-token" not in f"{caught.value!r} {caught.value} {caught.value.challenge!r}"
        user = await client.as_user(caught.value.challenge.token).mfa_verify_by_totp("123456")
        assert user.id_token == USER["token"]
    assert [seen.header("Authorization") for seen in server.seen] == [None, "Bearer mfa-token"]


# ─────────────────────── who ───────────────────────

BAD_TOKENS = ["", "  ", "tökén", "a\nb", "a\r\nX-Admin: 1", "\x00", "a\tb", "a\x7f", 5, b"bytes"]


@pytest.mark.parametrize("token", BAD_TOKENS)
def test_a_token_that_cannot_be_sent_is_refused_at_once(token):
    """Empty, non-ASCII, a control character, no text: refused where it comes in, and not shown."""
    for make in (lambda: AuthClient("app", token=token), lambda: AuthClient("app").as_user(token)):
        with pytest.raises(InvalidInputError, match="token") as caught:
            make()
        assert "Admin" not in str(caught.value)


async def test_views_share_everything_but_the_token():
    """A view sends its own token over the same connection; the client's own token does not change."""
    async with serving(answering(*[ok(USER)] * 4)) as server, client_of(server, token="of-ada") as client:
        await client.get_current_user()
        ben = client.as_user("of-ben")
        await ben.get_current_user()
        await client.get_current_user()
        await ben.as_user("of-eve").get_current_user()
        with pytest.raises(LoginError):
            await ben.as_user(None).get_current_user()
    assert [seen.header("Authorization") for seen in server.seen] == [
        "Bearer of-ada",
        "Bearer of-ben",
        "Bearer of-ada",
        "Bearer of-eve",
    ]
    assert server.connections == 1


class Kept:
    """What a subclass adds to a client: an attribute, one in a slot, and that it is never pickled."""

    def __init__(self, tenant, *arguments, **options):
        super().__init__(*arguments, **options)
        self.tenant, self.region = tenant, "north"

    def __getstate__(self):
        raise TypeError("never")


class TenantClient(Kept, AuthClient):
    __slots__ = ("region",)


class SyncTenantClient(Kept, synchronous.AuthClient):
    __slots__ = ("region",)


@pytest.mark.parametrize("cls", [TenantClient, SyncTenantClient])
def test_a_view_of_a_subclass_has_its_attributes(cls):
    """As they are when the view is made, and with its own token; what is set on the view stays there."""
    client = cls("acme", "app", token="of-ada")
    client.seen = 1
    view = client.as_user(None).as_user("of-ben")
    client.seen, view.tenant = 2, "other"
    assert (type(view), view.tenant, view.region, view.seen) == (cls, "other", "north", 1)
    assert (client.tenant, client.as_user(None).tenant) == ("acme", "acme")
    assert repr(client.as_user(None)) == repr(client).replace("with a", "without a")


async def test_a_view_of_a_subclass_sends_its_own_token():
    """Copying the attributes copies neither the token nor the right to close the client."""
    async with serving(answering(*[ok(USER)] * 2)) as server:
        client = TenantClient("acme", "app", base_url=server.url, token="of-ada")
        async with client.as_user("of-ben") as view:
            await view.get_current_user()
        await client.get_current_user()
        await client.aclose()
    assert [seen.header("Authorization") for seen in server.seen] == ["Bearer of-ben", "Bearer of-ada"]


async def test_a_thousand_users_at_once_each_get_their_own_answer():
    """Through one client and few connections, nobody ever sees another's token or answer."""

    async def echo(seen: Seen) -> bytes:
        await asyncio.sleep(0)
        token = (seen.header("Authorization") or "").removeprefix("Bearer ")
        return ok({"id": token, "token": token, "name": seen.json["totp"]})

    async def one(client: AuthClient, number: int) -> tuple[str | None, str | None, str | None]:
        user = await client.as_user(f"user-{number}").mfa_verify_by_totp(f"code-{number}")
        return user.id, user.token, user.name

    async with serving(echo) as server, client_of(server, max_connections=32) as client:
        answers = await asyncio.gather(*(one(client, number) for number in range(1000)))
    assert answers == [(f"user-{n}", f"user-{n}", f"code-{n}") for n in range(1000)]
    assert server.most_open <= 32


async def test_tasks_that_share_a_context_do_not_share_their_fate():
    """Two calls of one context at once: a call that was sent and lost is reported so, whatever the other call does."""
    arrived = asyncio.Event()

    async def script(seen: Seen) -> bytes:
        if seen.json.get("totp") == "first":
            arrived.set()
            await asyncio.sleep(0.05)
            raise Drop
        return ok(USER)

    context = copy_context()
    loop = asyncio.get_running_loop()
    async with serving(script) as server, client_of(server) as client:
        first = loop.create_task(client.mfa_verify_by_totp("first"), context=context)
        await arrived.wait()
        async with serving(answering(), host="localhost") as gone:
            pass
        other = AuthClient("app", token="t", base_url=gone.url, max_attempts=1)
        second = loop.create_task(other.mfa_verify_by_totp("second"), context=context)
        lost, unsent = await asyncio.gather(first, second, return_exceptions=True)
        await other.aclose()
    assert isinstance(lost, NetworkError)
    assert isinstance(unsent, NetworkError)
    assert (lost.delivery, unsent.delivery) == ("unknown", "not_sent")
    assert len(server.seen) == 1


def test_repr_shows_no_token():
    """A client can be printed."""
    assert repr(AuthClient("app", token="tok-en")) == "<AuthClient with a token>"
    assert repr(AuthClient("app").as_user(None)) == "<AuthClient without a token>"


# ─────────────────────── again ───────────────────────


async def test_not_sent_goes_again():
    """What provably never left is tried again, also what spends a code, after a share of the back-off."""
    with aioresponses() as service:
        for _ in range(2):
            service.post(TOTP_URL, exception=aiohttp.ClientConnectorError(KEY, REFUSED))
        service.post(TOTP_URL, payload={"code": 200, "data": USER}, response_class=Answer)
        async with AuthClient("app", token="t", base_url="http://service.test") as client:
            time = Time(client, chance=0.25)
            assert (await client.mfa_verify_by_totp("123456")).id == "u1"
    assert time.pauses == pytest.approx([0.05, 0.1])


@pytest.mark.parametrize(
    "damage", [Drop(), reply(b"<html>", 502), reply({"code": 500}, 500)], ids=["lost", "502", "500"]
)
async def test_a_check_goes_again(damage):
    """A question that changes nothing is asked again after a lost answer or a 5xx."""
    async with serving(answering(damage, damage, ok(data=True))) as server, client_of(server) as client:
        time = Time(client)
        assert await client.mfa_check(phone="1") is True
    assert len(server.seen) == 3
    assert len(time.pauses) == 2


async def test_an_upload_goes_again_whole():
    """A picture of more than a megabyte is sent anew from its first byte."""
    from authing_mfa.operations import JpegBytes, UploadFaceImage

    async with serving(answering(Drop(), ok({"key": "k"}))) as server, client_of(server) as client:
        Time(client)
        assert await client.perform(UploadFaceImage(JpegBytes(b"x" * 3_000_000))) == "k"
    first, second = server.seen
    assert first.body == second.body


@pytest.mark.parametrize(
    "damage", [Drop(), reply(b"<html>", 502), reply({"code": 500}, 500)], ids=["lost", "502", "500"]
)
async def test_a_code_is_never_spent_twice(damage):
    """A lost answer or a 5xx to a verification raises at once."""
    async with serving(answering(damage, ok(USER))) as server, client_of(server) as client:
        time = Time(client)
        with pytest.raises((NetworkError, ResponseError, ApiError)):
            await client.mfa_verify_by_recovery_code("code")
    assert len(server.seen) == 1
    assert time.pauses == []


@pytest.mark.parametrize("call", [("mfa_verify_by_recovery_code", "c"), ("get_current_user",), ("send_sms", "1")])
@pytest.mark.parametrize(
    "headers",
    [("Retry-After: 7",), ("Retry-After: Wed, 21 Oct 2026 07:28:07 GMT", "Date: Wed, 21 Oct 2026 07:28:00 GMT")],
    ids=["seconds", "date"],
)
async def test_429_waits_and_goes_again(call, headers):
    """Not done, so any call may wait as long as the service says, and go again."""
    script = answering(reply({"code": 4004}, 429, *headers), ok(USER))
    async with serving(script) as server, client_of(server) as client:
        time = Time(client)
        await getattr(client, call[0])(*call[1:])
    assert time.pauses == [7.0]
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        (reply({"code": 4004}, 429, "Retry-After: 60"), 60.0),
        (reply(b"", 429, "Retry-After: 61"), 61.0),
        (reply({"code": 4004}, 429), None),
        (reply({"code": 4004}, 200, "Retry-After: 1"), 1.0),
        (reply({"apiCode": 2080}, 499), None),
        (reply({"code": 422}, 422), None),
    ],
)
async def test_too_soon_raises_at_once(answer, retry_after):
    """A pause that is longer than the deadline or of unknown length, or "too soon" without 429, raises at once."""
    async with serving(answering(answer)) as server, client_of(server, timeout=60.0) as client:
        time = Time(client)
        with pytest.raises(RateLimitedError) as caught:
            await client.send_sms("1")
    assert caught.value.retry_after == retry_after
    assert time.pauses == []
    assert len(server.seen) == 1


async def test_the_deadline_spans_all_tries():
    """Waits and tries use up one budget: the third wait of 25 seconds would end after a minute."""
    slow = reply(b"", 429, "Retry-After: 25")
    async with serving(answering(*[slow] * 5)) as server, client_of(server, timeout=60.0, max_attempts=9) as client:
        time = Time(client)
        with pytest.raises(RateLimitedError):
            await client.mfa_verify_by_totp("123456")
    assert time.pauses == [25.0, 25.0]
    assert len(server.seen) == 3


async def test_time_within_a_try_counts():
    """A try that took long leaves less for the next wait."""
    async with client_holder() as (server, client):
        time = Time(client)

        async def slowly(_: Seen) -> bytes:
            time.now += 40.0
            return reply(b"", 429, "Retry-After: 15")

        server._script = slowly
        with pytest.raises(RateLimitedError):
            await client.mfa_verify_by_totp("123456")
    assert time.pauses == [15.0]


def client_holder(**options):
    """A server whose script the test puts in later, with its client."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def hold():
        async with serving(answering()) as server, client_of(server, timeout=60.0, **options) as client:
            yield server, client

    return hold()


@pytest.mark.parametrize(
    "answer", [reply(b"", 429, "Retry-After: 1"), reply(b"", 503), Drop()], ids=["429", "503", "lost"]
)
async def test_repeating_can_be_turned_off(answer):
    """With max_attempts=1 every failure raises at once."""
    async with serving(answering(answer)) as server, client_of(server, max_attempts=1) as client:
        time = Time(client)
        with pytest.raises((RateLimitedError, ResponseError, NetworkError)):
            await client.mfa_check(phone="1")
    assert len(server.seen) == 1
    assert time.pauses == []


async def test_tries_are_few():
    """After three tries the last failure is raised."""
    async with serving(answering(*[reply(b"", 503)] * 5)) as server, client_of(server) as client:
        Time(client)
        with pytest.raises(ResponseError, match="503"):
            await client.mfa_check(phone="1")
    assert len(server.seen) == 3


async def test_the_slot_is_free_during_a_pause():
    """A call that waits to go again holds no connection that another could use."""
    script = answering(reply(b"", 429, "Retry-After: 5"), ok(USER), ok(USER))
    async with serving(script) as server, client_of(server, max_connections=1) as client:
        time, paused, go_on = Time(client), asyncio.Event(), asyncio.Event()

        async def pause(_seconds: float) -> None:
            paused.set()
            await go_on.wait()

        client._core.sleep = pause
        waiting = asyncio.create_task(client.mfa_verify_by_totp("first"))
        await paused.wait()
        assert (await client.mfa_verify_by_totp("second")).id == "u1"
        go_on.set()
        assert (await waiting).id == "u1"
    assert [seen.json["totp"] for seen in server.seen] == ["first", "second", "first"]
    assert time.now == 1000.0


# ─────────────────────── the log ───────────────────────


async def test_one_line_for_each_try(caplog):
    """At DEBUG: the method, how it ended, milliseconds and the try; never an argument, a token or a message. INFO: a repeat."""
    script = answering(
        reply(b"", 503),
        ok(data=True),
        reply({"code": 6001, "message": "123456 of tok-en is wrong", "data": {"x": "tok-en"}}),
    )
    async with serving(script) as server, client_of(server) as client:
        Time(client)
        with caplog.at_level(logging.DEBUG, logger="authing_mfa"):
            await client.mfa_check(phone="13900000000")
            with pytest.raises(WrongCodeError):
                await client.mfa_verify_by_totp("123456")
        server._script = answering(Drop())
        with caplog.at_level(logging.DEBUG, logger="authing_mfa"), pytest.raises(NetworkError):
            await client.login_by_account("ada", "hunter2")
    lines = [record.getMessage() for record in caplog.records if record.name == "authing_mfa"]
    assert lines == [
        "mfa_check: ResponseError 10004, HTTP 503, 0.0 ms, attempt 1",
        "mfa_check: try 1 failed, retried in 0.1 s",
        "mfa_check: HTTP 200, 0.0 ms, attempt 2",
        "mfa_verify_by_totp: WrongCodeError 6001, HTTP 200, 0.0 ms, attempt 1",
        "login_by_account: NetworkError 10001, unknown, 0.0 ms, attempt 1",
    ]
    at_info = [
        record.getMessage()
        for record in caplog.records
        if record.name == "authing_mfa" and record.levelno > logging.DEBUG
    ]
    assert at_info == ["mfa_check: try 1 failed, retried in 0.1 s"]


async def test_the_log_is_silent_unless_asked(caplog, monkeypatch):
    """At INFO nothing is written, and nothing is even put together."""
    monkeypatch.setattr("authing_mfa._core.log_attempt", None)
    async with serving(answering(ok(data=True))) as server, client_of(server) as client:
        with caplog.at_level(logging.INFO, logger="authing_mfa"):
            await client.mfa_check(phone="1")
    assert [record for record in caplog.records if record.name == "authing_mfa"] == []


async def test_no_secret_in_any_log(caplog):
    """With every logger of every library at DEBUG, in asyncio's debug mode: no token, code, password or new code."""
    secrets = ["tok-en-s3cret", "code-s3cret", "hunter2", "new-s3cret", "id-token-s3cret"]
    user = {"id": "u1", "token": "id-token-s3cret"}
    script = answering(ok(user), ok(user, recoveryCode="new-s3cret"), Drop(), reply(b"<html>", 500))
    with caplog.at_level(logging.DEBUG):
        async with serving(script) as server, client_of(server, token="tok-en-s3cret") as client:
            await client.login_by_account("ada", "hunter2")
            assert (await client.mfa_verify_by_recovery_code("code-s3cret")).recovery_code == "new-s3cret"
            for _ in range(2):
                with pytest.raises((NetworkError, ResponseError)):
                    await client.mfa_verify_by_phone("1", "code-s3cret")
    assert not [secret for secret in secrets if secret in caplog.text]


# ─────────────────────── settings ───────────────────────


@pytest.mark.parametrize(
    "options",
    [
        {"app_id": ""},
        {"app_id": "a\nb"},
        {"app_id": None},
        {"lang": ""},
        {"lang": "中文"},
        {"scheme": "ftp"},
        {"scheme": "HTTPS"},
        {"user_pool_id": ""},
        {"user_pool_id": "a\r\n"},
        {"public_key": 5},
        {"public_key": b"key"},
        {"session": "session"},
        *[{name: value} for name in ("timeout", "connect_timeout") for value in (0, -1, None, "5", True, float("nan"))],
        {"timeout": float("inf")},
        *[
            {name: value}
            for name in ("max_connections", "max_attempts", "max_image_side", "max_image_memory", "max_response_size")
            for value in (0, -1, 1.5, None, "5", True)
        ],
    ],
    ids=repr,
)
def test_settings_that_cannot_be_right(options):
    """Every setting is checked where it is given, and says which one it is."""
    (name,) = options
    with pytest.raises(InvalidInputError, match=name) as caught:
        AuthClient(**{"app_id": "app", **options})
    assert caught.value.delivery == "not_sent"


async def test_language_and_pool_are_sent():
    """The language of the messages and the user pool stand in the headers of each call."""
    async with serving(answering(ok(USER))) as server, client_of(server, lang="zh-CN", user_pool_id="p") as client:
        await client.get_current_user()
    assert server.seen[0].header("x-authing-lang") == "zh-CN"
    assert server.seen[0].header("x-authing-userpool-id") == "p"


def test_the_limits_of_pictures_are_those_of_the_module():
    """They stand in both places, because most programs need the client and not `images`."""
    defaults = {field.name: field.default for field in attrs.fields(ClientOptions)}
    assert (defaults["max_image_side"], defaults["max_image_memory"]) == (images.MAX_SIDE, images.MEMORY_LIMIT)
