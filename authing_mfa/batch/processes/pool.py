"""A batch on several processes of this machine, started for the run.

Each process is a new interpreter ("spawn": a fork would copy running threads and connections). It has one client and its share of the
calls in flight, works on two partitions at a time so that it is not idle at the end of one, and leases its share of the rate from this
module. A process that dies is not replaced: the other processes get its partitions, and its sent rows without an outcome are unknown.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.resource_tracker
import pickle
import signal
import threading
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.batch.errors import NEEDS_A_PERSON, JournalError
from authing_mfa.batch.partitions.driver import Listeners, run_partitions
from authing_mfa.batch.partitions.shared_rate import RateAllocator
from authing_mfa.batch.processes.worker import END, SIGNALS, STOP, Ask, Failure, Setup, Task, listen, work
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from authing_mfa.batch.options import BatchOptions, Summary
    from authing_mfa.batch.partitions.worker import Job, Partition, Receipt

__all__ = ["run_on_processes"]

_AT_ONCE: Final = 2  # partitions of one process
_END_WITHIN: Final = 60.0  # seconds that a process may wait for the rows that it has sent


async def run_on_processes(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    listeners: Listeners = Listeners(),  # noqa: B008 - it is frozen
) -> Summary:
    """Do a run of files on `options.processes` processes; `authing_mfa.batch.run_file.run_file` calls this.

    Args:
        options: the options of the run.
        client_options: the keywords of `AuthClient`; each process makes one.
        listeners: the functions to call.

    Raises:
        InvalidInputError: an option is wrong here.
        JournalError: the journal cannot be used.
    """
    if options.processes > options.concurrency:
        raise InvalidInputError(
            f"{options.processes} processes need a concurrency of at least {options.processes}, and it is "
            f"{options.concurrency}: each process has its share of the calls in flight."
        )
    try:
        pickle.dumps(dict(client_options))
    except Exception as error:
        raise InvalidInputError("The client's options cannot be handed to another process.") from error
    return await run_partitions(options, client_options, _pool(options, client_options), listeners)


@asynccontextmanager
async def _pool(options: BatchOptions, client_options: Mapping[str, Any]) -> AsyncIterator[_ProcessPool]:
    pool = _ProcessPool(options, client_options)
    try:
        yield pool
    finally:
        await pool.aclose()


class _ProcessPool:
    """See `Pool`."""

    def __init__(self, options: BatchOptions, client_options: Mapping[str, Any]) -> None:
        self._allocator = RateAllocator(options.rate, time.monotonic)
        self._setups = [
            Setup({"max_connections": sum(shares), **client_options}, shares)
            for shares in _divided(options.concurrency, options.processes)
        ]
        self._processes: list[_Process] = []
        self._abandoned = False
        self.slots: int = sum(len(setup.shares) for setup in self._setups)
        self.concurrency: int = 1  # of a partition: its process knows its share

    async def begin(self, name: str) -> None:
        """As `Pool.begin`."""
        del name
        loop = asyncio.get_running_loop()
        self._processes = [_Process(number, setup, self._allocator) for number, setup in enumerate(self._setups, 1)]
        await asyncio.to_thread(self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start all processes, in a thread that blocks signals until each process has said that it ignores them."""
        if not hasattr(signal, "pthread_sigmask"):
            for process in self._processes:
                process.start(loop)
            return
        multiprocessing.resource_tracker.ensure_running()  # it would lift the bar
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            for process in self._processes:
                process.start(loop)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def journal(self, journal: str) -> str:
        """As `Pool.journal`."""
        return journal

    async def verify(self, partition: Partition, job: Job) -> Receipt:
        """As `Pool.verify`."""
        task = Task(partition, job)
        try:
            while True:
                alive = [process for process in self._processes if process.alive]
                if not alive:
                    raise JournalError(f"All processes of the run have ended: {self._ends()}.", code=NEEDS_A_PERSON)
                with suppress(_EndedError):  # another process does it
                    return await min(alive, key=lambda process: process.load).verify(task)
        except asyncio.CancelledError:
            self._abandoned = True
            raise

    def _ends(self) -> str:
        return ", ".join(sorted({process.how_it_ended() for process in self._processes}))

    async def stop(self) -> None:
        """As `Pool.stop`."""
        self._allocator.stopped = True
        await asyncio.gather(*[process.send(STOP) for process in self._processes])

    async def aclose(self) -> None:
        """End all processes."""
        for process in self._processes:
            if self._abandoned:
                process.kill()
        await asyncio.gather(*[process.aclose() for process in self._processes])


