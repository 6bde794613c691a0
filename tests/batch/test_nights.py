"""Failures in the middle of a run: tokens, journals, inputs, disks and services.

More than 300 lines: one test for each failure.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from authing_mfa import AuthClient
from authing_mfa.batch import VerifyRequest, verify_many
from authing_mfa.batch.errors import InputChangedError, JournalError, JournalLostError, RunTokenError
from authing_mfa.batch.options import BatchOptions
from authing_mfa.batch.run_file import run_file
from tests.batch.conftest import until
from tests.batch.test_files import records, write_csv, write_parquet
from tests.batch.test_run import start, write_lines
from tests.needs import require
from tests.servers import USER, ok, reply, serving


@pytest.fixture
def client_options(emulator):
    return {"app_id": emulator.app_id, "base_url": emulator.url}


@pytest.fixture
def job(make_job):
    """Options for a run of so many phone rows with a journal, and the rows' tokens."""
    return make_job


def resumed(options, **changes):
    return attrs.evolve(options, resume=True, **changes)


def edited(source, change):
    """Write the file *source* anew, its lines as *change* makes them; its old lines."""
    lines = Path(source).read_text().splitlines(keepends=True)
    Path(source).write_text("".join(change(lines)))
    return lines


def sent(emulator, tokens):
    return sum(emulator.verify_count(token) for token in tokens)


# ─────────────────────────────── a journal that knows nothing ───────────────────────────────


@pytest.mark.parametrize("damage", ["another name", "emptied", "another run", "lost"])
async def test_a_journal_that_does_not_hold_the_run_cannot_resume_it(job, client_options, emulator, tmp_path, damage):
    """Nothing is verified again, the output stays, and no empty journal is made."""
    options, tokens = job(10)
    await run_file(options, client_options)
    before = (tmp_path / "out.jsonl").read_bytes()
    changes = {}
    if damage == "another name":
        changes["journal"] = str(tmp_path / "rum.db")
    elif damage == "another run":
        changes["run_name"] = "tuesday"
    elif damage == "emptied":
        (tmp_path / "run.db").write_bytes(b"")
    else:
        (tmp_path / "run.db").unlink()
    with pytest.raises(JournalError):
        await run_file(resumed(options, **changes), client_options)
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert not (tmp_path / "rum.db").exists()
    emulator.assert_verified_once(tokens)


@pytest.mark.parametrize("how", ["resume", "start_or_resume"])
async def test_a_journal_that_knows_less_than_the_output_is_refused(job, client_options, emulator, tmp_path, how):
    """The run was killed and its -wal file lost: what is in the output would be verified again."""
    options, tokens = job(20)
    await run_file(options, client_options)
    before = (tmp_path / "out.jsonl").read_bytes()
    other = attrs.evolve(options, journal=str(tmp_path / "other.db"), out=str(tmp_path / "other.jsonl"))
    lines = edited(options.source, lambda lines: lines[:1])
    await run_file(other, client_options)  # a journal that holds the run, and no row of it
    edited(options.source, lambda _: lines)
    with pytest.raises(JournalError, match="does not know that row"):
        await run_file(attrs.evolve(options, journal=other.journal, **{how: True}), client_options)
    assert (tmp_path / "out.jsonl").read_bytes() == before
    emulator.assert_verified_once(tokens)


async def test_one_command_starts_and_resumes(job, client_options, emulator, tmp_path):
    """--start-or-resume, for a command that a supervisor starts again and again."""
    options, tokens = job(6, start_or_resume=True)
    for _ in range(3):
        summary = await run_file(options, client_options)
        assert (summary.exit_code, summary.statuses) == (0, {"ok": 6})
    assert len(records(tmp_path / "out.jsonl")) == 6
    emulator.assert_verified_once(tokens)


