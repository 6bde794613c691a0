"""The admin API: what a test in any language, and the inbox page, talk to."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from authing_mfa._version import __version__

INFO, INBOX, USERS, CLOCK = (f"/_emulator/{name}" for name in ("info", "inbox", "users", "clock"))


async def test_info_says_how_to_reach_it(emu, api):
    """Address, ids, key, namespace, time, version; a namespace has its own address."""
    info = await api.get(INFO)
    assert info == {
        "url": emu.url,
        "app_id": emu.app_id,
        "user_pool_id": emu.user_pool_id,
        "public_key": emu.public_key,
        "namespace": "default",
        "now": emu.clock(),
        "version": __version__,
        "tls": False,
    }
    other = await api.get("/ns/w1" + INFO)
    assert (other["url"], other["namespace"], other["app_id"]) == (f"{emu.url}/ns/w1", "w1", emu.app_id)


async def test_the_inbox_lists_the_newest_first(emu, api):
    """Filtered by recipient in any spelling, by channel, by what was seen before, and limited."""
    for target in ("13800138000", "a@b.test", "13900139000"):
        emu.send_code(target, scene="MFA_VERIFY")
    messages = (await api.get(INBOX))["messages"]
    assert [message["to"] for message in messages] == ["13900139000", "a@b.test", "13800138000"]
    assert messages[1]["code"] == emu.code_for("a@b.test")
    assert messages[1]["code"] in messages[1]["text"]
    assert {name: messages[1][name] for name in ("channel", "scene", "sent_at")} == {
        "channel": "email",
        "scene": "MFA_VERIFY",
        "sent_at": emu.clock(),
    }

    async def ids(query):
        return [message["id"] for message in (await api.get(f"{INBOX}?{query}"))["messages"]]

    assert await ids("to=%2B8613800138000") == [1]
    assert await ids("to=A@b.test") == [2]
    assert await ids("channel=sms") == [3, 1]
    assert await ids("after=1") == [3, 2]
    assert await ids("limit=1") == [3]
    assert await ids("to=nobody@b.test") == []


async def test_the_inbox_waits_for_a_message(emu, api):
    """A long poll answers as soon as a message for the recipient is there, and not for another's."""
    emu.send_code("13800138000")
    waiting = asyncio.create_task(api.get(f"{INBOX}?to=13800138000&after=1&wait=30"))
    while not emu.events:  # noqa: ASYNC110 - the server's own loop sets it
        await asyncio.sleep(0.001)
    emu.send_code("13900139000")
    await api.post("/api/v2/sms/send", {"phone": "13700137000"})
    assert not waiting.done()
    code = emu.send_code("13800138000")
    answer = await asyncio.wait_for(waiting, 60)
    assert [message["code"] for message in answer["messages"]] == [code]


async def test_the_inbox_gives_up_after_its_time(api):
    """Empty when nothing came; invalid numbers are refused."""
    assert await api.get(f"{INBOX}?to=138&wait=0.05") == {"messages": []}
    for query in ("wait=x", "wait=-1", "after=nan", "limit=1e300"):
        assert (await api.call("GET", f"{INBOX}?{query}"))[0] == 400


async def test_messages_can_be_sent_without_the_application(emu, api):
    """POST messages answers the message, whatever the resend window says."""
    for _ in range(2):
        sent = await api.post("/_emulator/messages", {"to": "13800138000", "scene": "x"})
    assert (sent["id"], sent["code"], sent["scene"]) == (2, emu.code_for("13800138000"), "x")
    for body in ({}, {"to": 1}, {"to": " "}, {"to": "1", "scene": 1}):
        assert (await api.call("POST", "/_emulator/messages", body))[0] == 400


async def test_codes_are_fixed_over_http(emu, api):
    """And what is no target or code is refused."""
    await api.post("/_emulator/codes", {"target": "a@b.test", "code": "4711"})
    assert emu.send_code("a@b.test") == "4711"
    for body in ({}, {"target": "1", "code": 1}, {"target": ""}):
        assert (await api.call("POST", "/_emulator/codes", body))[0] == 400


# ─────────────────────────────── events ───────────────────────────────


class Watcher:
    """Reads server-sent events."""

    def __init__(self, response):
        self.response = response

    async def next(self):
        """The next event: its name and its data."""
        name = None
        while True:
            line = (await asyncio.wait_for(self.response.content.readline(), 20)).decode().strip()
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))


