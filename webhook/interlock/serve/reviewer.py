"""One review: bytes in, bytes out, and between them the decision and its record.

    bytes ─▶ core.review ─▶ serve.decider ─▶ record appended ─▶ waited for ─▶ core.review ─▶ bytes

What is recorded, and what becomes of a decision that cannot be, is `serve.recorder`.
"""

import asyncio

from interlock.core.ports import Clock, ClusterReader
from interlock.core.review import request as requests
from interlock.core.review import response
from interlock.core.snapshot import Snapshot
from interlock.core.types import CallerProof, Decision, Request
from interlock.errors import BadReview
from interlock.serve.decider import Decider
from interlock.serve.metrics import GuardMetrics
from interlock.serve.operations import Operations
from interlock.serve.recorder import Recorded, Recorder


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
        self._decider = Decider(reader=reader, clock=clock)
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
        decision = await self._decider.decide(request, snapshot)
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


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
