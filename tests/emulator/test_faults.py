"""Faults on demand, from Python and over HTTP, and what the journal says of them."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from authing_mfa.emulator import Emulator

CHECK, VERIFY, ME = "/api/v2/applications/mfa/check", "/api/v2/mfa/totp/verify", "/api/v2/users/me"


@pytest.fixture
def bob(emu):
    """A user with TOTP."""
    return emu.add_user(username="bob", password="pw", totp=True)


@pytest.fixture
def check(emu, api, bob):
    """One mfa/check of bob: the status and the answer."""
    token = emu.issue_mfa_token(bob)
    return lambda: api.call("POST", CHECK, {"phone": "1"}, token)


async def test_a_status_or_a_code_in_the_services_place(emu, check):
    """HTTP status, envelope code, or both, with a sentence."""
    rules = [
        ({"status": 503}, (503, 503)),
        ({"code": 2005, "message": "locked"}, (200, 2005)),
        ({"status": 500, "code": 1000}, (500, 1000)),
    ]
    for fields, expected in rules:
        rule = emu.faults.add(CHECK, **fields)
        status, answer = await check()
        assert (status, answer["code"]) == expected
        assert answer["message"] == fields.get("message", answer["message"])
        emu.faults.remove(rule.id)
    assert (await check())[1]["code"] == 200


async def test_too_many_requests_say_when_to_come_back(emu, session):
    """429 with Retry-After."""
    emu.faults.add(ME, retry_after=7)
    async with session.get(emu.url + ME) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
        assert (await response.json())["code"] == 429


@pytest.mark.parametrize("path", ["mfa_check", "MfaCheck", "/api/v2/applications/mfa/*", CHECK, None, "*/check"])
async def test_a_rule_matches_by_path_or_name(emu, api, check, path):
    """A glob over the path, an operation's name or class, or everything; others pass."""
    emu.faults.add(path, status=503, count=1)
    if path is not None:
        assert (await api.call("GET", ME))[0] == 200
    assert (await check())[0] == 503
    assert (await check())[0] == 200


@pytest.mark.parametrize("who", ["id", "username", "phone"])
async def test_a_rule_may_be_one_users(emu, api, who):
    """By token, or by the account of a login without a token."""
    ann = emu.add_user(username="ann", password="pw", phone="138")
    bob = emu.add_user(username="bob", password="pw")
    emu.faults.add(user=getattr(ann, who), status=503)
    assert (await api.call("GET", ME, token=emu.issue_user_token(ann)))[0] == 503
    assert (await api.call("GET", ME, token=emu.issue_user_token(bob)))[0] == 200
    assert (await api.login("ann", "pw"))["code"] == 503
    assert (await api.login("bob", "pw"))["code"] == 200


async def test_the_nth_call_and_the_count(emu, check):
    """`nth` fires once unless `count` says more; `count` alone from the first."""
    emu.faults.add("mfa_check", nth=2, status=500)
    emu.faults.add("mfa_check", nth=4, count=2, status=501)
    emu.faults.add("mfa_check", nth=6, status=502)
    assert [(await check())[0] for _ in range(8)] == [200, 500, 200, 501, 501, 502, 200, 200]
    assert [(rule.matched, rule.fired) for rule in emu.faults] == [(8, 1), (8, 2), (8, 1)]


async def test_a_share_of_the_calls_is_reproducible(emu, check):
    """The same seed hits the same calls, and about the right share."""
    runs = []
    for _ in range(2):
        emu.faults.clear()
        emu.faults.add("mfa_check", probability=0.3, seed=5, status=503)
        runs.append([(await check())[0] for _ in range(100)])
    assert runs[0] == runs[1]
    assert 15 < runs[0].count(503) < 45


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("effect", ["drop", "reset"])
async def test_a_connection_is_cut_before_or_after_the_service_acted(emu, api, bob, effect, moment):
    """The client reads nothing either way; whether the code is spent shows afterwards."""
    token = emu.issue_mfa_token(bob)
    emu.faults.add("mfa_verify_by_totp", count=1, **{effect: moment})
    with pytest.raises(aiohttp.ClientConnectionError):
        await api.post(VERIFY, {"totp": bob.totp_code}, token)
    assert (emu.verify_count(token), emu.verify_count(token, received=True)) == (int(moment == "after"), 1)
    again = await api.post(VERIFY, {"totp": bob.totp_code}, token)
    assert again["code"] == (6001 if moment == "after" else 200)
    first = emu.requests[0]
    assert (first.status, first.code, first.fault, first.response) == (None, None, "f1", None)


