"""Snapshots made of kopf's real watches of an API server in memory: complete, in order, honest about their age."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterator
from typing import Any

import kopf
import pytest

from interlock.core.access.book import Book
from interlock.core.snapshot import Snapshot
from interlock.errors import ClusterError
from interlock.kube import snapshots, watches
from interlock.kube.snapshots import WINDOW_SECONDS, SnapshotFeed
from tests.fakes.kube_api import CLUSTER_ROLES, NAMESPACES, POLICIES, ROLE_BINDINGS, ROLES
from tests.kube.conftest import Cluster, eventually
from tests.support.policies import SOUND, changed


def policy(name: str, **change: Any) -> dict[str, Any]:
    """A sound policy to be stored."""
    return {"metadata": {"name": name}, "spec": changed(SOUND, change)}


class Fed:
    """A feed behind kopf.

    Attributes:
        reached: how often a change of the policies was told as reached.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.fake = cluster.fake
        self.reached = 0
        self.feed = SnapshotFeed(cluster.api, reached=self._count)

    def _count(self) -> None:
        self.reached += 1

    @property
    def snapshot(self) -> Snapshot:
        """The newest."""
        current = self.feed.current()
        assert current is not None
        return current

    @property
    def policies(self) -> list[str]:
        """Names of the policies in it."""
        return sorted(policy.name for policy in self.snapshot.policies.policies)


