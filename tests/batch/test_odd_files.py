"""Files that are not what their names say, that are damaged, or whose program wrote something about them that is wrong."""

from __future__ import annotations

import gzip
import io
import os
import re
import sys
import zipfile

import pytest

from authing_mfa import InvalidInputError
from authing_mfa.batch import VerifyRequest
from authing_mfa.batch.files.input import Input
from authing_mfa.batch.models import InvalidRow
from authing_mfa.batch.options import BatchOptions
from tests.batch.test_foreign_files import TABLE, read, write_xlsx
from tests.needs import require_module

CODES = [f"{number * 7919 % 10**6:06}" for number in range(20_000)]
MANY = ("kind,code\n" + "".join(f"totp,{code}\n" for code in CODES)).encode()


# ─────────────────────────────── the header of a CSV file ───────────────────────────────


@pytest.mark.parametrize("name", ['screen 14"', '"size ""inch"""', '"a name\nof two lines"', 'a "quoted" word"'])
def test_a_quote_in_the_name_of_a_column_costs_no_row(tmp_path, name):
    """A column that the batch does not use had swallowed every row, and the run ended with "0 rows"."""
    path = tmp_path / "rows.csv"
    path.write_text(f"kind,{name},code\ntotp,x,012340\ntotp,y,012341\n")
    assert read(path)[0] == [VerifyRequest.totp("012340"), VerifyRequest.totp("012341")]


@pytest.mark.parametrize("last", ['totp,012349,it is 5"', "totp,012349,x"])
def test_a_stray_quote_in_a_column_of_others_takes_no_row_with_it(tmp_path, last):
    """Between two of them stood rows, which were a part of a remark then."""
    path = tmp_path / "rows.csv"
    path.write_text(f'kind,code,note\ntotp,012340,"5 inch\ntotp,012341,x\ntotp,012342,x\n{last}\ntotp,012343,x\n')
    rows, _ = read(path)
    assert len(rows) == 5
    assert isinstance(rows[0], InvalidRow)
    assert [row.operation.code for row in rows[1:]] == ["012341", "012342", "012349", "012343"]


@pytest.mark.parametrize(
    "header", ['"kind,note,code', 'kind,note,"code', 'kind,"note,code', 'kind,code,"note', '"kind"x,note,code']
)
@pytest.mark.parametrize("later", ["", 'totp,z",012342\n', 'totp,012342,z"\n'])
def test_a_stray_quote_in_the_header_is_refused(tmp_path, header, later):
    """It takes no row into the name of a column, and the error shows no value."""
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\ntotp,x,012340\n{later}" + "totp,y,012341\n" * 200)
    with pytest.raises(InvalidInputError, match="header in line 1 has a quote") as caught:
        read(path)
    assert "0123" not in str(caught.value)


def test_a_line_of_delimiters_is_no_header(tmp_path):
    """Excel writes one for an empty first row."""
    path = tmp_path / "rows.csv"
    path.write_text(";;\r\n\r\nkind;code;note\r\ntotp;012340;\r\ntotp;O1-2;\r\n")
    rows, _ = read(path)
    assert rows[0] == VerifyRequest.totp("012340")
    assert str(rows[1].error).startswith("Line 5: code")


# ─────────────────────────────── what the file is ───────────────────────────────


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04\x14\0\0\0", "Excel workbook or a zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "old Excel workbook"),
        (b"PAR1\x15\x04\x15", "Parquet"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\0\0\x04", "xz"),
        (gzip.compress(gzip.compress(b"kind,code\n", mtime=0), mtime=0), "compressed twice"),
    ],
)
@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_a_file_with_the_wrong_name_is_named(tmp_path, content, said, name):
    """The error says what it is, not that a column is missing."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=said):
        read(path)


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf\n{"kind": "totp", "code": "012340"}\n',
        b"kind,code\ntotp,012340\n",
        "kind\tcode\ntotp\t012340\n".encode("utf-16-le"),
        gzip.compress(b'{"kind": "totp", "code": "012340"}\n', mtime=0),
    ],
    ids=["json lines", "csv", "utf-16 without a mark", "gzip"],
)
@pytest.mark.parametrize("alone", [1, 2, 3])
def test_a_pipe_is_known_however_little_of_it_comes_first(monkeypatch, content, alone):
    """A program may write the first bytes alone, such as a byte order mark or an empty line."""

    class Pipe(io.RawIOBase):
        pieces = [content[:alone], content[alone:]]

        def readable(self):
            return True

        def readinto(self, buffer):
            piece = self.pieces.pop(0) if self.pieces else b""
            buffer[: len(piece)] = piece
            return len(piece)

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Pipe())))
    assert list(Input(BatchOptions(source="-")).rows()) == [VerifyRequest.totp("012340")]


def test_a_closed_standard_input_is_a_sentence(monkeypatch):
    """As `authing-mfa batch - <&-` has it."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InvalidInputError, match="Standard input is closed"):
        list(Input(BatchOptions(source="-")).rows())


def test_a_pipe_with_a_name_needs_no_suffix():
    """As the shell's <(…) makes it."""
    reading, writing = os.pipe()
    os.write(writing, b"kind,code\ntotp,012340\n")
    os.close(writing)
    try:
        assert read(f"/dev/fd/{reading}")[0] == [VerifyRequest.totp("012340")]
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    "content", ['[{"kind": "totp", "code": "012340"}]', '\n[\n{"kind": "totp", "code": "012340"}\n]\n']
)
def test_a_json_array_is_refused_as_a_whole(tmp_path, content):
    """Its last row, which has no comma after it, was a row, and was sent."""
    path = tmp_path / "rows.jsonl"
    path.write_text(content)
    with pytest.raises(InvalidInputError, match="JSON array"):
        read(path)


