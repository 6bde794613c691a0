"""A batch on several processes of this machine, which are killed and interrupted."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import ssl
from collections import Counter
from pathlib import Path

import attrs
import pytest

from authing_mfa import InvalidInputError
from authing_mfa.batch import CircuitOpenError, InputChangedError, JournalError
from authing_mfa.batch.processes.pool import _divided, _Process
from authing_mfa.batch.run_file import BatchOptions, run_file
from tests.batch.conftest import until
from tests.batch.test_files import records
from tests.batch.test_nights import edited
from tests.batch.test_pacing import most_in_a_second
from tests.batch.test_run import start, write_lines


@pytest.fixture
def client_options(emulator):
    return {"app_id": emulator.app_id, "base_url": emulator.url, "max_attempts": 1}


@pytest.fixture
def job(make_job):
    """Options for a run of so many phone rows on two processes, and the rows' tokens."""
    return lambda count, **options: make_job(
        count, **{"processes": 2, "concurrency": 8, "partition_rows": 10, **options}
    )


def children(of=None):
    """The processes of a run in the process *of*: the tracker of resources, which multiprocessing starts, is none."""
    mine = Path(f"/proc/{of or os.getpid()}/task").glob("*/children")
    found = {int(number) for tasks in mine for number in read(tasks).split()}
    return sorted(child for child in found if b"spawn_main" in read(Path(f"/proc/{child}/cmdline")))


