"""The ledger as a guard sees it: `append` a body, wait for the receipt.

`append` gives a record its id, its place in the lane and its signature at once, without waiting, so that order is
decided by the order of calls. A receipt is handed out only after the store was seen to hold the record.

Rules kept here:
- A place in a lane is stored once or never. Before a lane is given up, nothing of it that was not stored can be any
  more.
- A lane is given up when somebody else wrote under its next name (Fork), and closed when the clock stepped back. What
  waited moves to a new lane under its old id; the process goes on.
- What waits is bounded in records and bytes; beyond that `append` refuses, and the policy's durability decides.

It does not decide what a missing receipt means for a request, and it knows nothing of checkpoints.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta

import structlog

from interlock.core import ids, times
from interlock.core.audit import record
from interlock.core.ports import Clock, LaneStore, NotaryClient
from interlock.core.types import JsonObject
from interlock.errors import SinkFault
from interlock.ledger import opening
from interlock.ledger.chain import SEED_BYTES, Chain
from interlock.ledger.committer import Committer
from interlock.ledger.durable import Pause, pauses
from interlock.ledger.pending import PendingRecord
from interlock.ledger.queue import Queue
from interlock.ledger.status import LaneStatus

# What may wait while the store is away: half a minute of 250 decisions a second with typical records, and envelopes of
# less memory than a guard has to spare.
MAX_PENDING_RECORDS = 8_192
MAX_PENDING_BYTES = 16 * 1024 * 1024

# How long a certificate is waited for: a controller in the cluster answers in milliseconds or is not there.
CERTIFY_SECONDS = 2.0

# A decision may be appended a little after a later one; a clock that is further back was set back. A third of what a
# verifier tolerates, see `ledger.opening`.
CLOCK_TOLERANCE = timedelta(seconds=20)

_log = structlog.get_logger("interlock.ledger")


class Lane:
    """Implements `core.ports.RecordSink` over one lane after the other."""

    def __init__(
        self,
        *,
        writer: record.Writer,
        store: LaneStore,
        notary: NotaryClient,
        clock: Clock,
        entropy: Callable[[int], bytes],
        pause: Pause = asyncio.sleep,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Wire a ledger; nothing happens before `start`.

        Args:
            writer: who this guard is.
            store: where commits go.
            notary: who certifies lanes.
            clock: the present.
            entropy: unpredictable bytes for keys and ids, as many as asked for.
            pause: waits between attempts.
            changed: called when `status` has another lane, another `certified` or another `accepting`.
        """
        self._writer = writer
        self._notary = notary
        self._clock = clock
        self._entropy = entropy
        self._pause = pause
        self._changed = changed
        self._queue = Queue()
        self._committer = Committer(self._queue, store=store, pause=pause, forked=self._forked)
        self._chain = Chain(entropy(SEED_BYTES))
        self._latest: datetime | None = None  # by which the next record's time is measured; None: by nothing
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._accepting = False
        self._certified = False
        self._forks = 0
        self._broken = ""
        self._full = ""
        self._certificate_fault = "not asked yet"

    @property
    def status(self) -> LaneStatus:
        """How it stands now."""
        return LaneStatus(
            lane=self._chain.name,
            accepting=self._accepting,
            certified=self._certified,
            pending_records=len(self._queue),
            pending_bytes=self._queue.bytes,
            stored_records=self._committer.stored_records,
            commits=self._committer.commits,
            forks=self._forks,
            fault=self._broken or self._committer.fault,
            certificate_fault=self._certificate_fault,
        )

    async def start(self, *, seconds: float = CERTIFY_SECONDS) -> None:
        """Open the first lane, certified if the notary answers within `seconds`, and begin to store.

        Raises:
            ValueError: it was started before.
        """
        if self._tasks:
            raise ValueError("a ledger is started once")
        self._run("committer", self._committer.run())
        certificate = await self._ask_notary(self._chain, seconds)
        self._accepting = True
        self._open(certificate, after="")

    def append(self, body: JsonObject, *, linger: bool = False) -> PendingRecord:
        """Give the record its id, place and signature now; it is stored in the background.

        Args:
            body: of `core.audit.record.body`.
            linger: nobody waits for it, so it may wait for others to share a commit with.

        Raises:
            SinkFault: nothing is accepted (before the start, after the end, too much waits, or `refuse`); the record
                has no place.
            ValueError: the body is no acceptable record.
        """
        if not self._accepting or self._full:
            raise SinkFault(self._broken or self._full or "the ledger is not open")
        if len(self._queue) >= MAX_PENDING_RECORDS or self._queue.bytes >= MAX_PENDING_BYTES:
            raise SinkFault(f"{len(self._queue)} records wait to be stored: {self._committer.fault}")
        if self._stepped_back(times.read(str(body["time"]))):
            self._change_lane("ClockStepped")
        return self._admit(body, linger=linger)

    def refuse(self, why: str) -> None:
        """Take no records of decisions for this reason until there is none; what the lane says of itself goes on."""
        if why != self._full:
            _log.warning("the ledger is full" if why else "the ledger has room again", why=why)
        self._full = why

    async def close(self, *, seconds: float) -> None:
        """Write the lane's last record and wait until everything is stored.

        Args:
            seconds: how long to wait; what is left then is given up.

        Raises:
            SinkFault: something is not known to be stored.
        """
        if self._accepting:
            self._accepting = False
            self._cancel("certifier")
            self._end("Stopped")
            self._changed()
            await self._committer.drained(seconds=seconds)
        await self._finish()
        left = self._queue.abandon()
        for pending in left:
            pending.is_lost()
        if left:
            raise SinkFault(f"{len(left)} records are not known to be stored: {self.status.fault}")

    # ----------------------------------------------------------------------------------------------- records

    def _admit(self, body: JsonObject, *, about_lane: bool = False, linger: bool = False) -> PendingRecord:
        record_id = ids.uuid7(self._clock(), self._entropy(ids.RANDOM_BYTES))
        pending = PendingRecord(body, record_id=record_id, chain=self._chain, about_lane=about_lane, linger=linger)
        self._enqueue(pending)
        return pending

    def _enqueue(self, pending: PendingRecord) -> None:
        self._latest = pending.time if self._latest is None else max(pending.time, self._latest)
        self._queue.add(pending)
        self._committer.wake()

    # ------------------------------------------------------------------------------------------------- lanes

    def _open(self, certificate: JsonObject | None, *, after: str) -> None:
        """Write the first record of the chain, which is new, and see to its certificate."""
        key = self._chain.public_key_text
        opened = record.lane_open(self._writer, now=self._clock(), public_key=key, certificate=certificate, after=after)
        self._admit(opened, about_lane=True)
        self._certified = certificate is not None
        if self._accepting and not self._certified:
            self._run("certifier", self._certify(self._chain))
        _log.info("lane opened", lane=self._chain.name, certified=self._certified, after=after)
        self._changed()

    def _end(self, reason: str) -> None:
        """Write the last record of the chain."""
        self._admit(record.lane_close(self._writer, now=self._now(), reason=reason), about_lane=True)

    def _change_lane(self, reason: str) -> None:
        """Close the lane and go on in a new one."""
        self._end(reason)
        self._begin_anew(after=self._chain.name)

    def _begin_anew(self, *, after: str) -> None:
        self._cancel("certifier")
        self._chain = Chain(self._entropy(SEED_BYTES))
        self._latest = None
        self._open(None, after=after)

    def _forked(self, lane: str) -> None:
        """Give up a lane under whose next name somebody else wrote: what it had not stored begins a new one."""
        self._forks += 1
        stranded = self._queue.strand(lane)
        if self._chain.name != lane:  # it was closed already; its records must not follow younger ones
            self._end("TakenOver")
        self._begin_anew(after=lane)
        for pending in stranded:
            if not pending.about_lane:
                pending.move(self._chain)
                self._enqueue(pending)
        if not self._accepting:
            self._end("Stopped")

    def _stepped_back(self, time: datetime) -> bool:
        return self._latest is not None and time < self._latest - CLOCK_TOLERANCE

    def _now(self) -> datetime:
        """The present, but never before a record of the lane: for what the lane says about itself."""
        now = self._clock()
        return now if self._latest is None else max(now, self._latest)

    # ----------------------------------------------------------------------------------------- certification

    async def _certify(self, chain: Chain) -> None:
        """Ask until the lane is certified."""
        certificate = None
        waits = pauses()
        while certificate is None:
            await self._pause(next(waits))
            certificate = await self._ask_notary(chain, CERTIFY_SECONDS)
        body = record.lane_certified(self._writer, now=self._now(), certificate=certificate)
        self._admit(body, about_lane=True)
        self._certified = True
        _log.info("lane certified", lane=chain.name)
        self._changed()

    async def _ask_notary(self, chain: Chain, seconds: float) -> JsonObject | None:
        try:
            certificate = await opening.certify(chain, notary=self._notary, clock=self._clock, seconds=seconds)
        except SinkFault as fault:
            if str(fault) != self._certificate_fault:
                _log.warning("lane is not certified", lane=chain.name, why=str(fault))
            self._certificate_fault = str(fault)
            return None
        self._certificate_fault = ""
        return certificate

    # ------------------------------------------------------------------------------------------------- tasks

    def _run(self, name: str, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"ledger-{name}")
        task.add_done_callback(self._ended)
        self._tasks[name] = task

    def _cancel(self, name: str) -> None:
        task = self._tasks.get(name)
        if task is not None:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that ends by an error of ours stops the ledger: no record, and the policies decide."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._accepting = False
            self._broken = f"{task.get_name()} failed: {error!r}"
            _log.error("ledger broke", task=task.get_name(), exc_info=error)
            self._changed()

    async def _finish(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
