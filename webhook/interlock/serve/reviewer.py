"""One review: bytes in, bytes out, and between them the decision and its record.

    bytes ─▶ core.review ─▶ core.catalogue ─▶ core.decide ─▶ record appended ─▶ waited for ─▶ core.review ─▶ bytes
                                           ▲
                             what a parent read shows (system identities only, within a deadline)

What is recorded, and what becomes of a decision that cannot be, is `serve.recorder`.
"""

import asyncio

import structlog

from interlock.core import catalogue, systems
from interlock.core.decide import decide
from interlock.core.ports import Clock, ClusterReader
from interlock.core.review import request as requests
from interlock.core.review import response
from interlock.core.snapshot import Snapshot
from interlock.core.systems import Parent, Reference
from interlock.core.types import CallerProof, Decision, Facts, Request
from interlock.errors import BadReview, Forbidden, NotFound, Unavailable
from interlock.serve.metrics import GuardMetrics
from interlock.serve.recorder import Recorded, Recorder
from interlock.settings import SIZING_DEADLINE_SECONDS

LOG = structlog.get_logger(__name__)


class Reviewer:
    """Answers reviews."""

    def __init__(self, *, recorder: Recorder, reader: ClusterReader, clock: Clock, metrics: GuardMetrics) -> None:
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
        recorded = await self._recorded(request, decision, proof, snapshot)
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
        namespace = snapshot.namespaces.get(request.namespace)
        why = systems.continuation(request, Facts(), namespace)
        decision = decide(request, findings, snapshot, self._clock(), continuation=why)
        parent = systems.needs_parent(request) if decision.outcomes else None
        if parent is None:
            return decision
        why = systems.continuation(request, await self._facts(parent), namespace)
        return decide(request, findings, snapshot, self._clock(), continuation=why) if why else decision

    async def _facts(self, parent: Parent) -> Facts:
        """Whether everything that a deletion says it follows is really going."""
        try:
            async with asyncio.timeout(SIZING_DEADLINE_SECONDS):
                going = await asyncio.gather(*(self._going(reference) for reference in parent.references))
        except (Unavailable, Forbidden, TimeoutError) as error:
            LOG.warning("cannot read what a deletion follows; judged as an action of its own", why=str(error))
            return Facts(why="its parent could not be read")
        return Facts(parent_going=all(going))

    async def _going(self, reference: Reference) -> bool:
        """Whether one parent is going.

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
            return systems.is_going(reference, None)
        return systems.is_going(reference, found)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
