"""Real reviews, recorded from an API server: what each is read as, what is found in it, whose ordinary work it is."""

import orjson
import pytest

from interlock.core import catalogue, jsonbytes, snapshot, systems, unstructured
from interlock.core.access.book import Book, ClusterRole
from interlock.core.review import request
from interlock.core.types import Request, RoleRule
from tests import vectors

CONTROLLERS = "system:serviceaccount:kube-system:"
READING = RoleRule(verbs=("get",), groups=("",), resources=("pods",))
ROLES = snapshot.build(access=Book(cluster_roles={"view": ClusterRole(rules=(READING,))}))


def summary(review: Request) -> str:
    """What tells one review from another, in one line; what is random in a name is a star, controllers are ~NAME."""
    where = f" in {review.namespace}" if review.namespace else ""
    marks = "".join(
        f" {mark}" for mark, is_so in {"dry-run": review.dry_run, "collection": review.in_collection}.items() if is_so
    )
    who = review.user.name.replace(CONTROLLERS, "~")
    return f"{review.operation} {review.resource_path} {_named(review)}{where} ({review.kind}) by {who}{marks}"


def _named(review: Request) -> str:
    stem = unstructured.text(review.object or review.old_object, "metadata", "generateName")
    return f"{stem}*" if stem and review.name.startswith(stem) else review.name


def seen(review: Request) -> list[str]:
    """The named findings, with severity and reach."""
    return [
        f"{finding.action} {finding.severity.title} {finding.reach}"
        for finding in catalogue.find(review, ROLES)
        if finding.named
    ]


