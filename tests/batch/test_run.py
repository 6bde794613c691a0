"""Runs from file to file against the emulator: output, summary, exit codes, resuming, signals.

More than 300 lines: one test for each option and exit code of a run.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from authing_mfa import AuthClient, InvalidInputError
from authing_mfa.batch import JournalError, VerifyRequest, verify_many
from authing_mfa.batch.files.output import ResultFile
from authing_mfa.batch.run_file import BatchOptions, Summary, run_file
from tests.batch.conftest import until
from tests.batch.test_files import records, write_csv

ROOT = Path(__file__).parents[2]


def newest(emulator):
    """The id of the last request: the journal is bounded, so its length says nothing."""
    return emulator.requests[-1].id if emulator.requests else 0


def write_lines(path, text):
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def client_options(emulator):
    return {"app_id": emulator.app_id, "base_url": emulator.url}


@pytest.fixture
def make_rows(make_users, tmp_path):
    """A CSV file of so many phone rows: its path, and the tokens."""

    def make(count, wrong=()):
        users = make_users(count)
        rows = [
            {"kind": "phone", "key": f"k{i}", "token": token, "phone": phone, "code": "000000" if i in wrong else code}
            for i, (phone, token, code) in enumerate(users)
        ]
        return write_csv(tmp_path / "rows.csv", rows), [token for _, token, _ in users]

    return make


async def test_a_run_writes_one_object_for_each_row(make_rows, client_options, tmp_path, emulator):
    """Every row has its line, the summary counts them, and all were verified once."""
    source, tokens = make_rows(30, wrong=(4,))
    told = []
    options = BatchOptions(
        source=source, out=str(tmp_path / "out.jsonl"), journal=str(tmp_path / "run.db"), concurrency=8
    )
    summary = await run_file(options, client_options, on_progress=told.append)
    lines = records(tmp_path / "out.jsonl")
    assert sorted((line["index"], line["key"]) for line in lines) == [(i, f"k{i}") for i in range(30)]
    assert [line["status"] for line in lines if line["index"] == 4] == ["rejected"]
    assert (summary.done, summary.statuses["ok"], summary.exit_code, summary.resumable) == (30, 29, 1, False)
    assert summary.codes == {200: 29, 2001: 1}
    assert (told[-1].done, told[-1].total) == (30, 30)
    emulator.assert_verified_once([token for number, token in enumerate(tokens) if number != 4])


async def test_a_finished_run_that_is_resumed_changes_nothing(make_rows, client_options, tmp_path, emulator):
    """The output stays byte for byte, tokens and all; nothing is sent."""
    source, tokens = make_rows(10)
    out = tmp_path / "out.jsonl"
    options = {"source": source, "out": str(out), "journal": str(tmp_path / "run.db"), "tokens": True}
    await run_file(BatchOptions(**options), client_options)
    before = out.read_bytes()
    assert b"id_token" in before
    summary = await run_file(BatchOptions(**options, resume=True), client_options)
    assert out.read_bytes() == before
    assert summary.exit_code == 0
    emulator.assert_verified_once(tokens)


async def test_without_resume_a_journal_that_is_there_is_refused(make_rows, client_options, tmp_path, store):
    """An old run is never continued by accident; its output stays."""
    source, _ = make_rows(3)
    options = BatchOptions(source=source, out=str(tmp_path / "out.jsonl"), journal=store)
    await run_file(options, client_options)
    other = attrs.evolve(options, out=str(tmp_path / "other.jsonl"))
    with pytest.raises(InvalidInputError, match="belongs to an earlier run"):
        await run_file(other, client_options)
    assert not (tmp_path / "other.jsonl").exists()
    with pytest.raises(InvalidInputError, match="exists already"):
        await run_file(options, client_options)
    assert len(records(tmp_path / "out.jsonl")) == 3


async def test_a_dry_run_looks_at_every_row_and_sends_nothing(tmp_path, client_options, emulator):
    """Invalid rows and missing photos are counted and reported with their place."""
    rows = [
        {"kind": "totp", "code": "1", "token": "dry"},
        {"kind": "totp", "code": "", "token": "dry"},
        {"kind": "face", "image": str(tmp_path / "gone.jpg"), "token": "dry"},
    ]
    before = newest(emulator)
    broken = []
    options = BatchOptions(source=write_csv(tmp_path / "r.csv", rows), out=str(tmp_path / "o.jsonl"), dry_run=True)
    summary = await run_file(options, client_options, on_invalid=broken.append)
    assert (summary.statuses, summary.exit_code, summary.dry_run) == ({"ok": 1, "failed": 2}, 7, True)
    assert [outcome.index for outcome in broken] == [1, 2]
    assert newest(emulator) == before
    assert not (tmp_path / "o.jsonl").exists()


async def test_broken_rows_are_outcomes(make_rows, client_options, tmp_path):
    """A line that is no row is a failed row of the output; the others are worked."""
    source, _ = make_rows(3)
    write_lines(source, "phone,broken\n")
    broken = []
    options = BatchOptions(source=source, out=str(tmp_path / "out.jsonl"))
    summary = await run_file(options, client_options, on_invalid=broken.append)
    assert (summary.statuses["ok"], summary.statuses["failed"], summary.exit_code) == (3, 1, 7)
    assert [outcome.index for outcome in broken] == [3]


async def test_a_dead_service_stops_the_run_which_can_be_resumed(make_rows, client_options, tmp_path, emulator):
    """The circuit opens, the summary says why and names --resume; then everything is done once."""
    source, tokens = make_rows(30)
    options = {"source": source, "out": str(tmp_path / "out.jsonl"), "journal": str(tmp_path / "run.db")}
    dead = {**client_options, "base_url": "http://127.0.0.1:9", "max_attempts": 1}
    summary = await run_file(BatchOptions(**options, concurrency=4, stop_after_failures=5, max_outage=0.5), dead)
    assert (summary.exit_code, summary.resumable) == (75, True)
    assert "calls in a row failed" in str(summary.stopped)
    assert "in a row" in summary.as_json()["stopped"]
    summary = await run_file(BatchOptions(**options, resume=True), client_options)
    assert (summary.exit_code, summary.done) == (0, 30)
    assert sorted(record["index"] for record in records(tmp_path / "out.jsonl")) == list(range(30))
    assert {record["status"] for record in records(tmp_path / "out.jsonl")} == {"ok"}
    emulator.assert_verified_once(tokens)


async def test_new_recovery_codes_are_kept_where_the_summary_says(tmp_path, client_options, emulator):
    """With and without a journal; they are in the output, too."""
    users = [emulator.add_user(username=f"r{i}-{os.urandom(4).hex()}", password="x", totp=True) for i in range(2)]
    for number, user in enumerate(users):
        rows = [{"kind": "recovery", "code": user.recovery_code, "token": emulator.issue_mfa_token(user), "key": "k"}]
        out = tmp_path / f"out{number}.jsonl"
        journal = str(tmp_path / "run.db") if number else None
        options = BatchOptions(source=write_csv(tmp_path / "r.csv", rows), out=str(out), journal=journal)
        summary = await run_file(options, client_options)
        assert summary.exit_code == 0
        assert summary.recovery_file == Path(f"{journal or out}.recovery-codes.jsonl")
        assert records(summary.recovery_file)[0]["recovery_code"] == emulator.user_by_id(user.id).recovery_code
        assert records(out)[0]["value"]["recovery_code"] == emulator.user_by_id(user.id).recovery_code


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": "missing.csv"}, "no file"),
        ({"resume": True}, "needs a journal"),
        ({"resend_unknown": True}, "resume"),
        ({"out": "SOURCE"}, "overwrite"),
        ({"concurrency": 0}, "concurrency"),
        ({"columns": {"x": "y"}}, "no column"),
        ({"out_format": "parquet"}, "pipe"),
        ({"dask": "local:2"}, "needs a journal"),
    ],
)
async def test_options_that_cannot_be_right_are_refused(tmp_path, client_options, options, said):
    """Before anything is sent."""
    source = write_csv(tmp_path / "r.csv", [{"kind": "totp", "code": "1", "token": "t"}])
    given = {"source": source, **{name: source if value == "SOURCE" else value for name, value in options.items()}}
    with pytest.raises(InvalidInputError, match=said):
        await run_file(BatchOptions(**given), client_options)


async def test_results_that_cannot_be_written_are_told_before_anything_is_sent(
    make_rows, client_options, tmp_path, emulator
):
    """An output in no folder ends the run before it begins."""
    source, tokens = make_rows(2)
    with pytest.raises(JournalError):
        await run_file(BatchOptions(source=source, out=str(tmp_path / "no" / "o.jsonl")), client_options)
    assert [emulator.verify_count(token) for token in tokens] == [0, 0]


async def test_one_429_of_the_service_pauses_all_of_a_run(make_users, client_options, emulator):
    """The client does not wait on its own: between the 429 and its Retry-After only calls that were in flight arrive."""
    users = make_users(30)
    rows = [VerifyRequest.phone(phone, code, token=token) for phone, token, code in users]
    seen = newest(emulator)
    rule = emulator.faults.add("mfa_verify_by_phone", retry_after=1, nth=10)
    async with AuthClient(**client_options) as client:
        outcomes = [outcome async for outcome in verify_many(client, rows, concurrency=3)]
    emulator.faults.remove(rule.id)
    assert {outcome.status for outcome in outcomes} == {"ok"}
    calls = [call for call in emulator.requests if call.id > seen and call.operation == "mfa_verify_by_phone"]
    limited = next(call for call in calls if call.status == 429)
    assert len([call for call in calls if limited.at < call.at < limited.at + 0.9]) <= 2
    assert len(calls) == 31
    emulator.assert_verified_once([token for _, token, _ in users])


async def test_a_full_disk_under_the_output_stops_a_run_that_can_be_resumed(
    make_rows, client_options, tmp_path, emulator, monkeypatch
):
    """The summary says why; what was sent is in the journal, and the resumed run writes all of it."""
    source, tokens = make_rows(40)
    real, written = ResultFile.write, []

    def full(self, outcome):
        written.append(outcome)
        if len(written) > 10:
            raise JournalError("The results cannot be written: No space left on device.")
        real(self, outcome)

    options = {
        "source": source,
        "out": str(tmp_path / "out.jsonl"),
        "journal": str(tmp_path / "run.db"),
        "concurrency": 4,
    }
    monkeypatch.setattr(ResultFile, "write", full)
    summary = await run_file(BatchOptions(**options), client_options)
    monkeypatch.undo()
    assert (summary.exit_code, summary.resumable) == (75, True)
    assert "No space left" in str(summary.stopped)
    summary = await run_file(BatchOptions(**options, resume=True), client_options)
    assert summary.exit_code == 0
    assert sorted(record["index"] for record in records(tmp_path / "out.jsonl")) == list(range(40))
    emulator.assert_verified_once(tokens)


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ({"ok": 5}, 0),
        ({"ok": 5, "rejected": 1}, 1),
        ({"rejected": 1, "unknown": 1}, 3),
        ({"unknown": 1, "failed": 1, "rejected": 9}, 7),
        ({}, 0),
    ],
)
def test_the_exit_code_is_the_highest_that_applies(statuses, code):
    """0 all verified, 1 some rejected, 3 some unknown, 7 some failed."""
    summary = Summary()
    summary.statuses.update(statuses)
    assert summary.exit_code == code


def environment(options):
    return {
        **os.environ,
        "AUTHING_APP_ID": options["app_id"],
        "AUTHING_BASE_URL": options["base_url"],
        "PYTHONPATH": str(ROOT),
    }


def start(options, *arguments, stdin=os.devnull, start_new_session=False):
    command = [sys.executable, "-m", "authing_mfa", "batch", *map(str, arguments)]
    with Path(stdin).open("rb") as file:
        return subprocess.Popen(
            command,
            env=environment(options),
            text=True,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=start_new_session,
        )


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, *(pytest.param(n, marks=pytest.mark.soak) for n in (signal.SIGINT, signal.SIGHUP))]
)
async def test_a_signal_ends_the_run_in_order_and_resume_goes_on(make_rows, client_options, tmp_path, emulator, number):
    """130; what was sent has its outcome in journal and output, the rest is not sent; then all is done once."""
    source, tokens = make_rows(60)
    out, journal = tmp_path / "out.jsonl", tmp_path / "run.db"
    arguments = [source, "--out", out, "--journal", journal, "--concurrency", 4, "--json", "--rate", 60]
    child = start(client_options, *arguments)
    await until(lambda: sum(emulator.verify_count(token) for token in tokens) >= 10)
    child.send_signal(number)
    out_, said = await asyncio.to_thread(child.communicate, timeout=60)
    assert child.returncode == 130, said
    summary = json.loads(out_)["data"]
    assert (summary["interrupted"], summary["resumable"], summary["unknown"]) == (True, True, 0)
    verified = sum(emulator.verify_count(token) for token in tokens)
    assert verified == len(records(out)) == summary["ok"] < 60
    child = start(client_options, *arguments[:-2], "--resume")
    _, said = await asyncio.to_thread(child.communicate, timeout=60)
    assert child.returncode == 0, said
    assert sorted(record["index"] for record in records(out)) == list(range(60))
    emulator.assert_verified_once(tokens)


def pending(child, number):
    """The signal was sent, and no thread of the process has taken it yet."""
    lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    return any(int(line.split()[1], 16) >> (number - 1) & 1 for line in lines if line.startswith(("SigPnd", "ShdPnd")))


@pytest.mark.parametrize("again", [signal.SIGINT, signal.SIGHUP])
async def test_only_a_second_ctrl_c_does_not_wait_for_the_answers(make_rows, client_options, tmp_path, emulator, again):
    """130 with a summary; what was sent is unknown. A terminal that closes sends SIGHUP twice: nobody asked for haste."""
    source, tokens = make_rows(20)
    asked, gate = [], asyncio.Event()

    async def serve(reader, writer):
        """Pass everything on but the answers to codes: those wait for the gate."""
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int(emulator.url.rpartition(":")[2]))
        while chunk := await reader.read(1 << 20):
            far_writer.write(chunk)
            answer = await far_reader.read(1 << 20)
            if b"/mfa/sms/verify" in chunk:
                asked.append(chunk)
                await gate.wait()
            writer.write(answer)
        far_writer.close()
        writer.close()

    out, journal = tmp_path / "out.jsonl", tmp_path / "run.db"
    arguments = [source, "--out", out, "--journal", journal, "--concurrency", 4, "--json"]
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        through = {**client_options, "base_url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
        child = start(through, *arguments)
        await until(lambda: len(asked) == 4)
        for number in (again, again):
            child.send_signal(number)
            await until(lambda: not pending(child, again))
        if again != signal.SIGINT:
            gate.set()
        out_, said = await asyncio.to_thread(child.communicate, timeout=60)
        gate.set()
    assert child.returncode == 130, said
    assert "Traceback" not in said
    summary = json.loads(out_)["data"]
    answered = 0 if again == signal.SIGINT else 4
    assert (summary["interrupted"], summary["resumable"], summary["ok"]) == (True, True, answered)
    child = start(client_options, *arguments, "--resume", "--service-moved")  # without the passage
    out_, said = await asyncio.to_thread(child.communicate, timeout=60)
    summary = json.loads(out_)["data"]
    assert (summary["ok"], summary["unknown"]) == (16 + answered, 4 - answered)
    emulator.assert_verified_once(tokens)


async def test_rows_come_through_a_pipe_and_outcomes_go_through_one(make_rows, client_options):
    """`- ` reads standard input, and standard output holds nothing but outcomes."""
    source, _ = make_rows(5)
    child = start(client_options, "-", "--ordered", stdin=source)
    out, said = await asyncio.to_thread(child.communicate, timeout=60)
    assert child.returncode == 0, said
    assert [json.loads(line)["key"] for line in out.splitlines()] == [f"k{i}" for i in range(5)]
