"""The columns of an input: which of ours a name in the file stands for."""

from __future__ import annotations

import io
import json
import tracemalloc

import pytest

from authing_mfa import InvalidInputError
from authing_mfa.batch import VerifyRequest
from authing_mfa.batch.files.typed_records import open_parquet, parquet_records
from authing_mfa.batch.run_file import BatchOptions, run_file
from tests.batch.test_foreign_files import read, write_xlsx
from tests.needs import require_module

CELLS = {"mobile": "13800138000", "code": "012340", "token": "eyJhbGciOi.J9.c2ln"}


def write_parquet(path, columns):
    require_module("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path, use_dictionary=False, compression="none")


def write(path, cells):
    """The same row in each format."""
    if path.suffix == ".csv":
        path.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n")
    elif path.suffix == ".jsonl":
        path.write_text(json.dumps(cells))
    elif path.suffix == ".xlsx":
        write_xlsx(path, [[*cells], [*cells.values()]])
    else:
        write_parquet(path, {name: [cell] for name, cell in cells.items()})
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".xlsx", ".parquet"])
@pytest.mark.parametrize(
    ("phone", "columns"), [("phone", {"key": "phone"}), ("mobile", {"key": "mobile", "phone": "mobile"})]
)
def test_a_column_of_the_file_may_be_several_of_ours(tmp_path, suffix, phone, columns):
    """The phone as the key, in each format; JSON lines had no key, and CSV no column phone."""
    cells = {phone: CELLS["mobile"], **{name: CELLS[name] for name in ("code", "token")}}
    rows, source = read(write(tmp_path / f"rows{suffix}", cells), kind="phone", columns=columns)
    assert rows == [VerifyRequest.phone(CELLS["mobile"], "012340", key=CELLS["mobile"], token=CELLS["token"])]
    assert source.findings.all() == []


@pytest.mark.parametrize("columns", [{"key": "code"}, {"key": "Token "}, {"key": "x", "code": "X"}, {"code": "key"}])
def test_no_secret_is_the_key(tmp_path, columns):
    """Keys are in the journal, which holds no code and no token."""
    with pytest.raises(InvalidInputError, match="cannot be the key"):
        read(write(tmp_path / "rows.jsonl", CELLS), kind="phone", columns=columns)


def test_a_name_that_no_line_of_json_has_is_told(tmp_path):
    """Other formats refuse it by their header; here every line may have other names."""
    path = tmp_path / "rows.jsonl"
    lines = [{"kind": "totp", "code": "012340"}, {"kind": "phone", "mobile": "13800138000", "code": "1"}, "broken"]
    path.write_text("\n".join(map(json.dumps, lines)))
    _, source = read(path, columns={"key": "user_id", "phone": "mobile"})
    (finding,) = source.findings.all()
    assert str(finding) == "key is missing: no row has the name that was given for it: 3 rows"


def test_spaces_around_a_key_are_told(tmp_path):
    """They belong to the key, but in aligned text nobody means them."""
    path = tmp_path / "rows.csv"
    path.write_text("kind | key    | code\ntotp | u1     | 012340\ntotp | a b    | 012340\n")
    rows, source = read(path)
    assert [row.key for row in rows] == [" u1     ", " a b    "]
    (finding,) = source.findings.all()
    assert str(finding) == "key begins or ends with a space: 2 rows, first line 2, like  x9     "
    path.write_text("kind|key|code\ntotp|a b|012340\n")
    assert read(path)[1].findings.all() == []


async def test_a_dry_run_counts_repeated_keys_in_little_memory(tmp_path):
    """A few bytes for each key, not an entry of a dict."""

    async def peak(count):
        path = tmp_path / "rows.csv"
        path.write_text("kind,key,code\n" + "".join(f"totp,k{i},012340\n" for i in range(count)))
        tracemalloc.start()
        try:
            await run_file(BatchOptions(source=str(path), dry_run=True), {})
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await peak(100)  # what is imported is no memory of a row
    few = await peak(5_000)
    assert await peak(35_000) - few < 30_000 * 32


def test_parquet_is_read_in_pieces(tmp_path):
    """Not a whole row group at once, which may be the whole file."""

    class Noting(io.FileIO):
        most = 0

        def read(self, size=-1):
            got = super().read(size)
            self.most = max(self.most, len(got))
            return got

    path, count = tmp_path / "rows.parquet", 200_000
    write_parquet(path, {"kind": ["totp"] * count, "code": [f"{number:032x}" for number in range(count)]})
    with Noting(path) as file:
        assert open_parquet(file).metadata.num_row_groups == 1
        assert sum(1 for _ in parquet_records(file, {}, None)) == count
    assert file.most < path.stat().st_size / 4
