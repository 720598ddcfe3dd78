"""The trail while it grows: whoever waits for more is woken."""

import asyncio
from collections.abc import Iterable, Sequence

from interlock.core.auditapi.trail import Found, Trail
from interlock.core.ports import StoredCommit


class Live:
    """Feeds a trail, and lets others wait.

    Attributes:
        trail: what is known.
        loaded: whether everything that was stored at the start has been taken.
        watches: how many are under way.
        stopping: set when watches are to end.
    """

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        self.loaded = False
        self.watches = 0
        self.stopping = False
        self._moved = asyncio.Event()

    async def load(self, found: Iterable[Found], checkpoints: Sequence[StoredCommit], *, version: int) -> None:
        """Take what is stored at the start; probes are answered meanwhile."""
        for _ in self.trail.loading(found, checkpoints, version=version):
            await asyncio.sleep(0)
        self.loaded = True
        self._wake()

    def commit(self, found: Found) -> None:
        """Take a commit."""
        self.trail.commit(found)
        self.advance(found.version)

    def checkpoint(self, stored: StoredCommit, *, version: int) -> None:
        """Take a checkpoint."""
        self.trail.checkpoint(stored)
        self.advance(version)

    def retired(self, name: str, *, version: int) -> None:
        """Note that something is gone."""
        self.trail.retired(name, version=version)

    def names(self) -> set[str]:
        """The commits that are held."""
        return self.trail.names()

    def advance(self, version: int) -> None:
        """Note that everything up to this resourceVersion of ConfigMaps was told."""
        self.trail.advance(version)
        self._wake()

    def stop(self) -> None:
        """Have every watch end."""
        self.stopping = True
        self._wake()

    @property
    def moved(self) -> asyncio.Event:
        """Set at the next change; take it before looking, so that no change falls between."""
        return self._moved

    async def reached(self, version: int, *, seconds: float) -> bool:
        """Wait until everything up to this version of the window is known; False when the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while self.trail.window.version < version:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
