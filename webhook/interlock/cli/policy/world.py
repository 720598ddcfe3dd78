"""A cluster, described or real, made into what the guard decides by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from interlock.cli.policy.cluster import ObjectReader
from interlock.core import snapshot
from interlock.core.access.book import Book
from interlock.core.policies.policy import Policy
from interlock.core.ports import ClusterReader
from interlock.core.rehearsal.objects import Objects
from interlock.core.snapshot import Snapshot
from interlock.core.types import Decision, Request
from interlock.kube.reading import read_namespace
from interlock.serve.decider import Decider


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What decisions read, and what they may look up."""

    objects: Objects
    snapshot: Snapshot
    reader: ClusterReader

    @classmethod
    def of(cls, objects: Objects, policies: Iterable[Policy], reader: ClusterReader | None = None) -> "World":
        """Read namespaces, roles and bindings from the objects; and what else there is, if there is no other reader."""
        built = snapshot.build(
            policies=policies,
            namespaces=map(read_namespace, objects.of_kinds(["Namespace"])),
            access=Book.of(objects.items),
        )
        return cls(objects=objects, snapshot=built, reader=reader or ObjectReader(objects))

    async def decide(self, request: Request, now: datetime) -> Decision:
        """What the guard would decide."""
        return await Decider(reader=self.reader, clock=lambda: now).decide(request, self.snapshot)
