"""One review: bytes in, bytes out, and between them the decision and its record.

    bytes ─▶ core.review ─▶ core.catalogue ─▶ core.decide ─▶ record appended ─▶ waited for ─▶ core.review ─▶ bytes
                                           ▲
                             what a parent read shows (system identities only, within a deadline)

What is recorded, and what becomes of a decision that cannot be, is `serve.recorder`.
"""

import asyncio
from collections.abc import Callable

import structlog

from interlock.core import catalogue, systems
from interlock.core.decide import decide
from interlock.core.ports import Clock, ClusterReader
from interlock.core.review import request as requests
from interlock.core.review import response
from interlock.core.snapshot import Snapshot
from interlock.core.systems import Parent, Reference
from interlock.core.types import CallerProof, Decision, JsonObject, Request
from interlock.errors import BadReview, Forbidden, NotFound, Unavailable
from interlock.serve.metrics import GuardMetrics
from interlock.serve.operations import Operations
from interlock.serve.recorder import Recorded, Recorder
from interlock.settings import SIZING_DEADLINE_SECONDS

Holds = Callable[[Reference, JsonObject | None], bool]
"""A test of a parent, after it was read; None if it is not there."""

LOG = structlog.get_logger(__name__)


class Reviewer:
    """Answers reviews."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        reader: ClusterReader,
        operations: Operations,
        clock: Clock,
        metrics: GuardMetrics,
    ) -> None:
        self._operations = operations
        self._recorder = recorder
        self._reader = reader
        self._clock = clock
        self._metrics = metrics

    async def review(self, body: bytes, *, proof: CallerProof, snapshot: Snapshot) -> bytes:
        """Answer one AdmissionReview.

        Raises:
            BadReview: these bytes hold no review that an answer could name.
        """
        begun = _monotonic()
        self._metrics.began()
        try:
            return await self._answer(requests.parse(body), proof, snapshot)
        except BadReview as error:
            self._metrics.refused("malformed")
            if not error.uid:
                raise
            return response.refuse(error.uid, error)
        finally:
            self._metrics.ended(_monotonic() - begun)

    async def _answer(self, request: Request, proof: CallerProof, snapshot: Snapshot) -> bytes:
        decision = await self._decide(request, snapshot)
        if proof is not CallerProof.NONE:
            decision = await self._operations.judged(request, decision)
        recorded = await self._recorded(request, decision, proof, snapshot)
        if proof is not CallerProof.NONE and not recorded.fault:
            self._operations.note(request, decision, self._clock())
        self._metrics.decided(verdict=decision.verdict.title, operation=request.operation.value)
        return response.answer(
            request,
            decision,
            receipt=recorded.receipt,
            batch=recorded.batch,
            record_id=recorded.record_id,
            recorded_fault=recorded.fault,
            now=self._clock(),
        )

    async def _recorded(self, request: Request, decision: Decision, proof: CallerProof, snapshot: Snapshot) -> Recorded:
        if not decision.recorded:
            return Recorded()
        return await self._recorder.record(request, decision, proof=proof, generation=snapshot.generation)

    # ------------------------------------------------------------------------------------------ decision

    async def _decide(self, request: Request, snapshot: Snapshot) -> Decision:
        """The decision; what needs a read is read only if some policy speaks of the request."""
        findings = catalogue.find(request, snapshot)
        handed = catalogue.handed(request, snapshot)
        namespace = snapshot.namespaces.get(request.namespace)
        why = systems.continuation(request, namespace)
        decision = decide(request, findings, snapshot, self._clock(), continuation=why, handed=handed)
        if not decision.outcomes:
            return decision
        if (parent := systems.needs_parent(request)) and await self._all(parent, systems.is_going):
            why = systems.continuation(request, namespace, parent_going=True)
            return decide(request, findings, snapshot, self._clock(), continuation=why)
        if handed and (parent := systems.adopted(request)) and await self._all(parent, systems.is_staying):
            return decide(request, findings, snapshot, self._clock())
        return decision

    async def _all(self, parent: Parent, holds: Holds) -> bool:
        """Whether this holds of everything that a request says it follows, as far as it can be read in time."""
        try:
            async with asyncio.timeout(SIZING_DEADLINE_SECONDS):
                held = await asyncio.gather(*(self._one(reference, holds) for reference in parent.references))
        except (Unavailable, Forbidden, TimeoutError) as error:
            LOG.warning("cannot read what a request follows; judged as an action of its own", why=str(error))
            return False
        return all(held)

    async def _one(self, reference: Reference, holds: Holds) -> bool:
        """Whether it holds of one parent.

        Raises:
            Unavailable: no answer in time.
            Forbidden: it may not be read.
        """
        try:
            found = await self._reader.get_by_kind(
                api_version=reference.api_version,
                kind=reference.kind,
                namespace=reference.namespace,
                name=reference.name,
                seconds=SIZING_DEADLINE_SECONDS,
            )
        except NotFound:
            return holds(reference, None)
        return holds(reference, found)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
