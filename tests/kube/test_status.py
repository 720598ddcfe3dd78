"""Writing policies' status: when something happened, at once; when only counters moved, now and then; else never."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from interlock.core.types import JsonObject
from interlock.kube import status
from interlock.kube.counters import Tally
from interlock.kube.inventory import Inventory
from interlock.kube.probing import Heard
from interlock.kube.status import StatusWriter
from tests.fakes.kube_api import LEASES, POLICIES, WEBHOOKS
from tests.kube.conftest import Cluster, eventually
from tests.support.policies import SOUND

HOME = "interlock-system"
START = datetime(2026, 11, 25, 12, tzinfo=UTC)
FREEZE = {
    "timeZone": "UTC",
    "freeze": [{"name": "launch", "once": {"start": "2026-11-25T13:00:00Z", "end": "2026-11-25T14:00:00Z"}}],
}


@dataclass
class Writer:
    """A status writer at work."""

    cluster: Cluster
    inventory: Inventory
    tally: Tally
    now: datetime = START

    def policy(self, name: str, **change: object) -> None:
        """Create or change a policy and publish it, with a guard that has seen it."""
        known = self.cluster.fake.object(POLICIES, name) or {"metadata": {"name": name}}
        stored = self.cluster.fake.put(POLICIES, known | {"spec": SOUND | change})
        self.inventory.policy_event("MODIFIED", stored)
        self.publish()

    def publish(self) -> None:
        """Everything so far is published and seen by one guard."""
        generation = self.inventory.generation
        path = f"/review/enforce/{generation}/secret"
        webhooks = [{"name": "enforce.interlock.dev", "clientConfig": {"service": {"path": path}}}]
        stored = self.cluster.fake.put(WEBHOOKS, {"metadata": {"name": "interlock"}, "webhooks": webhooks})
        self.inventory.configuration_event("MODIFIED", stored)
        metadata = {
            "name": "guard-0",
            "namespace": HOME,
            "labels": {"interlock.dev/component": "guard"},
            "annotations": {"interlock.dev/generation": str(generation)},
        }
        self.inventory.guard_event("MODIFIED", self.cluster.fake.put(LEASES, {"metadata": metadata, "spec": {}}))

    def heard(self) -> Heard:
        """The one API server goes by what is published."""
        return Heard(address="10.0.0.1:6443", generation=self.inventory.published_generation, fault="")

    def status(self, name: str) -> JsonObject:
        """As it is stored; empty if there is none."""
        found: JsonObject = (self.cluster.fake.object(POLICIES, name) or {}).get("status", {})
        return found

    def in_force(self, name: str) -> str:
        """Why it is in force or not."""
        reasons = [c["reason"] for c in self.status(name).get("conditions", []) if c["type"] == "InForce"]
        return str(reasons[0]) if reasons else ""

    def writes(self) -> int:
        """How often a status was written."""
        return sum(method == "PATCH" and path.endswith("/status") for method, path in self.cluster.fake.requests)

    def count(self, name: str) -> None:
        """A record counts for a policy."""
        stored = self.cluster.fake.object(POLICIES, name)
        assert stored is not None
        counts = self.tally._counts[stored["metadata"]["uid"]]  # noqa: SLF001  as if a record had been read
        counts.matches += 1
        self.inventory.wake()


@pytest.fixture
async def writer(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Writer]:
    """In a cluster where nothing is published yet."""
    monkeypatch.setattr(status, "PAUSE_SECONDS", 0.01)
    inventory, tally = Inventory(cluster.api, namespace=HOME, configuration="interlock"), Tally()
    made = Writer(cluster, inventory, tally)
    work = StatusWriter(
        cluster.api, inventory, tally=tally, api_servers=lambda: (made.heard(),), clock=lambda: made.now
    )
    tasks = [asyncio.create_task(run) for run in (inventory.run(), work.run())]
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_written_when_something_happened_and_only_then(writer: Writer) -> None:
    """A new policy gets its status; looking again, a renewed Lease or another policy's change writes nothing more."""
    writer.policy("one")
    await eventually(lambda: writer.in_force("one") == "Asked")
    before = writer.writes()
    writer.publish()
    writer.policy("two")
    await eventually(lambda: writer.in_force("two") == "Asked")
    written = [path for method, path in writer.cluster.fake.requests if method == "PATCH"][before:]

    assert {path.split("/")[-2] for path in written} == {"two"}


async def test_disarming_shows_in_every_policy(writer: Writer) -> None:
    """Without a webhook configuration no policy is in force, and its status says why."""
    writer.policy("one")
    await eventually(lambda: writer.in_force("one") == "Asked")
    gone = writer.inventory.configuration
    assert gone is not None
    writer.cluster.fake.remove(WEBHOOKS, "interlock")
    version = str(writer.cluster.fake.version)
    writer.inventory.configuration_event(
        "DELETED", gone | {"metadata": gone["metadata"] | {"resourceVersion": version}}
    )

    await eventually(lambda: writer.in_force("one") == "Disarmed")


async def test_windows_are_looked_at_when_they_change(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of a window is written when its transition has come, and what no longer holds is taken away."""
    monkeypatch.setattr(status, "LOOK_SECONDS", 0.05)
    writer.policy("one", windows=FREEZE)
    await eventually(lambda: bool(writer.status("one")))
    before = writer.status("one")["window"]
    writer.now = START + timedelta(hours=1)
    await eventually(lambda: writer.status("one")["window"]["state"] == "Closed")
    closed = writer.status("one")["window"]
    writer.policy("one")
    await eventually(lambda: "window" not in writer.status("one"))

    assert before == {"state": "Open", "nextTransition": "2026-11-25T13:00:00Z"}
    assert closed == {"state": "Closed", "nextTransition": "2026-11-25T14:00:00Z", "nextOpen": "2026-11-25T14:00:00Z"}


async def test_counters_alone_wait(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters are written at once after a pause, then at most once per interval, however often they move."""
    monkeypatch.setattr(status, "COUNTERS_SECONDS", 0.5)
    writer.policy("one")
    await eventually(lambda: writer.in_force("one") == "Asked")
    before = writer.writes()
    for _ in range(50):
        writer.count("one")
        await asyncio.sleep(0.005)  # the pace at which records come
    await eventually(lambda: writer.status("one")["counters"]["matches"] == 50)

    assert writer.writes() - before <= 3


async def test_a_stored_status_of_somebody_else_is_put_right(writer: Writer) -> None:
    """What another hand writes into a status does not stay."""
    writer.policy("one")
    await eventually(lambda: writer.in_force("one") == "Asked")
    stored = writer.cluster.fake.object(POLICIES, "one")
    assert stored is not None
    forged = stored["status"] | {"observedGeneration": 99}
    writer.inventory.policy_event("MODIFIED", writer.cluster.fake.put(POLICIES, stored | {"status": forged}))

    await eventually(lambda: writer.status("one")["observedGeneration"] == 1)
