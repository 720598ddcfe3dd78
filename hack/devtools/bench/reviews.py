"""The reviews that are sent: what one API server would send, with `{uuid}` where every request has to differ.

The load generator fills in a new identifier at each of these places, so no two requests have the same uid, user or
object name. That also means that the name in the review and the one in its object differ, which nothing reads together.
"""

import json
from dataclasses import dataclass
from typing import Any

FRESH = "{uuid}"  # what fortio replaces
RBAC = "rbac.authorization.k8s.io"
CREDENTIAL = "X509SHA256=" + 64 * "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One kind of review, and what is to become of it.

    Attributes:
        name: as printed.
        verdict: that the guard counts it under.
        operation: likewise.
        body: the AdmissionReview, to be filled in.
    """

    name: str
    verdict: str
    operation: str
    body: bytes


def _scenario(name: str, verdict: str, request: dict[str, Any]) -> Scenario:
    kind, resource, operation = request["kind"], request["resource"], request["operation"]
    defaults = {
        "uid": FRESH,
        "requestKind": kind,
        "requestResource": resource,
        "userInfo": {
            "username": f"bench-{FRESH}",
            "groups": ["developers", "system:authenticated"],
            "extra": {"authentication.kubernetes.io/credential-id": [CREDENTIAL]},
        },
        "object": None,
        "oldObject": None,
        "dryRun": False,
    }
    review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": defaults | request}
    return Scenario(name=name, verdict=verdict, operation=operation, body=json.dumps(review).encode())


def _kind(group: str, kind: str, resource: str) -> dict[str, Any]:
    return {
        "kind": {"group": group, "version": "v1", "kind": kind},
        "resource": {"group": group, "version": "v1", "resource": resource},
    }


def _metadata(name: str, manager: str, **fields: object) -> dict[str, Any]:
    managed = {"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return {
        "name": name,
        "uid": FRESH,
        "creationTimestamp": "2026-01-05T09:00:00Z",
        "managedFields": [
            {**managed, "time": "2026-01-05T09:00:00Z", "fieldsV1": {f"f:{each}": {} for each in fields}}
        ],
        **fields,
    }


def _delete(prefix: str) -> dict[str, Any]:
    name = f"{prefix}-{FRESH}"
    namespace = {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": _metadata(name, "kubectl-create", labels={"kubernetes.io/metadata.name": name, "team": "shop"}),
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
    return {
        **_kind("", "Namespace", "namespaces"),
        "name": name,
        "namespace": name,
        "operation": "DELETE",
        "oldObject": namespace,
        "options": {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "propagationPolicy": "Background"},
    }


def _exec() -> dict[str, Any]:
    options = {"kind": "PodExecOptions", "apiVersion": "v1", "stdout": True, "stderr": True, "container": "app"}
    return {
        **_kind("", "PodExecOptions", "pods"),
        "subResource": "exec",
        "requestSubResource": "exec",
        "name": f"web-{FRESH}",
        "namespace": "denied-shop",
        "operation": "CONNECT",
        "object": options | {"command": ["psql", "--host=db", "--command=select 1"]},
        "options": None,
    }


def _grant() -> dict[str, Any]:
    name = f"grant-{FRESH}"
    binding = {
        "kind": "ClusterRoleBinding",
        "apiVersion": f"{RBAC}/v1",
        "metadata": _metadata(name, "kubectl-create"),
        "subjects": [{"kind": "User", "apiGroup": RBAC, "name": "eve"}],
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
    }
    return {
        **_kind(RBAC, "ClusterRoleBinding", "clusterrolebindings"),
        "name": name,
        "operation": "CREATE",
        "object": binding,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-create"},
    }


SCENARIOS = (
    _scenario("DELETE denied", "Deny", _delete("denied")),
    _scenario("DELETE allowed", "Allow", _delete("allowed")),
    _scenario("exec denied", "Deny", _exec()),
    _scenario("RBAC grant denied", "Deny", _grant()),
)
