"""Run a driver script in its own process: for exits, forks, signals, and toolkits that may crash their process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.programs import run_program

if TYPE_CHECKING:
    import subprocess

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GUARD = 90.0  # seconds; a driver that takes this long hangs


def environment(**extra: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1", **extra}


def command(driver: str, *arguments: str) -> list[str]:
    return [sys.executable, "-X", "dev", "-W", "error", str(HERE / "drivers" / f"{driver}.py"), *arguments]


def run(driver: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """The finished driver."""
    return run_program(command(driver, *arguments), env=environment(**extra), timeout=GUARD)