class Everything(Collection[Any]):
    """Holds every task: kopf ends by cancelling tasks that it did not find at its start, a fixture's own included."""

    def __contains__(self, _: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0


async def _serve_nothing(_: object) -> AsyncIterator[dict[str, Any]]:
    yield {}
    await asyncio.Event().wait()


@pytest.fixture
async def fed(cluster: Cluster) -> AsyncIterator[Fed]:
    """A running one, over two policies, two namespaces, two roles and a binding."""
    fake = cluster.fake
    fake.put(POLICIES, policy("one"))
    fake.put(POLICIES, policy("two"))
    fake.put(CLUSTER_ROLES, {"metadata": {"name": "admin"}, "rules": [{"verbs": ["*"], "apiGroups": ["*"]}]})
    fake.put(ROLES, {"metadata": {"name": "reader", "namespace": "shop"}, "rules": [{"verbs": ["get"]}]})
    fake.put(ROLE_BINDINGS, {"metadata": {"name": "readers", "namespace": "shop"}, "roleRef": {}, "subjects": []})
    fed, over = Fed(cluster), asyncio.Event()
    registry = kopf.OperatorRegistry()
    watches.register_login(registry, cluster.target, cluster.session)
    watches.register_watches(registry, fed.feed)
    work = asyncio.create_task(fed.feed.run())
    tasks = await kopf.spawn_tasks(
        registry=registry, settings=watches.configured(_serve_nothing), clusterwide=True, stop_flag=over
    )
    operator = asyncio.create_task(kopf.run_tasks(tasks, ignored=Everything()))
    await eventually(lambda: fed.feed.current() is not None)
    yield fed
    over.set()
    await operator
    left = {task for task in asyncio.all_tasks() if task.get_name().startswith("pause-waiter")}
    for task in {work, *left}:  # kopf may leave the generator of a watch unclosed, and this in it
        task.cancel()
    await asyncio.wait({work, *left})


async def test_first_snapshot_is_complete(fed: Fed) -> None:
    """The first snapshot holds everything that exists, at a generation that covers it."""
    snapshot = fed.snapshot

    assert fed.policies == ["one", "two"]
    assert sorted(snapshot.namespaces) == ["kube-system", "shop"]
    access = snapshot.access
    assert {name: [rule.verbs for rule in role.rules] for name, role in access.cluster_roles.items()} == {
        "admin": [("*",)]
    }
    assert list(access.roles) == [("shop", "reader")]
    assert list(map(str, access.bindings)) == ["rolebinding shop/readers"]
    assert snapshot.generation == fed.fake.version
    assert fed.reached == 1


async def test_changes_arrive(fed: Fed) -> None:
    """Each change of what decisions read is in a snapshot soon, and a policy's change is told as reached."""
    stored = fed.fake.put(POLICIES, policy("three", mode="Observe"))
    assert await fed.feed.reached(int(stored["metadata"]["resourceVersion"]), seconds=1)
    assert fed.policies == ["one", "three", "two"]

    fed.fake.remove(POLICIES, "one")
    assert await fed.feed.reached(fed.fake.version, seconds=1)
    assert fed.policies == ["three", "two"]
    assert fed.reached == 3

    fed.fake.put(NAMESPACES, {"metadata": {"name": "shop", "labels": {"env": "prod"}, "deletionTimestamp": "now"}})
    await eventually(lambda: fed.snapshot.namespaces["shop"].terminating)
    assert fed.snapshot.namespaces["shop"].labels == {"env": "prod"}
    fed.fake.remove(ROLES, "reader", "shop")
    fed.fake.remove(CLUSTER_ROLES, "admin")
    fed.fake.remove(ROLE_BINDINGS, "readers", "shop")
    await eventually(lambda: fed.snapshot.access == Book())
    assert fed.reached == 3


async def test_status_of_a_policy_changes_nothing(fed: Fed) -> None:
    """A policy whose status is written is the same value, but the generation moves on."""
    before = fed.snapshot.policies
    stored = fed.fake.put(POLICIES, policy("one") | {"status": {"matches": 1}})

    assert await fed.feed.reached(int(stored["metadata"]["resourceVersion"]), seconds=1)
    assert fed.snapshot.policies is before
    assert fed.reached == 1


async def test_policy_that_does_not_compile_fails_closed(fed: Fed) -> None:
    """A stored policy that this version cannot compile is in the snapshot, marked as broken."""
    fed.fake.put(POLICIES, policy("strange", mode="Future"))

    await eventually(lambda: "strange" in fed.policies)
    [strange] = [policy for policy in fed.snapshot.policies.policies if policy.name == "strange"]
    assert "spec.mode" in strange.error


async def test_a_storm_makes_few_snapshots(fed: Fed) -> None:
    """Many changes at once come together in few snapshots, and none is missing."""
    swaps: list[Snapshot] = []

    async def count() -> None:
        while True:
            if not swaps or swaps[-1] is not fed.snapshot:
                swaps.append(fed.snapshot)
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    begun = time.monotonic()
    for number in range(100):
        fed.fake.put(POLICIES, policy(f"storm-{number:03}"))
        await asyncio.sleep(0.002)
    assert await fed.feed.reached(fed.fake.version, seconds=2)
    counting.cancel()
    await asyncio.wait({counting})

    assert len(fed.policies) == 102
    windows = (time.monotonic() - begun) / WINDOW_SECONDS  # at most one snapshot each, however slow the machine is
    assert len(swaps) <= windows + 2


async def test_claim_never_runs_ahead(fed: Fed) -> None:
    """At every instant a snapshot holds every policy up to the generation that it claims."""
    versions: dict[str, int] = {}
    for number in range(60):
        stored = fed.fake.put(POLICIES, policy(f"p{number:02}"))
        versions[f"p{number:02}"] = int(stored["metadata"]["resourceVersion"])
        if number % 7 == 0:
            await asyncio.sleep(0.005)
        held = set(fed.policies)
        assert {name for name, version in versions.items() if version <= fed.snapshot.generation} <= held
    assert await fed.feed.reached(fed.fake.version, seconds=2)
    assert len(fed.policies) == 62


async def test_deletion_that_no_watch_told_is_found(fed: Fed) -> None:
    """What was deleted while a watch was cut, and its history forgotten, is gone as soon as a review asks for more."""
    fed.fake.fail("/apis/interlock.dev/v1alpha1/dangerpolicies", 500)
    fed.fake.cut()
    fed.fake.remove(POLICIES, "one")
    fed.fake.forget()
    fed.fake.fail("/apis/interlock.dev/v1alpha1/dangerpolicies", 0)

    assert await fed.feed.reached(fed.fake.version, seconds=4)
    assert fed.policies == ["two"]


async def test_generation_that_does_not_come(fed: Fed) -> None:
    """A generation beyond what exists is not reached, and asking costs no more than the time given."""
    assert not await fed.feed.reached(fed.fake.version + 1000, seconds=0.2)


async def test_age(fed: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The age grows while the API server is away and falls when it is back; decisions go on by what is known."""
    monkeypatch.setattr(snapshots, "POLICIES_RELIST_SECONDS", 0.05)
    await fed.feed.reached(fed.fake.version + 1, seconds=0.1)  # wakes the lists, which then come often
    fed.fake.fail("/", 503)
    await eventually(lambda: fed.feed.freshness().age_seconds > 0.5)
    assert fed.policies == ["one", "two"]

    fed.fake.fail("/", 0)
    await eventually(lambda: fed.feed.freshness().age_seconds < 0.5)


async def test_rewound_history_ends_the_process(cluster: Cluster) -> None:
    """A list older than what was seen before cannot be explained by anything but a restored etcd."""
    cluster.fake.put(POLICIES, policy("one"))
    feed = SnapshotFeed(cluster.api)
    feed.complete()
    work = asyncio.create_task(feed.run())
    await eventually(lambda: feed.current() is not None)

    cluster.fake.rewind(50)
    assert not await feed.reached(1000, seconds=0.2)
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(work, 2)
    assert caught.group_contains(ClusterError, match="rewound")


async def test_kopf_leaves_no_mark(fed: Fed) -> None:
    """Nothing is ever written: no finalizer, no annotation, no event."""
    fed.fake.put(POLICIES, policy("one", verdict="Warn"))
    await fed.feed.reached(fed.fake.version, seconds=1)

    assert {method for method, _ in fed.fake.requests} == {"GET", "WATCH"}
