"""JSON to typed values and back: what each model reads, what it refuses, and that nothing is lost or coerced.

More than 300 lines: one table for each model.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from types import MappingProxyType, NoneType

import attrs
import pytest

from authing_mfa import operations as ops
from authing_mfa.errors import InvalidInputError
from authing_mfa.models import Authenticator, CustomField, MfaChallenge, MfaFactor, TotpEnrollment, UserInfo
from authing_mfa.operations import PhotoKey, PublicConfig
from authing_mfa.structuring import (
    camel,
    from_wire,
    operation_from_wire,
    recovered_user,
    to_wire,
)
from tests.endpoints import SAMPLES

UNREADABLE = (TypeError, KeyError, ValueError)
NOT_OBJECTS = [None, True, 0, 1.5, "text", [], [{}]]

USER = {
    "id": "5f-user",
    "username": "ada",
    "nickname": "Ada",
    "name": "Ada Lovelace",
    "email": "ada@example.cn",
    "phone": "13900000000",
    "phoneCountryCode": "+86",
    "photo": "https://x/y.png",
    "userPoolId": "pool",
    "token": "t-token",
    "id_token": "t-id",
    "access_token": "t-access",
    "refresh_token": "t-refresh",
    "loginsCount": 7,
    "identities": [],
}


# ─────────────────────────────── operations ───────────────────────────────


@pytest.mark.parametrize("cls", [cls for cls in SAMPLES if cls is not ops.UploadFaceImage], ids=lambda c: c.__name__)
def test_operations_survive_the_wire(cls):
    """What the client writes, the other side reads back as the same operation."""
    operation = cls(*SAMPLES[cls])
    assert operation_from_wire(cls, to_wire(operation)) == operation


def test_absent_fields_stay_absent():
    """None is left out of the object, never sent as null; False is sent."""
    assert to_wire(ops.VerifyByPhone("1", "2")) == {"phone": "1", "code": "2"}
    assert to_wire(ops.MfaCheck(None, "a@b.cn")) == {"email": "a@b.cn"}
    assert to_wire(ops.LoginByAccount("a", "b")) == {"account": "a", "password": "b", "autoRegister": False}


def test_reading_an_operation_ignores_unknown_keys_and_checks_the_known():
    """Another client's extra keys do no harm; empty, mistyped and missing ones are errors."""
    assert operation_from_wire(ops.VerifyByTotp, {"totp": "1", "mfaToken": "x"}) == ops.VerifyByTotp("1")
    with pytest.raises(InvalidInputError):
        operation_from_wire(ops.VerifyByTotp, {"totp": " "})
    with pytest.raises(TypeError):
        operation_from_wire(ops.VerifyByTotp, {"totp": 123456})
    with pytest.raises(KeyError):
        operation_from_wire(ops.VerifyByTotp, {})


@pytest.mark.parametrize(
    ("name", "wire"), [("phone", "phone"), ("phone_country_code", "phoneCountryCode"), ("user_id", "userId")]
)
def test_camel(name, wire):
    """Python's spelling becomes the wire's."""
    assert camel(name) == wire


# ─────────────────────────────── users ───────────────────────────────


def test_a_user_is_read_whole():
    """Every named field is taken, every other stays in `raw`."""
    user = from_wire(UserInfo, USER)
    assert user == UserInfo(
        id="5f-user",
        username="ada",
        nickname="Ada",
        name="Ada Lovelace",
        email="ada@example.cn",
        phone="13900000000",
        phone_country_code="+86",
        photo="https://x/y.png",
        user_pool_id="pool",
        token="t-token",
        id_token="t-id",
        access_token="t-access",
        refresh_token="t-refresh",
        raw=USER,
    )
    assert user.raw["loginsCount"] == 7


@pytest.mark.parametrize(
    ("data", "field", "expected"),
    [
        ({"sub": "s"}, "id", "s"),
        ({"id": "i", "sub": "s"}, "id", "i"),
        ({"id": "", "sub": "s"}, "id", "s"),
        ({"id": None, "sub": "s"}, "id", "s"),
        ({"id": "i", "picture": "p"}, "photo", "p"),
        ({"id": "i", "photo": "f", "picture": "p"}, "photo", "f"),
        ({"id": "i", "token": "t"}, "id_token", "t"),
        ({"id": "i", "id_token": "it", "token": "t"}, "id_token", "it"),
        ({"id": "i"}, "id_token", None),
        ({"id": "i", "email": None}, "email", None),
        ({"id": "i", "recoveryCode": "in-data"}, "recovery_code", "in-data"),
    ],
)
def test_fields_with_two_names(data, field, expected):
    """`sub` stands in for `id`, `picture` for `photo`, `token` for `id_token`; null is None and never the text "null"."""
    assert getattr(from_wire(UserInfo, data), field) == expected


