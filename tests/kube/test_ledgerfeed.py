"""The ledger in the order in which it was stored, once, whatever becomes of the watch."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable, Sequence

import pytest

from interlock.core.audit import commits, segment
from interlock.core.auditapi.trail import Found
from interlock.core.ports import StoredCommit
from interlock.errors import HistoryRewound
from interlock.kube.configmaps import LEDGER_LABEL
from interlock.kube.ledgerfeed import LedgerFeed
from tests.fakes.kube_api import CONFIG_MAPS
from tests.kube.conftest import Cluster, eventually

HOME = "interlock-system"
LANE = "ab" * 8


class Heard:
    """What a feed told.

    Attributes:
        told: in order.
        version: up to which everything was told.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self.version = 0
        self._names: set[str] = set()

    async def load(self, found: Iterable[Found], checkpoints: Sequence[StoredCommit], *, version: int) -> None:
        """Note what was there at the start."""
        self._names = {each.stored.name for each in found}
        self.told.append(f"load {len(self._names)} and {len(checkpoints)}")
        self.advance(version)

    def commit(self, found: Found) -> None:
        """Note a commit."""
        self._names.add(found.stored.name)
        self.told.append(f"commit {_sequence(found.stored.name)}")
        self.advance(found.version)

    def checkpoint(self, stored: StoredCommit, *, version: int) -> None:
        """Note a checkpoint."""
        self.told.append(f"checkpoint {segment.parse_name(stored.name)}")
        self.advance(version)

    def retired(self, name: str, *, version: int) -> None:
        """Note that one is gone."""
        self._names.discard(name)
        self.told.append(f"retired {_sequence(name)}")
        self.advance(version)

    def names(self) -> set[str]:
        """The commits that are there."""
        return self._names

    def advance(self, version: int) -> None:
        """Note how far it is, which never goes back."""
        assert version >= self.version
        self.version = version


def _sequence(name: str) -> int:
    return commits.parse_name(name)[1]


def _store(cluster: Cluster, *sequences: int) -> None:
    for sequence in sequences:
        _put(cluster, commits.name(LANE, sequence), "lane")


def _put(cluster: Cluster, name: str, kind: str) -> None:
    metadata = {"name": name, "namespace": HOME, "labels": {LEDGER_LABEL: kind}}
    body = {"binaryData": {"r": base64.b64encode(b"x").decode()}}
    cluster.fake.put(CONFIG_MAPS, {"metadata": metadata} | body)


@pytest.fixture
def heard() -> Heard:
    """Nothing yet."""
    return Heard()


@pytest.fixture
async def feed(cluster: Cluster, heard: Heard) -> AsyncIterator["asyncio.Task[None]"]:
    """A feed at work, over a ledger of two commits and a checkpoint."""
    _store(cluster, 0, 1)
    _put(cluster, segment.name(0), "checkpoint")
    task = asyncio.create_task(LedgerFeed(cluster.api, namespace=HOME, listener=heard).run())
    await eventually(lambda: bool(heard.told))
    yield task
    task.cancel()
    await asyncio.wait({task})


@pytest.mark.usefixtures("feed")
async def test_as_it_was_stored(cluster: Cluster, heard: Heard) -> None:
    """First what is there, then every change, commits and checkpoints in one order."""
    _store(cluster, 2)
    _put(cluster, segment.name(1), "checkpoint")
    _store(cluster, 3)
    cluster.fake.remove(CONFIG_MAPS, commits.name(LANE, 0), HOME)
    await eventually(lambda: len(heard.told) == 5)

    assert heard.told == ["load 2 and 1", "commit 2", "checkpoint 1", "commit 3", "retired 0"]


@pytest.mark.usefixtures("feed")
async def test_what_was_missed(cluster: Cluster, heard: Heard) -> None:
    """When the watch breaks, what came and went meanwhile is told once, and nothing again."""
    cluster.fake.fail(f"/api/v1/namespaces/{HOME}/configmaps", 500)
    cluster.fake.cut()
    _store(cluster, 2)
    _put(cluster, segment.name(1), "checkpoint")
    cluster.fake.remove(CONFIG_MAPS, commits.name(LANE, 1), HOME)
    cluster.fake.forget()
    cluster.fake.fail(f"/api/v1/namespaces/{HOME}/configmaps", 0)
    await eventually(lambda: len(heard.told) == 4)
    _store(cluster, 3)
    await eventually(lambda: len(heard.told) == 5)

    assert heard.told == ["load 2 and 1", "commit 2", "checkpoint 1", "retired 1", "commit 3"]


async def test_history_that_went_back(cluster: Cluster, feed: "asyncio.Task[None]") -> None:
    """A cluster that was restored to an older state ends the feed: what it told may never have been."""
    cluster.fake.rewind(50)
    cluster.fake.upset()

    with pytest.raises(HistoryRewound):
        await asyncio.wait_for(feed, 10)
