"""The newest snapshot, made of what kopf's watches deliver and of lists of our own.

    event ─▶ View ─▶ (a short window) ─▶ Snapshot, swapped by reference ─▶ whoever waits for a generation

What a snapshot claims: `generation` is a resourceVersion up to which no change of a policy is missing in it. Two things
raise it.

* Events. The API server sends those of one kind in order, but kopf hands them on through one task per object, so a
  later one may arrive first (1.45.2, `_core/reactor/queueing.py`, `watcher` and `worker`). No such task waits for I/O
  between queue and handler. So what was seen before the window is claimed after it, and after enough turns of the loop
  for every such task to have come through.
* Consistent lists. They are merged, so the view is at least as new as they are. They are taken at the start, whenever a
  review names a generation that has not been reached, and every so often: a watch that lost something is found out.

A list older than an event already seen, or one that contradicts it, means that the cluster's history was rewound (etcd
restored). Nothing known can be trusted then, and the process ends, to begin anew.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from interlock.core import snapshot
from interlock.core.access.book import Book
from interlock.core.snapshot import Snapshot
from interlock.core.types import JsonObject
from interlock.errors import Forbidden, HistoryRewound, NotFound, Unavailable
from interlock.kube.client import ApiClient
from interlock.kube.reading import (
    ACCESS,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    KINDS,
    NAMESPACES,
    POLICIES,
    ROLE_BINDINGS,
    ROLES,
    Kind,
)
from interlock.kube.view import View

LOG = structlog.get_logger(__name__)

WINDOW_SECONDS = 0.02  # many changes at once make one snapshot; far inside the 2 s in which a policy is in force
TURNS = 50  # of the loop after the window; kopf suspends fewer than ten times between its queue and a handler
POLICIES_RELIST_SECONDS = 30.0  # one small list; bounds how old an undetected loss can be
RELIST_SECONDS = 300.0  # namespaces and roles are many, and a stale one is a lesser harm
RETRY_SECONDS = 1.0  # after a list that failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How sure the newest snapshot is.

    Attributes:
        generation: that it claims; 0 before the first.
        age_seconds: since it was last known to be complete.
        policies: how many it holds.
    """

    generation: int
    age_seconds: float
    policies: int