# What each is read as, the named findings, and the ordinary work that it is.
EXPECTED: dict[str, tuple[str, list[str], str]] = {
    "approve-certificate": (
        "UPDATE certificatesigningrequests/approval eve (CertificateSigningRequest) by kubernetes-admin",
        ["approve-certificate Critical all"],
        "",
    ),
    "attach-get": (
        "CONNECT pods/attach web-0 in prod-shop (PodAttachOptions) by kubernetes-admin",
        ["attach High prod-shop"],
        "",
    ),
    "attach-spdy": (
        "CONNECT pods/attach web-0 in prod-shop (PodAttachOptions) by kubernetes-admin",
        ["attach High prod-shop"],
        "",
    ),
    "bind-admin-server-side": (
        "CREATE rolebindings admins in prod-shop (RoleBinding) by kubernetes-admin",
        ["grant-admin High prod-shop"],
        "",
    ),
    "bind-admin-server-side-new-subject": (
        "UPDATE rolebindings admins in prod-shop (RoleBinding) by kubernetes-admin",
        ["grant-admin High prod-shop"],
        "",
    ),
    "bind-cluster-admin": (
        "CREATE clusterrolebindings eve (ClusterRoleBinding) by kubernetes-admin",
        ["grant-admin Critical all"],
        "",
    ),
    "bind-cluster-admin-impersonated": (
        "CREATE clusterrolebindings oops (ClusterRoleBinding) by mallory dry-run",
        ["grant-admin Critical all"],
        "",
    ),
    "bind-edit-by-apply": (
        "CREATE rolebindings editors in prod-shop (RoleBinding) by kubernetes-admin",
        ["grant-admin High prod-shop"],
        "",
    ),
    "bind-edit-new-subject": (
        "UPDATE rolebindings editors in prod-shop (RoleBinding) by kubernetes-admin",
        ["grant-admin High prod-shop"],
        "",
    ),
    "bind-missing-role": (
        "CREATE rolebindings later in prod-shop (RoleBinding) by kubernetes-admin",
        ["grant-admin High prod-shop"],
        "",
    ),
    "bind-unauthenticated": (
        "CREATE clusterrolebindings open (ClusterRoleBinding) by kubernetes-admin",
        ["grant-anonymous Critical all"],
        "",
    ),
    "bind-view": (
        "CREATE clusterrolebindings readers (ClusterRoleBinding) by kubernetes-admin",
        [],
        "",
    ),
    "claim-protection": (
        "UPDATE persistentvolumeclaims data-db-0 in prod-shop (PersistentVolumeClaim) by ~pvc-protection-controller",
        [],
        "claim protection: finalizers of claims, and nothing else",
    ),
    "create-configmap": (
        "CREATE configmaps fresh in prod-shop (ConfigMap) by kubernetes-admin",
        [],
        "",
    ),
    "create-deployment": (
        "CREATE deployments rolling in prod-shop (Deployment) by kubernetes-admin",
        [],
        "",
    ),
    "create-generated-name": (
        "CREATE configmaps run-* in prod-shop (ConfigMap) by kubernetes-admin",
        [],
        "",
    ),
    "create-namespace": (
        "CREATE namespaces prod-new in prod-new (Namespace) by kubernetes-admin",
        ["create-namespace Medium prod-new"],
        "",
    ),
    "create-pod": (
        "CREATE pods to-schedule in prod-shop (Pod) by kubernetes-admin",
        [],
        "",
    ),
    "create-token": (
        "CREATE serviceaccounts/token default in prod-shop (TokenRequest) by kubernetes-admin",
        ["create-token High prod-shop"],
        "",
    ),
    "debug-container": (
        "UPDATE pods/ephemeralcontainers web-1 in prod-shop (Pod) by kubernetes-admin",
        ["debug-container Critical prod-shop", "weaken-container High prod-shop"],
        "",
    ),
    "delete-as-user": (
        "DELETE pods mine in prod-shop (Pod) by dana",
        ["delete-pod Medium prod-shop"],
        "",
    ),
    "delete-binding": (
        "DELETE clusterrolebindings open (ClusterRoleBinding) by kubernetes-admin",
        ["delete-role Medium all"],
        "",
    ),
    "delete-claim-bound": (
        "DELETE persistentvolumeclaims data-db-0 in prod-shop (PersistentVolumeClaim) by kubernetes-admin",
        ["delete-volume Critical prod-shop"],
        "",
    ),
    "delete-claim-pending": (
        "DELETE persistentvolumeclaims unbound in prod-shop (PersistentVolumeClaim) by kubernetes-admin",
        ["delete-volume High prod-shop"],
        "",
    ),
    "delete-collection-configmap": (
        "DELETE configmaps fresh in prod-shop (ConfigMap) by kubernetes-admin collection",
        ["delete-collection High prod-shop", "delete-configmap Medium prod-shop"],
        "",
    ),
    "delete-collection-pod": (
        "DELETE pods one-of-many in prod-shop (Pod) by kubernetes-admin collection",
        ["delete-collection High prod-shop", "delete-pod Medium prod-shop"],
        "",
    ),
    "delete-configmap": (
        "DELETE configmaps shop-settings in prod-shop (ConfigMap) by kubernetes-admin",
        ["delete-configmap Medium prod-shop"],
        "",
    ),
    "delete-crd": (
        "DELETE customresourcedefinitions widgets.example.org (CustomResourceDefinition) by kubernetes-admin",
        ["delete-crd Critical all"],
        "",
    ),
    "delete-cronjob": (
        "DELETE cronjobs nightly in prod-shop (CronJob) by kubernetes-admin",
        ["delete-workload High prod-shop"],
        "",
    ),
    "delete-daemonset": (
        "DELETE daemonsets agent in prod-shop (DaemonSet) by kubernetes-admin",
        ["delete-workload High prod-shop"],
        "",
    ),
    "delete-deployment-foreground": (
        "DELETE deployments web in prod-shop (Deployment) by kubernetes-admin",
        ["delete-workload High prod-shop"],
        "",
    ),
    "delete-deployment-orphan": (
        "DELETE deployments orphaning in prod-shop (Deployment) by kubernetes-admin",
        ["delete-workload High prod-shop", "orphan-dependents Medium prod-shop"],
        "",
    ),
    "delete-httproute": (
        "DELETE httproutes shop in prod-shop (HTTPRoute) by kubernetes-admin",
        ["delete-service High prod-shop"],
        "",
    ),
    "delete-ingress": (
        "DELETE ingresses shop in prod-shop (Ingress) by kubernetes-admin",
        ["delete-service High prod-shop"],
        "",
    ),
    "delete-namespace": (
        "DELETE namespaces prod-old in prod-old (Namespace) by kubernetes-admin",
        ["delete-namespace Critical prod-old"],
        "",
    ),
    "delete-namespace-as-namespace-controller": (
        "DELETE namespaces prod-shop in prod-shop (Namespace) by ~namespace-controller dry-run",
        ["delete-namespace Critical prod-shop"],
        "",
    ),
    "delete-namespace-dry-run": (
        "DELETE namespaces prod-shop in prod-shop (Namespace) by kubernetes-admin dry-run",
        ["delete-namespace Critical prod-shop"],
        "",
    ),
    "delete-namespace-impersonated": (
        "DELETE namespaces prod-shop in prod-shop (Namespace) by mallory dry-run",
        ["delete-namespace Critical prod-shop"],
        "",
    ),
    "delete-node": (
        "DELETE nodes worker-7 (Node) by kubernetes-admin",
        ["delete-node High all"],
        "",
    ),
    "delete-pod": (
        "DELETE pods graceful in prod-shop (Pod) by kubernetes-admin",
        ["delete-pod Medium prod-shop"],
        "",
    ),
    "delete-pod-forced-1": (
        "DELETE pods forced in prod-shop (Pod) by kubernetes-admin",
        ["force-delete-pod High prod-shop", "delete-pod Medium prod-shop"],
        "",
    ),
    "delete-pod-forced-2": (
        "DELETE pods forced in prod-shop (Pod) by kubernetes-admin",
        ["force-delete-pod High prod-shop", "delete-pod Medium prod-shop"],
        "",
    ),
    "delete-pod-kubelet-1": (
        "DELETE pods graceful in prod-shop (Pod) by system:node:node-1",
        ["force-delete-pod High prod-shop", "delete-pod Medium prod-shop"],
        "",
    ),
    "delete-pod-kubelet-2": (
        "DELETE pods graceful in prod-shop (Pod) by system:node:node-1",
        ["force-delete-pod High prod-shop", "delete-pod Medium prod-shop"],
        "",
    ),
    "delete-pod-unscheduled-1": (
        "DELETE pods unscheduled in prod-shop (Pod) by kubernetes-admin",
        ["delete-pod Medium prod-shop"],
        "",
    ),
    "delete-pod-unscheduled-2": (
        "DELETE pods unscheduled in prod-shop (Pod) by kubernetes-admin",
        ["delete-pod Medium prod-shop"],
        "",
    ),
    "delete-secret": (
        "DELETE secrets db-password in prod-shop (Secret) by kubernetes-admin",
        ["delete-secret High prod-shop"],
        "",
    ),
    "delete-service": (
        "DELETE services shop in prod-shop (Service) by kubernetes-admin",
        ["delete-service High prod-shop"],
        "",
    ),
    "delete-statefulset-with-claims": (
        "DELETE statefulsets db in prod-shop (StatefulSet) by kubernetes-admin",
        ["delete-workload Critical prod-shop"],
        "",
    ),
    "delete-volume-available": (
        "DELETE persistentvolumes pv-free (PersistentVolume) by kubernetes-admin",
        ["delete-volume High none"],
        "",
    ),
    "delete-volume-released": (
        "DELETE persistentvolumes pv-data (PersistentVolume) by kubernetes-admin",
        ["delete-volume Critical prod-shop"],
        "",
    ),
    "delete-with-finalizer": (
        "DELETE configmaps held in prod-shop (ConfigMap) by kubernetes-admin",
        ["delete-configmap Medium prod-shop"],
        "",
    ),
    "deployment-controller-create": (
        "CREATE replicasets rolling-7447769d76 in prod-shop (ReplicaSet) by ~deployment-controller",
        [],
        "Deployment controller: ReplicaSets of its Deployments",
    ),
    "deployment-controller-status": (
        "UPDATE deployments/status rolling in prod-shop (Deployment) by ~deployment-controller",
        [],
        "Deployment controller: status of deployments",
    ),
    "evict-pod": (
        "CREATE pods/eviction evicted in prod-shop (Eviction) by kubernetes-admin",
        ["evict-pod High prod-shop"],
        "",
    ),
    "exec-interactive": (
        "CONNECT pods/exec web-0 in prod-shop (PodExecOptions) by kubernetes-admin",
        ["exec High prod-shop"],
        "",
    ),
    "exec-missing-pod": (
        "CONNECT pods/exec nobody in prod-shop (PodExecOptions) by kubernetes-admin",
        ["exec High prod-shop"],
        "",
    ),
    "exec-spdy": (
        "CONNECT pods/exec web-0 in prod-shop (PodExecOptions) by kubernetes-admin",
        ["exec High prod-shop"],
        "",
    ),
    "exec-websocket": (
        "CONNECT pods/exec web-0 in prod-shop (PodExecOptions) by kubernetes-admin",
        ["exec High prod-shop"],
        "",
    ),
    "garbage-collector-delete": (
        "DELETE replicasets web-d78fdd4d7 in prod-shop (ReplicaSet) by ~generic-garbage-collector",
        ["delete-workload High prod-shop"],
        "",
    ),
    "garbage-collector-orphan": (
        "UPDATE replicasets orphaning-5ff8dfd54c in prod-shop (ReplicaSet) by ~generic-garbage-collector",
        [],
        "garbage collector: ownerReferences and finalizers, and nothing else",
    ),
    "garbage-collector-remove-finalizer": (
        "UPDATE deployments web in prod-shop (Deployment) by ~generic-garbage-collector",
        [],
        "garbage collector: ownerReferences and finalizers, and nothing else",
    ),
    "job-controller-create": (
        "CREATE pods short-* in prod-shop (Pod) by ~job-controller",
        [],
        "Job controller: pods of its Jobs",
    ),
    "kubelet-pod-status": (
        "UPDATE pods/status to-schedule in prod-shop (Pod) by system:node:node-1",
        [],
        "kubelet: status of its pods",
    ),
    "label-binding": (
        "UPDATE rolebindings admins in prod-shop (RoleBinding) by kubernetes-admin",
        [],
        "",
    ),
    "label-namespace": (
        "UPDATE namespaces prod-new in prod-new (Namespace) by kubernetes-admin",
        [],
        "",
    ),
    "namespace-controller-delete": (
        "DELETE configmaps kube-root-ca.crt in prod-old (ConfigMap) by ~namespace-controller collection",
        ["delete-collection High prod-old", "delete-configmap Medium prod-old"],
        "",
    ),
    "namespace-controller-finalize": (
        "UPDATE namespaces/finalize prod-old in prod-old (Namespace) by ~namespace-controller",
        [],
        "namespace controller: status and finalizers of a terminating namespace",
    ),
    "node-proxy": (
        "CONNECT nodes/proxy node-1 (NodeProxyOptions) by kubernetes-admin",
        ["node-proxy Critical all"],
        "",
    ),
    "pod-proxy": (
        "CONNECT pods/proxy http:web-0:8080 in prod-shop (PodProxyOptions) by kubernetes-admin",
        ["proxy Medium prod-shop"],
        "",
    ),
    "port-forward-get": (
        "CONNECT pods/portforward web-0 in prod-shop (PodPortForwardOptions) by kubernetes-admin",
        ["port-forward Medium prod-shop"],
        "",
    ),
    "port-forward-spdy": (
        "CONNECT pods/portforward web-0 in prod-shop (PodPortForwardOptions) by kubernetes-admin",
        ["port-forward Medium prod-shop"],
        "",
    ),
    "remove-finalizer": (
        "UPDATE configmaps held in prod-shop (ConfigMap) by kubernetes-admin",
        ["remove-finalizer High prod-shop"],
        "",
    ),
    "replicaset-controller-create": (
        "CREATE pods rolling-7447769d76-* in prod-shop (Pod) by ~replicaset-controller",
        [],
        "ReplicaSet controller: pods of its ReplicaSets",
    ),
    "replicaset-controller-delete": (
        "DELETE pods rolling-7447769d76-* in prod-shop (Pod) by ~replicaset-controller",
        [],
        "ReplicaSet controller: pods of its ReplicaSets",
    ),
    "request-certificate": (
        "CREATE certificatesigningrequests eve (CertificateSigningRequest) by kubernetes-admin",
        [],
        "",
    ),
    "role-aggregated": (
        "UPDATE clusterroles admin (ClusterRole) by ~clusterrole-aggregation-controller",
        [
            "grant-wildcard Critical all",
            "grant-escalation Critical all",
            "grant-node-access Critical all",
            "grant-certificates Critical all",
            "grant-deletion Critical all",
            "change-system-role Critical all",
            "grant-sessions High all",
            "grant-control High all",
        ],
        "ClusterRole aggregation controller: rules of ClusterRoles that aggregate others, and nothing else",
    ),
    "role-escalate": (
        "CREATE clusterroles climber (ClusterRole) by kubernetes-admin",
        ["grant-escalation Critical all"],
        "",
    ),
    "role-for-aggregation": (
        "CREATE clusterroles extra (ClusterRole) by kubernetes-admin",
        [
            "grant-wildcard Critical all",
            "grant-escalation Critical all",
            "grant-secrets Critical all",
            "grant-node-access Critical all",
            "grant-tokens Critical all",
            "grant-certificates Critical all",
            "grant-deletion Critical all",
            "grant-sessions High all",
            "grant-workloads High all",
            "grant-control High all",
        ],
        "",
    ),
    "role-impersonate": (
        "UPDATE roles reader in prod-shop (Role) by kubernetes-admin",
        ["grant-escalation Critical prod-shop"],
        "",
    ),
    "role-label-aggregation": (
        "UPDATE clusterroles extra (ClusterRole) by kubernetes-admin",
        [
            "grant-wildcard Critical all",
            "grant-escalation Critical all",
            "grant-secrets Critical all",
            "grant-node-access Critical all",
            "grant-tokens Critical all",
            "grant-certificates Critical all",
            "grant-deletion Critical all",
            "grant-by-label Critical all",
            "grant-sessions High all",
            "grant-workloads High all",
            "grant-control High all",
        ],
        "",
    ),
    "role-reading": (
        "CREATE roles reader in prod-shop (Role) by kubernetes-admin",
        [],
        "",
    ),
    "role-wildcard": (
        "CREATE clusterroles all (ClusterRole) by kubernetes-admin",
        [
            "grant-wildcard Critical all",
            "grant-escalation Critical all",
            "grant-secrets Critical all",
            "grant-node-access Critical all",
            "grant-tokens Critical all",
            "grant-certificates Critical all",
            "grant-deletion Critical all",
            "grant-sessions High all",
            "grant-workloads High all",
            "grant-control High all",
        ],
        "",
    ),
    "root-ca-publisher": (
        "CREATE configmaps kube-root-ca.crt in prod-new (ConfigMap) by ~root-ca-cert-publisher",
        [],
        "publisher of the cluster's CA certificate: the ConfigMap kube-root-ca.crt of a namespace",
    ),
    "scale-to-zero": (
        "UPDATE deployments/scale shop in prod-shop (Scale) by kubernetes-admin",
        ["scale-to-zero High prod-shop"],
        "",
    ),
    "scheduler-binding": (
        "CREATE pods/binding to-schedule in prod-shop (Binding) by system:kube-scheduler",
        [],
        "scheduler: binding of pods to nodes",
    ),
    "service-account-controller": (
        "CREATE serviceaccounts default in prod-new (ServiceAccount) by ~service-account-controller",
        [],
        "ServiceAccount controller: the default ServiceAccount of a namespace",
    ),
    "service-proxy": (
        "CONNECT services/proxy shop in prod-shop (ServiceProxyOptions) by kubernetes-admin",
        ["proxy Medium prod-shop"],
        "",
    ),
    "ttl-controller-delete": (
        "DELETE jobs short in prod-shop (Job) by ~ttl-after-finished-controller",
        ["delete-workload High prod-shop"],
        "controller of finished Jobs' time to live: finished Jobs with ttlSecondsAfterFinished",
    ),
    "write-status": (
        "UPDATE deployments/status shop in prod-shop (Deployment) by kubernetes-admin",
        [],
        "",
    ),
}


