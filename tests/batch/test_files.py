"""Rows from files, outcomes to files.

More than 300 lines: each form of input and output has the same tests.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import threading
from pathlib import Path

import attrs
import pytest

from authing_mfa import InvalidInputError, NetworkError, UserInfo, WrongCodeError
from authing_mfa.batch import JournalError, Outcome, VerifyRequest
from authing_mfa.batch.files.formats import FIELDS, record_of
from authing_mfa.batch.files.input import Input, format_of
from authing_mfa.batch.files.output import ResultFile, results_for
from authing_mfa.batch.models import InvalidRow
from authing_mfa.batch.options import BatchOptions
from tests.needs import require_module

ROWS = [
    {"kind": "totp", "key": "1", "token": "t1", "code": "111111"},
    {"kind": "check", "key": "2", "token": "t2", "phone": "138"},
    {"kind": "face", "key": "3", "token": "t3", "photo_key": "p"},
]
EXPECTED = [
    VerifyRequest.totp("111111", token="t1", key="1"),
    VerifyRequest.check(phone="138", token="t2", key="2"),
    VerifyRequest.face("p", token="t3", key="3"),
]


def read_rows(source, **options):
    """The rows of a file."""
    return Input(BatchOptions(source=str(source), **options)).rows()


def count_rows(source):
    """About how many rows there are, as a look through the file says."""
    looked = Input(BatchOptions(source=str(source)))
    looked.look(threading.Event())
    return looked.total


def write_csv(path, rows, names=None):
    names = names or list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def write_parquet(path, rows):
    require_module("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(dict.fromkeys(name for row in rows for name in row))
    pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), path)
    return str(path)


WRITERS = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


@pytest.mark.parametrize("form", WRITERS)
def test_each_format_gives_the_same_rows(tmp_path, form):
    """CSV, JSON lines and Parquet are read alike, and counted."""
    source = WRITERS[form](tmp_path / f"rows.{form}", ROWS)
    assert list(read_rows(source)) == EXPECTED
    assert count_rows(source) == 3


@pytest.mark.parametrize("form", WRITERS)
def test_a_pipe_is_read_by_what_comes_first_in_it(tmp_path, monkeypatch, form):
    """Standard input has no name that shows its format, and cannot be rewound."""
    content = Path(WRITERS[form](tmp_path / f"rows.{form}", ROWS)).read_bytes()

    class Pipe(io.BufferedReader):
        def seekable(self):
            return False

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Pipe(io.BytesIO(content))))
    assert list(read_rows("-")) == EXPECTED
    assert count_rows("-") is None


def test_columns_may_have_other_names_and_one_kind(tmp_path):
    """A file need not be made for us."""
    source = write_csv(tmp_path / "x.csv", [{"mobile": "138", "otp": "1", "phone": "not this", "id": "7"}])
    columns = {"phone": "mobile", "code": "otp", "key": "id"}
    assert list(read_rows(source, columns=columns, kind="phone")) == [VerifyRequest.phone("138", "1", key="7")]


@pytest.mark.parametrize(
    ("columns", "kind", "said"),
    [
        ({"phone": "mobile"}, "phone", "no column mobile"),
        ({"mobile": "x"}, None, "no column 'mobile'"),
        ({}, None, "kind"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_column_that_is_missing_is_told_before_the_first_row(tmp_path, form, columns, kind, said):
    """A wrong mapping is an error of the run, not one of every row."""
    source = WRITERS[form](tmp_path / f"x.{form}", [{"phone": "1", "code": "2"}])
    with pytest.raises(InvalidInputError, match=said):
        list(read_rows(source, columns=columns, kind=kind))


def test_a_line_that_is_no_row_keeps_its_place(tmp_path):
    """Broken CSV lines, with key and kind if they can be read; the lines around them are rows."""
    path = tmp_path / "x.csv"
    path.write_text('kind,key,code\ntotp,1,111111\ntotp,2\n\ntotp,3,,,5\n"totp","4","a\n5"\nother,5,6\ntotp,6,1\n')
    rows = list(read_rows(str(path)))
    assert [isinstance(row, InvalidRow) for row in rows] == [False, True, True, True, True, True, False]
    assert (rows[1].key, rows[1].kind, str(rows[1].error)) == ("2", "totp", "Line 3: code is missing. (10100)")
    assert "5 fields" in str(rows[2].error)
    assert "quote" in str(rows[3].error)
    assert rows[5].key == "5"


def test_a_field_that_csv_cannot_read_is_one_broken_line(tmp_path):
    """The reader continues after it."""
    path = tmp_path / "x.csv"
    path.write_text(f"kind,code\ntotp,{'9' * 200_000}\ntotp,1\n")
    rows = list(read_rows(str(path)))
    assert isinstance(rows[0], InvalidRow)
    assert rows[1] == VerifyRequest.totp("1")


def test_a_line_of_jsonl_that_is_no_row_keeps_its_place(tmp_path):
    """Broken JSON, JSON that is no object, and fields of a wrong type, one outcome each."""
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"kind": "totp", "code": "1"}\n{"kind\n\n[1]\n{"kind": "totp", "code": 123456}\n{"kind": "totp", "code": "1"}'
    )
    rows = list(read_rows(str(path)))
    assert [isinstance(row, InvalidRow) for row in rows] == [False, True, True, True, False]
    assert "123456" not in str(rows[3].error)
    assert count_rows(str(path)) == 5


def test_text_that_is_not_utf8_is_a_broken_row(tmp_path):
    """A stray byte costs its own row."""
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xef\xbb\xbfkind,key,code\ntotp,k\xff,1\ntotp,k,1\n")
    broken, row = read_rows(str(path))
    assert isinstance(broken, InvalidRow)
    assert row == VerifyRequest.totp("1", key="k")


def test_another_file_than_parquet_is_reported(tmp_path):
    """A wrong suffix is an error."""
    path = tmp_path / "x.parquet"
    path.write_text("kind,code\n")
    with pytest.raises(InvalidInputError, match="not a Parquet file"):
        list(read_rows(str(path)))


@pytest.mark.parametrize(
    ("place", "given", "form"), [("a.CSV", None, "csv"), ("a.ndjson", None, "jsonl"), ("a", "csv", "csv")]
)
def test_the_format_is_the_suffix_or_what_is_said(place, given, form):
    """What is said comes first."""
    assert format_of(place, given) == form


@pytest.mark.parametrize(("place", "given"), [("a.doc", None), ("a.csv", "xml")])
def test_a_format_that_cannot_be_told_is_an_error(place, given):
    """Nothing is guessed."""
    with pytest.raises(InvalidInputError):
        format_of(place, given)


def test_without_pyarrow_parquet_says_what_to_install(tmp_path, monkeypatch):
    """Parquet is an extra."""
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InvalidInputError, match="pip install"):
        list(read_rows(str(path)))
    with pytest.raises(InvalidInputError, match="pip install"):
        results_for(BatchOptions(source="x.csv", out=str(path)))


# ─────────────────────────────── outcomes ───────────────────────────────

USER = UserInfo(id="u", email="a@b.c", id_token="secret-token", recovery_code="new-code")


def outcomes(count=3):
    made = [Outcome(i, f"k{i}", UserInfo(id=f"u{i}"), None, 0.25, "totp") for i in range(max(count, 2))]
    made[1] = Outcome(1, None, None, WrongCodeError('wrong,\n"code"', code=6001), 0.5, "totp")
    return made[:count]


def written(path, given, *, resume=False, overwrite=False, complete=True, form="jsonl"):
    results = ResultFile(path, form, resume=resume, overwrite=overwrite, tokens=False)
    results.open()
    for outcome in given:
        results.write(outcome)
    results.finish(complete=complete)


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_record_has_the_documented_fields():
    """One stable object for each row."""
    record = record_of(Outcome(7, "k", USER, None, 0.1234567, "recovery"))
    assert tuple(record) == FIELDS
    assert record["value"] == {"id": "u", "email": "a@b.c", "recovery_code": "new-code"}
    assert (record["status"], record["code"], record["message"], record["elapsed"]) == ("ok", 200, None, 0.123457)


def test_tokens_are_written_only_when_asked_for():
    """A new recovery code always is, for the old one is void."""
    assert "secret-token" not in json.dumps(record_of(Outcome(0, None, USER, None, 0.0)))
    assert record_of(Outcome(0, None, USER, None, 0.0), tokens=True)["value"]["id_token"] == "secret-token"


def test_results_as_csv_and_parquet_hold_what_the_lines_hold(tmp_path):
    """The three formats hold the same."""
    require_module("pyarrow")
    import pyarrow.parquet as pq

    for form in WRITERS:
        written(tmp_path / f"r.{form}", outcomes(), form=form)
    lines = records(tmp_path / "r.jsonl")
    with (tmp_path / "r.csv").open(newline="") as file:
        from_csv = list(csv.DictReader(file))
    assert [row["message"] for row in from_csv] == ["", 'wrong,\n"code"', ""]
    assert [json.loads(row["value"]) for row in from_csv if row["value"]] == [{"id": "u0"}, {"id": "u2"}]
    from_parquet = pq.read_table(tmp_path / "r.parquet").to_pylist()
    assert [row["index"] for row in from_parquet] == [0, 1, 2]
    assert [(row["status"], row["code"]) for row in from_parquet] == [(line["status"], line["code"]) for line in lines]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.jsonl", "r.parquet"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("how", ["resume", "overwrite"])
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_outcomes_that_were_there_are_closed_to_others(tmp_path, form, how):
    """A value may hold a new recovery code: a file of outcomes that others could read has mode 0600 afterwards."""
    path = tmp_path / f"r.{form}"
    written(path, outcomes(2), form=form)
    path.chmod(0o644)
    written(path, outcomes(), form=form, **{how: True})
    assert [(file.name, file.stat().st_mode & 0o777) for file in tmp_path.iterdir()] == [(path.name, 0o600)]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_empty_file_for_outcomes_keeps_its_mode(tmp_path, form):
    """The user who makes an empty file before the run chooses its mode."""
    path = tmp_path / f"r.{form}"
    path.touch()
    path.chmod(0o640)
    written(path, outcomes(), form=form)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_finished_csv_with_a_long_value_is_resumed(tmp_path):
    """The csv module of Python refuses fields of more than 128 KiB."""
    path = tmp_path / "r.csv"
    long = Outcome(0, "k", UserInfo(id="u", photo="data:image/png;base64," + "A" * 200_000), None, 0.1, "totp")
    written(path, [long], form="csv")
    before, limit = path.read_bytes(), csv.field_size_limit()
    written(path, [restored(long)], form="csv", resume=True)
    assert path.read_bytes() == before
    assert csv.field_size_limit() == limit


def test_an_unfinished_csv_stays_lines_until_it_is_complete(tmp_path):
    """An interrupted run keeps its lines beside; the resumed one makes the file."""
    path = tmp_path / "r.csv"
    written(path, outcomes()[:2], form="csv", complete=False)
    assert not path.exists()
    written(path, outcomes(), form="csv", resume=True)
    assert len(path.read_text().splitlines()) == 5
    assert not (tmp_path / "r.csv.partial.jsonl").exists()


def restored(outcome):
    return Outcome(
        outcome.index, outcome.key, outcome.value, outcome.error, outcome.elapsed, outcome.kind, restored=True
    )


def test_resumed_results_are_complete_and_have_no_doubles_though_the_writer_was_killed(tmp_path):
    """A line that was cut off goes, what is there stays, what is given again is not doubled."""
    path = tmp_path / "r.jsonl"
    written(path, outcomes(10))
    kept = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(kept[:4]) + kept[4][:20])
    written(path, [restored(outcome) for outcome in outcomes(10)], resume=True)
    assert [record["index"] for record in records(path)] == list(range(10))
    assert path.read_bytes().startswith(b"".join(kept[:4]))


def test_a_row_that_was_sent_again_replaces_its_old_line(tmp_path):
    """One line for each row: the newest that says something new."""
    path = tmp_path / "r.jsonl"
    unknown = Outcome(0, "k0", None, NetworkError("cut"), 0.1, "totp")
    refused = Outcome(1, "k1", None, NetworkError("refused", delivery="not_sent"), 0.1, "totp")
    broken = Outcome(2, "k2", None, InvalidInputError("no code"), 0.0, "totp")
    written(path, [unknown, refused, broken])
    now = outcomes(2)
    written(path, [now[0], now[1], broken], resume=True)
    assert sorted((record["index"], record["status"]) for record in records(path)) == [
        (0, "ok"),
        (1, "rejected"),
        (2, "failed"),
    ]


def test_what_is_certain_is_not_replaced_by_what_the_journal_could_not_record(tmp_path):
    """An answer that was written while the journal failed is better than its 'unknown'."""
    path = tmp_path / "r.jsonl"
    written(path, outcomes(1))
    unknown = restored(Outcome(0, "k0", None, NetworkError("interrupted"), 0.0, "totp"))
    written(path, [unknown], resume=True)
    assert [record["status"] for record in records(path)] == ["ok"]


def test_a_check_that_was_sent_again_has_its_newest_answer(tmp_path):
    """Its old line may be of another run: a check needs no place in the journal before it is sent."""
    path = tmp_path / "r.jsonl"
    written(path, [Outcome(0, "k0", True, None, 0.1, "check"), Outcome(1, "k1", True, None, 0.1, "check")])
    now = [
        Outcome(0, "k0", False, None, 0.1, "check"),
        restored(Outcome(1, "k1", None, NetworkError("cut"), 0.1, "check")),
    ]
    written(path, now, resume=True)
    assert [(record["index"], record["value"]) for record in records(path)] == [(1, True), (0, False)]


def test_lines_of_rows_that_no_partition_has_done_again_stay(tmp_path):
    """A run in partitions that is resumed and stopped early takes no outcome away."""
    path, part, check = tmp_path / "r.jsonl", tmp_path / "part.jsonl", tmp_path / "check.jsonl"
    cut = Outcome(2, "k2", None, NetworkError("cut"), 0.1, "totp")
    written(path, [*outcomes(2), cut, Outcome(3, "k3", True, None, 0.1, "check")])
    written(part, [restored(Outcome(0, "k0", None, NetworkError("cut"), 0.0, "totp")), attrs.evolve(cut, error=None)])
    written(check, [Outcome(3, "k3", False, None, 0.1, "check"), Outcome(4, "k4", False, None, 0.1, "check")])
    results = ResultFile(path, "jsonl", resume=True, tokens=False)
    results.open()
    results.replace_with([part, check], complete=False)
    found = sorted((record["index"], record["status"], record["kind"], record["value"]) for record in records(path))
    assert found == [
        (0, "ok", "totp", {"id": "u0"}),
        (1, "rejected", "totp", None),
        (2, "ok", "totp", None),
        (3, "ok", "check", False),
        (4, "ok", "check", False),
    ]


def test_old_results_are_replaced_only_when_the_first_outcome_comes(tmp_path):
    """A run that does not begin leaves the file of the one before it."""
    path = tmp_path / "r.jsonl"
    written(path, outcomes(5))
    results = ResultFile(path, "jsonl", resume=False, overwrite=True, tokens=False)
    results.open()
    results.abandon()
    assert len(records(path)) == 5
    written(path, outcomes(2), overwrite=True)
    assert len(records(path)) == 2


def test_no_rows_are_an_empty_file(tmp_path):
    """A run without rows has a result, too."""
    written(tmp_path / "r.jsonl", [])
    written(tmp_path / "r.csv", [], form="csv")
    assert (tmp_path / "r.jsonl").read_text() == ""
    assert (tmp_path / "r.csv").read_text().strip() == ",".join(FIELDS)


def test_results_that_cannot_be_written_are_told_before_anything_is_sent(tmp_path):
    """No folder, no results."""
    with pytest.raises(JournalError, match="cannot be written"):
        ResultFile(tmp_path / "missing" / "r.jsonl", "jsonl", resume=False, tokens=False).open()
    with pytest.raises(InvalidInputError, match="pipe"):
        results_for(BatchOptions(source="x.csv", out_format="parquet"))


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_pipe_gets_lines_as_they_come(monkeypatch, form):
    """Standard output is JSON lines, or CSV with its header."""
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
    results = results_for(BatchOptions(source="x.csv", out_format=form))
    results.open()
    for outcome in outcomes():
        results.write(outcome)
        results.flush()
    results.finish(complete=True)
    text = out.getvalue().decode()
    if form == "jsonl":
        assert [json.loads(line)["index"] for line in text.splitlines()] == [0, 1, 2]
    else:
        assert [row["index"] for row in csv.DictReader(io.StringIO(text))] == ["0", "1", "2"]
