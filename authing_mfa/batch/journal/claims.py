"""Who may work on a partition: pure decisions, and the facts about this process that they need.

A claim is a row with an epoch (a fencing token) and a beat (a heartbeat: each transaction raises it). Taking it over raises the epoch; a worker with an older epoch can write nothing more, because
each of its transactions begins with a change to the claim under its own epoch. It also sends nothing more, because it sends
only until `lease` seconds after its last such transaction began, and a new owner waits as long before it works, unless the
old process is known to be dead. No two machines' clocks are ever compared.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from functools import cache
from pathlib import Path
from typing import Final, Literal

import attrs

__all__ = ["LEASE", "Claim", "Owner", "boot_clock", "takeover"]

LEASE: Final = 15.0
"""Seconds that a claim holds without being renewed."""


_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC if hasattr(time, "CLOCK_MONOTONIC") else None)


def boot_clock() -> float:
    """Seconds, monotonic, also while the machine sleeps."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


@attrs.frozen
class Claim:
    """A partition's claim, as it stands in the journal. `owner` is empty when nobody works on it."""

    epoch: int
    beat: int
    owner: str
    lease: float


@attrs.frozen
class Owner:
    """One process on one machine. `nonce` tells two journals of one process apart."""

    machine: str
    pid: int
    started: str
    nonce: str

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(_machine(), os.getpid(), _started(os.getpid()) or "", uuid.uuid4().hex)

    def text(self) -> str:
        """As the journal keeps it; `parse` reads it."""
        return "|".join((self.machine, str(self.pid), self.started, self.nonce))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """Return what `text` wrote, None when it is not that."""
        parts = text.split("|")
        return cls(parts[0], int(parts[1]), parts[2], parts[3]) if len(parts) == 4 and parts[1].isdecimal() else None

    def gone(self, machine: str) -> bool:
        """It ran on this *machine*, and does no more. False also when that cannot be told."""
        return bool(self.started) and self.machine == machine and _started(self.pid) != self.started


@cache
def _machine() -> str:
    """Machine, boot and process namespace: within one of these, a process id says something."""
    parts = [socket.gethostname()]
    for ask in (Path("/proc/sys/kernel/random/boot_id").read_text, Path("/proc/self/ns/pid").readlink):
        try:
            parts.append(str(ask()).strip())
        except OSError:
            parts.append("?")
    return "/".join(parts).replace("|", "_")


def _started(pid: int) -> str | None:
    """When the process began, None when there is none (a zombie is none) or this system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def takeover(claim: Claim | None, machine: str, *, steal: bool) -> Literal["take", "take and wait", "watch"]:
    """Return how to get at a partition with this *claim*: take it now, take it and wait its lease out, or watch if it is alive.

    Args:
        claim: what stands in the journal, None for a new partition.
        machine: the one this process runs on.
        steal: the scheduler says that the old owner has lost it, alive or not.
    """
    if claim is None or not claim.owner:
        return "take"
    owner = Owner.parse(claim.owner)
    if owner is None or owner.gone(machine):
        return "take"
    return "take and wait" if steal else "watch"