def test_every_vector_is_expected() -> None:
    """No recorded review goes without an expectation, and none is expected in vain."""
    assert sorted(EXPECTED) == vectors.names()


@pytest.mark.parametrize("name", vectors.names())
def test_vector(name: str) -> None:
    """A recorded review is read, found in, and attributed, as it should be."""
    review = request.parse(vectors.read(name))

    assert (summary(review), seen(review), systems.ordinary_work(review)) == EXPECTED[name]


@pytest.mark.parametrize("name", vectors.names())
def test_plain_finding(name: str) -> None:
    """Every request has exactly one plain finding, the least of all, that reaches the namespace of its object."""
    review = request.parse(vectors.read(name))

    found = catalogue.find(review, ROLES)

    [plain] = [finding for finding in found if not finding.named]
    assert found == tuple(sorted(found, key=lambda finding: -finding.severity))
    assert (plain.action, str(plain.reach)) == (review.operation.lower(), review.namespace or "none")


@pytest.mark.parametrize("name", vectors.names())
def test_real_reviews_take_the_fast_path(name: str) -> None:
    """What an API server writes is proven free of repeated keys by writing it again, not by reading token by token."""
    body = vectors.read(name)

    assert jsonbytes.is_written(body, orjson.loads(body))


def test_exec_tells_no_arguments() -> None:
    """What is passed to a program in a pod may be a secret, and stands in no finding."""
    review = request.parse(vectors.read("exec-websocket"))

    evidence = [finding.evidence for finding in catalogue.find(review, ROLES)]

    assert evidence == [
        "exec echo with 2 arguments in pod web-0 in prod-shop, container app",
        "connect pods/exec web-0 in prod-shop",
    ]
