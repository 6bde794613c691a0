"""PostgreSQL clusters for the tests. Each one ends with the process that made it, however that process ends."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import require

NOBODY = pwd.getpwnam("nobody")

# Waits for the end of the tests, which closes its standard input, also when a signal ends them. Then it stops the cluster.
_GUARD = """
import pathlib, shutil, subprocess, sys
folder, data, *stop = sys.argv[1:]
sys.stdin.read()
if pathlib.Path(data, "postmaster.pid").exists():
    subprocess.run([*stop, "-D", data], check=True, stdout=subprocess.DEVNULL)
shutil.rmtree(folder)
"""


def _programs() -> Path:
    """The folder of PostgreSQL's programs."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    require(installed, "PostgreSQL (initdb)")
    return installed[-1].parent


def as_plain_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return command
    require(shutil.which("setpriv"), "setpriv, to run PostgreSQL as another user than root")
    return ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups", *command]


class Cluster:
    """A PostgreSQL whose files are in *home*, an empty folder. It listens on a socket there, and with *port* on 127.0.0.1, too."""

    def __init__(self, home: Path, port: int | None, max_connections: int):
        self.home = home
        self.data = home / "data"
        self.port = port
        address = "-c listen_addresses=''" if port is None else f"-c listen_addresses=127.0.0.1 -p {port}"
        self._settings = f"-k {home} {address} -c fsync=off -c shared_buffers=16MB -c max_connections={max_connections}"
        _run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")

    def start(self) -> None:
        _run("pg_ctl", "-D", self.data, "-w", "-l", self.home / "log", "-o", self._settings, "start")

    def stop(self, mode: str) -> None:
        _run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def restart(self, mode: str) -> None:
        self.stop(mode)
        self.start()


def _run(program: str, *options: str | Path) -> None:
    command = as_plain_user([str(_programs() / program), *map(str, options)])
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running_cluster(port: int | None = None, max_connections: int = 50) -> Iterator[Cluster]:
    """A cluster in a new folder; nothing of it remains."""
    stop = as_plain_user([str(_programs() / "pg_ctl"), "-m", "immediate", "-w", "stop"])
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    home = folder / "s"
    home.mkdir()
    command = [sys.executable, "-c", _GUARD, str(folder), str(home / "data"), *stop]
    # In a new session, so that a signal for the tests does not reach it.
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        if os.geteuid() == 0:
            os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
        cluster = Cluster(home, port, max_connections)
        cluster.start()
        yield cluster
    finally:
        guard.communicate(timeout=60)
        assert guard.returncode == 0
