"""Every commit of every lane as the cluster stores it: a list, then a watch, and everything anew when the watch breaks.

Commits are immutable, so one that is known by name and uid is never read again. Only the leader has this; it counts,
merges, ships and retires from what is here, and what is here may be a moment behind.
"""

import asyncio
from collections.abc import Callable

import structlog

from interlock.core.ports import StoredCommit
from interlock.errors import ClusterError
from interlock.kube import paths
from interlock.kube.client import ApiClient
from interlock.kube.configmaps import LANE_SELECTOR, stored

LOG = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
"""After a list or watch that failed."""


class LaneFeed:
    """Keeps the commits of one namespace."""

    def __init__(
        self,
        api: ApiClient,
        *,
        namespace: str,
        added: Callable[[StoredCommit], bool],
        changed: Callable[[], None],
    ) -> None:
        """Wire it.

        Args:
            api: where they are.
            namespace: likewise.
            added: told of each commit, in the order of its lane, perhaps more than once; True if it makes a difference.
            changed: called when one did, and after each complete list.
        """
        self._api = api
        self._added = added
        self._changed = changed
        self._path = paths.collection("", "v1", "configmaps", namespace=namespace)
        self._known: dict[str, StoredCommit] = {}
        self._listed = asyncio.Event()

    async def commits(self) -> list[StoredCommit]:
        """What is known, sorted by name; waits for the first complete list."""
        await self._listed.wait()
        return [self._known[name] for name in sorted(self._known)]

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            try:
                await self._follow(await self._list())
            except ClusterError as error:
                LOG.debug("reading records again", why=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _list(self) -> str:
        """Take everything stored; returns as of when."""
        version, found = "", {}
        async for page, version in self._api.pages(self._path, label_selector=LANE_SELECTOR):  # noqa: B007  the last one
            for commit in sorted(map(stored, page), key=lambda commit: commit.name):
                found[commit.name] = commit
                self._added(commit)
        self._known = found
        self._listed.set()
        self._changed()
        return version

    async def _follow(self, version: str) -> None:
        """Take every change from then on, watch after watch; ends with the error that cut one."""
        while True:
            async for kind, item in self._api.watch(self._path, resource_version=version, label_selector=LANE_SELECTOR):
                version = item["metadata"]["resourceVersion"]
                if kind == "DELETED":
                    self._known.pop(item["metadata"]["name"], None)
                elif kind == "ADDED":
                    self._add(stored(item))

    def _add(self, commit: StoredCommit) -> None:
        self._known[commit.name] = commit
        if self._added(commit):
            self._changed()