async def test_a_reset_is_a_tcp_reset(emu):
    """The socket ends with ECONNRESET, not with an orderly end."""
    emu.faults.add(reset="before")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(emu.url.rpartition(":")[2]))
    writer.write(b"GET /api/v2/users/me HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_bodies_that_cannot_be_read(emu, session, bob):
    """Cut off by the connection, JSON that breaks off, an HTML page, nothing: the service acted each time."""
    headers = {"Authorization": f"Bearer {emu.issue_user_token(bob)}"}

    async def body_of(kind, **more):
        emu.faults.clear()
        emu.faults.add(ME, body=kind, **more)
        async with session.get(emu.url + ME, headers=headers) as response:
            return response.status, response.content_type, await response.read()

    status, kind, body = await body_of("html", status=502)
    assert (status, kind, body[:9]) == (502, "text/html", b"<!DOCTYPE")
    assert (await body_of("empty"))[2] == b""
    malformed = (await body_of("malformed"))[2]
    assert malformed.startswith(b'{"code":200')
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(malformed)
    with pytest.raises(aiohttp.ClientPayloadError):
        await body_of("truncated")
    assert [entry.code for entry in emu.requests] == [200] * 4


async def test_a_slow_body_comes_in_pieces_and_whole(emu, session, bob):
    """The head comes at once, the body in pieces; together it is the answer."""
    emu.faults.add(ME, slow_body=0.08)
    async with session.get(emu.url + ME, headers={"Authorization": emu.issue_user_token(bob)}) as response:
        pieces = [piece async for piece in response.content.iter_any()]
    assert len(pieces) > 1
    assert json.loads(b"".join(pieces))["data"]["username"] == "bob"


async def test_latency_is_real_time_and_goes_with_another_fault(emu, check):
    """The virtual clock is stopped and the call still returns; the other rule's effect follows the wait."""
    loop = asyncio.get_running_loop()
    emu.faults.add("mfa_check", latency=0.05, count=2)
    emu.faults.add("mfa_check", latency={"lognormal": [-5, 0.5]}, count=2)
    began = loop.time()
    assert (await check())[0] == 200
    assert loop.time() - began >= 0.05
    emu.faults.add("mfa_check", status=503)
    assert (await check())[0] == 503


async def test_a_rule_can_say_that_the_service_acts_all_the_same(emu, api, bob):
    """`acts`: a gateway that fails after the code was spent."""
    token = emu.issue_mfa_token(bob)
    emu.faults.add("mfa_verify_by_totp", status=502, acts=True, count=1)
    assert (await api.call("POST", VERIFY, {"totp": bob.totp_code}, token))[0] == 502
    assert (await api.post(VERIFY, {"totp": bob.totp_code}, token))["code"] == 6001


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status": 500, "drop": "before"},
        {"latency": 1, "status": 500},
        {"drop": "sometimes"},
        {"reset": True},
        {"body": "odd"},
        {"body": "html", "code": 5},
        {"status": 99},
        {"status": "500"},
        {"status": 500, "nth": 0},
        {"status": 500, "count": 0},
        {"status": 500, "probability": 1.1},
        {"latency": -1},
        {"latency": {"normal": [1, 2]}},
        {"latency": {"lognormal": [1]}},
        {"slow_body": -1},
    ],
)
async def test_rules_that_cannot_be_are_refused(emu, api, fields):
    """With a sentence, from Python and over HTTP; nothing is added."""
    with pytest.raises(ValueError, match=r"fault|one of|number|latency"):
        emu.faults.add(**fields)
    status, answer = await api.call("POST", "/_emulator/faults", fields)
    assert status == 400
    assert answer["error"]
    with pytest.raises(TypeError, match="colour"):
        emu.faults.add(colour="red")
    assert len(emu.faults) == 0


