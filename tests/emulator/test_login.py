"""The first factor, and the challenge for the second."""

from __future__ import annotations

import pytest

from authing_mfa.emulator import Emulator, Settings


async def test_a_user_without_second_factor_is_logged_in(emu, api):
    """A login with nothing to add answers the user with a token that users/me takes."""
    user = emu.add_user(username="eve", password="pw", email="eve@example.com", nickname="Eve")
    answer = await api.login("eve", "pw")
    assert answer["code"] == 200
    assert (answer["data"]["id"], answer["data"]["nickname"]) == (user.id, "Eve")
    me = await api.get("/api/v2/users/me", answer["data"]["token"])
    assert me["data"]["username"] == "eve"


@pytest.mark.parametrize(("start", "lifetime"), [(1000.9, 0.5), (1000.0, 0.5), (1000.9, 1), (1000.5, 360)])
async def test_a_token_is_valid_as_long_as_the_settings_say(api_of, start, lifetime):
    """To the fraction of a second, although its `exp` has whole seconds."""
    with Emulator(clock=lambda: start, settings=Settings(mfa_token_ttl=lifetime)) as emulator:
        api, token = api_of(emulator), emulator.issue_mfa_token(emulator.add_user(username="ann", password="pw"))
        for moment, code in ((0, 200), (lifetime - 0.1, 200), (lifetime, 2021)):
            emulator.clock.set(start + moment)
            assert (await api.post("/api/v2/applications/mfa/check", {"phone": "1"}, token))["code"] == code, moment


async def test_a_token_expires_when_its_user_says(emu, api):
    """`tokenExpiredAt` is the token's own `exp`: asking for the user later does not move it."""
    emu.add_user(username="eve", password="pw")
    at_login = (await api.login("eve", "pw"))["data"]
    emu.clock.advance(86400)
    for_graphql = {"query": "query user { user { id } }"}
    later = (
        (await api.get("/api/v2/users/me", at_login["token"]))["data"],
        (await api.post("/graphql/v2", for_graphql, at_login["token"]))["data"]["user"],
    )
    assert [user["tokenExpiredAt"] for user in later] == [at_login["tokenExpiredAt"]] * 2
    emu.clock.advance(14 * 86400)
    assert (await api.get("/api/v2/users/me", at_login["token"]))["code"] == 2020


@pytest.mark.parametrize("account", ["ann", "13800138000", "+8613800138000", "ANN@example.com"])
async def test_an_account_is_a_name_a_phone_or_an_address(emu, api, account):
    """Every name a user has logs in."""
    emu.add_user(username="ann", password="pw", phone="13800138000", email="ann@example.com")
    assert (await api.login(account, "pw"))["code"] == 200


async def test_application_policies_ask_for_a_second_factor(emu, api):
    """1636 carries the mfaToken, the policies in their order, and what is bound."""
    emu.add_user(
        username="ann",
        password="pw",
        phone="13800138000",
        email="ann@example.com",
        mfa=["SMS", "TOTP", "FACE"],
        totp=True,
    )
    answer = await api.login("ann", "pw")
    data = answer["data"]
    assert answer["code"] == 1636
    assert [(entry["mfaPolicy"], entry["status"], entry["sort"]) for entry in data["applicationMfa"]] == [
        ("SMS", 1, 1),
        ("OTP", 1, 2),
        ("FACE", 1, 3),
    ]
    assert (data["mfaPhone"], data["mfaPhoneCountryCode"], data["mfaEmail"]) == ("13800138000", "+86", None)
    assert (data["totpMfaEnabled"], data["faceMfaEnabled"], data["phone"]) == (True, False, "13800138000")
    assert (await api.post("/api/v2/applications/mfa/check", {"phone": "1"}, data["mfaToken"]))["data"] is True


async def test_the_applications_own_policies_hold_for_every_user(api_of):
    """`application_mfa` asks everybody, before the user's own policies."""
    with Emulator(settings=Settings(application_mfa=("EMAIL",))) as emu:
        emu.add_user(username="ann", password="pw", mfa=["OTP"])
        answer = await api_of(emu).login("ann", "pw")
    assert [entry["mfaPolicy"] for entry in answer["data"]["applicationMfa"]] == ["EMAIL", "OTP"]


async def test_a_users_own_totp_is_asked_for_with_1635(emu, api):
    """Without policies only the TOTP that the user bound is needed, and the answer has no list of factors."""
    emu.add_user(username="bob", password="pw", totp=True)
    answer = await api.login("bob", "pw")
    assert answer["code"] == 1635
    assert sorted(answer["data"]) == ["avatar", "email", "mfaToken", "nickname", "username"]


async def test_wrong_password_and_unknown_account(emu, api):
    """2333 for the password, 2004 for the account."""
    emu.add_user(username="ann", password="pw")
    assert (await api.login("ann", "other"))["code"] == 2333
    assert (await api.login("nobody", "pw"))["code"] == 2004


@pytest.mark.parametrize("password", ["plain", "AAAA", "A" * 172, "é"])
async def test_a_password_for_another_key_has_its_own_code(emu, api, password):
    """What the emulator's key cannot read is 2333, with a hint at the key."""
    emu.add_user(username="ann", password="pw")
    answer = await api.post("/api/v2/login/account", {"account": "ann", "password": password}, x_authing_lang="en-US")
    assert answer["code"] == 2333
    assert "public key" in answer["message"]


