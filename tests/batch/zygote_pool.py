"""A pool of partitions whose one worker is this process."""

from __future__ import annotations

import pickle
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from authing_mfa.batch.partitions.shared_rate import Lease
from authing_mfa.batch.partitions.worker import PartitionWorker

if TYPE_CHECKING:
    from authing_mfa.batch.options import BatchOptions


class Here:
    """See `authing_mfa.batch.partitions.driver.Pool`."""

    slots = 2

    def __init__(self, concurrency: int, client: dict[str, object]) -> None:
        self.concurrency = concurrency
        self._worker = PartitionWorker(client, self._ask)

    async def _ask(self, _pause: float) -> Lease:
        return Lease(None, 1.0)

    async def begin(self, name: str) -> None:
        pass

    def journal(self, journal: str) -> str:
        return journal

    async def verify(self, partition, job):
        return await self._worker.verify(*pickle.loads(pickle.dumps((partition, job))))

    async def stop(self) -> None:
        self._worker.stop()

    async def aclose(self) -> None:
        await self._worker.aclose()


@asynccontextmanager
async def here(options: BatchOptions, client: dict[str, object]):
    pool = Here(max(1, options.concurrency // 2), client)
    try:
        yield pool
    finally:
        await pool.aclose()
