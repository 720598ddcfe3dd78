"""System identities: who is one, and what is their ordinary work."""

from dataclasses import replace

import pytest

from interlock.core import systems
from interlock.core.types import JsonObject, Request, User
from tests.support.identities import GOING_SINCE, MANAGER, NODE, by, controller, meta, owned
from tests.support.policies import request

RBAC = "rbac.authorization.k8s.io"


def conditions(**each: str) -> JsonObject:
    """An object with conditions of its status: type to status and, after a comma, reason."""
    listed = [
        dict(zip(("type", "status", "reason"), [name, *value.split(",")], strict=False)) for name, value in each.items()
    ]
    return {"status": {"conditions": listed}}


# ------------------------------------------------------------------------------------------------------ who is one

WHO = {
    "a kubelet": (NODE, "kubelet"),
    "a kubelet without its group": (User(name="system:node:n1"), None),
    "a kubelet without a name": (User(name="system:node:", groups=("system:nodes",)), None),
    "a member of the group alone": (User(name="eve", groups=("system:nodes",)), None),
    "the scheduler": (User(name="system:kube-scheduler"), "kube-scheduler"),
    "the API server": (User(name="system:apiserver", groups=("system:masters",)), "kube-apiserver"),
    "the controller manager": (User(name="system:kube-controller-manager"), "kube-controller-manager"),
    "a controller": (controller("namespace-controller"), "namespace-controller"),
    "its name with something after it": (controller("namespace-controller-2"), None),
    "its name in another namespace": (User(name="system:serviceaccount:kube-public:namespace-controller"), None),
    "a controller that is not on the list": (controller("horizontal-pod-autoscaler"), None),
    "a member of system:masters": (User(name="kubernetes-admin", groups=("system:masters",)), None),
    "nobody": (User(name=""), None),
}


@pytest.mark.parametrize(("user", "name"), WHO.values(), ids=WHO.keys())
def test_identity_of(user: User, name: str | None) -> None:
    """Names count exactly; a kubelet's only together with its group; system:masters never."""
    found = systems.identity_of(user)

    assert (found and found.name) == name


def test_the_list_is_closed() -> None:
    """Who is on the list changes only on purpose."""
    assert [identity.name for identity in systems.IDENTITIES] == [
        "kubelet",
        "kube-scheduler",
        "kube-apiserver",
        "kube-controller-manager",
        "namespace-controller",
        "generic-garbage-collector",
        "pod-garbage-collector",
        "ttl-after-finished-controller",
        "deployment-controller",
        "replicaset-controller",
        "replication-controller",
        "statefulset-controller",
        "daemon-set-controller",
        "job-controller",
        "cronjob-controller",
        "endpoint-controller",
        "endpointslice-controller",
        "endpointslicemirroring-controller",
        "node-controller",
        "certificate-controller",
        "pvc-protection-controller",
        "pv-protection-controller",
        "persistent-volume-binder",
        "attachdetach-controller",
        "service-account-controller",
        "legacy-service-account-token-cleaner",
        "root-ca-cert-publisher",
        "clusterrole-aggregation-controller",
    ]


# --------------------------------------------------------------------------------------------------- ordinary work


SCHEDULER = User(name="system:kube-scheduler")
SERVER = User(name="system:apiserver", groups=("system:masters",))
GOING = meta(deletionTimestamp=GOING_SINCE)
SLICES = "endpointslice.kubernetes.io/managed-by"
TOKEN = {"type": "kubernetes.io/service-account-token"}
HERE = {"spec": {"nodeName": "n1"}}
COLLECTS: JsonObject = {"aggregationRule": {"clusterRoleSelectors": []}}
DEFAULT_ROLE = meta(labels={"kubernetes.io/bootstrapping": "rbac-defaults"})
WITH_TIME = {"spec": {"ttlSecondsAfterFinished": 0}}
NO_REPLICAS, ONE_REPLICA = (owned("Deployment", spec={"replicas": number}) for number in (0, 1))
KUBELET_CERTIFICATE = {"spec": {"signerName": "kubernetes.io/kube-apiserver-client-kubelet"}}

