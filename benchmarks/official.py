"""The service's own synchronous Python client, in 64 threads, in a separate environment and separate processes."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.servers import ROOT, WORK, Servers, cores, pinned

RELEASE = "authing==4.5.17"
PROGRAM = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from authing.v2.authentication import AuthenticationClient, AuthenticationClientOptions

base, count = sys.argv[1], int(sys.argv[2])
client = AuthenticationClient(AuthenticationClientOptions(app_id="APP", app_host=base))

def call(_):
    assert client.verify_totp_mfa("123456", "token")["code"] == 200

with ThreadPoolExecutor(64) as pool:
    list(pool.map(call, range(64)))
    started = time.process_time()
    list(pool.map(call, range(count)))
    print((time.process_time() - started) / count)
"""


def installed() -> str | None:
    """The interpreter that has it; None where it cannot be had."""
    place = WORK / "official"
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)

    def has_it() -> bool:
        return subprocess.run([python, "-c", "import authing.v2"], capture_output=True, check=False).returncode == 0

    if not has_it():
        subprocess.run([python, "-m", "pip", "install", "-q", RELEASE], capture_output=True, check=False)
    return str(python) if has_it() else None


def bundle(python: str, ca: str) -> str:
    """The usual bundle of authorities, which every call of this client parses anew, with ours added."""
    usual = subprocess.run([python, "-m", "certifi"], capture_output=True, text=True, check=True).stdout.strip()
    place = WORK / "bundle.pem"
    place.write_text(Path(usual).read_text() + Path(ca).read_text())
    return str(place)


def cpu_of_official(python: str, base: str, calls: int, ca: str | None = None) -> float:
    """CPU seconds per call."""
    environment = {**os.environ, **({"REQUESTS_CA_BUNDLE": bundle(python, ca)} if ca else {})}
    command = [*pinned(cores()[0]), python, "-W", "ignore", "-c", PROGRAM, base, str(calls)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{RELEASE} failed: {done.stderr[-500:]}")
    return float(done.stdout)


def cpu_of_ours(base: str, calls: int, ca: str | None = None, *, orjson: bool = False) -> float:
    """CPU seconds per call of AuthClient, 64 at a time, in a separate process."""
    command = [*pinned(cores()[0]), sys.executable, "-m", "benchmarks.probe", "ours", base, str(calls), "64", "--cpu"]
    command += [] if orjson else ["--no-orjson"]
    command += ["--ca", ca] if ca else []
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def measure(servers: Servers, *, quick: bool) -> dict[str, dict[str, list[float]]] | None:
    """CPU microseconds per call over http and https, ours and theirs taking turns."""
    python = installed()
    if python is None:
        return None
    taken: dict[str, dict[str, list[float]]] = {}
    rounds = 1 if quick else 3
    for scheme, base, ca, calls in (
        ("http", servers.http, None, 1000 if quick else 3000),
        ("https", servers.https, servers.ca, 150 if quick else 500),
    ):
        figures: dict[str, list[float]] = {"ours": [], "official": []}
        for _ in range(rounds):
            figures["ours"].append(cpu_of_ours(base, 20 * calls if quick else 10 * calls, ca) * 1e6)
            figures["official"].append(cpu_of_official(python, base, calls, ca) * 1e6)
        taken[scheme] = figures
    return taken
