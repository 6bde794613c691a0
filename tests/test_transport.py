"""The shell around aiohttp: every way a call can fail on the network, and what is never sent, kept or followed.

More than 300 lines: one test for each failure.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import ssl
import zlib
from contextlib import asynccontextmanager
from unittest.mock import Mock

import aiohttp
import pytest
import trustme
from aioresponses import aioresponses
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from authing_mfa import (
    ApiError,
    AuthClient,
    CallTimeoutError,
    InvalidInputError,
    NetworkError,
    NotAuthenticatedError,
    ResponseError,
)
from authing_mfa._transport.deadlines import Attempt, Phase
from authing_mfa._transport.network_errors import network_error
from authing_mfa._version import __version__
from tests.servers import USER, Drop, Seen, answering, chunked, hang, ok, reply, serving

BASE = "http://service.test"
TOTP_URL = f"{BASE}/api/v2/mfa/totp/verify"


def client_of(server, **options) -> AuthClient:
    """A client of one user whose pauses between tries take no time."""
    client = AuthClient("app", token="tok-en", base_url=server if isinstance(server, str) else server.url, **options)

    async def no_pause(_seconds):
        await asyncio.sleep(0)

    client._core.sleep = no_pause
    return client


# ─────────────────────── each error of aiohttp, told apart (no socket) ───────────────────────


class Answer(aiohttp.ClientResponse):
    """What this version of aioresponses does not know to pass."""

    def __init__(self, *args, stream_writer=None, **kwargs):
        super().__init__(*args, stream_writer=stream_writer or Mock(), **kwargs)


KEY = Mock(host="service.test", port=443, ssl=True)
INFO = aiohttp.RequestInfo(URL(BASE), "POST", CIMultiDictProxy(CIMultiDict()), URL(BASE))
REFUSED = ConnectionRefusedError(111, "refused")


def tls_failure(reason: str | None) -> ssl.SSLError:
    """An error of TLS, with OpenSSL's name of the reason."""
    error = ssl.SSLError(1, "hunter2")
    error.reason = reason
    return error


FAILURES = [
    (TimeoutError(), CallTimeoutError, "unknown", "longer than"),
    (aiohttp.ServerTimeoutError(), CallTimeoutError, "unknown", "longer than"),
    (aiohttp.ConnectionTimeoutError(), CallTimeoutError, "not_sent", "reached in time"),
    (aiohttp.ClientConnectorError(KEY, REFUSED), NetworkError, "not_sent", "cannot be reached"),
    (aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "unknown")), NetworkError, "not_sent", "resolved"),
    (aiohttp.ClientConnectorSSLError(KEY, OSError(1, "handshake")), NetworkError, "not_sent", "secure connection"),
    (aiohttp.ClientConnectorCertificateError(KEY, Exception("CA")), NetworkError, "not_sent", "secure connection"),
    (aiohttp.ServerFingerprintMismatch(b"a", b"b", "h", 1), NetworkError, "not_sent", "cannot be reached"),
    (aiohttp.ClientProxyConnectionError(KEY, REFUSED), NetworkError, "not_sent", "proxy"),
    (aiohttp.ClientHttpProxyError(INFO, (), status=407), NetworkError, "not_sent", "proxy"),
    (aiohttp.InvalidURL("http://ada:hunter2@proxy"), NetworkError, "not_sent", "address"),
    (
        aiohttp.ServerDisconnectedError(),
        NetworkError,
        "unknown",
        "broke before the whole answer was read: the server closed",
    ),
    (aiohttp.ClientOSError(104, "reset"), NetworkError, "unknown", ": Connection reset by peer."),
    (aiohttp.ClientOSError(1, "hunter2"), NetworkError, "unknown", ": Operation not permitted."),
    (aiohttp.ClientOSError(0, "hunter2"), NetworkError, "unknown", ": the connection was lost."),
    (aiohttp.ClientPayloadError(), NetworkError, "unknown", ": the answer is incomplete or not HTTP."),
    (aiohttp.ClientResponseError(INFO, (), message="hunter2"), NetworkError, "unknown", "not an HTTP answer"),
    (ConnectionResetError(), NetworkError, "unknown", "ConnectionResetError"),
    (ssl.SSLError("late"), NetworkError, "unknown", "secure connection"),
    (tls_failure("WRONG_VERSION_NUMBER"), NetworkError, "unknown", "does not speak TLS on this port"),
    (tls_failure("HTTP_REQUEST"), NetworkError, "unknown", "does not speak TLS on this port"),
    (tls_failure("RECORD_LAYER_FAILURE"), NetworkError, "unknown", "does not speak TLS on this port"),
    (tls_failure("BAD_SIGNATURE"), NetworkError, "unknown", ": bad signature."),
    (tls_failure(None), NetworkError, "unknown", ": the handshake failed."),
    (ValueError("hunter2"), NetworkError, "unknown", "broke before the whole answer was read: ValueError."),
]