async def test_events_tell_what_happens(emu, api, session):
    """Messages, requests, the clock, faults, users and resets, as they happen, each with JSON."""
    async with session.get(f"{emu.url}/_emulator/events") as response:
        assert response.content_type == "text/event-stream"
        assert await response.content.readline() == b": watching\n"
        watcher = Watcher(response)
        user = emu.add_user(username="ann", password="pw")
        assert await watcher.next() == ("users", {"id": user.id})
        await api.post("/api/v2/sms/send", {"phone": "138"})
        name, data = await watcher.next()
        assert (name, data["to"], data["code"]) == ("message", "138", emu.code_for("138"))
        name, data = await watcher.next()
        assert (name, data["operation"], data["request"]) == ("request", "send_sms", {"phone": "138"})
        emu.clock.advance(61)
        assert await watcher.next() == ("clock", {"now": emu.clock()})
        emu.faults.add(status=500)
        name, data = await watcher.next()
        assert (name, data["faults"][0]["status"]) == ("faults", 500)
        emu.reset()
        names = []
        while "reset" not in names:
            names.append((await watcher.next())[0])


async def test_a_watcher_that_leaves_is_forgotten(emu, session):
    """No queue is kept for one who went away."""
    async with session.get(f"{emu.url}/_emulator/events") as response:
        await response.content.readline()
        assert emu.events
    while emu.events:
        emu.clock.advance(1)
        await asyncio.sleep(0.001)


# ─────────────────────────────── users ───────────────────────────────


async def test_users_are_added_and_paged(emu, api, pictures):
    """The keywords of add_user over HTTP; pages with a total; a search over every name a user has."""
    face = base64.b64encode(pictures(0)).decode()
    body = {
        "username": "ann",
        "password": "pw",
        "phone": "13800138000",
        "email": "a@b.test",
        "mfa": ["SMS"],
        "totp": True,
        "face": face,
    }
    status, made = await api.call("POST", USERS, body)
    assert (status, made["mfa"], made["totp_enabled"], made["face_enabled"], made["locked"]) == (
        201,
        ["SMS"],
        True,
        True,
        False,
    )
    for number in range(3):
        emu.add_user(username=f"user{number}", password="pw")
    page = await api.get(f"{USERS}?limit=2&offset=1")
    assert ([user["username"] for user in page["users"]], page["total"]) == (["user0", "user1"], 4)
    for query in ("an", "1380013", "B.TEST", made["id"]):
        assert [user["id"] for user in (await api.get(f"{USERS}?q={query}"))["users"]] == [made["id"]]
    one = await api.get(f"{USERS}/{made['id']}")
    assert (one["recovery_code"], one["totp_uri"]) == (emu.user("ann").recovery_code, emu.user("ann").totp_uri)


async def test_users_that_cannot_be_are_refused(emu, api):
    """Missing parts, wrong types, duplicates, unknown keywords: 400 with a sentence."""
    emu.add_user(username="ann", password="pw")
    for body in (
        {},
        {"username": "x"},
        {"username": 1, "password": "pw"},
        {"username": "ann", "password": "pw"},
        {"username": "x", "password": "pw", "face": "%"},
        {"username": "x", "password": "pw", "face": "aGk="},
        {"username": "x", "password": "pw", "colour": "red"},
        {"username": "x", "password": "pw", "mfa": ["no"]},
        [],
    ):
        status, answer = await api.call("POST", USERS, body)
        assert status == 400, body
        assert answer["error"]
    assert len(emu.users) == 1


async def test_a_users_totp_and_tokens(emu, api, session):
    """The code now and its seconds, the QR picture, an mfaToken and a login's token."""
    bob, eve = emu.add_user(username="bob", password="pw", totp=True), emu.add_user(username="eve", password="pw")
    emu.clock.set(1_800_000_010)
    assert await api.get(f"{USERS}/{bob.id}/totp") == {"code": bob.totp_code, "seconds_left": 20}
    async with session.get(f"{emu.url}{USERS}/{bob.id}/qr.svg") as response:
        assert (response.content_type, (await response.read())[:5]) == ("image/svg+xml", b"<?xml")
    token = (await api.post(f"{USERS}/{bob.id}/mfa-token"))["token"]
    assert (await api.post("/api/v2/mfa/totp/verify", {"totp": bob.totp_code}, token))["code"] == 200
    token = (await api.post(f"{USERS}/{bob.id}/token"))["token"]
    assert (await api.get("/api/v2/users/me", token))["data"]["id"] == bob.id
    for path in (f"{eve.id}/totp", f"{eve.id}/qr.svg", f"{bob.id}/shoe-size", "none", "none/totp"):
        assert (await api.call("GET", f"{USERS}/{path}"))[0] == 404
    for path in (f"{bob.id}/other", "none/token"):
        assert (await api.call("POST", f"{USERS}/{path}"))[0] == 404


