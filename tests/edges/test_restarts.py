"""Processes are killed under load: nothing guarded gets through, and everything heals by itself."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import orjson
import pytest

from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.kubectl import Kubectl, Outcome, eventually
from tests.support.processes import cut_connections, kill_daemon, kill_pod, pod_address, pod_process
from tests.support.stream import Stream, denied_by

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        bool(os.environ.get("INTERLOCK_TEST_KUBECONFIG")) and not os.environ.get("INTERLOCK_TEST_ETCD"),
        reason="a given cluster's processes are out of reach",
    ),
]

SYSTEM = "interlock-system"
HEALED_SECONDS = 90.0
CUTS = 20
SNAPSHOT_SECONDS = 60.0  # a consistent list is taken every thirty
HEALTH_PORT = 9080
CALLS = 200  # before and after: enough to meet both guards

Edge = Callable[..., None]


@pytest.fixture
def state() -> Path:
    """The cluster's directory."""
    return Path(os.environ["INTERLOCK_TEST_STATE"])


def test_api_server_killed(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, state: Path, notary_key: Path, edge: Edge
) -> None:
    """After the API server died guards deny as before, follow changes again, and their records are whole."""
    apply(policies.no_configmap_delete("edge-api", namespace))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    kill_daemon(state, "kube-apiserver")
    begun = time.monotonic()

    outcomes: list[Outcome] = []

    def _denied() -> bool:
        outcomes.append(kubectl("delete", "configmap", "guarded", "-n", namespace))
        return "edge-api" in outcomes[-1].err

    eventually(_denied, seconds=HEALED_SECONDS, what="denied again")
    denied = time.monotonic() - begun
    kubectl.must("patch", "dangerpolicy", "edge-api", "--type=merge", "-p", '{"spec": {"message": "changed after"}}')
    wait_in_force(kubectl, "edge-api", seconds=HEALED_SECONDS)
    healed = time.monotonic() - begun
    command = ["interlock", "verify", "--from-cluster", "--key", str(notary_key), "--kubeconfig", kubectl.kubeconfig]
    report = subprocess.run(command, check=False, text=True, capture_output=True, timeout=60)

    assert not any(outcome.ok for outcome in outcomes)
    assert "changed after" in kubectl("delete", "configmap", "guarded", "-n", namespace).err
    assert report.returncode == 0, report.stdout
    edge(
        scenario="API server killed",
        load=f"{len(outcomes)} deletes while it was away",
        outcome=f"none passed, denied {denied:.1f} s later, a new policy in force {healed:.1f} s later, verify proven",
    )


def test_watches_lost(kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Edge) -> None:
    """Guards whose every connection is cut over and over decide as before, and soon know what they missed."""
    apply(policies.no_configmap_delete("edge-watch", namespace, audit={"durability": "Batch"}))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    target = f"/api/v1/namespaces/{namespace}/configmaps/guarded"
    guards = [pod_process(name) for name in _guards(kubectl)]
    server = urlsplit(kubectl.must("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}").out)
    api = (str(server.hostname), int(server.port or 443))

    with Stream(kubectl.kubeconfig, "DELETE", target, denied_by("edge-watch")) as stream:
        cut = 0
        for number in range(CUTS):
            kubectl.must("patch", "dangerpolicy", "edge-watch", "--type=merge", "-p", _message(number))
            cut += sum(cut_connections(pid, api) for pid in guards)
        begun = time.monotonic()
        wait_in_force(kubectl, "edge-watch", seconds=HEALED_SECONDS)
        healed = time.monotonic() - begun
    ages = [_snapshot_age(name, kubectl) for name in _guards(kubectl)]

    assert cut >= CUTS, "nothing was cut"
    assert f"change {CUTS - 1}" in kubectl("delete", "configmap", "guarded", "-n", namespace).err
    assert set(stream.answers) <= {"denied"} | {answer for answer in stream.answers if "failed calling" in answer}
    assert max(ages) < SNAPSHOT_SECONDS
    edge(
        scenario="guards' connections cut",
        load=f"{cut} connections, {CUTS} policy changes, {stream.answers.total()} reviews",
        outcome=f"none passed, {stream.answers.total() - stream.answers['denied']} failed closed; "
        f"in force {healed:.1f} s later; snapshot {max(ages):.0f} s old by the metrics",
    )


def _message(number: int) -> str:
    return orjson.dumps({"spec": {"message": f"change {number}"}}).decode()


def _guards(kubectl: Kubectl) -> list[str]:
    pods = kubectl.get("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=guard")["items"]
    return [pod["metadata"]["name"] for pod in pods]


def _snapshot_age(name: str, kubectl: Kubectl) -> float:
    """The snapshot's age as a guard's metrics show it, in seconds."""
    reported = kubectl.get("pod", name, "-n", SYSTEM)["status"]["podIP"]
    with urlopen(f"http://{pod_address(reported)}:{HEALTH_PORT}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    [value] = [line.split()[1] for line in lines if line.startswith("interlock_snapshot_age_seconds ")]
    return float(value)


def test_guard_killed(kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Edge) -> None:
    """When one of two guards is killed only calls in flight fail, and fail closed; the other takes over at once."""
    apply(policies.no_configmap_delete("edge-kill", namespace, audit={"durability": "Blocking"}))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    pods = kubectl.get("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=guard")["items"]
    target = f"/api/v1/namespaces/{namespace}/configmaps/guarded"

    with Stream(kubectl.kubeconfig, "DELETE", target, denied_by("edge-kill")) as stream:
        eventually(lambda: stream.answers.total() >= CALLS, seconds=60, what="a stream of denials")
        kill_pod(pods[0]["metadata"]["name"])
        before = stream.answers.total()
        eventually(lambda: stream.answers.total() >= before + CALLS, seconds=60, what="denials afterwards")
    eventually(lambda: _ready(kubectl) == len(pods), seconds=HEALED_SECONDS, what="the killed guard is back")

    failed = {answer: count for answer, count in stream.answers.items() if answer != "denied"}
    assert all("failed calling webhook" in answer for answer in failed), failed
    edge(
        scenario="one of two guards killed",
        load=f"{stream.answers.total()} reviews",
        outcome=f"{sum(failed.values())} failed closed, none passed; longest answer {max(stream.seconds):.2f} s",
    )


def _ready(kubectl: Kubectl) -> int:
    found = kubectl.get("deployment", "interlock-guard", "-n", SYSTEM)
    return int(found["status"].get("readyReplicas", 0))
