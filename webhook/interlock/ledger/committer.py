"""The one task that stores what waits, batch after batch."""

import asyncio
from collections.abc import Callable

import structlog

from interlock.core.audit import commits
from interlock.core.ports import LaneStore
from interlock.errors import Fork
from interlock.ledger.durable import Commit, Pause, make_durable
from interlock.ledger.pending import PendingRecord
from interlock.ledger.queue import Queue

# How long records wait for others when nobody waits for them: they are to be stored within a second.
LINGER_SECONDS = 0.5

_log = structlog.get_logger("interlock.ledger")


class Committer:
    """Takes a batch from the queue, makes it durable, hands out its receipts, takes the next.

    A flush begins when the one before is done, so a lone record never waits and a crowd shares a commit. Only records
    that nobody waits for are kept a little, for others to come.

    Attributes:
        stored_records: records stored so far.
        commits: commits stored so far.
        fault: why the newest attempt to store failed; empty after one succeeded.
    """

    def __init__(self, queue: Queue, *, store: LaneStore, pause: Pause, forked: Callable[[str], None]) -> None:
        """Wire it.

        Args:
            queue: what waits; batches are taken here only.
            store: where commits go.
            pause: waits between attempts.
            forked: told the lane under whose next name somebody else wrote; it takes the lane's records off the queue.
        """
        self.stored_records = 0
        self.commits = 0
        self.fault = ""
        self._queue = queue
        self._store = store
        self._pause = pause
        self._forked = forked
        self._work = asyncio.Event()
        self._idle = asyncio.Event()

    def wake(self) -> None:
        """Say that the queue has something."""
        self._idle.clear()
        self._work.set()

    async def drained(self, *, seconds: float) -> bool:
        """Wait until nothing waits; False when the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Store until cancelled."""
        while True:
            await self._something()
            await self._pressing()
            if batch := self._queue.next_batch():
                await self._commit(batch)

    async def _something(self) -> None:
        while not len(self._queue):
            self._idle.set()
            self._work.clear()
            await self._work.wait()

    async def _pressing(self) -> None:
        """Wait until what waits is worth a commit: somebody waits for it, or it is much, or the time is over."""
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._queue.presses:
                    self._work.clear()
                    await self._work.wait()
        except TimeoutError:
            return

    async def _commit(self, batch: list[PendingRecord]) -> None:
        try:
            await make_durable(_commit_of(batch), store=self._store, pause=self._pause, failed=self._failed)
        except Fork as fork:
            _log.error("lane forked: somebody else wrote under its next name", why=str(fork))
            self._forked(batch[0].lane)
        else:
            self._stored()

    def _stored(self) -> None:
        batch = self._queue.settle()
        self.commits += 1
        self.stored_records += len(batch)
        if self.fault:
            _log.info("ledger stores again", waiting=len(self._queue))
            self.fault = ""
        for record in batch:
            record.is_stored()

    def _failed(self, why: str) -> None:
        if not self.fault:  # once an outage, not once an attempt
            _log.warning("ledger cannot store", why=why)
        self.fault = why


def _commit_of(batch: list[PendingRecord]) -> Commit:
    first = batch[0]
    return Commit(
        name=commits.name(first.lane, first.sequence),
        lane=first.lane,
        body=commits.pack([record.sealed.envelope for record in batch]),
    )
