"""Objects that use Interlock's accounts and keys, as tests of the ValidatingAdmissionPolicies write them."""

from collections.abc import Callable
from typing import Any

from interlock.core.types import JsonObject

IMAGE = "simulated"  # no node runs it: whether it may be asked for is the question
OWNER_UID = "11111111-2222-3333-4444-555555555555"
CONTAINER = {"name": "main", "image": IMAGE}


def pod(name: str, account: str, *, owner: str = "", **spec: Any) -> JsonObject:
    """A pod under an account, controlled by an owner `Kind/name` if there is to be one."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": _metadata(name, owner), "spec": pod_spec(account, **spec)}


def pod_spec(account: str, **spec: Any) -> JsonObject:
    """One container under an account."""
    return {"serviceAccountName": account, "terminationGracePeriodSeconds": 0, "containers": [CONTAINER], **spec}


def workload(kind: str, name: str, account: str, *, owner: str = "", **spec: Any) -> JsonObject:
    """What makes pods under an account: an object of `apps/v1`, `batch/v1` or `v1`, such as `apps/v1 Deployment`."""
    version, _, kind = kind.rpartition(" ")
    template = {"metadata": {"labels": _labels(name)}, "spec": pod_spec(account)}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": _metadata(name, owner),
        "spec": _SPECS[kind](template) | spec,
    }


def lease(name: str, **metadata: Any) -> JsonObject:
    """A Lease."""
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, **metadata}}


def token_secret(account: str) -> JsonObject:
    """A Secret that Kubernetes fills with a token of an account."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "token", "annotations": {"kubernetes.io/service-account.name": account}},
    }


def _metadata(name: str, owner: str) -> JsonObject:
    metadata: JsonObject = {"name": name, "labels": _labels(name)}
    if owner:
        kind, _, owner_name = owner.partition("/")
        version = "batch/v1" if kind == "Job" else "apps/v1"
        reference = {"apiVersion": version, "kind": kind, "name": owner_name, "uid": OWNER_UID, "controller": True}
        metadata["ownerReferences"] = [reference]
    return metadata


def _labels(name: str) -> dict[str, str]:
    """Of an object and of the pods that it makes: no controller takes another's for its own."""
    return {"written-by-test-as": name}


def _selecting(template: JsonObject) -> JsonObject:
    return {"selector": {"matchLabels": template["metadata"]["labels"]}, "template": template}


def _once(template: JsonObject) -> JsonObject:
    return {"template": template | {"spec": template["spec"] | {"restartPolicy": "Never"}}}


_SPECS: dict[str, Callable[[JsonObject], JsonObject]] = {
    "Deployment": _selecting,
    "ReplicaSet": _selecting,
    "DaemonSet": _selecting,
    "StatefulSet": lambda template: _selecting(template) | {"serviceName": "none"},
    "ReplicationController": lambda template: {"selector": template["metadata"]["labels"], "template": template},
    "Job": _once,
    "CronJob": lambda template: {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": _once(template)}},
}