def test_a_nested_user_is_unwrapped_and_loses_nothing():
    """`userEntity` is the user; what stood beside it fills its gaps and stays in `raw`."""
    user = from_wire(
        UserInfo, {"userEntity": {"id": "i", "token": None, "extra": 1}, "token": "beside", "id": "outer", "more": 2}
    )
    assert (user.id, user.token, user.id_token) == ("i", "beside", "beside")
    assert user.raw == {"id": "i", "token": "beside", "extra": 1, "more": 2}
    assert from_wire(UserInfo, {"userEntity": {"id": "i"}}).raw == {"id": "i"}
    assert from_wire(UserInfo, {"userEntity": None, "id": "i"}).id == "i"


@pytest.mark.parametrize(
    "data",
    [
        *NOT_OBJECTS,
        {},
        {"id": ""},
        {"id": None},
        {"id": 5},
        {"id": ["x"]},
        {"sub": {"x": 1}},
        {"nickname": "Ada"},
        {"id": "i", "email": 5},
        {"id": "i", "token": True},
        {"id": "i", "token": ["t"]},
        {"id": "i", "picture": 7},
        {"id": "i", "photo": False},
        {"id": "i", "picture": 0},
        {"id": "i", "id_token": []},
        {"id": 0, "sub": "s"},
        {"sub": False},
        {"userEntity": []},
        {"userEntity": "x"},
        {"userEntity": {}},
        {"id": "i", "recoveryCode": 5},
    ],
)
def test_no_half_filled_user(data):
    """A user without an id, or with a field of a wrong type, is no user at all."""
    with pytest.raises(UNREADABLE):
        from_wire(UserInfo, data)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"nickname": "n", "preferredUsername": "p", "name": "m", "username": "u", "phone": "1", "email": "e"}, "n"),
        ({"preferredUsername": "p", "name": "m", "username": "u", "phone": "1", "email": "e"}, "p"),
        ({"nickname": "", "name": "m", "username": "u"}, "m"),
        ({"username": "u", "phone": "1"}, "u"),
        ({"phone": "1", "email": "e"}, "1"),
        ({"email": "e"}, "e"),
        ({"preferredUsername": 5, "email": "e"}, "e"),
        ({}, None),
    ],
)
def test_display_name(fields, expected):
    """The first name there is, in the order of the iOS client."""
    assert from_wire(UserInfo, {"id": "i", **fields}).display_name == expected


# ─────────────────────────────── recovery ───────────────────────────────


def test_the_new_recovery_code_is_beside_the_user():
    """The code beside `data` wins over one inside it."""
    user = recovered_user({"id": "i", "recoveryCode": "old"}, "new")
    assert (user.id, user.recovery_code) == ("i", "new")
    assert recovered_user({"id": "i", "recoveryCode": "inside"}, None).recovery_code == "inside"
    assert recovered_user({"id": "i"}, "").recovery_code is None


@pytest.mark.parametrize("payload", [*NOT_OBJECTS, {}, {"id": 5}, {"id": "i", "email": []}])
def test_the_new_recovery_code_is_never_lost(payload):
    """Whatever stands where the user should be: the new code reaches the caller."""
    user = recovered_user(payload, "new-code")
    assert user == UserInfo(recovery_code="new-code", raw=payload if isinstance(payload, dict) else {})


def test_a_new_code_among_a_broken_users_fields_is_not_lost_either():
    """The code may stand inside `data`, as one client has it."""
    assert recovered_user({"recoveryCode": "inside"}, None).recovery_code == "inside"


@pytest.mark.parametrize(
    ("payload", "code"), [(None, None), ({}, ""), ({"recoveryCode": 5}, None), ({"id": "i"}, 5), ([], ["x"])]
)
def test_no_user_and_no_code_is_an_error(payload, code):
    """An empty answer to a recovery is no success, and a code of another type is no code."""
    with pytest.raises(UNREADABLE):
        recovered_user(payload, code)


# ─────────────────────────────── challenges ───────────────────────────────

