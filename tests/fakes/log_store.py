"""A LogStore in memory, over the same objects as a FakeLaneStore: what guards write there, the notary reads here."""

from collections.abc import Sequence
from datetime import datetime

from interlock.core.audit import segment
from interlock.core.ports import StoredCommit
from interlock.errors import NameTaken, NotFound, Unavailable
from tests.fakes.lane_store import Arbiter, Call, FakeLaneStore, Fate, Planned


class FakeLogStore:
    """Implements `core.ports.LogStore`.

    Attributes:
        lanes: where guards write.
        bodies: checkpoints, by name.
        late: creates that are still on their way.
    """

    def __init__(self, lanes: FakeLaneStore, arbiter: Arbiter | None = None) -> None:
        self.lanes = lanes
        self.bodies: dict[str, bytes] = {}
        self.late: list[tuple[str, bytes]] = []
        self._arbiter = arbiter or Planned()

    async def create(self, name: str, body: bytes, *, lane: str) -> None:
        """Store one immutable object."""
        bodies = self._bodies(name)
        assert (bodies is self.bodies) == (not lane), f"{name} in lane {lane!r}"
        fate = await self._arbiter.fate(Call("create", name))
        if fate is Fate.LANDS_LATER:
            self.late.append((name, body))
        if fate not in {Fate.SUCCEEDS, Fate.FAILS_AFTER}:
            raise Unavailable(f"no answer to create {name}")
        if name in bodies:
            raise NameTaken(f"{name} exists")
        bodies[name] = body
        if fate is Fate.FAILS_AFTER:
            raise Unavailable(f"no answer to create {name}")

    async def read(self, name: str) -> bytes:
        """Read one object."""
        await self._asked("read", name)
        try:
            return self._bodies(name)[name]
        except KeyError as error:
            raise NotFound(name) from error

    async def commits(self) -> Sequence[StoredCommit]:
        """Every commit of every lane."""
        await self._asked("commits")
        return self.lanes.stored()

    async def checkpoints(self) -> Sequence[StoredCommit]:
        """Every checkpoint."""
        await self._asked("checkpoints")
        return self.stored()

    async def remove(self, stored: StoredCommit) -> None:
        """Remove one object, if it is this very one."""
        await self._asked("remove", stored.name)
        self._bodies(stored.name).pop(stored.name, None)

    def stored(self) -> list[StoredCommit]:
        """Every checkpoint, for tests, without a call."""
        return [StoredCommit(name=name, uid=f"uid-of-{name}", body=self.bodies[name]) for name in sorted(self.bodies)]

    def land(self) -> None:
        """Let the oldest late create arrive."""
        name, body = self.late.pop(0)
        self._bodies(name).setdefault(name, body)

    def _bodies(self, name: str) -> dict[str, bytes]:
        return self.bodies if name.startswith(segment.PREFIX) else self.lanes.bodies

    async def _asked(self, verb: str, name: str = "") -> None:
        if await self._arbiter.fate(Call(verb, name)) is not Fate.SUCCEEDS:
            raise Unavailable(f"no answer to {verb} {name}")


def at(stored: StoredCommit, created: datetime) -> StoredCommit:
    """The same, stored at this time."""
    return StoredCommit(name=stored.name, uid=stored.uid, body=stored.body, created=created)
