"""The APIService of AuditRecords: with our authority in it, withdrawn while nobody answers, and restored after that."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from interlock.core.types import JsonObject
from interlock.kube import apiservice
from interlock.kube.apiservice import NAME, ApiServiceKeeper, Served, spec
from interlock.kube.events import Events, Related
from interlock.kube.secrets import Material
from tests.fakes.kube_api import API_SERVICES, CLUSTER_ROLES, ENDPOINT_SLICES, EVENTS, NAMESPACES
from tests.kube.conftest import Cluster, eventually

HOME = "interlock-system"
SERVED = Served(namespace=HOME, service="interlock-records", port=443)
BUNDLE = b"an authority"
PATIENCE = 0.3
STAYS_SECONDS = 0.3  # for what should not happen: many looks


@dataclass
class Kept:
    """A keeper at work, and what it looks at."""

    cluster: Cluster
    armed: bool = True
    keeper: ApiServiceKeeper | None = None

    def endpoints(self, *, ready: bool) -> None:
        """Say whether anybody is ready."""
        labels = {"kubernetes.io/service-name": "interlock-records"}
        metadata = {"name": "interlock-records-x", "namespace": HOME, "labels": labels}
        endpoints = [{"addresses": ["10.0.0.7"], "conditions": {"ready": ready}}]
        self.cluster.fake.put(ENDPOINT_SLICES, {"metadata": metadata, "endpoints": endpoints})

    def chart(self, *, available: bool = True) -> None:
        """Make the object as the chart does, and say what the API server thinks of it."""
        conditions = [{"type": "Available", "status": str(available), "reason": "FailedDiscoveryCheck"}]
        made = {"metadata": {"name": NAME}, "spec": spec(SERVED), "status": {"conditions": conditions}}
        self.cluster.fake.put(API_SERVICES, made)

    def role(self) -> None:
        """Make the chart's ClusterRole."""
        self.cluster.fake.put(CLUSTER_ROLES, {"metadata": {"name": "interlock-records", "labels": {"a": "b"}}})

    @property
    def stored(self) -> JsonObject:
        """The object; empty if there is none."""
        return self.cluster.fake.object(API_SERVICES, NAME) or {}


@pytest.fixture
async def kept(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kept]:
    """A keeper that looks often and waits for a moment only; somebody is ready, and the chart is there."""
    for name, seconds in (("PATIENCE_SECONDS", PATIENCE), ("LOOK_SECONDS", 0.02), ("AGAIN_SECONDS", 0.5)):
        monkeypatch.setattr(apiservice, name, seconds)
    made = Kept(cluster)
    made.endpoints(ready=True)
    made.role()
    made.chart()
    events = Events(
        cluster.api,
        pod=Related(api_version="v1", kind="Pod", name="interlock-controller-0", namespace=HOME),
        clock=lambda: datetime(2026, 11, 25, tzinfo=UTC),
    )
    keeper = ApiServiceKeeper(cluster.api, served=SERVED, armed=lambda: made.armed, events=events)
    made.keeper = keeper
    keeper.use(Material(ca_bundle=BUNDLE, path_secret=""))
    task = asyncio.create_task(keeper.run())
    yield made
    task.cancel()
    await asyncio.wait({task})


async def test_authority(kept: Kept) -> None:
    """Our authority is filled in, and everything else stays as the chart made it."""
    await eventually(lambda: "caBundle" in kept.stored["spec"])

    assert kept.stored["spec"] == spec(SERVED) | {"caBundle": base64.b64encode(BUNDLE).decode()}


async def test_nobody_is_ready(kept: Kept) -> None:
    """With nobody ready it goes, which people hear; with somebody ready it is back, owned by the chart's role."""
    kept.endpoints(ready=False)
    await asyncio.sleep(PATIENCE / 2)
    early = kept.stored
    await eventually(lambda: not kept.stored)
    await eventually(lambda: len(kept.cluster.fake.names(EVENTS)) == 1)
    [event] = kept.cluster.fake.names(EVENTS)
    kept.endpoints(ready=True)
    await eventually(lambda: bool(kept.stored))

    assert early
    assert event.startswith("interlock-controller-0-")
    assert kept.stored["spec"] == spec(SERVED) | {"caBundle": base64.b64encode(BUNDLE).decode()}
    assert [owner["name"] for owner in kept.stored["metadata"]["ownerReferences"]] == ["interlock-records"]
    assert kept.stored["metadata"]["labels"] == {"a": "b"}


async def test_nobody_is_reached(kept: Kept) -> None:
    """Ready pods that the API server does not reach are as bad as none; it is tried again later, not at once."""
    kept.chart(available=False)
    await eventually(lambda: not kept.stored)
    began = asyncio.get_running_loop().time()
    await eventually(lambda: bool(kept.stored))

    assert asyncio.get_running_loop().time() - began > 0.3


async def test_disarmed(kept: Kept) -> None:
    """Where Interlock is disarmed nothing is restored; armed again, it is."""
    kept.armed = False
    kept.cluster.fake.remove(API_SERVICES, NAME)
    await asyncio.sleep(STAYS_SECONDS)
    stays_away = not kept.stored
    kept.armed = True
    await eventually(lambda: bool(kept.stored))

    assert stays_away


async def test_uninstalled(kept: Kept) -> None:
    """Without the chart's role there is no release that it would belong to."""
    kept.cluster.fake.remove(CLUSTER_ROLES, "interlock-records")
    kept.cluster.fake.remove(API_SERVICES, NAME)
    await asyncio.sleep(STAYS_SECONDS)

    assert not kept.stored


async def test_its_namespace_goes(kept: Kept) -> None:
    """When Interlock's own namespace is deleted it goes at once, and nothing is restored any more."""
    kept.cluster.fake.put(NAMESPACES, {"metadata": {"name": HOME}})
    assert kept.keeper is not None
    task = asyncio.create_task(kept.keeper.leave())
    await asyncio.sleep(STAYS_SECONDS)
    before = kept.stored
    kept.cluster.fake.put(NAMESPACES, {"metadata": {"name": HOME, "deletionTimestamp": "2026-11-25T00:00:00Z"}})
    await eventually(lambda: not kept.stored)
    await asyncio.sleep(STAYS_SECONDS)
    task.cancel()
    await asyncio.wait({task})

    assert (bool(before), kept.stored) == (True, {})
