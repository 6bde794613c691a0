"""Secrets in places: a database's URL, arguments and environment of processes, temporary files, files that were there, others' logs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import traceback
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from authing_mfa import ApiError, AuthClient, AuthingError, UserInfo
from authing_mfa._options import ClientOptions
from authing_mfa.batch import VerifyRequest, verify_many
from authing_mfa.batch.journal.recovery_codes import RecoveryFile
from authing_mfa.batch.partitions.worker import PartitionWorker
from authing_mfa.batch.run_file import BatchOptions, Summary, run_file
from authing_mfa.cli.tokens import Login, TokenStore
from authing_mfa.emulator import Emulator
from tests.batch.conftest import FakeClient
from tests.cli.conftest import clean_environ
from tests.hostile.test_secrets import everything_shown
from tests.needs import require_module

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "canary-database-4716"
TOKEN = "canary-token-4711"
CODE = "86420971"
SHARED = 0o644  # a mode that lets others read

URLS = [
    "postgresql://u:{}@127.0.0.1:1/x",
    "postgresql+asyncpg://u:{}@127.0.0.1:1/x?sslmode={}",
    "postgresql://127.0.0.1:1/x?user=u&password={}",
    "postgresql://u:{}@127.0.0.1:1/x?connect_timeout=soon",
    "postgresql://u:{}@127.0.0.1:1/x?sslmode=verify-full&sslrootcert=/not-there",
    "postgresql://u:{}@127.0.0.1:1/x?no_such_option={}",
    "postgresql://u:{}/more@127.0.0.1:1/x",
    "postgresql://u:a@b:{}@127.0.0.1:1/x",
    "postgresql://u:a@{}@127.0.0.1:1/x",
    "postgresql://u:x@[::1{}/x",
    "mysql://u:{}@127.0.0.1:1/x",
    "postgresql:/u:{}@127.0.0.1:1/x",
    "postgres//u:{}@127.0.0.1:1/x",
    "postgresql+asyncpg:u:{}@127.0.0.1:1/x",
]


def rows():
    return [VerifyRequest.totp(CODE, token=TOKEN)]


def our_locals(error: BaseException) -> str:
    """The local variables of the package's own frames, as a report of a crash shows them."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in told.stack if "/authing_mfa/" in frame.filename]
    assert frames
    return "\n".join(f"{frame.name}: {frame.locals}" for frame in frames)


@pytest.mark.parametrize("url", URLS)
async def test_no_failure_of_a_journal_shows_the_password_of_its_database(url, shown, tmp_path, monkeypatch):
    """A URL that is mistyped, refused or of nobody: its password is in no error, log, repr, summary or local variable."""
    monkeypatch.chdir(tmp_path)
    journal = url.replace("{}", PASSWORD)
    with pytest.raises(AuthingError) as caught:
        async with aclosing(verify_many(FakeClient(), rows(), journal=journal, max_outage=0.1)) as outcomes:
            await anext(outcomes)
    options = BatchOptions(source="rows.csv", journal=journal)
    summary = Summary(stopped=caught.value)
    told = [everything_shown(caught.value), shown(), repr(summary), json.dumps(summary.as_json())]
    told += [repr(options), our_locals(caught.value)]
    assert PASSWORD not in "\n".join(told)
    assert not list(tmp_path.iterdir())


async def test_no_statement_shows_what_a_row_is_about(shown, tmp_path):
    """The logs of SQLAlchemy and of the driver, switched on, hold neither token nor code."""
    journal = tmp_path / "run.db"
    client = FakeClient(lambda *_: UserInfo(id="u1", token="canary-token-4711"))
    async with aclosing(verify_many(client, rows(), journal=journal)) as outcomes:
        assert [outcome.status async for outcome in outcomes] == ["ok"]
    told = shown()
    assert "mfa_batch_row" in told
    assert not [secret for secret in (TOKEN, CODE) if secret in told]


