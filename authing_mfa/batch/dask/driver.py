"""A batch on a Dask cluster: the connection to the cluster, and the `Pool` whose workers are the cluster's.

`partitions.driver` divides the rows and makes one file of the outcomes, `partitions.worker` verifies a partition; this module only
starts Dask tasks. Dask starts the partitions of a dead worker again on another worker. A worker has one client for all of its
partitions (`ClientPlugin`). The rate belongs to the whole cluster: each worker leases a share of it for a second at a time
(`RateCoordinator`, on the scheduler).

Tokens and codes are sent to the workers over Dask's connections: use Dask's TLS on a network that you do not trust.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from distributed import Client, LocalCluster

from authing_mfa.batch.dask.worker import ClientPlugin, RateCoordinator, verify_partition
from authing_mfa.batch.journal.claims import LEASE, Owner
from authing_mfa.batch.partitions.driver import Listeners, run_partitions
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from authing_mfa.batch.options import BatchOptions, Summary
    from authing_mfa.batch.partitions.driver import Pool
    from authing_mfa.batch.partitions.worker import Job, Partition, Receipt

__all__ = ["run_on_dask"]

_LOCAL: Final = re.compile("local(:.*)?")  # localhost:8786 is a scheduler
_ADDRESS: Final = re.compile(r"([a-z]+://)?[^\s/]+:\d+(/\S*)?|inproc://\S+")
_RETRIES: Final = 2  # repeats of a failed task, e.g. because the database could not be reached


async def run_on_dask(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    listeners: Listeners = Listeners(),  # noqa: B008 - it is frozen
    *,
    lease: float = LEASE,
) -> Summary:
    """Perform a run from file to file on the cluster `options.dask`; `authing_mfa.batch.run_file.run_file` calls this.

    Args:
        options: the options of the run. All workers must reach the journal and the output.
        client_options: the keywords of `AuthClient`; each worker makes one.
        listeners: the functions to call.
        lease: seconds after which a partition is taken over if its worker cannot be reached.

    Returns:
        The summary of the run.

    Raises:
        InvalidInputError: an option is not valid on a cluster.
        JournalError: the journal cannot be used.
    """
    return await run_partitions(options, client_options, _pool(options, client_options), listeners, lease=lease)


@asynccontextmanager
async def _pool(options: BatchOptions, client_options: Mapping[str, Any]) -> AsyncIterator[Pool]:
    async with _cluster(options.dask or "") as client, AsyncExitStack() as stack:
        facts = await client.run(_facts)
        if not facts:
            raise InvalidInputError("The cluster has no workers.")
        yield _DaskPool(client, list(facts.values()), options, client_options, stack)


@asynccontextmanager
async def _cluster(address: str) -> AsyncIterator[Any]:
    """Return a client of the scheduler at *address*, or of N new processes for ``local:N``."""
    connect: Any = Client
    start: Any = LocalCluster
    if not _LOCAL.fullmatch(address):
        if not _ADDRESS.fullmatch(address):  # Dask's own error leaves coroutines that nobody awaits
            raise InvalidInputError("A scheduler's address has a port, for example tcp://scheduler:8786.")
        async with connect(address, asynchronous=True) as client:
            yield client
        return
    count = address.partition(":")[2] or "2"
    if not count.isdecimal() or not int(count):
        raise InvalidInputError("A local cluster is local:N, N being the number of processes.")
    cluster = start(
        n_workers=int(count), threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", asynchronous=True
    )
    async with cluster, connect(cluster, asynchronous=True) as client:
        yield client


class _DaskPool:
    """The workers of a cluster; see `Pool`."""

    def __init__(
        self,
        client: Any,
        facts: list[tuple[str, int]],
        options: BatchOptions,
        client_options: Mapping[str, Any],
        stack: AsyncExitStack,
    ) -> None:
        self._client = client
        self._machines = {machine for machine, _ in facts}
        self._options = options
        self._client_options = {"max_connections": options.concurrency, **client_options}
        self._stack = stack
        self._name = ""
        self.slots: int = sum(threads for _, threads in facts)
        self.concurrency: int = max(1, options.concurrency // max(threads for _, threads in facts))

    async def begin(self, name: str) -> None:
        """As `Pool.begin`."""
        self._name = name
        local = (self._options.dask or "").startswith("local")
        await self._client.register_plugin(RateCoordinator(name, self._options.rate))
        await self._client.register_plugin(ClientPlugin(name, self._client_options, local=local))
        self._stack.push_async_callback(self._client.unregister_worker_plugin, name)

    def journal(self, journal: str) -> str:
        """As `Pool.journal`. A file serves several processes of one machine, not several machines."""
        if "://" in journal and not journal.startswith("sqlite"):
            return journal
        if self._machines - {Owner.me().machine}:
            raise InvalidInputError(
                "A journal in a file serves the workers of one machine: use postgresql+asyncpg://…."
            )
        return journal if "://" in journal else str(Path(journal).absolute())

    async def verify(self, partition: Partition, job: Job) -> Receipt:
        """As `Pool.verify`."""
        key = f"{job.name}-{partition.span.part}"
        future = self._client.submit(verify_partition, partition, job, key=key, pure=False, retries=_RETRIES)
        return await future  # type: ignore[no-any-return]  # what the task returns

    async def stop(self) -> None:
        """As `Pool.stop`."""
        with suppress(Exception):  # the scheduler has ended, and so have its workers
            await getattr(self._client.scheduler, f"{self._name}-stop")()


def _facts(dask_worker: Any) -> tuple[str, int]:
    """Return a worker's machine, and how many tasks it runs at once."""
    return Owner.me().machine, dask_worker.state.nthreads
