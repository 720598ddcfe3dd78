"""Deletions: of every kind that the catalogue speaks of, in every way, and what controllers and kubelets do then."""

from interlock.core.types import JsonObject
from tests.vectors.objects import NAMESPACE, POD, claim, configmap, crd, pod, thing, volume, waiting_pod, workload
from tests.vectors.scenario import Command, Scenario, Wanted, once

IN = ("-n", NAMESPACE)
COLLECTOR = "generic-garbage-collector"


def _wait(what: str, condition: str) -> Command:
    return ("wait", what, *IN, f"--for={condition}", "--timeout=30s")


def _deletes(vector: str, resource: str, target: JsonObject) -> Scenario:
    """The plain deletion of one object, made first."""
    metadata = target["metadata"]
    where = ("-n", metadata["namespace"]) if "namespace" in metadata else ()
    act = ("delete", resource, metadata["name"], *where, "--wait=false")
    return once(vector, f"DELETE {resource.partition('.')[0]}", act, target)


NAMESPACES = (
    Scenario(
        setup=(
            thing("v1", "Namespace", "prod-old", namespace=""),
            thing("v1", "ConfigMap", "settings", namespace="prod-old"),
        ),
        act=("delete", "namespace", "prod-old"),
        kept=(
            Wanted("delete-namespace", "DELETE namespaces", of="prod-old"),
            Wanted("namespace-controller-delete", "DELETE configmaps", "namespace-controller"),
            Wanted("namespace-controller-finalize", "UPDATE namespaces/finalize", "namespace-controller"),
        ),
    ),
    once(
        "delete-namespace-dry-run",
        "DELETE namespaces",
        ("delete", "namespace", NAMESPACE, "--dry-run=server"),
    ),
    once(
        "delete-namespace-impersonated",
        "DELETE namespaces",
        ("delete", "namespace", NAMESPACE, "--dry-run=server", "--as=mallory", "--as-group=system:masters"),
    ),
    once(
        "delete-namespace-as-namespace-controller",
        "DELETE namespaces",
        (
            *("delete", "namespace", NAMESPACE, "--dry-run=server"),
            "--as=system:serviceaccount:kube-system:namespace-controller",
        ),
    ),
)

