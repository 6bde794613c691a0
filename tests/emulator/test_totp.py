"""TOTP and its recovery code."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from authing_mfa.emulator.crypto import totp
from tests.needs import require_module

VERIFY, RECOVER, ASSOCIATE, CONFIRM, LIST = (
    f"/api/v2/mfa/{path}"
    for path in ("totp/verify", "totp/recovery", "totp/associate", "totp/associate/confirm", "authenticator")
)


@pytest.fixture
def bob(emu):
    """A user with TOTP bound."""
    return emu.add_user(username="bob", password="pw", totp=True)


@pytest.fixture
def token(emu, bob):
    """Bob's mfaToken."""
    return emu.issue_mfa_token(bob)


def code_of(emu, secret, steps=0):
    """The code of *secret*, *steps* time steps from now."""
    return totp.code_at(secret, totp.step_of(emu.clock()) + steps)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(seconds, code):
    """The standard's own test values, cut to six digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert totp.code_at(secret, totp.step_of(seconds)) == code


async def test_a_code_verifies_and_the_same_one_does_not_again(emu, api, bob, token):
    """A time step's code is good once, as RFC 6238 asks; the next step's is good again."""
    assert (await api.post(VERIFY, {"totp": bob.totp_code}, token))["data"]["id"] == bob.id
    assert (await api.post(VERIFY, {"totp": bob.totp_code}, token))["code"] == 6001
    emu.clock.advance(30)
    assert (await api.post(VERIFY, {"totp": bob.totp_code}, token))["code"] == 200


async def test_codes_are_good_again_after_the_clock_was_moved_back(emu, api, bob):
    """The newest used step is then later than now, and says nothing about the codes of now."""
    emu.clock.advance(86400)
    assert (await api.post(VERIFY, {"totp": bob.totp_code}, emu.issue_mfa_token(bob)))["code"] == 200
    emu.clock.reset()
    for code in (200, 6001):
        assert (await api.post(VERIFY, {"totp": bob.totp_code}, emu.issue_mfa_token(bob)))["code"] == code


@pytest.mark.parametrize(("steps", "code"), [(-2, 6001), (-1, 200), (0, 200), (1, 200), (2, 6001)])
async def test_a_clock_may_be_one_step_off(emu, api, bob, token, steps, code):
    """The step before and the step after are taken, others are not."""
    assert (await api.post(VERIFY, {"totp": code_of(emu, bob.totp_secret, steps)}, token))["code"] == code


@pytest.mark.parametrize("code", ["12345", "1234567", "12345x", "١٢٣٤٥٦", "000000"])
async def test_what_is_no_code_of_now_is_6001_with_http_200(api, token, code):
    """However wrong it is."""
    assert await api.call("POST", VERIFY, {"totp": code}, token) == (
        200,
        {"code": 6001, "message": "安全码错误，请重新输入"},
    )


async def test_an_mfa_token_alone_does_not_replace_a_bound_totp(emu, api, bob, token):
    """Who knows only the password must not replace the second factor: neither a new binding is begun nor one confirmed."""
    assert (await api.post(ASSOCIATE, {"source": "SELF"}, token))["code"] == 1001
    pending = (await api.post(ASSOCIATE, {"source": "SELF"}, emu.issue_user_token(bob)))["data"]["secret"]
    assert (await api.post(CONFIRM, {"totp": code_of(emu, pending)}, token))["code"] == 1001
    assert emu.user(bob.id).totp_secret == bob.totp_secret != pending


async def test_missing_codes_have_codes_of_their_own(api, token):
    """6003 for TOTP, 6004 for the recovery code, also without any body."""
    for body in (None, {}, {"totp": " ", "recoveryCode": None}):
        assert (await api.post(VERIFY, body, token))["code"] == 6003
        assert (await api.post(RECOVER, body, token))["code"] == 6004


async def test_without_totp_no_code_is_right(emu, api):
    """A user without TOTP gets 6001 and 6002."""
    token = emu.issue_mfa_token(emu.add_user(username="eve", password="pw"))
    assert (await api.post(VERIFY, {"totp": "123456"}, token))["code"] == 6001
    assert (await api.post(RECOVER, {"recoveryCode": "a-b"}, token))["code"] == 6002


async def test_the_mobile_way_to_bind(emu, api):
    """Associate, confirm, and verify with the SAME code; before the confirmation nothing has an effect."""
    eve = emu.add_user(username="eve", password="pw", mfa=["OTP"])
    token = emu.issue_mfa_token(eve)
    made = (await api.post(ASSOCIATE, {"authenticatorType": "totp", "source": "SELF"}, token))["data"]
    code = code_of(emu, made["secret"])
    assert (eve.totp_secret, eve.recovery_code, eve.totp_enabled) == (None, None, False)
    assert (await api.post(VERIFY, {"totp": code}, token))["code"] == 6001
    confirmed = await api.post(CONFIRM, {"authenticatorType": "totp", "totp": code, "source": "SELF"}, token)
    assert confirmed == {"code": 200, "message": "TOTP MFA 绑定成功"}
    assert (eve.totp_secret, eve.recovery_code) == (made["secret"], made["recovery_code"])
    assert (await api.post(VERIFY, {"totp": code}, token))["code"] == 200
    assert (await api.post(VERIFY, {"totp": code}, token))["code"] == 6001


@pytest.mark.parametrize("bearer", ["Bearer {}", "bearer {}", "{}"])
async def test_the_web_way_to_bind(emu, api, bearer):
    """Source APPLICATION: the confirmation is the login, the user is in its data; with and without Bearer."""
    eve = emu.add_user(username="eve", password="pw", mfa=["OTP"])
    headers = {"Authorization": bearer.format(emu.issue_mfa_token(eve))}
    made = (await api.post(ASSOCIATE, {"source": "APPLICATION"}, **headers))["data"]
    body = {"authenticator_type": "totp", "totp": code_of(emu, made["secret"]), "source": "APPLICATION"}
    answer = await api.post(CONFIRM, body, **headers)
    assert answer["data"]["id"] == eve.id
    assert (await api.get("/api/v2/users/me", answer["data"]["token"]))["code"] == 200


async def test_a_wrong_confirmation_is_http_400(emu, api, bob):
    """Code 400 with HTTP 400, as published; the confirmed binding stays."""
    token, before = emu.issue_user_token(bob), bob.totp_secret
    await api.post(ASSOCIATE, {"authenticator_type": "totp"}, token)
    status, answer = await api.call("POST", CONFIRM, {"totp": "000000"}, token)
    assert (status, answer["code"]) == (400, 400)
    assert bob.totp_secret == before
    bare = emu.issue_user_token(emu.add_user(username="eve", password="pw"))
    assert (await api.call("POST", CONFIRM, {"totp": "000000"}, bare))[0] == 400


async def test_an_association_holds_what_apps_need(emu, api, bob):
    """Secret, otpauth address, recovery code; the QR picture scans to the address and its secret gives good codes."""
    require_module("zxingcpp")
    import zxingcpp

    token = emu.issue_user_token(bob)
    data = (await api.post(ASSOCIATE, {"authenticatorType": "totp"}, token))["data"]
    assert len(data["secret"]) == 16
    assert [len(group) for group in data["recovery_code"].split("-")] == [4] * 6
    head, _, picture = data["qrcode_data_url"].partition(",")
    assert head == "data:image/png;base64"
    (barcode,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(picture))))
    assert barcode.text == data["qrcode_uri"]
    secret = barcode.text.partition("secret=")[2].partition("&")[0]
    assert (await api.post(CONFIRM, {"totp": code_of(emu, secret)}, token))["code"] == 200
    assert bob.totp_uri == data["qrcode_uri"]


async def test_recovery_gives_a_new_code_beside_data_and_ends_the_old(emu, api, bob, token):
    """The new code stands at the top of the answer; the old one is 6002, the new one works."""
    old = bob.recovery_code
    answer = await api.post(RECOVER, {"authenticatorType": "totp", "recoveryCode": old.upper() + " "}, token)
    assert (answer["code"], answer["data"]["id"]) == (200, bob.id)
    assert answer["recoveryCode"] == bob.recovery_code != old
    assert (await api.post(RECOVER, {"recoveryCode": old}, token))["code"] == 6002
    assert (await api.post(RECOVER, {"recoveryCode": answer["recoveryCode"]}, token))["code"] == 200


async def test_listing_shows_bound_and_pending(emu, api, bob):
    """A list of what is bound and what waits for its confirmation; a fresh user's is empty."""
    token = emu.issue_user_token(bob)
    await api.post(ASSOCIATE, {"source": "APPLICATION"}, token)
    listed = (await api.get(f"{LIST}?type=totp&source=SELF", token))["data"]
    assert [(entry["enable"], entry["source"], entry["authenticatorType"]) for entry in listed] == [
        (True, "SELF", "totp"),
        (False, "APPLICATION", "totp"),
    ]
    assert listed[0]["secret"] == bob.totp_secret
    eve = emu.add_user(username="eve", password="pw")
    assert (await api.get(f"{LIST}?source=APPLICATION", emu.issue_mfa_token(eve)))["data"] == []
    assert (await api.get(f"{LIST}?source=APPLICATION"))["code"] == 2021


