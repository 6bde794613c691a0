"""Operations as values: what they accept, what they hide, and that nothing of the table is missing or double."""

from __future__ import annotations

import inspect
from types import NoneType

import attrs
import pytest

from authing_mfa import AuthClient, InvalidInputError
from authing_mfa import operations as ops
from authing_mfa.operations import OPERATIONS, Bearer, Operation, PhotoKey, PublicConfig, Route

SAMPLES: dict[type[Operation], tuple[object, ...]] = {
    ops.MfaCheck: ("13900000000", "a@b.cn"),
    ops.VerifyByPhone: ("13900000000", "s3cret-code", "+86"),
    ops.VerifyByEmail: ("a@b.cn", "s3cret-code"),
    ops.VerifyByTotp: ("s3cret-code",),
    ops.VerifyByRecoveryCode: ("s3cret-code",),
    ops.UploadFaceImage: (b"s3cret-picture", False),
    ops.AssociateFace: ("key-a", "key-b"),
    ops.VerifyByFace: ("key-a",),
    ops.LoginByAccount: ("ada", "s3cret-password", True),
    ops.LoginByPhoneCode: ("13900000000", "s3cret-code", "+86", True),
    ops.LoginByEmailCode: ("a@b.cn", "s3cret-code", True),
    ops.SendSms: ("13900000000", "+86"),
    ops.SendMfaEmail: ("a@b.cn",),
    ops.AssociateTotp: (),
    ops.ConfirmTotp: ("s3cret-code",),
    ops.DeleteTotp: (),
    ops.ListAuthenticators: (),
    ops.UnbindPhone: (),
    ops.UnbindEmail: (),
    ops.UnbindFactor: ("factor-1",),
    ops.GetCurrentUser: (),
    ops.GetCustomUserData: ("u1",),
    PublicConfig: ("app",),
}

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
    """One endpoint, one class; one method name, one callback name each."""
    routes = [(cls.route.method, cls.route.path) for cls in OPERATIONS]
    methods = [cls.python_name for cls in OPERATIONS]
    swift = [name for cls in OPERATIONS for name in cls.swift_names]
    for names in (routes, methods, swift):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
def test_fields_are_the_parameters_of_the_method(cls):
    """What a method asks for is what its operation holds, under the same names."""
    parameters = set(inspect.signature(getattr(AuthClient, cls.python_name)).parameters) - {"self"}
    fields = {field.name for field in attrs.fields(cls)} - {"source"}  # ours to choose: always SELF
    assert parameters == fields


def test_which_calls_need_a_token():
    """All mfa_* and get_* calls need a token; logins and code sending may have one; uploads and discovery never carry it."""
    expected = {"login": Bearer.OPTIONAL, "send": Bearer.OPTIONAL, "upload": Bearer.NEVER, "public": Bearer.NEVER}
    for cls in (*OPERATIONS, PublicConfig):
        assert cls.bearer is expected.get(cls.python_name.split("_")[0], Bearer.REQUIRED), cls


def test_which_calls_may_be_repeated():
    """Only a check, an upload and discovery: nothing that spends a code, writes, or was not promised to be repeated."""
    assert {cls.python_name for cls in (*OPERATIONS, PublicConfig) if cls.repeatable} == {
        "mfa_check",
        "upload_face_image",
        "public_config",
    }


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
    """A flag is True or False, nothing that merely counts as one."""
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
    """Neither a phone nor an e-mail address is a mistake, and so is an empty one of them."""
    with pytest.raises(InvalidInputError):
        ops.MfaCheck(phone, email)


def test_mfa_check_takes_one_or_both():
    """One target is enough, two are fine."""
    assert ops.MfaCheck("1").email is None
    assert ops.MfaCheck(None, "a@b.cn").phone is None
    assert ops.MfaCheck("1", "a@b.cn").phone == "1"


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_secrets_stay_out_of_repr(cls):
    """Codes, passwords and pictures never show, whatever else does."""
    operation = cls(*SAMPLES[cls])
    assert "s3cret" not in repr(operation)
    assert "s3cret" not in str(operation)
    if cls in (ops.VerifyByPhone, ops.LoginByAccount):
        assert str(SAMPLES[cls][0]) in repr(operation)


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_operations_are_frozen_values(cls):
    """Equal by content, usable as keys, and not to be changed once checked."""
    one, other = cls(*SAMPLES[cls]), cls(*SAMPLES[cls])
    assert one == other
    assert hash(one) == hash(other)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.phone = "x"


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_every_operation_says_what_it_answers(cls):
    """No operation lacks its route, its answer or its names."""
    assert isinstance(cls.route, Route)
    assert cls.returns is NoneType or cls.returns is not None
    assert cls.python_name
    assert isinstance(cls.swift_names, tuple)


def test_a_photo_key_is_text():
    """A key can be handed on wherever text is asked for."""
    assert PhotoKey("k") == "k"
    assert isinstance(PhotoKey("k"), str)