@pytest.mark.parametrize(("failure", "kind", "delivery", "words"), FAILURES, ids=lambda value: type(value).__name__)
async def test_each_failure_of_aiohttp(failure, kind, delivery, words):
    """Class, delivery and a sentence for each; the original, whose text may quote the wire, is not a part of the error."""
    with aioresponses() as service:
        service.post(TOTP_URL, exception=failure, repeat=True)
        async with client_of(BASE) as client:
            with pytest.raises(NetworkError) as caught:
                await client.mfa_verify_by_totp("123456")
    error = caught.value
    assert (type(error), error.delivery, error.code) == (kind, delivery, 10001)
    assert words in str(error)
    assert (error.__cause__, error.__context__) == (None, None)
    assert "hunter2" not in f"{error}{error!r}"


async def test_a_connection_that_is_lost_before_anything_is_written():
    """As one that cannot be made: nothing was sent."""
    task = asyncio.current_task()
    assert task is not None
    attempt = Attempt(task, 0.0)
    attempt.phase = Phase.CONNECTING
    error = network_error(aiohttp.ClientOSError(104, "hunter2"), attempt, 1.0)
    assert (error.delivery, error.message) == ("not_sent", "The service cannot be reached: Connection reset by peer.")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"code":200,"data":{"id":"u1"}}', None),
        (201, b'{"id":"u1"}', None),
        (404, b"<html>", ResponseError),
        (403, b'{"code":2333}', ApiError),
        (401, b"", NotAuthenticatedError),
    ],
)
async def test_answers_go_to_the_decoder(status, body, kind):
    """Whatever status and body come, with any content type, are judged by the pure floor."""
    with aioresponses() as service:
        service.post(TOTP_URL, status=status, body=body, content_type="text/plain", response_class=Answer)
        async with client_of(BASE) as client:
            if kind is None:
                assert (await client.mfa_verify_by_totp("123456")).id == "u1"
            else:
                with pytest.raises(kind):
                    await client.mfa_verify_by_totp("123456")


# ─────────────────────── real sockets: before anything is sent ───────────────────────


async def test_refused():
    """No server listens: not sent, tried again without success, and reported so."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: it refuses connections as long as it is open
        async with client_of(f"http://127.0.0.1:{taken.getsockname()[1]}") as client:
            with pytest.raises(NetworkError, match="cannot be reached") as caught:
                await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "not_sent"


async def test_unknown_name(monkeypatch):
    """The name cannot be resolved: not sent."""

    def no_such_name(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    async with client_of("http://nowhere.invalid") as client:
        with pytest.raises(NetworkError, match=r"name nowhere\.invalid cannot be resolved") as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "not_sent"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


async def test_a_stranger_is_not_trusted(server_tls):
    """A certificate of an unknown authority: not sent, and no way around it."""
    async with serving(answering(ok(USER)), tls=server_tls) as server, client_of(server) as client:
        with pytest.raises(NetworkError, match="secure connection") as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "not_sent"
    assert server.seen == []


async def test_another_name_on_the_certificate_is_not_trusted(authority, server_tls):
    """The right authority but another host's certificate: not sent."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.test").configure_cert(other)
    async with serving(answering(ok(USER)), tls=other) as server, client_of(server, ssl_context=trusting) as client:
        with pytest.raises(NetworkError, match="secure connection"):
            await client.mfa_verify_by_totp("123456")
    assert server.seen == []


