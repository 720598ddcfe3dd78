"""A snapshot that the test sets, and a generation that is reached when the test says so."""

import asyncio

from interlock.core.snapshot import Snapshot


class FakeSnapshots:
    """Implements `core.ports.SnapshotSource`.

    Attributes:
        snapshot: the newest.
        asked: generations that were waited for.
    """

    def __init__(self, snapshot: Snapshot | None) -> None:
        self.snapshot = snapshot
        self.asked: list[int] = []

    def current(self) -> Snapshot | None:
        """The newest."""
        return self.snapshot

    async def reached(self, generation: int, *, seconds: float) -> bool:
        """Whether the newest is at least at this generation; nothing comes later by itself."""
        del seconds
        self.asked.append(generation)
        await asyncio.sleep(0)
        return self.snapshot is not None and self.snapshot.generation >= generation
