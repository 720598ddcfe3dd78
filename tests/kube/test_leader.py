"""Leader election by Lease: one leads, nobody else, and the next one takes over when and only when it may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from interlock.core.types import JsonObject
from interlock.kube.leader import Elector, Timing
from tests.fakes.kube_api import LEASES
from tests.kube.conftest import Cluster, eventually

HOME = "interlock-system"
NAME = "interlock-controller"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FAST = Timing(lease=1, renew_deadline=0.6, retry=0.05, attempt=0.2)


@dataclass
class Candidate:
    """One process in the election, and what its work has been through."""

    elector: Elector
    terms: int = 0
    working: bool = False
    failure: Exception | None = None
    at_work: list[str] = field(default_factory=list)  # shared by all candidates of a test
    task: "asyncio.Task[None] | None" = None

    async def lead(self) -> None:
        """Work until cancelled, or fail if told to."""
        self.terms, self.working = self.terms + 1, True
        self.at_work.append(self.name)
        assert len(self.at_work) == 1, f"two lead at once: {self.at_work}"
        try:
            while self.failure is None:
                await asyncio.sleep(0.01)
            raise self.failure
        finally:
            self.at_work.remove(self.name)
            self.working = False

    @property
    def name(self) -> str:
        """Its identity."""
        return self.elector._identity  # noqa: SLF001  what it writes into the Lease

    async def stop(self) -> None:
        """Leave, as a process does that is told to end."""
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait({self.task})


@asynccontextmanager
async def running(*candidates: Candidate) -> AsyncIterator[None]:
    """Have them campaign for the length of a block."""
    for candidate in candidates:
        candidate.task = asyncio.create_task(candidate.elector.run(candidate.lead))
    try:
        yield
    finally:
        for candidate in candidates:
            await candidate.stop()


def _candidates(cluster: Cluster, *names: str, at_work: list[str] | None = None) -> list[Candidate]:
    shared: list[str] = [] if at_work is None else at_work
    return [
        Candidate(
            Elector(cluster.api, namespace=HOME, name=NAME, identity=name, clock=lambda: NOW, timing=FAST),
            at_work=shared,
        )
        for name in names
    ]


def _spec(cluster: Cluster) -> JsonObject:
    found: JsonObject = (cluster.fake.object(LEASES, NAME, HOME) or {}).get("spec", {})
    return found


async def test_exactly_one_leads(cluster: Cluster) -> None:
    """Of three candidates one leads, and the Lease says which."""
    three = _candidates(cluster, "a", "b", "c")
    async with running(*three):
        await eventually(lambda: any(candidate.working for candidate in three))
        asked = len(cluster.fake.requests)
        await eventually(lambda: len(cluster.fake.requests) > asked + 60)  # each has tried some ten times more
        leading = [candidate.name for candidate in three if candidate.elector.leading]
        holders = {candidate.elector.holder for candidate in three}

    assert (len(leading), holders) == (1, set(leading))


async def test_the_lease_is_client_gos(cluster: Cluster) -> None:
    """The Lease has the fields that client-go writes, so that either understands the other's."""
    (one,) = _candidates(cluster, "a")
    async with running(one):
        await eventually(lambda: one.working)
        held = _spec(cluster)

    time = "2026-11-25T12:00:00.000000Z"
    assert held == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 1,
        "acquireTime": time,
        "renewTime": time,
        "leaseTransitions": 0,
    }


async def test_leaving_hands_over_at_once(cluster: Cluster) -> None:
    """A leader that ends gives the Lease up; the next one leads well before the Lease would have run out."""
    shared: list[str] = []
    first, second = _candidates(cluster, "a", "b", at_work=shared)
    async with running(first):
        await eventually(lambda: first.working)
        async with running(second):
            await first.stop()
            assert _spec(cluster)["holderIdentity"] in {"", "b"}
            await eventually(lambda: second.working, seconds=FAST.lease)
            taken = _spec(cluster)

    assert (taken["holderIdentity"], taken["leaseTransitions"]) == ("b", 1)


async def test_a_dead_leaders_lease_runs_out(cluster: Cluster) -> None:
    """A Lease that nobody renews is taken over after its duration as seen here, not before, whatever time it says."""
    cluster.fake.put(
        LEASES,
        {
            "metadata": {"name": NAME, "namespace": HOME},
            "spec": {"holderIdentity": "dead", "leaseDurationSeconds": 1, "renewTime": "2001-01-01T00:00:00.000000Z"},
        },
    )
    (heir,) = _candidates(cluster, "a")
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with running(heir):
        await eventually(lambda: heir.working)

    assert 1.0 <= loop.time() - began < 3.0


async def test_a_leader_that_cannot_renew_stops_in_time(cluster: Cluster) -> None:
    """Cut off from the API server, the work ends before anybody else could lead, and goes on when it is back."""
    (one,) = _candidates(cluster, "a")
    loop = asyncio.get_running_loop()
    async with running(one):
        await eventually(lambda: one.working)
        cluster.fake.fail("/apis/coordination.k8s.io", 503)
        cut = loop.time()
        await eventually(lambda: not one.working)
        stopped_after = loop.time() - cut
        cluster.fake.fail("/apis/coordination.k8s.io", 0)
        await eventually(lambda: one.working)

    assert stopped_after < FAST.lease
    assert one.terms == 2


async def test_who_lost_the_lease_stops(cluster: Cluster) -> None:
    """A leader that finds another holder in the Lease stops at once."""
    (one,) = _candidates(cluster, "a")
    async with running(one):
        await eventually(lambda: one.working)
        lease = cluster.fake.object(LEASES, NAME, HOME)
        assert lease is not None
        cluster.fake.put(LEASES, lease | {"spec": lease["spec"] | {"holderIdentity": "thief"}})
        await eventually(lambda: not one.working, seconds=FAST.renew_deadline)
        holder = one.elector.holder

    assert (holder, _spec(cluster)["holderIdentity"]) == ("thief", "thief")


async def test_failed_work_ends_the_campaign(cluster: Cluster) -> None:
    """What the work raises comes out of the campaign, and the Lease is given up."""
    (one,) = _candidates(cluster, "a")
    async with running(one):
        await eventually(lambda: one.working)
        one.failure = OSError("disk on fire")
        assert one.task is not None
        await asyncio.wait({one.task})

    with pytest.raises(OSError, match="disk on fire"):
        await one.task
    assert _spec(cluster)["holderIdentity"] == ""


async def test_nobody_leads_without_an_api_server(cluster: Cluster) -> None:
    """A candidate that reaches no API server never leads."""
    cluster.fake.fail("/apis/coordination.k8s.io", 503)
    (one,) = _candidates(cluster, "a")

    def attempts() -> int:
        return len(cluster.fake.requests)

    async with running(one):
        await eventually(lambda: attempts() > 5)

    assert (one.terms, one.elector.holder) == (0, "")
