"""`interlock doctor` on the cluster: green as installed, and red for the right reason when something is broken."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import orjson
import pytest

from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"
SETTLED_SECONDS = 60.0
POLICY = "edge-doctor"

Edge = Callable[..., None]
Breakage = Callable[[Kubectl], AbstractContextManager[None]]


def _doctor(kubectl: Kubectl, *options: str) -> tuple[int, JsonObject]:
    """Exit code, and each check by name."""
    command = ["interlock", "doctor", "--kubeconfig", kubectl.kubeconfig, "-o", "json", *options]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    found = orjson.loads(done.stdout)
    return done.returncode, {check["check"]: check for check in found["checks"]}


def _not_good(kubectl: Kubectl) -> dict[str, str]:
    """Checks that are not good, each with all it says."""
    _, checks = _doctor(kubectl)
    return {
        name: " ".join([check["text"], *check["details"]]) for name, check in checks.items() if check["status"] != "ok"
    }


@pytest.fixture
def healthy(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> Kubectl:
    """The cluster with an enforcing policy, found healthy; what a test has broken heals before the next one."""
    apply(policies.no_configmap_delete(POLICY, namespace))
    eventually(lambda: not _not_good(kubectl), seconds=SETTLED_SECONDS, what="healthy")
    return kubectl


def test_green_as_installed(healthy: Kubectl, edge: Edge) -> None:
    """With the chart's own values and a policy, every check is good."""
    begun = time.monotonic()
    code, checks = _doctor(healthy)
    seconds = time.monotonic() - begun

    assert (code, {check["status"] for check in checks.values()}) == (0, {"ok"})
    edge(scenario="doctor as installed", load=f"{len(checks)} checks", outcome=f"all good, in {seconds:.1f} s")


@contextmanager
def _disarmed(kubectl: Kubectl) -> Iterator[None]:
    kubectl.must("delete", "validatingwebhookconfiguration", "interlock")
    try:
        yield
    finally:
        subprocess.run(["interlock", "arm", "--kubeconfig", kubectl.kubeconfig], check=True, timeout=90)


@contextmanager
def _scaled(kubectl: Kubectl, component: str, replicas: int) -> Iterator[None]:
    """Another number of pods; two again in the end."""
    _scale(kubectl, component, replicas)
    try:
        yield
    finally:
        _scale(kubectl, component, 2)


def _scale(kubectl: Kubectl, component: str, replicas: int) -> None:
    kubectl.must("scale", f"deployment/interlock-{component}", "-n", SYSTEM, f"--replicas={replicas}")
    _wait_for_pods(kubectl, component, replicas)


def _wait_for_pods(kubectl: Kubectl, component: str, number: int) -> None:
    """So many pods there and ready, and no other going."""

    def _so_many() -> bool:
        pods = kubectl.get("pods", "-n", SYSTEM, "-l", f"app.kubernetes.io/component={component}")["items"]
        found = kubectl.get("deployment", f"interlock-{component}", "-n", SYSTEM)
        return (len(pods), found["status"].get("readyReplicas", 0)) == (number, number)

    eventually(_so_many, seconds=SETTLED_SECONDS, what=f"{number} of {component}")


@contextmanager
def _without_controllers(kubectl: Kubectl) -> Iterator[None]:
    """Nobody is there to follow a new policy."""
    with _scaled(kubectl, "controller", 0):
        kubectl.apply(policies.policy(f"{POLICY}-new", match={"actions": ["exec"]}))
        try:
            yield
        finally:
            kubectl.must("delete", "dangerpolicy", f"{POLICY}-new")


@contextmanager
def _edited_by_developers(kubectl: Kubectl) -> Iterator[None]:
    kubectl.must("create", "rolebinding", POLICY, "--clusterrole=edit", "--group=developers", "-n", SYSTEM)
    try:
        yield
    finally:
        kubectl.must("delete", "rolebinding", POLICY, "-n", SYSTEM)


@contextmanager
def _disarmed_by_a_pipeline(kubectl: Kubectl) -> Iterator[None]:
    kind = "validatingwebhookconfigurations.admissionregistration.k8s.io"
    kubectl.must("create", "clusterrole", POLICY, "--verb=get,delete", f"--resource={kind}")
    kubectl.must("create", "clusterrolebinding", POLICY, f"--clusterrole={POLICY}", "--serviceaccount=ci:deployer")
    try:
        yield
    finally:
        kubectl.must("delete", f"clusterrole/{POLICY}", f"clusterrolebinding/{POLICY}")


