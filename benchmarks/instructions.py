"""User instructions per call, counted by cachegrind: repeatable to about one percent on a busy machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from benchmarks.servers import ROOT

VALGRIND = shutil.which("valgrind")
NEEDED = "valgrind, which counts instructions, is not installed (Debian: apt-get install valgrind)."


def per_call(contender: str, base: str, concurrency: int = 64, *, orjson: bool = True, between: int = 1000) -> float:
    """Instructions per call of *contender*: two processes differ by *between* calls, and in nothing else."""
    if VALGRIND is None:
        raise SystemExit(NEEDED)
    counting = [VALGRIND, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable]
    arguments = [contender, base, str(between), str(concurrency), *(() if orjson else ("--no-orjson",))]
    done = subprocess.run(
        [*counting, "-m", "benchmarks.probe", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    counts = [int(found.replace(",", "")) for found in re.findall(r"I\s+refs:\s+([\d,]+)", done.stderr)]
    if done.returncode or len(counts) != 3:  # of the two children, and of the process that forked them
        raise RuntimeError(f"{contender} failed under cachegrind:\n{done.stderr[-2000:]}")
    return (counts[1] - counts[0]) / between
