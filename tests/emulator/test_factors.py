"""The v3 API of factors, and GraphQL.

More than 300 lines: one test for each rule of the factors.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from authing_mfa.emulator import Emulator, Settings
from authing_mfa.emulator.crypto import totp
from authing_mfa.operations import ChangeExpiredPassword

LIST, GET, RESET, ASK, ENROLL = (
    f"/api/v3/{path}"
    for path in ("list-enrolled-factors", "get-factor", "reset-factor", "send-enroll-factor-request", "enroll-factor")
)


@pytest.fixture
def ann(emu, pictures):
    """A user with every factor bound."""
    return emu.add_user(
        username="ann",
        password="pw",
        phone="13800138000",
        email="a@b.test",
        mfa=["SMS", "EMAIL"],
        totp=True,
        face=pictures(0),
    )


@pytest.fixture
def token(emu, ann):
    """Ann's login."""
    return emu.issue_user_token(ann)


async def test_bound_factors_are_listed_and_reset_one_by_one(emu, api, ann, token):
    """reset-factor takes the ids of the list, in the v3 envelope; what is left shrinks until nothing is bound."""
    left = ["OTP", "FACE"]
    while left:
        factors = (await api.get(LIST, token))["data"]
        assert [factor["factorType"] for factor in factors] == ["SMS", "EMAIL", *left]
        assert (await api.get(f"{GET}?factorId={factors[2]['factorId']}", token))["data"] == factors[2]
        answer = await api.post(RESET, {"factorId": factors[2]["factorId"]}, token)
        assert answer == {"statusCode": 200, "message": "解绑成功", "requestId": answer["requestId"]}
        left.pop(0)
    assert (ann.totp_secret, ann.face_enabled) == (None, False)
    assert (await api.get("/api/v3/list-factors-to-enroll", token))["data"] == [
        {"factorType": "OTP"},
        {"factorType": "FACE"},
    ]


async def test_a_phone_and_an_address_have_calls_of_their_own(emu, api, ann, token):
    """reset-factor refuses them with 422, and they stay bound."""
    for factor in (await api.get(LIST, token))["data"][:2]:
        answer = await api.post(RESET, {"factorId": factor["factorId"]}, token)
        assert (answer["statusCode"], "apiCode" in answer) == (422, False)
    assert (ann.mfa_phone, ann.mfa_email) == ("13800138000", "a@b.test")


async def test_the_id_of_the_authenticator_list_is_a_factors_id(emu, api, ann, token):
    """What v2 lists, v3 resets."""
    (listed,) = (await api.get("/api/v2/mfa/authenticator?type=totp&source=SELF", token))["data"]
    assert (await api.post(RESET, {"factorId": listed["id"]}, token))["statusCode"] == 200
    assert not ann.totp_enabled


async def test_v3_is_always_http_200_with_a_request_id(emu, api, ann, token):
    """The status stands inside, an apiCode only where the service defines one; so for calls that do not exist."""
    for method, path, body, inside in (
        ("POST", RESET, {"factorId": "none"}, 404),
        ("POST", RESET, {}, 400),
        ("POST", ENROLL, {"factorType": "OTP", "enrollmentToken": "x"}, 400),
        ("POST", "/api/v3/no-such-call", {}, 404),
        ("GET", LIST, None, 200),
    ):
        status, answer = await api.call(method, path, body, token)
        assert (status, answer["statusCode"], "apiCode" in answer) == (200, inside, False)
        assert UUID(answer["requestId"]).version == 4
    answer = await api.post(RESET, {"factorId": "none"}, emu.issue_mfa_token(ann))
    assert (answer["statusCode"], answer["apiCode"]) == (401, 2020)


@pytest.mark.parametrize(
    ("kind", "profile", "target"),
    [
        ("SMS", {"phoneNumber": "13700137000", "phoneCountryCode": "+86"}, "13700137000"),
        ("EMAIL", {"email": "e@b.test"}, "e@b.test"),
    ],
)
async def test_enrolling_a_target(emu, api, kind, profile, target):
    """The code that was sent binds it, with the token of the request."""
    eve = emu.add_user(username="eve", password="pw")
    token = emu.issue_user_token(eve)
    asked = (await api.post(ASK, {"factorType": kind, "profile": profile}, token))["data"]
    body = {"factorType": kind, "enrollmentToken": asked["enrollmentToken"], "enrollmentData": {"passCode": "000000"}}
    assert (await api.post(ENROLL, body, token))["apiCode"] == 2001
    body["enrollmentData"] = {"passCode": emu.code_for(target)}
    assert (await api.post(ENROLL, body, token))["statusCode"] == 200
    assert target in (eve.mfa_phone, eve.mfa_email)
    assert (await api.post(ENROLL, body, token))["statusCode"] == 400


