"""Family `destruction`."""

from dataclasses import replace

from interlock.core.types import Request
from tests.core.catalogue_cases.case import Case, delete
from tests.support.policies import request

AUTO = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}
CLAIMED = {"spec": {"claimRef": {"namespace": "shop", "name": "data"}, "persistentVolumeReclaimPolicy": "Delete"}}


def member(review: Request) -> Request:
    """The same as one of a collection."""
    return replace(review, in_collection=True)


DESTRUCTION: dict[str, Case] = {
    "a namespace": (
        "delete-namespace",
        delete("namespaces", "shop", kind="Namespace", namespace="shop"),
        ["Critical, reaches shop: delete Namespace shop and everything in it"],
    ),
    "not a namespace of another group": (
        "delete-namespace",
        delete("namespaces", "shop", group="example.org"),
        [],
    ),
    "not the end of a terminating namespace": (
        "delete-namespace",
        request("UPDATE", "namespaces/finalize", name="shop", namespace="shop"),
        [],
    ),
    "a CustomResourceDefinition": (
        "delete-crd",
        delete(
            "customresourcedefinitions",
            "widgets.example.org",
            {"spec": {"names": {"kind": "Widget"}}},
            group="apiextensions.k8s.io",
            kind="CustomResourceDefinition",
            namespace="",
        ),
        ["Critical, reaches all: delete CustomResourceDefinition widgets.example.org and every Widget in the cluster"],
    ),
    "not an object of the kind": ("delete-crd", delete("widgets", "w", group="example.org"), []),
    "a claim that is bound": (
        "delete-volume",
        delete("persistentvolumeclaims", "data", {"spec": {"volumeName": "pv-1"}}, kind="PersistentVolumeClaim"),
        ["Critical, reaches shop: delete PersistentVolumeClaim data in shop, bound to PersistentVolume pv-1"],
    ),
    "a claim that waits": (
        "delete-volume",
        delete("persistentvolumeclaims", "data", {"spec": {}}, kind="PersistentVolumeClaim"),
        ["High, reaches shop: delete PersistentVolumeClaim data in shop, not bound"],
    ),
    "a volume with a claim reaches the claim's namespace": (
        "delete-volume",
        delete("persistentvolumes", "pv-1", CLAIMED, kind="PersistentVolume", namespace=""),
        ["Critical, reaches shop: delete PersistentVolume pv-1, claimed by data in shop, reclaim policy Delete"],
    ),
    "a released volume still reaches it": (
        "delete-volume",
        delete("persistentvolumes", "pv-1", CLAIMED | {"status": {"phase": "Released"}}, kind="PV", namespace=""),
        ["Critical, reaches shop: delete PV pv-1, claimed by data in shop, reclaim policy Delete"],
    ),
    "a volume that never had a claim reaches nobody": (
        "delete-volume",
        delete("persistentvolumes", "pv-1", {"spec": {}}, kind="PersistentVolume", namespace=""),
        ["High, reaches none: delete PersistentVolume pv-1, not bound"],
    ),
    "a volume that the review does not show may be anybody's": (
        "delete-volume",
        replace(delete("persistentvolumes", "pv-1", namespace="", kind="PV"), old_object=None),
        ["High, reaches all: delete PV pv-1, not bound"],
    ),
    "not a volume attachment": ("delete-volume", delete("volumeattachments", "a", group="storage.k8s.io"), []),
    "a Deployment": (
        "delete-workload",
        delete("deployments", "web", {"spec": {"replicas": 3}}, group="apps", kind="Deployment"),
        ["High, reaches shop: delete Deployment web in shop, 3 replicas"],
    ),
    "a StatefulSet that takes its claims along": (
        "delete-workload",
        delete("statefulsets", "db", {"spec": AUTO}, group="apps", kind="StatefulSet"),
        ["Critical, reaches shop: delete StatefulSet db in shop, its claims are deleted with it"],
    ),
    "a Job": (
        "delete-workload",
        delete("jobs", "j", group="batch", kind="Job"),
        ["High, reaches shop: delete Job j in shop"],
    ),
    "a workload of a custom kind": (
        "delete-workload",
        delete("rollouts", "web", {"spec": {"replicas": 2}}, group="argoproj.io", kind="Rollout"),
        ["High, reaches shop: delete Rollout web in shop, 2 replicas"],
    ),
    "not a pod": ("delete-workload", delete("pods", "web-0"), []),
    "not a scale to zero": ("delete-workload", request("UPDATE", "deployments/scale", group="apps"), []),
    "a Service": (
        "delete-service",
        delete("services", "shop", kind="Service"),
        ["High, reaches shop: delete Service shop in shop"],
    ),
    "a Gateway": (
        "delete-service",
        delete("gateways", "front", group="gateway.networking.k8s.io", kind="Gateway"),
        ["High, reaches shop: delete Gateway front in shop"],
    ),
    "not a service account": ("delete-service", delete("serviceaccounts", "shop"), []),
    "a Secret, by type and never by content": (
        "delete-secret",
        delete("secrets", "tls", {"type": "kubernetes.io/tls", "data": {"tls.key": "c2VjcmV0"}}, kind="Secret"),
        ["High, reaches shop: delete Secret tls in shop, type kubernetes.io/tls"],
    ),
    "not a change of a Secret": ("delete-secret", request("UPDATE", "secrets"), []),
    "a ConfigMap": (
        "delete-configmap",
        delete("configmaps", "settings", kind="ConfigMap"),
        ["Medium, reaches shop: delete ConfigMap settings in shop"],
    ),
    "a ConfigMap of the cluster itself": (
        "delete-configmap",
        delete("configmaps", "coredns", kind="ConfigMap", namespace="kube-system"),
        ["High, reaches kube-system: delete ConfigMap coredns in kube-system"],
    ),
    "not a Secret": ("delete-configmap", delete("secrets", "settings"), []),
    "a Node reaches all": (
        "delete-node",
        delete("nodes", "n1", kind="Node", namespace=""),
        ["High, reaches all: delete Node n1"],
    ),
    "not a node's lease": ("delete-node", delete("leases", "n1", group="coordination.k8s.io"), []),
    "a member of a collection of any kind": (
        "delete-collection",
        member(delete("widgets", "w", group="example.org", kind="Widget")),
        ["High, reaches shop: delete Widget w in shop as one of a whole collection"],
    ),
    "a volume in a collection reaches its claim's namespace": (
        "delete-collection",
        member(delete("persistentvolumes", "pv-1", CLAIMED, kind="PV", namespace="")),
        ["High, reaches shop: delete PV pv-1 as one of a whole collection"],
    ),
    "not a single deletion": ("delete-collection", delete("pods", "web-0"), []),
}
