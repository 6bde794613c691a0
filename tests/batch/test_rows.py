"""Rows, outcomes and what they say."""

from __future__ import annotations

import pickle
from pathlib import Path

import attrs
import pytest

from authing_mfa import (
    ApiError,
    InvalidInputError,
    LoginError,
    NetworkError,
    RateLimitedError,
    ResponseError,
    UserInfo,
    WrongCodeError,
)
from authing_mfa.batch import Outcome, VerifyRequest
from authing_mfa.batch.files.table import forms_fit, plain_text, problem_of
from authing_mfa.batch.journal.serialization import public_value
from authing_mfa.operations import (
    MfaCheck,
    VerifyByEmail,
    VerifyByFace,
    VerifyByPhone,
    VerifyByRecoveryCode,
    VerifyByTotp,
)


@pytest.mark.parametrize(
    ("row", "kind", "operation"),
    [
        (VerifyRequest.check(phone="1"), "check", MfaCheck(phone="1")),
        (VerifyRequest.check(email="a@b.c"), "check", MfaCheck(email="a@b.c")),
        (VerifyRequest.phone("1", "2"), "phone", VerifyByPhone("1", "2")),
        (VerifyRequest.phone("1", "2", phone_country_code="+86"), "phone", VerifyByPhone("1", "2", "+86")),
        (VerifyRequest.email("a@b.c", "2"), "email", VerifyByEmail("a@b.c", "2")),
        (VerifyRequest.totp("2"), "totp", VerifyByTotp("2")),
        (VerifyRequest.recovery("2"), "recovery", VerifyByRecoveryCode("2")),
        (VerifyRequest.face("photos/1"), "face", VerifyByFace("photos/1")),
    ],
)
def test_each_constructor_makes_the_operation_of_its_kind(row, kind, operation):
    """A row is the operation it will be."""
    assert (row.kind, row.operation) == (kind, operation)


@pytest.mark.parametrize("image", [Path("face.jpg"), b"\xff\xd8"])
def test_a_face_that_is_no_text_is_a_photo_to_upload(image):
    """Text is always a photo key, anything else a photo."""
    row = VerifyRequest.face(image, token="t")
    assert (row.operation, row.image) == (None, image)


@pytest.mark.parametrize(
    "make",
    [
        VerifyRequest.check,
        lambda: VerifyRequest.phone("", "1"),
        lambda: VerifyRequest.phone("1", " "),
        lambda: VerifyRequest.totp(123456),
        lambda: VerifyRequest.totp("1", token=""),
        lambda: VerifyRequest.totp("1", token="a\nb"),
        lambda: VerifyRequest.totp("1", key=7),
        lambda: VerifyRequest.totp("1", key="a\0b"),
        lambda: VerifyRequest.totp("1", key="\ud800"),
        lambda: VerifyRequest.face(None),
        lambda: VerifyRequest.face({}),
    ],
)
def test_a_constructor_refuses_what_cannot_be_right(make):
    """A wrong argument is an InvalidInputError where it is made."""
    with pytest.raises(InvalidInputError):
        make()


def test_no_secret_shows_in_a_row_and_it_pickles():
    """Tokens and codes are left out of the repr; a row travels to other processes."""
    row = VerifyRequest.phone("138", "246810", token="secret-token", key="k")
    assert "246810" not in repr(row)
    assert "secret-token" not in repr(row)
    assert pickle.loads(pickle.dumps(row)) == row


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "totp", "code": "1", "token": "t", "key": "k"}, VerifyRequest.totp("1", token="t", key="k")),
        ({"kind": "check", "phone": "1", "email": ""}, VerifyRequest.check(phone="1")),
        ({"kind": "email", "email": "a", "code": "1"}, VerifyRequest.email("a", "1")),
        ({"kind": "recovery", "code": "1"}, VerifyRequest.recovery("1")),
        ({"kind": "face", "photo_key": "p"}, VerifyRequest.face("p")),
        ({"kind": "face", "image": "p.jpg"}, VerifyRequest.face(Path("p.jpg"))),
        (
            {"kind": "phone", "phone": "1", "code": "2", "phone_country_code": "+86", "other": 5},
            VerifyRequest.phone("1", "2", phone_country_code="+86"),
        ),
    ],
)
def test_a_mapping_becomes_a_row(fields, expected):
    """The columns of a file, read as a row; empty text counts as absent."""
    assert VerifyRequest.from_mapping(fields) == expected


