"""Large bodies, other origins, slow and broken connections, and a limit for everything that is kept.

More than 300 lines: one test for each limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import io
import json
import socket
import sys
import threading
from pathlib import Path

import pytest

from authing_mfa.emulator import Emulator, Settings
from authing_mfa.emulator.http import body, server
from authing_mfa.emulator.state import directory, messages, photos
from tests.programs import run_program

ROOT = Path(__file__).parents[2]
LOCAL = {"Origin": "http://localhost:3000"}
FOREIGN = {"Origin": "https://evil.test"}


# ─────────────────────────────── bodies ───────────────────────────────


async def test_a_photo_of_many_megabytes_is_taken(emu, api, session):
    """An iPhone's PNG has 20 MiB; the photo comes back as it was sent."""
    content = b"\x89PNG" + bytes(20 * 2**20)
    key = await api.upload(io.BytesIO(content), "folder=photos&private=false")
    async with session.get(f"{emu.url}/_emulator/photos/{key}") as response:
        assert await response.read() == content


async def test_a_snapshot_of_its_own_is_taken_back(emu, api, session):
    """2,000 users are more than aiohttp's default limit of 1 MiB."""
    for number in range(2000):
        emu.add_user(username=f"user{number}", password="pw", totp=True)
    status, snapshot = await api.call("GET", "/_emulator/snapshot")
    assert (status, len(json.dumps(snapshot)) > 2**20) == (200, True)
    emu.reset()
    data = io.BytesIO(json.dumps(snapshot).encode())
    async with session.put(f"{emu.url}/_emulator/snapshot", data=data) as response:
        assert await response.json() == {"restored": True}
    assert len(emu.users) == 2000


def answer_to_33_mib(emu, start, *, origin=None, chunked=False):
    """The emulator's answer to a request with a body of 33 MiB: status, headers, JSON.

    It is read while the body is sent, as a browser does: the rest of the body may meet a closed connection.
    """
    size = 2**20
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {33 * size}"
    piece = b"%x\r\n%b\r\n" % (size, bytes(size)) if chunked else bytes(size)
    with socket.create_connection(("127.0.0.1", int(emu.url.rpartition(":")[2])), timeout=60) as connection:
        lines = [f"{start} HTTP/1.1", "Host: 127.0.0.1", length, *([f"Origin: {origin}"] if origin else [])]
        head = "\r\n".join(lines) + "\r\n\r\n"

        def send():
            with contextlib.suppress(ConnectionError):
                for part in [head.encode(), *[piece] * 33]:
                    connection.sendall(part)

        sending = threading.Thread(target=send)
        sending.start()
        try:
            with http.client.HTTPResponse(connection) as response:
                response.begin()
                return response.status, response.headers, json.load(response)
        finally:
            connection.shutdown(socket.SHUT_RDWR)
            sending.join()


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_32_mib_is_refused_so_that_a_page_can_read_why(emu, session, chunked):
    """HTTP 413 in the service's envelope, with CORS headers; the emulator continues to serve."""
    status, headers, answer = await asyncio.to_thread(
        answer_to_33_mib, emu, "POST /api/v2/mfa/totp/verify", origin=LOCAL["Origin"], chunked=chunked
    )
    assert (status, answer["code"]) == (413, 413)
    assert headers["Access-Control-Allow-Origin"] == LOCAL["Origin"]
    async with session.get(f"{emu.url}/_emulator/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_a_body_that_is_announced_as_too_large_is_refused_before_it_comes(emu):
    """The head alone is enough for HTTP 413."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(emu.url.rpartition(":")[2]))
    length = 32 * 2**20 + 1
    writer.write(
        f"POST /api/v2/mfa/totp/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    assert (await asyncio.wait_for(reader.readline(), 60)).startswith(b"HTTP/1.1 413 ")
    writer.close()
    await writer.wait_closed()


async def test_the_admin_api_refuses_a_body_over_32_mib_in_its_own_shape(emu):
    """{"error": "…"} with HTTP 413."""
    status, _, answer = await asyncio.to_thread(answer_to_33_mib, emu, "PUT /_emulator/snapshot")
    assert (status, "32 MiB" in answer["error"]) == (413, True)


def test_a_client_that_hangs_up_in_the_middle_of_a_body_logs_nothing():
    """Nothing on stderr, and nothing acted on: the process prints what it saw and ends."""
    script = (
        "import socket, time\n"
        "from authing_mfa.emulator import Emulator\n"
        "with Emulator() as emu:\n"
        "    for rest in (b'{', b'5\\r\\nab', b''):\n"
        "        head = b'Transfer-Encoding: chunked' if rest[:1] == b'5' else b'Content-Length: 500'\n"
        "        with socket.create_connection(('127.0.0.1', int(emu.url.rpartition(':')[2]))) as s:\n"
        "            s.sendall(b'POST /api/v2/login/account HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n' + head + b'\\r\\n\\r\\n' + rest)\n"
        "    for junk in (b'\\x16\\x03\\x01 TLS', b'GET / HTTP/9\\r\\n\\r\\n', b'GET /\\x00 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'):\n"
        "        with socket.create_connection(('127.0.0.1', int(emu.url.rpartition(':')[2]))) as s:\n"
        "            s.sendall(junk)\n"
        "            s.shutdown(socket.SHUT_WR)\n"
        "            while s.recv(4096): pass\n"
        "print('ended')\n"
    )
    done = run_program([sys.executable, "-c", script], cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")


# ─────────────────────────────── origins ───────────────────────────────


@pytest.mark.parametrize(
    "path", ["/api/v2/email/send", "/_emulator/messages", "/_emulator/info", "/ns/new/api/v2/email/send"]
)
async def test_a_page_of_another_site_may_do_nothing(emu, session, path):
    """HTTP 403, no CORS headers, nothing sent, and no namespace made."""
    async with session.post(emu.url + path, json={"to": "1", "email": "a@example.com"}, headers=FOREIGN) as response:
        assert (response.status, "Access-Control-Allow-Origin" in response.headers) == (403, False)
    assert (emu.outbox, list(emu._namespaces)) == ([], [])


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://127.0.0.1:5173", "https://app.localhost", "http://[::1]:1"]
)
async def test_a_page_of_this_machine_may_call_the_service(emu, session, origin):
    """Its preflight is answered, also that for private networks, and it can read the answer."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Private-Network": "true",
    }
    async with session.options(f"{emu.url}/api/v2/email/send", headers=asked) as response:
        assert response.headers["Access-Control-Allow-Private-Network"] == "true"
    async with session.post(
        f"{emu.url}/api/v2/email/send", json={"email": "a@example.com"}, headers={"Origin": origin}
    ) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (200, origin)
    assert emu.code_for("a@example.com")