@contextmanager
def _fence_taken_down(kubectl: Kubectl) -> Iterator[None]:
    kind, name = "validatingadmissionpolicybinding", "interlock-entry"
    fence = kubectl.get(kind, name)
    metadata = {key: fence["metadata"][key] for key in ("name", "labels", "annotations")}
    kubectl.must("delete", kind, name)
    try:
        yield
    finally:
        kubectl.must("create", "-f", "-", stdin=orjson.dumps({**fence, "metadata": metadata}).decode())


@contextmanager
def _open_to_all(kubectl: Kubectl) -> Iterator[None]:
    """Guards that answer whoever calls, as a value of the chart would have them."""
    found = kubectl.get("deployment", "interlock-guard", "-n", SYSTEM)
    before: list[str] = found["spec"]["template"]["spec"]["containers"][0]["args"]
    _with_arguments(kubectl, [*(each for each in before if "caller-ca" not in each), "--accept-unproven-callers"])
    try:
        yield
    finally:
        _with_arguments(kubectl, before)


def _with_arguments(kubectl: Kubectl, arguments: list[str]) -> None:
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": arguments}]
    change = ("--type=json", "--patch", orjson.dumps(patch).decode())
    kubectl.must("patch", "deployment", "interlock-guard", "-n", SYSTEM, *change)
    kubectl.must("rollout", "status", "deployment/interlock-guard", "-n", SYSTEM, "--timeout=55s")


BREAKAGES: Mapping[str, tuple[Breakage, Mapping[str, str]]] = {
    "webhook configuration deleted": (
        _disarmed,
        {
            "armed": "there is no webhook configuration",
            "answered": "no guard answers",
            "coverage": "no policy is covered",
            "in-force": f"{POLICY}: there is no webhook configuration",
            "certificates": "no certificate to look at",
        },
    ),
    "no guard left": (
        lambda kubectl: _scaled(kubectl, "guard", 0),
        {
            "answered": "no guard answers",
            "in-force": f"{POLICY}: no guard is alive",
            "replicas": "interlock-guard: 0 of 0 pods ready",
            "callers": "no guard is ready",
        },
    ),
    "controllers gone, then a new policy": (
        _without_controllers,
        {
            "coverage": "enforce.interlock.dev has other matchConditions, rules",
            "in-force": "not kept up to date: Lease interlock-controller is held by nobody",
            "replicas": "interlock-controller: 0 of 0 pods ready",
            "leases": "Lease interlock-controller is held by nobody",
        },
    ),
    "role edit given to developers": (
        _edited_by_developers,
        {
            "may-read-keys": "Group/developers, through RoleBinding edge-doctor: get secrets",
            "may-become-others": "Group/developers, through RoleBinding edge-doctor: impersonate serviceaccounts",
            "may-write-records": "Group/developers, through RoleBinding edge-doctor: create configmaps",
            "may-change-guards": "Group/developers, through RoleBinding edge-doctor: update deployments.apps",
        },
    ),
    "right to disarm given to a pipeline": (
        _disarmed_by_a_pipeline,
        {"may-disarm": "ServiceAccount/ci/deployer, through ClusterRoleBinding edge-doctor: delete"},
    ),
    "admission policy unbound": (_fence_taken_down, {"fences": "interlock-entry is bound by nothing"}),
    "guards opened to all callers": (
        _open_to_all,
        {"callers": "guards answer callers that prove nothing"},
    ),
}


@pytest.mark.parametrize("what", BREAKAGES)
def test_red_for_the_right_reason(what: str, healthy: Kubectl, edge: Edge) -> None:
    """Each breakage turns exactly the checks red that speak of it, and they say why."""
    breakage, reasons = BREAKAGES[what]

    with breakage(healthy):
        found = _settled(healthy, reasons)

    assert found.keys() == reasons.keys(), found
    assert [name for name in reasons if reasons[name] not in found[name]] == [], found
    edge(scenario="doctor", load=what, outcome=f"red: {', '.join(reasons)}")


def _settled(kubectl: Kubectl, reasons: Mapping[str, str]) -> dict[str, str]:
    """What is not good, once that is what is expected or the time is over: some things take seconds to be noticed."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while (found := _not_good(kubectl)).keys() != reasons.keys() and time.monotonic() < deadline:
        pass  # each look takes a second
    return found


def test_expected_holders_are_no_excess(healthy: Kubectl) -> None:
    """Who is said to be meant to hold a power is named, and no longer red."""
    with _disarmed_by_a_pipeline(healthy):
        code, checks = _doctor(healthy, "--expect", "ServiceAccount/ci/deployer")

    assert (code, "ServiceAccount/ci/deployer" in checks["may-disarm"]["text"]) == (0, True)
