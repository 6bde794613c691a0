"""The code on the workers and the scheduler of a Dask cluster; `driver` is the other end."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import attrs
from distributed import SchedulerPlugin, WorkerPlugin, get_worker

from authing_mfa.batch.partitions.shared_rate import Lease, RateAllocator
from authing_mfa.batch.partitions.worker import Job, Partition, PartitionWorker, Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ClientPlugin", "RateCoordinator", "verify_partition"]


class RateCoordinator(SchedulerPlugin):
    """Leases shares of a run's rate to the workers, and passes on a pause that the service asks for, or the end of the run."""

    def __init__(self, name: str, rate: float | None) -> None:
        self.name = name
        self._rate = rate

    async def start(self, scheduler: Any) -> None:
        """Answer the workers' and the driver's questions."""
        allocator = RateAllocator(self._rate, time.monotonic)

        def lease(owner: str, pause: float) -> dict[str, Any]:
            return attrs.asdict(allocator.lease(owner, pause))

        def stop() -> None:
            allocator.stopped = True

        scheduler.handlers.update({f"{self.name}-lease": lease, f"{self.name}-stop": stop})


class ClientPlugin(WorkerPlugin):
    """One client and one share of the rate for each worker."""

    def __init__(self, name: str, client_options: Mapping[str, Any], *, local: bool) -> None:
        self.name = name
        self._client_options = dict(client_options)
        self._local = local
        self.worker: PartitionWorker

    async def setup(self, worker: Any) -> None:
        """Make the client when the worker starts."""
        if self._local and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles Ctrl-C and ends the workers in order
        ask = getattr(worker.scheduler, f"{self.name}-lease")

        async def lease(pause: float) -> Lease:
            return Lease(**await ask(owner=worker.address, pause=pause))

        self.worker = PartitionWorker(self._client_options, lease)

    async def teardown(self, worker: Any) -> None:
        """Close the client at the end of the worker or the run."""
        del worker
        await self.worker.aclose()


async def verify_partition(partition: Partition, job: Job) -> Receipt:
    """Return the Dask task."""
    plugin = cast("ClientPlugin", get_worker().plugins[job.name])
    return await plugin.worker.verify(partition, job)
