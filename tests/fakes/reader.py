"""A cluster that holds the objects which a test puts there."""

import asyncio

from interlock.core.types import JsonObject
from interlock.errors import ClusterError, NotFound


class FakeReader:
    """Implements `core.ports.ClusterReader`.

    Attributes:
        objects: by kind, namespace and name.
        fault: raised by every read, if set.
        reads: what was asked for.
    """

    def __init__(self, objects: dict[tuple[str, str, str], JsonObject] | None = None) -> None:
        self.objects = objects or {}
        self.fault: ClusterError | None = None
        self.reads: list[tuple[str, str, str]] = []

    async def get_by_kind(
        self, *, api_version: str, kind: str, namespace: str, name: str, seconds: float
    ) -> JsonObject:
        """Read one object."""
        del api_version, seconds
        self.reads.append((kind, namespace, name))
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        try:
            return self.objects[kind, namespace, name]
        except KeyError:
            raise NotFound(f"{kind} {name}") from None
