"""The programs of the control plane and of the nodes, by the user names of their certificates.

A kubelet is `system:node:NAME` in the group `system:nodes`, both; its ordinary work is about its own Node and what is
bound to it. kube-controller-manager without `--use-service-account-credentials` does everything under one name, so the
work of all its controllers is its own.
"""

from interlock.core import unstructured
from interlock.core.systems.identity import EVENTS, SystemIdentity, status
from interlock.core.systems.work import (
    CREATE,
    DELETE,
    UPDATE,
    Work,
    all_of,
    disrupted_for,
    inside,
    labelled,
    named,
    of_type,
    only_changes,
    signed_by,
)
from interlock.core.types import Operation, Request

NODE_PREFIX = "system:node:"
NODES_GROUP = "system:nodes"
CONTROLLER_MANAGER = "kube-controller-manager"
MIRROR = "kubernetes.io/config.mirror"
SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105  the type of a Secret, not one


def _node(request: Request) -> str:
    return request.user.name.removeprefix(NODE_PREFIX)


def _own(request: Request) -> bool:
    """The object has the kubelet's name: its Node, its Lease, its CSINode."""
    return request.name == _node(request)


def bound_here(request: Request) -> bool:
    """The pod is bound to the kubelet's node."""
    return unstructured.text(request.old_object or request.object, "spec", "nodeName") == _node(request)


def _mirror(request: Request) -> bool:
    """The pod stands for a static pod of the node."""
    return MIRROR in unstructured.mapping(request.old_object or request.object, "metadata", "annotations")


def _token_of_pod(request: Request) -> bool:
    """The token dies with a pod."""
    return unstructured.text(request.object, "spec", "boundObjectRef", "kind") == "Pod"


def _lease(title: str, *names: str) -> Work:
    return Work(
        title=title,
        operations=(CREATE, UPDATE),
        group="coordination.k8s.io",
        resources=("leases",),
        test=all_of(inside("kube-system"), named(*names)),
    )


def _any(title: str, operations: tuple[Operation, ...], group: str, *resources: str) -> Work:
    return Work(title=title, operations=operations, group=group, resources=resources)


_WRITES = (CREATE, UPDATE)
_ALL = (CREATE, UPDATE, DELETE)

KUBELET = SystemIdentity(
    name="kubelet",
    title="kubelet",
    prefix=NODE_PREFIX,
    group=NODES_GROUP,
    work=(
        Work(title="its Node", operations=_WRITES, group="", resources=("nodes", "nodes/status"), test=_own),
        Work(title="status of its pods", operations=(UPDATE,), group="", resources=("pods/status",), test=bound_here),
        Work(
            title="mirrors of its static pods",
            operations=(CREATE, DELETE),
            group="",
            resources=("pods",),
            test=all_of(bound_here, _mirror),
        ),
        Work(
            title="tokens of its pods",
            operations=(CREATE,),
            group="",
            resources=("serviceaccounts/token",),
            test=_token_of_pod,
        ),
        Work(
            title="its Lease",
            operations=_WRITES,
            group="coordination.k8s.io",
            resources=("leases",),
            test=all_of(inside("kube-node-lease"), _own),
        ),
        Work(title="its CSINode", operations=_WRITES, group="storage.k8s.io", resources=("csinodes",), test=_own),
        Work(
            title="requests for its certificates",
            operations=(CREATE,),
            group="certificates.k8s.io",
            resources=("certificatesigningrequests",),
            test=signed_by("kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"),
        ),
        *EVENTS,
    ),
)

SCHEDULER = SystemIdentity(
    name="kube-scheduler",
    title="scheduler",
    users=("system:kube-scheduler",),
    work=(
        _any("binding of pods to nodes", (CREATE,), "", "pods/binding", "bindings"),
        status("", "pods"),
        Work(
            title="pods that it preempts",
            operations=(DELETE,),
            group="",
            resources=("pods",),
            test=disrupted_for("PreemptionByScheduler"),
        ),
        _any("binding of claims and volumes", (UPDATE,), "", "persistentvolumeclaims", "persistentvolumes"),
        _lease("its Lease", "kube-scheduler"),
        *EVENTS,
    ),
)

