"""A batch on a real Dask cluster of processes on this machine, one of which is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import attrs
import pytest

from authing_mfa import InvalidInputError
from authing_mfa.batch import CircuitOpenError, InputChangedError, JournalError
from authing_mfa.batch.run_file import BatchOptions, run_file
from tests.batch.conftest import until
from tests.batch.test_files import records, write_csv
from tests.batch.test_pacing import most_in_a_second
from tests.batch.test_run import ROOT, start, write_lines
from tests.needs import require_module
from tests.programs import free_port

require_module("distributed")

from authing_mfa.batch.dask import driver as on_dask  # noqa: E402 - without Dask this module is skipped

WORKERS = 3


@pytest.fixture(scope="module")
def cluster():
    """Three processes, one for all tests of this module."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as made:
        yield made


@pytest.fixture
def client_options(emulator):
    return {"app_id": emulator.app_id, "base_url": emulator.url, "max_attempts": 1}


@pytest.fixture
def job(request, make_job):
    """Options for a run of so many rows, on the cluster unless `dask` says otherwise, and the rows' tokens."""

    def make(count, **options):
        address = options.pop("dask", None) or request.getfixturevalue("cluster").scheduler_address
        return make_job(count, **{"dask": address, "concurrency": 4, "partition_rows": 20, **options})

    return make


def processes(cluster):
    return [worker.process.pid for worker in cluster.workers.values()]


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True)
async def test_one_worker_of_several_is_killed_and_nothing_is_verified_twice(
    cluster, job, store, client_options, emulator, tmp_path
):
    """Dask gives the dead worker's partitions to others; what it had sent and not recorded is unknown, all else is done."""
    rule = emulator.faults.add("mfa_verify_by_phone", latency=0.01)
    options, tokens = job(240, journal=store)
    run = asyncio.create_task(run_file(options, client_options))
    await until(lambda: sum(emulator.verify_count(token) for token in tokens) >= 60 or run.done(), 60)
    assert not run.done()
    os.kill(processes(cluster)[0], signal.SIGKILL)
    summary = await run
    emulator.faults.remove(rule.id)

    lines = records(tmp_path / "out.jsonl")
    assert sorted(line["index"] for line in lines) == list(range(240))
    counts = [emulator.verify_count(token) for token in tokens]
    assert max(counts) == 1
    statuses = {line["index"]: line["status"] for line in lines}
    assert set(statuses.values()) <= {"ok", "unknown"}
    assert all(statuses[index] == "unknown" for index in range(240) if counts[index] == 1 and statuses[index] != "ok")
    assert all(counts[index] == 1 for index in range(240) if statuses[index] == "ok")
    assert summary.statuses == Counter(statuses.values())
    assert summary.statuses["unknown"] <= 2 * 4
    assert not (tmp_path / "out.jsonl.parts").exists()


@pytest.mark.soak
async def test_the_rate_is_the_clusters(job, client_options, emulator, tmp_path):
    """However many workers share it, no second has more calls than the rate, as the service sees them."""
    options, tokens = job(90, rate=30.0, partition_rows=5)
    began = time.time()
    summary = await run_file(options, client_options)
    assert summary.exit_code == 0
    mine = {line["key"] for line in records(tmp_path / "out.jsonl")}
    assert len(mine) == 90
    starts = [call.at for call in emulator.requests if call.operation == "mfa_verify_by_phone" and call.at >= began]
    assert len(starts) == 90
    assert most_in_a_second(sorted(starts)) <= 30 + WORKERS  # on their way they may come closer together
    emulator.assert_verified_once(tokens)


async def test_a_run_is_resumed_only_when_asked_and_only_with_its_input(job, client_options, emulator, tmp_path):
    """Again without resume is refused; resumed, nothing is sent; shortened by a whole partition it is refused."""
    options, tokens = job(45)
    await run_file(options, client_options)
    with pytest.raises(InvalidInputError, match="exists already"):
        await run_file(options, client_options)
    resumed = attrs.evolve(options, resume=True)
    summary = await run_file(resumed, client_options)
    assert (summary.exit_code, summary.done) == (0, 45)
    emulator.assert_verified_once(tokens)
    lines = (tmp_path / "rows.csv").read_text().splitlines(keepends=True)
    (tmp_path / "rows.csv").write_text("".join(lines[:21]))
    summary = await run_file(resumed, client_options)
    assert isinstance(summary.stopped, InputChangedError)
    assert summary.exit_code == 7


@pytest.mark.soak
async def test_a_dead_service_stops_all_workers_and_resuming_finishes(job, client_options, emulator, tmp_path):
    """A circuit that opens on one worker ends the run; the rest is untouched, and done when the service is back."""
    options, tokens = job(240, stop_after_failures=3, partition_rows=10, max_outage=0.5)
    told, broken = [], []
    write_lines(options.source, "phone,broken\n")
    dead = {**client_options, "base_url": "http://127.0.0.1:9"}
    summary = await run_file(options, dead, on_progress=told.append, on_invalid=broken.append)
    assert isinstance(summary.stopped, CircuitOpenError)
    assert (summary.exit_code, summary.resumable) == (75, True)
    assert summary.done < 240
    assert told[-1].done == summary.done
    summary = await run_file(attrs.evolve(options, resume=True), client_options, on_invalid=broken.append)
    assert summary.statuses == {"ok": 240, "failed": 1}
    assert 240 in {outcome.index for outcome in broken}
    assert len(records(tmp_path / "out.jsonl")) == 241
    emulator.assert_verified_once(tokens)


