"""Phone numbers: which texts are one, which spellings are the same, and numbers of other countries."""

from __future__ import annotations

import pytest

SMS = "/api/v2/applications/mfa/sms/verify"
NATIONAL, FOREIGN = "7700900123", "+447700900123"


@pytest.fixture
def carl(emu):
    """A user with a British number, which is bound for MFA."""
    return emu.add_user(username="carl", password="pw", phone=NATIONAL, phone_country_code="+44", mfa=["SMS"])


@pytest.mark.parametrize(
    "account", ["shop-138-0013-8000", "13800138000@", "u13800138000", "138/00138000", "#1", "１３８"]
)
async def test_a_name_with_digits_in_it_is_no_phone(emu, api, account):
    """Nobody is logged in as the user whose phone has these digits."""
    emu.add_user(username="ann", password="pw", phone="13800138000")
    emu.add_user(username="one", password="pw", phone="1")
    assert (await api.login(account, "pw"))["code"] == 2004
    assert (await api.login(account, "other"))["code"] == 2004
    with pytest.raises(LookupError):
        emu.user(account)


async def test_a_new_name_with_the_digits_of_a_phone_is_registered(emu, api):
    """Through the login and through GraphQL; the user with the phone is another user."""
    ann = emu.add_user(username="ann", password="pw", phone="13800138000")
    answer = await api.login("shop-138-0013-8000", "pw", autoRegister=True)
    assert (answer["code"], answer["data"]["username"]) == (200, "shop-138-0013-8000")
    given = {"input": {"username": "shop 138 0013 8000", "password": api.encrypted("pw")}}
    query = "mutation registerByUsername($input: RegisterByUsernameInput!) { registerByUsername(input: $input) { id } }"
    made = (await api.post("/graphql/v2", {"query": query, "variables": given}))["data"]["registerByUsername"]
    assert made["id"] not in (ann.id, answer["data"]["id"])


async def test_a_rule_of_one_user_does_not_fire_on_a_name_with_the_digits_of_the_phone(emu, api):
    """The login of an unknown name is nobody's."""
    ann = emu.add_user(username="ann", password="pw", phone="13800138000")
    emu.faults.add(user=ann.id, status=503)
    assert (await api.login("shop-138-0013-8000", "pw"))["code"] == 2004
    assert (await api.login("138 0013 8000", "pw"))["code"] == 503


@pytest.mark.parametrize(
    "spelling",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "138.0013.8000",
        "+8613800138000",
        "+86 (138) 0013-8000",
        "(+86) 138 0013 8000",
        "0086 138 0013 8000",
        "008613800138000",
        " 13800138000 ",
    ],
)
async def test_every_spelling_of_a_phone_is_the_same_number(emu, api, spelling):
    """To log in, to send to, to read the code of, to verify, and to find whose phone it is."""
    ann = emu.add_user(username="ann", password="pw", phone="13800138000", mfa=["SMS"])
    assert (await api.login(spelling, "pw"))["code"] == 1636
    assert emu.user(spelling) == ann
    with pytest.raises(ValueError, match="belongs to another user"):
        emu.add_user(username="bob", password="pw", phone=spelling)
    assert (await api.post("/api/v2/sms/send", {"phone": spelling}))["code"] == 200
    body = {"phone": spelling, "code": emu.code_for("13800138000")}
    assert (await api.post(SMS, body, emu.issue_mfa_token(ann)))["code"] == 200


def test_a_number_with_its_country_code_has_no_other(emu):
    """However the country code is written in it, none is shown beside it."""
    for number, phone in enumerate(("+447700900123", "0044 7700 900124", "(+44) 7700 900125", "7700900126")):
        user = emu.add_user(username=f"u{number}", password="pw", phone=phone)
        assert user.record.phone_country_code == ("+86" if phone == "7700900126" else None), phone


# ─────────────────────────────── other countries ───────────────────────────────


@pytest.mark.parametrize("spelling", [NATIONAL, "7700 900 123"])
async def test_an_ios_client_passes_with_a_foreign_number(emu, api, carl, spelling):
    """It names the country at the login, and leaves it out to send and to verify the second factor's code."""
    await api.post("/api/v2/sms/send", {"phone": NATIONAL, "phoneCountryCode": "+44"})
    body = {"phone": NATIONAL, "phoneCountryCode": "+44", "code": emu.code_for(FOREIGN)}
    due = await api.post("/api/v2/login/phone-code", body)
    assert due["code"] == 1636
    assert (await api.post("/api/v2/sms/send", {"phone": spelling}))["code"] == 200
    body = {"phone": spelling, "code": emu.outbox[-1].code}
    assert (await api.post(SMS, body, due["data"]["mfaToken"]))["code"] == 200


@pytest.mark.parametrize("countries", [({}, {"phoneCountryCode": "+44"}), ({"phoneCountryCode": "+44"}, {})])
async def test_of_two_codes_to_a_foreign_number_the_newest_passes(emu, api, carl, countries):
    """In either order of the spellings, also within a second; the older code is wrong."""
    for country in countries:
        assert (await api.post("/api/v2/sms/send", {"phone": NATIONAL, **country}))["code"] == 200
    older, newest = (message.code for message in emu.outbox)
    for code, expected in ((older, 2001), (newest, 200)):
        answer = await api.post(SMS, {"phone": NATIONAL, "code": code}, emu.issue_mfa_token(carl))
        assert answer["code"] == expected


@pytest.mark.parametrize("spelling", [NATIONAL, "7700 900 123"])
def test_a_phone_that_is_not_changed_keeps_its_country(emu, carl, spelling):
    """Who changes the nickname and gives the phone as it is does not move the user to another country."""
    emu.update_user(carl, phone=spelling, nickname="Carl")
    assert (carl.phone, carl.record.phone_country_code) == (spelling, "+44")
    with pytest.raises(ValueError, match="belongs to another user"):
        emu.add_user(username="bob", password="pw", phone=FOREIGN)
    emu.update_user(carl, phone="13800138000")
    assert carl.record.phone_country_code == "+86"


def test_a_phone_with_another_country_or_without_a_number_has_that_country(emu, carl):
    """A country code in the number or beside it counts; a phone that is removed leaves no country behind."""
    emu.update_user(carl, phone="+44 7700 900123")
    assert carl.record.phone_country_code is None
    emu.update_user(carl, phone=NATIONAL, phone_country_code="+1")
    assert carl.record.phone_country_code == "+1"
    emu.update_user(carl, phone="", phone_country_code="+44")
    assert (carl.phone, carl.record.phone_country_code) == (None, None)
