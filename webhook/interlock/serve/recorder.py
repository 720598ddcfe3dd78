"""The record of one decision: appended, waited for as its durability says, or counted to a record that stands for it.

What becomes of a decision whose record is not known to be stored when `COMMIT_DEADLINE_SECONDS` are over:

    verdict   durability asked   outcome
    deny      any                stands, and says that the record is not known to be stored
    allow     BlockingStrict     refused: no stored record, no allow
    allow     Blocking           allowed; a sink fault is counted
    any       Batch              not waited for at all

Two kinds of crowds cost fewer writes than they have requests (`core.audit.runs`):

- A *series* is a denial that is repeated, on whatever objects. Its first denial is recorded like any other; repeats are
  counted, and answered with the record of the first. Every second and a half while it grows, and at its end, a record
  says how many there are.
- A *batch* is a deletecollection that is let through. Every member has its record, but is answered as soon as the
  record that opens the batch is stored. Once in `BATCH_TRUST_SECONDS` a member waits for its own record, and so for all
  before it: a ledger that stores nothing any more stops a batch within that time.

Requests whose callers are proven differently never share one: a forged review is counted to nothing but its like.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from interlock.core.audit import record, runrecords
from interlock.core.audit.runs import BATCH_GAP, SERIES_GAP, Run, Runs
from interlock.core.ports import Clock, Pending, RecordSink
from interlock.core.review import action
from interlock.core.types import CallerProof, Decision, Durability, JsonObject, Receipt, Request
from interlock.errors import SinkFault
from interlock.serve.metrics import GuardMetrics
from interlock.serve.surroundings import Surroundings
from interlock.settings import COMMIT_DEADLINE_SECONDS

LOG = structlog.get_logger(__name__)

BATCH_TRUST_SECONDS = 0.5  # members may be answered for this long without looking whether records are stored

# Between two counts of what grows, all in one commit. What a crash may lose of them; with it three guards stay at two
# writes a second in a flood.
TELL_SECONDS = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of a decision's record.

    Attributes:
        record_id: its name, or that of its series; empty if it has none.
        receipt: proof that it is stored.
        batch: for a member of a batch, proof that the record which opens the batch is stored.
        fault: why nothing is known to be stored.
    """

    record_id: str = ""
    receipt: Receipt | None = None
    batch: Receipt | None = None
    fault: str = ""


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What a batch's members rely on: the record that opened it, and the newest one that somebody waits for."""

    opening: Pending
    trusted: Pending
    since: datetime


