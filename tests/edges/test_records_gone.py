"""The API of AuditRecords with nobody behind it: namespaces still go, and it comes back, or stays away where told."""

import time
from collections.abc import Callable, Iterator

import pytest

from interlock.core.types import JsonObject
from tests.support.clusters import OwnCluster, own_cluster
from tests.support.kubectl import eventually

pytestmark = pytest.mark.cluster

SYSTEM, NAME = "interlock-system", "v1alpha1.audit.interlock.dev"
RECORDS = "deployment/interlock-records"
CHART = "charts/interlock"
STAYS_SECONDS = 6.0  # what is restored is restored within four
SECONDS = 60.0

Edge = Callable[..., None]


@pytest.fixture(scope="module")
def cluster() -> Iterator[OwnCluster]:
    """A cluster of its own: while it lasts, no namespace of it can be deleted."""
    with own_cluster("records") as made:
        yield made


def _api_service(cluster: OwnCluster) -> JsonObject:
    """The APIService; empty if there is none."""
    found = cluster.kubectl("get", "apiservice", NAME, "-o", "json")
    return found.json() if found.ok else {}


def _available(cluster: OwnCluster) -> bool:
    conditions = _api_service(cluster).get("status", {}).get("conditions", [])
    return any((each["type"], each["status"]) == ("Available", "True") for each in conditions)


def _scale(cluster: OwnCluster, replicas: int) -> None:
    cluster.kubectl.must("scale", RECORDS, f"--replicas={replicas}", "-n", SYSTEM)


def test_namespaces_go(cluster: OwnCluster, edge: Edge) -> None:
    """With every records pod dead a namespace is deleted within a minute; the API comes back with the pods."""
    kubectl = cluster.kubectl
    eventually(lambda: _available(cluster), seconds=SECONDS, what="the API")
    kubectl.must("create", "namespace", "doomed")
    _scale(cluster, 0)
    eventually(lambda: not _available(cluster), seconds=SECONDS, what="nobody there")
    began = time.monotonic()
    kubectl.must("delete", "namespace", "doomed", "--timeout=60s")
    gone = time.monotonic() - began
    events = kubectl.get("events", "-n", SYSTEM, "--field-selector", "reason=AuditRecordsWithdrawn")["items"]
    withdrawn = not _api_service(cluster)
    _scale(cluster, 2)
    began = time.monotonic()
    eventually(lambda: _available(cluster), seconds=SECONDS, what="the API again")
    back = time.monotonic() - began

    assert (withdrawn, len(events)) == (True, 1)
    assert [owner["name"] for owner in _api_service(cluster)["metadata"]["ownerReferences"]] == ["interlock-records"]
    assert kubectl.must("get", "auditrecords", "-A").err.count("Error") == 0
    edge(
        scenario="records pods all dead",
        load="a namespace is deleted",
        outcome=f"gone after {gone:.0f} s; the API is back {back:.0f} s after the pods were wanted again",
    )


def test_everything_scaled_away(cluster: OwnCluster, edge: Edge) -> None:
    """Controllers that end together with the records pods take the API away; all of them back, it is back."""
    cluster.kubectl.must("create", "namespace", "left-over")
    cluster.kubectl.must("scale", "deployments", "--all", "--replicas=0", "-n", SYSTEM)
    eventually(lambda: not _api_service(cluster), seconds=SECONDS, what="no API")
    cluster.kubectl.must("delete", "namespace", "left-over", "--timeout=60s")
    cluster.kubectl.must("scale", "deployments", "--all", "--replicas=2", "-n", SYSTEM)
    eventually(lambda: _available(cluster), seconds=SECONDS, what="the API again")
    edge(
        scenario="everything scaled to 0",
        load="a namespace is deleted",
        outcome="gone; the API comes back with the pods",
    )


def test_upgrade_of_what_was_restored(cluster: OwnCluster, edge: Edge) -> None:
    """Helm takes what was restored for its own, also where the chart wants it otherwise now."""
    values = ("--values", str(cluster.values))
    port = int(_api_service(cluster)["spec"]["service"]["port"])
    cluster.must("helm", "upgrade", "interlock", CHART, "-n", SYSTEM, *values, f"--set=records.service.port={port + 1}")

    assert _api_service(cluster)["spec"]["service"]["port"] == port + 1
    cluster.must("helm", "upgrade", "interlock", CHART, "-n", SYSTEM, *values)
    eventually(lambda: _available(cluster), seconds=SECONDS, what="the API")
    edge(scenario="restored APIService", load="helm upgrade, another port", outcome="changed as the chart says")


def test_disarm_and_arm(cluster: OwnCluster, edge: Edge) -> None:
    """`interlock disarm` takes the API away, for good; `interlock arm` brings it back."""
    cluster.must("interlock", "disarm", "--yes")
    time.sleep(STAYS_SECONDS)  # nothing tells that nothing happens
    stays_away = not _api_service(cluster)
    cluster.must("interlock", "arm", "--yes")
    eventually(lambda: _available(cluster), seconds=SECONDS, what="the API")

    assert stays_away
    edge(scenario="disarm, arm", load="AuditRecords served", outcome="the API goes and stays away, and comes back")


def test_records_disabled(cluster: OwnCluster, edge: Edge) -> None:
    """Without records nothing of them is left, and everything else works; `helm uninstall` takes the rest."""
    values = ("--values", str(cluster.values), "--set=records.enabled=false")
    cluster.must("helm", "upgrade", "interlock", CHART, "-n", SYSTEM, *values)
    time.sleep(STAYS_SECONDS)
    kinds = "deployments,services,serviceaccounts,poddisruptionbudgets,clusterroles,clusterrolebindings"
    left = cluster.kubectl.must("get", kinds, "-n", SYSTEM, "-o", "name").out

    assert ("interlock-records" in left, "interlock-audit" in left, _api_service(cluster)) == (False, False, {})
    assert cluster.run("interlock", "ledger", "show", "--from-cluster").ok
    cluster.must("helm", "uninstall", "interlock", "-n", SYSTEM)
    edge(scenario="records.enabled=false", load="helm upgrade", outcome="no pods, no API, no roles; the rest goes on")