CHALLENGE = {
    "mfaToken": "m",
    "mfaPhone": "13900000000",
    "mfaPhoneCountryCode": "+86",
    "mfaEmail": "ada@example.cn",
    "totpMfaEnabled": True,
    "faceMfaEnabled": False,
    "applicationMfa": [
        {"mfaPolicy": "OTP", "status": 1, "sort": 3},
        {"mfaPolicy": "FACE", "status": 0, "sort": 0},
        {"mfaPolicy": "EMAIL", "status": 1, "sort": 2},
        {"mfaPolicy": "SMS", "status": 1, "sort": 1},
        {"mfaPolicy": "PASSKEY", "sort": None},
    ],
    "username": "ada",
}


def test_a_challenge_is_read_whole():
    """Enabled factors by `sort`, targets, flags, and everything else in `raw`."""
    assert MfaChallenge.from_dict(CHALLENGE) == MfaChallenge(
        token="m",
        factors=(
            MfaFactor("PASSKEY", 0),
            MfaFactor("SMS", 1),
            MfaFactor("EMAIL", 2),
            MfaFactor("OTP", 3),
        ),
        phone="13900000000",
        phone_country_code="+86",
        email="ada@example.cn",
        totp_enabled=True,
        face_enabled=False,
        raw=CHALLENGE,
    )


@pytest.mark.parametrize("status", [0, False, "0"])
def test_disabled_factors_are_left_out(status):
    """Status 0 is off, however it is spelt."""
    data = {"mfaToken": "m", "applicationMfa": [{"mfaPolicy": "SMS", "status": status}]}
    assert MfaChallenge.from_dict(data).factors == ()


def test_factors_of_one_sort_keep_their_order():
    """All `sort` may be 0; then the service's order stands."""
    listed = [{"mfaPolicy": policy, "status": 1, "sort": 0} for policy in ("SMS", "EMAIL", "OTP", "FACE")]
    factors = MfaChallenge.from_dict({"mfaToken": "m", "applicationMfa": listed}).factors
    assert [factor.policy for factor in factors] == ["SMS", "EMAIL", "OTP", "FACE"]


@pytest.mark.parametrize("kind", [OrderedDict, MappingProxyType, dict])
@pytest.mark.parametrize("listing", [tuple, list])
def test_a_challenge_may_be_held_in_other_types(kind, listing):
    """A program's own JSON settings, a cache or a frozen value: mappings and tuples at every level."""
    data = kind({**CHALLENGE, "applicationMfa": listing(kind(factor) for factor in CHALLENGE["applicationMfa"])})
    challenge = MfaChallenge.from_dict(data)
    assert challenge.factors == MfaChallenge.from_dict(CHALLENGE).factors
    assert challenge.raw is data
    one = MfaChallenge.from_dict({"mfaToken": "m", "applicationMfa": kind({"mfaPolicy": "SMS"})})
    assert one.factors == (MfaFactor("SMS"),)


@pytest.mark.parametrize("code", ["1635", 1635.0, None, True])
def test_the_code_of_a_challenge_is_a_number(code):
    """As text, 1635 would give a challenge without any factor."""
    with pytest.raises(InvalidInputError, match="code must be a whole number, 1635 or 1636"):
        MfaChallenge.from_dict(CHALLENGE, code=code)


@pytest.mark.parametrize("absent", ["", None])
def test_an_empty_target_must_be_bound_first(absent):
    """Empty text and null are None: the user has no such target yet."""
    data = {"mfaToken": "m", "mfaPhone": absent, "mfaPhoneCountryCode": absent, "mfaEmail": absent}
    challenge = MfaChallenge.from_dict(data)
    assert (challenge.phone, challenge.phone_country_code, challenge.email) == (None, None, None)
    assert challenge.factors == ()
    assert (challenge.totp_enabled, challenge.face_enabled) == (False, False)


def test_1635_asks_for_the_users_own_totp():
    """A 1635 answer lists nothing: it means one bound OTP factor."""
    challenge = MfaChallenge.from_dict({"mfaToken": "m", "nickname": "Ada"}, code=1635)
    assert challenge.factors == (MfaFactor("OTP"),)
    assert challenge.totp_enabled is True
    assert challenge.raw["nickname"] == "Ada"


