"""Starting up: what importing costs, how soon the emulator answers, and the memory it needs."""

from __future__ import annotations

import random
import resource
import statistics
import subprocess
import sys
import time

from benchmarks.servers import ROOT, cores, pinned

IMPORTS = {
    "nothing": "pass",
    "aiohttp": "import aiohttp",
    "authing_mfa": "import authing_mfa",
    "authing_mfa.AuthClient": "from authing_mfa import AuthClient",
    "authing_mfa.compat": "import authing_mfa.compat",
}

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


def cpu_of(program: str) -> float:
    """Milliseconds of CPU of an interpreter that runs *program*."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*pinned(cores()[0]), sys.executable, "-c", program], cwd=ROOT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def imports(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of CPU that each import adds to an interpreter that imports nothing; the imports take turns."""
    for program in IMPORTS.values():
        cpu_of(program)  # byte code is written, files are cached
    taken: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name in random.sample(list(IMPORTS), len(IMPORTS)):
            taken[name].append(cpu_of(IMPORTS[name]))
    nothing = taken.pop("nothing")
    return {name: [cost - base for cost, base in zip(costs, nothing, strict=True)] for name, costs in taken.items()}


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