@pytest.mark.parametrize("borrowed", [False, True], ids=["own pool", "borrowed pool"])
async def test_an_authority_of_ones_own(authority, server_tls, borrowed):
    """`ssl_context` names whom to trust, also on a borrowed pool that does not."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with (
        serving(answering(ok(USER), ok(USER)), tls=server_tls) as server,
        aiohttp.ClientSession() as session,
        client_of(server, ssl_context=trusting, session=session if borrowed else None) as client,
    ):
        assert (await client.mfa_verify_by_totp("123456")).id == "u1"
        assert (await client.mfa_verify_by_totp("123456")).id == "u1"
        assert server.connections == 1


@pytest.mark.parametrize("bad", [False, True, "cert.pem", b"pem"])
def test_certificate_checks_cannot_be_switched_off(bad):
    """Nothing but a real TLS context is taken, so nothing can switch the checks off by accident."""
    with pytest.raises(InvalidInputError, match="switched off"):
        AuthClient("app", ssl_context=bad)


@asynccontextmanager
async def silent_port():
    """A TCP port that accepts and never says a word, so that a TLS handshake hangs."""
    writers = []
    listening = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    async with listening:  # since Python 3.12 its end waits for every connection, so they are closed inside
        yield listening.sockets[0].getsockname()[1]
        listening.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()


@pytest.mark.parametrize(
    "limits", [{"connect_timeout": 0.05}, {"timeout": 0.05}], ids=["connect_timeout", "whole timeout"]
)
async def test_time_out_while_connecting(limits):
    """The handshake never ends: whichever limit is hit first, nothing was sent."""
    async with (
        silent_port() as port,
        client_of(f"https://127.0.0.1:{port}", max_attempts=1, **limits) as client,
    ):
        with pytest.raises(CallTimeoutError, match="could not be reached") as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "not_sent"


# ─────────────────────── real sockets: after it was sent ───────────────────────


@pytest.mark.parametrize("call", ["mfa_verify_by_totp", "mfa_verify_by_recovery_code"])
async def test_time_out_after_sending(call):
    """No answer in time: the service may have acted, and the code is not sent twice."""
    script = answering(reply({"code": 200, "data": True}))
    async with serving(script) as server, client_of(server) as client:
        await client.mfa_check(phone="1")  # from now on there is a connection, and no time goes into making one
        server._script = hang
        client._core.call_timeout = 1.0
        with pytest.raises(CallTimeoutError, match="answer did not come") as caught:
            await getattr(client, call)("123456")
        await server.saw(2)
    assert caught.value.delivery == "unknown"
    assert len(server.seen) == 2


async def test_time_out_within_the_body():
    """Headers in time but the body not: the time-out covers both."""

    async def slowly(seen: Seen):
        seen.writer.write(reply(USER, length=1000))
        return await hang(seen)

    async with serving(answering(ok(data=True))) as server, client_of(server) as client:
        await client.mfa_check(phone="1")
        server._script = slowly
        client._core.call_timeout = 1.0
        with pytest.raises(CallTimeoutError) as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "unknown"


SPENDING = {
    "mfa_verify_by_phone": ("1", "2"),
    "mfa_verify_by_email": ("a@b.cn", "2"),
    "mfa_verify_by_totp": ("2",),
    "mfa_verify_by_otp": ("2",),
    "mfa_verify_by_recovery_code": ("2",),
    "mfa_associate_by_face": ("a", "b"),
    "mfa_verify_by_face": ("a",),
    "login_by_account": ("a", "b"),
    "login_by_phone_code": ("1", "2"),
    "login_by_email_code": ("a@b.cn", "2"),
    "send_sms": ("1",),
    "send_mfa_email": ("a@b.cn",),
    "mfa_associate_by_totp": (),
    "mfa_confirm_totp": ("2",),
    "mfa_delete_totp": (),
    "mfa_unbind_phone": (),
    "mfa_unbind_email": (),
    "mfa_unbind_factor": ("f",),
    "logout": (),
    "refresh_id_token": (),
    "check_totp": ("2",),
}


@pytest.mark.parametrize("damage", [Drop(), Drop(reply(USER, length=1000)), Drop(b"HTTP/1.1 200 OK\r\nContent-Le")])
@pytest.mark.parametrize("call", SPENDING)
async def test_a_dropped_connection_is_not_retried(call, damage):
    """The connection dies on the second request of a kept-alive connection, before, within or after the head of the answer:
    unknown, and sent exactly once. aiohttp by itself would send GET and DELETE again."""
    script = answering(reply({"code": 200, "data": True}), damage)
    async with serving(script) as server, client_of(server) as client:
        await client.mfa_check(phone="1")
        with pytest.raises(NetworkError) as caught:
            await getattr(client, call)(*SPENDING[call])
        assert (caught.value.delivery, type(caught.value)) == ("unknown", NetworkError)
        assert len(server.seen) == 2
        assert [seen.connection for seen in server.seen] == [1, 1]


@pytest.mark.parametrize(
    "body",
    [
        Drop(chunked(b'{"code":200,', end=False)),
        Drop(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{}"),
        Drop(reply(gzip.compress(b'{"code":200}')[:-12], 200, "Content-Encoding: gzip", length=900)),
        reply(b"not gzip at all", 200, "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"SSH-2.0-OpenSSH_9.6 eyJhbGciOi\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 900\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=lambda body: repr(body)[:40],
)
async def test_broken_http_is_a_network_error(body):
    """Cut chunks, lies about length or encoding, another protocol: no whole answer was read, and nothing of it is shown."""
    async with serving(answering(body)) as server, client_of(server) as client:
        with pytest.raises(NetworkError) as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "unknown"
    assert len(server.seen) == 1
    assert "eyJ" not in str(caught.value)


async def test_whole_answers_of_every_framing():
    """Chunked, gzip, deflate, closed at the end, pipelined behind a 100: all are whole answers."""
    plain = b'{"code":200,"data":{"id":"u1"}}'
    script = answering(
        chunked(plain[:5], plain[5:]),
        reply(gzip.compress(plain), 200, "Content-Encoding: gzip"),
        reply(zlib.compress(plain), 200, "Content-Encoding: deflate"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + reply(plain),
        Drop(b"HTTP/1.0 200 OK\r\n\r\n" + plain),
    )
    async with serving(script) as server, client_of(server) as client:
        for _ in range(5):
            assert (await client.mfa_verify_by_totp("123456")).id == "u1"


# ─────────────────────── limits ───────────────────────


def _padded(size: int) -> bytes:
    head = b'{"code":200,"data":{"id":"u1","x":"'
    return head + b"y" * (size - len(head) - 3) + b'"}}'


@pytest.mark.parametrize("wrap", ["plain", "chunked", "gzip", "until close"])
@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
async def test_the_size_limit_to_the_byte(wrap, extra, fits):
    """What is at the limit after decompression is read, one byte more is an error and not read on."""
    body = _padded(10_000 + extra)
    answer = {
        "plain": reply(body),
        "chunked": chunked(body[:9_000], body[9_000:]),
        "gzip": reply(gzip.compress(body), 200, "Content-Encoding: gzip"),
        "until close": Drop(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body),
    }[wrap]
    async with serving(answering(answer)) as server, client_of(server, max_response_size=10_000) as client:
        if fits:
            assert (await client.mfa_verify_by_totp("123456")).id == "u1"
        else:
            with pytest.raises(ResponseError, match="larger than 10000 bytes") as caught:
                await client.mfa_verify_by_totp("123456")
            assert (caught.value.http_status, caught.value.delivery) == (200, "answered")


async def test_a_gzip_bomb_is_not_unpacked():
    """64 MiB of nothing in 64 KiB: refused at the limit of 1 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(64)) + packer.flush()
    async with (
        serving(answering(reply(bomb, 200, "Content-Encoding: gzip"))) as server,
        client_of(server) as client,
    ):
        with pytest.raises(ResponseError, match="larger than 1048576 bytes"):
            await client.mfa_verify_by_totp("123456")


