"""Programs that a test runs to their end, each in its own process."""

from __future__ import annotations

import re
import secrets
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

_CHOSEN_BY_THE_SYSTEM = Path("/proc/sys/net/ipv4/ip_local_port_range")
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


def free_port() -> int:
    """A port for a program that must be told one.

    It is below the ports that the system chooses for servers and connections. The system may give one of those to another test's server
    before the program takes it, and the test would then talk to that server.
    """
    lowest = int(_CHOSEN_BY_THE_SYSTEM.read_text("ascii").split()[0]) if _CHOSEN_BY_THE_SYSTEM.exists() else 32768
    while True:
        port = 10_000 + secrets.randbelow(lowest - 10_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
