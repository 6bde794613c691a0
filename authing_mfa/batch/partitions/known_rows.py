"""The rows that the journal of a divided run has from an earlier run: they decide when a partition may be handed out.

A worker compares the rows of its own partition, and cannot see two things:

- Whether rows at the end of its partition that the journal does not know were sent as later rows, because an invalid row before them was
  removed from the input. The next row that the journal knows shows this, and that row is in another partition.
- Whether all rows before a new row are the journal's. A new row must not be sent before this is certain.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from authing_mfa.batch.journal.earlier_run import check_same
from authing_mfa.batch.journal.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authing_mfa.batch.journal.records import Edge
    from authing_mfa.batch.options import BatchOptions
    from authing_mfa.batch.partitions.worker import Partition
    from authing_mfa.discovery import Service

__all__ = ["KnownRows"]


class KnownRows:
    """Holds partitions back until the next row that the journal knows was compared.

    Attributes:
        last: the highest position in the journal, -1 if there is none.
        mark: distinguishes this journal from others.
        epochs: the epoch of each partition's claim before this run, by its number.
    """

    def __init__(self, edges: Mapping[int, Edge], epochs: Mapping[int, int], salt: bytes) -> None:
        """Take what the journal has.

        Args:
            edges: the first and the last row of each partition that the journal knows, by its number.
            epochs: the epoch of each partition's claim, by its number.
            salt: the key of the rows' fingerprints.
        """
        self.last: int = max((edge.last for edge in edges.values()), default=-1)
        self.mark: str = blake2b(salt, digest_size=4).hexdigest()
        self.epochs: Mapping[int, int] = epochs
        self._edges = edges
        self._salt = salt
        self._held: list[Partition] = []

    @classmethod
    async def read(
        cls, address: str, options: BatchOptions, spent: Iterator[int], service: Service, lease: float
    ) -> KnownRows:
        """Read the journal at *address*, or make it.

        Args:
            address: as the workers use it.
            options: the options of the run.
            spent: the positions that the journal must know, in ascending order.
            service: the application and the service of the run.
            lease: seconds that a claim is valid.

        Raises:
            JournalError: the journal cannot be used.
        """
        from authing_mfa.batch.journal.journal import Journal

        span = Span(part=-1, rows=options.partition_rows, whole=True)
        journal = await Journal.open(
            address,
            run=options.run_name,
            span=span,
            lease=lease,
            beginning=options.beginning,
            service=service,
            moved=options.service_moved,
        )
        try:
            await journal.check_knows(spent)
            return cls(await journal.edges(), await journal.epochs(), journal.salt)
        finally:
            await journal.close()

    def admit(self, partition: Partition) -> list[Partition]:
        """Return the partitions that may be handed out, in order, after the next *partition* was read.

        Raises:
            InputChangedError: the journal knows another row at the first of its positions in *partition*.
        """
        span, edge = partition.span, self._edges.get(partition.span.part)
        ready: list[Partition] = []
        if edge is not None and edge.first - span.first < len(partition.rows):
            check_same(edge.first, partition.rows[edge.first - span.first], edge.entry, self._salt)
            ready, self._held = self._held, []
        end = span.first + len(partition.rows) - 1
        ends_known = edge is not None and edge.last >= end
        (ready if ends_known or end >= self.last else self._held).append(partition)
        return ready