async def test_a_page_of_the_same_host_or_an_allowed_one_may_call_it(session):
    """A phone loads the application from 192.168.1.5:3000 and calls the emulator there; a proxy's name is allowed by name."""
    with Emulator(host="0.0.0.0", allow_remote=True, allowed_hosts=["app.example.com"]) as emu:
        for host, origin, status in (
            ("192.168.1.5:7070", "http://192.168.1.5:3000", 200),
            ("192.168.1.5:7070", "http://192.168.1.6:3000", 403),
            ("127.0.0.1", "https://app.example.com", 200),
        ):
            async with session.post(
                f"{emu.url}/api/v2/email/send",
                json={"email": f"{status}@{len(origin)}.test"},
                headers={"Host": host, "Origin": origin},
            ) as response:
                assert response.status == status


# ─────────────────────────────── what is kept ───────────────────────────────


async def test_the_log_keeps_no_large_body(emu, api):
    """Its size is shown instead, and the page's list stays small."""
    await api.call("POST", "/api/v2/login/account", {"account": "x" * 300, "password": "y" * 30_000})
    newest = (await api.get("/_emulator/requests"))["requests"][0]
    assert (newest["request"], newest["request_bytes"] > 30_000, newest["response"]["code"]) == (None, True, 2333)


def test_the_oldest_messages_go_and_their_codes(monkeypatch):
    """Messages to other targets stay unchanged."""
    monkeypatch.setattr(messages, "_KEPT", 3)
    with Emulator() as emu:
        for number in range(5):
            emu.send_code(f"a{number}@example.com")
        assert [message.to[:2] for message in emu.outbox] == ["a2", "a3", "a4"]
        assert sorted(emu.state.messages.codes) == [f"a{number}@example.com" for number in (2, 3, 4)]
        with pytest.raises(LookupError):
            emu.code_for("a1@example.com")
        assert emu.code_for("a2@example.com")


