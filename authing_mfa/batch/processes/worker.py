"""The work of each process of a run; `pool` is the other end.

A separate thread reads each end of the connection. The pool sends partitions, shares of the rate, `STOP` and `END`; the process sends
receipts, failures, and requests for a share. When the pool's process dies, the connection ends as with `END`: the process waits for the
rows that it has sent and records them.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import attrs

from authing_mfa._threads import run
from authing_mfa.batch.files.local import said
from authing_mfa.batch.partitions.shared_rate import Lease
from authing_mfa.batch.partitions.worker import Job, Partition, PartitionWorker
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

__all__ = ["END", "SIGNALS", "STOP", "Ask", "Failure", "Setup", "Task", "listen", "work"]

STOP: Final = "stop"  # start no more rows
END: Final = None  # there are no more partitions

SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # the pool's process handles them, and ends these processes in order


@attrs.frozen
class Setup:
    """The first message to a process.

    Attributes:
        client_options: the keywords of its client.
        shares: for each partition that is worked at the same time, how many of its calls are in flight at most.
    """

    client_options: dict[str, Any] = attrs.field(repr=False)
    shares: tuple[int, ...]


@attrs.frozen
class Task:
    """A partition to do."""

    partition: Partition
    job: Job


@attrs.frozen
class Ask:
    """A request for a share of the rate, with the pause in seconds that the service asked for."""

    pause: float


@attrs.frozen
class Failure:
    """The failure of a partition: no row of it could be done."""

    part: int
    error: AuthingError


def work(connection: Connection, setup: Setup) -> None:
    """Run the process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    run(lambda: _serve(connection, setup))


def listen(connection: Connection, loop: asyncio.AbstractEventLoop, receive: Callable[[Any], None]) -> None:
    """Hand each message to *receive* on the loop's thread, and `END` when the other end has closed. It runs in a separate thread."""
    with suppress(RuntimeError):  # the loop is closed: no task waits any more
        try:
            while True:
                loop.call_soon_threadsafe(receive, connection.recv())
        except (EOFError, OSError):
            loop.call_soon_threadsafe(receive, END)


async def _serve(connection: Connection, setup: Setup) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    tasks: asyncio.Queue[Task | None] = asyncio.Queue()
    shares = _Shares(connection)
    loop = asyncio.get_running_loop()
    threading.Thread(target=listen, args=(connection, loop, inbox.put_nowait), name="batch pool", daemon=True).start()
    worker = PartitionWorker(setup.client_options, shares.ask)
    working = [asyncio.create_task(_work_off(connection, worker, tasks, share)) for share in setup.shares]
    while (message := await inbox.get()) is not END:
        if isinstance(message, Task):
            tasks.put_nowait(message)
        elif isinstance(message, Lease):
            shares.receive(message)
        else:
            worker.stop()
    worker.stop()
    shares.close()
    for _ in working:
        tasks.put_nowait(None)
    await asyncio.gather(*working)
    await worker.aclose()


async def _work_off(
    connection: Connection, worker: PartitionWorker, tasks: asyncio.Queue[Task | None], share: int
) -> None:
    while (task := await tasks.get()) is not None:
        job = attrs.evolve(task.job, options=attrs.evolve(task.job.options, concurrency=share))
        answer: Any
        try:
            answer = await worker.verify(task.partition, job)
        except Exception as error:  # noqa: BLE001 - the pool must get every error
            answer = Failure(task.partition.span.part, said(error))
        _send(connection, answer)


def _send(connection: Connection, message: Any) -> None:
    with suppress(OSError):  # the pool's process has ended: `listen` ends this one
        connection.send(message)


class _Shares:
    """Asks the pool for shares of the rate, one request at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._asked: asyncio.Future[Lease] | None = None
        self._closed = False

    async def ask(self, pause: float) -> Lease:
        """Return the answer of the pool."""
        if self._closed:
            return _OVER
        self._asked = asyncio.get_running_loop().create_future()
        _send(self._connection, Ask(pause))
        return await self._asked

    def receive(self, lease: Lease) -> None:
        """Take the answer of the pool."""
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(lease)

    def close(self) -> None:
        """End the waiting, because no more answers will come."""
        self._closed = True
        self.receive(_OVER)


_OVER: Final = Lease(0, 1.0, stop=True)
