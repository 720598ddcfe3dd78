"""Records of what becomes of policies: every creation, change and deletion that is let through, with its difference.

A change is let through whether or not it can be recorded: policies must stay repairable when nothing else works. A
record that is not known to be stored in time is counted as a sink fault, like that of any Blocking decision.
"""

import structlog

from interlock.core.audit import record
from interlock.core.ports import Clock, RecordSink
from interlock.core.types import CallerProof, Durability, Receipt, Request
from interlock.errors import SinkFault
from interlock.serve.metrics import GuardMetrics
from interlock.serve.surroundings import Surroundings
from interlock.settings import COMMIT_DEADLINE_SECONDS

LOG = structlog.get_logger(__name__)


class PolicyChanges:
    """Records changes of policies."""

    def __init__(self, *, surroundings: Surroundings, sink: RecordSink, clock: Clock, metrics: GuardMetrics) -> None:
        self._around = surroundings
        self._sink = sink
        self._clock = clock
        self._metrics = metrics

    async def record(self, request: Request, *, proof: CallerProof, generation: int) -> Receipt | None:
        """Record one change and wait until it is stored; None if that is not known in time.

        Args:
            request: the review of a DangerPolicy that is let through, no dry run.
            proof: how sure we are that an API server asked.
            generation: policy generation seen at this moment.
        """
        body = record.policy_change(
            request,
            caller=proof,
            cluster=self._around.cluster,
            engine=self._around.engine(generation),
            now=self._clock(),
            digest=self._around.digest,
        )
        LOG.info("policy changed", policy=request.name, operation=request.operation.value, loosens=body["loosens"])
        try:
            return await self._sink.append(body).stored(seconds=COMMIT_DEADLINE_SECONDS)
        except SinkFault as fault:
            self._metrics.sink_fault(Durability.BLOCKING.value)
            LOG.error("a policy change is let through without a stored record", policy=request.name, why=str(fault))
            return None