# ─────────────────────────────── clock and state ───────────────────────────────


async def test_the_clock_moves_over_http(emu, api):
    """Advanced, set, reset; anything else is refused."""
    start = emu.clock()
    assert await api.post(CLOCK, {"advance": 61}) == {"now": start + 61, "offset": 61}
    assert (await api.post(CLOCK, {"set": 1000}))["now"] == 1000
    assert await api.get(CLOCK) == {"now": 1000, "offset": 1000 - start}
    assert (await api.post(CLOCK, {"reset": True}))["now"] == start == emu.clock()
    for body in ({}, {"advance": "x"}, {"advance": True}, {"reset": False}, {"advance": 1, "set": 2}, {"wind": 1}):
        assert (await api.call("POST", CLOCK, body))[0] == 400


async def test_reset_and_snapshots_over_http(emu, api):
    """Back to nothing, and back to everything: users, secrets, tokens, codes, clock, faults, photos."""
    bob = emu.add_user(username="bob", password="pw", totp=True, custom={"n": [1]})
    token, code, secret = emu.issue_mfa_token(bob), emu.send_code("13800138000"), bob.totp_secret
    emu.faults.add("send_sms", status=503, count=3)
    emu.clock.advance(5)
    snapshot = await api.get("/_emulator/snapshot")
    assert await api.post("/_emulator/reset") == {"reset": True}
    assert (emu.users, emu.outbox, len(emu.faults), emu.clock.offset, emu.requests) == ([], [], 0, 0, [])
    with pytest.raises(LookupError, match="no longer exists"):
        _ = bob.username
    assert (await api.call("PUT", "/_emulator/snapshot", snapshot))[0] == 200
    assert (bob.totp_secret, emu.code_for("13800138000"), emu.clock.offset) == (secret, code, 5)
    assert (await api.post("/api/v2/sms/send", {"phone": "1"}))["code"] == 503
    assert (await api.post("/api/v2/mfa/totp/verify", {"totp": bob.totp_code}, token))["code"] == 200
    for body in ({}, {"format": 99}, {**snapshot, "users": [{}]}, {**snapshot, "random": 1}):
        assert (await api.call("PUT", "/_emulator/snapshot", body))[0] == 400
    assert bob.totp_secret == secret


@pytest.mark.parametrize("moment", ["nan", "12", True, 1e300, None, [1]])
async def test_a_snapshot_whose_times_are_no_times_is_refused(emu, api, moment):
    """Else the page, or each answer with this time, could not be made."""
    emu.add_user(username="ann", password="pw", totp=True)
    emu.send_code("13800138000")
    for place in ("messages", "users", "totp"):
        snapshot = emu.snapshot()
        if place == "messages":
            snapshot["messages"][0]["sent_at"] = moment
        elif place == "users":
            snapshot["users"][0]["locked_until"] = moment
        else:
            snapshot["users"][0]["totp"]["created_at"] = moment
        assert (await api.call("PUT", "/_emulator/snapshot", snapshot))[0] == 400, place
    assert len((await api.get("/_emulator/inbox"))["messages"]) == 1


async def test_what_is_not_served_is_404(api):
    """Unknown names, wrong methods, page files outside the page."""
    for method, path in (
        ("GET", "nothing"),
        ("DELETE", "users"),
        ("GET", ""),
        ("GET", "photos/none"),
        ("GET", "page/none.js"),
    ):
        assert await api.session_status(method, f"/_emulator/{path}") == 404
    for path in ("page/../emulator.py", "page/%2e%2e/emulator.py", "page/.hidden.js", "page/index.py"):
        assert await api.session_status("GET", f"/_emulator/{path}") == 404


async def test_a_body_that_is_no_json_is_400(emu, session):
    """Text and arrays are refused with a sentence."""
    for body in (b"x", b"[]", b"\xff"):
        async with session.post(f"{emu.url}{CLOCK}", data=body) as response:
            assert response.status == 400
            assert "JSON" in (await response.json())["error"]