def test_the_settings_of_a_client_show_no_secret():
    """Neither token nor the proxy's password is in the repr of its options."""
    options = ClientOptions(app_id="app", token=TOKEN, proxy=f"http://u:{PASSWORD}@127.0.0.1:1")
    assert not [secret for secret in (PASSWORD, TOKEN) if secret in repr(options)]


# ─────────────────────────────── files ───────────────────────────────


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def opened(path: Path, content: str = "") -> Path:
    """A file that others can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(SHARED)
    return path


async def test_a_file_for_recovery_codes_that_was_there_is_closed_to_others(tmp_path):
    """Before a new code is in it, its mode is 0600; what it held stays."""
    path = opened(tmp_path / "codes.jsonl", "{}\n")
    file = RecoveryFile(path, "run")
    await file.open()
    assert (mode(path), path.read_text()) == (0o600, "{}\n")
    file.close()


def token_store(folder: Path) -> TokenStore:
    return TokenStore(folder, "profile", lambda _: None, lambda key, **_: key)


def test_a_token_file_that_was_there_is_closed_to_others(tmp_path, monkeypatch):
    """A login replaces it by one of mode 0600."""
    monkeypatch.setattr("authing_mfa.cli.tokens._usable_keyring", lambda: None)
    store = token_store(tmp_path)
    opened(store.path)
    store.save(Login(TOKEN))
    assert mode(store.path) == 0o600
    assert list(store.path.parent.iterdir()) == [store.path]


def test_a_token_that_cannot_be_kept_is_not_left_in_a_temporary_file(tmp_path, monkeypatch):
    """Neither a part of it nor all of it."""
    monkeypatch.setattr("authing_mfa.cli.tokens._usable_keyring", lambda: None)
    store = token_store(tmp_path)
    (store.path / "a folder in its place").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        store.save(Login(TOKEN))
    assert list(store.path.parent.iterdir()) == [store.path]


def test_files_of_the_emulator_that_were_there_are_closed_to_others(tmp_path):
    """A snapshot, a state file, and the private key of an authority that is kept."""
    snapshot, state = opened(tmp_path / "snapshot.json"), tmp_path / "state.json"
    for _ in range(2):
        with Emulator(state_file=state, tls=True, tls_folder=tmp_path / "ca") as emulator:
            emulator.save(snapshot)
        assert [mode(path) for path in (snapshot, state, tmp_path / "ca" / "ca-key.pem")] == [0o600] * 3
        state.chmod(SHARED)
        (tmp_path / "ca" / "ca-key.pem").chmod(SHARED)


# ─────────────────────────────── processes ───────────────────────────────


def test_the_environment_of_a_command_that_the_emulator_runs():
    """It gets the five variables of the emulator, loses the token of the real service, and finds no secret in its arguments."""
    tell = "import json, os, sys; print(json.dumps([dict(os.environ), open('/proc/self/cmdline').read()]))"
    environ = clean_environ(AUTHING_TOKEN=TOKEN)
    command = [sys.executable, "-m", "authing_mfa", "emulator", "exec", "--", sys.executable, "-c", tell]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60)
    assert done.returncode == 0, done.stderr
    theirs, arguments = json.loads(done.stdout.splitlines()[-1])
    ours = {"BASE_URL", "APP_ID", "USER_POOL_ID", "PUBLIC_KEY", "EMULATOR"}
    assert theirs.keys() - environ.keys() - {"LC_CTYPE"} == {f"AUTHING_{name}" for name in ours}
    assert TOKEN not in json.dumps([theirs, arguments, done.stderr])


WATCHED = """
import pathlib, sys
from authing_mfa.__main__ import main
from authing_mfa.batch.partitions import driver

folder = sys.argv[1]

class Watched(driver._Driver):
    async def work(self, *arguments):
        seen = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                environ = (path / "environ").read_text()
                if folder in environ:
                    seen.append((path / "cmdline").read_text() + chr(10) + environ)
            except OSError:
                continue
        pathlib.Path(folder, "seen").write_text((chr(10) * 2).join(seen))
        await super().work(*arguments)

if __name__ == "__main__":
    driver._Driver = Watched
    sys.argv[1:] = ["batch", f"{folder}/rows.csv", "--journal", f"@{folder}/url", "--out", f"{folder}/out.jsonl", *sys.argv[2:]]
    main()