async def test_an_endless_answer_ends():
    """A server that never stops sending is cut off at the limit."""

    async def endless(seen: Seen):
        seen.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            seen.writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await seen.writer.drain()
        raise AssertionError

    async with serving(endless) as server, client_of(server, max_response_size=100_000) as client:
        with pytest.raises(ResponseError, match="larger"):
            await client.mfa_verify_by_totp("123456")
        await server.emptied()  # the rest is not waited for: the connection is gone


# ─────────────────────── nothing kept, nothing sent elsewhere ───────────────────────


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status):
    """A redirect is an answer like any other; the token is sent to no other host."""
    async with (
        serving(answering(ok(USER))) as elsewhere,
        serving(answering(reply(b"", status, f"Location: {elsewhere.url}/x"))) as server,
        client_of(server) as client,
    ):
        with pytest.raises(ResponseError, match=str(status)):
            await client.mfa_verify_by_totp("123456")
    assert elsewhere.connections == 0
    assert len(server.seen) == 1


@pytest.mark.parametrize("borrowed", [False, True], ids=["own pool", "borrowed pool"])
async def test_cookies_are_neither_kept_nor_sent(borrowed):
    """One user's cookie never travels with another's call; a borrowed session's jar is neither read nor written.
    (Through `localhost`: no cookie jar takes a cookie of an address.)"""
    setting = reply({"code": 200, "data": USER}, 200, "Set-Cookie: session=of-ada; Path=/")
    async with (
        serving(answering(setting, ok(USER), ok(USER)), host="localhost") as server,
        aiohttp.ClientSession(cookies={"old": "cookie"}, headers={"X-Owner": "of the session"}) as session,
        client_of(server, session=session if borrowed else None) as client,
    ):
        session.cookie_jar.update_cookies({"mine": "1"}, URL(server.url))
        await client.mfa_verify_by_totp("123456")
        await client.as_user("other").mfa_verify_by_totp("123456")
        await client.get_current_user()
        for seen in server.seen:
            assert seen.header("Cookie") is None
            assert seen.header("X-Owner") is None
        assert {cookie.key for cookie in session.cookie_jar} == {"old", "mine"}