async def test_enrolling_totp_and_face(emu, api, pictures):
    """TOTP by the code of its secret, a face by the key of a photo."""
    eve = emu.add_user(username="eve", password="pw")
    token = emu.issue_user_token(eve)
    asked = (await api.post(ASK, {"factorType": "OTP", "profile": {}}, token))["data"]
    assert "secret" not in asked["otpData"]  # only the address holds it
    secret = parse_qs(urlsplit(asked["otpData"]["qrCodeUri"]).query)["secret"][0]
    code = totp.code_at(secret, totp.step_of(emu.clock()))
    assert asked["otpData"]["qrCodeDataUrl"].startswith("data:image/png")
    body = {"factorType": "OTP", "enrollmentToken": asked["enrollmentToken"]}
    assert (await api.post(ENROLL, {**body, "enrollmentData": {"passCode": "000000"}}, token))["apiCode"] == 6001
    assert (await api.post(ENROLL, {**body, "enrollmentData": {"passCode": code}}, token))["statusCode"] == 200
    assert eve.recovery_code == asked["otpData"]["recoveryCode"]
    asked = (await api.post(ASK, {"factorType": "FACE", "profile": {}}, token))["data"]
    body = {"factorType": "FACE", "enrollmentToken": asked["enrollmentToken"]}
    data = {"photo": await api.upload(pictures(0)), "isExternalPhoto": False}
    assert (await api.post(ENROLL, {**body, "enrollmentData": data}, token))["statusCode"] == 200
    assert eve.face_enabled


async def test_an_enrollment_token_lives_a_minute_and_is_one_users(emu, api):
    """Later, for another factor, or for another user it is refused; so are requests that say nothing."""
    eve, bob = (emu.add_user(username=name, password="pw") for name in ("eve", "bob"))
    token = emu.issue_user_token(eve)
    asked = (await api.post(ASK, {"factorType": "EMAIL", "profile": {"email": "e@b.test"}}, token))["data"]
    body = {"enrollmentToken": asked["enrollmentToken"], "enrollmentData": {"passCode": emu.code_for("e@b.test")}}
    assert (await api.post(ENROLL, {**body, "factorType": "SMS"}, token))["statusCode"] == 400
    assert (await api.post(ENROLL, {**body, "factorType": "EMAIL"}, emu.issue_user_token(bob)))["statusCode"] == 400
    emu.clock.advance(60)
    assert (await api.post(ENROLL, {**body, "factorType": "EMAIL"}, token))["statusCode"] == 400
    assert (await api.post(ASK, {"factorType": "SMS", "profile": {}}, token))["statusCode"] == 400
    assert (await api.post(ASK, {"factorType": "TELEPATHY"}, token))["statusCode"] == 400
    again = await api.post(ASK, {"factorType": "EMAIL", "profile": {"email": "e@b.test"}}, token)
    assert again["statusCode"] == 200
    refused = await api.post(ASK, {"factorType": "EMAIL", "profile": {"email": "e@b.test"}}, token)
    assert (refused["statusCode"], refused["apiCode"]) == (429, 2080)


async def test_the_step_up_of_a_user_who_is_logged_in(emu, api, ann, token):
    """mfa-totp-verify takes the token of the login, bare as v3 clients send it, and says only yes or no."""
    wrong = await api.post("/api/v3/mfa-totp-verify", {"totp": "000000"}, token)
    assert (wrong["statusCode"], wrong["data"]) == (200, {"verified": False})
    right = await api.post("/api/v3/mfa-totp-verify", {"totp": ann.totp_code}, token)
    assert (right["statusCode"], right["data"]) == (200, {"verified": True})
    spent = await api.post("/api/v3/mfa-totp-verify", {"totp": ann.totp_code}, token)
    assert spent["data"] == {"verified": False}
    nobody = await api.post("/api/v3/mfa-totp-verify", {"totp": ann.totp_code}, "x")
    assert (nobody["statusCode"], nobody["apiCode"]) == (401, 2020)


