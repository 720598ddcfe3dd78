"""The ledger as the cluster stores it, commits and checkpoints, in the order in which they were stored.

    list ─▶ load ─▶ watch ─▶ commit, checkpoint, retired … ─▶ watch breaks ─▶ list ─▶ what was missed ─▶ watch …

Objects are created once and never changed, so their resourceVersion says when, alike for whoever reads. Nothing is
kept here but how far it is; the bodies go on to whoever listens.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

import structlog

from interlock.core.auditapi.trail import Found
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject
from interlock.core.unstructured import text
from interlock.errors import ClusterError, HistoryRewound
from interlock.kube import paths
from interlock.kube.client import ApiClient
from interlock.kube.configmaps import LEDGER_LABEL, stored

LOG = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
"""After a list or watch that failed."""

CHECKPOINT = "checkpoint"


class Listener(Protocol):
    """What hears of the ledger; resourceVersions are those of ConfigMaps."""

    async def load(self, found: Iterable[Found], checkpoints: Sequence[StoredCommit], *, version: int) -> None:
        """Take everything that is stored at the start; called once, before anything else."""

    def commit(self, found: Found) -> None:
        """Take a commit, newer than those before."""

    def checkpoint(self, stored: StoredCommit, *, version: int) -> None:
        """Take a checkpoint, likewise."""

    def retired(self, name: str, *, version: int) -> None:
        """A commit or checkpoint is gone."""

    def names(self) -> set[str]:
        """The commits that it holds."""

    def advance(self, version: int) -> None:
        """Everything up to this version was told."""


class LedgerFeed:
    """Follows the ledger of one namespace.

    Attributes:
        heard_at: when something was last heard, by the loop's clock; bookmarks count. Negative before the first list.
    """

    def __init__(self, api: ApiClient, *, namespace: str, listener: Listener) -> None:
        self._api = api
        self._listener = listener
        self._path = paths.collection("", "v1", "configmaps", namespace=namespace)
        self._version = -1
        self.heard_at = -1.0

    async def run(self) -> None:
        """Follow for ever.

        Raises:
            HistoryRewound: the cluster went back to an older state: nothing told so far can be trusted.
        """
        while True:
            try:
                await self._list()
                await self._follow()
            except HistoryRewound:
                raise
            except ClusterError as error:
                LOG.debug("reading the ledger again", why=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _list(self) -> None:
        found: list[Found] = []
        checkpoints: list[Found] = []
        version = -1
        async for page, seen in self._api.pages(self._path, label_selector=LEDGER_LABEL):
            version = int(seen)
            for item in page:
                (checkpoints if _is_checkpoint(item) else found).append(_found(item))
        if version < self._version:
            raise HistoryRewound(f"the ledger is listed as of {version}, and was heard of as of {self._version}")
        if self._version < 0:
            ordered = sorted((each.stored for each in checkpoints), key=lambda stored: stored.name)
            await self._listener.load(found, ordered, version=version)
        else:
            self._catch_up(found, checkpoints, version)
        self._heard(version)

    def _catch_up(self, found: list[Found], checkpoints: list[Found], version: int) -> None:
        """Tell what happened while nobody watched; commits first, since checkpoints are about them."""
        missed = [each for each in found if each.version > self._version]
        for commit in sorted(missed, key=lambda each: each.version):
            self._listener.commit(commit)
        for each in sorted(checkpoints, key=lambda each: each.version):
            if each.version > self._version:
                self._listener.checkpoint(each.stored, version=each.version)
        for name in sorted(self._listener.names() - {each.stored.name for each in found}):
            self._listener.retired(name, version=version)
        self._listener.advance(version)

    async def _follow(self) -> None:
        """Tell every change, watch after watch; ends with the error that cut one."""
        while True:
            changes = self._api.watch(self._path, resource_version=str(self._version), label_selector=LEDGER_LABEL)
            async for kind, item in changes:
                version = _version(item)
                match kind:
                    case "ADDED":
                        self._tell(item)
                    case "DELETED":
                        self._listener.retired(item["metadata"]["name"], version=version)
                    case _:
                        self._listener.advance(version)
                self._heard(version)

    def _tell(self, item: JsonObject) -> None:
        found = _found(item)
        if _is_checkpoint(item):
            self._listener.checkpoint(found.stored, version=found.version)
        else:
            self._listener.commit(found)

    def _heard(self, version: int) -> None:
        self._version = version
        self.heard_at = asyncio.get_running_loop().time()


def _found(item: JsonObject) -> Found:
    return Found(stored=stored(item), version=_version(item))


def _version(item: JsonObject) -> int:
    return int(item["metadata"]["resourceVersion"])


def _is_checkpoint(item: JsonObject) -> bool:
    return text(item, "metadata", "labels", LEDGER_LABEL) == CHECKPOINT