async def test_faults_over_http(emu, api, check):
    """Added, listed with their counters, removed one by one and all together."""
    status, made = await api.call("POST", "/_emulator/faults", {"path": "mfa_check", "status": 503, "count": 5})
    assert (status, made["id"], made["fired"]) == (201, "f1", 0)
    await api.post("/_emulator/faults", {"path": "send_sms", "drop": "after"})
    assert (await check())[0] == 503
    listed = (await api.get("/_emulator/faults"))["faults"]
    assert [(rule["id"], rule["matched"], rule["fired"]) for rule in listed] == [("f1", 1, 1), ("f2", 0, 0)]
    left = (await api.call("DELETE", "/_emulator/faults/f1"))[1]["faults"]
    assert [rule["id"] for rule in left] == ["f2"]
    assert (await api.call("DELETE", "/_emulator/faults/f1"))[0] == 404
    assert (await api.call("DELETE", "/_emulator/faults"))[1] == {"faults": []}
    assert (await check())[0] == 200


# ─────────────────────────────── the journal ───────────────────────────────


async def test_the_journal_shows_requests_and_answers(emu, api, bob):
    """Method, path, name, codes, user, both JSONs; the password is redacted everywhere."""
    await api.login("bob", "hunter2")
    await api.call("POST", VERIFY, {"totp": "000000"}, emu.issue_mfa_token(bob))
    await api.get("/nothing")
    login, verify, nothing = emu.requests
    assert (login.operation, login.status, login.code) == ("login_by_account", 200, 2333)
    assert login.request == {"account": "bob", "password": "***"}
    assert (verify.method, verify.path, verify.user, verify.at) == ("POST", VERIFY, bob.id, emu.clock())
    assert (verify.request, verify.response["code"]) == ({"totp": "000000"}, 6001)
    assert (nothing.operation, nothing.status, nothing.user) == (None, 404, None)
    told = await api.get("/_emulator/requests?limit=2")
    assert [entry["id"] for entry in told["requests"]] == [3, 2]
    assert (told["total"], told["requests"][1]["request"]) == (3, {"totp": "000000"})
    assert told["requests"][1]["ms"] >= 0
    assert "hunter2" not in repr(emu.requests) + json.dumps(await api.get("/_emulator/requests"))


async def test_secrets_do_not_show_in_a_repr(emu, api, bob):
    """Messages, users and requests print without codes, secrets and bodies."""
    code = emu.send_code("138")
    await api.login("bob", "pw")
    shown = repr([emu.outbox, emu.users, emu.requests, list(emu.state.users.values()), emu.state.messages.codes])
    for secret in (code, bob.totp_secret, bob.recovery_code):
        assert secret not in shown


async def test_verifications_are_counted_for_ever(bob, emu, api, api_of):
    """Counts are exact though the journal forgets; asserting once fails for twice and for never."""
    with Emulator(seeds={"settings": {"journal_size": 2}}) as small:
        own = api_of(small)
        user = small.add_user(username="u", password="pw", totp=True)
        tokens = [small.issue_mfa_token(user) for _ in range(5)]
        for token in tokens:
            await own.post(VERIFY, {"totp": "000000"}, token)
        assert len(small.requests) == 2
        small.assert_verified_once()
        small.assert_verified_once(tokens)
        await own.post("/api/v2/applications/mfa/sms/verify", {"phone": "1", "code": "2"}, tokens[0])
        assert (small.verify_count(tokens[0]), small.verify_count(tokens[1]), small.verify_count("other")) == (2, 1, 0)
        assert await own.get(f"/_emulator/verifications?token={tokens[0]}") == {"count": 2, "received": 2}
        with pytest.raises(AssertionError, match="of 5 tokens, 1 were verified more than once and 0 never"):
            small.assert_verified_once()
        with pytest.raises(AssertionError, match="0 were verified more than once and 1 never"):
            small.assert_verified_once([tokens[1], small.issue_mfa_token(user)])


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("mfa_verify_totp", "no operation is called 'mfa_verify_totp': do you mean mfa_verify_by_totp?"),
        ("mfa_*", "no operation is called 'mfa_*'; a path starts with / or *."),
        ("", "no operation is called ''; a path starts with / or *."),
    ],
)
def test_a_name_that_no_operation_has_is_refused(emu, path, sentence):
    """Such a rule would never fire, and its test would prove nothing."""
    with pytest.raises(ValueError, match="no operation") as caught:
        emu.faults.add(path, status=503)
    assert str(caught.value) == sentence
    assert len(emu.faults) == 0


@pytest.mark.parametrize("path", ["/api/v2/*", "*sms*", "mfa_check", "MfaCheck", "GraphQL", "send_mfa_email", None])
def test_a_name_or_a_path_is_taken(emu, path):
    """Of the client's operations and of the emulator's own."""
    assert emu.faults.add(path, status=503).path == path
