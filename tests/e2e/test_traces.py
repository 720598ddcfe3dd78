"""What the framework under Interlock leaves on other people's objects: nothing."""

import pytest

from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.cluster


def test_kopf_marks_no_object(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """After a policy was made and changed, no object of any kind carries a finalizer or annotation of kopf's."""
    apply(policies.no_configmap_delete("e2e-traces", namespace))
    kubectl.must("patch", "dangerpolicy", "e2e-traces", "--type=merge", "-p", '{"spec": {"message": "changed"}}')
    wait_in_force(kubectl, "e2e-traces")

    kinds = kubectl.must("api-resources", "--verbs=list,get", "-o", "name").out.split()
    objects = kubectl.get(",".join(kinds), "-A", "--show-managed-fields")["items"]

    watched = {"DangerPolicy", "Namespace", "ClusterRole", "Lease", "ValidatingWebhookConfiguration"}
    assert watched <= {found["kind"] for found in objects}
    assert [mark for found in objects for mark in _marks(found)] == []


def test_interlock_sets_no_finalizer(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """A policy in force has no finalizer at all, so that its deletion waits for nobody."""
    apply(policies.no_configmap_delete("e2e-free", namespace))

    assert kubectl.get("dangerpolicy", "e2e-free")["metadata"].get("finalizers", []) == []


def _marks(found: JsonObject) -> list[str]:
    """Everything in an object's metadata that names kopf."""
    metadata = found["metadata"]
    managers = [field["manager"] for field in metadata.get("managedFields", [])]
    words = [*metadata.get("finalizers", []), *metadata.get("annotations", {}), *managers]
    return [f"{found['kind']} {metadata['name']}: {word}" for word in words if "kopf" in word.lower()]
