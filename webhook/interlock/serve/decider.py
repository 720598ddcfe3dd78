"""The decision on one request: what is found in it, and what policies say to that.

    core.catalogue ─▶ core.decide
                          ▲
            what a parent read shows (system identities only, within a deadline)

The guard decides here, and so does `interlock policy`: what a policy's tests show is what a guard will say.
"""

import asyncio
from collections.abc import Callable

import structlog

from interlock.core import catalogue, systems
from interlock.core.decide import decide
from interlock.core.ports import Clock, ClusterReader
from interlock.core.snapshot import Snapshot
from interlock.core.systems import Parent, Reference
from interlock.core.types import Decision, JsonObject, Request
from interlock.errors import Forbidden, NotFound, Unavailable
from interlock.settings import SIZING_DEADLINE_SECONDS

Holds = Callable[[Reference, JsonObject | None], bool]
"""A test of a parent, after it was read; None if it is not there."""

LOG = structlog.get_logger(__name__)


class Decider:
    """Decides on requests."""

    def __init__(self, *, reader: ClusterReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    async def decide(self, request: Request, snapshot: Snapshot) -> Decision:
        """Decide; what needs a read is read only if some policy speaks of the request."""
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
