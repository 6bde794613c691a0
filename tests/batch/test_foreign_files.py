"""Files as other programs write them: encodings, delimiters, compression, workbooks, and cells that a spreadsheet has spoilt."""

from __future__ import annotations

import gzip
import io
import sys
import threading

import pytest

from authing_mfa import InvalidInputError
from authing_mfa.batch import VerifyRequest
from authing_mfa.batch.files.input import Input
from authing_mfa.batch.files.table import shape
from authing_mfa.batch.models import InvalidRow
from authing_mfa.batch.options import BatchOptions
from tests.needs import require_module

ROWS = [
    VerifyRequest.phone("13800138000", "012340", key="张三", token="t1"),
    VerifyRequest.phone("13800138001", "012341", key="李四", token="t2"),
]
HEADER = ["kind", "key", "token", "phone", "code"]
TABLE = [HEADER, ["phone", "张三", "t1", "13800138000", "012340"], ["phone", "李四", "t2", "13800138001", "012341"]]


def text_of(mark=",", end="\r\n", header=HEADER):
    return "".join(mark.join(row) + end for row in [header, *TABLE[1:]])


def read(path, **options):
    source = Input(BatchOptions(source=str(path), **options))
    source.look(threading.Event())
    return list(source.rows()), source


@pytest.mark.parametrize(
    ("encoded", "detected"),
    [
        (text_of().encode("gb18030"), "csv, gb18030, delimiter ,"),
        (text_of("\t").encode("utf-16"), "csv, utf-16, delimiter tab"),
        (text_of(";").encode("utf-8-sig"), "csv, utf-8, delimiter ;"),
        (text_of("|", "\r").encode(), "csv, utf-8, delimiter |"),
        (b"sep=;\r\n" + text_of(";").encode(), "csv, utf-8, delimiter ;"),
        (gzip.compress(text_of().encode("gbk")), "csv, gzip, gb18030, delimiter ,"),
        (text_of(header=["Kind", " KEY ", '"Token"', "Phone ", "ＣＯＤＥ"]).encode(), "csv, utf-8, delimiter ,"),
        ((text_of() + ",,,,\r\n" * 3 + "\r\n").encode(), "csv, utf-8, delimiter ,"),
        (text_of("\t").encode("utf-16-le"), "csv, utf-16-le, delimiter tab"),
    ],
    ids=["excel china", "unicode text", "excel europe", "old mac", "sep=", "gzip", "header", "empty lines", "no mark"],
)
def test_a_file_of_another_program_is_read_as_it_is(tmp_path, encoded, detected):
    """Encoding, delimiter and compression are detected, and what was detected is said."""
    path = tmp_path / "rows.csv"
    path.write_bytes(encoded)
    rows, source = read(path)
    assert rows == ROWS
    assert str(source.detected) == detected


def test_a_zstd_file_is_unpacked(tmp_path):
    """The extra zstd."""
    require_module("zstandard")
    import zstandard

    path = tmp_path / "rows.csv.zst"
    path.write_bytes(zstandard.compress(text_of().encode()))
    assert read(path)[0] == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_pipe_tells_its_encoding_too(monkeypatch, encoding):
    """It cannot be read twice; its first bytes and lines decide."""
    content = text_of().encode(encoding)

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Pipe(content))))
    assert list(Input(BatchOptions(source="-")).rows()) == ROWS


def test_one_damaged_byte_does_not_change_how_other_lines_are_read(tmp_path):
    """Most lines decide: a UTF-8 file with one stray byte is no GB18030 file."""
    path = tmp_path / "rows.csv"
    path.write_bytes(
        text_of().encode() + b"phone,k\xff\xfe\xfd,t,13800138002,012342\r\n" + "phone,王五,t,138,1\n".encode()
    )
    rows, _ = read(path)
    assert rows[:2] == ROWS
    assert isinstance(rows[2], InvalidRow)
    assert rows[3].key == "王五"