def test_the_kind_of_all_rows_may_be_said_once():
    """A mapping without a kind takes the given one."""
    assert VerifyRequest.from_mapping({"code": "1"}, kind="totp") == VerifyRequest.totp("1")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "kind is missing"),
        ({"kind": "123456"}, "kind has an unknown value"),
        ({"kind": "totp"}, "code is missing"),
        ({"kind": "totp", "code": 123456}, "code must be text"),
        ({"kind": "phone", "code": "1"}, "phone is missing"),
        ({"kind": "face"}, "photo_key or image is missing"),
        ({"kind": "face", "image": 5}, "image must be the path"),
        ({"kind": "face", "photo_key": 5}, "photo_key must be text"),
        ({"kind": "check"}, "phone or email"),
    ],
)
def test_a_mapping_that_is_no_row_says_why_and_shows_no_value(fields, said):
    """The error names the field; a misplaced code is not repeated."""
    with pytest.raises(InvalidInputError, match=said) as caught:
        VerifyRequest.from_mapping(fields)
    assert "123456" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "status", "undone"),
    [
        (None, "ok", False),
        (WrongCodeError("no", code=6001), "rejected", False),
        (ApiError("no", code=500, http_status=500), "failed", False),
        (RateLimitedError("slow", code=429, http_status=429), "failed", True),
        (RateLimitedError("slow", code=2080, http_status=200), "failed", False),
        (ResponseError("html", http_status=502), "failed", False),
        (NetworkError("refused", delivery="not_sent"), "failed", True),
        (LoginError("no token"), "failed", True),
        (NetworkError("cut"), "unknown", False),
    ],
)
def test_an_outcome_says_what_became_of_the_row(error, status, undone):
    """Status and whether the service has provably not acted follow from the error alone."""
    outcome = Outcome(0, None, None, error, 0.0)
    assert (outcome.status, outcome.undone, outcome.ok) == (status, undone, error is None)


def test_no_secret_shows_in_an_outcome():
    """A user's tokens and new recovery code stay out of the repr."""
    outcome = Outcome(0, "k", UserInfo(id="u", id_token="secret-1", recovery_code="secret-2"), None, 0.1)
    assert "secret" not in repr(outcome)


GOOD = {
    "phone": "13800138000",
    "phone_country_code": "+86",
    "email": "a@b.cn",
    "code": "012340",
    "key": "k",
    "token": "eyJhbGciOiJIUzI1NiJ9",
}
ODD = [
    "=1",
    "'1",
    "1.5",
    "1,5",
    "1.39E+10",
    "\u200b1",
    "１",
    "a b",
    "a\tb",
    "x" * 40,
    "\udcff",
    "\ufffd",
    "张",
    "-",
    "@",
    "a@b@c",
    "_",
    "+86",
    *("86.0", "NULL", "nan", "<NA>", "#N/A", "########", "(null)"),
    *("=a@b", "'a@b", "<a@b>", "Bearer eyJhbGciOiJIUzI1NiJ9", '"eyJhbGciOiJIUzI1NiJ9"'),
]


@pytest.mark.parametrize("kind", ["totp", "recovery", "phone", None])
@pytest.mark.parametrize("column", GOOD)
def test_the_quick_check_of_a_row_lets_no_problem_pass(column, kind):
    """It looks at the row as a whole, `problem_of` at each cell; a cell that is not text is for the second."""

    def passes(cells):
        return plain_text(cells) is not None and forms_fit(cells, kind)

    assert passes(GOOD)
    for value in ODD:
        cells = {**GOOD, column: value}
        problems = [problem_of(name, cell, kind) for name, cell in cells.items()]
        assert not (passes(cells) and any(problems)), (column, value)
    assert not passes({**GOOD, column: 12})
    assert not passes({**GOOD, "image": "a.jpg"})  # photos are few, and their names are checked one by one


@pytest.mark.parametrize("with_code", [False, True])
@pytest.mark.parametrize("tokens", [False, True])
def test_the_journal_and_the_output_have_each_field_of_a_user_that_they_may_have(with_code, tokens):
    """A new field of a user is in them, unless it is a secret; tokens and the recovery code only where they are asked for."""
    everything = {field.name: field.name for field in attrs.fields(UserInfo)}
    secrets = {field.name for field in attrs.fields(UserInfo) if not field.repr}
    asked = {"recovery_code"} if with_code else set()
    asked |= secrets - {"recovery_code", "raw"} if tokens else set()
    found = public_value(UserInfo(**everything), recovery_code=with_code, tokens=tokens)
    assert found == {name: name for name in everything.keys() - (secrets - asked)}
