"""Operations as values: their checks, their secrets, and that each is in the table once."""

from __future__ import annotations

import inspect
from types import NoneType

import attrs
import pytest

from authing_mfa import AuthClient, InvalidInputError
from authing_mfa import operations as ops
from authing_mfa.models import Captcha
from authing_mfa.operations import OPERATIONS, Bearer, Operation, PhotoKey, PublicConfig, Route
from tests.endpoints import SAMPLES

TEXT_FIELDS = [
    (cls, index) for cls, values in SAMPLES.items() for index, value in enumerate(values) if isinstance(value, str)
]
FLAG_FIELDS = [
    (cls, index) for cls, values in SAMPLES.items() for index, value in enumerate(values) if isinstance(value, bool)
]


def _subclasses(cls):
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)


def _instead(cls, index, value):
    values = list(SAMPLES[cls])
    values[index] = value
    return cls(*values)


def test_the_table_names_every_operation_once():
    """No endpoint is defined and then forgotten; public-config is discovery's own."""
    # By name: attrs makes each slotted class twice, and the first one lives until the garbage is collected.
    ours = {cls.__name__ for cls in _subclasses(Operation) if cls.__module__ == ops.__name__}
    assert {cls.__name__ for cls in (*OPERATIONS, PublicConfig)} == ours
    assert {*OPERATIONS, PublicConfig} == set(SAMPLES)
    assert len(OPERATIONS) == len(set(OPERATIONS))


def test_names_and_routes_are_unique():
    """One endpoint, one class; one method name, one callback name each. An MFA e-mail is an e-mail of a fixed scene."""
    routes = [(cls.route.method, cls.route.path) for cls in OPERATIONS if cls is not ops.SendMfaEmail]
    methods = [cls.python_name for cls in OPERATIONS]
    swift = [name for cls in OPERATIONS for name in cls.swift_names]
    for names in (routes, methods, swift):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
def test_fields_are_the_parameters_of_the_method(cls):
    """The parameters of a method are the fields of its operation, under the same names."""
    parameters = set(inspect.signature(getattr(AuthClient, cls.python_name)).parameters) - {"self"}
    fields = {field.name for field in attrs.fields(cls)} - {"source"}  # ours to choose: always SELF
    assert parameters == fields


def test_which_calls_need_a_token():
    """A call that acts for a user needs a token. What comes before a login may have one, or never carries it."""
    names = {
        bearer: {cls.python_name for cls in (*OPERATIONS, PublicConfig) if cls.bearer is bearer} for bearer in Bearer
    }
    assert names[Bearer.OPTIONAL] == {
        "login_by_account",
        "login_by_phone_code",
        "login_by_email_code",
        "send_sms",
        "send_mfa_email",
        "send_email",
        "introspect_mfa_token",
        "logout",
    }
    assert names[Bearer.NEVER] == {
        "upload_face_image",
        "public_config",
        "get_captcha",
        "change_password_by_first_login_token",
        "change_expired_password",
    }


CHANGES_NOTHING = {
    "mfa_check",
    "mfa_list_authenticators",
    "introspect_mfa_token",
    "get_current_user",
    "get_custom_user_data",
    "get_captcha",
    "get_security_level",
    "get_factor",
    "list_enrolled_factors",
    "list_factors_to_enroll",
    "public_config",
    "upload_face_image",  # no user has the photo until another call sends its key
}
CHANGES_SOMETHING = {
    "login_by_account",
    "login_by_phone_code",
    "login_by_email_code",
    "mfa_verify_by_phone",
    "mfa_verify_by_email",
    "mfa_verify_by_totp",
    "mfa_verify_by_recovery_code",
    "mfa_verify_by_face",
    "check_totp",
    "send_sms",
    "send_mfa_email",
    "send_email",
    "mfa_associate_by_totp",
    "mfa_associate_by_face",
    "mfa_confirm_totp",
    "mfa_delete_totp",
    "mfa_unbind_phone",
    "mfa_unbind_email",
    "mfa_unbind_factor",
    "send_enroll_factor_request",
    "enroll_factor",
    "change_password_by_first_login_token",
    "change_expired_password",
    "refresh_id_token",
    "logout",  # a GET on the wire
}


def test_only_calls_that_change_nothing_are_retried_when_they_may_have_arrived():
    """Each operation is in exactly one list. A call that spends a code, sends a message or writes is never retryable."""
    everything = {cls.python_name: cls.retryable for cls in (*OPERATIONS, PublicConfig)}
    assert everything == dict.fromkeys(CHANGES_NOTHING, True) | dict.fromkeys(CHANGES_SOMETHING, False)


@pytest.mark.parametrize(("cls", "index"), TEXT_FIELDS)
@pytest.mark.parametrize("bad", ["", "   ", "\t\n", 5, b"bytes", ["x"], "half \ud800 pair"])
def test_bad_text_is_refused(cls, index, bad):
    """Empty text, only spaces, another type, or text that UTF-8 cannot carry never becomes an operation; no value is shown."""
    name = attrs.fields(cls)[index].name
    with pytest.raises(InvalidInputError, match=name) as caught:
        _instead(cls, index, bad)
    assert caught.value.delivery == "not_sent"
    assert "half" not in str(caught.value).replace("half of", "")