def test_what_is_said_overrules_what_is_detected(tmp_path):
    """--encoding and --delimiter."""
    path = tmp_path / "rows.csv"
    path.write_bytes(text_of(";").encode("gb18030"))
    assert read(path, encoding="gbk", delimiter=";")[0] == ROWS
    with pytest.raises(InvalidInputError, match="no text encoding"):
        read(path, encoding="klingon")
    with pytest.raises(InvalidInputError, match="one character"):
        read(path, delimiter=";;")


def test_chinese_headers_by_name(tmp_path):
    """--column 手机号: a name is compared without its case, its width and the spaces around it."""
    path = tmp_path / "rows.csv"
    path.write_bytes("手机号 ,验证码,备注\n13800138000,012340,x\n".encode("gb18030"))
    rows, _ = read(path, kind="phone", columns={"phone": "手机号", "code": "验证码"})
    assert rows == [VerifyRequest.phone("13800138000", "012340")]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("", {}, "is empty"),
        (" \r\n\r\n", {}, "is empty"),
        ("phone,Phone ,code\n1,2,3\n", {"kind": "phone"}, "occurs twice"),
        ("mobile,code\n1,2\n", {"kind": "phone"}, "Its? columns: mobile, code|columns: mobile, code"),
        ("mobile,code\n1,2\n", {}, "Its columns: mobile, code"),
        ("mobile,code\n1,2\n", {"kind": "totp", "columns": {"token": "secret"}}, "no column secret"),
        ("mobile\n1\n", {"kind": "nonsense"}, "no kind 'nonsense'"),
    ],
)
def test_a_header_that_cannot_be_right_is_refused_before_the_first_row(tmp_path, content, options, said):
    """The error lists the columns that were found."""
    path = tmp_path / "rows.csv"
    path.write_text(content)
    with pytest.raises(InvalidInputError, match=said):
        read(path, **options)


def test_a_file_without_a_header_does_not_show_its_values(tmp_path):
    """The first row is read as the header: its token and code are not in the error."""
    path = tmp_path / "rows.csv"
    path.write_text("phone,k1,eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9abcdef1234567,13800138000,012340\n")
    with pytest.raises(InvalidInputError) as caught:
        read(path, kind="phone")
    assert "13800138000" not in str(caught.value)
    assert "012340" not in str(caught.value)
    assert "eyJ" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        'phone,"k1,TOK1,13900000001,012341',
        'phone,k1,TOK1,13900000001,"012341',
        'phone,"k1","TOK1,13900000001,012341',
        'phone,k1","TOK1,13900000001,"012341',
        '"phone","k1,"TOK1","13900000001","012341"',
    ],
)
def test_a_stray_quote_costs_its_own_line(tmp_path, line):
    """Wherever it stands: the lines after it are rows, and no text of the line is in its outcome."""
    good = "".join(f"phone,k{n},T{n},1390000{n:04d},0{n:05d}\n" for n in range(2, 300))
    tail = 'phone,last,T,13900009999,012349"\n'  # a later stray quote must not close it
    path = tmp_path / "rows.csv"
    path.write_text(",".join(HEADER) + "\n" + line + "\n" + good + tail)
    rows, _ = read(path)
    assert isinstance(rows[0], InvalidRow)
    assert "TOK1" not in str(rows[0])
    assert str(rows[0].error).startswith("Line 2")
    assert [row.key for row in rows[1:-1]] == [f"k{n}" for n in range(2, 300)]
    assert isinstance(rows[-1], InvalidRow)
    assert len(rows) == 300


def test_a_line_break_in_a_column_of_others_is_no_fault(tmp_path):
    """An address with a line break between quotes: the record ends where its columns do."""
    path = tmp_path / "rows.csv"
    path.write_text('kind,code,address\ntotp,012340,"1 Main St\nSpringfield"\ntotp,012341,x\n')
    assert read(path)[0] == [VerifyRequest.totp("012340"), VerifyRequest.totp("012341")]