async def test_new_recovery_codes_of_all_workers_are_kept(cluster, client_options, emulator, tmp_path):
    """One file for each partition that has some, in a folder that only the owner may read."""
    users = [emulator.add_user(username=f"d{i}-{os.urandom(4).hex()}", password="x", totp=True) for i in range(6)]
    rows = [
        {"kind": "recovery", "code": user.recovery_code, "token": emulator.issue_mfa_token(user), "key": user.id}
        for user in users
    ]
    options = BatchOptions(
        source=write_csv(tmp_path / "r.csv", rows),
        out=str(tmp_path / "out.csv"),
        journal=str(tmp_path / "run.db"),
        dask=cluster.scheduler_address,
        partition_rows=2,
    )
    summary = await run_file(options, client_options)
    assert summary.exit_code == 0
    kept = {line["key"]: line["recovery_code"] for file in summary.recovery_file.iterdir() for line in records(file)}
    assert kept == {user.id: emulator.user_by_id(user.id).recovery_code for user in users}
    assert summary.recovery_file.stat().st_mode & 0o777 == 0o700
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 7


async def test_localhost_is_the_address_of_a_scheduler(job, cluster, client_options, monkeypatch):
    """Its port is not a number of new processes."""

    def no_cluster(**_keywords):
        raise AssertionError("a new cluster")

    monkeypatch.setattr(on_dask, "LocalCluster", no_cluster)
    options, _ = job(6, dask=cluster.scheduler_address.replace("tcp://127.0.0.1:", "localhost:"))
    assert options.dask.startswith("localhost:")
    assert (await run_file(options, client_options)).exit_code == 0


async def test_a_journal_in_a_file_does_not_serve_other_machines(job, client_options, monkeypatch):
    """Workers elsewhere need a database server."""
    options, _ = job(1)
    monkeypatch.setattr(on_dask, "_facts", lambda: ("another machine", 1))
    with pytest.raises(InvalidInputError, match="postgresql"):
        await run_file(options, client_options)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"journal": None}, "needs a journal"),
        ({"out": "-"}, "file"),
        ({"partition_rows": 0}, "partition_rows"),
        ({"dask": "local:x"}, "local:N"),
        ({"dask": "scheduler"}, "has a port"),
        ({"dask": "tcp://scheduler"}, "has a port"),
    ],
)
async def test_options_that_cannot_be_right_on_a_cluster_are_refused(job, client_options, change, said):
    """Before anything is started."""
    options, _ = job(1, dask="local:2")
    with pytest.raises(InvalidInputError, match=said):
        await run_file(attrs.evolve(options, **change), client_options)


@pytest.mark.soak
async def test_ctrl_c_lets_a_local_cluster_end_in_order(job, client_options, emulator, tmp_path):
    """The terminal's Ctrl-C reaches all processes; the run ends with what was sent recorded, and can be resumed."""
    options, tokens = job(200, dask="local:2")
    arguments = [options.source, "--out", options.out, "--journal", options.journal]
    arguments += ["--dask", "local:2", "--partition-rows", "20", "--rate", "40"]
    with start(client_options, *arguments, start_new_session=True) as child:
        try:
            await until(lambda: sum(emulator.verify_count(token) for token in tokens) >= 20, 90)
            os.killpg(child.pid, signal.SIGINT)
            _, said = await asyncio.to_thread(child.communicate, timeout=90)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    assert child.returncode == 130, said
    counts = [emulator.verify_count(token) for token in tokens]
    lines = records(tmp_path / "out.jsonl")
    assert sum(counts) == len(lines) < 200
    assert {line["status"] for line in lines} == {"ok"}


@pytest.fixture
def lonely_cluster():
    """A scheduler and a worker, each in its own process: the scheduler's address, and the scheduler."""
    from distributed import Client

    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"}
    quiet = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler_options = f"--host 127.0.0.1 --port {port} --no-dashboard --no-show".split()
    worker_options = f"{address} --nthreads 1 --no-nanny --no-dashboard --death-timeout 60".split()
    scheduler = subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", *scheduler_options], **quiet)
    worker = subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_worker", *worker_options], **quiet)
    try:
        with Client(address, timeout="60s") as client:
            client.wait_for_workers(1, timeout=60)
        yield address, scheduler
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait(30)


@pytest.mark.soak
async def test_a_scheduler_that_dies_ends_the_run_with_a_summary(
    lonely_cluster, job, client_options, emulator, tmp_path
):
    """7, with what is known, and never 'nothing was sent'; on another cluster the run is resumed, and nothing is sent twice."""
    import dask

    address, scheduler = lonely_cluster
    options, tokens = job(200, dask=address, rate=60.0, partition_rows=10)
    with dask.config.set({"distributed.comm.timeouts.connect": "3s"}):
        run = asyncio.create_task(run_file(options, client_options))
        await until(lambda: sum(emulator.verify_count(token) for token in tokens) >= 40 or run.done(), 60)
        assert not run.done()
        scheduler.kill()
        async with asyncio.timeout(90):
            summary = await run
    assert isinstance(summary.stopped, JournalError)
    assert (summary.exit_code, summary.resumable) == (7, True)
    assert 0 < summary.done < 200
    again = attrs.evolve(options, resume=True, dask="local:1", rate=None)
    summary = await run_file(again, client_options)
    assert summary.done == 200
    assert max(emulator.verify_count(token) for token in tokens) == 1
    assert sorted(line["index"] for line in records(tmp_path / "out.jsonl")) == list(range(200))
