"""The ledger's stores on ConfigMaps: one immutable object per commit or checkpoint, created and never touched again.

Create-only by name is all that the ledger asks of the API server, and etcd answers a CREATE only when it is durable.
Reads carry no resourceVersion, so they come from a quorum and not from a cache: a lost answer is looked up right away.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject
from interlock.errors import ClusterError, Forbidden, Unavailable
from interlock.kube import paths
from interlock.kube.client import ApiClient

LEDGER_LABEL = "interlock.dev/ledger"
LANE_LABEL = "interlock.dev/lane"
LANE_SELECTOR = f"{LEDGER_LABEL}=lane"
BODY_KEY = "r"

CREATE_SECONDS = 2.0
"""Longest wait for one commit: as long as a denial waits for its record; what comes later is looked up by name."""


class ConfigMapLaneStore:
    """`core.ports.LaneStore` in one namespace."""

    def __init__(self, api: ApiClient, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    async def create(self, name: str, body: bytes, *, lane: str) -> None:
        """Store one immutable commit, or a checkpoint, which has no lane; when this returns, it is durable.

        Raises:
            NameTaken: an object of that name exists; read it and compare bytes (same: a lost answer of ours).
            Unavailable: it may or may not have been stored; read by name before trying again.
            Forbidden: our account may not, or the object was refused.
        """
        item = _item(name, body, lane=lane, namespace=self._namespace)
        try:
            await self._api.create(self._collection, item, seconds=CREATE_SECONDS)
        except (Unavailable, Forbidden):
            raise
        except ClusterError as error:  # no such namespace, an object that is too large, and the like
            raise Forbidden(str(error)) from error

    async def read(self, name: str) -> bytes:
        """Read one commit's body from a quorum.

        Raises:
            NotFound: no such commit.
            Unavailable: no answer.
        """
        return body_of(await self._api.get(paths.named("", "v1", "configmaps", name, namespace=self._namespace)))

    async def commits(self) -> Sequence[StoredCommit]:
        """Every stored commit, consistent at one instant, sorted by name.

        Raises:
            Unavailable: no answer.
        """
        return await self.selected(LANE_SELECTOR)

    async def commits_of(self, lane: str) -> Sequence[StoredCommit]:
        """Every stored commit of one lane, consistent at one instant, sorted by name.

        Raises:
            Unavailable: no answer.
        """
        return await self.selected(f"{LANE_SELECTOR},{LANE_LABEL}={lane}")

    async def selected(self, selector: str) -> list[StoredCommit]:
        """Everything with these labels, consistent at one instant, sorted by name.

        Raises:
            Unavailable: no answer.
        """
        found = [commit async for page in self._pages(selector) for commit in page]
        return sorted(found, key=lambda commit: commit.name)

    async def _pages(self, selector: str) -> AsyncIterator[list[StoredCommit]]:
        async for page, _ in self._api.pages(self._collection, label_selector=selector):
            yield [stored(item) for item in page]

    @property
    def _collection(self) -> str:
        return paths.collection("", "v1", "configmaps", namespace=self._namespace)


def stored(item: JsonObject) -> StoredCommit:
    """Read a ConfigMap of the ledger."""
    metadata = item["metadata"]
    created = datetime.fromisoformat(metadata["creationTimestamp"])
    return StoredCommit(name=metadata["name"], uid=metadata["uid"], body=body_of(item), created=created)


def body_of(item: JsonObject) -> bytes:
    """The bytes of a commit; empty if the object holds none, which no verifier accepts."""
    try:
        return base64.b64decode((item.get("binaryData") or {}).get(BODY_KEY, ""), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _item(name: str, body: bytes, *, lane: str, namespace: str) -> JsonObject:
    labels = {LEDGER_LABEL: "lane", LANE_LABEL: lane} if lane else {LEDGER_LABEL: "checkpoint"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
        },
        "immutable": True,
        "binaryData": {BODY_KEY: base64.b64encode(body).decode()},
    }
