"""The archive: what the notary has signed goes outside, number after number, and then the cluster may forget it.

Without a store nothing goes outside; the cluster then keeps as much as it has room for, and forgets the oldest beyond
that. That is said loudly elsewhere: nothing is locked then.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from interlock.core.audit import commits, dayindex, segment
from interlock.core.audit import cut as cuts
from interlock.core.audit.cut import Cut
from interlock.core.audit.keyring import Trust
from interlock.core.audit.merging import Log, by_lane
from interlock.core.audit.segment import Segment
from interlock.core.ports import Clock, LogStore, StoredCommit
from interlock.errors import Conflict, InterlockError, NotFound
from interlock.ledger.durable import Pause, pauses
from interlock.ledger.endings import Signer
from interlock.ledger.retiring import Keep, Shipped, removable, taken
from interlock.ledger.shipping import Shipper

KEPT_CHECKPOINTS = 2_000
"""Checkpoints that stay in the cluster where there is no store: a day and more of heartbeats, a few megabytes."""

LOG = structlog.get_logger("interlock.ledger")


@dataclass(slots=True)
class ArchiveStatus:
    """How far the archive is.

    Attributes:
        number: of the newest checkpoint that is outside and was read back; -1 before the first, and without a store.
        at: time of its cut.
        waiting: checkpoints that are not.
        retired: objects of the cluster that this process has removed.
        fault: why the newest attempt failed; empty after one succeeded.
    """

    number: int = -1
    at: datetime | None = None
    waiting: int = 0
    retired: int = 0
    fault: str = ""


class Archive:
    """Ships and retires; one term of a leader is one archive.

    Attributes:
        status: how far it is.
    """

    def __init__(
        self,
        store: LogStore,
        shipper: Shipper | None,
        *,
        key: Signer,
        keep: Keep,
        clock: Clock,
        retiring: Callable[[], Awaitable[None]],
        pause: Pause = asyncio.sleep,
    ) -> None:
        """Wire it.

        Args:
            store: the cluster's part of the ledger.
            shipper: to the store outside; None where there is none.
            key: the notary's.
            keep: how much stays in the cluster.
            clock: the present.
            retiring: awaited before something is removed, for those who must have taken note of it first.
            pause: waits between attempts.
        """
        self.status = ArchiveStatus()
        self._store = store
        self._shipper = shipper
        self._key = key
        self._trust = Trust.of(*key.ring.keys)
        self._keep = keep
        self._clock = clock
        self._retiring = retiring
        self._pause = pause
        self._log: Log | None = None
        self._waiting: deque[int] = deque()
        self._next = 0  # number to ship next; 0 before anything was
        self._last: Cut | None = None  # the cut before it
        self._held = 0  # checkpoints in the cluster
        self._kept = 1 if shipper is not None else KEPT_CHECKPOINTS  # how many of them stay
        self._shipped = Shipped()
        self._more = asyncio.Event()

    async def newest(self) -> Segment | None:
        """The newest segment outside, whatever the cluster knows; None if there is none.

        Raises:
            InterlockError: nobody can know.
        """
        return None if self._shipper is None else await self._shipper.newest()

    async def beyond(self, number: int, epochs: tuple[str, ...]) -> Segment | None:
        """The newest segment outside from this number on, in any of these epochs; None if there is none.

        Raises:
            InterlockError: nobody can know.
        """
        return None if self._shipper is None else await self._shipper.beyond(number, epochs)

    def signed(self, number: int, log: Log) -> None:
        """Say that the cluster holds a checkpoint of this number now, and how the log stands after it."""
        self._log = log
        self._waiting.append(number)
        self._held += 1
        self._more.set()

    def pending_bytes(self, stored: Iterable[StoredCommit]) -> int:
        """How much of what the cluster stores is not outside yet, compressed, with what each object takes beside it."""
        return sum(
            taken(commit)
            for lane, found in by_lane(stored).items()
            for commit in found
            if not self._shipped.holds(lane, commits.parse_name(commit.name)[1])
        )

    async def run(self) -> None:
        """Work for ever."""
        waits = pauses()
        while True:
            self._more.clear()
            try:
                await self.turn()
            except InterlockError as error:
                self._failed(str(error))
                await self._pause(next(waits))
            else:
                waits = pauses()
                await self._more.wait()

    async def turn(self) -> None:
        """Ship everything that waits, and retire what may go.

        Raises:
            InterlockError: something could not be shipped or removed; nothing is lost.
        """
        if self._last is None:  # those from before this process, and of whoever leads at the same time
            await self._list()
        while self._waiting:
            self.status.waiting = len(self._waiting)
            number = await self._following()
            cut = await self._ship_or_drop(number)
            await self._end_day(cut)
            self._shipped.note(cut)
            self._waiting.popleft()
            self._next, self._last = number + 1, cut
            if self._shipper is not None:
                self.status.number, self.status.at = number, cut.time
        self.status.waiting = 0
        await self._retire()
        self.status.fault = ""

    async def _list(self) -> None:
        """Add the checkpoints of others; which of them are outside already is found out by shipping them."""
        found = {segment.parse_name(each.name) for each in await self._store.checkpoints()}
        self._held = len(found)
        self._waiting = deque(sorted(number for number in found.union(self._waiting) if number >= self._next))

    async def _following(self) -> int:
        """The number to ship next: without a gap, since what is shipped stands for everything before it.

        One that was never told of is that of somebody who led at the same time: he has shipped it, or it waits here.
        """
        if self._shipper is not None and self._last is not None and self._waiting[0] > self._next:
            await self._list()
            if self._waiting[0] > self._next:
                self._waiting.appendleft(self._next)
        return self._waiting[0]

    async def _ship_or_drop(self, number: int) -> Cut:
        """Ship a checkpoint, unless the log outside has long gone on with another one of its number."""
        shipper = self._shipper
        if shipper is None:
            return self._cut_in(await self._store.read(segment.name(number)))
        try:
            return await shipper.ship(number)
        except NotFound:
            return await shipper.held(number, self._epochs())
        except Conflict:
            [stored] = [each for each in await self._store.checkpoints() if each.name == segment.name(number)]
            theirs = await shipper.overtaken(number, self._cut_in(stored.body).epoch)
            if theirs is None:
                raise
            LOG.warning("dropped a checkpoint that came too late", number=number)
            await self._store.remove(stored)
            return theirs

    async def _end_day(self, cut: Cut) -> None:
        """Ship the index of the day that has ended with the cut before this one, if one has.

        Nothing is retired before it is there: whoever leads next finds both cuts in the cluster, and does it again.
        """
        if self._shipper is None or self._last is None:
            return
        day = dayindex.ended(self._last, cut)
        if day is not None:
            await self._shipper.ship_day(day, dayindex.seal(day, keys=self._key.ring, sign=self._key.sign))

    def _epochs(self) -> tuple[str, ...]:
        """Where the cut that comes next can lie: in the month of the one before, or in this one."""
        now = cuts.epoch_of(self._clock())
        return tuple(sorted({self._last.epoch if self._last else now, now}))

    def _cut_in(self, body: bytes) -> Cut:
        return cuts.opened(segment.unpack(body).cut, self._trust)

    async def _retire(self) -> None:
        if self._log is None:  # whose key is known by what, nobody can say yet
            return
        stored = await self._store.commits()
        self._shipped.forget(by_lane(stored))
        gone = removable(stored, self._shipped, needed=self._log.keeps, keep=self._keep, now=self._clock())
        gone += await self._old_checkpoints()
        if gone:
            await self._retiring()
        for each in gone:
            await self._store.remove(each)
            self.status.retired += 1

    async def _old_checkpoints(self) -> list[StoredCommit]:
        """Checkpoints that nobody needs here: those that cover only what may go, or all but the newest thousands.

        The last one that was shipped stays until the next one is: the two tell whether a day has ended between them.
        """
        if self._held <= self._kept + self._kept // 10:  # they are not listed for every single one
            return []
        found = await self._store.checkpoints()
        young = sum(not self._is_old(each) for each in found)
        kept = max(young, 1) if self._shipper is not None else KEPT_CHECKPOINTS
        old = [each for each in found[:-kept] if segment.parse_name(each.name) < self._next - 1]
        self._held = len(found) - len(old)
        self._kept = min(max(self._held, 1), KEPT_CHECKPOINTS)
        return old

    def _is_old(self, checkpoint: StoredCommit) -> bool:
        """Whether a checkpoint has been here for longer than the records that it covers stay."""
        age, created = self._keep.age, checkpoint.created
        return age is None or created is None or self._clock() - created >= age

    def _failed(self, why: str) -> None:
        if why != self.status.fault:
            LOG.warning("records are not shipped", why=why, waiting=self.status.waiting)
        self.status.fault = why