@pytest.mark.parametrize(
    "data",
    [
        *NOT_OBJECTS,
        {},
        {"mfaToken": ""},
        {"mfaToken": None},
        {"mfaToken": 5},
        {**CHALLENGE, "mfaPhone": 5},
        {**CHALLENGE, "mfaEmail": []},
        {**CHALLENGE, "mfaPhoneCountryCode": 86},
        {**CHALLENGE, "totpMfaEnabled": "false"},
        {**CHALLENGE, "faceMfaEnabled": 1},
        {**CHALLENGE, "applicationMfa": {}},
        {**CHALLENGE, "applicationMfa": ["SMS"]},
        {**CHALLENGE, "applicationMfa": [{"status": 1}]},
        {**CHALLENGE, "applicationMfa": [{"mfaPolicy": 5}]},
        {**CHALLENGE, "applicationMfa": [{"mfaPolicy": "SMS", "sort": "1"}]},
        {**CHALLENGE, "applicationMfa": [{"mfaPolicy": "SMS", "sort": True}]},
    ],
)
def test_no_half_filled_challenge(data):
    """A challenge without a token, or with a field of a wrong type, is refused; "false" is not True."""
    with pytest.raises(UNREADABLE):
        MfaChallenge.from_dict(data)


# ─────────────────────────────── TOTP ───────────────────────────────

PNG = b"\x89PNG\r\n\x1a\n..."
ENROLLMENT = {
    "authenticator_type": "totp",
    "secret": "GEZDGNBVGY3TQOJQ",
    "qrcode_uri": "otpauth://totp/x:ada?secret=GEZDGNBVGY3TQOJQ",
    "qrcode_data_url": "data:image/png;base64," + base64.b64encode(PNG).decode(),
    "recovery_code": "aaaa-bbbb-cccc-dddd-eeee-ffff",
}


def test_an_enrollment_is_read_whole():
    """Secret, address, recovery code and the decoded picture; nothing of it shows in a repr."""
    enrollment = from_wire(TotpEnrollment, ENROLLMENT)
    assert enrollment == TotpEnrollment(
        secret="GEZDGNBVGY3TQOJQ",
        uri=ENROLLMENT["qrcode_uri"],
        recovery_code="aaaa-bbbb-cccc-dddd-eeee-ffff",
        qr_png=PNG,
    )
    assert repr(enrollment) == "TotpEnrollment()"


def test_an_enrollment_of_the_newer_api_is_read_too():
    """camelCase names mean the same; a picture may be missing."""
    data = {"secret": "S", "qrCodeUri": "otpauth://x", "recoveryCode": "r"}
    assert from_wire(TotpEnrollment, data) == TotpEnrollment("S", "otpauth://x", "r", None)
    assert from_wire(TotpEnrollment, {**ENROLLMENT, "qrcode_data_url": ""}).qr_png is None
    beside = {key: value for key, value in ENROLLMENT.items() if key != "recovery_code"}
    assert from_wire(TotpEnrollment, beside, "beside").recovery_code == "beside"


@pytest.mark.parametrize(
    "change",
    [
        {"secret": None},
        {"secret": ""},
        {"secret": 5},
        {"qrcode_uri": None},
        {"recovery_code": None},
        {"recovery_code": ["x"]},
        {"qrcode_data_url": "https://x/qr.png"},
        {"qrcode_data_url": "data:image/png;base64,***"},
        {"qrcode_data_url": "data:image/png;base64,密"},
        {"qrcode_data_url": 5},
        {"qrcode_data_url": False},
        {"qrcode_data_url": None, "qrCodeDataUrl": 0},
    ],
)
def test_no_half_filled_enrollment(change):
    """Every part is needed, and a picture that cannot be decoded is an error."""
    with pytest.raises(UNREADABLE):
        from_wire(TotpEnrollment, {**ENROLLMENT, **change})


@pytest.mark.parametrize("payload", [None, True, {}, {"message": "bound"}, {"id": None}, {"id": ""}])
def test_a_confirmation_may_answer_no_user(payload):
    """Most confirmations only say yes."""
    assert from_wire(UserInfo | None, payload) is None


@pytest.mark.parametrize("payload", [{"id": "i"}, {"sub": "i"}, {"userEntity": {"id": "i"}}])
def test_a_confirmation_may_answer_the_user(payload):
    """A binding that the application asks for ends with the login."""
    user = from_wire(UserInfo | None, payload)
    assert user is not None
    assert user.id == "i"


