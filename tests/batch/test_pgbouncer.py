"""The journal in PostgreSQL as it is used: behind pgbouncer in transaction mode, with a URL of libpq, and with a restart during a run."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import trustme

from authing_mfa import InvalidInputError
from authing_mfa.batch import JournalError
from authing_mfa.batch.journal.database import is_away
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.options import BatchOptions
from authing_mfa.batch.run_file import run_file
from tests.batch.conftest import until
from tests.batch.test_files import records, write_csv
from tests.batch.test_journal import query
from tests.needs import require_program
from tests.postgresql import as_plain_user, running_cluster
from tests.programs import free_port


@pytest.fixture
def cluster():
    """A PostgreSQL of one test: it may be restarted."""
    with running_cluster(free_port(), max_connections=20) as made:
        yield made


def use_tls(cluster, certificate):
    """*cluster* offers TLS with *certificate* from now on."""
    for name, parts in (("server.key", [certificate.private_key_pem]), ("server.crt", certificate.cert_chain_pems)):
        file = cluster.data / name
        file.write_bytes(b"".join(part.bytes() for part in parts))
        file.chmod(0o600)
        shutil.chown(file, cluster.data.owner())
    with (cluster.data / "postgresql.conf").open("a") as settings:
        settings.write("ssl = on\n")
    cluster.restart("fast")


@pytest.fixture
def pgbouncer(cluster):
    """pgbouncer in transaction mode before it: each transaction may get another connection."""
    program = require_program("pgbouncer")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pgb-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        config = folder / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n* = host=127.0.0.1 port={cluster.port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
            "auth_type = any\npool_mode = transaction\nunix_socket_dir =\ndefault_pool_size = 3\n"
            "ignore_startup_parameters = extra_float_digits\n"
        )
        process = subprocess.Popen(
            as_plain_user([program, str(config)]), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for line in process.stderr:
            if "process up" in line:
                break
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.communicate(timeout=60)


@pytest.fixture
def client_options(emulator):
    return {"app_id": emulator.app_id, "base_url": emulator.url}


@pytest.fixture
def job(make_users, tmp_path):
    """Options for a run of so many phone rows, and the rows' tokens."""

    def make(count, journal, run_name="run", **options):
        users = make_users(count)
        rows = [
            {"kind": "phone", "key": f"k{i}", "token": token, "phone": phone, "code": code}
            for i, (phone, token, code) in enumerate(users)
        ]
        given = {
            "source": write_csv(tmp_path / f"{run_name}.csv", rows),
            "out": str(tmp_path / f"{run_name}.jsonl"),
            "run_name": run_name,
            "journal": journal,
            "start_or_resume": True,
            **options,
        }
        return BatchOptions(**given), [token for _, token, _ in users]

    return make


async def test_behind_pgbouncer_runs_go_and_are_resumed(pgbouncer, job, client_options, emulator):
    """Prepared statements do not outlive their transaction there; three runs at once share its connections."""
    jobs = [job(100, pgbouncer, run_name=name, concurrency=8) for name in ("one", "two", "three")]
    first = await asyncio.gather(*[run_file(options, client_options) for options, _ in jobs])
    again = await asyncio.gather(*[run_file(options, client_options) for options, _ in jobs])
    assert [summary.statuses for summary in [*first, *again]] == [{"ok": 100}] * 6
    for options, tokens in jobs:
        emulator.assert_verified_once(tokens)
        assert len(records(Path(options.out))) == 100


APPLICATIONS = "SELECT application_name FROM pg_stat_activity"


