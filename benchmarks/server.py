"""A raw asyncio protocol server that answers every request with the same bytes after a delay. It runs in a separate process.

    python -m benchmarks.server DELAY_MS [--certificate FILE] [--fail-every N]

It prints its port and serves until its standard input closes. It parses only what it must: where a request ends. With
--fail-every it reads each so-many-th request and closes the connection.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import socket
import ssl
import sys
from typing import TYPE_CHECKING

from benchmarks.fixture import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator

REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n"
    % len(ANSWER)
) + ANSWER


class Always(asyncio.Protocol):
    """One connection."""

    def __init__(self, delay: float, turns: Iterator[int] | None) -> None:
        self.delay = delay
        self.turns = turns
        self.left = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.left += data
        while (end := self.left.find(b"\r\n\r\n")) >= 0:
            head = self.left[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.left) < end + 4 + length:
                return
            self.left = self.left[end + 4 + length :]
            if self.turns is not None and next(self.turns) == 0:
                self.transport.abort()
            elif self.delay:
                asyncio.get_running_loop().call_later(self.delay, self.answer)
            else:
                self.answer()

    def answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(REPLY)


async def main(delay: float, certificate: str | None, fail_every: int) -> None:
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    listening = socket.create_server(("127.0.0.1", 0), backlog=16384)
    turns = itertools.cycle(reversed(range(fail_every))) if fail_every else None
    server = await loop.create_server(lambda: Always(delay, turns), sock=listening, ssl=tls, backlog=16384)
    print(listening.getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("delay_ms", type=float)
    parser.add_argument("--certificate")
    parser.add_argument("--fail-every", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(main(given.delay_ms / 1000, given.certificate, given.fail_every))
