"""The clock moved back: what was done in the time that is taken back does not stand in the way afterwards."""

from __future__ import annotations

import pytest

from authing_mfa.emulator import Emulator, Settings

SMS, TOTP = "/api/v2/applications/mfa/sms/verify", "/api/v2/mfa/totp/verify"
ENROLL = "/api/v3/send-enroll-factor-request"
PHONE = "13800138000"
YEAR = 365 * 86400

BACK = {
    "reset": lambda emu, _seconds: emu.clock.reset(),
    "advance": lambda emu, seconds: emu.clock.advance(-seconds),
    "set": lambda emu, seconds: emu.clock.set(emu.clock() - seconds),
}


@pytest.fixture
def ann(emu):
    """A user with SMS and TOTP, both bound."""
    return emu.add_user(username="ann", password="pw", phone=PHONE, mfa=["SMS", "OTP"], totp=True)


@pytest.mark.parametrize("way", BACK)
async def test_totp_code_of_the_new_time_is_accepted(emu, api, ann, way):
    """A code was used half a minute later; the code of now is not older than that any more. It is still valid only once."""
    emu.clock.advance(30)
    assert (await api.post(TOTP, {"totp": ann.totp_code}, emu.issue_mfa_token(ann)))["code"] == 200
    BACK[way](emu, 30)
    codes = [(await api.post(TOTP, {"totp": ann.totp_code}, emu.issue_mfa_token(ann)))["code"] for _ in range(2)]
    assert codes == [200, 6001]


async def test_code_that_was_used_before_stays_used(emu, api, ann):
    """Moving the clock forth and back, or back within the same half minute, makes no used code valid again."""
    assert (await api.post(TOTP, {"totp": ann.totp_code}, emu.issue_mfa_token(ann)))["code"] == 200
    emu.clock.advance(90)
    emu.clock.advance(-90)
    assert (await api.post(TOTP, {"totp": ann.totp_code}, emu.issue_mfa_token(ann)))["code"] == 6001
    emu.clock.advance(61)
    assert (await api.post(TOTP, {"totp": ann.totp_code}, emu.issue_mfa_token(ann)))["code"] == 200
    emu.clock.advance(-1)
    assert (await api.post(TOTP, {"totp": ann.totp_code}, emu.issue_mfa_token(ann)))["code"] == 6001


async def test_binding_confirmed_later_is_verified_with_the_same_code(emu, api):
    """The mobile clients send the code that confirmed once more; also after the clock went back by one step."""
    ann = emu.add_user(username="ann", password="pw", mfa=["OTP"])
    emu.clock.advance(30)
    token = emu.issue_mfa_token(ann)
    secret = (await api.post("/api/v2/mfa/totp/associate", {}, token))["data"]["secret"]
    code = emu.totp_code(secret)
    assert (await api.post("/api/v2/mfa/totp/associate/confirm", {"totp": code}, token))["code"] == 200
    emu.clock.reset()
    assert (await api.post(TOTP, {"totp": code}, token))["code"] == 200


@pytest.mark.parametrize("way", BACK)
async def test_lock_keeps_its_length(emu, api, ann, way):
    """A user who was locked a year later is locked for the rest of the same time, not for a year."""
    emu.clock.advance(YEAR)
    emu.lock_user(ann, 60)
    emu.clock.advance(10)
    BACK[way](emu, YEAR + 10)
    assert ann.locked
    emu.clock.advance(51)
    assert not ann.locked
    assert (await api.login("ann", "pw"))["code"] == 1636


async def test_lock_that_had_ended_does_not_come_back(emu, ann):
    """It was begun and ended in the time that is taken back."""
    emu.clock.advance(YEAR)
    emu.lock_user(ann, 60)
    emu.clock.advance(61)
    emu.clock.reset()
    assert not ann.locked


async def test_lock_from_before_is_as_it_was(emu, ann):
    """Forth and back: the lock ends at the time at which it always ended."""
    emu.lock_user(ann, 60)
    emu.clock.advance(61)
    assert not ann.locked
    emu.clock.reset()
    assert ann.locked
    emu.clock.advance(59)
    assert ann.locked


@pytest.mark.parametrize("way", BACK)
async def test_code_sent_later_keeps_its_age(emu, api, ann, way):
    """It is valid and ends five minutes after it was sent, and the next one is refused for a minute."""
    emu.clock.advance(61)
    assert (await api.post("/api/v2/sms/send", {"phone": PHONE}))["code"] == 200
    emu.clock.advance(10)
    BACK[way](emu, 71)
    assert (await api.post("/api/v2/sms/send", {"phone": PHONE}))["code"] == 4004
    code, body = emu.code_for(PHONE), {"phone": PHONE}
    emu.clock.advance(291)
    assert (await api.post(SMS, {**body, "code": code}, emu.issue_mfa_token(ann)))["code"] == 2300
    emu.clock.advance(-1)
    assert (await api.post(SMS, {**body, "code": code}, emu.issue_mfa_token(ann)))["code"] == 200


async def test_tokens_to_enroll_and_to_change_a_password_live_as_long_as_ever(emu, api, ann):
    """A token made a year later does not live for a year."""
    emu.clock.advance(YEAR)
    user = emu.issue_user_token(ann)
    asked = await api.post(ENROLL, {"factorType": "OTP", "profile": {}}, user)
    ann.require_password_change(1639)
    change = (await api.login("ann", "pw"))["data"]["token"]
    emu.clock.reset()
    emu.clock.advance(61)
    passed = {
        "passCode": emu.totp_code(asked["data"]["otpData"]["qrCodeUri"].partition("secret=")[2].partition("&")[0])
    }
    body = {"factorType": "OTP", "enrollmentToken": asked["data"]["enrollmentToken"], "enrollmentData": passed}
    assert (await api.post("/api/v3/enroll-factor", body, user))["statusCode"] == 400
    emu.clock.advance(emu.settings.password_token_ttl)
    path = "/api/v2/users/password/reset-by-first-login-token"
    assert (await api.post(path, {"token": change, "password": api.encrypted("new-password")}))["code"] == 2206


async def test_system_clock_that_steps_back_ends_no_code(api_of):
    """The computer's own clock is set by the network: a code that was sent just now is still valid."""
    now = [1_800_000_000.0]
    with Emulator(clock=lambda: now[0], settings=Settings(lock_after=5)) as emu:
        ann = emu.add_user(username="ann", password="pw", phone=PHONE, mfa=["SMS"])
        code, token = emu.send_code(PHONE), emu.issue_mfa_token(ann)
        now[0] -= 2
        assert (await api_of(emu).post(SMS, {"phone": PHONE, "code": code}, token))["code"] == 200