class SnapshotFeed:
    """Implements `core.ports.SnapshotSource`; `run` does the work."""

    def __init__(
        self,
        api: ApiClient,
        *,
        reached: Callable[[], None] = lambda: None,
        holds: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Begin with nothing.

        Args:
            api: for lists.
            reached: called when a snapshot is the first to claim a change of the policies.
            holds: told after every list how many objects are held.
        """
        self._api = api
        self._holds = holds
        self._reached = reached
        self._last_change = 0  # resourceVersion up to which the policies' newest change lies
        self._told = -1
        self._views: dict[str, View[Any]] = {kind.plural: View(essence=kind.essence, read=kind.read) for kind in KINDS}
        self._current: Snapshot | None = None
        self._claimed = 0
        self._confirmed_at = float("-inf")
        self._changed: set[str] = set()
        self._listed = asyncio.Event()
        self._dirty = asyncio.Event()
        self._moved = asyncio.Event()  # replaced at every swap
        self._wanted = asyncio.Event()  # a review names a generation that was not reached

    # ------------------------------------------------------------------------------------------ for reviews

    def current(self) -> Snapshot | None:
        """The newest snapshot, or None before the first complete one."""
        return self._current

    async def reached(self, generation: int, *, seconds: float) -> bool:
        """Wait until the snapshot is at least at this generation; False when the time is over."""
        if self._has(generation):
            return True
        self._wanted.set()
        try:
            async with asyncio.timeout(seconds):
                while not self._has(generation):
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def freshness(self) -> Freshness:
        """How sure the newest snapshot is."""
        return Freshness(
            generation=self._claimed if self._current else 0,
            age_seconds=_monotonic() - self._confirmed_at,
            policies=len(self._views[POLICIES.plural]),
        )

    def _has(self, generation: int) -> bool:
        return self._current is not None and self._current.generation >= generation

    # ------------------------------------------------------------------------------------------ for watches

    def put(self, kind: Kind, obj: JsonObject) -> None:
        """An object was listed, added or modified."""
        self._noted(kind, changed=self._views[kind.plural].put(obj))

    def remove(self, kind: Kind, obj: JsonObject) -> None:
        """An object was deleted."""
        self._noted(kind, changed=self._views[kind.plural].remove(obj))

    def listed_anew(self) -> None:
        """A watch had to begin again: policies are listed soon, since it may have missed what is gone."""
        self._wanted.set()

    def complete(self) -> None:
        """Everything that exists was put at least once."""
        self._listed.set()

    def _noted(self, kind: Kind, *, changed: bool) -> None:
        if changed:
            self._note_change(kind)
        if changed or kind is POLICIES:  # a status update changes nothing, but shows how far the watch has come
            self._dirty.set()

    def _note_change(self, kind: Kind) -> None:
        self._changed.add(kind.plural)
        if kind is POLICIES:
            self._last_change = self._views[kind.plural].newest

    # ------------------------------------------------------------------------------------------ the work

    async def run(self) -> None:
        """Make snapshots for ever.

        Raises:
            HistoryRewound: nothing known can be trusted.
        """
        await self._listed.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._relist_policies(), name="relist policies")
            for kind in (NAMESPACES, *ACCESS):
                tasks.create_task(self._relist(kind), name=f"relist {kind.plural}")
            tasks.create_task(self._follow_events(), name="follow events")

    async def _follow_events(self) -> None:
        view = self._views[POLICIES.plural]
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            seen = view.newest
            await asyncio.sleep(WINDOW_SECONDS)
            for _ in range(TURNS):
                await asyncio.sleep(0)
            if self._current is not None:  # the first one needs a list, which alone tells what no longer exists
                self._swap(seen, confirmed=seen > self._claimed)
            if view.newest > seen:
                self._dirty.set()

    async def _relist_policies(self) -> None:
        while True:
            self._wanted.clear()
            listed = await self._list(POLICIES)
            if listed is not None:
                self._swap(listed, confirmed=True)
                self._holds(sum(map(len, self._views.values())))
            try:
                async with asyncio.timeout(POLICIES_RELIST_SECONDS if listed is not None else RETRY_SECONDS):
                    await self._wanted.wait()
                    await asyncio.sleep(WINDOW_SECONDS)  # many reviews name the same generation at once
            except TimeoutError:
                pass

    async def _relist(self, kind: Kind) -> None:
        while True:
            await asyncio.sleep(RELIST_SECONDS)
            if await self._list(kind) is not None and self._current is not None:
                self._swap(self._claimed, confirmed=False)

    async def _list(self, kind: Kind) -> int | None:
        """Merge what exists now; returns as of when, or None if there was no answer.

        Raises:
            HistoryRewound: the list is older than what was seen before, or contradicts it.
        """
        view = self._views[kind.plural]
        before = view.newest
        try:
            items, text = await self._api.list(kind.path)
        except (Unavailable, Forbidden, NotFound) as error:
            LOG.warning("cannot list what decisions read", kind=kind.plural, why=str(error))
            return None
        version = int(text)
        if version < before:
            raise HistoryRewound(
                f"{kind.plural}: resourceVersion went back from {before} to {version}: history was rewound"
            )
        if view.merge(items, version):
            self._note_change(kind)
        return version

    # ------------------------------------------------------------------------------------------ the swap

    def _swap(self, claim: int, *, confirmed: bool) -> None:
        self._claimed = max(self._claimed, claim)
        if confirmed:
            self._confirmed_at = _monotonic()
        changed, self._changed = self._changed, set()
        self._current = self._made(self._current, changed)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        if self._claimed >= self._last_change > self._told:
            self._told = self._last_change
            self._reached()

    def _made(self, before: Snapshot | None, changed: set[str]) -> Snapshot:
        """The next snapshot; parts that did not change are those of the one before."""
        if before is None or POLICIES.plural in changed:
            return self._built()
        parts: dict[str, Any] = {"generation": self._claimed}
        if NAMESPACES.plural in changed:
            parts["namespaces"] = self._namespaces()
        if any(kind.plural in changed for kind in ACCESS):
            parts["access"] = self._access()
        return replace(before, **parts)

    def _built(self) -> Snapshot:
        return snapshot.build(
            generation=self._claimed,
            policies=self._views[POLICIES.plural].values().values(),
            namespaces=self._namespaces().values(),
            access=self._access(),
        )

    def _namespaces(self) -> Mapping[str, Any]:
        return {name: value for (_, name), value in self._views[NAMESPACES.plural].values().items()}

    def _access(self) -> Book:
        views = self._views
        return Book(
            cluster_roles={name: role for (_, name), role in views[CLUSTER_ROLES.plural].values().items()},
            roles=views[ROLES.plural].values(),
            bindings=tuple(
                binding
                for kind in (CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS)
                for binding in views[kind.plural].values().values()
            ),
        )


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
