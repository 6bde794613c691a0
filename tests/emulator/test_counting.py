"""Wrong passwords and wrong codes: what counts for the lock, what for the captcha, and what a locked user may do."""

from __future__ import annotations

import pytest

from authing_mfa.emulator import Emulator, Settings

SMS, TOTP, CHECK = "/api/v2/applications/mfa/sms/verify", "/api/v2/mfa/totp/verify", "/api/v3/mfa-totp-verify"
ASK, ENROLL = "/api/v3/send-enroll-factor-request", "/api/v3/enroll-factor"
CONFIRM, ASSOCIATE = "/api/v2/mfa/totp/associate/confirm", "/api/v2/mfa/totp/associate"
EXPIRED = (
    "mutation m($token: String!, $oldPassword: String!, $newPassword: String!) "
    "{ resetPasswordByForceResetToken(token: $token, oldPassword: $oldPassword, newPassword: $newPassword) { message code } }"
)
PHONE = "13800138000"
WRONG = "000000"


@pytest.fixture
def strict():
    """Two wrong ones lock; the time stands still."""
    with Emulator(seed=7, settings=Settings(lock_after=2, resend_window=0), clock=lambda: 1_800_000_000.0) as emulator:
        yield emulator


@pytest.fixture
def client(strict, api_of):
    """Plain HTTP to `strict`."""
    return api_of(strict)


async def test_right_code_of_a_check_ends_the_row(strict, client):
    """Wrong, right, wrong: the two wrong ones are not in a row."""
    ann = strict.add_user(username="ann", password="pw", totp=True)
    token = strict.issue_user_token(ann)
    for code, verified in ((WRONG, False), (ann.totp_code, True), (WRONG, False)):
        assert (await client.post(CHECK, {"totp": code}, token))["data"] == {"verified": verified}
    assert not ann.locked


async def test_right_code_of_an_enrollment_ends_the_row(strict, client):
    """The same for a phone that is enrolled."""
    ann = strict.add_user(username="ann", password="pw")
    token = strict.issue_user_token(ann)

    async def enroll(code):
        data = {"factorType": "SMS", "profile": {"phoneNumber": PHONE}}
        asked = (await client.post(ASK, data, token))["data"]["enrollmentToken"]
        data = {"passCode": code or strict.code_for(PHONE)}
        body = {"factorType": "SMS", "enrollmentToken": asked, "enrollmentData": data}
        return (await client.post(ENROLL, body, token))["statusCode"]

    assert [await enroll(WRONG), await enroll(None), await enroll(WRONG)] == [400, 200, 400]
    assert not ann.locked


async def test_right_password_ends_the_row_of_wrong_passwords(strict, client):
    """The login is not finished with it, since a second factor follows; and it forgets no wrong code."""
    ann = strict.add_user(username="ann", password="pw", mfa=["OTP"], totp=True)
    answers = [(await client.login("ann", word))["code"] for word in ("no", "pw", "no", "pw")]
    assert (answers, ann.locked) == ([2333, 1636, 2333, 1636], False)
    for locked in (False, True):
        token = (await client.login("ann", "pw"))["data"]["mfaToken"]
        assert (await client.post(TOTP, {"totp": WRONG}, token))["code"] == 6001
        assert ann.locked is locked


async def test_wrong_password_and_wrong_code_count_together(strict, client):
    """One of each, with no right one between them, is two in a row."""
    ann = strict.add_user(username="ann", password="pw", phone=PHONE)
    assert (await client.login("ann", "no"))["code"] == 2333
    strict.send_code(PHONE)
    assert (await client.post("/api/v2/login/phone-code", {"phone": PHONE, "code": WRONG}))["code"] == 2001
    assert ann.locked


async def test_locked_user_cannot_try_codes_with_the_token_of_a_login(strict, client):
    """The lock holds for every call that says whether a code or a password is right."""
    ann = strict.add_user(username="ann", password="pw", totp=True)
    bea = strict.add_user(username="bea", password="pw", phone=PHONE)
    token, other = strict.issue_user_token(ann), strict.issue_user_token(bea)
    secret = (await client.post(ASSOCIATE, {}, other))["data"]["secret"]
    asked = (await client.post(ASK, {"factorType": "SMS", "profile": {"phoneNumber": PHONE}}, other))["data"]
    for user in (ann, bea):
        strict.lock_user(user)
    assert (await client.post(CHECK, {"totp": ann.totp_code}, token))["apiCode"] == 2005
    assert (await client.post(CONFIRM, {"totp": strict.totp_code(secret)}, other))["code"] == 2005
    data = {"passCode": strict.code_for(PHONE)}
    body = {"factorType": "SMS", "enrollmentToken": asked["enrollmentToken"], "enrollmentData": data}
    assert (await client.post(ENROLL, body, other))["apiCode"] == 2005
    assert (bea.totp_enabled, bea.mfa_phone) == (False, None)
    strict.unlock_user(bea)
    assert (await client.post(ENROLL, body, other))["statusCode"] == 200


async def test_locked_user_cannot_try_old_passwords(strict, client):
    """Two wrong old passwords lock the user, and then the right one is not answered either."""
    ann = strict.add_user(username="ann", password="secret", password_change=2058)
    token = (await client.login("ann", "secret"))["data"]["token"]

    async def change(old):
        secrets = {"oldPassword": client.encrypted(old), "newPassword": client.encrypted("new-password")}
        answer = await client.post("/graphql/v2", {"query": EXPIRED, "variables": {"token": token, **secrets}})
        return answer["errors"][0]["message"]["code"]

    assert [await change("no"), await change("no"), await change("secret")] == [1320011, 1320011, 2005]
    assert ann.locked


async def test_wrong_codes_need_no_captcha(api_of):
    """Only wrong passwords do; and a right password ends their row."""
    with Emulator(settings=Settings(captcha_after=1)) as emu:
        api = api_of(emu)
        ann = emu.add_user(username="ann", password="pw", mfa=["OTP"], totp=True, phone=PHONE)
        assert (await api.post(TOTP, {"totp": WRONG}, emu.issue_mfa_token(ann)))["code"] == 6001
        assert (await api.post("/api/v2/login/phone-code", {"phone": PHONE, "code": WRONG}))["code"] == 2001
        assert (await api.login("ann", "pw"))["code"] == 1636
        assert (await api.login("ann", "no"))["code"] == 2333
        assert (await api.login("ann", "pw"))["code"] == 2000


@pytest.mark.parametrize(
    ("kind", "profile", "target", "status"),
    [("SMS", {"phoneNumber": PHONE}, PHONE, 500), ("EMAIL", {"email": "bea@example.com"}, "bea@example.com", 400)],
)
async def test_target_of_another_user_costs_no_code(emu, api, kind, profile, target, status):
    """The enrollment is refused as before, and the code is still valid once the other user has freed the target."""
    bea = emu.add_user(username="bea", password="pw", phone=PHONE, email="bea@example.com", mfa=["SMS", "EMAIL"])
    token = emu.issue_user_token(emu.add_user(username="ann", password="pw"))
    asked = (await api.post(ASK, {"factorType": kind, "profile": profile}, token))["data"]["enrollmentToken"]
    data = {"passCode": emu.code_for(target)}
    body = {"factorType": kind, "enrollmentToken": asked, "enrollmentData": data}
    assert (await api.post(ENROLL, body, token))["statusCode"] == status
    emu.unbind(bea, kind)
    assert (await api.post(ENROLL, body, token))["statusCode"] == 200