async def test_introspection_is_flat(emu, api, ann, token):
    """No envelope; what is no live mfaToken is inactive and nothing more; a request without a body too."""
    mfa_token = emu.issue_mfa_token(ann)
    now = int(emu.clock())
    assert await api.post("/mfa/token/introspection", {"token": mfa_token}) == {
        "active": True,
        "userPoolId": emu.user_pool_id,
        "userId": ann.id,
        "exp": now + 360,
        "iat": now,
    }
    for body in ({"token": token}, {"token": "x"}, {}, None):
        assert await api.post("/mfa/token/introspection", body) == {"active": False}
    emu.clock.advance(361)
    assert await api.post("/mfa/token/introspection", {"token": mfa_token}) == {"active": False}


async def test_what_can_be_enrolled_is_what_the_application_enables(api_of):
    """Only those types are listed, and only those can be asked for."""
    with Emulator(settings=Settings(enabled_factors=["OTP", "EMAIL"])) as emu:
        token = emu.issue_user_token(emu.add_user(username="eve", password="pw"))
        api = api_of(emu)
        listed = (await api.get("/api/v3/list-factors-to-enroll", token))["data"]
        assert listed == [{"factorType": "OTP"}, {"factorType": "EMAIL"}]
        body = {"factorType": "SMS", "profile": {"phoneNumber": "13700137000"}}
        assert (await api.post(ASK, body, token))["statusCode"] == 400


@pytest.mark.parametrize(
    ("kind", "profile"),
    [("SMS", {"phoneNumber": "13700137000"}), ("EMAIL", {"email": "new@b.test"}), ("OTP", {}), ("FACE", {})],
)
async def test_an_mfa_token_alone_replaces_nothing(emu, api, ann, kind, profile):
    """A person who knows only the password must not remove the second factor; a user without one may bind it."""
    answer = await api.post(ASK, {"factorType": kind, "profile": profile}, emu.issue_mfa_token(ann))
    assert (answer["statusCode"], answer["apiCode"]) == (403, 1001)
    eve = emu.add_user(username="eve", password="pw")
    assert (await api.post(ASK, {"factorType": kind, "profile": profile}, emu.issue_mfa_token(eve)))[
        "statusCode"
    ] == 200


async def test_an_enrollment_that_began_before_a_factor_was_bound(emu, api):
    """An mfaToken asked for a TOTP; meanwhile the user bound one: the first enrollment is refused."""
    eve = emu.add_user(username="eve", password="pw")
    mfa_token, token = emu.issue_mfa_token(eve), emu.issue_user_token(eve)
    first, second = [
        (await api.post(ASK, {"factorType": "OTP", "profile": {}}, bearer))["data"] for bearer in (mfa_token, token)
    ]
    secret = parse_qs(urlsplit(second["otpData"]["qrCodeUri"]).query)["secret"][0]
    proof = {"passCode": totp.code_at(secret, totp.step_of(emu.clock()))}
    body = {"factorType": "OTP", "enrollmentToken": second["enrollmentToken"], "enrollmentData": proof}
    assert (await api.post(ENROLL, body, token))["statusCode"] == 200
    body["enrollmentToken"] = first["enrollmentToken"]
    assert (await api.post(ENROLL, body, mfa_token))["statusCode"] == 403
    assert eve.totp_secret == secret


async def test_v3_sends_codes_by_channel(emu, api):
    """One code per target, channel and minute, by SMS and by e-mail; the channel is kept as the scene."""
    for path, target in (("send-sms", {"phoneNumber": "13700137000"}), ("send-email", {"email": "e@b.test"})):
        for channel in ("CHANNEL_LOGIN", "CHANNEL_VERIFY_MFA"):
            answer = await api.post(f"/api/v3/{path}", {"channel": channel, **target})
            assert (answer["statusCode"], emu.outbox[-1].scene) == (200, channel)
        again = await api.post(f"/api/v3/{path}", {"channel": "CHANNEL_VERIFY_MFA", **target})
        assert again["statusCode"] == {"send-sms": 422, "send-email": 429}[path]
    assert (await api.post("/api/v3/send-email", {"email": "nobody"}))["statusCode"] == 400