class _Process:
    """The pool's end of one process.

    Attributes:
        alive: True if it can take partitions.
    """

    def __init__(self, number: int, setup: Setup, allocator: RateAllocator) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, self._far_end = context.Pipe()
        self._process = context.Process(target=work, args=(self._far_end, setup), name=f"batch {number}")
        self._allocator = allocator
        self._answers: dict[int, asyncio.Future[Receipt]] = {}
        self._sending = asyncio.Lock()
        self._ended = asyncio.Event()
        self._listener: threading.Thread | None = None
        self._replies: set[asyncio.Task[None]] = set()
        self.alive: bool = True

    @property
    def load(self) -> int:
        """The number of its partitions."""
        return len(self._answers)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start it. Its end of the connection is closed here, so that its death ends the connection."""
        self._process.start()
        self._far_end.close()
        arguments = (self._connection, loop, self._receive)
        self._listener = threading.Thread(target=listen, args=arguments, name=self._process.name, daemon=True)
        self._listener.start()

    async def verify(self, task: Task) -> Receipt:
        """Give the process a partition, and return its receipt.

        Raises:
            _EndedError: the process has died.
            AuthingError: no row of the partition could be done.
        """
        part = task.partition.span.part
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._answers[part] = answer
        try:
            await self.send(task)
            return await answer
        finally:
            self._answers.pop(part, None)

    async def send(self, message: object) -> None:
        """Send the process a message, in a thread because it may be slow to read. Nothing happens if it is dead."""
        async with self._sending:
            if self.alive and self._process.pid is not None:
                with suppress(OSError):
                    await asyncio.to_thread(self._connection.send, message)

    def _receive(self, message: Any) -> None:
        if isinstance(message, Ask):
            lease = self._allocator.lease(self._process.name, message.pause)
            reply = asyncio.create_task(self.send(lease))
            self._replies.add(reply)
            reply.add_done_callback(self._replies.discard)
        elif message is END:
            self.alive = False
            self._ended.set()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(_EndedError())
        elif (waiting := self._answers.get(message.part)) is not None and not waiting.done():
            if isinstance(message, Failure):
                waiting.set_exception(message.error)
            else:
                waiting.set_result(message)

    def how_it_ended(self) -> str:
        """Return the cause of its end, in words."""
        self._process.join(1.0)  # its connection ends a moment before the process does
        code = self._process.exitcode
        if code is None:
            return "not ended yet"
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End the process without waiting."""
        if self._process.pid is not None:
            self._process.kill()

    async def aclose(self) -> None:
        """Let the process wait for the rows that it has sent, and wait for its end."""
        if self._listener is not None:
            await self.send(END)
            try:
                async with asyncio.timeout(_END_WITHIN):
                    await self._ended.wait()
            except TimeoutError:
                self.kill()
            await asyncio.to_thread(self._process.join)
            await asyncio.to_thread(self._listener.join)
            self._process.close()
        else:
            self._far_end.close()
        self._connection.close()


class _EndedError(Exception):
    """Note that a process died; the other processes get its partitions."""


def _divided(concurrency: int, processes: int) -> Iterator[tuple[int, ...]]:
    """Return the shares of each process: their sum is *concurrency*, and no share is 0."""
    at_once = _AT_ONCE if concurrency >= _AT_ONCE * processes else 1
    parts = processes * at_once
    shares = [concurrency // parts + (number < concurrency % parts) for number in range(parts)]
    return (tuple(shares[number::processes]) for number in range(processes))