def read(path):
    """Nothing, if the thread or the process has just ended."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def outcomes(path):
    """What the lines of a result file say of their rows."""
    names = ("index", "key", "kind", "status", "code", "message")
    return [tuple(str(line[name]) for name in names) for line in records(Path(path))]


def verified(emulator, tokens):
    return sum(emulator.verify_count(token) for token in tokens)


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True)
async def test_the_outcomes_are_those_of_one_process(store, job, client_options, emulator, tmp_path):
    """Row by row the same as by one process; no process and no part is left behind."""
    odd = "phone,rejected,t,13800138000,000000\nphone,broken\n"
    options, tokens = job(45, journal=store)
    write_lines(options.source, odd)
    told, broken = [], []
    summary = await run_file(options, client_options, on_progress=told.append, on_invalid=broken.append)
    emulator.assert_verified_once(tokens)
    assert summary.statuses == {"ok": 45, "rejected": 1, "failed": 1}
    assert (told[-1].done, [outcome.index for outcome in broken]) == (47, [46])
    alone, _ = job(45, processes=1, journal=None, out=str(tmp_path / "alone.jsonl"))
    write_lines(alone.source, odd)
    await run_file(alone, client_options)
    assert sorted(outcomes(options.out)) == sorted(outcomes(alone.out))
    assert not (tmp_path / "out.jsonl.parts").exists()
    assert children() == []


async def test_a_process_that_is_killed_costs_no_row(job, client_options, emulator, tmp_path):
    """The other one does the rest; what the dead one had sent and not recorded is unknown, and nothing is sent twice."""
    options, tokens = job(120, rate=100.0)
    run = asyncio.create_task(run_file(options, client_options))
    await until(lambda: verified(emulator, tokens) >= 20 or run.done())
    assert not run.done()
    os.kill(children()[0], signal.SIGKILL)
    summary = await run
    lines = records(tmp_path / "out.jsonl")
    assert [line["index"] for line in lines if line["index"] % 10 == 0] == list(range(0, 120, 10))
    assert sorted(line["index"] for line in lines) == list(range(120))
    assert max(emulator.verify_count(token) for token in tokens) == 1
    statuses = {line["index"]: line["status"] for line in lines}
    assert all(statuses[index] == "ok" or emulator.verify_count(tokens[index]) <= 1 for index in range(120))
    assert all(emulator.verify_count(tokens[index]) == 1 for index in range(120) if statuses[index] == "ok")
    assert summary.statuses == Counter(statuses.values())
    assert summary.statuses["ok"] + summary.statuses["unknown"] == 120
    assert summary.statuses["unknown"] <= 2 * 8
    assert summary.stopped is None


@pytest.mark.soak
async def test_when_all_processes_are_killed_the_run_ends_and_can_be_resumed(job, client_options, emulator, tmp_path):
    """7, with by what they ended; resumed with another number of processes, all is done once."""
    options, tokens = job(120, rate=100.0)
    run = asyncio.create_task(run_file(options, client_options))
    await until(lambda: verified(emulator, tokens) >= 20 or run.done())
    for child in children():
        os.kill(child, signal.SIGKILL)
    summary = await run
    assert isinstance(summary.stopped, JournalError)
    assert "killed by signal 9" in str(summary.stopped)
    assert (summary.exit_code, summary.resumable) == (7, True)
    summary = await run_file(attrs.evolve(options, resume=True, processes=3, rate=None), client_options)
    assert summary.done == 120
    assert sorted(line["index"] for line in records(tmp_path / "out.jsonl")) == list(range(120))
    assert max(emulator.verify_count(token) for token in tokens) == 1
    assert summary.statuses["unknown"] <= 2 * 8


@pytest.mark.soak
async def test_ctrl_c_ends_all_processes_in_order_and_resume_goes_on(job, client_options, emulator, tmp_path):
    """The terminal sends it to all of them: 130, what was sent has its outcome, and the rest is done by the next run."""
    options, tokens = job(120)
    arguments = [options.source, "--out", options.out, "--journal", options.journal, "--processes", "2"]
    arguments += ["--partition-rows", "10", "--concurrency", "8"]
    child = start(client_options, *arguments, "--rate", "40", start_new_session=True)
    await until(lambda: verified(emulator, tokens) >= 10)
    os.killpg(child.pid, signal.SIGINT)
    _, said = await asyncio.to_thread(child.communicate, timeout=60)
    assert child.returncode == 130, said
    assert "Traceback" not in said
    lines = records(tmp_path / "out.jsonl")
    assert verified(emulator, tokens) == len(lines) < 120
    assert {line["status"] for line in lines} == {"ok"}
    summary = await run_file(attrs.evolve(options, resume=True), client_options)
    assert (summary.exit_code, summary.statuses) == (0, {"ok": 120}), summary
    assert sorted(line["index"] for line in records(tmp_path / "out.jsonl")) == list(range(120))
    emulator.assert_verified_once(tokens)


@pytest.mark.soak
async def test_when_the_first_process_is_killed_the_others_end_in_order(job, client_options, emulator, tmp_path):
    """They see that their connection ends: what they have sent is recorded, so a resumed run knows all of it."""
    options, tokens = job(120)
    arguments = [options.source, "--out", options.out, "--journal", options.journal, "--processes", "2"]
    child = start(client_options, *arguments, "--partition-rows", "10", "--concurrency", "8", "--rate", "60")
    await until(lambda: verified(emulator, tokens) >= 20)
    workers = children(child.pid)
    child.kill()
    await asyncio.to_thread(child.communicate)
    await until(lambda: not any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers))
    assert len(workers) == 2
    summary = await run_file(attrs.evolve(options, resume=True), client_options)
    assert (summary.exit_code, summary.statuses) == (0, {"ok": 120}), summary
    assert sorted(line["index"] for line in records(tmp_path / "out.jsonl")) == list(range(120))
    emulator.assert_verified_once(tokens)


@pytest.mark.soak
async def test_parts_that_an_earlier_run_has_left_are_not_those_of_a_new_one(job, client_options, emulator, tmp_path):
    """Its outcomes would be given to the rows of the new input."""
    options, _ = job(10)
    (tmp_path / "rows.jsonl").write_text('{"kind": "totp", "code": "123456"}\n' * 10)
    stopped = await run_file(attrs.evolve(options, source=str(tmp_path / "rows.jsonl")), client_options)
    assert stopped.exit_code == 4
    assert list((tmp_path / "out.jsonl.parts").iterdir())
    new = attrs.evolve(options, journal=str(tmp_path / "new.db"), overwrite=True)
    summary = await run_file(new, client_options)
    assert dict(summary.statuses) == {"ok": 10}
    assert {key for _, key, *_ in outcomes(options.out)} == {f"k{i}" for i in range(10)}


@pytest.mark.soak
async def test_the_rate_is_that_of_all_processes(job, client_options, emulator, tmp_path):
    """No second has more calls than the rate, as the service sees them."""
    options, tokens = job(60, rate=30.0, processes=3, partition_rows=5)
    earlier = list(emulator.requests)  # of other tests; the emulator keeps the newest ones
    summary = await run_file(options, client_options)
    assert summary.exit_code == 0
    before = {id(call) for call in earlier}
    calls = [c.at for c in emulator.requests if id(c) not in before and c.operation == "mfa_verify_by_phone"]
    assert len(calls) == 60
    assert most_in_a_second(sorted(calls)) <= 30 + 3  # on their way they may come closer together
    emulator.assert_verified_once(tokens)


@pytest.mark.soak
async def test_a_dead_service_stops_all_processes(job, client_options, emulator):
    """75, and all is done when it is back."""
    options, tokens = job(60, stop_after_failures=3, max_outage=0.2)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        dead = {**client_options, "base_url": f"http://127.0.0.1:{nobody.getsockname()[1]}"}
        summary = await run_file(options, dead)
    assert isinstance(summary.stopped, CircuitOpenError)
    assert (summary.exit_code, summary.resumable) == (75, True)
    summary = await run_file(attrs.evolve(options, resume=True), client_options)
    assert (summary.exit_code, summary.statuses) == (0, {"ok": 60})
    emulator.assert_verified_once(tokens)


@pytest.mark.soak
async def test_a_finished_run_that_is_resumed_sends_nothing_and_wants_its_input(job, client_options, emulator):
    """Also on another number of processes; an input that has become shorter is refused."""
    options, tokens = job(25)
    await run_file(options, client_options)
    with pytest.raises(InvalidInputError, match="exists already"):
        await run_file(options, client_options)
    summary = await run_file(attrs.evolve(options, resume=True, processes=3), client_options)
    assert (summary.exit_code, summary.done) == (0, 25)
    emulator.assert_verified_once(tokens)
    edited(options.source, lambda lines: lines[:11])
    summary = await run_file(attrs.evolve(options, resume=True), client_options)
    assert isinstance(summary.stopped, InputChangedError)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"journal": None}, "needs a journal"),
        ({"out": "-"}, "file"),
        ({"processes": 9}, "concurrency of at least 9"),
        ({"dask": "local:2"}, "--processes"),
        ({"recovery_file": __file__}, f"needs a folder {__file__}, but this is a file"),
    ],
)
async def test_what_cannot_be_right_is_refused_before_anything_is_started(job, client_options, tmp_path, change, said):
    """No process, no journal, no output."""
    options, _ = job(1)
    with pytest.raises(InvalidInputError, match=said):
        await run_file(attrs.evolve(options, **change), client_options)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


async def test_client_options_that_cannot_be_handed_over_are_refused(job, client_options, tmp_path):
    """A context of TLS stays in its process."""
    options, _ = job(1)
    with pytest.raises(InvalidInputError, match="another process"):
        await run_file(options, {**client_options, "ssl_context": ssl.create_default_context()})
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize("count", [0, -1, "x", True, 1.5])
def test_a_number_of_processes_is_a_whole_number_from_1(count):
    """Said when the options are made."""
    with pytest.raises(InvalidInputError, match="processes"):
        BatchOptions(source="rows.csv", processes=count)


@pytest.mark.parametrize(("concurrency", "processes"), [(64, 2), (7, 2), (3, 2), (2, 2), (65, 4), (9, 3)])
def test_the_calls_in_flight_are_divided_without_a_rest(concurrency, processes):
    """Every process has some, and all together have what was asked for."""
    shares = list(_divided(concurrency, processes))
    assert len(shares) == processes
    assert sum(map(sum, shares)) == concurrency
    assert min(map(min, shares)) >= 1


def test_a_certificate_authority_of_the_command_line_reaches_the_processes(tmp_path):
    """--ca-file: the context is made anew in each of them."""
    from authing_mfa.cli.certificates import trusting

    authority = ssl.create_default_context()
    file = tmp_path / "ca.pem"
    file.write_text("".join(ssl.DER_cert_to_PEM_cert(der) for der in authority.get_ca_certs(binary_form=True)[:1]))
    handed_over = pickle.loads(pickle.dumps(trusting(str(file))))
    assert isinstance(handed_over, ssl.SSLContext)
    assert handed_over.get_ca_certs() == trusting(str(file)).get_ca_certs() != []


@pytest.mark.parametrize(("code", "said"), [(-9, "killed by signal 9"), (3, "exit code 3"), (None, "not ended yet")])
def test_the_cause_of_an_end_is_awaited(code, said):
    """The connection of a process ends a moment before the process does; its exit code is known after that."""

    class Ending:
        exitcode = None

        def join(self, timeout):
            assert timeout is not None
            self.exitcode = code

    process = object.__new__(_Process)
    process._process = Ending()
    assert process.how_it_ended() == said
