"""Users as they are added, deleted and added again, and the user that a ready line names."""

from __future__ import annotations

import pytest

from authing_mfa.emulator import Emulator
from authing_mfa.emulator.serving import emulator_with_user, ready_report

CHECK, ENROLL = "/api/v2/applications/mfa/check", "/api/v3/enroll-factor"
BY_FIRST_LOGIN = "/api/v2/users/password/reset-by-first-login-token"


# ─────────────────────────────── a flag ───────────────────────────────


@pytest.mark.parametrize("value", ["false", "true", "", 0, 1, []])
async def test_totp_is_true_or_false(emu, api, value):
    """A text like "false" counted as true and bound a TOTP: from Python, over HTTP and from seeds."""
    user = {"username": "ann", "password": "pw", "totp": value}
    with pytest.raises(ValueError, match="totp must be true or false"):
        emu.add_user(**user)
    status, answer = await api.call("POST", "/_emulator/users", user)
    assert (status, "totp" in answer["error"], emu.users) == (400, True, [])
    with pytest.raises(ValueError, match="users, entry 1: totp must be true or false"):
        Emulator(seeds={"users": [user]})


@pytest.mark.parametrize(("value", "bound"), [(True, True), (False, False), (None, False)])
async def test_a_totp_is_bound_if_it_is_true(emu, api, value, bound):
    """null, as other languages write a field that they leave out, is false."""
    body = {"username": "ann", "password": "pw", "totp": value}
    assert (await api.post("/_emulator/users", body))["totp_enabled"] is bound


# ─────────────────────────────── the same id again ───────────────────────────────


@pytest.mark.parametrize("restart", [False, True])
async def test_an_id_that_is_added_again_is_another_user(tmp_path, api_of, restart):
    """What the deleted user had is void: tokens, an mfaToken, an enrollment and the right to change the password."""
    path, ann = tmp_path / "state.json", {"username": "ann", "password": "pw", "id": "ann-1", "totp": True}

    async def tokens_of(emu, api):
        """Everything that a request can show to be ann."""
        user = emu.add_user(**ann, password_change=1639)
        token, mfa_token = emu.issue_user_token(user), emu.issue_mfa_token(user)
        asked = await api.post("/api/v3/send-enroll-factor-request", {"factorType": "OTP", "profile": {}}, token)
        change = (await api.login("ann", "pw"))["data"]["token"]
        return token, mfa_token, asked["data"]["enrollmentToken"], change

    with Emulator(state_file=path) as first:
        token, mfa_token, enrollment, change = await tokens_of(first, api_of(first))
        first.delete_user(first.user("ann"))
        if not restart:
            await refuses(first, api_of(first), ann, token, mfa_token, enrollment, change)
    if restart:
        with Emulator(state_file=path) as second:
            await refuses(second, api_of(second), ann, token, mfa_token, enrollment, change)
        with Emulator(state_file=path) as third:
            assert (await api_of(third).get("/api/v2/users/me", token))["code"] == 2020


async def refuses(emu, api, ann, token, mfa_token, enrollment, change):
    """The new user passes with new tokens only, whatever the old ones were."""
    user = emu.add_user(**ann, password_change=1639)
    assert (await api.get("/api/v2/users/me", token))["code"] == 2020
    assert (await api.post(CHECK, {"phone": "1"}, mfa_token))["code"] == 2021
    assert (await api.get("/api/v2/logout", token))["code"] == 1010001
    new = emu.issue_user_token(user)
    assert (await api.get("/api/v2/users/me", new))["data"]["id"] == "ann-1"
    proof = {"factorType": "OTP", "enrollmentToken": enrollment, "enrollmentData": {"passCode": "1"}}
    assert (await api.post(ENROLL, proof, new))["message"] == (
        await api.post(ENROLL, {**proof, "enrollmentToken": "x"}, new)
    )["message"]
    body = {"token": change, "password": api.encrypted("new password")}
    assert (await api.post(BY_FIRST_LOGIN, body))["code"] == 2206


def test_a_restored_snapshot_has_its_tokens_back(emu):
    """Those of a user who was deleted since then, and added again under the same id."""
    ann = {"username": "ann", "password": "pw", "id": "ann-1"}
    token = emu.issue_user_token(emu.add_user(**ann))
    snapshot = emu.snapshot()
    emu.delete_user(emu.user("ann"))
    emu.add_user(**ann)
    assert not emu.state.read_token(token)[2]
    emu.restore(snapshot)
    assert emu.state.read_token(token)[2]
    again = emu.issue_user_token(emu.user("ann"))
    emu.delete_user(emu.user("ann"))
    emu.add_user(**ann)
    assert not emu.state.read_token(again)[2]


# ─────────────────────────────── the ready line ───────────────────────────────


def test_a_ready_line_names_no_password_that_is_wrong(tmp_path):
    """A user of the seeds may be called demo, and the ready-made user may have another password since the last start."""
    with emulator_with_user(seeds={"users": [{"username": "demo", "password": "another"}]}) as emulator:
        assert "password" not in ready_report(emulator)["user"]
    path = tmp_path / "state.json"
    with emulator_with_user(state_file=path) as emulator:
        assert ready_report(emulator)["user"]["password"] == "emulator-demo"
    with emulator_with_user(state_file=path) as emulator:
        assert ready_report(emulator)["user"]["password"] == "emulator-demo"
        emulator.update_user(emulator.user("demo"), password="changed")
        assert "password" not in ready_report(emulator)["user"]
