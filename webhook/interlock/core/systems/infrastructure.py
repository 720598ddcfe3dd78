"""Controllers that keep the cluster itself running: endpoints, nodes, certificates, volumes, accounts.

Read in Kubernetes v1.36.3, as in `interlock.core.systems.workloads`. Left out, since nothing breaks while they wait
for a guard to come back: controllers that only write status of kinds of their own (quota, disruption budgets,
autoscaler).
"""

from interlock.core import unstructured
from interlock.core.systems.identity import SystemIdentity, controller, status
from interlock.core.systems.work import (
    CREATE,
    DELETE,
    UPDATE,
    Work,
    all_of,
    disrupted_for,
    in_phase,
    labelled,
    named,
    of_type,
    only_changes,
    signed_by,
)
from interlock.core.types import Request

SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105  the type of a Secret, not one
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"

_FINALIZERS = ("metadata", "finalizers")


def _aggregated(request: Request) -> bool:
    return bool(unstructured.mapping(request.old_object, "aggregationRule"))


def _reclaimed(request: Request) -> bool:
    return unstructured.text(request.old_object, "spec", "persistentVolumeReclaimPolicy") == "Delete"


def _slices(manager: str) -> Work:
    return Work(
        title="EndpointSlices that it manages",
        operations=(CREATE, UPDATE, DELETE),
        group="discovery.k8s.io",
        resources=("endpointslices",),
        test=labelled("endpointslice.kubernetes.io/managed-by", manager),
    )


def _finalizers(title: str, resource: str) -> Work:
    return Work(
        title=f"finalizers of {title}, and nothing else",
        operations=(UPDATE,),
        group="",
        resources=(resource,),
        test=only_changes(_FINALIZERS),
    )


_NETWORK = (
    controller(
        "endpoint-controller",
        "Endpoints controller",
        Work(title="Endpoints", operations=(CREATE, UPDATE, DELETE), group="", resources=("endpoints",)),
    ),
    controller("endpointslice-controller", "EndpointSlice controller", _slices("endpointslice-controller.k8s.io")),
    controller(
        "endpointslicemirroring-controller",
        "EndpointSlice mirroring controller",
        _slices("endpointslicemirroring-controller.k8s.io"),
    ),
)

_NODES = (
    controller(
        "node-controller",
        "node lifecycle and taint controllers",
        Work(
            title="taints, labels and addresses of nodes",
            operations=(UPDATE,),
            group="",
            resources=("nodes", "nodes/status"),
        ),
        status("", "pods"),
        Work(
            title="pods that a taint drives away",
            operations=(DELETE,),
            group="",
            resources=("pods",),
            test=disrupted_for("DeletionByTaintManager"),
        ),
    ),
    controller(
        "certificate-controller",
        "controllers that approve, sign and clean up certificate requests",
        Work(
            title="approval of kubelets' client certificates",
            operations=(UPDATE,),
            group="certificates.k8s.io",
            resources=("certificatesigningrequests/approval",),
            test=signed_by(KUBELET_CLIENT),
        ),
        status("certificates.k8s.io", "certificatesigningrequests"),
        Work(
            title="old certificate requests",
            operations=(DELETE,),
            group="certificates.k8s.io",
            resources=("certificatesigningrequests",),
        ),
    ),
)

_VOLUMES = (
    controller(
        "pvc-protection-controller",
        "claim protection",
        _finalizers("claims", "persistentvolumeclaims"),
        status("", "persistentvolumeclaims"),
    ),
    controller(
        "pv-protection-controller",
        "volume protection",
        _finalizers("volumes", "persistentvolumes"),
    ),
    controller(
        "persistent-volume-binder",
        "volume binder",
        Work(
            title="binding of claims and volumes",
            operations=(CREATE, UPDATE),
            group="",
            resources=(
                "persistentvolumes",
                "persistentvolumes/status",
                "persistentvolumeclaims",
                "persistentvolumeclaims/status",
            ),
        ),
        Work(
            title="released volumes with reclaim policy Delete",
            operations=(DELETE,),
            group="",
            resources=("persistentvolumes",),
            test=all_of(in_phase("Released"), _reclaimed),
        ),
    ),
    controller(
        "attachdetach-controller",
        "attach and detach controller",
        Work(
            title="attachments of volumes to nodes",
            operations=(CREATE, DELETE),
            group="storage.k8s.io",
            resources=("volumeattachments",),
        ),
        status("", "nodes"),
    ),
)

_ACCOUNTS = (
    controller(
        "service-account-controller",
        "ServiceAccount controller",
        Work(
            title="the default ServiceAccount of a namespace",
            operations=(CREATE,),
            group="",
            resources=("serviceaccounts",),
            test=named("default"),
        ),
    ),
    controller(
        "legacy-service-account-token-cleaner",
        "cleaner of unused ServiceAccount tokens",
        Work(
            title="Secrets that hold ServiceAccount tokens",
            operations=(UPDATE, DELETE),
            group="",
            resources=("secrets",),
            test=of_type(SERVICE_ACCOUNT_TOKEN),
        ),
    ),
    controller(
        "root-ca-cert-publisher",
        "publisher of the cluster's CA certificate",
        Work(
            title="the ConfigMap kube-root-ca.crt of a namespace",
            operations=(CREATE, UPDATE),
            group="",
            resources=("configmaps",),
            test=named("kube-root-ca.crt"),
        ),
    ),
    controller(
        "clusterrole-aggregation-controller",
        "ClusterRole aggregation controller",
        Work(
            title="rules of ClusterRoles that aggregate others, and nothing else",
            operations=(UPDATE,),
            group="rbac.authorization.k8s.io",
            resources=("clusterroles",),
            test=all_of(_aggregated, only_changes(("rules",))),
        ),
    ),
)

CONTROLLERS: tuple[SystemIdentity, ...] = (*_NETWORK, *_NODES, *_VOLUMES, *_ACCOUNTS)
