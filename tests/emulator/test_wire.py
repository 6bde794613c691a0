"""What official clients send besides the plain case, and what every answer carries."""

from __future__ import annotations

import base64
import json

import pytest

from authing_mfa._version import __version__
from authing_mfa.emulator import Emulator


@pytest.fixture
def ann(emu):
    """A user with everything bound but a face."""
    return emu.add_user(
        username="ann",
        password="pw",
        phone="13800138000",
        email="a@b.test",
        mfa=["SMS", "EMAIL"],
        totp=True,
        custom={"n": 3},
    )


@pytest.mark.parametrize("family", ["/api/v2/mfa", "/api/v2/applications/mfa"])
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("check", {"phone": "1"}),
        ("sms/verify", {"phone": "13800138000", "code": "SMS"}),
        ("email/verify", {"email": "a@b.test", "code": "EMAIL"}),
        ("totp/verify", {"totp": "TOTP", "authenticator_type": "totp"}),
        ("totp/recovery", {"recoveryCode": "RECOVERY", "authenticatorType": "totp"}),
        ("totp/recovery", {"recovery_code": "RECOVERY", "mfaToken": "ignored", "more": {"a": [1]}}),
    ],
)
async def test_both_path_families_and_spellings(emu, api, ann, family, path, fields):
    """mfa and applications/mfa, camelCase and snake_case, unknown fields."""
    values = {
        "SMS": emu.send_code("13800138000"),
        "EMAIL": emu.send_code("a@b.test"),
        "TOTP": ann.totp_code,
        "RECOVERY": ann.recovery_code,
    }
    body = {name: values.get(value, value) if isinstance(value, str) else value for name, value in fields.items()}
    assert (await api.post(f"{family}/{path}", body, emu.issue_mfa_token(ann)))["code"] == 200


async def test_bodies_that_cannot_be(emu, session):
    """Invalid JSON, another value than an object, or wrong types: code 400 and HTTP 400, never a crash."""
    for body in (b"{", b"[]", b"1", b"\xff", b'{"phone":1}', b'{"phone":""}', b"[" * 100_000):
        async with session.post(f"{emu.url}/api/v2/sms/send", data=body) as response:
            assert (response.status, (await response.json())["code"]) == (400, 400), body[:20]
    assert emu.outbox == []


async def test_unknown_paths_are_refused(api):
    """HTTP 404 with the path in the message."""
    status, answer = await api.call("POST", "/api/v2/mfa/nothing")
    assert (status, answer["code"]) == (404, 404)
    assert "/api/v2/mfa/nothing" in answer["message"]


async def test_every_answer_and_token_is_marked(emu, session, ann):
    """The header on every answer, the issuer in every token: so nobody mistakes an emulator for the service."""
    for path in (
        "/api/v2/users/me",
        "/nothing",
        "/_emulator/info",
        "/_emulator/nothing",
        "/ns/x/_emulator/info",
        "/ns/!/x",
    ):
        async with session.get(emu.url + path) as response:
            assert response.headers["x-authing-emulator"] == __version__, path
    for token in (emu.issue_mfa_token(ann), emu.issue_user_token(ann)):
        head, payload, _ = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
        claims = json.loads(payload)
        assert json.loads(head)["alg"] == "HS256"
        assert (claims["iss"], claims["data"]["userId"]) == ("authing-mfa-emulator", ann.id)
    assert claims["data"].get("stage") is None


async def test_an_mfa_token_is_what_the_samples_show(emu, ann):
    """Stage 1, and 360 seconds between `iat` and `exp`; two tokens are never the same."""
    first, second = emu.issue_mfa_token(ann), emu.issue_mfa_token(ann)
    claims = json.loads(base64.urlsafe_b64decode(first.split(".")[1] + "=="))
    assert claims["data"] == {
        "userPoolId": emu.user_pool_id,
        "userId": ann.id,
        "arn": claims["data"]["arn"],
        "stage": 1,
    }
    assert (claims["exp"] - claims["iat"], claims["iat"]) == (360, int(emu.clock()))
    assert first != second


async def test_public_config_names_the_host_it_was_asked_at(emu, api):
    """requestHostname is host and port, the only way that the mobile rule reaches an emulator; another id is 2011."""
    config = (await api.get(f"/api/v2/applications/{emu.app_id}/public-config"))["data"]
    assert config["requestHostname"] == emu.url.removeprefix("http://")
    assert (config["id"], config["userPoolId"], config["publicKey"]) == (emu.app_id, emu.user_pool_id, emu.public_key)
    assert (await api.get("/api/v2/applications/other/public-config"))["code"] == 2011
    assert (await api.get("/api/v2/.well-known"))["data"]["publicKey"] == emu.public_key


