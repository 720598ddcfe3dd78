"""A LaneStore in memory that behaves as an API server does, and fails as one does when told to.

What happens to a call is decided by an *arbiter*, asked once for each call before anything happens. `Planned` answers
from a list, everything after it succeeds; `Parked` keeps every call waiting until the test decides, so that a test can
stop a writer at any await.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from interlock.core.audit import commits
from interlock.core.ports import StoredCommit
from interlock.errors import Forbidden, NameTaken, NotFound, Unavailable


class Fate(StrEnum):
    """What happens to one call."""

    SUCCEEDS = "succeeds"
    FAILS_BEFORE = "no answer, and nothing was done"
    FAILS_AFTER = "no answer, but it was done"
    LANDS_LATER = "no answer, and it is done some time later"
    FORBIDDEN = "refused"


@dataclass(frozen=True, slots=True)
class Call:
    """One call to the store: `create`, `read` or `commits`."""

    verb: str
    name: str = ""


class Arbiter(Protocol):
    """Decides what happens to calls."""

    async def fate(self, call: Call) -> Fate:
        """Decide, now or later."""


class Planned:
    """Fates given in advance, by verb; when they are used up, calls succeed."""

    def __init__(self, *, create: Sequence[Fate] = (), read: Sequence[Fate] = (), put: Sequence[Fate] = ()) -> None:
        self._plans = {"create": deque(create), "read": deque(read), "put": deque(put)}

    async def fate(self, call: Call) -> Fate:
        """Take the next one of the plan, after one turn of the loop, as any real call takes."""
        await asyncio.sleep(0)
        plan = self._plans.get(call.verb)
        return plan.popleft() if plan else Fate.SUCCEEDS


class Parked:
    """Every call waits until the test decides; a writer that is killed leaves its call behind."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Call, asyncio.Future[Fate]]] = deque()

    @property
    def call(self) -> Call | None:
        """The oldest call that waits."""
        while self._waiting and self._waiting[0][1].done():  # cancelled with its writer
            self._waiting.popleft()
        return self._waiting[0][0] if self._waiting else None

    @property
    def waits(self) -> bool:
        """Whether a call waits."""
        return self.call is not None

    def decide(self, fate: Fate) -> None:
        """Let the oldest call go on."""
        assert self.waits, "no call waits"
        _, decision = self._waiting.popleft()
        decision.set_result(fate)

    async def fate(self, call: Call) -> Fate:
        """Wait for `decide`."""
        decision: asyncio.Future[Fate] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, decision))
        return await decision


class FakeLaneStore:
    """Implements `core.ports.LaneStore`.

    Attributes:
        bodies: what is stored, by name; a test may tamper with it.
        late: creates that are still on their way; `land` lets the oldest arrive.
        calls: every call so far.
    """

    def __init__(self, arbiter: Arbiter | None = None) -> None:
        self.bodies: dict[str, bytes] = {}
        self.late: deque[tuple[str, bytes]] = deque()
        self.calls: list[Call] = []
        self._arbiter = arbiter or Planned()

    async def create(self, name: str, body: bytes, *, lane: str) -> None:
        """Store one immutable commit."""
        assert name.startswith(f"interlock-lane-{lane}-"), f"{name} in lane {lane}"
        fate = await self._fate(Call("create", name))
        if fate is Fate.FORBIDDEN:
            raise Forbidden(f"may not create {name}")
        if fate is Fate.LANDS_LATER:
            self.late.append((name, body))
        if fate in {Fate.FAILS_BEFORE, Fate.LANDS_LATER}:
            raise Unavailable(f"no answer to create {name}")
        if name in self.bodies:
            raise NameTaken(f"{name} exists")
        self.bodies[name] = body
        if fate is Fate.FAILS_AFTER:
            raise Unavailable(f"no answer to create {name}")

    async def read(self, name: str) -> bytes:
        """Read one commit's body."""
        fate = await self._fate(Call("read", name))
        if fate is Fate.FORBIDDEN:
            raise Forbidden(f"may not read {name}")
        if fate is not Fate.SUCCEEDS:
            raise Unavailable(f"no answer to read {name}")
        if name not in self.bodies:
            raise NotFound(name)
        return self.bodies[name]

    async def commits(self) -> Sequence[StoredCommit]:
        """Every stored commit, sorted by name."""
        if await self._fate(Call("commits")) is not Fate.SUCCEEDS:
            raise Unavailable("no answer to list")
        return self.stored()

    async def commits_of(self, lane: str) -> Sequence[StoredCommit]:
        """Every stored commit of one lane, sorted by name."""
        return [commit for commit in await self.commits() if commit.name.startswith(f"{commits.PREFIX}{lane}-")]

    def stored(self) -> list[StoredCommit]:
        """The same for tests, without a call."""
        return [StoredCommit(name=name, uid=f"uid-of-{name}", body=self.bodies[name]) for name in sorted(self.bodies)]

    def land(self) -> None:
        """Let the oldest late create arrive; an API server refuses it if the name is taken by then."""
        name, body = self.late.popleft()
        self.bodies.setdefault(name, body)

    async def _fate(self, call: Call) -> Fate:
        self.calls.append(call)
        return await self._arbiter.fate(call)
