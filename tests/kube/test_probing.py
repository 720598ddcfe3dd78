"""Asking each API server by which policies it has requests judged."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from interlock.core.types import JsonObject
from interlock.errors import Forbidden, InterlockError, NotFound, Unavailable
from interlock.kube import probing
from interlock.kube.client import ApiClient
from interlock.kube.inventory import Inventory
from interlock.kube.probing import Prober
from tests.fakes.kube_api import ENDPOINT_SLICES, WEBHOOKS
from tests.kube.conftest import Cluster, eventually

HOME = "interlock-system"
GENERATION = "interlock.dev/generation"


class ApiServer(ApiClient):
    """An API server that answers probes as it is told to."""

    def __init__(self, outcome: InterlockError | None) -> None:
        self.outcome = outcome
        self.asked: list[tuple[str, JsonObject, bool]] = []

    async def create(self, path: str, body: JsonObject, *, dry_run: bool = False, seconds: float = 0) -> JsonObject:
        """Note what is asked for."""
        self.asked.append((path, body, dry_run))
        if self.outcome is not None:
            raise self.outcome
        return body


def asks_by(generation: str) -> Forbidden:
    """The refusal of a guard."""
    return Forbidden("POST …: 403 denied the request", causes={GENERATION: generation})


@dataclass
class Probed:
    """A prober at work among API servers."""

    cluster: Cluster
    inventory: Inventory
    prober: Prober
    servers: dict[str, ApiServer] = field(default_factory=dict)

    def stands_at(self, *hosts: str) -> None:
        """These are the addresses of API servers."""
        endpoints = [{"addresses": [host]} for host in hosts]
        found = {"metadata": {"name": "kubernetes", "namespace": "default"}, "endpoints": endpoints}
        self.cluster.fake.put(ENDPOINT_SLICES, found | {"ports": [{"name": "https", "port": 6443}]})

    def publish(self, generation: int) -> None:
        """The configuration sends reviews with this generation."""
        webhooks = [{"name": "probe.interlock.dev", "clientConfig": {"service": {"path": f"/probe/{generation}/s"}}}]
        stored = self.cluster.fake.put(WEBHOOKS, {"metadata": {"name": "interlock"}, "webhooks": webhooks})
        self.inventory.configuration_event("MODIFIED", stored)

    def heard(self) -> list[tuple[str, int, str]]:
        """What was heard."""
        return [(one.address, one.generation, one.fault) for one in self.prober.heard]


@pytest.fixture
async def probed(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Probed]:
    """Nothing published, no API server known."""
    monkeypatch.setattr(probing, "BEHIND_SECONDS", 0.01)
    servers: dict[str, ApiServer] = {}
    inventory = Inventory(cluster.api, namespace=HOME, configuration="interlock")
    prober = Prober(cluster.api, inventory, namespace=HOME, service="10.96.0.1:443", at=servers.__getitem__)
    task = asyncio.create_task(prober.run())
    yield Probed(cluster, inventory, prober, servers)
    task.cancel()
    await asyncio.wait([task])


async def test_every_address_is_asked(probed: Probed) -> None:
    """Each API server is asked by a dry run for the reserved name, and answers with its generation."""
    probed.servers |= {"10.0.0.1:6443": ApiServer(asks_by("7")), "[fd00::1]:6443": ApiServer(asks_by("7"))}
    probed.stands_at("10.0.0.1", "fd00::1")
    probed.publish(7)
    await eventually(lambda: probed.heard() == [("10.0.0.1:6443", 7, ""), ("[fd00::1]:6443", 7, "")])

    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "interlock-probe"}}
    assert [each for server in probed.servers.values() for each in server.asked] == [
        (f"/api/v1/namespaces/{HOME}/configmaps", body, True)
    ] * 2


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (None, "it asks no guard"),
        (Unavailable("no answer in time"), "no answer in time"),
        (Forbidden("403 may not"), "403 may not"),
        (asks_by("x"), "POST …: 403 denied the request"),
        (NotFound("404 no such namespace"), "404 no such namespace"),
    ],
    ids=["passed", "no answer", "forbidden", "no generation", "no namespace"],
)
async def test_whatever_else_comes_is_no_proof(probed: Probed, outcome: InterlockError | None, fault: str) -> None:
    """An API server that gives no guard's answer is heard with generation 0, and why."""
    probed.servers["10.0.0.1:6443"] = ApiServer(outcome)
    probed.stands_at("10.0.0.1")
    probed.publish(7)

    await eventually(lambda: probed.heard() == [("10.0.0.1:6443", 0, fault)])


async def test_where_none_are_known(probed: Probed) -> None:
    """API servers that do not say where they are are asked as one, by the way that pods take."""
    probed.servers["10.96.0.1:443"] = ApiServer(asks_by("7"))
    probed.publish(7)

    await eventually(lambda: probed.heard() == [("10.96.0.1:443", 7, "")])


async def test_asked_again_while_behind(probed: Probed) -> None:
    """An API server that is behind is asked again soon, and whoever waits for that is woken."""
    server = probed.servers["10.0.0.1:6443"] = ApiServer(asks_by("6"))
    probed.stands_at("10.0.0.1")
    probed.publish(7)
    await eventually(lambda: probed.heard() == [("10.0.0.1:6443", 6, "")])
    moved = probed.inventory.moved
    server.outcome = asks_by("7")

    await eventually(moved.is_set)
    assert probed.heard() == [("10.0.0.1:6443", 7, "")]


async def test_asked_at_once_after_a_publication(probed: Probed) -> None:
    """What is published is asked for at once, not when the next look is due; what merely moves is not."""
    server = probed.servers["10.0.0.1:6443"] = ApiServer(asks_by("9"))
    probed.stands_at("10.0.0.1")
    probed.publish(7)
    await eventually(lambda: len(server.asked) == 1)
    probed.inventory.wake()
    probed.publish(8)

    await eventually(lambda: len(server.asked) == 2)