async def test_the_oldest_photos_go_but_can_still_be_compared(monkeypatch, emu, api, pictures):
    """Content goes first: the fingerprint of a face is small. Then the key goes as well."""
    monkeypatch.setattr(photos, "_BYTES", 60_000)
    monkeypatch.setattr(photos, "_KEYS", 4)
    ann = emu.add_user(username="ann", password="pw", mfa=["FACE"], face=pictures(0))
    first = await api.upload(pictures(0))
    for number in range(3):
        await api.upload(b"x" * (30_000 + number))
    assert emu.state.photos.size <= 60_000
    listed = (await api.get("/_emulator/photos"))["photos"]
    assert [(photo["kept"], photo["picture"]) for photo in listed][-1] == (False, True)
    token = emu.issue_mfa_token(ann)
    assert (await api.post("/api/v2/mfa/face/verify", {"photo": first}, token))["code"] == 200
    await api.upload(b"y")
    assert (await api.post("/api/v2/mfa/face/verify", {"photo": first}, emu.issue_mfa_token(ann)))["code"] == 1700


async def test_users_and_texts_have_an_end(monkeypatch, emu, api):
    """A login that would register one user too many is refused, and so is a recipient of a thousand letters."""
    monkeypatch.setattr(directory, "_USERS", 1)
    emu.add_user(username="ann", password="pw")
    assert (await api.login("bob", "pw", autoRegister=True))["code"] == 400
    with pytest.raises(ValueError, match="1 users already"):
        emu.add_user(username="bob", password="pw")
    assert (await api.post("/api/v2/email/send", {"email": "x" * 1000 + "@a.test"}))["code"] == 1020017


async def test_a_namespace_that_was_only_looked_at_makes_room(monkeypatch, emu, session):
    """Any page can make a browser look at /ns/NAME/; those that hold something stay, and a name comes again as it was."""
    monkeypatch.setattr("authing_mfa.emulator.emulator._NAMESPACES", 3)
    used = emu.namespace("used")
    used.send_code("a@example.com")
    before = emu.namespace("w1").add_user(username="a", password="b").id
    emu.namespace("w1").reset()
    for number in range(10):
        async with session.get(f"{emu.url}/ns/n{number}/_emulator/info") as response:
            assert response.status == 200
    assert emu.namespace("used") is used
    assert emu.namespace("w1").add_user(username="a", password="b").id == before
    emu.namespace("full").send_code("a@example.com")
    with pytest.raises(ValueError, match="3 namespaces already"):
        emu.namespace("one-more")


async def test_made_up_tokens_are_not_counted(emu, api):
    """Counts are kept for ever, so only tokens of this emulator get one."""
    for number in range(20):
        await api.post("/api/v2/mfa/totp/verify", {"totp": "000000"}, f"made-up-{number}")
    assert emu.request_log.all_acted() == []
    assert emu.verify_count("made-up-1") == 0


async def test_a_token_with_junk_behind_its_signature_is_refused(emu, api):
    """Base64 decoders skip other characters; a signature is compared character by character."""
    ann = emu.add_user(username="ann", password="pw", mfa=["OTP"], totp=True)
    token = emu.issue_mfa_token(ann)
    for junk in ("=", "\u00a0", "!!", "==", ".", " x"):
        answer = await api.post("/api/v2/mfa/totp/verify", {"totp": ann.totp_code}, token + junk)
        assert answer["code"] == (200 if junk == "\u00a0" else 2021), junk
        if junk == "\u00a0":  # white space around a header's value is no part of it
            emu.clock.advance(30)


# ─────────────────────────────── photos off the loop ───────────────────────────────