ORDINARY: dict[str, tuple[Request, str]] = {
    "its Node": (by(NODE, "UPDATE", "nodes/status", name="n1", namespace=""), "kubelet: its Node"),
    "another Node": (by(NODE, "UPDATE", "nodes/status", name="n2", namespace=""), ""),
    "a pod of the node": (by(NODE, "UPDATE", "pods/status", old=HERE, new=HERE), "kubelet: status of its pods"),
    "a pod of another node": (by(NODE, "UPDATE", "pods/status", old={"spec": {"nodeName": "n2"}}), ""),
    "a mirror of a static pod": (
        by(NODE, "DELETE", "pods", old=meta(annotations={"kubernetes.io/config.mirror": "x"}) | HERE),
        "kubelet: mirrors of its static pods",
    ),
    "a living pod": (by(NODE, "DELETE", "pods", old=HERE), ""),
    "a token that dies with a pod": (
        by(NODE, "CREATE", "serviceaccounts/token", new={"spec": {"boundObjectRef": {"kind": "Pod", "name": "p"}}}),
        "kubelet: tokens of its pods",
    ),
    "a token that does not": (by(NODE, "CREATE", "serviceaccounts/token", new={"spec": {}}), ""),
    "a lease of the node": (
        by(NODE, "UPDATE", "leases", group="coordination.k8s.io", name="n1", namespace="kube-node-lease"),
        "kubelet: its Lease",
    ),
    "a request for a certificate": (
        by(NODE, "CREATE", "certificatesigningrequests", group="certificates.k8s.io", new=KUBELET_CERTIFICATE),
        "kubelet: requests for its certificates",
    ),
    "a binding": (by(SCHEDULER, "CREATE", "pods/binding"), "scheduler: binding of pods to nodes"),
    "a pod that is preempted": (
        by(SCHEDULER, "DELETE", "pods", old=conditions(DisruptionTarget="True,PreemptionByScheduler")),
        "scheduler: pods that it preempts",
    ),
    "a pod that is not": (by(SCHEDULER, "DELETE", "pods", old=conditions(Ready="True")), ""),
    "a default role": (
        by(
            SERVER,
            "CREATE",
            "clusterroles",
            group=RBAC,
            new=meta(labels={"kubernetes.io/bootstrapping": "rbac-defaults"}),
        ),
        "API server's own loopback client: default roles and bindings",
    ),
    "another binding": (by(SERVER, "CREATE", "clusterrolebindings", group=RBAC), ""),
    "a default role that loses its label": (
        by(
            SERVER,
            "UPDATE",
            "clusterroles",
            group=RBAC,
            new=DEFAULT_ROLE,
            old=meta(),
        ),
        "",
    ),
    "an account of a controller": (
        by(MANAGER, "CREATE", "serviceaccounts", namespace="kube-system"),
        "controller manager: ServiceAccounts and tokens of its controllers",
    ),
    "an account elsewhere": (by(MANAGER, "CREATE", "serviceaccounts", name="robot"), ""),
    "a controller's work under the manager's name": (
        by(MANAGER, "DELETE", "pods", old=owned("ReplicaSet")),
        "controller manager: pods of its ReplicaSets",
    ),
    "the end of a namespace": (
        by("namespace-controller", "UPDATE", "namespaces/finalize", old=GOING),
        "namespace controller: status and finalizers of a terminating namespace",
    ),
    "the finalizers of a living namespace": (by("namespace-controller", "UPDATE", "namespaces/finalize"), ""),
    "a deletion by the namespace controller": (by("namespace-controller", "DELETE", "pods"), ""),
    "owners": (
        by("generic-garbage-collector", "UPDATE", "pods", old=owned("Job"), new=meta()),
        "garbage collector: ownerReferences and finalizers, and nothing else",
    ),
    "owners and a label": (
        by("generic-garbage-collector", "UPDATE", "pods", old=owned("Job"), new=meta(labels={"a": "b"})),
        "",
    ),
    "bookkeeping of the API server besides": (
        by(
            "generic-garbage-collector",
            "UPDATE",
            "pods",
            old=meta(finalizers=["foregroundDeletion"], resourceVersion="1", managedFields=[]),
            new=meta(resourceVersion="1", generation=2),
        ),
        "garbage collector: ownerReferences and finalizers, and nothing else",
    ),
    "a pod that has ended": (
        by("pod-garbage-collector", "DELETE", "pods", old={"status": {"phase": "Failed"}}),
        "pod garbage collector: pods that have ended or are already being deleted",
    ),
    "a pod that runs": (by("pod-garbage-collector", "DELETE", "pods", old={"status": {"phase": "Running"}}), ""),
    "a Job past its time": (
        by(
            "ttl-after-finished-controller",
            "DELETE",
            "jobs",
            group="batch",
            old=WITH_TIME | conditions(Failed="True"),
        ),
        "controller of finished Jobs' time to live: finished Jobs with ttlSecondsAfterFinished",
    ),
    "a Job that goes on": (
        by(
            "ttl-after-finished-controller",
            "DELETE",
            "jobs",
            group="batch",
            old=WITH_TIME,
        ),
        "",
    ),
    "an old ReplicaSet": (
        by(
            "deployment-controller",
            "DELETE",
            "replicasets",
            group="apps",
            old=NO_REPLICAS,
        ),
        "Deployment controller: old ReplicaSets of its Deployments, without replicas",
    ),
    "a ReplicaSet with pods": (
        by(
            "deployment-controller",
            "DELETE",
            "replicasets",
            group="apps",
            old=ONE_REPLICA,
        ),
        "",
    ),
    "a pod of a ReplicaSet": (
        by("replicaset-controller", "CREATE", "pods", new=owned("ReplicaSet")),
        "ReplicaSet controller: pods of its ReplicaSets",
    ),
    "a pod of a StatefulSet by another controller": (
        by("replicaset-controller", "DELETE", "pods", old=owned("StatefulSet")),
        "",
    ),
    "a pod of nobody": (by("replicaset-controller", "DELETE", "pods"), ""),
    "a pod that is adopted": (
        by("replicaset-controller", "UPDATE", "pods", old=meta(), new=owned("ReplicaSet")),
        "ReplicaSet controller: pods of its ReplicaSets",
    ),
    "a pod that is adopted and changed": (
        by("replicaset-controller", "UPDATE", "pods", old=meta(), new=owned("ReplicaSet", spec={"a": 1})),
        "",
    ),
    "a pod of a ReplicationController": (
        by("replication-controller", "DELETE", "pods", old=owned("ReplicationController")),
        "ReplicationController controller: pods of its ReplicationControllers",
    ),
    "a revision of a StatefulSet": (
        by("statefulset-controller", "DELETE", "controllerrevisions", group="apps", old=owned("StatefulSet")),
        "StatefulSet controller: controllerrevisions of its StatefulSets",
    ),
    "a claim": (by("statefulset-controller", "DELETE", "persistentvolumeclaims"), ""),
    "a pod of a DaemonSet in kube-system": (
        by("daemon-set-controller", "CREATE", "pods", namespace="kube-system", new=owned("DaemonSet")),
        "DaemonSet controller: pods of its DaemonSets",
    ),
    "a pod of a Job": (
        by("job-controller", "DELETE", "pods", old=owned("Job")),
        "Job controller: pods of its Jobs",
    ),
    "a Job of a CronJob": (
        by("cronjob-controller", "DELETE", "jobs", group="batch", old=owned("CronJob")),
        "CronJob controller: jobs of its CronJobs",
    ),
    "endpoints": (by("endpoint-controller", "DELETE", "endpoints"), "Endpoints controller: Endpoints"),
    "a slice of its own": (
        by(
            "endpointslice-controller",
            "DELETE",
            "endpointslices",
            group="discovery.k8s.io",
            old=meta(labels={SLICES: "endpointslice-controller.k8s.io"}),
        ),
        "EndpointSlice controller: EndpointSlices that it manages",
    ),
    "a slice of somebody's": (by("endpointslice-controller", "DELETE", "endpointslices", group="discovery.k8s.io"), ""),
    "a mirrored slice": (
        by(
            "endpointslicemirroring-controller",
            "CREATE",
            "endpointslices",
            group="discovery.k8s.io",
            new=meta(labels={SLICES: "endpointslicemirroring-controller.k8s.io"}),
        ),
        "EndpointSlice mirroring controller: EndpointSlices that it manages",
    ),
    "a pod that a taint drives away": (
        by("node-controller", "DELETE", "pods", old=conditions(DisruptionTarget="True,DeletionByTaintManager")),
        "node lifecycle and taint controllers: pods that a taint drives away",
    ),
    "a Node's deletion": (by("node-controller", "DELETE", "nodes", name="n1", namespace=""), ""),
    "approval of a kubelet's certificate": (
        by(
            "certificate-controller",
            "UPDATE",
            "certificatesigningrequests/approval",
            group="certificates.k8s.io",
            old=KUBELET_CERTIFICATE,
            new=KUBELET_CERTIFICATE,
        ),
        "controllers that approve, sign and clean up certificate requests: approval of kubelets' client certificates",
    ),
    "approval of another": (
        by("certificate-controller", "UPDATE", "certificatesigningrequests/approval", group="certificates.k8s.io"),
        "",
    ),
    "a claim's finalizer": (
        by("pvc-protection-controller", "UPDATE", "persistentvolumeclaims", old=meta(finalizers=["a"]), new=meta()),
        "claim protection: finalizers of claims, and nothing else",
    ),
    "a claim's size": (
        by("pvc-protection-controller", "UPDATE", "persistentvolumeclaims", old=meta(), new={"spec": {"a": 1}}),
        "",
    ),
    "a volume's finalizer": (
        by("pv-protection-controller", "UPDATE", "persistentvolumes", old=meta(finalizers=["a"]), new=meta()),
        "volume protection: finalizers of volumes, and nothing else",
    ),
    "a released volume that may go": (
        by(
            "persistent-volume-binder",
            "DELETE",
            "persistentvolumes",
            old={"spec": {"persistentVolumeReclaimPolicy": "Delete"}, "status": {"phase": "Released"}},
        ),
        "volume binder: released volumes with reclaim policy Delete",
    ),
    "a released volume that is to stay": (
        by(
            "persistent-volume-binder",
            "DELETE",
            "persistentvolumes",
            old={"spec": {"persistentVolumeReclaimPolicy": "Retain"}, "status": {"phase": "Released"}},
        ),
        "",
    ),
    "an attachment": (
        by("attachdetach-controller", "DELETE", "volumeattachments", group="storage.k8s.io"),
        "attach and detach controller: attachments of volumes to nodes",
    ),
    "the default account": (
        by("service-account-controller", "CREATE", "serviceaccounts", name="default"),
        "ServiceAccount controller: the default ServiceAccount of a namespace",
    ),
    "another account": (by("service-account-controller", "CREATE", "serviceaccounts", name="robot"), ""),
    "a token nobody uses": (
        by("legacy-service-account-token-cleaner", "DELETE", "secrets", old=TOKEN),
        "cleaner of unused ServiceAccount tokens: Secrets that hold ServiceAccount tokens",
    ),
    "another Secret": (by("legacy-service-account-token-cleaner", "DELETE", "secrets", old={"type": "Opaque"}), ""),
    "the CA's ConfigMap": (
        by("root-ca-cert-publisher", "CREATE", "configmaps", name="kube-root-ca.crt"),
        "publisher of the cluster's CA certificate: the ConfigMap kube-root-ca.crt of a namespace",
    ),
    "another ConfigMap": (by("root-ca-cert-publisher", "CREATE", "configmaps", name="settings"), ""),
    "rules that are collected": (
        by(
            "clusterrole-aggregation-controller",
            "UPDATE",
            "clusterroles",
            group=RBAC,
            old=COLLECTS | {"rules": []},
            new=COLLECTS | {"rules": [{"verbs": ["*"]}]},
        ),
        "ClusterRole aggregation controller: rules of ClusterRoles that aggregate others, and nothing else",
    ),
    "rules of a role that collects none": (
        by(
            "clusterrole-aggregation-controller",
            "UPDATE",
            "clusterroles",
            group=RBAC,
            old={"rules": []},
            new={"rules": [{"verbs": ["*"]}]},
        ),
        "",
    ),
    "an event": (by("job-controller", "CREATE", "events", group="events.k8s.io"), "Job controller: events"),
    "a person's deletion of a ReplicaSet's pod": (request("DELETE", "pods", old=owned("ReplicaSet")), ""),
}


@pytest.mark.parametrize(("review", "why"), ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_work(review: Request, why: str) -> None:
    """What looks like an identity's daily work is told; anything else under its name is not."""
    assert systems.ordinary_work(review) == why


def test_every_identity_is_tested() -> None:
    """Every identity has at least one piece of ordinary work that is recognised."""
    tested = {
        (systems.identity_of(review.user) or systems.IDENTITIES[0]).name for review, why in ORDINARY.values() if why
    }

    assert tested == {identity.name for identity in systems.IDENTITIES}


def test_what_is_not_shown_proves_nothing() -> None:
    """A review that does not show the object is no ordinary work on it."""
    unseen = replace(by("replicaset-controller", "DELETE", "pods"), old_object=None)

    assert systems.ordinary_work(unseen) == ""
