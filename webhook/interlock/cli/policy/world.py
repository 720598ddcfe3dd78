"""A cluster, described or real, made into what the guard decides by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from interlock.core import snapshot
from interlock.core.access.book import Book
from interlock.core.policies.policy import Policy
from interlock.core.rehearsal.objects import Objects
from interlock.core.snapshot import Snapshot
from interlock.core.types import Decision, JsonObject, Request
from interlock.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What decisions read, and what they may look up."""

    objects: Objects
    snapshot: Snapshot

    @classmethod
    def of(cls, objects: Objects, policies: Iterable[Policy]) -> "World":
        """Read namespaces, roles and bindings from the objects."""
        from interlock.kube.reading import read_namespace  # noqa: PLC0415  logging, which other commands do without

        built = snapshot.build(
            policies=policies,
            namespaces=map(read_namespace, objects.of_kinds(["Namespace"])),
            access=Book.of(objects.items),
        )
        return cls(objects=objects, snapshot=built)

    async def decide(self, request: Request, now: datetime) -> Decision:
        """What the guard would decide."""
        from interlock.serve.decider import Decider  # noqa: PLC0415  likewise

        return await Decider(reader=_Reader(self.objects), clock=lambda: now).decide(request, self.snapshot)


class _Reader:
    """Implements `core.ports.ClusterReader` on described objects: what is not described does not exist."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def get_by_kind(
        self, *, api_version: str, kind: str, namespace: str, name: str, seconds: float
    ) -> JsonObject:
        """Find one object.

        Raises:
            NotFound: it is not described.
        """
        del api_version, seconds
        found = self._objects.get(kind, name, namespace)
        if found is None:
            raise NotFound(f"{kind} {name}")
        return found