API_SERVER = SystemIdentity(
    name="kube-apiserver",
    title="API server's own loopback client",
    users=("system:apiserver",),
    work=(
        Work(
            title="default roles and bindings",
            operations=_WRITES,
            group="rbac.authorization.k8s.io",
            resources=("clusterroles", "clusterrolebindings", "roles", "rolebindings"),
            test=labelled("kubernetes.io/bootstrapping", "rbac-defaults"),
        ),
        Work(
            title="system namespaces",
            operations=(CREATE,),
            group="",
            resources=("namespaces",),
            test=named("default", "kube-system", "kube-public", "kube-node-lease"),
        ),
        Work(
            title="the Service kubernetes and its endpoints",
            operations=_ALL,
            group="",
            resources=("services", "endpoints"),
            test=all_of(inside("default"), named("kubernetes")),
        ),
        Work(
            title="the EndpointSlice of the Service kubernetes",
            operations=_ALL,
            group="discovery.k8s.io",
            resources=("endpointslices",),
            test=all_of(inside("default"), named("kubernetes")),
        ),
        Work(
            title="Leases of API servers",
            operations=_ALL,
            group="coordination.k8s.io",
            resources=("leases",),
            test=all_of(inside("kube-system"), labelled("apiserver.kubernetes.io/identity", "kube-apiserver")),
        ),
        Work(
            title="ConfigMaps of authentication",
            operations=_WRITES,
            group="",
            resources=("configmaps",),
            test=all_of(
                inside("kube-system"),
                named("extension-apiserver-authentication", "kube-apiserver-legacy-service-account-token-tracking"),
            ),
        ),
        Work(
            title="last use of ServiceAccount tokens",
            operations=(UPDATE,),
            group="",
            resources=("secrets",),
            test=all_of(of_type(SERVICE_ACCOUNT_TOKEN), only_changes(("metadata", "labels"))),
        ),
        _any(
            "flow control defaults",
            _ALL,
            "flowcontrol.apiserver.k8s.io",
            "flowschemas",
            "flowschemas/status",
            "prioritylevelconfigurations",
            "prioritylevelconfigurations/status",
        ),
        _any("service address ranges", _ALL, "networking.k8s.io", "servicecidrs", "servicecidrs/status", "ipaddresses"),
        Work(
            title="default priority classes",
            operations=_WRITES,
            group="scheduling.k8s.io",
            resources=("priorityclasses",),
            test=named("system-cluster-critical", "system-node-critical"),
        ),
        Work(
            title="APIServices that follow its groups",
            operations=_ALL,
            group="apiregistration.k8s.io",
            resources=("apiservices",),
            test=labelled("kube-aggregator.kubernetes.io/automanaged", "onstart", "true"),
        ),
        status("apiregistration.k8s.io", "apiservices"),
        status("apiextensions.k8s.io", "customresourcedefinitions"),
        *EVENTS,
    ),
)


def controller_manager(controllers: tuple[SystemIdentity, ...]) -> SystemIdentity:
    """kube-controller-manager under its own name: its controllers' work, and what it does for itself."""
    own = (
        _lease("its Lease", "kube-controller-manager"),
        Work(
            title="ServiceAccounts and tokens of its controllers",
            operations=(CREATE,),
            group="",
            resources=("serviceaccounts", "serviceaccounts/token"),
            test=inside("kube-system"),
        ),
        Work(
            title="Secrets that hold ServiceAccount tokens",
            operations=_ALL,
            group="",
            resources=("secrets",),
            test=of_type(SERVICE_ACCOUNT_TOKEN),
        ),
        *EVENTS,
    )
    users = ("system:kube-controller-manager",)
    return SystemIdentity(
        name=CONTROLLER_MANAGER, title="controller manager", users=users, work=own, stands_in_for=controllers
    )
