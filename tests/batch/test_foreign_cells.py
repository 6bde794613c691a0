"""Cells as other programs write them: empty cells, errors, formulas, tokens with something around them."""

from __future__ import annotations

import json

import pytest

from authing_mfa.batch import VerifyRequest
from authing_mfa.batch.models import InvalidRow
from tests.batch.test_foreign_files import read

GOOD = {
    "kind": "phone",
    "key": "k1",
    "token": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
    "phone": "13800138000",
    "phone_country_code": "+86",
    "code": "012340",
}


def row_with(tmp_path, kind, **cells):
    """The one row of a file of JSON lines, and its finding."""
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**GOOD, "kind": kind, **cells}), encoding="utf-8")
    rows, source = read(path)
    return rows[0], source.findings.all()


@pytest.mark.parametrize("column", ["key", "token", "phone_country_code"])
def test_the_empty_cell_of_a_database_is_empty(tmp_path, column):
    r"""MySQL's INTO OUTFILE and PostgreSQL's COPY write \N: it was sent as a token, and as a country code."""
    row, _ = row_with(tmp_path, "phone", **{column: r"\N"})
    assert row == row_with(tmp_path, "phone", **{column: None})[0]
    assert isinstance(row, VerifyRequest)


@pytest.mark.parametrize("word", ["NULL", "null", "nan", "NaN", "None", "N/A", "<NA>", "NaT", "(null)"])
@pytest.mark.parametrize("column", ["token", "phone_country_code", "code", "phone"])
def test_a_word_for_an_empty_cell_is_no_value(tmp_path, column, word):
    """pandas, SQL Server and mysql write words. A key may be any word: people are called Null."""
    row, (finding,) = row_with(tmp_path, "phone", **{column: word})
    assert isinstance(row, InvalidRow)
    assert (finding.column, finding.problem) == (column, "is a word like NULL, not an empty cell")
    assert row_with(tmp_path, "phone", key=word)[0].key == word


@pytest.mark.parametrize("value", ["#N/A", "#NAME?", "#REF!", "#DIV/0!", "########"])
@pytest.mark.parametrize("column", ["key", "token", "phone_country_code", "code", "phone"])
def test_an_error_of_a_spreadsheet_is_no_value(tmp_path, column, value):
    """Excel shows #NAME? for what begins with a plus sign, and a cell that is too narrow as ####."""
    row, (finding,) = row_with(tmp_path, "phone", **{column: value})
    assert isinstance(row, InvalidRow)
    assert (finding.column, finding.problem) == (column, "is an error of a spreadsheet")


@pytest.mark.parametrize(
    "column", ["key", "token", "phone_country_code", "code", "phone", "email", "photo_key", "image"]
)
def test_a_formula_is_no_value_in_any_column(tmp_path, column):
    """It was refused only as a code and as a phone; a formula of an e-mail address was sent as the address."""
    kind = {"email": "email", "photo_key": "face", "image": "face"}.get(column, "phone")
    row, (finding,) = row_with(tmp_path, kind, **{column: '=A2&"@example.com"'})
    assert isinstance(row, InvalidRow)
    assert (finding.column, finding.problem) == (column, "is a formula of a spreadsheet")


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("email", "'ada@example.com", "begins with an apostrophe"),
        ("email", "ａda@example.com", "has full-width characters"),
        ("email", "<ada@example.com>", "is not an e-mail address"),
        ("phone_country_code", "'+86", "begins with an apostrophe"),
        ("phone_country_code", "86.0", "is a decimal number"),
        ("phone_country_code", "China", "is not a country code"),
        ("token", "'abcdefghijk", "begins with an apostrophe"),
        ("token", '"abcdefghijk"', "is in quotes"),
        ("token", "Bearer abcdefghijk", "holds a space; write it without the word Bearer"),
    ],
)
def test_what_would_be_sent_as_a_part_of_the_value(tmp_path, column, value, problem):
    """The column is named, and the row is not sent."""
    row, (finding,) = row_with(tmp_path, "email" if column == "email" else "phone", **{column: value})
    assert isinstance(row, InvalidRow)
    assert (finding.column, finding.problem) == (column, problem)


@pytest.mark.parametrize("value", ["+86", "86", "0086", "+1-684", "1 684"])
def test_country_codes(tmp_path, value):
    """As people write them."""
    row, _ = row_with(tmp_path, "phone", phone_country_code=value)
    assert row.operation.phone_country_code == value


@pytest.mark.parametrize(
    "value", ["ada@example.com", "o'brien@example.com", "用户@例子.广告", "jose\u0301@example.com"]
)
def test_e_mail_addresses(tmp_path, value):
    """An apostrophe inside, other scripts, and letters that are composed of two characters are no mistakes."""
    row, _ = row_with(tmp_path, "email", email=value)
    assert row.operation.email == value


@pytest.mark.parametrize(
    ("tokens", "count"), [(["t1", "", "t3", ""], 2), (["", "", "", ""], 0), (["t1", "t2", "t3", "t4"], 0)]
)
def test_rows_whose_token_may_have_been_forgotten_are_counted(tmp_path, tokens, count):
    """They are verified for the user who is logged in. In a workbook only the first of merged cells has a value."""
    path = tmp_path / "rows.csv"
    path.write_text("kind,token,code\n" + "".join(f"totp,{token},012340\n" for token in tokens))
    rows, source = read(path)
    assert [row.token or "" for row in rows] == tokens
    assert [(finding.column, finding.count, finding.where) for finding in source.findings.all()] == (
        [("token", count, "line 3")] if count else []
    )