@pytest.mark.parametrize(("cls", "index"), TEXT_FIELDS)
def test_text_of_any_language_is_accepted(cls, index):
    """Chinese text and emoji pass as they are."""
    operation = _instead(cls, index, "中文 🙂")
    assert attrs.astuple(operation)[index] == "中文 🙂"


@pytest.mark.parametrize(("cls", "index"), FLAG_FIELDS)
@pytest.mark.parametrize("bad", [1, 0, None, "true"])
def test_bad_flags_are_refused(cls, index, bad):
    """A flag is True or False, not another value that counts as true or false."""
    with pytest.raises(InvalidInputError, match=attrs.fields(cls)[index].name):
        _instead(cls, index, bad)


@pytest.mark.parametrize("bad", [b"", None])
def test_no_picture_is_refused(bad):
    """An upload holds a picture; whether the picture can be read is found out when the upload is performed."""
    with pytest.raises(InvalidInputError, match="image"):
        ops.UploadFaceImage(bad)


def test_optional_text_may_be_left_out():
    """None leaves an optional field out."""
    assert ops.VerifyByPhone("1", "2").phone_country_code is None
    assert ops.SendSms("1").phone_country_code is None


@pytest.mark.parametrize(("phone", "email"), [(None, None), ("", None), (None, " "), ("", "a@b.cn"), (5, None)])
def test_mfa_check_needs_a_target(phone, email):
    """Without phone and e-mail address it is an error, and also with an empty one."""
    with pytest.raises(InvalidInputError):
        ops.MfaCheck(phone, email)


def test_mfa_check_takes_one_or_both():
    """One target is enough, two are allowed."""
    assert ops.MfaCheck("1").email is None
    assert ops.MfaCheck(None, "a@b.cn").phone is None
    assert ops.MfaCheck("1", "a@b.cn").phone == "1"


@pytest.mark.parametrize(
    ("type_", "fields"), [("SMS", {}), ("SMS", {"email": "a@b.cn"}), ("EMAIL", {}), ("EMAIL", {"phone": "1"})]
)
def test_an_enrollment_needs_its_target(type_, fields):
    """A code needs a target: SMS needs a phone, EMAIL an address."""
    with pytest.raises(InvalidInputError, match=f"{type_} factor needs"):
        ops.SendEnrollFactorRequest(type_, **fields)


@pytest.mark.parametrize("type_", ["OTP", "FACE", "PASSKEY"])
def test_other_enrollments_need_no_target(type_):
    """Their profile is empty."""
    assert ops.SendEnrollFactorRequest(type_).phone is None


@pytest.mark.parametrize(
    ("type_", "proof"),
    [
        ("SMS", {}),
        ("SMS", {"code": "1", "photo_key": "k"}),
        ("SMS", {"photo_key": "k"}),
        ("OTP", {"photo_key": "k"}),
        ("EMAIL", {"photo_key": "k"}),
        ("FACE", {"code": "1"}),
        ("PASSKEY", {}),
    ],
)
def test_an_enrollment_is_finished_with_one_proof(type_, proof):
    """A code or a photo, as the type needs it."""
    with pytest.raises(InvalidInputError):
        ops.EnrollFactor("token", type_, **proof)


@pytest.mark.parametrize("captcha", ["picture", b"picture", 5])
def test_a_captcha_is_what_get_captcha_returned(captcha):
    """A picture alone is no captcha: its cookie is missing."""
    with pytest.raises(InvalidInputError, match="captcha"):
        ops.LoginByAccount("ada", "pw", captcha_code="abcd", captcha=captcha)


def test_a_captcha_needs_its_text():
    """A captcha without its text is refused; a text alone is allowed, as the JavaScript client sends it."""
    with pytest.raises(InvalidInputError, match="captcha_code"):
        ops.LoginByAccount("ada", "pw", captcha=Captcha(b"x"))
    assert ops.LoginByAccount("ada", "pw", captcha_code="abcd").captcha is None


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_secrets_stay_out_of_repr(cls):
    """Codes, passwords and pictures never show; other fields do."""
    operation = cls(*SAMPLES[cls])
    assert "s3cret" not in repr(operation)
    assert "s3cret" not in str(operation)
    if cls in (ops.VerifyByPhone, ops.LoginByAccount):
        assert str(SAMPLES[cls][0]) in repr(operation)


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_operations_are_frozen_values(cls):
    """Equal by content, usable as keys, and immutable."""
    one, other = cls(*SAMPLES[cls]), cls(*SAMPLES[cls])
    assert one == other
    assert hash(one) == hash(other)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.phone = "x"


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_every_operation_says_what_it_answers(cls):
    """Every operation has a route, an answer type and names."""
    assert isinstance(cls.route, Route)
    assert cls.returns is NoneType or cls.returns is not None
    assert cls.python_name
    assert isinstance(cls.swift_names, tuple)


def test_a_photo_key_is_text():
    """A key can be used wherever a text is needed."""
    assert PhotoKey("k") == "k"
    assert isinstance(PhotoKey("k"), str)


@pytest.mark.parametrize(
    "other", [ops.VerifyByPhone("1", "9999"), ops.VerifyByPhone("2", "1234"), ops.VerifyByTotp("1234"), None]
)
def test_operations_of_another_content_or_kind_are_not_equal(other):
    """A secret counts, too."""
    assert ops.VerifyByPhone("1", "1234") != other