async def test_a_photo_is_read_while_others_are_answered(monkeypatch, emu, api):
    """As long as one photo is being read, neither the loop nor the lock is held."""
    reading, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_content):
        loop.call_soon_threadsafe(reading.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(30)
        raise OSError

    monkeypatch.setattr("authing_mfa.emulator.http.request.face_fingerprint", slow)
    upload = asyncio.create_task(api.upload(b"photo"))
    await asyncio.wait_for(reading.wait(), 30)
    emu.send_code("a@example.com")  # takes the lock
    assert (await api.get("/_emulator/inbox"))["messages"][0]["code"]
    go_on.set()
    assert (await upload).startswith("photos/")


# ─────────────────────────────── connections ───────────────────────────────


async def test_a_connection_that_asks_for_nothing_is_closed(monkeypatch):
    """Half a request line is not enough; one that has asked may be idle for longer."""
    monkeypatch.setattr(server, "_HEADER_SECONDS", 2.0)
    with Emulator() as emu:
        port = int(emu.url.rpartition(":")[2])
        silent, _first = await asyncio.open_connection("127.0.0.1", port)
        slow, second = await asyncio.open_connection("127.0.0.1", port)
        second.write(b"GET / HT")
        heard, third = await asyncio.open_connection("127.0.0.1", port)
        third.write(b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await heard.readuntil(b'{"status":"ok"}')
        for reader in (silent, slow):
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 30) == b""
        third.write(b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await heard.readuntil(b'{"status":"ok"}')
        for writer in (_first, second, third):
            writer.close()


async def test_a_body_that_does_not_come_is_given_up(monkeypatch, emu):
    """HTTP 408 in the service's envelope."""
    monkeypatch.setattr(body, "_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(emu.url.rpartition(":")[2]))
    writer.write(b"POST /api/v2/login/account HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
    assert (await asyncio.wait_for(reader.readline(), 30)).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_the_accept_loop_rests_at_the_descriptor_limit(monkeypatch, emu, api):
    """Without descriptors it looks again after a pause instead of at once, and serves when there are some."""
    looks = []
    real = socket.socket.accept
    monkeypatch.setattr(server, "_PAUSE_SECONDS", 0.05)

    def accept(self):
        looks.append(None)
        if len(looks) <= 3:
            raise OSError(errno.EMFILE, "no descriptor left")
        return real(self)

    monkeypatch.setattr(socket.socket, "accept", accept)
    assert (await api.get("/_emulator/health")) == {"status": "ok"}
    assert len(looks) <= 6  # a loop that spins looks thousands of times in 0.15 s


# ─────────────────────────────── one picture, one verdict ───────────────────────────────


@pytest.mark.parametrize(
    ("face", "same", "other", "no_picture"),
    [("same-picture", 200, 1702, 1702), ("any", 200, 200, 200), ("none", 1702, 1702, 1702)],
)
async def test_the_verdict_on_faces_is_a_setting(session, api_of, pictures, face, same, other, no_picture):
    """A live camera's photo passes with `any`, also in a format that cannot be read here; nothing passes with `none`."""
    with Emulator(face=face) as emu:
        api = api_of(emu)
        first = pictures(0)
        ann = emu.add_user(username="ann", password="pw", mfa=["FACE"], face=first)
        codes = [
            (await api.post("/api/v2/mfa/face/verify", {"photo": await api.upload(content)}, emu.issue_mfa_token(ann)))[
                "code"
            ]
            for content in (first, pictures(1), b"HEIC, say")
        ]
        assert codes == [same, other, no_picture]


async def test_the_verdict_can_be_changed_and_a_reset_takes_it_back(emu, api, pictures):
    """POST settings, also for the other settings; binding two different photos is refused or taken accordingly."""
    assert (await api.get("/_emulator/settings"))["face"] == "same-picture"
    assert (await api.post("/_emulator/settings", {"face": "any", "resend_window": 0}))["resend_window"] == 0
    ann = emu.add_user(username="ann", password="pw")
    keys = [await api.upload(pictures(person)) for person in (0, 1)]
    bound = await api.post(
        "/api/v2/mfa/face/associate", {"photoA": keys[0], "photoB": keys[1]}, emu.issue_user_token(ann)
    )
    assert bound["code"] == 200
    for wrong in ({"face": "ugly"}, {"speed": 1}, {"code_length": True}, {"resend_window": "x"}):
        assert (await api.call("POST", "/_emulator/settings", wrong))[0] == 400
    emu.reset()
    assert emu.settings == Settings()


async def test_every_uploaded_photo_can_be_looked_at(emu, api, session, pictures):
    """The list gives an address for each, private or not, that shows what the service got."""
    content = pictures(0)
    await api.upload(content, "folder=a%20b%3F&private=true")
    await api.upload(content, "folder=photos&private=false")
    for photo in (await api.get("/_emulator/photos"))["photos"]:
        async with session.get(photo["url"]) as response:
            assert (await response.read(), response.content_type) == (content, "image/jpeg")
        assert photo["bytes"] == len(content)
