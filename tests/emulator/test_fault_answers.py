"""What a fault rule answers: in the shape of the API that was called, also if the service acted; and what a snapshot keeps of it."""

from __future__ import annotations

import json

import pytest

from authing_mfa.emulator import Emulator

VERIFY, LOGIN, FACTORS = "/api/v2/mfa/totp/verify", "/api/v2/login/account", "/api/v3/list-enrolled-factors"
GRAPHQL = {"query": "mutation loginByUsername($input: LoginByUsernameInput!) { loginByUsername(input: $input) { id } }"}


@pytest.fixture
def bob(emu):
    """A user with TOTP."""
    return emu.add_user(username="bob", password="pw", totp=True)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"code": 5000}, 200, 5000),
        ({"status": 502}, 502, 502),
        ({"status": 502, "code": 5000}, 502, 5000),
        ({"retry_after": 5}, 429, 429),
        ({"status": 503, "retry_after": 5}, 503, 503),
    ],
)
async def test_a_refusal_is_what_the_client_gets_if_the_service_acts(emu, api, bob, fields, status, code):
    """`acts=True`: the code is spent, and the answer is the rule's, without the user and the token."""
    token, once = emu.issue_mfa_token(bob), bob.totp_code
    rule = emu.faults.add("mfa_verify_by_totp", acts=True, message="lost", **fields)
    assert await api.call("POST", VERIFY, {"totp": once}, token) == (status, {"code": code, "message": "lost"})
    assert (rule.fired, emu.verify_count(token)) == (1, 1)
    assert (emu.requests[-1].status, emu.requests[-1].code) == (status, code)
    emu.faults.clear()
    assert (await api.post(VERIFY, {"totp": once}, token))["code"] == 6001


@pytest.mark.parametrize("effect", [{"latency": 0.0}, {"latency": {"lognormal": [-5, 0]}}, {"slow_body": 0.1}])
async def test_an_answer_of_the_service_needs_a_service_that_acts(emu, api, effect):
    """With `acts=False` there would be nothing to wait for: the client was told that a code was sent that was not."""
    with pytest.raises(ValueError, match="acts"):
        emu.faults.add("send_sms", acts=False, **effect)
    status, answer = await api.call("POST", "/_emulator/faults", {"path": "send_sms", "acts": False, **effect})
    assert (status, "acts" in answer["error"], len(emu.faults)) == (400, True, 0)
    assert emu.faults.add("send_sms", acts=True, **effect)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2_592_000, "2592000"), (1e9, "1000000000"), (1234567.5, "1234567.5"), (0.1, "0.1"), (0, "0"), (1e-5, "0.00001")],
)
async def test_retry_after_is_written_out(emu, session, seconds, text):
    """Thirty days were 2.592e+06, which no client can read."""
    emu.faults.add(VERIFY, retry_after=seconds)
    async with session.post(emu.url + VERIFY) as response:
        assert response.headers["Retry-After"] == text


@pytest.mark.parametrize(
    ("fields", "status", "body"),
    [
        ({"status": 503}, 503, {"statusCode": 503}),
        ({"retry_after": 7}, 429, {"statusCode": 429}),
        ({"code": 2005}, 200, {"statusCode": 403, "apiCode": 2005}),
        ({"code": 404}, 200, {"statusCode": 404}),
        ({"code": 5000, "status": 500}, 500, {"statusCode": 400, "apiCode": 5000}),
    ],
)
async def test_a_v3_call_is_refused_in_the_v3_envelope(emu, api, bob, fields, status, body):
    """The status inside, and a request id; also on a path that is not served."""
    emu.faults.add(message="no", **fields)
    for path in (FACTORS, "/api/v3/nothing"):
        got, answer = await api.call("GET", path, token=emu.issue_user_token(bob))
        assert len(answer.pop("requestId")) == 36
        assert (got, answer) == (status, {**body, "message": "no"})


async def test_a_graphql_call_is_refused_as_graphql_refuses(emu, api, bob):
    """In `errors`, with an object as message."""
    emu.faults.add("graphql", code=2005, message="no", count=1)
    emu.faults.add("graphql", status=503, count=1)
    asked = {**GRAPHQL, "variables": {"input": {"username": "bob", "password": api.encrypted("pw")}}}
    status, answer = await api.call("POST", "/graphql/v2", asked)
    message = {"code": 2005, "message": "no", "data": None}
    assert (status, answer) == (200, {"errors": [{"message": message, "path": ["loginByUsername"]}], "data": None})
    assert emu.requests[-1].code == 2005
    status, answer = await api.call("POST", "/graphql/v2", asked)
    assert (status, answer["errors"][0]["message"]["code"]) == (503, 503)
    assert (await api.post("/graphql/v2", asked))["errors"][0]["message"]["code"] == 1635