class Recorder:
    """Records decisions."""

    def __init__(self, *, surroundings: Surroundings, sink: RecordSink, clock: Clock, metrics: GuardMetrics) -> None:
        self._around = surroundings
        self._sink = sink
        self._clock = clock
        self._metrics = metrics
        self._series: Runs[Pending] = Runs(gap=SERIES_GAP)
        self._batches: Runs[_Batch] = Runs(gap=BATCH_GAP)

    async def record(self, request: Request, decision: Decision, *, proof: CallerProof, generation: int) -> Recorded:
        """Record a decision and wait as its durability says; what went wrong is told, never raised.

        Args:
            request: what was asked.
            decision: what was decided, to be recorded.
            proof: how sure we are that an API server asked.
            generation: policy generation that the decision saw.
        """
        try:
            if not decision.allowed:
                return await self._denied(request, decision, proof, generation)
            body = self._body(request, decision, proof, generation)
            if batch := action.batch_key(request):
                return await self._member(f"{proof.value} {batch}", decision, body)
            return await self._alone(decision, body)
        except SinkFault as fault:
            return self._faulty(decision, Recorded(fault=str(fault)))

    async def run(self) -> None:
        """Write counts until cancelled."""
        while True:
            await asyncio.sleep(TELL_SECONDS)
            self.tell()

    def tell(self) -> None:
        """Write counts of series that grew, and the ends of what is over."""
        now = self._clock()
        try:
            self._end(self._series.ending(now), self._batches.ending(now), now)
            for run in self._series.grown():
                self._tell(run, now, closed=False)
        except SinkFault as fault:
            LOG.debug("counts are told later", why=str(fault))

    def close(self) -> None:
        """End every series and batch, since no review follows; their last records are appended, not waited for."""
        try:
            self._end(self._series.end_all(), self._batches.end_all(), self._clock())
        except SinkFault as fault:
            LOG.error("the last counts of denials cannot be recorded", why=str(fault))

    # ------------------------------------------------------------------------------------------ requests

    async def _alone(self, decision: Decision, body: JsonObject) -> Recorded:
        """A decision that is like no other.

        Raises:
            SinkFault: it has no place in the ledger.
        """
        waits = decision.durability is not Durability.BATCH
        pending = self._sink.append(body, linger=not waits)
        return await self._waited(decision, pending) if waits else Recorded(record_id=pending.record_id)

    async def _denied(self, request: Request, decision: Decision, proof: CallerProof, generation: int) -> Recorded:
        """A denial, which opens a series or repeats one.

        Raises:
            SinkFault: it has no place in the ledger.
        """
        key, now = f"{proof.value} {action.series_key(request, decision)}", self._clock()
        run = self._series.join(key, now)
        if run is None:
            body = self._body(request, decision, proof, generation)
            run = self._series.open(key, about=runrecords.about(body), opening=self._sink.append(body), now=now)
        if decision.durability is Durability.BATCH:
            return Recorded(record_id=run.opening.record_id)
        return await self._waited(decision, run.opening)

    async def _member(self, key: str, decision: Decision, body: JsonObject) -> Recorded:
        """An allowed member of a deletecollection.

        Raises:
            SinkFault: it has no place in the ledger.
        """
        now = self._clock()
        run = self._batches.join(key, now) or self._open_batch(key, body, now)
        pending = self._append_member(run.opening, body, now)
        if decision.durability is Durability.BATCH:
            return Recorded(record_id=pending.record_id)
        trusted = await self._waited(decision, run.opening.trusted)
        if trusted.receipt is None:
            return Recorded(record_id=pending.record_id, fault=trusted.fault)
        return Recorded(record_id=pending.record_id, batch=await run.opening.opening.stored(seconds=0))

    def _open_batch(self, key: str, body: JsonObject, now: datetime) -> Run[_Batch]:
        opening = self._sink.append(runrecords.batch_open(body, now=now))
        batch = _Batch(opening=opening, trusted=opening, since=now)
        return self._batches.open(key, about=runrecords.about(body), opening=batch, now=now)

    def _append_member(self, batch: _Batch, body: JsonObject, now: datetime) -> Pending:
        trusts = abs((now - batch.since).total_seconds()) < BATCH_TRUST_SECONDS
        pending = self._sink.append(body, linger=trusts)
        if not trusts:
            batch.trusted, batch.since = pending, now
        return pending

    def _body(self, request: Request, decision: Decision, proof: CallerProof, generation: int) -> JsonObject:
        return record.body(
            request,
            decision,
            caller=proof,
            cluster=self._around.cluster,
            engine=self._around.engine(generation),
            now=self._clock(),
            digest=self._around.digest,
        )

    async def _waited(self, decision: Decision, pending: Pending) -> Recorded:
        begun = _monotonic()
        try:
            receipt = await pending.stored(seconds=COMMIT_DEADLINE_SECONDS)
        except SinkFault as fault:
            return self._faulty(decision, Recorded(record_id=pending.record_id, fault=str(fault)))
        finally:
            self._metrics.waited_for_record(_monotonic() - begun)
        return Recorded(record_id=pending.record_id, receipt=receipt)

    def _faulty(self, decision: Decision, recorded: Recorded) -> Recorded:
        self._metrics.sink_fault(decision.durability.value)
        LOG.error(
            "a decision is answered without a stored record",
            record=recorded.record_id,
            verdict=decision.verdict.title,
            durability=decision.durability.value,
            why=recorded.fault,
        )
        return recorded

    # ------------------------------------------------------------------------------------------ counts

    def _tell(self, run: Run[Pending], now: datetime, *, closed: bool) -> None:
        series = run.opening.record_id
        self._sink.append(runrecords.series_count(run, series=series, now=now, closed=closed))
        self._series.written(run)

    def _end(self, series: list[Run[Pending]], batches: list[Run[_Batch]], now: datetime) -> None:
        for run in series:
            if run.count > 1:  # a denial that was never repeated needs no count
                self._tell(run, now, closed=True)
            self._series.forget(run)
        for batch in batches:
            self._sink.append(runrecords.batch_close(batch, batch=batch.opening.opening.record_id, now=now))
            self._batches.forget(batch)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
