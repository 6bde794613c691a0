"""The service's own Python client (authing 4.5.17), unmodified, against the emulator: each of its MFA methods.

Its own bugs are asserted as they are, by their number in docs/wire.md: 42 (the mfaToken of a challenge cannot be had), 43
(verify_face_mfa posts to face/associate), 44 (a refusal raises nothing), 45b (an extra request for the schema at each login), 46
(no country code, no face by key, delete without an mfaToken).
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from authing_mfa.emulator.crypto import totp
from tests.emulator.official.process import ClientError

pytest_plugins = ["tests.emulator.official_clients"]
pytestmark = pytest.mark.timeout(400)  # the first run installs the client

PASSWORD = "correct-horse"
MFA_METHODS = {
    "get_mfa_authenticators",
    "assosicate_mfa_authenticator",
    "delete_mfa_authenticator",
    "confirm_assosicate_mfa_authenticator",
    "verify_totp_mfa",
    "verify_app_sms_mfa",
    "verify_app_email_mfa",
    "phone_or_email_bindable",
    "verify_totp_recovery_code",
    "associate_face_by_url",
    "verify_face_mfa",
}


@pytest.fixture
def client(emu, py_process):
    """A client of `emu` with the emulator's key for passwords."""
    lines = "\n".join(textwrap.wrap(emu.public_key, 64))
    pem = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
    py_process.order(new={"app_id": emu.app_id, "app_host": emu.url, "enc_public_key": pem, "lang": "en-US"})
    return py_process


@pytest.fixture
def ann(emu):
    """A user of whom four factors are asked."""
    return emu.add_user(
        username="ann",
        password=PASSWORD,
        phone="13800138000",
        email="ann@example.com",
        mfa=["SMS", "EMAIL", "OTP", "FACE"],
    )


@pytest.fixture
def token(emu, ann):
    """Ann's mfaToken, which this client cannot get by itself."""
    return emu.issue_mfa_token(ann)


def test_every_mfa_method_of_the_client_is_driven(client):
    """The client has the methods that stand here, no more, and each is called in this file."""
    names = {name for name in client.order(methods=True) if re.search("mfa|face|bindable|recovery", name)}
    assert names == MFA_METHODS
    text = Path(__file__).read_text("utf-8")
    assert [name for name in MFA_METHODS if f'call("{name}"' not in text] == []


def test_logins_and_the_lost_challenge(emu, client, ann):
    """A login without second factor works. Bug 42: of a challenge only code and message arrive. Bug 45b: two requests each."""
    emu.add_user(username="dora", password=PASSWORD, email="dora@example.com", phone="13700137000")
    for name, account in (
        ("login_by_email", "dora@example.com"),
        ("login_by_username", "dora"),
        ("login_by_phone_password", "13700137000"),
    ):
        assert client.call(name, account, PASSWORD)["username"] == "dora"
    assert [entry.operation for entry in emu.requests] == ["graphql"] * 6
    with pytest.raises(ClientError) as due:
        client.call("login_by_email", "ann@example.com", PASSWORD)
    assert (due.value.code, due.value.type, due.value.data) == (1636, "AuthingException", None)
    with pytest.raises(ClientError) as wrong:
        client.call("login_by_username", "dora", "wrong")
    assert wrong.value.code == 2333
    assert client.call("get_current_user")["username"] == "dora"


def test_sms_verification(emu, client, ann, token):
    """A code is sent and verifies once. Bug 44: a refusal is an answer like any other. Bug 46: without country code."""
    assert client.call("send_sms_code", "13800138000")["code"] == 200
    code = emu.code_for("13800138000")
    assert client.call("verify_app_sms_mfa", "13800138000", "000000", token)["code"] == 2001
    answer = client.call("verify_app_sms_mfa", "13800138000", code, token)
    assert (answer["code"], answer["data"]["id"]) == (200, ann.id)
    assert client.call("verify_app_sms_mfa", "13800138000", code, token)["code"] == 2001
    assert client.call("verify_app_sms_mfa", "13800138000", code, "none")["code"] == 2021
    assert set(emu.requests[-1].request) == {"phone", "code"}


def test_email_verification(emu, client, ann, token):
    """sendEmail goes through GraphQL; the code answers the user."""
    assert client.call("send_email", "ann@example.com", "MFA_VERIFY")["code"] == 200
    answer = client.call("verify_app_email_mfa", "ann@example.com", emu.code_for("ann@example.com"), token)
    assert answer["data"]["id"] == ann.id


def test_bindable_says_whether_a_target_is_free(client, ann, token):
    """True for a free phone or address, false for one that is bound."""
    assert client.call("phone_or_email_bindable", token, phone="13900139000")["data"] is True
    assert client.call("phone_or_email_bindable", token, phone="13800138000")["data"] is False
    assert client.call("phone_or_email_bindable", token, email="new@example.com")["data"] is True
    assert client.call("phone_or_email_bindable", token, email="ann@example.com")["data"] is False


def test_totp_from_binding_to_deleting(emu, client, ann, token):
    """Associate, confirm, list, verify, recover with the new code beside the user, delete as the logged-in user."""
    assert client.call("get_mfa_authenticators", token)["data"] == []
    made = client.call("assosicate_mfa_authenticator", token)["data"]
    wrong = client.call("confirm_assosicate_mfa_authenticator", "000000", mfa_token=token)
    assert wrong["code"] == 400
    code = totp.code_at(made["secret"], totp.step_of(emu.clock()))
    assert client.call("confirm_assosicate_mfa_authenticator", code, mfa_token=token)["code"] == 200
    (listed,) = client.call("get_mfa_authenticators", token)["data"]
    assert (listed["enable"], listed["secret"]) == (True, made["secret"])
    assert client.call("verify_totp_mfa", code, token)["data"]["id"] == ann.id
    assert client.call("verify_totp_mfa", code, token)["code"] == 6001
    answer = client.call("verify_totp_recovery_code", made["recovery_code"], token)
    assert (answer["data"]["id"], answer["recoveryCode"]) == (ann.id, ann.recovery_code)
    assert client.call("verify_totp_recovery_code", made["recovery_code"], token)["code"] == 6002
    assert client.call("delete_mfa_authenticator")["code"] == 2020  # bug 46: it takes no token …
    client.call("set_token", emu.issue_user_token(ann))
    assert client.call("delete_mfa_authenticator")["code"] == 200  # … but that of the login
    assert not ann.totp_enabled


async def test_a_face_by_address(emu, client, ann, token, api, pictures):
    """Two addresses of the same face bind it. Bug 43: what should verify it posts to face/associate, which misses photoA."""
    pair = [
        f"{api.url}/_emulator/photos/{await api.upload(pictures(0, quality=quality), 'folder=photos')}"
        for quality in (90, 60)
    ]
    answer = client.call("associate_face_by_url", pair[0], pair[1], token)
    assert (answer["code"], answer["data"]["id"]) == (200, ann.id)
    assert ann.face_enabled
    assert client.call("verify_face_mfa", pair[0], token)["code"] == 1700
    assert emu.requests[-1].path == "/api/v2/mfa/face/associate"