@pytest.mark.parametrize(
    ("account", "field"), [("new", "username"), ("13911112222", "phone"), ("new@example.com", "email")]
)
async def test_auto_register_makes_the_user(emu, api, account, field):
    """An unknown account with autoRegister becomes a new user; its form decides which field it is."""
    answer = await api.login(account, "pw", autoRegister=True)
    assert (answer["code"], answer["data"][field]) == (200, account)
    assert (await api.login(account, "other"))["code"] == 2333
    assert len(emu.users) == 1


async def test_login_by_phone_code(emu, api):
    """The code that was sent logs in once; without a user only with autoRegister."""
    user = emu.add_user(username="ann", password="pw", phone="13800138000")
    await api.post("/api/v2/sms/send", {"phone": "13800138000"})
    body = {"phone": "13800138000", "code": emu.code_for("13800138000")}
    assert (await api.post("/api/v2/login/phone-code", {**body, "code": "000000"}))["code"] == 2001
    assert (await api.post("/api/v2/login/phone-code", body))["data"]["id"] == user.id
    assert (await api.post("/api/v2/login/phone-code", body))["code"] == 2001
    new = {"phone": "13900139000", "code": emu.send_code("13900139000")}
    assert (await api.post("/api/v2/login/phone-code", new))["code"] == 2004
    assert (await api.post("/api/v2/login/phone-code", {**new, "autoRegister": True}))["code"] == 200


async def test_login_by_email_code(emu, api):
    """The same with an e-mail address, in small or capital letters."""
    user = emu.add_user(username="ann", password="pw", email="ann@example.com")
    code = emu.send_code("ann@example.com")
    answer = await api.post("/api/v2/login/email-code", {"email": "Ann@Example.com", "code": code, "context": "{}"})
    assert answer["data"]["id"] == user.id
    other = {"email": "new@example.com", "code": emu.send_code("new@example.com")}
    assert (await api.post("/api/v2/login/email-code", other))["code"] == 2004
    assert (await api.post("/api/v2/login/email-code", {**other, "autoRegister": True}))["data"]["email"] == other[
        "email"
    ]


async def test_wrong_codes_lock_the_user_until_the_clock_says_otherwise(api_of):
    """The configured number of wrong passwords or codes in a row locks: 2005 for the login and for the second factor."""
    with Emulator(settings=Settings(lock_after=3, lock_seconds=60), clock=lambda: 1e9) as emu:
        api = api_of(emu)
        user = emu.add_user(username="ann", password="pw", mfa=["OTP"], totp=True)
        token = emu.issue_mfa_token(user)
        for _ in range(2):
            assert (await api.login("ann", "no"))["code"] == 2333
        assert (await api.post("/api/v2/mfa/totp/verify", {"totp": "000000"}, token))["code"] == 6001
        assert user.locked
        assert (await api.login("ann", "pw"))["code"] == 2005
        assert (await api.post("/api/v2/mfa/totp/verify", {"totp": user.totp_code}, token))["code"] == 2005
        emu.clock.advance(61)
        assert not user.locked
        assert (await api.post("/api/v2/mfa/totp/verify", {"totp": user.totp_code}, token))["code"] == 200


async def test_a_success_forgets_the_failures(api_of):
    """Only failures in a row count, and nobody is locked unless that is configured."""
    with Emulator(settings=Settings(lock_after=2)) as emu:
        api = api_of(emu)
        emu.add_user(username="ann", password="pw")
        for password in ("no", "pw", "no", "pw"):
            answer = await api.login("ann", password)
        assert answer["code"] == 200


async def test_the_emulator_locks_no_user_by_default(emu, api):
    """No source states a lock-out, so there is none by default."""
    emu.add_user(username="ann", password="pw")
    for _ in range(20):
        await api.login("ann", "no")
    assert (await api.login("ann", "pw"))["code"] == 200


async def test_answers_hold_no_password(emu, api):
    """Neither the password nor its hash is ever answered, unlike the service does it."""
    emu.add_user(username="eve", password="hunter2-secret")
    answer = await api.login("eve", "hunter2-secret")
    assert not {"password", "salt"} & answer["data"].keys()
    assert b"hunter2" not in emu.state.users[answer["data"]["id"]].password_hash


@pytest.mark.parametrize(
    ("lang", "sentence"), [("zh-CN", "账号或密码错误"), ("en-US", "The account or the password is wrong.")]
)
async def test_messages_follow_the_language(emu, api, lang, sentence):
    """x-authing-lang chooses Chinese or English."""
    emu.add_user(username="ann", password="pw")
    body = {"account": "ann", "password": api.encrypted("no")}
    assert (await api.post("/api/v2/login/account", body, x_authing_lang=lang))["message"] == sentence


def test_what_belongs_to_one_user_cannot_belong_to_another(emu):
    """User name, phone and address are unique in the pool; an unknown policy word is a mistake."""
    emu.add_user(username="ann", password="pw", phone="13800138000", email="ann@example.com")
    for fields in (
        {"username": "ann"},
        {"username": "bob", "phone": "+86 138 0013 8000"},
        {"username": "bob", "email": "ANN@example.com"},
        {"username": "bob", "mfa": ["TELEPATHY"]},
    ):
        with pytest.raises(ValueError, match=r"already|not an MFA policy"):
            emu.add_user(password="pw", **fields)
    with pytest.raises(TypeError):
        emu.add_user(username="bob", password="pw", mfa="SMS")
