"""Writes policies' status: at once when a condition or a window changes, now and then when only counters do.

The state of windows comes from `core.policies.windows`, as for reviews, and is looked at again when the earliest
one changes.
A status is compared with what is stored and written only if it differs; a round writes a bounded number, conditions
before counters, so that a storm of changes becomes no storm of writes.

Only the leader runs this.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from interlock.core.policies import windowdoubts, zones
from interlock.core.policies.policy import Policy
from interlock.core.policies.windows import Windows
from interlock.core.ports import Clock
from interlock.core.types import JsonObject, WindowState
from interlock.errors import ClusterError, Conflict, NotFound
from interlock.kube import paths, statuses
from interlock.kube.client import ApiClient
from interlock.kube.counters import Tally
from interlock.kube.inventory import Inventory
from interlock.kube.probing import Heard
from interlock.kube.reading import POLICIES

LOG = structlog.get_logger(__name__)

LOOK_SECONDS = 10.0
"""Everything is compared at least so often: a guard that has died tells nobody."""

COUNTERS_SECONDS = 5.0
"""Between two rounds that write statuses of which only counters differ."""

PAUSE_SECONDS = 0.1
"""Between two rounds."""

NO_TRANSITION = timedelta(days=1)
"""How long windows without a transition in sight are believed: the look-ahead moves on."""

WRITES_A_ROUND = 50
"""Writes of one round, some 5 ms each; the rest waits for the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    policy: Policy
    wanted: JsonObject
    counters_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The state of a policy's windows, what is doubtful about them, and until when both are taken for known."""

    policy: Policy
    state: WindowState
    doubts: tuple[str, ...]
    tzdata: str
    until: datetime


class StatusWriter:
    """Keeps the status of every policy."""

    def __init__(
        self,
        api: ApiClient,
        inventory: Inventory,
        *,
        tally: Tally,
        api_servers: Callable[[], tuple[Heard, ...]],
        clock: Clock,
    ) -> None:
        self._api = api
        self._api_servers = api_servers
        self._inventory = inventory
        self._tally = tally
        self._clock = clock
        self._windows: dict[str, _Seen] = {}
        self._counters_at = float("-inf")

    async def run(self) -> None:
        """Keep them for ever."""
        while True:
            moved = self._inventory.moved
            try:
                pause = await self._round()
            except ClusterError as error:
                LOG.warning("cannot write a policy's status", why=str(error))
                pause = LOOK_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await moved.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(PAUSE_SECONDS)

    async def _round(self) -> float:
        """Write what is due; returns after how many seconds something will be."""
        if not self._inventory.complete:
            return LOOK_SECONDS
        due = sorted(self._due(), key=lambda found: found.counters_only)
        counters_in = self._counters_at + COUNTERS_SECONDS - _monotonic()
        writable = [found for found in due if counters_in <= 0 or not found.counters_only]
        for found in writable[:WRITES_A_ROUND]:
            await self._write(found)
        if len(writable) > WRITES_A_ROUND:
            return 0
        if any(found.counters_only for found in writable):
            self._counters_at = _monotonic()
        waiting = len(due) > len(writable)
        return min(self._until_transition(), LOOK_SECONDS, max(counters_in, 0) if waiting else LOOK_SECONDS)

    def _due(self) -> Iterator[_Due]:
        """Policies whose stored status is not as it should be."""
        now = self._clock()
        publication = self._publication()
        policies = self._inventory.policies
        self._windows = {p.uid: self._window(p, p.windows, now) for p in policies if p.windows}
        for policy in policies:
            stored = self._inventory.status_of(policy.name)
            known = self._windows.get(policy.uid)
            wanted = statuses.status_of(
                policy,
                window=known.state if known else None,
                doubts=known.doubts if known else (),
                counts=self._tally.of(policy.uid),
                publication=publication,
                old=stored,
                now=now,
            )
            if wanted != stored:
                same = wanted | {"counters": None} == stored | {"counters": None}
                yield _Due(policy=policy, wanted=wanted, counters_only=same)

    def _publication(self) -> statuses.Publication:
        return statuses.Publication(
            armed=self._inventory.configuration is not None,
            generation=self._inventory.published_generation,
            guards=tuple(guard.generation for guard in self._inventory.guards()),
            api_servers=self._api_servers(),
        )

    def _window(self, policy: Policy, windows: Windows, now: datetime) -> _Seen:
        """The state of a policy's windows, computed anew only where it can have changed."""
        known = self._windows.get(policy.uid)
        if known and known.policy is policy and now < known.until and known.tzdata == zones.version():
            return known
        state = windows.state(now)
        return _Seen(
            policy=policy,
            state=state,
            doubts=windowdoubts.doubts(windows, now),
            tzdata=zones.version(),
            until=state.next_transition or now + NO_TRANSITION,
        )

    def _until_transition(self) -> float:
        soonest = min((seen.until for seen in self._windows.values()), default=None)
        return LOOK_SECONDS if soonest is None else max((soonest - self._clock()).total_seconds(), 0)

    async def _write(self, due: _Due) -> None:
        """Write one status; a policy that is gone needs none."""
        name = due.policy.name
        removed = {key: None for key in self._inventory.status_of(name) if key not in due.wanted}
        path = paths.named(POLICIES.group, POLICIES.version, POLICIES.plural, name, subresource="status")
        patch = {"metadata": {"uid": due.policy.uid}, "status": _whole(due.wanted) | removed}
        try:
            stored = await self._api.merge_patch(path, patch)
        except (NotFound, Conflict):
            return
        self._inventory.policy_event("MODIFIED", stored)


def _whole(status: JsonObject) -> JsonObject:
    """The status as a merge patch: what a window no longer has is taken away."""
    if "window" not in status:
        return status
    return status | {"window": {"nextTransition": None, "nextOpen": None} | status["window"]}


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