async def test_an_ok_line_stays_whatever_the_journal_says(job, client_options, tmp_path):
    """The answer was written and the journal lost it: the line is the better witness, and the summary counts it as ok."""
    options, _ = job(4)
    await run_file(options, client_options)
    import sqlite3

    with sqlite3.connect(tmp_path / "run.db") as journal:
        journal.execute("DELETE FROM mfa_batch_outcome WHERE position = 2")
    journal.close()
    summary = await run_file(resumed(options), client_options)
    assert summary.statuses == {"ok": 4}
    assert [line["status"] for line in records(tmp_path / "out.jsonl")] == ["ok"] * 4


# ─────────────────────────────── tokens ───────────────────────────────


@pytest.fixture
def check_rows(tmp_path):
    rows = [{"kind": "check", "key": f"k{i}", "phone": f"1390000{i:04d}"} for i in range(60)]
    return write_csv(tmp_path / "checks.csv", rows)


async def test_an_expired_run_token_burns_no_row(check_rows, client_options, emulator, tmp_path):
    """The run stops, says so with 4, and everything is sent once there is a fresh token."""
    options = BatchOptions(
        source=check_rows, out=str(tmp_path / "out.jsonl"), journal=str(tmp_path / "run.db"), concurrency=8
    )
    summary = await run_file(options, {**client_options, "token": "expired"})
    assert isinstance(summary.stopped, RunTokenError)
    assert (summary.exit_code, summary.resumable, summary.done) == (4, True, 0)
    fresh = emulator.issue_mfa_token(emulator.add_user(username=f"f{os.urandom(4).hex()}", password="x"))
    summary = await run_file(resumed(options), {**client_options, "token": fresh})
    assert (summary.exit_code, summary.statuses) == (0, {"ok": 60})


async def test_no_token_at_all_is_one_error_before_the_start(check_rows, client_options, emulator, tmp_path):
    """Not sixty failed rows; no output is left behind."""
    with pytest.raises(RunTokenError, match="no token"):
        await run_file(BatchOptions(source=check_rows, out=str(tmp_path / "out.jsonl")), client_options)
    assert not (tmp_path / "out.jsonl").exists()


async def test_rows_whose_own_tokens_had_expired_can_be_sent_again(make_users, client_options, emulator, tmp_path):
    """--resend-rejected 2021: those rows, and no other rejected row."""
    users = make_users(4)

    def source(tokens):
        rows = [
            {"kind": "phone", "key": f"k{i}", "token": tokens[i], "phone": users[i][0], "code": users[i][2]}
            for i in range(4)
        ]
        rows[3]["code"] = "000000"
        return write_csv(tmp_path / "rows.csv", rows)

    right = [token for _, token, _ in users]
    options = BatchOptions(
        source=source([right[0], "expired", "expired", right[3]]),
        out=str(tmp_path / "out.jsonl"),
        journal=str(tmp_path / "run.db"),
    )
    summary = await run_file(options, client_options)
    assert summary.codes == {200: 1, 2021: 2, 2001: 1}
    source(right)
    summary = await run_file(resumed(options, resend_rejected=(2021,)), client_options)
    assert summary.codes == {200: 3, 2001: 1}
    statuses = {line["index"]: line["status"] for line in records(tmp_path / "out.jsonl")}
    assert statuses == {0: "ok", 1: "ok", 2: "ok", 3: "rejected"}
    emulator.assert_verified_once(right[:3])


async def test_tokens_are_on_disk_before_the_journal_says_ok(job, client_options, emulator, tmp_path):
    """Killed at any moment, each row that the journal calls ok has its token in the output."""
    import sqlite3

    options, tokens = job(200, tokens=True)
    rule = emulator.faults.add("mfa_verify_by_phone", latency=0.005)
    arguments = [options.source, "--out", options.out, "--journal", options.journal, "--tokens", "--concurrency", "8"]
    child = start(client_options, *arguments)
    await until(lambda: sent(emulator, tokens) >= 60)
    child.kill()
    await asyncio.to_thread(child.communicate)
    emulator.faults.remove(rule.id)
    with sqlite3.connect(tmp_path / "run.db") as journal:
        found = journal.execute("SELECT position, answer FROM mfa_batch_outcome").fetchall()
    journal.close()
    recorded = {position for position, answer in found if "e" not in json.loads(answer)}
    whole = [line for line in (tmp_path / "out.jsonl").read_bytes().split(b"\n")[:-1] if line]
    written = {line["index"] for line in map(json.loads, whole) if line["value"].get("id_token")}
    assert recorded
    assert recorded <= written
    summary = await run_file(resumed(options), client_options)
    lines = records(tmp_path / "out.jsonl")
    assert summary.done == len(lines) == 200
    assert all(line["value"]["id_token"] for line in lines if line["status"] == "ok")