PODS = (
    Scenario(
        setup=(pod("graceful"), _wait("pod/graceful", "condition=Ready")),
        act=("delete", "pod", "graceful", *IN),
        kept=(
            Wanted("delete-pod", "DELETE pods", "admin"),
            Wanted("delete-pod-kubelet-1", "DELETE pods", "system:node:"),
            Wanted("delete-pod-kubelet-2", "DELETE pods", "system:node:"),
        ),
    ),
    Scenario(
        setup=(waiting_pod("unscheduled"),),
        act=("delete", "pod", "unscheduled", *IN),
        kept=(
            Wanted("delete-pod-unscheduled-1", "DELETE pods"),
            Wanted("delete-pod-unscheduled-2", "DELETE pods"),
        ),
    ),
    Scenario(
        setup=(pod("forced"), _wait("pod/forced", "condition=Ready")),
        act=("delete", "pod", "forced", *IN, "--grace-period=0", "--force"),
        kept=(
            Wanted("delete-pod-forced-1", "DELETE pods", "admin"),
            Wanted("delete-pod-forced-2", "DELETE pods", "admin"),
        ),
    ),
    once(
        "delete-collection-pod",
        "DELETE pods",
        ("delete", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods"),
        waiting_pod("one-of-many"),
    ),
    once(
        "evict-pod",
        "CREATE pods/eviction",
        ("create", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/evicted/eviction", "-f", "-"),
        waiting_pod("evicted"),
        stdin=thing("policy/v1", "Eviction", "evicted", deleteOptions={"gracePeriodSeconds": 0}),
    ),
)

CASCADES = (
    once(
        "delete-with-finalizer",
        "DELETE configmaps",
        ("delete", "configmap", "held", *IN, "--wait=false"),
        configmap("held", finalizers=["example.org/hold"]),
    ),
    once(
        "remove-finalizer",
        "UPDATE configmaps",
        ("patch", "configmap", "held", *IN, "--type=json", '-p=[{"op":"remove","path":"/metadata/finalizers"}]'),
    ),
    Scenario(
        setup=(
            workload("Deployment", "web", replicas=1),
            ("rollout", "status", "deployment/web", *IN, "--timeout=30s"),
        ),
        act=("delete", "deployment", "web", *IN, "--cascade=foreground"),
        kept=(
            Wanted("delete-deployment-foreground", "DELETE deployments", "admin"),
            Wanted("garbage-collector-delete", "DELETE replicasets", COLLECTOR),
            Wanted("garbage-collector-remove-finalizer", "UPDATE deployments", COLLECTOR),
        ),
    ),
    Scenario(
        setup=(
            workload("Deployment", "orphaning", replicas=1),
            ("rollout", "status", "deployment/orphaning", *IN, "--timeout=30s"),
        ),
        act=("delete", "deployment", "orphaning", *IN, "--cascade=orphan"),
        kept=(
            Wanted("delete-deployment-orphan", "DELETE deployments", "admin"),
            Wanted("garbage-collector-orphan", "UPDATE replicasets", COLLECTOR),
        ),
    ),
)

VOLUMES = (
    Scenario(
        setup=(
            volume("pv-data", persistentVolumeReclaimPolicy="Retain", storageClassName="none"),
            claim("data-db-0", volumeName="pv-data", storageClassName="none"),
            _wait("pvc/data-db-0", "jsonpath={.status.phase}=Bound"),
        ),
        act=("delete", "pvc", "data-db-0", *IN),
        kept=(
            Wanted("delete-claim-bound", "DELETE persistentvolumeclaims", "admin"),
            Wanted("claim-protection", "UPDATE persistentvolumeclaims", "pvc-protection-controller"),
        ),
    ),
    once(
        "delete-volume-released",
        "DELETE persistentvolumes",
        ("delete", "pv", "pv-data", "--wait=false"),
        _wait("pv/pv-data", "jsonpath={.status.phase}=Released"),
    ),
    _deletes("delete-volume-available", "persistentvolumes", volume("pv-free", storageClassName="none")),
    _deletes("delete-claim-pending", "persistentvolumeclaims", claim("unbound", storageClassName="none")),
)

_KEEPS_NOTHING = {"whenDeleted": "Delete", "whenScaled": "Retain"}
_NIGHTLY = {
    "schedule": "0 3 * * *",
    "jobTemplate": {"spec": {"template": {"spec": POD | {"restartPolicy": "Never"}}}},
}
_BACKEND = {"service": {"name": "shop", "port": {"number": 80}}}

KINDS = (
    _deletes("delete-crd", "customresourcedefinitions", crd("example.org", "Widget", "widgets")),
    _deletes(
        "delete-statefulset-with-claims",
        "statefulsets",
        workload("StatefulSet", "db", replicas=0, persistentVolumeClaimRetentionPolicy=_KEEPS_NOTHING),
    ),
    _deletes("delete-daemonset", "daemonsets", workload("DaemonSet", "agent")),
    _deletes("delete-cronjob", "cronjobs", thing("batch/v1", "CronJob", "nightly", spec=_NIGHTLY)),
    _deletes("delete-service", "services", thing("v1", "Service", "shop", spec={"ports": [{"port": 80}]})),
    _deletes(
        "delete-ingress",
        "ingresses",
        thing("networking.k8s.io/v1", "Ingress", "shop", spec={"defaultBackend": _BACKEND}),
    ),
    _deletes("delete-secret", "secrets", thing("v1", "Secret", "db-password", stringData={"password": "for tests"})),
    _deletes("delete-configmap", "configmaps", configmap("shop-settings")),
    _deletes("delete-node", "nodes", thing("v1", "Node", "worker-7", namespace="")),
    once(
        "delete-collection-configmap",
        "DELETE configmaps",
        ("delete", "--raw", f"/api/v1/namespaces/{NAMESPACE}/configmaps"),
        configmap("one-of-many"),
    ),
    once(
        "delete-httproute",
        "DELETE httproutes",
        ("delete", "httproutes.v1.gateway.networking.k8s.io", "shop", *IN),
        crd("gateway.networking.k8s.io", "HTTPRoute", "httproutes"),
        ("wait", "crd/httproutes.gateway.networking.k8s.io", "--for=condition=Established", "--timeout=30s"),
        thing("gateway.networking.k8s.io/v1", "HTTPRoute", "shop"),
    ),
)

DELETIONS = (*NAMESPACES, *PODS, *CASCADES, *VOLUMES, *KINDS)