@pytest.mark.parametrize("name", ["send_mfa_email", "send_email", "change_expired_password"])
async def test_calls_that_share_a_path_have_names_of_their_own(emu, api, name):
    """A fault for one of them leaves the others alone, and the request log distinguishes them."""
    emu.faults.add(path=name, code=987654)
    found = {}
    for ours, path, body in (
        ("send_mfa_email", "/api/v2/email/send", {"email": "a@b.test", "scene": "MFA_VERIFY"}),
        ("send_email", "/api/v2/email/send", {"email": "c@d.test", "scene": "VERIFY_CODE"}),
        ("change_expired_password", "/graphql/v2", {"query": ChangeExpiredPassword.constant_fields["query"]}),
        ("graphql", "/graphql/v2", {"query": "query u { user { id } }"}),
    ):
        answer = await api.post(path, body)
        found[ours] = answer["errors"][0]["message"]["code"] if "errors" in answer else answer["code"]
        assert emu.requests[-1].operation == ours
    assert [ours for ours, code in found.items() if code == 987654] == [name]


# ─────────────────────────────── GraphQL ───────────────────────────────


def document(field, variables):
    """A document as the official clients write it."""
    return {
        "query": f"mutation {field}($input: Input!) {{\n {field}(input: $input) {{\n id\n token }} }}",
        "variables": variables,
    }


@pytest.mark.parametrize(
    ("field", "name"), [("Username", "ann"), ("Email", "a@b.test"), ("PhonePassword", "13800138000")]
)
async def test_graphql_logins(emu, api, ann, field, name):
    """The three password logins; errors stand in `errors` with an object as message, the challenge in its data."""
    key = {"Username": "username", "Email": "email", "PhonePassword": "phone"}[field]
    given = {key: name, "password": api.encrypted("pw"), "captchaCode": None}
    answer = await api.post("/graphql/v2", document(f"loginBy{field}", {"input": given}))
    message = answer["errors"][0]["message"]
    assert (answer["data"], message["code"]) == (None, 1636)
    assert (await api.post("/api/v2/mfa/totp/verify", {"totp": ann.totp_code}, message["data"]["mfaToken"]))[
        "code"
    ] == 200
    wrong = await api.post(
        "/graphql/v2", document(f"loginBy{field}", {"input": {**given, "password": api.encrypted("no")}})
    )
    assert wrong["errors"][0]["message"]["code"] == 2333


async def test_graphql_codes_and_users(emu, api):
    """Registering, logging in by code, sending e-mail, the current user, the login status."""
    given = {"username": "eve", "password": api.encrypted("pw")}
    made = (await api.post("/graphql/v2", document("registerByUsername", {"input": given})))["data"][
        "registerByUsername"
    ]
    again = await api.post("/graphql/v2", document("registerByUsername", {"input": given}))
    assert again["errors"][0]["message"]["code"] == 2026
    me = await api.post("/graphql/v2", {"query": "query user { user { id } }"}, made["token"])
    assert me["data"]["user"]["id"] == made["id"]
    for token, code in ((made["token"], 200), ("x", 2206)):
        body = {
            "query": "query s($token: String) { checkLoginStatus(token: $token) { code } }",
            "variables": {"token": token},
        }
        assert (await api.post("/graphql/v2", body))["data"]["checkLoginStatus"]["code"] == code
    emu.add_user(username="bob", password="pw", phone="13700137000", email="b@b.test")
    body = {"query": "mutation m { sendEmail(email: $email, scene: $scene) { code } }"}
    sent = await api.post("/graphql/v2", {**body, "variables": {"email": "b@b.test", "scene": "LOGIN_VERIFY_CODE"}})
    assert (sent["data"]["sendEmail"]["code"], emu.outbox[-1].scene) == (200, "LOGIN_VERIFY_CODE")
    by_mail = {"input": {"email": "b@b.test", "code": emu.code_for("b@b.test")}}
    assert (await api.post("/graphql/v2", document("loginByEmailCode", by_mail)))["data"]["loginByEmailCode"][
        "username"
    ] == "bob"
    by_sms = {"input": {"phone": "13700137000", "code": emu.send_code("13700137000")}}
    assert (await api.post("/graphql/v2", document("loginByPhoneCode", by_sms)))["data"]["loginByPhoneCode"][
        "username"
    ] == "bob"


@pytest.mark.parametrize(
    "body",
    [
        document("deleteEverything", {}),
        {"query": "query IntrospectionQuery { __schema { types { name } } }"},
        {"query": "x"},
    ],
)
async def test_other_graphql_is_refused(api, body):
    """What no MFA journey needs is an error, introspection included."""
    answer = await api.post("/graphql/v2", body)
    assert (answer["data"], answer["errors"][0]["message"]["code"]) == (None, 400)