async def test_a_url_of_libpq_is_understood(cluster):
    """?sslmode=, with a server that has no TLS: it is refused where it must be there, and not tried where it must not."""
    base = f"postgres://postgres@127.0.0.1:{cluster.port}/postgres"
    journal = await Journal.open(f"{base}?sslmode=disable")
    await journal.close()
    journal = await Journal.open(f"{base}?sslmode=prefer&application_name=nightly&connect_timeout=20")
    names = await query(f"postgresql+asyncpg://postgres@127.0.0.1:{cluster.port}/postgres", APPLICATIONS)
    assert ("nightly",) in names
    await journal.close()
    with pytest.raises(InvalidInputError, match="connect_timeout"):
        await Journal.open(f"{base}?connect_timeout=soon")
    with pytest.raises(JournalError, match=r"SSL|ssl"):
        await Journal.open(f"{base}?sslmode=require")
    with pytest.raises(JournalError, match=r"SSL|ssl"):  # only the modes that verify read the certificates
        await Journal.open(f"{base}?sslmode=require&sslrootcert=/nonexistent.pem")
    with pytest.raises(JournalError, match="certificates"):
        await Journal.open(f"{base}?sslmode=verify-full&sslrootcert=/nonexistent.pem")


async def test_the_certificate_of_postgresql_is_checked_as_the_url_says(cluster, tmp_path):
    """verify-full checks who issued it and for which host, verify-ca only who issued it, require nothing."""
    authority, stranger = trustme.CA(), trustme.CA()
    ours, other = tmp_path / "ours.pem", tmp_path / "other.pem"
    authority.cert_pem.write_to_path(ours)
    stranger.cert_pem.write_to_path(other)
    use_tls(cluster, authority.issue_cert("127.0.0.1"))

    async def open_journal(host, mode, root):
        url = f"postgresql://postgres@{host}:{cluster.port}/postgres?sslmode={mode}&sslrootcert={root}"
        await (await Journal.open(url)).close()

    await open_journal("127.0.0.1", "verify-full", ours)
    await open_journal("localhost", "verify-ca", ours)
    await open_journal("localhost", "require", other)
    with pytest.raises(JournalError, match="certificate"):
        await open_journal("localhost", "verify-full", ours)
    with pytest.raises(JournalError, match="certificate"):
        await open_journal("127.0.0.1", "verify-ca", other)


@pytest.mark.parametrize("mode", ["fast", pytest.param("immediate", marks=pytest.mark.soak)])
async def test_a_restart_of_postgresql_costs_no_row(cluster, job, client_options, emulator, tmp_path, mode):
    """The process knows what it sent: it connects again, records it, and continues. No row is unknown or sent twice."""
    url = f"postgresql://postgres@127.0.0.1:{cluster.port}/postgres"
    options, tokens = job(200, url, concurrency=8, rate=200.0)
    run = asyncio.create_task(run_file(options, client_options))
    await until(lambda: sum(emulator.verify_count(token) for token in tokens) >= 40 or run.done(), 60)
    await asyncio.to_thread(cluster.restart, mode)
    summary = await run
    assert summary.stopped is None
    assert summary.statuses == {"ok": 200}
    emulator.assert_verified_once(tokens)
    assert len(records(tmp_path / "run.jsonl")) == 200


@pytest.mark.soak
async def test_a_database_that_stays_away_stops_the_run_with_75(cluster, job, client_options, emulator):
    """After the time that was set; the run is resumed when it is back."""
    url = f"postgresql://postgres@127.0.0.1:{cluster.port}/postgres"
    options, tokens = job(100, url, concurrency=4, rate=100.0, max_outage=1.0)
    run = asyncio.create_task(run_file(options, client_options))
    await until(lambda: sum(emulator.verify_count(token) for token in tokens) >= 20 or run.done(), 60)
    await asyncio.to_thread(cluster.stop, "fast")
    summary = await run
    assert summary.exit_code == 75
    await asyncio.to_thread(cluster.start)
    summary = await run_file(options, client_options)
    assert summary.done == 100
    assert max(emulator.verify_count(token) for token in tokens) == 1


def test_only_an_outage_is_waited_for():
    """An error of the data or of the rights is said at once."""
    import asyncpg

    outages = (
        asyncpg.ConnectionDoesNotExistError,
        asyncpg.ConnectionFailureError,
        asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
    )
    assert [error for error in outages if not is_away(error("gone"))] == []
    assert is_away(ConnectionRefusedError())
    assert is_away(asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress"))
    others = (asyncpg.UniqueViolationError, asyncpg.InsufficientPrivilegeError, asyncpg.DiskFullError, ValueError)
    assert [error for error in others if is_away(error("no"))] == []
