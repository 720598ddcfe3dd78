"""The notary: lanes become one log, a cut and its signed checkpoint at a time.

    every few seconds, if records wait, and every minute in any case:
        take what follows in every lane, verified ─▶ cut ─▶ sign ─▶ CREATE it under its number

The name of a checkpoint is its number, and a CREATE of a taken name fails. That is the fence between two notaries: the
log has one checkpoint of each number, whoever leads. Whoever finds other bytes under a number that it wanted to give
begins anew from what is stored.

Lanes that nobody will end are ended here (`ledger.endings`). What becomes of the log outside the cluster is
`ledger.archive`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from interlock.core.audit import checkpoint, logwalk, segment
from interlock.core.audit import cut as cuts
from interlock.core.audit.keyring import Trust
from interlock.core.audit.lanewalk import Bad
from interlock.core.audit.merging import Draft, Log, by_lane
from interlock.core.audit.segment import Segment
from interlock.core.ports import Clock, LogStore, StoredCommit
from interlock.errors import BadInput, ClusterError, Fork
from interlock.ledger.archive import Archive
from interlock.ledger.durable import Commit, Pause, make_durable
from interlock.ledger.endings import Endings, Signer

HEARTBEAT = timedelta(seconds=60)
"""Between two cuts, also when nothing happened: what verification calls fresh is twice that."""

MERGE_SECONDS = 5.0
"""How long a record waits at most for a cut while all goes well; it has to be outside the cluster within a minute."""

LOG = structlog.get_logger("interlock.ledger")

Compute = Callable[[Callable[[], Draft]], Awaitable[Draft]]


@dataclass(slots=True)
class NotaryStatus:
    """How the log stands.

    Attributes:
        number: of the newest checkpoint; -1 before the first.
        size: leaves of the epoch's tree.
        records: merged by this process.
        at: time of the newest cut.
        open: open lanes.
        broken: fault of each lane that broke while this process led, by name.
        fault: why the newest attempt failed; empty after one succeeded.
    """

    number: int = -1
    size: int = 0
    records: int = 0
    at: datetime | None = None
    open: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    fault: str = ""


class Notary:
    """Merges and signs; one term of a leader is one notary.

    Attributes:
        status: how the log stands.
        log: where it goes on; None before it is known.
    """

    def __init__(
        self,
        store: LogStore,
        *,
        key: Signer,
        cluster: str,
        clock: Clock,
        endings: Endings,
        archive: Archive,
        pause: Pause = asyncio.sleep,
        compute: Compute | None = None,
    ) -> None:
        """Wire it.

        Args:
            store: the cluster's part of the ledger.
            key: the notary's.
            cluster: uid of namespace kube-system.
            clock: the present.
            endings: ends lanes in place of their guards.
            archive: told of every checkpoint, and asked at the beginning what there is outside.
            pause: waits between attempts.
            compute: runs what takes long; in a thread unless tests want to know when it ends.
        """
        self.status = NotaryStatus()
        self.log: Log | None = None
        self._store = store
        self._key = key
        self._trust = Trust.of(*key.ring.keys)
        self._cluster = cluster
        self._clock = clock
        self._endings = endings
        self._archive = archive
        self._pause = pause
        self._compute = compute or in_thread
        self._cut_at: datetime | None = None  # when this process made its newest cut, by a clock that may be set back

    async def run(self) -> None:
        """Work for ever."""
        while True:
            again = False
            try:
                again = await self.turn()
            except (ClusterError, BadInput, Fork) as error:
                self._failed(str(error))
                self.log = None
            except Bad as bad:
                self._failed(f"the newest checkpoint is not what it was: expected {bad.expected}, got {bad.got}")
                self.log = None
            if not again:
                await self._pause(MERGE_SECONDS)

    async def turn(self) -> bool:
        """Do what is due; True if there is more that need not wait.

        Raises:
            ClusterError: the cluster does not answer as needed.
            BadInput: what is stored is none of this notary's.
            Fork: another notary was there before.
        """
        if self.log is None:
            self.log = await self._begin()
        stored = await self._store.commits()
        await self._endings.end_quiet(self.log, stored)
        if not self._is_due(self.log, stored):
            return False
        return await self._cut(self.log, stored)

    async def _begin(self) -> Log:
        """The log as it is stored: after the newest checkpoint in the cluster, or outside if that is further on."""
        newest = await self._newest()
        if newest is None:
            return Log(cluster=self._cluster, keys=self._key.ring)
        logwalk.alone(newest, self._trust)
        return Log.after(newest.cut, await self._store.commits(), keys=self._key.ring)

    async def _newest(self) -> Segment | None:
        found = await self._store.checkpoints()
        if not found:
            return await self._archive.newest()
        here = segment.unpack(found[-1].body)
        epochs = {cuts.opened(here.cut, self._trust).epoch, cuts.epoch_of(self._clock())}
        outside = await self._archive.beyond(segment.parse_name(found[-1].name), tuple(sorted(epochs)))
        return outside or here  # of two under one number the one that is locked counts

    def _is_due(self, log: Log, stored: Sequence[StoredCommit]) -> bool:
        since, now = self._cut_at or log.time, self._clock()
        return since is None or not since <= now < since + HEARTBEAT or log.lags(stored)

    async def _cut(self, log: Log, stored: Sequence[StoredCommit]) -> bool:
        """Add one cut; True if something was left for the next."""
        draft = await self._compute(lambda: log.draft(stored, now=self._clock()))
        sealed = cuts.seal(draft.cut, sign=self._key.sign)
        note = checkpoint.signed(log.checkpoint(draft, sealed), key=self._key.ring.current, sign=self._key.sign)
        body = Segment(records=(), cut=sealed, checkpoint=note).pack()
        commit = Commit(name=segment.name(draft.cut.number), lane="", body=body)
        await make_durable(commit, store=self._store, pause=self._pause, failed=self._failed)
        log.accept(draft, sealed)
        self._cut_at = self._clock()
        self._archive.signed(draft.cut.number, log)
        self._tell(log, draft)
        for lane, fault in draft.broken.items():
            LOG.error("a lane of the ledger is broken", lane=lane, why=fault)
            await self._endings.end_broken(lane, by_lane(stored).get(lane, ()))
        return draft.full

    # -------------------------------------------------------------------------------------------------- status

    def _failed(self, why: str) -> None:
        if why != self.status.fault:
            LOG.warning("the log does not grow", why=why)
        self.status.fault = why

    def _tell(self, log: Log, draft: Draft) -> None:
        status = self.status
        status.number, status.size, status.at = draft.cut.number, log.tree.size, draft.cut.time
        status.records += len(draft.records)
        status.open = len(log.open)
        status.broken |= draft.broken
        status.fault = ""


async def in_thread(work: Callable[[], Draft]) -> Draft:
    """Verifying thousands of signatures takes a second, in which others want to be served."""
    return await asyncio.to_thread(work)
