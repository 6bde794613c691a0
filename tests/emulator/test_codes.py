"""Codes by SMS and e-mail: sending, checking, verifying, binding, unbinding."""

from __future__ import annotations

import time
from random import Random

import pytest

from authing_mfa.emulator import Emulator, Settings
from authing_mfa.emulator.state.clock import VirtualClock
from authing_mfa.emulator.state.messages import Messages

SMS, EMAIL, CHECK = (f"/api/v2/applications/mfa/{what}" for what in ("sms/verify", "email/verify", "check"))
PHONE, ADDRESS = "13800138000", "ann@example.com"


@pytest.fixture
def ann(emu):
    """A user who must pass SMS and e-mail, both bound."""
    return emu.add_user(username="ann", password="pw", phone=PHONE, email=ADDRESS, mfa=["SMS", "EMAIL"])


@pytest.fixture
def token(emu, ann):
    """Ann's mfaToken."""
    return emu.issue_mfa_token(ann)


async def test_sms_is_verified_once(emu, api, ann, token):
    """The code that was sent is good once, and the answer is the user with a token."""
    await api.post("/api/v2/sms/send", {"phone": PHONE})
    body = {"phone": PHONE, "code": emu.code_for(PHONE)}
    answer = await api.post(SMS, body, token)
    assert (answer["code"], answer["data"]["id"]) == (200, ann.id)
    assert (await api.get("/api/v2/users/me", answer["data"]["token"]))["code"] == 200
    assert (await api.post(SMS, body, token))["code"] == 2001


async def test_email_is_verified_with_the_scene_kept(emu, api, token):
    """E-mail codes work like SMS codes; the outbox has channel, target, time and scene."""
    await api.post("/api/v2/email/send", {"email": ADDRESS, "scene": "MFA_VERIFY"})
    (message,) = emu.outbox
    assert (message.channel, message.to, message.scene, message.sent_at) == (
        "email",
        ADDRESS,
        "MFA_VERIFY",
        emu.clock(),
    )
    assert (await api.post(EMAIL, {"email": ADDRESS, "code": message.code}, token))["code"] == 200


async def test_a_wrong_code_is_refused(emu, api, token):
    """2001 on both channels, and the right code is still good afterwards."""
    code = emu.send_code(PHONE)
    assert (await api.post(SMS, {"phone": PHONE, "code": "000000"}, token))["code"] == 2001
    assert (await api.post(EMAIL, {"email": ADDRESS, "code": "000000"}, token))["code"] == 2001
    assert (await api.post(SMS, {"phone": PHONE, "code": code}, token))["code"] == 200


async def test_a_code_expires(emu, api, token):
    """After its lifetime a code is 2300, until then it is good."""
    code = emu.send_code(PHONE)
    emu.clock.advance(emu.settings.code_ttl + 1)
    token = emu.issue_mfa_token(emu.user("ann"))
    assert (await api.post(SMS, {"phone": PHONE, "code": code}, token))["code"] == 2300
    emu.clock.advance(-1)
    assert (await api.post(SMS, {"phone": PHONE, "code": code}, token))["code"] == 200


async def test_a_second_code_ends_the_first(emu, api, token):
    """Only the newest code of a target is good."""
    first, second = emu.send_code(PHONE), emu.send_code(PHONE)
    assert (await api.post(SMS, {"phone": PHONE, "code": first}, token))["code"] == 2001
    assert (await api.post(SMS, {"phone": PHONE, "code": second}, token))["code"] == 200


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/v2/sms/send", {"phone": PHONE, "scene": "mfa-verify"}, 4004),
        ("/api/v2/email/send", {"email": ADDRESS, "scene": "MFA_VERIFY_CODE"}, 2080),
        ("/api/v2/email/send-email", {"email": ADDRESS, "scene": "VERIFY_CODE"}, 2080),
        ("/api/v3/send-sms", {"phoneNumber": PHONE, "phoneCountryCode": "+86", "channel": "CHANNEL_VERIFY_MFA"}, 422),
    ],
)
async def test_sending_again_within_a_minute_is_refused(emu, api, path, body, code):
    """4004, 2080 or 422, and nothing is sent; a minute later it goes."""
    first, again = await api.post(path, body), await api.post(path, body)
    assert (first.get("code") or first.get("statusCode")) == 200
    assert (again.get("code") or again.get("statusCode")) == code
    assert len(emu.outbox) == 1
    emu.clock.advance(60)
    answer = await api.post(path, body)
    assert (answer.get("code") or answer.get("statusCode"), len(emu.outbox)) == (200, 2)