async def test_headers_on_the_wire():
    """Exactly the headers that are meant, once each, with our own user agent."""
    async with serving(answering(ok(USER), ok())) as server, client_of(server, user_pool_id="pool") as client:
        await client.mfa_verify_by_totp("123456")
        await client.mfa_delete_totp()
    posted, deleted = ({name.lower(): value for name, value in seen.headers} for seen in server.seen)
    common = {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": f"authing-mfa-python/{__version__}",
        "accept": "*/*",
        "accept-encoding": posted["accept-encoding"],
        "x-authing-app-id": "app",
        "x-authing-userpool-id": "pool",
        "x-authing-request-from": f"authing-mfa-python@{__version__}",
        "x-authing-sdk-version": __version__,
        "x-authing-lang": "en-US",
        "authorization": "Bearer tok-en",
    }
    body = b'{"totp":"123456","authenticatorType":"totp"}'
    assert server.seen[0].body == body
    assert posted == {**common, "content-type": "application/json", "content-length": str(len(body))}
    deleted.pop("content-length", None)
    assert deleted == common
    assert all(len(seen.headers) == len({name.lower() for name, _ in seen.headers}) for seen in server.seen)


async def test_a_large_upload_arrives_whole():
    """A picture far over what aiohttp likes to send at once, byte for byte, without a warning."""
    from authing_mfa.operations import JpegBytes, UploadFaceImage

    image = bytes(range(256)) * 12_000
    async with serving(answering(ok({"key": "k"}))) as server, client_of(server) as client:
        assert await client.perform(UploadFaceImage(JpegBytes(image))) == "k"
    assert image in server.seen[0].body
    assert server.seen[0].header("Authorization") is None


