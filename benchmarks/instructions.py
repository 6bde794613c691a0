"""User instructions per call, counted by cachegrind: repeatable to a fraction of a percent on a busy machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from benchmarks.servers import ROOT

VALGRIND = shutil.which("valgrind")
BETWEEN = 1000
"""Two runs differ by so many calls; what one costs more is these calls alone."""


def count(
    contender: str, base: str, calls: int, concurrency: int, *, orjson: bool = True, ca: str | None = None
) -> int:
    """Instructions of a whole process that makes *calls* calls."""
    assert VALGRIND is not None
    command = [
        VALGRIND,
        "--tool=cachegrind",
        "--cache-sim=no",
        "--cachegrind-out-file=/dev/null",
        sys.executable,
        "-m",
        "benchmarks.probe",
        contender,
        base,
        str(calls),
        str(concurrency),
        *(() if orjson else ("--no-orjson",)),
        *(("--ca", ca) if ca else ()),
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(f"{contender} failed under cachegrind:\n{done.stderr[-2000:]}")
    return int(found[1].replace(",", ""))


def per_call(
    contender: str,
    base: str,
    concurrency: int = 64,
    *,
    orjson: bool = True,
    ca: str | None = None,
    between: int = BETWEEN,
) -> float:
    """Instructions per call of *contender* at *concurrency*."""
    few, many = (count(contender, base, calls, concurrency, orjson=orjson, ca=ca) for calls in (between, 2 * between))
    return (many - few) / between