async def test_the_window_can_be_switched_off(api_of):
    """`resend_window=0` never refuses."""
    with Emulator(settings=Settings(resend_window=0)) as emu:
        codes = [(await api_of(emu).post("/api/v2/sms/send", {"phone": PHONE}))["code"] for _ in range(3)]
    assert codes == [200, 200, 200]


async def test_check_says_which_targets_are_free(emu, api, token):
    """True for a free target, false for one that anybody has bound, also when only one of two is."""
    bob = emu.add_user(username="bob", password="pw", phone="13700137000")
    asked = {
        (None, None): True,
        ("13700137000", None): True,  # the account's phone, not bound for MFA
        (PHONE, None): False,
        ("+8613800138000", None): False,
        (None, ADDRESS.upper()): False,
        ("13700137000", ADDRESS): False,
        ("13700137000", "new@example.com"): True,
    }
    for (phone, email), expected in asked.items():
        answer = await api.post(CHECK, {"phone": phone, "email": email}, emu.issue_mfa_token(bob))
        assert answer.get("data", answer["code"]) == expected, (phone, email)


async def test_a_new_target_is_bound_by_verifying_it(emu, api):
    """A user without a bound phone binds the verified phone, and only then."""
    bob = emu.add_user(username="bob", password="pw", mfa=["SMS", "EMAIL"])
    token = emu.issue_mfa_token(bob)
    assert (await api.post(SMS, {"phone": "13700137000", "code": "000000"}, token))["code"] == 2001
    assert bob.mfa_phone is None
    assert (await api.post(SMS, {"phone": "13700137000", "code": emu.send_code("13700137000")}, token))["code"] == 200
    assert (await api.post(EMAIL, {"email": "b@example.com", "code": emu.send_code("b@example.com")}, token))[
        "code"
    ] == 200
    assert (bob.mfa_phone, bob.mfa_email) == ("13700137000", "b@example.com")
    assert (await api.post(CHECK, {"phone": "13700137000"}, token))["data"] is False


async def test_another_target_than_the_bound_one_does_not_pass(emu, api, token):
    """A person who knows only the password cannot pass with another phone or address."""
    for path, body in (
        (SMS, {"phone": "13700137000", "code": emu.send_code("13700137000")}),
        (EMAIL, {"email": "thief@example.com", "code": emu.send_code("thief@example.com")}),
    ):
        assert (await api.post(path, body, token))["code"] == 400


async def test_a_target_of_another_user_cannot_be_bound(emu, api, ann):
    """What the service's database says comes as 500 for a phone and 2200 for an address, and spends no code."""
    bob = emu.add_user(username="bob", password="pw", mfa=["SMS"])
    token = emu.issue_mfa_token(bob)
    sms, mail = {"phone": PHONE, "code": emu.send_code(PHONE)}, {"email": ADDRESS, "code": emu.send_code(ADDRESS)}
    assert (await api.post(SMS, sms, token))["code"] == 500
    assert (await api.post(EMAIL, mail, token))["code"] == 2200
    assert (await api.post(SMS, sms, emu.issue_mfa_token(ann)))["code"] == 200


async def test_country_codes_may_be_left_out_where_the_service_knows_them(emu, api):
    """A British phone is verified with or without its country code, as official clients do either."""
    carl = emu.add_user(username="carl", password="pw", phone="7700900123", phone_country_code="+44", mfa=["SMS"])
    for more in ({}, {"phoneCountryCode": "+44"}, {"phoneCountryCode": "0044"}):
        await api.post("/api/v2/sms/send", {"phone": "7700900123", "phoneCountryCode": "+44"})
        body = {"phone": "7700900123", "code": emu.code_for("7700900123"), **more}
        assert (await api.post(SMS, body, emu.issue_mfa_token(carl)))["code"] == 200, more
        emu.clock.advance(61)