def test_a_key_has_a_longest_length(tmp_path):
    """A key is an id: a text of several lines is not."""
    path = tmp_path / "rows.csv"
    path.write_text(f"kind,key,code\ntotp,{'x' * 513},1\n")
    (row,) = read(path)[0]
    assert isinstance(row, InvalidRow)
    assert row.key is None


SPOILT = [
    ("phone", "1.39E+10", "was rounded"),
    ("phone", "１３８００１３８０００", "full-width"),
    ("phone", "\u202d13800138000\u202c", "cannot be seen (U+202C, U+202D)"),
    ("phone", "138\x0000138000", "cannot be seen (U+0000)"),
    ("phone", "138****8000", "is not a phone number"),
    ("code", '="012340"', "formula"),
    ("code", "'012340", "apostrophe"),
    ("code", "123456.0", "decimal"),
    ("code", "O12-34", "is not a code"),
]


@pytest.mark.parametrize(("column", "value", "said"), SPOILT)
def test_a_cell_that_a_spreadsheet_has_spoilt_is_an_invalid_row_and_counted(tmp_path, column, value, said):
    """Nothing is sent for it; the finding has the column, the count, the first place and the shape, and no value."""
    cells = {"phone": "13800138000", "code": "012340", column: value}
    quoted = value.replace('"', '""')
    cells[column] = f'"{quoted}"' if '"' in value else value
    path = tmp_path / "rows.csv"
    path.write_text(f"kind,phone,code\nphone,{cells['phone']},{cells['code']}\n", encoding="utf-8")
    rows, source = read(path)
    assert isinstance(rows[0], InvalidRow)
    (finding,) = source.findings.all()
    assert (finding.column, finding.count, finding.where) == (column, 1, "line 2")
    assert said in finding.problem
    assert value not in f"{finding} {rows[0].error}"


def test_codes_that_lost_their_zeros_are_counted(tmp_path):
    """They can be sent, so they are only said."""
    path = tmp_path / "rows.csv"
    path.write_text("kind,code\n" + "totp,123456\n" * 9 + "totp,12345\n")
    rows, source = read(path)
    assert len([row for row in rows if isinstance(row, VerifyRequest)]) == 10
    (finding,) = source.findings.all()
    assert (finding.count, finding.where, finding.example) == (1, "line 11", "99999")
    assert "leading zeros" in finding.problem


def test_a_shape_shows_no_secret():
    """Digits and letters are masked, what cannot be seen is named."""
    assert shape("ab12-\u202d") == "xx99-<U+202D>"


def write_xlsx(path, rows):
    require_module("openpyxl")
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_an_excel_workbook_is_read_where_its_cells_are_text(tmp_path):
    """Rows of text are rows; a number has lost its zeros and is refused by its row, with a finding for the column."""
    path = write_xlsx(tmp_path / "rows.xlsx", [*TABLE, ["phone", "x", "t", 13800138000, 12340], [None] * 5])
    rows, source = read(path)
    assert rows[:2] == ROWS
    assert isinstance(rows[2], InvalidRow)
    assert str(rows[2].error).startswith("Sheet row 4")
    assert len(rows) == 3
    assert "number" in source.findings.all()[0].problem


def test_what_is_no_workbook_is_refused(tmp_path):
    """A wrong suffix is an error of the run."""
    path = tmp_path / "rows.xlsx"
    path.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(InvalidInputError, match="not an Excel workbook"):
        read(path)


def test_without_openpyxl_a_workbook_says_what_to_install(tmp_path, monkeypatch):
    """Excel is an extra."""
    path = write_xlsx(tmp_path / "rows.xlsx", TABLE)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InvalidInputError, match="pip install"):
        read(path)


def test_a_name_that_is_there_twice_in_json_is_an_invalid_row(tmp_path):
    """The last one used to win: a wrong phone, silently."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"kind": "check", "phone": "1", "phone": "2"}\n{"Kind": "check", "Phone ": "3"}\n')
    rows, _ = read(path)
    assert isinstance(rows[0], InvalidRow)
    assert rows[1] == VerifyRequest.check(phone="3")
