"""Life with the ValidatingAdmissionPolicies: what Kubernetes and Helm do day by day goes on in a guarded namespace.

Deployments, ReplicaSets and the garbage collector are real here. What runs is a stand-in under a guard's name and
account, except in the release that the suite was given: there the node asks for real tokens for real guards.
"""

import os
from collections.abc import Iterator

import pytest

from interlock.cli.installation import FENCES
from interlock.core.types import JsonObject
from tests.chart import manifests
from tests.chart.callers import ADMINISTRATOR, account
from tests.chart.guarded import Guarded, unfurnished
from tests.chart.helm import CHART, Helm
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster

SYSTEM, GUARD = "interlock-system", "interlock-guard"
DEPLOYMENT = f"deployment/{GUARD}"
SELECTOR = f"--selector=written-by-test-as={GUARD}"
SECONDS = 30.0  # for what takes Kubernetes a second or two


@pytest.fixture(scope="module")
def lived(kubectl: Kubectl, helm: Helm) -> Iterator[Guarded]:
    """A guarded namespace in which a Deployment of guards runs."""
    with unfurnished(kubectl, helm, f"chart-test-life-{os.getpid()}") as namespace:
        assert namespace.creates(ADMINISTRATOR, manifests.workload("apps/v1 Deployment", GUARD, GUARD)).ok
        _rolled_out(namespace)
        yield namespace


def test_policies_speak_of_fields_that_exist(guarded: Guarded) -> None:
    """Kubernetes' own type check of the expressions, for every kind that they meet, finds nothing."""

    def _checked() -> list[JsonObject]:
        found = guarded.kubectl.get("validatingadmissionpolicies")["items"]
        mine = [each for each in found if each["metadata"]["name"].endswith(guarded.name)]
        return mine if all("status" in each for each in mine) else []

    checked = eventually(_checked, seconds=SECONDS, what="all policies checked")

    assert len(checked) == len(FENCES)
    assert [each["status"] for each in checked if "expressionWarnings" in each["status"].get("typeChecking", {})] == []


def test_deployment_rolls_and_scales(lived: Guarded) -> None:
    """An update, a restart, more and fewer replicas: ReplicaSets and pods come and go."""
    for change in (
        ("set", "image", DEPLOYMENT, "main=simulated-anew"),
        ("rollout", "restart", DEPLOYMENT),
        ("rollout", "undo", DEPLOYMENT),
        ("scale", DEPLOYMENT, "--replicas=3"),
        ("scale", DEPLOYMENT, "--replicas=1"),
    ):
        assert lived.by(ADMINISTRATOR, *change).ok, change
        _rolled_out(lived)


def test_deleted_pod_is_replaced(lived: Guarded) -> None:
    """Its ReplicaSet makes the next, and the node takes it."""
    gone = _pod(lived)

    assert lived.by(ADMINISTRATOR, "delete", "pod", gone).ok

    eventually(lambda: _pod(lived) not in {"", gone}, seconds=SECONDS, what="another pod")


def test_guards_lease_goes_with_its_pod(lived: Guarded) -> None:
    """Nobody has to tidy up after a guard."""
    pod = _pod(lived)
    _lease(lived, pod)

    assert lived.by(ADMINISTRATOR, "delete", "pod", pod).ok

    gone = ("wait", f"lease/{pod}", "--for=delete", f"--timeout={SECONDS}s")
    assert lived.by(ADMINISTRATOR, *gone).ok


def test_pod_leaves_without_its_lease(lived: Guarded) -> None:
    """A deletion that orphans comes to its end: the garbage collector can part the Lease from the pod."""
    pod = _pod(lived)
    _lease(lived, pod)

    assert lived.by(ADMINISTRATOR, "delete", "pod", pod, "--cascade=orphan").ok

    left = lived.by(ADMINISTRATOR, "get", "lease", pod, "-o", "json").json()
    assert "ownerReferences" not in left["metadata"]


def test_deployment_is_deleted_and_made_again_around_its_pods(lived: Guarded) -> None:
    """What an orphaning deletion leaves runs on, and a new Deployment takes it over."""
    assert lived.by(ADMINISTRATOR, "delete", DEPLOYMENT, "--cascade=orphan").ok
    assert _owners_of_replicasets(lived) == set()

    assert lived.creates(ADMINISTRATOR, manifests.workload("apps/v1 Deployment", GUARD, GUARD)).ok

    _rolled_out(lived)
    assert _owners_of_replicasets(lived) == {GUARD}


def test_namespace_full_of_life_can_be_deleted(kubectl: Kubectl, helm: Helm) -> None:
    """Pods, what makes them and their Leases all go with it."""
    with unfurnished(kubectl, helm, f"chart-test-dying-{os.getpid()}") as namespace:
        assert namespace.creates(ADMINISTRATOR, manifests.workload("apps/v1 Deployment", GUARD, GUARD)).ok
        _rolled_out(namespace)
        _lease(namespace, _pod(namespace))
        kubectl.must("delete", "namespace", namespace.name, "--timeout=45s")


def test_helm_upgrades_the_release(kubectl: Kubectl, helm: Helm) -> None:
    """New guards start with new tokens, and the old ones go."""
    options = ("--namespace", SYSTEM, "--reuse-values", "--set", f"guard.podAnnotations.rolled=by-{os.getpid()}")

    helm("upgrade", "interlock", str(CHART), *options)

    kubectl.must("rollout", "status", DEPLOYMENT, "--namespace", SYSTEM, "--timeout=50s")


def _rolled_out(namespace: Guarded) -> None:
    status = namespace.by(ADMINISTRATOR, "rollout", "status", DEPLOYMENT, f"--timeout={SECONDS}s")
    assert status.ok, status.err


def _pod(namespace: Guarded) -> str:
    """The name of a guard's pod that is not going."""
    found = namespace.by(ADMINISTRATOR, "get", "pods", SELECTOR, "-o", "json").json()["items"]
    names = [each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"]]
    return names[0] if names else ""


def _owners_of_replicasets(namespace: Guarded) -> set[str]:
    found = namespace.by(ADMINISTRATOR, "get", "replicasets", SELECTOR, "-o", "json").json()["items"]
    assert found
    return {owner["name"] for each in found for owner in each["metadata"].get("ownerReferences", [])}


def _lease(namespace: Guarded, pod: str) -> None:
    """Have a guard write its Lease, which its pod owns."""
    uid = namespace.by(ADMINISTRATOR, "get", "pod", pod, "-o", "jsonpath={.metadata.uid}").out
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid}
    lease = manifests.lease(pod, ownerReferences=[owner])
    assert namespace.creates(account(GUARD, pod=pod), lease).ok
