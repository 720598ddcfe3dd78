"""The webhook configuration follows policies, certificates and path secrets, waits for guards, and is never created."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from interlock import settings
from interlock.core.interception import rules
from interlock.core.types import JsonObject
from interlock.kube import webhooks
from interlock.kube.events import Events, Related
from interlock.kube.inventory import Inventory
from interlock.kube.secrets import Material
from interlock.kube.webhooks import Publisher, Target
from tests.fakes.kube_api import CLUSTER_ROLES, EVENTS, LEASES, POLICIES, WEBHOOKS
from tests.kube.conftest import Cluster, eventually
from tests.support.policies import SOUND

HOME = "interlock-system"
NAME = "interlock"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MATERIAL = Material(ca_bundle=b"an authority", path_secret="11" * 32)
ROLE: JsonObject = {
    "metadata": {
        "name": "interlock-guard",
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "interlock", "other": "thing"},
    }
}


ROLE_PATH = "/apis/rbac.authorization.k8s.io/v1/clusterroles/interlock-guard"


@dataclass
class Controller:
    """A publisher at work, and what it looks at; events are handed on as kopf would."""

    cluster: Cluster
    inventory: Inventory
    publisher: Publisher

    def policy(self, name: str, **change: object) -> None:
        """Create or change a policy."""
        stored = self.cluster.fake.put(POLICIES, {"metadata": {"name": name}, "spec": SOUND | change})
        self.inventory.policy_event("MODIFIED", stored)

    def guard(self, name: str, generation: int) -> None:
        """A guard reports."""
        metadata = {
            "name": name,
            "namespace": HOME,
            "labels": {"interlock.dev/component": "guard"},
            "annotations": {"interlock.dev/generation": str(generation)},
        }
        self.inventory.guard_event("MODIFIED", self.cluster.fake.put(LEASES, {"metadata": metadata, "spec": {}}))

    def configuration(self) -> JsonObject:
        """As it is stored; empty if it is not."""
        return self.cluster.fake.object(WEBHOOKS, NAME) or {}

    def names(self) -> list[str]:
        """Names of its webhooks."""
        return [webhook["name"].partition(".")[0] for webhook in self.configuration().get("webhooks", [])]

    @property
    def generation(self) -> int:
        """That it sends reviews with."""
        return rules.generation_of(self.configuration())


@asynccontextmanager
async def controlling(cluster: Cluster, *, self_repair: bool = False) -> AsyncIterator[Controller]:
    """Have a publisher work for the length of a block."""
    inventory = Inventory(cluster.api, namespace=HOME, configuration=NAME)
    target = Target(configuration=NAME, namespace=HOME, service="interlock-guard", port=443, self_repair=self_repair)
    pod = Related(api_version="v1", kind="Pod", name="interlock-controller-0", namespace=HOME)
    publisher = Publisher(cluster.api, inventory, target=target, events=Events(cluster.api, pod=pod, clock=lambda: NOW))
    publisher.use(MATERIAL)
    tasks = [asyncio.create_task(work) for work in (inventory.run(), publisher.run())]
    try:
        yield Controller(cluster, inventory, publisher)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.fixture
def installed(cluster: Cluster) -> Cluster:
    """With the empty configuration of the chart."""
    cluster.fake.put(WEBHOOKS, {"metadata": {"name": NAME}, "webhooks": []})
    cluster.fake.put(CLUSTER_ROLES, ROLE)
    return cluster


async def test_filled_from_the_policies(installed: Cluster) -> None:
    """Without policies only own kinds are sent; with one its rules, its generation, and the present material."""
    async with controlling(installed) as controller:
        await eventually(lambda: controller.names() == ["self", "probe"])
        controller.policy("one")
        await eventually(lambda: controller.names() == ["enforce", "observe", "system", "self", "probe"])
        config = controller.configuration()["webhooks"][0]["clientConfig"]

    assert config == {
        "service": {
            "namespace": HOME,
            "name": "interlock-guard",
            "port": 443,
            "path": f"/review/enforce/{controller.inventory.generation}/{'11' * 32}",
        },
        "caBundle": base64.b64encode(b"an authority").decode(),
    }


async def test_new_material_is_published(installed: Cluster) -> None:
    """A rotated authority or path secret reaches the configuration without any policy changing."""
    async with controlling(installed) as controller:
        controller.policy("one")
        await eventually(lambda: "enforce" in controller.names())
        controller.publisher.use(Material(ca_bundle=b"two authorities", path_secret="22" * 32))
        await eventually(lambda: "22" * 32 in str(controller.configuration()))
        bundles = {webhook["clientConfig"]["caBundle"] for webhook in controller.configuration()["webhooks"]}

    assert bundles == {base64.b64encode(b"two authorities").decode()}


async def test_tampering_is_undone(installed: Cluster) -> None:
    """What somebody changes in our webhooks is put back; webhooks of others are left alone."""
    async with controlling(installed) as controller:
        controller.policy("one")
        await eventually(lambda: "enforce" in controller.names())
        loosened = controller.configuration()
        changed = [webhook | {"failurePolicy": "Ignore"} for webhook in loosened["webhooks"]]
        controller.inventory.configuration_event(
            "MODIFIED", installed.fake.put(WEBHOOKS, loosened | {"webhooks": changed})
        )
        await eventually(lambda: controller.configuration()["webhooks"][0]["failurePolicy"] == "Fail")


async def test_published_when_every_guard_has_seen_it(installed: Cluster) -> None:
    """A generation is published as soon as the last living guard reports it."""
    async with controlling(installed) as controller:
        controller.policy("one")
        await eventually(lambda: controller.generation > 0)
        controller.guard("guard-0", controller.generation)
        controller.guard("guard-1", controller.generation)
        before = controller.generation
        controller.policy("two")
        controller.guard("guard-0", controller.inventory.generation)
        await _stays(lambda: controller.generation == before, seconds=webhooks.PAUSE_SECONDS * 2)
        controller.guard("guard-1", controller.inventory.generation)
        await eventually(
            lambda: controller.generation == controller.inventory.generation,
            seconds=settings.PUBLISH_AT_MOST_SECONDS / 2,
        )


async def test_published_in_time_without_a_silent_guard(installed: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that reports nothing delays a generation by the time that it is allowed, and no longer."""
    monkeypatch.setattr(settings, "PUBLISH_AT_MOST_SECONDS", 0.3)
    loop = asyncio.get_running_loop()
    async with controlling(installed) as controller:
        controller.policy("one")
        await eventually(lambda: controller.generation > 0)
        controller.guard("silent", 1)
        controller.policy("two")
        began = loop.time()
        await eventually(lambda: controller.generation == controller.inventory.generation)

    assert 0.25 < loop.time() - began < 1.0