# ─────────────────────── proxies ───────────────────────


async def test_a_proxy_carries_the_call():
    """With `proxy` the request goes to it, with the whole address as its target and the proxy's login in a header."""
    async with (
        serving(answering(ok(USER))) as proxy,
        client_of("http://service.test:81", proxy=proxy.url.replace("://", "://ada:hunter2@")) as client,
    ):
        assert (await client.mfa_verify_by_totp("123456")).id == "u1"
    (seen,) = proxy.seen
    assert seen.target == "http://service.test:81/api/v2/mfa/totp/verify"
    assert seen.header("Proxy-Authorization") == "Basic " + base64.b64encode(b"ada:hunter2").decode()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


async def test_a_tunnel_carries_tls_end_to_end(authority, server_tls):
    """An HTTPS call through a proxy: it sees the service's name and nothing else."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    heads = []

    async with serving(answering(ok(USER)), tls=server_tls) as server:

        async def tunnel(reader, writer):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(_pipe(reader, there_writer), _pipe(there_reader, writer))

        async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
            address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
            async with client_of(server, proxy=address, ssl_context=trusting) as client:
                assert (await client.mfa_verify_by_totp("123456")).id == "u1"
            await server.emptied()
    (head,) = heads
    assert head.startswith(f"CONNECT 127.0.0.1:{server.port} ".encode())
    assert b"tok-en" not in head
    assert server.seen[0].header("Authorization") == "Bearer tok-en"


async def test_a_tunnel_that_is_refused():
    """An HTTPS call through a proxy that says no: nothing reached the service, and the token went nowhere."""
    async with (
        serving(answering(*[reply(b"no", 403)] * 3)) as proxy,
        client_of("https://service.test", proxy=proxy.url) as client,
    ):
        with pytest.raises(NetworkError, match="proxy did not connect") as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "not_sent"
    assert {seen.method for seen in proxy.seen} == {"CONNECT"}
    assert {seen.header("Authorization") for seen in proxy.seen} == {None}


@pytest.mark.parametrize("scheme", ["http://", ""], ids=["with scheme", "without"])
async def test_the_environments_proxy_is_used_when_asked(monkeypatch, scheme):
    """`trust_env` takes `http_proxy`, however it is written, and leaves out the hosts of `no_proxy`."""
    async with serving(answering(ok(USER))) as proxy, serving(answering(ok(USER), ok(USER))) as server:
        monkeypatch.setenv("http_proxy", f"{scheme}127.0.0.1:{proxy.port}")
        async with client_of("http://service.test", trust_env=True) as client:
            assert (await client.mfa_verify_by_totp("123456")).id == "u1"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with client_of(server, trust_env=True) as client:
            assert (await client.mfa_verify_by_totp("123456")).id == "u1"
        monkeypatch.delenv("no_proxy")
        async with client_of(server) as client:
            assert (await client.mfa_verify_by_totp("123456")).id == "u1"
    assert (len(proxy.seen), len(server.seen)) == (1, 2)


async def test_a_netrc_file_is_not_read(monkeypatch, tmp_path):
    """Even with `trust_env` no password out of a file joins a call."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with serving(answering(ok(USER))) as server, client_of(server, trust_env=True) as client:
        await client.mfa_verify_by_totp("123456")
    assert server.seen[0].header("Authorization") == "Bearer tok-en"


async def test_a_proxy_that_is_no_address(monkeypatch):
    """A broken proxy of the environment is said in a sentence that does not show its password."""
    monkeypatch.setenv("http_proxy", "http://ada:hunter2@proxy:notaport")
    async with client_of("http://service.test", trust_env=True) as client:
        with pytest.raises(NetworkError) as caught:
            await client.mfa_verify_by_totp("123456")
    assert caught.value.delivery == "not_sent"
    assert "hunter2" not in f"{caught.value}"
