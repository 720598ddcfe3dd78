"""An ObjectStore in memory that keeps versions and locks as S3 does, and fails when told to."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from interlock.core.ports import Clock, LockedObject
from interlock.errors import BadInput, NameTaken, NotFound, Unavailable
from tests.fakes.lane_store import Arbiter, Call, Fate, Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version; a body of None is a delete marker."""

    key: str
    id: str
    body: bytes | None
    mode: str
    retain_until: datetime | None
    modified: datetime


class FakeObjectStore:
    """Implements `core.ports.ObjectStore`.

    Attributes:
        versions_of: every version by key, oldest first; a test may tamper with it.
        late: puts that are still on their way; `land` lets the oldest arrive.
        forgets_locks: whether it takes objects and does not lock them, as some servers do.
        markers_hold_names: whether a name stays taken under a delete marker, as on VersityGW.
    """

    name = "fake://store"

    def __init__(self, clock: Clock, arbiter: Arbiter | None = None) -> None:
        self.versions_of: dict[str, list[Version]] = {}
        self.late: list[tuple[str, bytes, datetime]] = []
        self.forgets_locks = False
        self.markers_hold_names = False
        self._clock = clock
        self._arbiter = arbiter or Planned()
        self._count = 0

    def plan(self, *fates: Fate) -> None:
        """What becomes of the next puts."""
        self._arbiter = Planned(put=fates)

    async def put(self, key: str, body: bytes, *, retain_until: datetime) -> str:
        """Store an object."""
        fate = await self._arbiter.fate(Call("put", key))
        if fate is Fate.LANDS_LATER:
            self.late.append((key, body, retain_until))
        if fate not in {Fate.SUCCEEDS, Fate.FAILS_AFTER}:
            raise Unavailable(f"no answer to put {key}")
        if self._newest(key) is not None or (self.markers_hold_names and key in self.versions_of):
            raise NameTaken(f"{key} exists")
        version = self.add(key, body, retain_until=retain_until)
        if fate is Fate.FAILS_AFTER:
            raise Unavailable(f"no answer to put {key}")
        return version.id

    async def head(self, key: str, *, version: str = "") -> LockedObject:
        """What is known of an object."""
        await self._asked("head", key)
        found = self._found(key, version)
        assert found.body is not None
        return _shown(found, latest=found is self.versions_of[key][-1], digest=True)

    async def get(self, key: str, *, version: str = "", limit: int) -> bytes:
        """Read an object."""
        await self._asked("get", key)
        body = self._found(key, version).body
        assert body is not None
        if len(body) > limit:
            raise BadInput(field=key, got=f"more than {limit} bytes", expected=f"at most {limit}")
        return body

    async def versions(self, prefix: str) -> AsyncIterator[LockedObject]:
        """Every version of every object, by key."""
        await self._asked("list", prefix)
        for key in sorted(self.versions_of):
            if key.startswith(prefix):
                for each in reversed(self.versions_of[key]):
                    yield _shown(each, latest=each is self.versions_of[key][-1], digest=False)

    async def now(self) -> datetime:
        """The store's clock."""
        await self._asked("now")
        return self._clock()

    def land(self) -> None:
        """Let the oldest late put arrive; it is refused if the key is taken by then."""
        key, body, retain_until = self.late.pop(0)
        if self._newest(key) is None:
            self.add(key, body, retain_until=retain_until)

    def add(self, key: str, body: bytes | None, *, retain_until: datetime | None = None) -> Version:
        """Add a version whatever there is, or a delete marker."""
        self._count += 1
        locked = body is not None and retain_until is not None and not self.forgets_locks
        made = Version(
            key=key,
            id=f"v{self._count}",
            body=body,
            mode="COMPLIANCE" if locked else "",
            retain_until=retain_until if locked else None,
            modified=self._clock(),
        )
        self.versions_of.setdefault(key, []).append(made)
        return made

    def _newest(self, key: str) -> Version | None:
        found = self.versions_of.get(key, [])
        return found[-1] if found and found[-1].body is not None else None

    def _found(self, key: str, version: str) -> Version:
        named = [each for each in self.versions_of.get(key, ()) if each.id == version and each.body is not None]
        found = named[0] if named else None if version else self._newest(key)
        if found is None:
            raise NotFound(f"{key} {version}".rstrip())
        return found

    async def _asked(self, verb: str, key: str = "") -> None:
        if await self._arbiter.fate(Call(verb, key)) is not Fate.SUCCEEDS:
            raise Unavailable(f"no answer to {verb} {key}")


def _shown(version: Version, *, latest: bool, digest: bool) -> LockedObject:
    body = version.body or b""
    return LockedObject(
        key=version.key,
        version=version.id,
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest() if digest else "",
        mode=version.mode if digest else "",
        retain_until=version.retain_until if digest else None,
        modified=version.modified,
        latest=latest,
        deleted=version.body is None,
    )
