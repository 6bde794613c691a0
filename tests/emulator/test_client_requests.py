"""Requests as the official clients send them: what they leave out or empty, and what they get for a target that is none."""

from __future__ import annotations

import re

import pytest

from authing_mfa.emulator import Emulator, Settings

CHECK, SMS = "/api/v2/applications/mfa/check", "/api/v2/applications/mfa/sms/verify"
SEND_SMS, SEND_EMAIL = "/api/v2/sms/send", "/api/v2/email/send"
ASK = "/api/v3/send-enroll-factor-request"
LOGIN = "mutation loginByUsername($input: LoginByUsernameInput!) { loginByUsername(input: $input) { id token } }"
MAIL = "mutation sendEmail($email: String!, $scene: EmailScene!) { sendEmail(email: $email, scene: $scene) { message code } }"
PHONE, ADDRESS = "13800138000", "ann@example.com"


@pytest.fixture
def ann(emu):
    """A user who must pass SMS and e-mail, both bound."""
    return emu.add_user(username="ann", password="pw", phone=PHONE, email=ADDRESS, mfa=["SMS", "EMAIL"])


@pytest.fixture
def token(emu, ann):
    """Ann's mfaToken."""
    return emu.issue_mfa_token(ann)


async def test_captcha_of_a_graphql_login(session, api_of):
    """The JavaScript and Python clients send the text only there; the cookie comes with the request, as from a browser."""
    with Emulator(settings=Settings(captcha_after=0)) as emu:
        api = api_of(emu)
        emu.add_user(username="ann", password="pw")

        async def login(text):
            async with session.get(f"{emu.url}/api/v2/security/captcha") as picture:
                shown = re.search(r">(\w+)</text>", await picture.text()).group(1)
                cookies = {name: morsel.value for name, morsel in picture.cookies.items()}
            given = {"username": "ann", "password": api.encrypted("pw"), "captchaCode": text and text(shown)}
            body = {"query": LOGIN, "variables": {"input": given}}
            async with session.post(f"{emu.url}/graphql/v2", json=body, cookies=cookies) as answer:
                return await answer.json()

        right = await login(str.lower)
        assert right["data"]["loginByUsername"]["token"]
        for wrong, sentence in (
            (None, "请输入图形验证码"),
            (lambda _: "", "请输入图形验证码"),
            (lambda _: "?", "图形验证码错误"),
        ):
            (error,) = (await login(wrong))["errors"]
            assert (error["message"]["code"], error["message"]["message"]) == (2000, sentence)


async def test_check_without_a_target(emu, api, ann, token):
    """iOS sends no body, Android an empty object: nobody has bound nothing. The token is still needed."""
    async with api.session.post(emu.url + CHECK, headers={"Authorization": f"Bearer {token}"}) as answer:
        assert (await answer.json())["data"] is True
    for body in ({}, {"phone": None}, {"phone": "", "email": ""}):
        answer = await api.post(CHECK, body, token)
        assert (answer["code"], answer["data"]) == (200, True), body
    assert (await api.post(CHECK, {}))["code"] == 2021
    assert {entry.operation for entry in emu.requests} == {"mfa_check"}


async def test_empty_optional_texts_are_as_missing(emu, api, ann, token):
    """A form sends its empty fields, and a challenge may hold empty targets."""
    assert (await api.post(CHECK, {"phone": PHONE, "email": ""}, token))["data"] is False
    assert (await api.post(CHECK, {"phone": "", "email": "new@example.com"}, token))["data"] is True
    assert (await api.post(SEND_SMS, {"phone": PHONE, "phoneCountryCode": "", "scene": ""}))["code"] == 200
    assert (await api.post(SEND_EMAIL, {"email": ADDRESS, "scene": ""}))["code"] == 200
    assert [message.scene for message in emu.outbox] == [None, "VERIFY_CODE"]
    body = {"phone": PHONE, "code": emu.code_for(PHONE), "phoneCountryCode": ""}
    user = (await api.post(SMS, body, token))["data"]["token"]
    assert (await api.post("/api/v2/mfa/totp/associate", {"source": "", "authenticatorType": ""}, user))["code"] == 200
    assert (await api.login("ann", "pw", captchaCode="", context=""))["code"] == 1636
    profile = {"phoneNumber": "13900139000", "phoneCountryCode": "", "email": ""}
    assert (await api.post(ASK, {"factorType": "SMS", "profile": profile}, user))["statusCode"] == 200
    sent = {"channel": "", "phoneNumber": "13900139001", "phoneCountryCode": ""}
    assert (await api.post("/api/v3/send-sms", sent))["statusCode"] == 200


@pytest.mark.parametrize("phone", ["abc", "a@b.c", "+", "phone 1", "1" * 321])
async def test_sms_to_a_bad_number(emu, api, phone):
    """500 with HTTP 200 in the v2 API, 400 in the v3 API; nothing is sent."""
    assert await api.call("POST", SEND_SMS, {"phone": phone}) == (
        200,
        {"code": 500, "message": "手机号格式不正确"},
    )
    v3 = await api.post("/api/v3/send-sms", {"channel": "CHANNEL_LOGIN", "phoneNumber": phone})
    assert v3["statusCode"] == 400
    user = emu.issue_user_token(emu.add_user(username="ann", password="pw"))
    asked = await api.post(ASK, {"factorType": "SMS", "profile": {"phoneNumber": phone}}, user)
    assert asked["statusCode"] == 400
    assert emu.outbox == []