"""


@pytest.mark.soak
@pytest.mark.parametrize("where", [("--dask", "local:1"), ("--processes", "2")], ids=lambda where: where[0])
def test_no_process_of_a_batch_has_a_secret_in_its_arguments_or_environment(where, tmp_path):
    """Neither the command nor its workers: the journal's URL comes from a file, tokens and codes from the rows."""
    require_module("distributed")
    (tmp_path / "url").write_text(f"sqlite+aiosqlite:///{tmp_path}/{PASSWORD}.db\n")
    (tmp_path / "watched.py").write_text(WATCHED)
    (tmp_path / "rows.csv").write_text(f"kind,token,code\ntotp,{TOKEN},{CODE}\n")
    with Emulator() as emulator:
        environ = clean_environ(AUTHING_BASE_URL=emulator.url, AUTHING_APP_ID=emulator.app_id, FOLDER=str(tmp_path))
        command = [sys.executable, str(tmp_path / "watched.py"), str(tmp_path), *where]
        done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120)
    assert done.returncode == 1, done.stderr  # the service refuses the canary
    seen = (tmp_path / "seen").read_text()
    assert seen.count("\n\n") >= 1, "the command and a worker"
    assert not [secret for secret in (PASSWORD, TOKEN, CODE) if secret in seen + done.stdout + done.stderr]


# ─────────────────────────────── logs of others ───────────────────────────────


async def test_a_partition_that_breaks_shows_no_secret_in_the_logs_of_dask(shown, tmp_path, monkeypatch):
    """Dask logs the arguments of a task that fails, and what its workers are told."""
    require_module("distributed")
    from distributed import LocalCluster

    async def broken(*_arguments):
        raise RuntimeError("the worker is broken")

    monkeypatch.setattr(PartitionWorker, "verify", broken)
    (tmp_path / "rows.csv").write_text(f"kind,token,code\ntotp,{TOKEN},{CODE}\n")
    client_options = {
        "app_id": "a",
        "token": TOKEN,
        "proxy": f"http://u:{PASSWORD}@127.0.0.1:1",
        "base_url": "http://a",
    }
    cluster = LocalCluster(n_workers=1, processes=False, dashboard_address=None, protocol="tcp://", asynchronous=True)
    async with cluster:
        options = BatchOptions(
            source=str(tmp_path / "rows.csv"),
            out=str(tmp_path / "out.jsonl"),
            journal=f"sqlite+aiosqlite:///{tmp_path}/{PASSWORD}.db",
            dask=cluster.scheduler_address,
        )
        summary = await run_file(options, client_options)
    assert summary.stopped is not None
    told = shown() + everything_shown(summary.stopped)
    assert "verify_partition" in told
    assert not [secret for secret in (PASSWORD, TOKEN, CODE) if secret in told]


async def test_no_log_of_the_emulator_shows_what_it_was_sent(shown):
    """The log has no token, password or secret: after broken requests, a refused login and a refused code."""
    requests = (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\x01\r\n\r\n",
        f"POST /api/v2/login/account HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {PASSWORD}\r\n\r\n",
        f"{TOKEN} {PASSWORD} rubbish\r\n\r\n",
    )
    with Emulator() as emulator:
        emulator.add_user(username="ada", password=PASSWORD, mfa=["OTP"], totp=True)
        async with AuthClient(emulator.app_id, base_url=emulator.url, public_key=emulator.public_key) as client:
            with pytest.raises(ApiError):
                await client.login_by_account("ada", PASSWORD)
            with pytest.raises(ApiError):
                await client.as_user(TOKEN).mfa_verify_by_totp(CODE)
        for request in requests:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(emulator.url.rpartition(":")[2]))
            writer.write(request.encode())
            await reader.read()
            writer.close()
            await writer.wait_closed()
    told = shown()
    assert "authing_mfa.emulator" in told  # the broken requests were logged
    assert not [secret for secret in (PASSWORD, TOKEN, CODE) if secret in told]
