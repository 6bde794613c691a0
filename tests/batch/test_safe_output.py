"""What a run may touch: its own files and nothing else, and nothing before everything was checked."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import subprocess

import attrs
import pytest

from authing_mfa import InvalidInputError, UserInfo
from authing_mfa.batch import Outcome
from authing_mfa.batch.errors import JournalError
from authing_mfa.batch.files import output
from authing_mfa.batch.files.formats import restored_lines
from authing_mfa.batch.files.output import PipeResults, ResultFile, results_for
from authing_mfa.batch.journal.records import Span
from authing_mfa.batch.options import BatchOptions
from authing_mfa.batch.partitions.worker import Job, Partition, _Parts
from authing_mfa.batch.run_file import run_file
from tests.batch.test_files import outcomes, records, write_csv
from tests.batch.test_files import written as write_results
from tests.needs import require


@pytest.fixture
def client_options(emulator):
    return {"app_id": emulator.app_id, "base_url": emulator.url}


@pytest.fixture
def rows(make_users, tmp_path):
    """A CSV file of so many phone rows: its path, and the tokens."""

    def make(count):
        users = make_users(count)
        lines = [
            {"kind": "phone", "key": f"k{i}", "token": token, "phone": phone, "code": code}
            for i, (phone, token, code) in enumerate(users)
        ]
        return write_csv(tmp_path / "rows.csv", lines), [token for _, token, _ in users]

    return make


def sent(emulator, tokens):
    return sum(emulator.verify_count(token) for token in tokens)


@pytest.fixture
def device(tmp_path):
    """A device like /dev/null of our own."""
    path = tmp_path / "null"
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        path.chmod(0o666)
        path.write_bytes(b"")
    except PermissionError:
        require(condition=False, what="the right to make a device file")
    return path


async def test_a_device_is_written_to_and_left_as_it_is(rows, device, client_options, emulator, tmp_path):
    """--out /dev/null as root: no mode is changed, a refused run removes nothing, and all rows are sent."""
    source, tokens = rows(5)
    before = device.stat()
    summary = await run_file(BatchOptions(source=source, out=str(device)), client_options)
    assert (summary.exit_code, summary.done, sent(emulator, tokens)) == (0, 5, 5)
    refused = BatchOptions(source=source, out=str(device), journal=str(tmp_path))
    with pytest.raises(JournalError):
        await run_file(refused, client_options)
    after = device.stat()
    assert (after.st_mode, after.st_ino, after.st_rdev) == (before.st_mode, before.st_ino, before.st_rdev)


async def test_a_named_pipe_gets_lines_as_they_come(rows, client_options, tmp_path):
    """Without a reader the run is refused; with one it is streamed to, and the pipe stays a pipe."""
    source, _ = rows(3)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    options = BatchOptions(source=source, out=str(pipe), ordered=True)
    with pytest.raises(JournalError, match="cannot be written"):
        await run_file(options, client_options)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:  # noqa: ASYNC220 - it starts at once
        while True:
            try:
                summary = await run_file(options, client_options)
                break
            except JournalError:
                await asyncio.sleep(0.01)  # cat has not opened it yet
        said, _ = reader.communicate(timeout=60)
    assert summary.exit_code == 0
    assert [json.loads(line)["key"] for line in said.splitlines()] == ["k0", "k1", "k2"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("content", ["my thesis\n", '{"index": "x"}\n', "SQLite format 3\0" + "x" * 500])
@pytest.mark.parametrize("how", [{}, {"overwrite": True}, {"resume": True}])
@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_a_file_that_is_not_ours_is_left_alone(rows, client_options, emulator, tmp_path, content, how, form):
    """Whatever is asked for: refused before the first row, its content and mode as they were."""
    source, tokens = rows(2)
    out = tmp_path / f"out.{form}"
    out.write_text(content)
    out.chmod(0o644)
    journal = str(tmp_path / "run.db") if how.get("resume") else None
    if journal:
        await run_file(BatchOptions(source=source, out=str(tmp_path / "o.jsonl"), journal=journal), client_options)
    before = sent(emulator, tokens)
    with pytest.raises(InvalidInputError):
        await run_file(BatchOptions(source=source, out=str(out), journal=journal, **how), client_options)
    assert out.read_text() == content
    assert out.stat().st_mode & 0o777 == 0o644
    assert sent(emulator, tokens) == before


async def test_an_old_result_is_refused_unless_it_may_be_overwritten(rows, client_options, tmp_path):
    """100,000 lines of the week before are not replaced without a word."""
    source, _ = rows(2)
    out = tmp_path / "out.jsonl"
    write_results(out, outcomes(3))
    before = out.read_bytes()
    with pytest.raises(InvalidInputError, match="exists already"):
        await run_file(BatchOptions(source=source, out=str(out)), client_options)
    assert out.read_bytes() == before
    await run_file(BatchOptions(source=source, out=str(out), overwrite=True), client_options)
    assert [line["key"] for line in sorted(records(out), key=lambda line: line["index"])] == ["k0", "k1"]


async def test_an_empty_file_that_somebody_made_keeps_its_mode(rows, client_options, tmp_path):
    """It is filled, as JSON lines and as CSV, and stays the same file."""
    source, _ = rows(2)
    for name in ("out.jsonl", "out.csv"):
        out = tmp_path / name
        out.touch(mode=0o640)
        before = out.stat()
        summary = await run_file(BatchOptions(source=source, out=str(out)), client_options)
        after = out.stat()
        assert summary.done == 2
        assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
        assert after.st_size


async def test_what_a_link_points_to_is_replaced_and_not_the_link(rows, client_options, tmp_path):
    """/dev/stdout is a link, too."""
    source, _ = rows(1)
    link, target = tmp_path / "link.csv", tmp_path / "target.csv"
    link.symlink_to(target)
    await run_file(BatchOptions(source=source, out=str(link)), client_options)
    assert link.is_symlink()
    assert len(target.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "same",
    [
        {"out": "x.jsonl", "journal": "x.jsonl"},
        {"out": "run.db-wal", "journal": "run.db", "out_format": "jsonl"},
        {"out": "rows.csv"},
        {"journal": "rows.csv"},
        {"journal": "sqlite:///rows.csv"},
        {"out": "x.jsonl", "recovery_file": "x.jsonl"},
        {"out": "x.csv", "journal": "x.csv.partial.jsonl"},
    ],
)
async def test_no_two_files_of_a_run_may_be_the_same(rows, client_options, emulator, tmp_path, monkeypatch, same):
    """--journal x --out x destroyed the journal."""
    source, tokens = rows(1)
    monkeypatch.chdir(tmp_path)
    before = (tmp_path / "rows.csv").read_bytes()
    with pytest.raises(InvalidInputError, match="would overwrite"):
        await run_file(BatchOptions(source=source, **same), client_options)
    assert (tmp_path / "rows.csv").read_bytes() == before
    assert sent(emulator, tokens) == 0


async def test_a_hard_link_is_the_same_file(rows, client_options, tmp_path):
    """Two names, one file."""
    source, _ = rows(1)
    os.link(source, tmp_path / "other.jsonl")
    with pytest.raises(InvalidInputError, match="would overwrite"):
        await run_file(BatchOptions(source=source, out=str(tmp_path / "other.jsonl")), client_options)


def test_what_is_neither_file_nor_pipe_is_refused(tmp_path):
    """A folder; and Parquet needs a file."""
    with pytest.raises(InvalidInputError, match="neither"):
        results_for(BatchOptions(source="x.csv", out=str(tmp_path), out_format="jsonl"))
    os.mkfifo(tmp_path / "p.parquet")
    with pytest.raises(InvalidInputError, match="pipe"):
        results_for(BatchOptions(source="x.csv", out=str(tmp_path / "p.parquet"), out_format="parquet"))
    assert isinstance(results_for(BatchOptions(source="x.csv", out=str(tmp_path / "p.parquet"))), PipeResults)


def test_a_damaged_line_in_the_middle_is_not_cut_off_with_all_that_follows(tmp_path):
    """Only an unfinished last line is removed: lines after a damaged one are outcomes."""
    path = tmp_path / "r.jsonl"
    write_results(path, outcomes(5))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"\0\0\0\n", *lines[3:]]))
    before = path.read_bytes()
    with pytest.raises(InvalidInputError, match="Line 3"):
        ResultFile(path, "jsonl", resume=True, tokens=False).open()
    assert path.read_bytes() == before


async def test_a_finished_csv_with_tokens_is_not_replaced_by_one_without(rows, client_options, tmp_path):
    """The journal holds no tokens: a finished run that is resumed keeps its ok lines."""
    source, _ = rows(3)
    for name in ("out.csv", "out.parquet"):
        options = {
            "source": source,
            "out": str(tmp_path / name),
            "journal": str(tmp_path / f"{name}.db"),
            "tokens": True,
        }
        await run_file(BatchOptions(**options), client_options)
        before = (tmp_path / name).read_bytes()
        await run_file(BatchOptions(**options, resume=True), client_options)
        if name == "out.csv":
            assert sorted((tmp_path / name).read_bytes().splitlines()) == sorted(before.splitlines())
            assert b"id_token" in before
        assert (tmp_path / name).stat().st_size


class Died(BaseException):
    """Stands for the end of the process."""


def dies_after(steps, count):
    for number, step in enumerate(steps):
        if number == count:
            raise Died
        yield step


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_resumed_run_that_ends_while_it_copies_a_finished_output_loses_no_token(tmp_path, monkeypatch, form):
    """The journal holds no tokens: what was copied by then must not pass for the whole output."""
    path = tmp_path / f"r.{form}"
    users = [Outcome(i, f"k{i}", UserInfo(id=f"u{i}", token=f"token-{i}"), None, 0.1, "totp") for i in range(9)]
    with_tokens = {"resume": True, "tokens": True}
    finished = ResultFile(path, form, **with_tokens)
    finished.open()
    for user in users:
        finished.write(user)
    finished.finish(complete=True)
    real = output.restored_lines
    monkeypatch.setattr(output, "restored_lines", lambda *arguments: dies_after(real(*arguments), 5))
    with pytest.raises(Died):
        ResultFile(path, form, **with_tokens).open()
    monkeypatch.undo()
    resumed = ResultFile(path, form, **with_tokens)
    resumed.open()
    for user in users:
        resumed.write(attrs.evolve(user, value=UserInfo(id=user.value.id), restored=True))
    resumed.finish(complete=True)
    lines = list(restored_lines(path, form))
    assert [json.loads(line)["value"]["token"] for line in lines] == [f"token-{i}" for i in range(9)]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_an_owner_that_ends_while_it_copies_the_lines_of_a_partition_loses_no_token(tmp_path, monkeypatch):
    """The next owner copies the lines of the last one."""

    def owner(epoch):
        parts = _Parts(tmp_path, Partition(Span(0, 0, 10), []), job)
        parts.open(epoch)
        return parts

    def died(old, new, *_):
        new.write(old.read(100))
        raise Died

    options = BatchOptions(source="rows.csv", tokens=True)
    job = Job(name="run", mark="m", options=options, parts=str(tmp_path), recovery="", lease=1.0)
    user = Outcome(0, "k0", UserInfo(id="u0", token="t" * 200), None, 0.1, "totp")
    first = owner(1)
    first.write(user)
    first.finish()
    monkeypatch.setattr(shutil, "copyfileobj", died)
    with pytest.raises(Died):
        owner(2)
    monkeypatch.undo()
    third = owner(3)
    third.write(attrs.evolve(user, value=UserInfo(id="u0"), restored=True))
    third.finish()
    assert records(third.file)[0]["value"]["token"] == "t" * 200
    assert third.file.stat().st_mode & 0o777 == 0o600
