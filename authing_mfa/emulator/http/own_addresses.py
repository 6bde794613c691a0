"""The addresses of this machine, for people who want to reach the emulator from a phone."""

from __future__ import annotations

import socket

__all__ = ["own_addresses"]

_NOWHERE = ("192.0.2.1", 9)  # RFC 5737; nothing is sent: connecting a datagram socket only chooses a network interface


def own_addresses() -> list[str]:
    """Return the IPv4 address of this machine in its network, or nothing without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
        except OSError:
            return []
        address = str(probe.getsockname()[0])
    return [] if address.startswith("127.") else [address]
