"""What only a real kubelet shows: drains, the kernel's OOM killer, and how soon a pod is ready.

On a simulated node these are left out, and said to be.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.e2e.conftest import failed_calls
from tests.support import processes
from tests.support.kubectl import Kubectl, Outcome, eventually
from tests.support.stream import Stream, denied_by

pytestmark = [pytest.mark.cluster, pytest.mark.real_node]

SYSTEM = "interlock-system"
GUARDS = ("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=guard")
READY_SECONDS = 3.0  # promised, from the start of the process
HEALED_SECONDS = 60.0
HOG_BYTES = 2 << 30  # more than any limit of a guard
HOG = f"import os; open('/proc/self/oom_score_adj', 'w').write('0'); b'x' * {HOG_BYTES}"


@pytest.fixture
def node(kubectl: Kubectl) -> str:
    """The only node."""
    [found] = kubectl.get("nodes")["items"]
    return str(found["metadata"]["name"])


@contextmanager
def _under_load(kubectl: Kubectl, namespace: str, policy: str) -> Iterator[list[Stream]]:
    """Deletions of a guarded object, on two connections, each answer counted."""
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    target = f"/api/v1/namespaces/{namespace}/configmaps/guarded"
    one, two = (Stream(kubectl.kubeconfig, "DELETE", target, denied_by(policy)) for _ in range(2))
    with one, two:
        eventually(lambda: one.answers.total() > 10, seconds=30, what="a stream of denials")
        yield [one, two]


def test_ready_in_time(kubectl: Kubectl) -> None:
    """A guard is ready within three seconds of its start."""
    kubectl.must("rollout", "restart", "deployment/interlock-guard", "-n", SYSTEM)
    kubectl.must("rollout", "status", "deployment/interlock-guard", "-n", SYSTEM, "--timeout=150s")

    taken = [_seconds_to_ready(pod) for pod in _guards(kubectl)]

    assert max(taken) <= READY_SECONDS, taken


def _guards(kubectl: Kubectl) -> list[JsonObject]:
    """The two guards, without those that are going."""
    pods = [pod for pod in kubectl.get(*GUARDS)["items"] if "deletionTimestamp" not in pod["metadata"]]
    assert len(pods) == 2
    return pods


def _seconds_to_ready(pod: JsonObject) -> float:
    """From the start of the container to the pod's readiness; both are told in whole seconds."""
    started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    [ready] = [each["lastTransitionTime"] for each in pod["status"]["conditions"] if each["type"] == "Ready"]
    return (datetime.fromisoformat(ready) - datetime.fromisoformat(started)).total_seconds()


def test_helm_test() -> None:
    """`helm test` finds guards and controllers at their Services, by name, from a pod."""
    command = ["helm", "test", "interlock", "-n", SYSTEM, "--logs"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=HEALED_SECONDS)

    assert done.returncode == 0, done.stdout + done.stderr


def test_drain_waits_for_a_guard(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, node: str, audit_log: Path
) -> None:
    """Draining the only node evicts one guard and is refused the second until there is another; no call fails."""
    apply(policies.no_configmap_delete("e2e-drain", namespace, audit={"durability": "Blocking"}))
    before = audit_log.stat().st_size
    names = [pod["metadata"]["name"] for pod in _guards(kubectl)]

    kubectl.must("cordon", node)
    try:
        with _under_load(kubectl, namespace, "e2e-drain") as streams:
            outcomes = [_evict(kubectl, name) for name in names]
    finally:
        kubectl.must("uncordon", node)
    eventually(lambda: _ready(kubectl) == 2, seconds=HEALED_SECONDS * 3, what="two guards again")

    assert [outcome.ok for outcome in outcomes] == [True, False]
    assert "violate the pod's disruption budget" in outcomes[1].err
    assert [list(stream.answers) for stream in streams] == [["denied"]] * 2, streams[0].answers
    assert failed_calls(audit_log, before) == []


def _evict(kubectl: Kubectl, name: str) -> Outcome:
    eviction = (
        f'{{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {{"name": "{name}", "namespace": "{SYSTEM}"}}}}'
    )
    return kubectl("create", "--raw", f"/api/v1/namespaces/{SYSTEM}/pods/{name}/eviction", "-f", "-", stdin=eviction)


def test_guard_out_of_memory(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """A guard that the kernel kills for memory fails only what it had at hand, closed; the other answers the rest."""
    apply(policies.no_configmap_delete("e2e-memory", namespace, audit={"durability": "Blocking"}))
    [victim, *_] = _guards(kubectl)
    name = victim["metadata"]["name"]

    with _under_load(kubectl, namespace, "e2e-memory") as streams:
        _exhaust(processes.pod_process(name))
        killed = time.monotonic()
        eventually(lambda: _reason(kubectl, name) == "OOMKilled", seconds=HEALED_SECONDS, what="killed for memory")
        eventually(lambda: _ready(kubectl) == 2, seconds=HEALED_SECONDS, what="two guards again")
        healed = time.monotonic() - killed

    failed = [answer for stream in streams for answer in stream.answers if answer != "denied"]
    assert all("failed calling webhook" in answer for answer in failed), failed
    assert max(max(stream.seconds) for stream in streams) < HEALED_SECONDS, healed


def _exhaust(pid: int) -> None:
    """Use up the memory of a container's cgroup, and have the kernel choose the container's own process for it."""
    Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    groups = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    [place] = [line.split(":", 2)[2] for line in groups if line.split(":")[1] in {"memory", ""}][:1]
    roots = [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")]
    file = next(root / place.lstrip("/") / "cgroup.procs" for root in roots if (root / place.lstrip("/")).exists())
    hog = f'echo $$ > {file}; exec python3 -c "{HOG}"'
    subprocess.run(["sh", "-c", hog], check=False, capture_output=True, timeout=60)


def _reason(kubectl: Kubectl, name: str) -> str:
    [status] = kubectl.get("pod", name, "-n", SYSTEM)["status"]["containerStatuses"]
    return str(status["lastState"].get("terminated", {}).get("reason", ""))


def _ready(kubectl: Kubectl) -> int:
    found = kubectl.get("deployment", "interlock-guard", "-n", SYSTEM)
    return int(found["status"].get("readyReplicas", 0))
