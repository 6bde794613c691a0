"""Decide who may work on a partition: pure decisions, and the facts about this process that they need.

A claim is a row with an epoch (a fencing token) and a beat (a heartbeat: each transaction raises it). A takeover raises the epoch. A
worker with an older epoch can write nothing more, because each of its transactions begins with a change to the claim under its own
epoch. It also sends nothing more, because it sends only until `lease` seconds after its last such transaction began, and a new
owner waits as long before it works, unless the old process is known to be dead. Clocks of two machines are never compared.
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
"""Seconds that a claim is valid without being renewed."""


_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC if hasattr(time, "CLOCK_MONOTONIC") else None)


def boot_clock() -> float:
    """Return monotonic seconds, which also count while the machine sleeps."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


@attrs.frozen
class Claim:
    """A partition's claim in the journal. `owner` is empty if nobody works on the partition."""

    epoch: int
    beat: int
    owner: str
    lease: float


@attrs.frozen
class Owner:
    """One process on one machine. `nonce` distinguishes two journals of one process."""

    machine: str
    pid: int
    started: str
    nonce: str

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(_machine(), os.getpid(), _started(os.getpid()) or "", uuid.uuid4().hex)

    def text(self) -> str:
        """The owner as text for the journal; `parse` reads it."""
        return "|".join((self.machine, str(self.pid), self.started, self.nonce))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """Return the owner that `text` wrote, or None if the text has another form."""
        parts = text.split("|")
        return cls(parts[0], int(parts[1]), parts[2], parts[3]) if len(parts) == 4 and parts[1].isdecimal() else None

    def gone(self, machine: str) -> bool:
        """Return True if the process ran on this *machine* and has ended. False also if that is unknown."""
        return bool(self.started) and self.machine == machine and _started(self.pid) != self.started


@cache
def _machine() -> str:
    """Return machine, boot and process namespace: a process id is unique only within these."""
    parts = [socket.gethostname()]
    for ask in (Path("/proc/sys/kernel/random/boot_id").read_text, Path("/proc/self/ns/pid").readlink):
        try:
            parts.append(str(ask()).strip())
        except OSError:
            parts.append("?")
    return "/".join(parts).replace("|", "_")


def _started(pid: int) -> str | None:
    """Return when the process began, or None if it does not exist (a zombie does not count) or the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def takeover(claim: Claim | None, machine: str, *, steal: bool) -> Literal["take", "take and wait", "watch"]:
    """Return how to take over a partition with this *claim*: take it now, take it and wait for the end of its lease, or watch if it is alive.

    Args:
        claim: the claim in the journal, None for a new partition.
        machine: the machine of this process.
        steal: the scheduler says that the old owner has lost the partition, alive or not.
    """
    if claim is None or not claim.owner:
        return "take"
    owner = Owner.parse(claim.owner)
    if owner is None or owner.gone(machine):
        return "take"
    return "take and wait" if steal else "watch"