async def test_wrong_order_of_events_loses_nothing(installed: Cluster) -> None:
    """Two policies whose events arrive in the wrong order are both published."""
    async with controlling(installed) as controller:
        await eventually(lambda: controller.names() == ["self", "probe"])
        spec = {"operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["secrets"]}]}
        first = installed.fake.put(POLICIES, {"metadata": {"name": "first"}, "spec": SOUND | {"match": spec}})
        second = installed.fake.put(POLICIES, {"metadata": {"name": "second"}, "spec": SOUND})
        controller.inventory.policy_event("ADDED", second)
        await eventually(lambda: controller.names()[0] == "enforce")
        controller.inventory.policy_event("ADDED", first)
        await eventually(lambda: "secrets" in str(controller.configuration()["webhooks"][0]["rules"]))


async def test_status_writes_are_no_generation(installed: Cluster) -> None:
    """A policy whose status was written is not published anew."""
    async with controlling(installed) as controller:
        controller.policy("one")
        await eventually(lambda: controller.generation > 0)
        before = controller.inventory.generation
        stored = installed.fake.object(POLICIES, "one")
        assert stored is not None
        again = installed.fake.put(POLICIES, stored | {"status": {"observedGeneration": 1}})
        controller.inventory.policy_event("MODIFIED", again)

    assert (controller.inventory.generation, controller.generation) == (before, before)
    assert controller.inventory.status_of("one") == {"observedGeneration": 1}


async def test_a_lost_deletion_is_found(installed: Cluster) -> None:
    """A policy whose deletion no event told is gone after the list that follows kopf's own."""
    async with controlling(installed) as controller:
        controller.policy("one")
        controller.policy("two")
        await eventually(lambda: "enforce" in controller.names())
        installed.fake.remove(POLICIES, "one")
        two = installed.fake.object(POLICIES, "two")
        assert two is not None
        controller.inventory.policy_event(None, two)  # as kopf tells what it lists anew
        await eventually(lambda: [policy.name for policy in controller.inventory.policies] == ["two"])


async def test_disarming_is_respected_and_told(installed: Cluster) -> None:
    """A deleted configuration stays deleted, and one Event says so."""
    async with controlling(installed) as controller:
        await eventually(lambda: controller.names() == ["self", "probe"])
        gone = controller.configuration()
        installed.fake.remove(WEBHOOKS, NAME)
        controller.inventory.configuration_event(
            "DELETED", gone | {"metadata": gone["metadata"] | {"resourceVersion": "999"}}
        )
        await eventually(lambda: len(installed.fake.names(EVENTS)) == 1)
        controller.policy("one")
        await eventually(lambda: len(controller.inventory.policies) == 1)
        (name,) = installed.fake.names(EVENTS)
        event = installed.fake.object(EVENTS, name, HOME)

    assert event is not None
    assert controller.configuration() == {}
    assert (event["type"], event["reason"], event["related"]["name"]) == ("Warning", "Disarmed", NAME)
    assert "helm upgrade" in event["note"]


async def test_rearming_fills_it_again(installed: Cluster) -> None:
    """A configuration that somebody creates again is filled at once."""
    async with controlling(installed) as controller:
        controller.policy("one")
        await eventually(lambda: "enforce" in controller.names())
        installed.fake.remove(WEBHOOKS, NAME)
        anew = installed.fake.put(WEBHOOKS, {"metadata": {"name": NAME}, "webhooks": []})
        controller.inventory.configuration_event("ADDED", anew)
        await eventually(lambda: "enforce" in controller.names())


async def test_self_repair_belongs_to_the_chart(installed: Cluster) -> None:
    """With self-repair a deleted configuration is made again, owned by the chart's ClusterRole, and filled."""
    async with controlling(installed, self_repair=True) as controller:
        controller.policy("one")
        await eventually(lambda: "enforce" in controller.names())
        before = controller.configuration()
        installed.fake.remove(WEBHOOKS, NAME)
        controller.inventory.configuration_event("DELETED", _at(before, installed.fake.version))
        await eventually(lambda: "enforce" in controller.names())
        metadata = controller.configuration()["metadata"]
        role = installed.fake.object(CLUSTER_ROLES, "interlock-guard")

    assert role is not None
    assert metadata["uid"] != before["metadata"]["uid"]
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "Helm"}
    assert metadata["annotations"] == {"meta.helm.sh/release-name": "interlock"}
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "name": "interlock-guard",
            "uid": role["metadata"]["uid"],
        }
    ]


async def test_self_repair_ends_with_the_chart(installed: Cluster) -> None:
    """Once the chart's ClusterRole is gone nothing is made again: `helm uninstall` is final."""
    installed.fake.remove(CLUSTER_ROLES, "interlock-guard")
    async with controlling(installed, self_repair=True) as controller:
        await eventually(lambda: controller.names() == ["self", "probe"])
        gone = controller.configuration()
        installed.fake.remove(WEBHOOKS, NAME)
        controller.inventory.configuration_event("DELETED", _at(gone, installed.fake.version))
        await eventually(lambda: ("GET", ROLE_PATH) in installed.fake.requests)

    assert controller.configuration() == {}


def _at(obj: JsonObject, version: int) -> JsonObject:
    """An object as of a resourceVersion: what a watch sends of a deletion."""
    return obj | {"metadata": obj["metadata"] | {"resourceVersion": str(version)}}


async def _stays(holds: Callable[[], bool], *, seconds: float) -> None:
    """Fail if it stops being true within the time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        assert holds()
        await asyncio.sleep(0.01)
