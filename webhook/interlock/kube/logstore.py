"""The notary's view of the ledger's ConfigMaps: lanes by a watch, checkpoints by a list, and removal of both."""

import contextlib
from collections.abc import Sequence

from interlock.core.ports import StoredCommit
from interlock.errors import Conflict, NotFound
from interlock.kube import paths
from interlock.kube.client import ApiClient
from interlock.kube.configmaps import LEDGER_LABEL, ConfigMapLaneStore
from interlock.kube.lanefeed import LaneFeed

CHECKPOINT_SELECTOR = f"{LEDGER_LABEL}=checkpoint"


class ConfigMapLogStore(ConfigMapLaneStore):
    """`core.ports.LogStore` in one namespace; commits come from a feed."""

    def __init__(self, api: ApiClient, feed: LaneFeed, *, namespace: str) -> None:
        super().__init__(api, namespace=namespace)
        self._client, self._home = api, namespace
        self._feed = feed

    async def commits(self) -> Sequence[StoredCommit]:
        """Every stored commit of every lane, sorted by name; what was stored a moment ago may be missing."""
        return await self._feed.commits()

    async def checkpoints(self) -> Sequence[StoredCommit]:
        """Every stored checkpoint, consistent at one instant, sorted by name.

        Raises:
            Unavailable: no answer.
        """
        return await self.selected(CHECKPOINT_SELECTOR)

    async def remove(self, stored: StoredCommit) -> None:
        """Remove this very object; one that is gone, or another one of its name, is no error.

        Raises:
            Unavailable: no answer.
            Forbidden: our account may not.
        """
        path = paths.named("", "v1", "configmaps", stored.name, namespace=self._home)
        with contextlib.suppress(NotFound, Conflict):
            await self._client.delete(path, uid=stored.uid)