@pytest.mark.parametrize(
    "payload", [False, 5, "text", [], {"id": 5}, {"id": 0}, {"userEntity": []}, {"userEntity": {"name": "x"}}]
)
def test_a_confirmation_of_another_shape_is_an_error(payload):
    """A user that cannot be read is an error, not None."""
    with pytest.raises(UNREADABLE):
        from_wire(UserInfo | None, payload)


# ─────────────────────────────── the others ───────────────────────────────


def test_authenticators_leave_out_their_secrets():
    """The service's list exposes the secret and the recovery code; ours does not hold them."""
    entry = {"id": "a", "authenticatorType": "totp", "enable": False, "secret": "S3", "recoveryCode": "R3"}
    listed = from_wire(tuple[Authenticator, ...], [entry, {**entry, "enable": True, "source": "SELF"}])
    assert listed == (
        Authenticator("a", "totp", enabled=False),
        Authenticator("a", "totp", enabled=True, source="SELF"),
    )
    assert not {"S3", "R3"} & set(map(str, attrs.asdict(listed[0]).values()))
    assert from_wire(tuple[Authenticator, ...], []) == ()


@pytest.mark.parametrize(
    "payload", [None, {}, "x", [None], [{}], [{"id": "a", "authenticatorType": "totp", "enable": "true"}]]
)
def test_no_half_filled_authenticators(payload):
    """One bad entry spoils the list."""
    with pytest.raises(UNREADABLE):
        from_wire(tuple[Authenticator, ...], payload)


@pytest.mark.parametrize(
    ("data_type", "value", "expected"),
    [
        ("NUMBER", "12", 12),
        ("NUMBER", "1.5", 1.5),
        ("NUMBER", "true", "true"),
        ("NUMBER", "NaN", "NaN"),
        ("NUMBER", "1e999", "1e999"),
        ("NUMBER", "twelve", "twelve"),
        ("NUMBER", 12, 12),
        ("NUMBER", "9" * 5000, "9" * 5000),
        ("BOOLEAN", "true", True),
        ("BOOLEAN", "1", "1"),
        ("OBJECT", '{"a":1}', {"a": 1}),
        ("OBJECT", "[" * 100_000, "[" * 100_000),
        ("OBJECT", {"a": 1}, {"a": 1}),
        ("DATETIME", "2024-01-01", "2024-01-01"),
        ("STRING", "12", "12"),
        (None, "12", "12"),
        ("STRING", None, None),
        ("WORD", "12", "12"),
    ],
)
def test_custom_fields_are_decoded_by_their_type(data_type, value, expected):
    """JSON text of the declared type becomes the value; anything else stays as it came."""
    entry = {"key": "k", "value": value, "label": "L", "dataType": data_type}
    (field,) = from_wire(tuple[CustomField, ...], [entry])
    assert field == CustomField("k", expected, "L", data_type)
    assert type(field.value) is type(expected)


@pytest.mark.parametrize(
    "payload", [None, {}, [None], [{}], [{"key": 5}], [{"key": "k", "label": 5}], [{"key": "k", "dataType": 5}]]
)
def test_no_half_filled_custom_fields(payload):
    """A field without a name, or with a label of a wrong type, is an error."""
    with pytest.raises(UNREADABLE):
        from_wire(tuple[CustomField, ...], payload)


def test_a_photo_key_is_read():
    """An upload returns the key; the address is ignored."""
    assert from_wire(PhotoKey, {"key": "photos/x", "url": "https://y"}) == "photos/x"


@pytest.mark.parametrize("payload", [*NOT_OBJECTS, {}, {"key": None}, {"key": ""}, {"key": 5}, {"url": "https://y"}])
def test_an_upload_without_a_key_is_an_error(payload):
    """An address alone, or nothing, is not a key."""
    with pytest.raises(UNREADABLE):
        from_wire(PhotoKey, payload)


@pytest.mark.parametrize("payload", [None, 1, 0, "true", {}, []])
def test_only_a_boolean_is_a_boolean(payload):
    """1, "true" and null are not an answer to a yes-or-no question."""
    with pytest.raises(UNREADABLE):
        from_wire(bool, payload)


def test_plain_answers():
    """A boolean, nothing, and a whole object are taken as they are."""
    assert from_wire(bool, payload=False) is False
    assert from_wire(NoneType, {"anything": 1}) is None
    assert from_wire(PublicConfig.returns, {"a": 1}) == {"a": 1}
    with pytest.raises(TypeError):
        from_wire(PublicConfig.returns, [])