async def test_ids_look_like_the_services(emu, ann):
    """24 hex digits each."""
    for ident in (emu.app_id, emu.user_pool_id, ann.id):
        assert len(bytes.fromhex(ident)) == 12


async def test_the_captcha_is_a_picture(emu, session):
    """An SVG; logins never ask for it."""
    async with session.get(f"{emu.url}/api/v2/security/captcha?r=1") as response:
        assert (response.status, response.content_type) == (200, "image/svg+xml")


async def test_custom_data_is_a_bare_array(emu, api, ann):
    """udvs/get answers an array, values as JSON text, for the user's own id only."""
    token = emu.issue_user_token(ann)
    fields = await api.post("/api/v2/udvs/get", {"targetType": "USER", "targetId": ann.id}, token)
    assert fields == [{"key": "n", "value": "3", "label": "n", "dataType": "NUMBER"}]
    assert (await api.get(f"/api/v2/udfs/values?targetType=USER&targetId={ann.id}", token))["data"] == fields
    assert (await api.post("/api/v2/udvs/get", {"targetId": "other"}, token))["code"] == 1001
    assert (await api.post("/api/v2/udvs/get", {"targetId": ann.id}))["code"] == 2020


async def test_custom_data_knows_its_types(emu, api):
    """Booleans, objects and texts are labelled as such."""
    user = emu.add_user(username="u", password="pw", custom={"b": True, "o": {"x": 1}, "s": "t"})
    fields = await api.post("/api/v2/udvs/get", {"targetId": user.id}, emu.issue_user_token(user))
    assert [(field["dataType"], field["value"]) for field in fields] == [
        ("BOOLEAN", "true"),
        ("OBJECT", '{"x": 1}'),
        ("STRING", "t"),
    ]


# ─────────────────────────────── who may speak to it ───────────────────────────────


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "10.0.0.1", "", "[", "localhost:x"])
async def test_a_foreign_host_header_is_refused(emu, api, host):
    """DNS rebinding gets nothing, from the service's API and the admin API alike."""
    for path in ("/api/v2/users/me", "/_emulator/snapshot", "/"):
        assert (await api.call("GET", path, Host=host))[0] == 421


@pytest.mark.parametrize(
    "host", ["localhost", "console.localhost:80", "127.0.0.1", "127.8.8.8:1", "[::1]:9", "LOCALHOST"]
)
async def test_names_of_this_machine_are_taken(api, host):
    """Loopback in any spelling."""
    assert (await api.call("GET", "/_emulator/info", Host=host))[0] == 200


async def test_other_names_and_machines_only_if_allowed(session):
    """`allowed_hosts` adds names, `allow_remote` any address in digits; without the second word no other host is listened on."""
    with pytest.raises(ValueError, match="allow_remote"):
        Emulator(host="0.0.0.0")
    with pytest.raises(ValueError, match="allow_remote"):
        Emulator(host="example.com")
    with Emulator(host="0.0.0.0", allow_remote=True, allowed_hosts=["Emulator.Test"]) as emu:
        assert emu.url.startswith("http://127.0.0.1:")
        for host, status in (("emulator.test", 200), ("10.0.0.1", 200), ("evil.test", 421)):
            async with session.get(f"{emu.url}/_emulator/info", headers={"Host": host}) as response:
                assert response.status == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_pages_of_other_sites_cannot_change_anything(emu, api, headers):
    """A browser's request from elsewhere is refused on every admin call that changes something."""
    for method, path in (
        ("POST", "reset"),
        ("POST", "users"),
        ("PUT", "snapshot"),
        ("DELETE", "faults"),
        ("POST", "clock"),
    ):
        assert (await api.call(method, f"/_emulator/{path}", {}, **headers))[0] == 403
    status, _ = await api.call("POST", "/_emulator/reset", {}, Origin=emu.url, Sec_Fetch_Site="same-origin")
    assert status == 200


async def test_web_applications_on_this_machine_may_call_the_service(emu, session):
    """CORS for loopback origins, on the preflight and the call; nothing for others, and never for the admin API."""
    url, local = (
        f"{emu.url}/api/v2/sms/send",
        {"Origin": "http://localhost:3000", "Access-Control-Request-Headers": "x-authing-lang"},
    )
    async with session.options(url, headers=local) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, local["Origin"])
        assert response.headers["Access-Control-Allow-Headers"] == "x-authing-lang"
    async with session.post(url, json={"phone": "138"}, headers=local) as response:
        assert response.headers["Access-Control-Allow-Origin"] == local["Origin"]
    for path, origin in (("/api/v2/sms/send", "http://evil.test"), ("/_emulator/info", local["Origin"])):
        async with session.get(emu.url + path, headers={"Origin": origin}) as response:
            assert "Access-Control-Allow-Origin" not in response.headers