def test_one_damaged_line_of_a_pipe_does_not_change_how_the_others_are_read(monkeypatch):
    """A pipe cannot be read twice: its first Chinese line says whether the text is UTF-8."""
    lines = [
        *(f"totp,张{n},01234{n}\n".encode() for n in range(3)),
        b"totp,k\xff\xfe\xfd,012343\n",
        "totp,李四,012344\n".encode(),
    ]
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"kind,key,code\n" + b"".join(lines))))
    )
    rows = list(Input(BatchOptions(source="-")).rows())
    assert [row.key for row in rows] == ["张0", "张1", "张2", None, "李四"]


def test_json_lines_with_the_name_of_a_csv_file_are_named(tmp_path):
    """The error names the option."""
    path = tmp_path / "rows.csv"
    path.write_text('{"kind": "totp", "code": "012340"}\n')
    with pytest.raises(InvalidInputError, match="--format jsonl"):
        read(path)
    assert read(path, source_format="jsonl")[0] == [VerifyRequest.totp("012340")]


# ─────────────────────────────── damaged files ───────────────────────────────


def damaged(content):
    """*content* with two other bytes in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0xFF for byte in content[middle : middle + 2]) + content[middle + 2 :]


@pytest.mark.parametrize("damage", [damaged, lambda content: content[: len(content) // 2]], ids=["changed", "cut off"])
@pytest.mark.parametrize("form", ["gz", "zst"])
def test_a_damaged_compressed_file_is_an_error_before_the_first_row(tmp_path, form, damage):
    """A zstd file that was cut off looked like a shorter file: the last rows were left out in silence."""
    if form == "zst":
        require_module("zstandard")
        import zstandard

        compressed = zstandard.ZstdCompressor(write_checksum=True).compress(MANY)
    else:
        compressed = gzip.compress(MANY)
    path = tmp_path / f"rows.csv.{form}"
    path.write_bytes(damage(compressed))
    with pytest.raises(OSError, match="damaged or incomplete"):
        read(path)


def test_a_zstd_file_of_several_frames_is_read_to_its_end(tmp_path):
    """As `cat a.zst b.zst` makes it."""
    require_module("zstandard")
    import zstandard

    path = tmp_path / "rows.csv.zst"
    path.write_bytes(b"".join(zstandard.compress(MANY[at : at + 9999]) for at in range(0, len(MANY), 9999)))
    assert [row.operation.code for row in read(path)[0]] == CODES


def test_damage_is_told_with_the_place(tmp_path):
    """A sheet that ends in the middle: the rows before it are rows."""
    path = write_xlsx(tmp_path / "rows.xlsx", TABLE)
    edit_sheet(path, lambda sheet: sheet[: sheet.rindex("<row")] + "<row")
    with pytest.raises(OSError, match=r"cannot be read further after sheet row 2: "):
        read(path)


# ─────────────────────────────── Excel ───────────────────────────────


def edit_sheet(path, edit):
    """Change the XML of the first sheet, as another program would have written it."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = edit(parts[name].decode()).encode()
    with zipfile.ZipFile(path, "w") as book:
        for part, content in parts.items():
            book.writestr(part, content)


@pytest.mark.parametrize("size", ['<dimension ref="A1"/>', '<dimension ref="A1:E2"/>', '<dimension ref="A1:B9"/>', ""])
def test_every_row_of_a_sheet_is_read_whatever_size_it_says(tmp_path, size):
    """Programs that write a sheet as a stream (Apache POI, EasyExcel) say A1: no row was read, and no error was seen."""
    rows = [["kind", "key", "code"], *(["totp", f"k{n}", code] for n, code in enumerate(CODES[:50]))]
    path = write_xlsx(tmp_path / "rows.xlsx", rows)
    edit_sheet(path, lambda sheet: re.sub("<dimension[^>]*>", size, sheet))
    assert [row.key for row in read(path)[0]] == [f"k{n}" for n in range(50)]


def test_the_sheet_that_is_read_is_named_if_there_are_others(tmp_path):
    """The rows of the others are not read."""
    path = write_xlsx(tmp_path / "rows.xlsx", TABLE)
    assert str(read(path)[1].detected) == "xlsx"
    from openpyxl import load_workbook

    book = load_workbook(path)
    book.create_sheet("March")
    book.save(path)
    assert str(read(path)[1].detected) == "xlsx, sheet Sheet (1 of 2)"


# ─────────────────────────────── Parquet ───────────────────────────────


def test_text_that_parquet_holds_as_bytes_is_text(tmp_path):
    """Impala, and old versions of Spark, write it so; bytes that are not UTF-8 make an invalid row."""
    require_module("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"kind": [b"totp"] * 3, "code": [b"012340", b"\xff\xfe", None]}), path)
    rows, _ = read(path)
    assert rows[0] == VerifyRequest.totp("012340")
    assert "bytes that are not of the file's encoding" in str(rows[1].error)
    assert "code is missing" in str(rows[2].error)


def test_text_of_parquet_that_is_not_utf8_is_an_invalid_row(tmp_path):
    """A program that copied GBK into a column of text."""
    require_module("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.Array.from_buffers(
        pa.string(),
        2,
        [None, pa.array([0, 6, 10], pa.int32()).buffers()[1], pa.py_buffer(b"012340" + "张三".encode("gbk"))],
    )
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"kind": ["totp"] * 2, "code": ["012340"] * 2, "key": text}), path)
    rows, _ = read(path)
    assert rows[0].key == "012340"
    assert isinstance(rows[1], InvalidRow)