@pytest.mark.parametrize(
    "path", [SMS, EMAIL, CHECK, "/api/v2/mfa/totp/verify", "/api/v2/mfa/totp/recovery", "/api/v2/mfa/face/verify"]
)
async def test_only_an_mfa_token_opens_the_second_factor(emu, api, ann, path):
    """No token, nonsense, another emulator's, a user's and an expired one are all 2021, with HTTP 200."""
    fields = {"phone": PHONE, "email": ADDRESS, "code": "1", "totp": "1", "recoveryCode": "1", "photo": "1"}
    with Emulator(seed=8) as other:
        foreign = other.issue_mfa_token(other.add_user(username="ann", password="pw"))
    expired = emu.issue_mfa_token(ann)
    emu.clock.advance(360)
    for token in (None, "x", "x.y.z", "é".encode().hex(), foreign, emu.issue_user_token(ann), expired):
        status, answer = await api.call("POST", path, fields, token)
        assert (status, answer["code"]) == (200, 2021)


async def test_an_mfa_token_lives_six_minutes(emu, api, token):
    """Until its last second it is good."""
    emu.clock.advance(359)
    assert (await api.post(CHECK, {"phone": "1"}, token))["code"] == 200


async def test_unbinding_frees_the_target(emu, api, ann):
    """A logged-in user unbinds; an mfaToken is not enough (2020)."""
    user_token = emu.issue_user_token(ann)
    for what in ("phone", "email"):
        assert (await api.post(f"/api/v2/mfa/{what}/unbind", {}, emu.issue_mfa_token(ann)))["code"] == 2020
        assert (await api.post(f"/api/v2/mfa/{what}/unbind", {}, user_token))["code"] == 200
    assert (ann.mfa_phone, ann.mfa_email, ann.phone) == (None, None, PHONE)
    assert (await api.post(CHECK, {"phone": PHONE, "email": ADDRESS}, emu.issue_mfa_token(ann)))["data"] is True


async def test_a_fixed_code_is_sent_and_spent_like_any_other(emu, api, token):
    """A chosen number gets the chosen code, from the API, from Python and over HTTP."""
    emu.fix_code(PHONE, "111111")
    await api.post("/api/v2/sms/send", {"phone": "+86" + PHONE})
    assert emu.code_for(PHONE) == "111111"
    assert (await api.post(SMS, {"phone": PHONE, "code": "111111"}, token))["code"] == 200
    assert (await api.post(SMS, {"phone": PHONE, "code": "111111"}, token))["code"] == 2001
    await api.post("/_emulator/codes", {"target": PHONE, "code": None})
    assert emu.send_code(PHONE) != "111111"


def test_codes_that_tests_use_as_wrong_ones_are_never_made():
    """`0000`, `1234` and their like never come out of the random source."""
    messages, settings = Messages(Random(1), VirtualClock(time.time)), Settings(code_length=4)
    codes = {messages.send(settings, "sms", PHONE, None, None).code for _ in range(30_000)}
    assert not codes & {"1234", *(digit * 4 for digit in "0123456789")}
    assert len(codes) > 9_000


def test_nothing_was_sent_to_a_stranger(emu):
    """Asking for a code that was never sent is an error, not an empty text."""
    with pytest.raises(LookupError, match="13700137000"):
        emu.code_for("13700137000")


async def test_an_address_must_be_one(api):
    """Sending to something without @ is refused with the service's own code."""
    assert (await api.post("/api/v2/email/send", {"email": "ann", "scene": "MFA_VERIFY"}))["code"] == 1020017


def test_an_empty_phone_or_address_is_removed(emu):
    """It is free for another user then; what is not named stays."""
    ann = emu.add_user(username="ann", password="pw", phone="138", email="a@b.test")
    emu.update_user(ann, phone="")
    assert (ann.username, ann.phone, ann.email) == ("ann", None, "a@b.test")
    emu.update_user(ann, email="")
    assert (ann.username, ann.phone, ann.email) == ("ann", None, None)
    assert emu.add_user(username="bob", password="pw", phone="138", email="a@b.test").phone == "138"


def test_a_target_that_another_user_has_bound_is_refused(emu):
    """Though it is not the phone or address of that user's account."""
    ann = emu.add_user(username="ann", password="pw", phone="138", email="a@b.test", mfa=["SMS", "EMAIL"])
    emu.update_user(ann, phone="139", email="c@b.test")
    for target, policy in (({"phone": "+86138"}, "SMS"), ({"email": "A@b.test"}, "EMAIL")):
        with pytest.raises(ValueError, match="bound for MFA"):
            emu.add_user(username="bob", password="pw", mfa=[policy], **target)
        assert emu.add_user(username=f"for {policy}", password="pw", **target)
    assert (ann.mfa_phone, ann.mfa_email) == ("138", "a@b.test")