async def test_a_rule_whose_effect_another_rule_prevents_does_not_fire(emu, api):
    """A call has one effect: the second rule waits for its turn, and its count stays whole. Latency goes with it."""
    first, second, latency = (
        emu.faults.add("send_sms", count=1, **effect) for effect in ({"code": 1}, {"code": 2}, {"latency": 0.0})
    )
    codes = [(await api.post("/api/v2/sms/send", {"phone": str(number)}))["code"] for number in range(3)]
    assert codes == [1, 2, 200]
    assert [(rule.matched, rule.fired) for rule in (first, second, latency)] == [(3, 1), (3, 1), (3, 1)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v2/login/phone-code", {"phone": "7700900123", "phoneCountryCode": "+44", "code": "1"}),
        ("/api/v2/login/phone-code", {"phone": "+447700900123", "code": "1"}),
        ("/api/v2/login/email-code", {"email": "CARL@b.test", "code": "1"}),
        ("/api/v3/send-sms", {"phoneNumber": "7700900123", "phoneCountryCode": "+44", "channel": "CHANNEL_LOGIN"}),
        ("/graphql/v2", {**GRAPHQL, "variables": {"input": {"username": "carl", "password": "x"}}}),
        ("/graphql/v2", {"query": "mutation m { sendEmail }", "variables": {"email": "carl@b.test", "scene": "X"}}),
        ("/graphql/v2", {**GRAPHQL, "variables": {"input": {"phone": "7700900123", "phoneCountryCode": "+44"}}}),
    ],
)
async def test_a_rule_of_one_user_fires_on_every_call_that_names_the_user(emu, api, path, body):
    """Also by a foreign number, through the v3 API and through GraphQL; not on the call of another user."""
    emu.add_user(username="carl", password="pw", phone="7700900123", phone_country_code="+44", email="carl@b.test")
    emu.add_user(username="ann", password="pw", phone="7700900123", email="ann@b.test")
    rule = emu.faults.add(user="carl", status=503)
    assert (await api.call("POST", path, body))[0] == 503
    other = json.loads(json.dumps(body).replace("+44", "+86").replace("carl", "ann").replace("CARL", "ANN"))
    assert (await api.call("POST", path, other))[0] == 200
    assert rule.matched == 1


@pytest.mark.parametrize("variables", [{}, {"input": 5}, {"input": {"username": 5}}, {"input": None, "email": ["x"]}])
async def test_a_call_that_names_nobody_is_nobodys(emu, api, variables):
    """Whatever stands in the place of the name."""
    emu.add_user(username="carl", password="pw")
    emu.faults.add(user="carl", status=503)
    assert (await api.call("POST", "/graphql/v2", {**GRAPHQL, "variables": variables}))[0] == 200


# ─────────────────────────────── snapshots ───────────────────────────────


async def test_a_spent_rule_stays_spent_in_a_snapshot(tmp_path, emu, api, api_of):
    """Under its id, with its counters; a rule that is added afterwards has another id."""
    removed = emu.faults.add(code=1, count=1)
    emu.faults.add("send_sms", status=503, count=1)
    emu.faults.add("mfa_check", nth=3, status=503)
    emu.faults.remove(removed.id)
    assert (await api.call("POST", "/api/v2/sms/send", {"phone": "1"}))[0] == 503
    assert (await api.call("POST", "/api/v2/applications/mfa/check", {"phone": "1"}))[0] == 200
    emu.save(tmp_path / "before.json")
    listed = [rule.as_json() for rule in emu.faults]
    with Emulator() as other:
        own = api_of(other)
        other.load(tmp_path / "before.json")
        assert [rule.as_json() for rule in other.faults] == listed
        assert (await own.call("POST", "/api/v2/sms/send", {"phone": "1"}))[0] == 200
        statuses = [(await own.call("POST", "/api/v2/applications/mfa/check", {"phone": "1"}))[0] for _ in range(3)]
        assert statuses == [200, 503, 200]
        assert other.faults.add(status=500).id == "f4"


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("effect", [{"status": 503, "probability": 0.5}, {"latency": {"lognormal": [0, 1]}}])
def test_a_rule_goes_on_at_its_place_of_randomness(emu, effect, seed):
    """The calls after a restore are those after the snapshot; through JSON as well."""

    def run():
        (rule,) = emu.faults
        return [rule.fires() if "status" in effect else rule.seconds() for _ in range(64)]

    emu.faults.add(seed=seed, **effect)
    run()
    snapshot = json.loads(json.dumps(emu.snapshot()))
    after = run()
    emu.restore(snapshot)
    assert run() == after


@pytest.mark.parametrize(
    "damage",
    [
        {"matched": -1},
        {"fired": "1"},
        {"matched": True},
        {"random": [3, [1, 2], None]},
        {"random": "x"},
        {"status": 5},
        {"id": 5},
    ],
)
def test_a_snapshot_with_a_damaged_rule_changes_nothing(emu, damage):
    """It is refused as a whole."""
    emu.faults.add(status=503)
    snapshot = emu.snapshot()
    snapshot["faults"][0].update(damage)
    before = emu.faults.add(status=500).id
    with pytest.raises(ValueError, match="snapshot"):
        emu.restore(snapshot)
    assert [rule.id for rule in emu.faults] == ["f1", before]


def test_a_snapshot_with_too_many_rules_changes_nothing(emu):
    """Neither the users nor the rules."""
    emu.faults.add(status=503)
    snapshot = emu.snapshot()
    snapshot["faults"] *= 1001
    emu.add_user(username="ann", password="pw")
    with pytest.raises(ValueError, match="snapshot"):
        emu.restore(snapshot)
    assert (len(emu.users), len(emu.faults)) == (1, 1)


def test_rules_of_a_snapshot_with_the_same_id_or_none_get_their_own(emu):
    """No rule is lost, and each can be removed."""
    emu.faults.add(status=503)
    snapshot = emu.snapshot()
    (rule,) = snapshot["faults"]
    snapshot["faults"] = [rule, rule, {"status": 500}, {**rule, "id": "f٣"}, {**rule, "id": "f" + "9" * 5000}]
    emu.restore(snapshot)
    ids = [rule.id for rule in emu.faults]
    assert len(set(ids)) == len(ids) == 5
    for ident in ids:
        emu.faults.remove(ident)
