"""The feed of commits, and the notary's store over it, on a real HTTP server in memory."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from interlock.core.audit import commits, segment, standing
from interlock.core.audit.standing import Ledger
from interlock.core.auditapi.shipment import Shipment
from interlock.core.ports import StoredCommit
from interlock.kube.configmaps import LANE_LABEL, LEDGER_LABEL
from interlock.kube.counters import Tally
from interlock.kube.countstore import CountStore
from interlock.kube.lanefeed import LaneFeed
from interlock.kube.ledgerstate import LedgerState, Said
from interlock.kube.logstore import ConfigMapLogStore
from tests.fakes.kube_api import CONFIG_MAPS
from tests.kube.conftest import Cluster, eventually

HOME = "interlock-system"
LANE = "ab" * 8


class Seen:
    """What a feed told.

    Attributes:
        names: of commits, in order.
        changes: how often something changed.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.changes = 0

    def added(self, commit: StoredCommit) -> bool:
        """Take a commit."""
        self.names.append(commit.name)
        return True

    def changed(self) -> None:
        """Count."""
        self.changes += 1


@pytest.fixture
def seen() -> Seen:
    """Nothing yet."""
    return Seen()


@pytest.fixture
async def feed(cluster: Cluster, seen: Seen) -> AsyncIterator[LaneFeed]:
    """A feed that follows."""
    made = LaneFeed(cluster.api, namespace=HOME, added=seen.added, changed=seen.changed)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.wait({task})


def _store(cluster: Cluster, name: str, body: bytes = b"x") -> None:
    labels = {LEDGER_LABEL: "lane", LANE_LABEL: name.split("-")[2]}
    metadata = {"name": name, "namespace": HOME, "labels": labels}
    cluster.fake.put(CONFIG_MAPS, {"metadata": metadata, "binaryData": {"r": base64.b64encode(body).decode()}})


async def test_lanes_are_followed(cluster: Cluster, feed: LaneFeed, seen: Seen) -> None:
    """What is stored, what is added and what is removed, across cut and forgotten watches."""
    names = [commits.name(LANE, sequence) for sequence in range(4)]
    _store(cluster, names[0])
    await feed.commits()
    _store(cluster, names[1])
    await eventually(lambda: names[1] in seen.names)
    cluster.fake.cut()
    cluster.fake.forget()
    _store(cluster, names[2])
    cluster.fake.remove(CONFIG_MAPS, names[0], HOME)
    await eventually(lambda: names[2] in seen.names)
    _store(cluster, names[3])
    cluster.fake.remove(CONFIG_MAPS, names[1], HOME)
    await eventually(lambda: names[3] in seen.names and seen.changes > 2)

    assert [each.name for each in await feed.commits()] == names[2:]
    assert all(each.created for each in await feed.commits())


async def test_removal_is_of_this_very_object(cluster: Cluster, feed: LaneFeed) -> None:
    """One that was made again under the same name stays, and one that is gone is no error."""
    store = ConfigMapLogStore(cluster.api, feed, namespace=HOME)
    await store.create(segment.name(0), b"first", lane="")
    [first] = await store.checkpoints()
    await store.remove(first)
    await store.remove(first)
    await store.create(segment.name(0), b"second", lane="")
    await store.remove(first)

    assert [each.body for each in await store.checkpoints()] == [b"second"]
    assert await store.read(segment.name(0)) == b"second"


async def test_counts_are_kept(cluster: Cluster) -> None:
    """Stored once, stored again, and taken up; where there are none, nothing is."""
    kept = CountStore(cluster.api, namespace=HOME)
    tally = Tally()
    await kept.load(tally)
    for matches in (1, 2):
        counts = {"matches": matches, "denials": 0, "warnings": 0, "would_have": 0, "last_match": ""}
        await kept.save({"counts": {"p": counts}, "next": {LANE: 7}})
    await kept.load(tally)

    assert tally.of("p").matches == 2


async def test_what_the_controller_says_of_the_ledger(cluster: Cluster) -> None:
    """What the controller says reaches who follows it: now, and whenever it changes."""
    state = LedgerState(cluster.api, namespace=HOME)
    shipment = Shipment(store="s3://b/p", first=3, through=42, retention=timedelta(days=90))
    conditions = standing.conditions(
        Ledger(store="", unlocked=False, unmerged="", unshipped="", proof=None),
        before=(),
        now=datetime(2026, 11, 25, tzinfo=UTC),
    )
    heard: list[Said] = []

    async def hear() -> None:
        async for said in state.follow():
            heard.append(said)  # noqa: PERF401  it never ends

    assert await state.load() == Said()
    await state.save(Said())
    task = asyncio.create_task(hear())
    await eventually(lambda: heard == [Said()])
    await state.save(Said(refuse="full", shipment=shipment, conditions=conditions))
    await eventually(lambda: heard == [Said(), Said(refuse="full", shipment=shipment, conditions=conditions)])
    task.cancel()
    await asyncio.wait({task})
