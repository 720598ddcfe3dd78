"""A guard's Lease: made once, changed at once, kept fresh."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson
import pytest

from interlock import settings
from interlock.core.types import JsonObject
from interlock.kube.lease import GuardLease, GuardState, lane_before, overruns_told
from interlock.settings import Pod
from tests.fakes.kube_api import LEASES
from tests.kube.conftest import Cluster, eventually

HOME = "interlock-system"
POD = Pod(namespace=HOME, name="interlock-guard-0", uid="pod-uid")


@dataclass
class Teller:
    """A running one."""

    cluster: Cluster
    state: GuardState = field(default_factory=lambda: GuardState(generation=7, lane="ab", certified=False))
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def lease(self) -> JsonObject:
        """As it is stored; empty if it is not."""
        return self.cluster.fake.object(LEASES, POD.name, POD.namespace) or {}

    def annotations(self) -> JsonObject:
        """What it tells."""
        found: JsonObject = self.lease().get("metadata", {}).get("annotations", {})
        return found


@pytest.fixture
async def teller(cluster: Cluster) -> AsyncIterator[Teller]:
    """A guard that tells."""
    teller = Teller(cluster)
    async with telling(teller):
        yield teller


@asynccontextmanager
async def telling(teller: Teller) -> AsyncIterator[None]:
    """Have it tell for the length of a block."""
    times = iter(range(1000))
    lease = GuardLease(
        teller.cluster.api,
        pod=POD,
        clock=lambda: datetime(2026, 11, 17, 12, 0, next(times) % 60, tzinfo=UTC),
        state=lambda: teller.state,
        changed=teller.changed,
    )
    task = asyncio.create_task(lease.run())
    yield
    task.cancel()
    await asyncio.wait({task})


async def test_whole_lease(teller: Teller) -> None:
    """The Lease has everything by which the controller counts guards, and goes with its pod."""
    await eventually(lambda: bool(teller.lease()))
    lease = teller.lease()
    metadata = {
        key: lease["metadata"][key] for key in ("name", "namespace", "labels", "annotations", "ownerReferences")
    }

    assert metadata == {
        "name": "interlock-guard-0",
        "namespace": "interlock-system",
        "labels": {"interlock.dev/component": "guard"},
        "annotations": {
            "interlock.dev/generation": "7",
            "interlock.dev/lane": "ab",
            "interlock.dev/certified": "false",
            "interlock.dev/overruns": "",
        },
        "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "interlock-guard-0", "uid": "pod-uid"}],
    }
    assert lease["spec"] == {
        "holderIdentity": "interlock-guard-0",
        "leaseDurationSeconds": 15,
        "renewTime": "2026-11-17T12:00:00.000000Z",
    }


async def test_nothing_is_told_before_the_first_snapshot(cluster: Cluster) -> None:
    """A guard that has seen nothing yet has no Lease, so that no publication waits for it."""
    teller = Teller(cluster, GuardState(generation=0, lane="ab", certified=True))
    async with telling(teller):
        for _ in range(3):
            teller.changed.set()
            await eventually(lambda: not teller.changed.is_set())
        assert not cluster.fake.requests

        teller.state = GuardState(generation=1, lane="ab", certified=True)
        teller.changed.set()
        await eventually(lambda: teller.annotations().get("interlock.dev/generation") == "1")


async def test_change_is_told_at_once(teller: Teller) -> None:
    """A new state does not wait for the renewal."""
    await eventually(lambda: bool(teller.lease()))
    teller.state = GuardState(generation=8, lane="cd", certified=True, overruns="{}")
    teller.changed.set()

    await eventually(
        lambda: (
            teller.annotations()
            == {
                "interlock.dev/generation": "8",
                "interlock.dev/lane": "cd",
                "interlock.dev/certified": "true",
                "interlock.dev/overruns": "{}",
            }
        ),
        seconds=settings.GUARD_LEASE_RENEW_SECONDS / 2,
    )


async def test_what_guards_let_begin_is_read(cluster: Cluster) -> None:
    """Of all guards the latest instants; of one that tells nonsense nothing; nothing at all if there is no telling."""
    begun = [{"a": 100, "b": 300}, {"a": 200}]
    for index, told in enumerate([*map(orjson.dumps, begun), b"nonsense", b'["a"]', b'{"c": "x"}']):
        labels = {"interlock.dev/component": "guard"}
        annotations = {"interlock.dev/overruns": told.decode()}
        metadata = {"name": f"guard-{index}", "namespace": HOME, "labels": labels, "annotations": annotations}
        cluster.fake.put(LEASES, {"metadata": metadata, "spec": {}})
    found = await overruns_told(cluster.api, HOME)
    cluster.fake.fail("/apis/coordination.k8s.io", 503)

    assert found == {"a": datetime.fromtimestamp(200, UTC), "b": datetime.fromtimestamp(300, UTC)}
    assert await overruns_told(cluster.api, HOME) == {}


async def test_the_lane_before_is_read(cluster: Cluster) -> None:
    """A guard started again in its pod learns which lane was being written; nothing if there is no telling."""
    before = await lane_before(cluster.api, POD)
    teller = Teller(cluster)
    async with telling(teller):
        await eventually(lambda: bool(teller.lease()))
    named = await lane_before(cluster.api, POD)
    cluster.fake.fail("/apis/coordination.k8s.io", 503)

    assert (before, named, await lane_before(cluster.api, POD)) == ("", "ab", "")


async def test_renewed(teller: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a change it is renewed."""
    monkeypatch.setattr(settings, "GUARD_LEASE_RENEW_SECONDS", 0.05)
    await eventually(lambda: bool(teller.lease()))
    teller.changed.set()
    first = teller.lease()["spec"]["renewTime"]

    await eventually(lambda: teller.lease()["spec"]["renewTime"] > first)


async def test_outage_is_survived(teller: Teller) -> None:
    """When it cannot be written it is written later."""
    await eventually(lambda: bool(teller.lease()))
    teller.cluster.fake.fail("/apis/coordination.k8s.io", 503)
    teller.state = GuardState(generation=9, lane="ab", certified=False)
    teller.changed.set()
    asked = len(teller.cluster.fake.requests)
    await eventually(lambda: len(teller.cluster.fake.requests) > asked)
    teller.cluster.fake.fail("/apis/coordination.k8s.io", 0)
    teller.changed.set()

    await eventually(lambda: teller.annotations().get("interlock.dev/generation") == "9")
