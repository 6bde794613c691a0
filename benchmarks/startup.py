"""Starting up: what importing costs, what a command and the pytest plugin cost, how soon the emulator answers and its memory."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from authing_mfa.emulator import Emulator
from benchmarks.servers import ROOT, cores, pinned
from benchmarks.turns import Taken, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IMPORTS = {
    "nothing": "pass",
    "aiohttp": "import aiohttp",
    "authing_mfa": "import authing_mfa",
    "authing_mfa.AuthClient": "from authing_mfa import AuthClient",
    "authing_mfa.compat": "import authing_mfa.compat",
}

NO_TESTS = 5  # pytest's exit code

EMULATOR = """
import sys, time
started = time.perf_counter()
from authing_mfa.emulator import Emulator
with Emulator() as emulator:
    import http.client
    from urllib.parse import urlsplit
    connection = http.client.HTTPConnection(urlsplit(emulator.url).netloc)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()
    taken = time.perf_counter() - started
    with open("/proc/self/statm") as file:
        print(taken, int(file.read().split()[1]) / 256)
"""


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def program(*arguments: str, folder: Path | str = ROOT, code: int = 0, **environment: str) -> Callable[[], int]:
    """A turn that runs Python with *arguments*; it must end with *code*."""
    command = [*pinned(cores()[0]), sys.executable, *arguments]

    def run() -> int:
        # What pip installs is compiled. The turn that warms up writes what is not, unless the environment forbids it.
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment}
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return 1

    return run


def imports(rounds: int) -> Taken:
    """Microseconds of CPU that each import adds to an interpreter that imports nothing."""
    taken = take_turns({name: program("-c", text) for name, text in IMPORTS.items()}, rounds, clock=cpu_of_children)
    nothing = taken.pop("nothing")
    return {name: [cost - base for cost, base in zip(costs, nothing, strict=True)] for name, costs in taken.items()}


def commands(rounds: int) -> Taken:
    """Wall-clock microseconds of two commands, of Python alone, and of an empty pytest run with the plugin and without."""
    with Emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        user = emulator.add_user(username="ada", password="lovelace")
        told = {
            "AUTHING_APP_ID": emulator.app_id,
            "AUTHING_BASE_URL": emulator.url,
            "AUTHING_TOKEN": emulator.issue_mfa_token(user),
        }
        pytest = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", folder)
        programs = {
            "python -c pass": program("-c", "pass"),
            "authing-mfa --help": program("-m", "authing_mfa", "--help"),
            "authing-mfa check": program("-m", "authing_mfa", "check", "--phone", "13800000000", **told),
            "pytest without the plugin": program(*pytest, "-p", "no:authing_mfa", folder=folder, code=NO_TESTS),
            "pytest with the plugin": program(*pytest, folder=folder, code=NO_TESTS),
        }
        return take_turns(programs, rounds, clock=time.perf_counter)


def emulator(rounds: int) -> dict[str, float]:
    """Seconds from nothing to the first answer (and of the whole process, interpreter included), MiB resident."""
    seconds, whole, mib = [], [], []
    for _ in range(rounds):
        started = time.perf_counter()
        done = subprocess.run(
            [*pinned(cores()[0]), sys.executable, "-c", EMULATOR], cwd=ROOT, capture_output=True, text=True, check=True
        )
        whole.append(time.perf_counter() - started)
        taken, memory = done.stdout.split()
        seconds.append(float(taken))
        mib.append(float(memory))
    return {
        "seconds": statistics.median(seconds),
        "process_seconds": statistics.median(whole),
        "mib": statistics.median(mib),
    }
