"""Runs a driver script in a process of its own: for exits, forks, signals, and toolkits that may take their process down."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GUARD = 90.0  # seconds; a driver that takes this long hangs


def environment(**extra: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1", **extra}


def command(driver: str, *arguments: str) -> list[str]:
    return [sys.executable, "-X", "dev", "-W", "error", str(HERE / "drivers" / f"{driver}.py"), *arguments]


def run(driver: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """The finished driver; its output is text. That asyncio found a step slow is no finding on a busy machine."""
    finished = subprocess.run(
        command(driver, *arguments), env=environment(**extra), capture_output=True, text=True, timeout=GUARD
    )
    lines = finished.stderr.splitlines(keepends=True)
    finished.stderr = "".join(line for line in lines if not re.match(r"Executing <.* took \S+ seconds$", line))
    return finished
