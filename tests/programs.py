"""Programs that a test runs to their end, each in its own process."""

from __future__ import annotations

import re
import subprocess
from typing import Any

_SLOW_STEP = re.compile(r"Executing <.* took \S+ seconds\n?")


def run_program(command: list[Any], *, timeout: float = 100, **options: Any) -> subprocess.CompletedProcess[str]:
    """The finished program; its output is text.

    With ``-X dev``, asyncio writes a line about each step that took over 0.1 s.
    On a busy machine that is no finding: these lines are left out.
    """
    finished = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **options)
    finished.stderr = "".join(
        line for line in finished.stderr.splitlines(keepends=True) if not _SLOW_STEP.fullmatch(line)
    )
    return finished
