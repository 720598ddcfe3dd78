"""What waits to be stored: records in their order, bounded by the caller, counted in bytes."""

from collections import deque
from collections.abc import Iterable

from interlock.core.audit import commits
from interlock.ledger.pending import PendingRecord


class Queue:
    """Records with a place that are not known to be stored: one batch being stored, and those behind it."""

    def __init__(self) -> None:
        self._waiting: deque[PendingRecord] = deque()
        self._batch: list[PendingRecord] = []
        self._bytes = 0

    def __len__(self) -> int:
        """Records in the batch and behind it."""
        return len(self._batch) + len(self._waiting)

    @property
    def bytes(self) -> int:
        """What they take in commits."""
        return self._bytes

    def add(self, record: PendingRecord) -> None:
        """Put a record behind all others."""
        self._waiting.append(record)
        self._bytes += record.size

    @property
    def presses(self) -> bool:
        """Whether somebody waits for one of the records behind the batch, or they fill a commit."""
        full = len(self._waiting) >= commits.MAX_RECORDS or self._bytes >= commits.MAX_RAW_BYTES
        return full or any(not record.linger for record in self._waiting)

    def next_batch(self) -> list[PendingRecord]:
        """Take the next commit's records: of one lane, within the bounds of a commit, at least one if any waits.

        The batch stays counted until `settle` or `strand`.
        """
        size = 0
        while self._waiting and self._fits(self._waiting[0], size):
            record = self._waiting.popleft()
            self._batch.append(record)
            size += record.size
        return self._batch

    def settle(self) -> list[PendingRecord]:
        """Let go of the batch, which is stored."""
        batch, self._batch = self._batch, []
        self._bytes -= sum(record.size for record in batch)
        return batch

    def strand(self, lane: str) -> list[PendingRecord]:
        """Let go of everything that has its place in a lane given up, the batch included."""
        stranded = [record for record in self._all() if record.lane == lane]
        self._waiting = deque(record for record in self._waiting if record.lane != lane)
        self._batch = []
        self._bytes -= sum(record.size for record in stranded)
        return stranded

    def abandon(self) -> list[PendingRecord]:
        """Let go of everything."""
        left = list(self._all())
        self._waiting.clear()
        self._batch, self._bytes = [], 0
        return left

    def _all(self) -> Iterable[PendingRecord]:
        yield from self._batch
        yield from self._waiting

    def _fits(self, record: PendingRecord, size: int) -> bool:
        if not self._batch:
            return True
        same_lane = record.lane == self._batch[0].lane
        return same_lane and len(self._batch) < commits.MAX_RECORDS and size + record.size <= commits.MAX_RAW_BYTES
