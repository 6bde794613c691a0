"""A hostile service: whatever it answers, a call ends soon and in little memory, with a value or an AuthingError."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import tracemalloc
import zlib
from itertools import count

import pytest

from authing_mfa import AuthClient, AuthingError, ConfigError, ResponseError
from tests.servers import USER, Drop, Seen, ok, reply, serving

MB = 1 << 20
SECONDS = 20.0  # of this thread's own processor time; 4 are needed at most on a busy machine, without a bound it would be minutes
MEMORY = 24 * MB


def compressed(name: str, body: bytes) -> bytes:
    return reply(body, 200, f"Content-Encoding: {name}", "Content-Type: application/json")


def bomb(squeeze, megabytes: int = 64) -> bytes:
    return squeeze(b'{"code": 200, "data": "' + b" " * (megabytes * MB) + b'"}')


def twice(body: bytes) -> bytes:
    return gzip.compress(gzip.compress(body, 1), 1)


def headers(*lines: str) -> bytes:
    return reply({"code": 200, "data": USER}, 200, *lines)


def chunk(size: str, body: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size.encode() + b"\r\n" + body


ONE_ANSWER = {
    "a gzip bomb": compressed("gzip", bomb(gzip.compress)),
    "a gzip bomb in a gzip bomb": compressed("gzip", bomb(twice)),
    "a deflate bomb": compressed("deflate", bomb(zlib.compress)),
    "a raw deflate bomb": compressed("deflate", bomb(lambda body: zlib.compress(body, wbits=-15))),
    "a bomb of two encodings": compressed("gzip, gzip", bomb(twice)),
    "rubbish that says it is gzip": compressed("gzip", b"\x1f\x8b" + b"x" * 1000),
    "an encoding that nobody asked for": compressed("br", b"x" * 1000),
    "an encoding that nobody knows": compressed("nonsense", b"x" * 1000),
    "half a gzip": compressed("gzip", gzip.compress(json.dumps({"code": 200}).encode())[:-9]),
    "8 MB of spaces": reply(b" " * 8 * MB),
    "45,000 nested lists": reply(b'{"code":200,"data":' + b"[" * 45_000 + b"]" * 45_000 + b"}"),
    "45,000 nested objects": reply(b'{"code":200,"data":' + b'{"a":' * 45_000 + b"1" + b"}" * 45_000 + b"}"),
    "400,000 factors": reply({"code": 1636, "data": {"mfaToken": "t", "applicationMfa": [{}] * 400_000}}),
    "400,000 keys": reply({"code": 200, "data": {str(number): 1 for number in range(400_000)}}),
    "one key 100,000 times": reply(b'{"code":200,"data":{' + b'"a":1,' * 100_000 + b'"a":2}}'),
    "two codes": reply(b'{"code":200,"code":2333,"data":{"id":"u1"}}'),
    "a number of a megabyte": reply(b'{"code":200,"data":{"id":' + b"9" * MB + b"}}"),
    "a code of 5,000 digits": reply(b'{"code":' + b"9" * 5000 + b"}"),
    "a number that is infinite": reply(b'{"code":1e999999}'),
    "NaN": reply(b'{"code":NaN,"data":{"id":"u1"}}'),
    "half of a surrogate pair": reply(b'{"code":200,"data":{"id":"\\ud800"}}'),
    "bytes that are no UTF-8": reply(b'{"code":200,"message":"\xff\xfe"}'),
    "a byte order mark": reply(b'\xef\xbb\xbf{"code":200,"data":{"id":"u1"}}'),
    "UTF-16": reply('{"code":200,"data":{"id":"u1"}}'.encode("utf-16")),
    "a header of 100 kB": headers("X-Long: " + "x" * 100_000),
    "20,000 headers": headers(*(f"X-{number}: {number}" for number in range(20_000))),
    "2,000 cookies": headers(*(f"Set-Cookie: c{number}={'x' * 100}" for number in range(2_000))),
    "a header without a name": headers(": nothing"),
    "a header in two lines": headers("X-Folded: a\r\n b"),
    "a header with a NUL": headers("X-Nul: a\0b"),
    "two lengths": headers("Content-Length: 5"),
    "a length and chunks": headers("Transfer-Encoding: chunked"),
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    "a length of 10**30": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"1" + b"0" * 30 + b"\r\n\r\n{}",
    "a chunk of negative length": chunk("-1"),
    "a chunk of 10**30 bytes": chunk("f" * 25, b"{}"),
    "a chunk whose length is no number": chunk("xyz", b"{}"),
    "a chunk with a long extension": chunk("2;" + "x" * 100_000, b"{}"),
    "500 answers before the answer": b"HTTP/1.1 100 Continue\r\n\r\n" * 500 + ok(USER),
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "a status of 999": reply({"code": 200, "data": USER}, 999),
    "a status of 0": b"HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/0.9": b"<html>hello</html>",
    "HTTP/3.0": b"HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "an SSH server": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    "zeros": b"\0" * 100_000,
    "a redirect": reply(b"", 302, "Location: http://127.0.0.1:1/stolen"),
    "a permanent redirect": reply(b"", 308, "Location: //127.0.0.1:1/stolen"),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "a demand for a password": reply(b"", 407, "Proxy-Authenticate: Basic realm=x"),
}


async def judged(client: AuthClient) -> AuthingError | None:
    """One call: it ends soon and in little memory, with a value or an AuthingError."""
    tracemalloc.start()
    began = time.thread_time()
    try:
        await client.mfa_verify_by_totp("123456")
    except AuthingError as error:
        return error
    finally:
        used = time.thread_time() - began
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert used < SECONDS, f"{used:.1f} s"
        assert peak < MEMORY, f"{peak / MB:.0f} MB"
    return None


def client_of(server, **options) -> AuthClient:
    return AuthClient("app", **{"token": "t", "base_url": server.url, "timeout": 30.0, **options})


@pytest.mark.parametrize("what", ONE_ANSWER)
async def test_an_answer_that_no_service_should_give(what):
    """It costs little, is told of in an AuthingError, and the next call works."""
    answers = [ONE_ANSWER[what], ok(USER)]
    waiting = asyncio.Event()

    async def script(seen: Seen) -> bytes:
        if len(answers) > 1:
            seen.writer.write(answers.pop(0))
            seen.writer.write_eof()
            await waiting.wait()
            raise Drop
        return answers[0]

    async with serving(script) as server, client_of(server, max_connections=1) as client:
        error = await judged(client)
        assert error is None or error.delivery in {"answered", "unknown"}, repr(error)
        waiting.set()
        await server.emptied()
        assert (await client.mfa_verify_by_totp("123456")).id == USER["id"]


ENDLESS = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"),
    "one header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 1000),
    "answers before the answer": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    "chunks": (chunk("1", b"x\r\n"), b"100\r\n" + b"x" * 256 + b"\r\n"),
    "trailers": (chunk("2", b"{}\r\n0\r\n"), b"X-Trailer: and more\r\n"),
    "a body without a length": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" " * 1000),
    "a status line": (b"", b"HTTP/1.1 200 OK " * 10),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_an_answer_that_does_not_end(what):
    """It is given up when it has grown too large, long before the time-out, or at the time-out in little memory."""
    start, more = ENDLESS[what]
    sent = 0

    async def script(seen: Seen) -> bytes:
        nonlocal sent
        seen.writer.write(start)
        while sent < 64 * MB:
            piece = more * (65536 // len(more))
            seen.writer.write(piece)
            sent += len(piece)
            await seen.writer.drain()
        raise AssertionError("64 MB were read")

    async with serving(script) as server, client_of(server, timeout=2.0) as client:
        error = await judged(client)
    assert error is not None
    assert error.delivery in {"answered", "unknown"}
    assert sent < 64 * MB


# ─────────────────────── public-config ───────────────────────

ODD_HOSTS = [
    "evil.test/path", "evil.test?query", "evil.test#part", "user:secret@evil.test", "evil.test:99999", "evil.test:port", "http://evil.test",
    "file:///etc/passwd", "javascript:alert(1)", "//evil.test", "evil test", "evil\ttest", "evil\r\nHost: other", "evil.test\0", "[::1", "[::1%25zz",
    "[fe80::1%zone]:x", "..", ".", "-", "a" * 300, "a." * 200, "\ud800", "xn--\uffff", "\u202eevil", "%2f%2e", "[v1.x]", "0x7f.1:-1",
    " ", 5, True, ["evil.test"], {"host": "evil.test"}, 1e400,
]  # fmt: skip


@pytest.mark.parametrize("host", ODD_HOSTS, ids=ascii)
async def test_a_public_config_that_names_an_odd_host(host):
    """It is refused, each time anew, and nothing goes there: no request, no bearer, no code. A proxy sees every request."""

    async def script(seen: Seen) -> bytes:
        return ok({"requestHostname": host, "userPoolId": "pool"})

    async with serving(script) as proxy:
        options = {"proxy": proxy.url, "host": "authing.test", "scheme": "http", "max_attempts": 1}
        async with AuthClient("app", token="t", **options) as client:
            for _ in range(2):
                with pytest.raises((ConfigError, ResponseError)):
                    await client.mfa_verify_by_totp("123456")
    assert len(proxy.seen) == 2
    assert all(seen.target.startswith("http://console.authing.test/") for seen in proxy.seen)
    assert all(seen.header("Authorization") is None for seen in proxy.seen)


async def test_a_service_that_redirects_is_not_followed():
    """Neither a call nor public-config follows: the bearer and the code stay with the host they were for."""
    stolen = []

    async def thief(seen: Seen) -> bytes:
        stolen.append(seen)
        return ok(USER)

    async with serving(thief) as elsewhere:

        async def script(_: Seen) -> bytes:
            return reply(b"", next(statuses), f"Location: {elsewhere.url}/")

        statuses = (status for _ in count() for status in (301, 302, 303, 307, 308))
        async with serving(script) as server:
            async with client_of(server) as client:
                for _ in range(5):
                    with pytest.raises(AuthingError):
                        await client.mfa_verify_by_totp("123456")
            address = server.url.removeprefix("http://")
            async with AuthClient("app", token="t", host=address, scheme="http", on_premise=True) as client:
                for _ in range(5):
                    with pytest.raises(AuthingError):
                        await client.mfa_verify_by_totp("123456")
    assert stolen == []
