"""A client in a loop: what its denials cost, and whether every one of them is counted."""

import os
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from tests.e2e import policies
from tests.edges.conftest import Tell
from tests.support import ledgers
from tests.support.api import Api
from tests.support.kubectl import Kubectl, eventually
from tests.support.processes import kill_pod

pytestmark = pytest.mark.cluster

WORKERS = 8
FLOOD_SECONDS = 10.0
OBJECTS = 10
MAX_WRITES_A_SECOND = 2.0
COUNT_SECONDS = 2.0  # by then what was denied is counted
LOSS_SECONDS = 2.5  # of counting: between two counts, and for the last one to be stored

SYSTEM = "interlock-system"


class Flood:
    """One client that tries to delete the same ConfigMaps over and over, on a few connections.

    Attributes:
        denied: how many attempts were denied; `other` are the statuses of those that were not.
        seconds: how long it took.
    """

    def __init__(self, kubeconfig: str, namespace: str, names: Sequence[str]) -> None:
        self.denied = 0
        self.other: list[int] = []
        self.seconds = 0.0
        self._kubeconfig = kubeconfig
        self._paths = [f"/api/v1/namespaces/{namespace}/configmaps/{name}" for name in names]
        self._told = threading.Lock()

    def rage(self, seconds: float) -> None:
        """Try for so long."""
        begun = time.monotonic()
        workers = [threading.Thread(target=self._work, args=(begun + seconds,)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.seconds = time.monotonic() - begun

    def _work(self, deadline: float) -> None:
        denied, other = 0, []
        with Api(self._kubeconfig) as api:
            while time.monotonic() < deadline:
                status, _ = api.call("DELETE", self._paths[denied % len(self._paths)])
                denied += status == 403
                other += [status] if status != 403 else []
        with self._told:
            self.denied += denied
            self.other += other


@pytest.fixture
def names(kubectl: Kubectl, namespace: str) -> list[str]:
    """ConfigMaps that nobody may delete."""
    found = [f"guarded-{number}" for number in range(OBJECTS)]
    for name in found:
        kubectl.must("create", "configmap", name, "-n", namespace)
    return found


def test_denials_of_a_loop_cost_little_and_are_all_counted(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, names: list[str], edge: Tell
) -> None:
    """A loop that is denied as fast as it can ask costs at most two writes a second, and each denial is counted."""
    policy = f"flood-{namespace}"
    apply(policies.no_configmap_delete(policy, namespace))
    before = ledgers.commits(kubectl)

    flood = Flood(kubectl.kubeconfig, namespace, names)
    flood.rage(FLOOD_SECONDS)
    commits = ledgers.commits(kubectl) - before
    eventually(lambda: ledgers.denials(kubectl, policy).total >= flood.denied, seconds=5, what="every denial counted")
    found = ledgers.denials(kubectl, policy)

    assert (flood.other, found.total) == ([], flood.denied)
    writes = (commits - found.decisions) / flood.seconds  # each guard's first denial is stored at once, like any
    assert writes <= MAX_WRITES_A_SECOND
    edge(
        scenario="flood of identical denials",
        load=f"{flood.denied / flood.seconds:.0f}/s for {flood.seconds:.0f} s, {OBJECTS} objects, 1 client",
        outcome=f"{commits / flood.seconds:.1f} ConfigMap creates/s, {found.total} of {flood.denied} counted, "
        f"{found.decisions} records of their own",
    )


@pytest.mark.skipif(not os.environ.get("INTERLOCK_TEST_STATE"), reason="a given cluster's processes are out of reach")
def test_a_killed_guard_loses_a_second_of_counts_and_no_series(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, names: list[str], edge: Tell
) -> None:
    """After kill -9 in the middle of a flood the series is there, closed by the next lane as a lower bound."""
    policy = f"killed-{namespace}"
    apply(policies.no_configmap_delete(policy, namespace))
    selector = "app.kubernetes.io/component=guard"
    victims = [pod["metadata"]["name"] for pod in kubectl.get("pods", "-n", SYSTEM, "-l", selector)["items"]]

    flood = Flood(kubectl.kubeconfig, namespace, names)
    killer = threading.Timer(FLOOD_SECONDS / 2, _kill, (victims,))
    killer.start()
    flood.rage(FLOOD_SECONDS)
    killer.join()

    def _bounds() -> list[int]:
        told = ledgers.about(kubectl, policy, "SeriesCount")
        return [one["count"] for one in told if one.get("countLowerBound") and one["closed"]]

    bounds = eventually(_bounds, seconds=30, what="the next lane's word on what the killed guard left")
    most = flood.denied / (FLOOD_SECONDS / 2) * LOSS_SECONDS  # at least every denial before the kill was within a half

    def _lost() -> int:
        return flood.denied - ledgers.denials(kubectl, policy).total

    eventually(lambda: _lost() <= most, seconds=5, what=f"all but {most:.0f} of {flood.denied} denials counted")
    eventually(lambda: _settled(_lost), seconds=10, what="the last count")
    lost = _lost()

    assert lost >= -len(flood.other), "a denial that was counted and not answered was refused as failed"
    assert set(flood.other) <= {500}, "what no guard answered is refused"
    edge(
        scenario="guards killed (kill -9) in a flood",
        load=f"{flood.denied / flood.seconds:.0f}/s for {flood.seconds:.0f} s",
        outcome=f"{len(bounds)} series closed as a lower bound, {lost} of {flood.denied} denials not counted, "
        f"{len(flood.other)} refused while no guard answered",
    )


def _kill(victims: Sequence[str]) -> None:
    for victim in victims:
        kill_pod(victim)


def _settled(look: Callable[[], int]) -> bool:
    """Whether two looks, longer apart than two counts, see the same."""
    before = look()
    time.sleep(COUNT_SECONDS)
    return look() == before
