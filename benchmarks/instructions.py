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
    """Instructions per call of *contender*."""
    arguments = [contender, base, str(between), str(concurrency), *(() if orjson else ("--no-orjson",))]
    return counted("benchmarks.probe", arguments, between)[0]


def counted(module: str, arguments: list[str], between: int) -> list[float]:
    """Instructions per item: *module* makes pairs of processes that differ by *between* items, and in nothing else."""
    if VALGRIND is None:
        raise SystemExit(NEEDED)
    counting = [VALGRIND, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable]
    done = subprocess.run(
        [*counting, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    counts = [int(found.replace(",", "")) for found in re.findall(r"I\s+refs:\s+([\d,]+)", done.stderr)]
    if done.returncode or len(counts) < 3:  # of two children or more, and of the process that forked them
        raise RuntimeError(f"{module} failed under cachegrind:\n{done.stderr[-2000:]}")
    return [(more - less) / between for less, more in zip(counts[:-1:2], counts[1::2], strict=True)]