@pytest.mark.parametrize("email", ["nonsense", "@", "ann@", "@example.com", PHONE, "a@" + "b" * 320])
async def test_email_to_a_bad_address(emu, api, email):
    """1020017 in the v2 API and in GraphQL, 400 in the v3 API; nothing is sent."""
    for path in (SEND_EMAIL, "/api/v2/email/send-email"):
        answer = await api.call("POST", path, {"email": email, "scene": "MFA_VERIFY"}, x_authing_lang="en-US")
        assert answer == (200, {"code": 1020017, "message": "The e-mail address is not valid."})
    asked = {"query": MAIL, "variables": {"email": email, "scene": "MFA_VERIFY"}}
    assert (await api.post("/graphql/v2", asked))["errors"][0]["message"]["code"] == 1020017
    v3 = await api.post("/api/v3/send-email", {"channel": "CHANNEL_LOGIN", "email": email})
    assert v3["statusCode"] == 400
    user = emu.issue_user_token(emu.add_user(username="ann", password="pw"))
    asked = await api.post(ASK, {"factorType": "EMAIL", "profile": {"email": email}}, user)
    assert asked["statusCode"] == 400
    assert emu.outbox == []


@pytest.mark.parametrize(
    ("path", "to", "refused"),
    [
        ("/api/v3/send-sms", {"phoneNumber": PHONE}, {"statusCode": 422}),
        ("/api/v3/send-email", {"email": ADDRESS}, {"statusCode": 429, "apiCode": 2080}),
    ],
)
async def test_v3_window_of_each_channel(emu, api, path, to, refused):
    """One per target, channel and minute: a code of another channel between two does not open the window. A snapshot keeps it."""

    async def send(channel):
        answer = await api.post(path, {"channel": f"CHANNEL_{channel}", **to})
        return {name: answer[name] for name in ("statusCode", "apiCode") if name in answer}

    assert [await send("LOGIN"), await send("VERIFY_MFA")] == [{"statusCode": 200}] * 2
    assert [await send("LOGIN"), await send("VERIFY_MFA")] == [refused] * 2
    emu.restore(emu.snapshot())
    assert await send("LOGIN") == refused
    emu.clock.advance(59)
    assert [await send("REGISTER"), await send("LOGIN")] == [{"statusCode": 200}, refused]
    emu.clock.advance(1)
    assert [await send("LOGIN"), await send("VERIFY_MFA"), await send("REGISTER")] == [
        {"statusCode": 200},
        {"statusCode": 200},
        refused,
    ]


async def test_v3_window_stays_small(emu, api):
    """Any number of channels for one target: the last fifty are remembered."""
    for number in range(60):
        assert (await api.post("/api/v3/send-sms", {"channel": f"C{number}", "phoneNumber": PHONE}))[
            "statusCode"
        ] == 200
    (kept,) = emu.snapshot()["codes"].values()
    assert len(kept["earlier"]) == 50
    assert (await api.post("/api/v3/send-sms", {"channel": "C58", "phoneNumber": PHONE}))["statusCode"] == 422


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("username", "a@b.c", {"username": "a@b.c", "email": None}),
        ("username", "13800138000", {"username": "13800138000", "phone": None}),
        ("email", "ann@example.com", {"username": None, "email": "ann@example.com"}),
        ("email", "nonsense", 400),
        ("email", "@", 400),
    ],
)
async def test_graphql_registers_what_the_field_says(emu, api, name, given, expected):
    """A user name stays one, whatever it looks like; a bad address is refused. The user can log in with it."""
    field = f"registerBy{name.title()}"
    query = f"mutation m($input: {field.title()}Input!) {{ {field}(input: $input) {{ id }} }}"
    asked = {"query": query, "variables": {"input": {name: given, "password": api.encrypted("secret")}}}
    answer = await api.post("/graphql/v2", asked)
    if expected == 400:
        assert answer["errors"][0]["message"]["code"] == 400
        assert emu.users == []
        return
    made = answer["data"][field]
    assert {key: made[key] for key in expected} == expected
    assert (await api.login(given, "secret"))["data"]["id"] == made["id"] == emu.requests[0].user
    assert (await api.post("/graphql/v2", asked))["errors"][0]["message"]["code"] == 2026


async def test_graphql_registers_nobody_without_an_encrypted_password(emu, api):
    """2333 with the hint that the login gives, too."""
    query = "mutation m($input: RegisterByUsernameInput!) { registerByUsername(input: $input) { id } }"
    asked = {"query": query, "variables": {"input": {"username": "ann", "password": "plain"}}}
    (error,) = (await api.post("/graphql/v2", asked, x_authing_lang="en-US"))["errors"]
    assert error["message"]["code"] == 2333
    assert "not encrypted" in error["message"]["message"]
    assert emu.users == []
