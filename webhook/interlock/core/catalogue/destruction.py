"""Family `destruction`: actions that delete what may not come back, one object or one collection at a time.

Admission sees a deletion before it happens, but only the object named: what goes with it (children by garbage
collection, everything in a namespace) is deleted later by controllers, so it is the first step that has to be judged.
"""

from collections.abc import Iterator

from interlock.core import text, unstructured
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Entry, RoleBook, Rule, Seen
from interlock.core.types import Operation, Request, Severity

FAMILY = "destruction"
SYSTEM_NAMESPACE = "kube-system"


def _deletes(group: str, *resources: str) -> Rule:
    return Rule(operations=(Operation.DELETE,), groups=(group,), resources=resources)


def _deleted(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield Seen(f"delete {target.titled(request)}", target.reach(request))


def _namespace(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield Seen(f"delete {target.titled(request)} and everything in it", target.reach(request))


def _crd(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    kind = text.printable(unstructured.text(request.old_object, "spec", "names", "kind")) or "object of its kind"
    yield Seen(f"delete {target.titled(request)} and every {kind} in the cluster", target.reach(request))


def _volume(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    bound = _claimed_by(request) if request.resource == "persistentvolumes" else _bound_to(request)
    evidence = f"delete {target.titled(request)}, " + (bound or "not bound")
    yield Seen(evidence, target.reach(request), Severity.CRITICAL if bound else None)


def _claimed_by(request: Request) -> str:
    claim = unstructured.mapping(request.old_object, "spec", "claimRef")
    if not claim:
        return ""
    policy = text.printable(unstructured.text(request.old_object, "spec", "persistentVolumeReclaimPolicy")) or "Retain"
    name, namespace = (text.printable(unstructured.text(claim, key)) for key in ("name", "namespace"))
    return f"claimed by {name} in {namespace}, reclaim policy {policy}"


def _bound_to(request: Request) -> str:
    volume = text.printable(unstructured.text(request.old_object, "spec", "volumeName"))
    return f"bound to PersistentVolume {volume}" if volume else ""


def _workload(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    spec = unstructured.mapping(request.old_object, "spec")
    with_claims = unstructured.text(spec, "persistentVolumeClaimRetentionPolicy", "whenDeleted") == "Delete"
    replicas = unstructured.integer(spec, "replicas")
    size = "" if replicas is None else f", {text.counted(replicas, 'replica')}"
    claims = ", its claims are deleted with it" if with_claims else ""
    yield Seen(
        f"delete {target.titled(request)}{size}{claims}",
        target.reach(request),
        Severity.CRITICAL if with_claims else None,
    )


def _secret(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    kind = text.printable(unstructured.text(request.old_object, "type"))
    yield Seen(f"delete {target.titled(request)}" + (f", type {kind}" if kind else ""), target.reach(request))


def _configmap(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    severity = Severity.HIGH if request.namespace == SYSTEM_NAMESPACE else None
    yield Seen(f"delete {target.titled(request)}", target.reach(request), severity)


def _collection(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.in_collection:
        yield Seen(f"delete {target.titled(request)} as one of a whole collection", target.reach(request))


DESTRUCTION = (
    Entry(
        id="delete-namespace",
        family=FAMILY,
        title="Delete a namespace and everything in it",
        severity=Severity.CRITICAL,
        rules=(_deletes("", "namespaces"),),
        misses="What is in the namespace: its objects are deleted afterwards, one by one, by the namespace controller.",
        example="kubectl delete namespace prod-shop",
        references=("T1485",),
        goes_round=(
            "delete-workload",
            "delete-volume",
            "delete-service",
            "delete-secret",
            "delete-configmap",
            "delete-backup",
            "delete-application",
        ),
        detect=_namespace,
    ),
    Entry(
        id="delete-crd",
        family=FAMILY,
        title="Delete a CustomResourceDefinition and every object of its kind",
        severity=Severity.CRITICAL,
        rules=(_deletes(target.CRDS[0], target.CRDS[1]),),
        misses="How many objects of the kind there are: they go with it, in all namespaces.",
        example="kubectl delete crd widgets.example.com",
        references=("T1485",),
        goes_round=("delete-backup", "delete-application", "delete-infrastructure"),
        detect=_crd,
    ),
    Entry(
        id="delete-volume",
        family=FAMILY,
        title="Delete a persistent volume or a claim",
        severity=Severity.HIGH,
        raised="Critical where a claim is bound, or a volume has or had a claim: there is data.",
        rules=(_deletes("", "persistentvolumes", "persistentvolumeclaims"),),
        misses="What the storage behind it keeps; the reclaim policy behind a claim; deletion outside the cluster.",
        example="kubectl delete pvc data-db-0 -n prod-shop",
        references=("T1485",),
        detect=_volume,
    ),
    Entry(
        id="delete-workload",
        family=FAMILY,
        title="Delete a workload: Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob and the like",
        severity=Severity.HIGH,
        raised="Critical where a StatefulSet takes its claims with it (whenDeleted: Delete).",
        rules=(
            _deletes("apps", "deployments", "statefulsets", "daemonsets", "replicasets"),
            _deletes("batch", "jobs", "cronjobs"),
            _deletes("", "replicationcontrollers"),
            _deletes("argoproj.io", "rollouts"),
            _deletes("apps.kruise.io", "clonesets", "statefulsets", "daemonsets"),
            _deletes("serving.knative.dev", "services"),
        ),
        misses="Its pods, which the garbage collector deletes later; the same outage by scaling to zero.",
        example="kubectl delete deployment web -n prod-shop",
        references=("T1489",),
        detect=_workload,
    ),
    Entry(
        id="delete-service",
        family=FAMILY,
        title="Delete what traffic comes in by: Service, Ingress, Gateway, routes",
        severity=Severity.HIGH,
        rules=(
            _deletes("", "services"),
            _deletes("networking.k8s.io", "ingresses"),
            _deletes("gateway.networking.k8s.io", "gateways", "httproutes", "grpcroutes", "tlsroutes", "tcproutes"),
            _deletes("networking.istio.io", "gateways", "virtualservices"),
            _deletes("traefik.io", "ingressroutes", "ingressroutetcps"),
            _deletes("route.openshift.io", "routes"),
        ),
        misses="Whether anybody uses it; the release of a cloud load balancer's address.",
        example="kubectl delete ingress shop -n prod-shop",
        references=("T1489",),
        detect=_deleted,
    ),
    Entry(
        id="delete-secret",
        family=FAMILY,
        title="Delete a Secret",
        severity=Severity.HIGH,
        rules=(_deletes("", "secrets"),),
        misses="Who uses it: pods that run keep what they have read, pods that start fail.",
        example="kubectl delete secret db-password -n prod-shop",
        references=("T1485",),
        detect=_secret,
    ),
    Entry(
        id="delete-configmap",
        family=FAMILY,
        title="Delete a ConfigMap",
        severity=Severity.MEDIUM,
        raised="High in kube-system: the cluster's own configuration.",
        rules=(_deletes("", "configmaps"),),
        misses="Who uses it: pods that run keep what they have read, pods that start fail.",
        example="kubectl delete configmap shop-settings -n prod-shop",
        references=("T1485",),
        detect=_configmap,
    ),
    Entry(
        id="delete-node",
        family=FAMILY,
        title="Delete a Node",
        severity=Severity.HIGH,
        rules=(_deletes(*target.NODES),),
        misses="Whose pods run there (so it reaches all namespaces); the machine itself being switched off.",
        example="kubectl delete node worker-7",
        references=("T1489",),
        detect=_deleted,
    ),
    Entry(
        id="delete-collection",
        family=FAMILY,
        title="Delete a whole collection of objects in one call",
        severity=Severity.HIGH,
        rules=(Rule(operations=(Operation.DELETE,), groups=("*",), resources=("*",), collections=True),),
        misses="How many members there are: each is reviewed by itself, in order, and a denial stops the rest. "
        "`kubectl delete --all` is many single deletes, no collection.",
        example="kubectl delete --raw '/api/v1/namespaces/prod-shop/pods'",
        references=("T1485",),
        detect=_collection,
    ),
)