async def test_deleting_needs_a_login_and_ends_the_binding(emu, api, bob, token):
    """An mfaToken cannot remove the factor it is to be protected by; a login can, and 1635 is over."""
    assert (await api.call("DELETE", ASSOCIATE, None, token))[1]["code"] == 2020
    assert (await api.call("DELETE", ASSOCIATE, None, emu.issue_user_token(bob)))[1]["code"] == 200
    assert (bob.totp_secret, bob.recovery_code, bob.totp_code, bob.totp_uri) == (None, None, None, None)
    assert (await api.login("bob", "pw"))["code"] == 200


async def test_an_expired_user_token_is_not_a_login(emu, api, bob):
    """A user's token that has run out is 2020 where either token would do."""
    token = emu.issue_user_token(bob)
    emu.clock.advance(16 * 86400)
    assert (await api.post(ASSOCIATE, {}, token))["code"] == 2020
    assert (await api.get("/api/v2/users/me", token))["code"] == 2020


async def test_a_binding_for_the_application_is_not_asked_for_as_ones_own(emu, api):
    """Without policies, TOTP that was bound for the application (source APPLICATION) does not change the login: no 1635."""
    eve = emu.add_user(username="eve", password="pw")
    token = emu.issue_user_token(eve)
    made = (await api.post(ASSOCIATE, {"source": "APPLICATION"}, token))["data"]
    await api.post(CONFIRM, {"totp": code_of(emu, made["secret"]), "source": "APPLICATION"}, token)
    assert eve.totp_enabled
    assert (await api.login("eve", "pw"))["code"] == 200


@pytest.mark.parametrize("name", ["名" * 320, "n" * 320])
async def test_long_name_has_a_qr_picture(emu, api, name):
    """An authenticator app can scan it: the label is cut, the secret is not."""
    user = emu.add_user(username=name, password="pw", totp=True)
    answer = await api.post(ASSOCIATE, {}, emu.issue_user_token(user))
    data = answer["data"]
    assert answer["code"] == 200
    assert f"secret={data['secret']}&" in data["qrcode_uri"]
    assert data["qrcode_data_url"].startswith("data:image/png;base64,")
    assert await api.session_status("GET", f"/_emulator/users/{user.id}/qr.svg") == 200
    asked = {"factorType": "OTP", "profile": {}}
    assert (await api.post("/api/v3/send-enroll-factor-request", asked, emu.issue_user_token(user)))[
        "statusCode"
    ] == 200