# ─────────────────────────────── inputs that break ───────────────────────────────


def broken_gzip(path, rows):
    whole = write_csv(path.with_suffix(".plain"), rows)
    packed = gzip.compress(Path(whole).read_bytes(), compresslevel=0)
    path.write_bytes(packed[: len(packed) // 2])
    return str(path)


def broken_parquet(path, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_parquet(path, rows[:1])
    table = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    pq.write_table(table, path, row_group_size=1024, compression="NONE", use_dictionary=False)
    group = pq.ParquetFile(path).metadata.row_group(1)
    content = bytearray(path.read_bytes())
    for column in range(group.num_columns):
        begin = group.column(column).data_page_offset
        content[begin : begin + 40] = b"\xff" * 40
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("how", ["gzip", pytest.param("parquet", marks=pytest.mark.soak), "generator"])
async def test_an_input_that_breaks_in_the_middle_ends_the_run_with_a_summary(how, client_options, emulator, tmp_path):
    """7, with the outcomes of all rows before it; never 2 with 'nothing was sent'."""
    token = emulator.issue_mfa_token(emulator.add_user(username=f"b{os.urandom(4).hex()}", password="x"))
    rows = [{"kind": "check", "key": f"k{i}", "phone": f"139{i:08d}"} for i in range(2500)]
    out = tmp_path / "out.jsonl"
    if how == "generator":

        def broken():
            yield from (VerifyRequest.check(phone="13900000000") for _ in range(100))
            raise OSError(5, "Input/output error")

        async with AuthClient(**client_options, token=token) as client:
            given = []
            with pytest.raises(OSError, match="Input/output"):
                given.extend([outcome async for outcome in _noted(verify_many(client, broken()), given)])
        assert len(given) == 100
        return
    name = tmp_path / ("rows.csv.gz" if how == "gzip" else "rows.parquet")
    if how == "gzip":
        source = broken_gzip(name, rows)
        with pytest.raises((OSError, EOFError)):  # a file is looked through before the first row is sent
            await run_file(BatchOptions(source=source, out=str(out)), {**client_options, "token": token})
        assert not out.exists()
        return
    source = broken_parquet(name, rows)
    summary = await run_file(BatchOptions(source=source, out=str(out)), {**client_options, "token": token})
    assert (summary.exit_code, summary.done) == (7, 1024)
    assert summary.total == 2500
    assert len(records(out)) == 1024


async def _noted(outcomes, given):
    async for outcome in outcomes:
        given.append(outcome)
        if False:
            yield


async def test_a_row_with_an_odd_token_does_not_hang_the_run(client_options, emulator, tmp_path):
    """Claims that nest too deeply for the JSON decoder: every row has an outcome."""
    deep = base64.urlsafe_b64encode(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}").decode().rstrip("=")
    rows = [VerifyRequest.totp("123456", token=f"x.{deep}.y"), VerifyRequest.totp("123456", token="t")]
    async with asyncio.timeout(60), AuthClient(**client_options) as client:
        outcomes = [outcome async for outcome in verify_many(client, rows, journal=str(tmp_path / "run.db"))]
    assert sorted(outcome.index for outcome in outcomes) == [0, 1]


# ─────────────────────────────── disks ───────────────────────────────


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True)
    require(made.returncode == 0, "the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("full", ["output", "journal"])
async def test_a_disk_that_fills_up_ends_a_run_that_can_be_resumed(
    job, small_disk, client_options, emulator, tmp_path, full
):
    """A real file system without room: what was sent is known, and with room again all is done once."""
    place = {"out": str(small_disk / "out.jsonl")} if full == "output" else {"journal": str(small_disk / "run.db")}
    options, tokens = job(150, concurrency=4, rate=100.0, **place)
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * ((2 << 20) - (8192 if full == "output" else 150_000)))
    try:
        summary = await run_file(options, client_options)
    except JournalError:  # full before the first row
        summary = None
    assert summary is None or (summary.stopped is not None and summary.exit_code in (7, 75))
    assert sent(emulator, tokens) < 150
    filler.unlink()
    again = attrs.evolve(options, start_or_resume=True)
    summary = await run_file(again, client_options)
    assert summary.done == 150
    assert max(emulator.verify_count(token) for token in tokens) == 1
    assert summary.statuses["unknown"] <= 8
    assert sorted(line["index"] for line in records(Path(options.out))) == list(range(150))


# ─────────────────────────────── the service ───────────────────────────────


class Door:
    """A port in front of the emulator that can be shut: connections are refused then, and those that are open are cut."""

    def __init__(self, target):
        self._target = target.removeprefix("http://").split(":")
        self.port = None
        self._server = None
        self._writers = set()

    async def open(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port or 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self):
        self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(self._target[0], int(self._target[1]))
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._writers -= {writer, far_writer}


async def _pump(reader, writer):
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def test_a_service_that_is_away_for_a_moment_does_not_end_the_night(job, client_options, emulator, tmp_path):
    """Rows that were not sent wait for the service; the circuit opens, probes, closes, and the run ends normally."""
    options, tokens = job(120, concurrency=8, stop_after_failures=5, rate=200.0)
    door = Door(emulator.url)
    await door.open()
    told = []
    through = {**client_options, "base_url": f"http://127.0.0.1:{door.port}"}
    run = asyncio.create_task(run_file(options, through, on_progress=told.append))
    await until(lambda: sent(emulator, tokens) >= 30 or run.done())
    await door.shut()
    await until(lambda: any(progress.away for progress in told) or run.done())
    await door.open()
    summary = await run
    await door.shut()
    assert summary.stopped is None
    assert summary.statuses["ok"] + summary.statuses["unknown"] == 120
    assert summary.statuses["unknown"] <= 8
    assert any(progress.away for progress in told)
    assert max(emulator.verify_count(token) for token in tokens) == 1


@pytest.mark.soak
async def test_a_service_that_stays_away_stops_the_run_with_75(job, client_options, emulator, tmp_path):
    """No row failed: all of them are sent by the run that is resumed."""
    options, tokens = job(20, concurrency=4, max_outage=0.3)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        dead = {**client_options, "base_url": f"http://127.0.0.1:{nobody.getsockname()[1]}"}
        summary = await run_file(options, dead)
    assert (summary.exit_code, summary.resumable, summary.statuses["failed"]) == (75, True, 0)
    assert "0.3 s" in str(summary.stopped)
    summary = await run_file(resumed(options), client_options)
    assert (summary.exit_code, summary.statuses) == (0, {"ok": 20})
    emulator.assert_verified_once(tokens)


async def test_a_burst_of_429_pauses_for_one_second_and_is_seen(job):
    """64 answers of one wave are one strike; the progress says that the run pauses."""
    options, tokens = job(100, concurrency=64)
    told, verified, waiting, all_sent = [], [], [], asyncio.Event()

    async def script(seen):
        """429 for the first 64 calls, once all of them are there."""
        if seen.path.endswith("/public-config"):
            return ok({"id": "app", "userPoolId": "pool"})
        if len(waiting) < 64:
            waiting.append(seen)
            if len(waiting) == 64:
                all_sent.set()
            await all_sent.wait()
            return reply({"code": 429, "message": "too many requests"}, 429)
        verified.append(seen.header("Authorization").removeprefix("Bearer "))
        return ok(USER)

    async with serving(script) as server:
        service = {"app_id": "app", "base_url": server.url}
        summary = await run_file(options, service, on_progress=told.append)
    assert (summary.exit_code, summary.statuses) == (0, {"ok": 100})
    assert 0.5 < max(progress.paused for progress in told) <= 1.0
    assert sorted(verified) == sorted(tokens)


# ─────────────────────────────── the operator ───────────────────────────────


async def test_a_summary_says_how_far_the_run_came(job, client_options, emulator):
    """The summary of an interrupted run has done and total rows, and names --resume only if it works."""
    options, tokens = job(80)
    child = start(client_options, options.source, "--out", options.out, "--rate", "20")
    await until(lambda: sent(emulator, tokens) >= 5)
    child.send_signal(signal.SIGTERM)
    _, said = await asyncio.to_thread(child.communicate, timeout=60)
    assert child.returncode == 130
    assert "Interrupted: " in said
    assert " of 80 rows in " in said
    assert "--resume" not in said  # there is no journal


async def test_a_changed_input_is_not_said_to_be_resumable(job, client_options):
    """The same command with --resume would end in the same way."""
    options, _ = job(6)
    await run_file(options, client_options)
    write_lines(options.source, "phone,new,t,13800138000,012340\n")
    edited(options.source, lambda lines: [*lines[:3], *lines[4:]])
    summary = await run_file(resumed(options), client_options)
    assert isinstance(summary.stopped, InputChangedError)
    assert "Row 3" in str(summary.stopped)
    assert (summary.exit_code, summary.resumable) == (7, False)


async def test_repeated_keys_are_counted_by_a_dry_run(client_options, tmp_path):
    """A search by key would find another row."""
    rows = [{"kind": "totp", "key": f"k{i % 7}", "code": "123456"} for i in range(10)]
    options = BatchOptions(source=write_csv(tmp_path / "r.csv", rows), dry_run=True)
    summary = await run_file(options, client_options)
    assert [str(finding) for finding in summary.findings] == ["key is there more than once: 3 rows"]


def test_a_password_in_the_journals_address_need_not_stand_on_the_command_line(tmp_path, client_options, emulator):
    """It comes from the environment or a file; typed, it is warned of; never is it printed."""
    source = write_csv(tmp_path / "r.csv", [{"kind": "totp", "code": "123456", "token": "t"}])
    url = "postgresql://u:hunter2@127.0.0.1:1/db"
    (tmp_path / "url").write_text(url + "\n")
    base = [sys.executable, "-m", "authing_mfa", "batch", source, "--out", str(tmp_path / "o.jsonl")]
    env = {**os.environ, "AUTHING_APP_ID": client_options["app_id"], "AUTHING_BASE_URL": client_options["base_url"]}
    for arguments, more, warned in (
        (["--journal", url], {}, True),
        ([f"--journal={url}"], {}, True),
        (["--journal", f"@{tmp_path / 'url'}"], {}, False),
        ([], {"AUTHING_JOURNAL": url}, False),
    ):
        done = subprocess.run([*base, *arguments], env={**env, **more}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 7, done.stderr
        assert "hunter2" not in done.stdout + done.stderr
        assert ("AUTHING_JOURNAL" in done.stderr) == warned


async def test_a_run_that_lost_its_journal_is_not_said_to_be_resumable(job):
    """Nobody shall start it again: a supervisor takes 75 for that, and a person the hint."""
    options, _ = job(200, concurrency=2)
    delete_journal = Path(options.journal).unlink

    async def script(seen):
        """At the tenth row the journal is deleted."""
        if seen.path.endswith("/public-config"):
            return ok({"id": "app", "userPoolId": "pool"})
        if len(server.seen) == 11:
            delete_journal()
        return ok(USER)

    async with serving(script) as server:
        summary = await run_file(options, {"app_id": "app", "base_url": server.url})
    assert isinstance(summary.stopped, JournalLostError)
    assert (summary.exit_code, summary.resumable) == (7, False)
    assert summary.done == summary.statuses["ok"] < 200
