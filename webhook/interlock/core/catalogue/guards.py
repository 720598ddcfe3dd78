"""Family `defence`: the cluster's own configuration, what others guard it with, and Interlock itself.

Webhook configurations and admission policies never reach a webhook; the API server exempts them. Who may change them is
RBAC's matter: the grant rows find whom it gives that.
"""

from collections.abc import Iterator

from interlock.core import text, unstructured
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Entry, RoleBook, Seen
from interlock.core.catalogue.needs import CREATE, DELETE, UPDATE, any_write, changes, updates, writes
from interlock.core.catalogue.when import KUBE_SYSTEM, OWN, OWN_LABEL, When
from interlock.core.systems import identity_of, ordinary_work
from interlock.core.types import JsonObject, Reach, Request, Severity

FAMILY = "defence"
OWN_GROUP = "interlock.dev"
CLUSTER_CONFIG = frozenset(
    {"coredns", "kube-dns", "node-local-dns", "kube-proxy", "kubeadm-config", "kubelet-config", "cilium-config"}
)
STEERING = ("node-role.kubernetes.io/", "node-restriction.kubernetes.io/", "topology.kubernetes.io/")
STATUS_NODE = frozenset({"capacity", "allocatable", "addresses", "nodeInfo"})

_VERBS = {CREATE: "create", UPDATE: "change", DELETE: "delete"}


def did(request: Request) -> str:
    """The beginning of a sentence, for example ``delete APIService v1.example.org``."""
    return f"{_VERBS[request.operation]} {target.titled(request)}"


# ------------------------------------------------------------------------------------------------------- the cluster


def _api(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    service = unstructured.mapping(request.object, "spec", "service")
    if service and request.object and _spec(request.object) != _spec(request.old_object):
        where = "/".join(text.printable(unstructured.text(service, key)) for key in ("namespace", "name"))
        yield Seen(f"{did(request)}, so that Service {where} answers for its API group", Reach.everywhere())


def _spec(state: JsonObject | None) -> JsonObject:
    return unstructured.mapping(state, "spec")


def _conversion(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    before, after = (unstructured.mapping(state, "spec", "conversion") for state in request.states)
    if before != after and "webhook" in (*before, *after):
        yield Seen(f"{did(request)}: who converts its objects", Reach.everywhere())


def _config(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    changed = any(
        unstructured.mapping(request.object, field) != unstructured.mapping(request.old_object, field)
        for field in ("data", "binaryData")
    )
    if request.name in CLUSTER_CONFIG and request.namespace == KUBE_SYSTEM and changed:
        yield Seen(f"{did(request)}, by which the cluster works", Reach.everywhere())


def _default(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if not ordinary_work(request):
        yield Seen(f"{did(request)}, which holds for the whole cluster", Reach.everywhere())


def _lease(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.resource == "leases":
        before, after = (unstructured.text(state, "spec", "holderIdentity") for state in request.states)
        if identity_of(request.user) is None and before and before != after:
            yield Seen(f"{did(request)}: {text.printable(before)} no longer leads", target.reach(request))
    elif request.name == "kubernetes" and request.namespace == "default" and not ordinary_work(request):
        yield Seen(f"{did(request)}: where the API server is found", Reach.everywhere(), Severity.HIGH)


def _node(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if identity_of(request.user) is not None and ordinary_work(request):
        return
    if request.operation is CREATE:
        yield Seen(f"let {target.titled(request)} join", Reach.everywhere(), Severity.HIGH)
    elif request.subresource == "status":
        before, after = (unstructured.mapping(state, "status") for state in request.states)
        if forged := sorted(key for key in STATUS_NODE if before.get(key) != after.get(key)):
            yield Seen(f"write {text.listed(forged)} of {target.titled(request)}", Reach.everywhere(), Severity.HIGH)
    if steered := _steered(request):
        yield Seen(f"relabel {target.titled(request)}: {text.listed(steered)}", Reach.everywhere())


def _steered(request: Request) -> list[str]:
    if request.operation is CREATE:
        return []
    before, after = (unstructured.mapping(state, "metadata", "labels") for state in request.states)
    return sorted(
        key for key in before.keys() | after.keys() if key.startswith(STEERING) and before.get(key) != after.get(key)
    )


# ----------------------------------------------------------------------------------------------------- other guards


def _other_guard(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.group == "argoproj.io":
        if _spec(request.object).get("syncWindows") != _spec(request.old_object).get("syncWindows"):
            yield Seen(f"{did(request)}: when Argo CD may sync", target.reach(request))
    elif "fluxcd" in request.group:
        if unstructured.flag(request.object, "spec", "suspend") and not unstructured.flag(
            request.old_object, "spec", "suspend"
        ):
            yield Seen(f"suspend {target.titled(request)}: Flux no longer puts back what drifts", target.reach(request))
    elif request.operation is DELETE or _spec(request.object) != _spec(request.old_object):
        reach = target.reach(request) if request.namespace else Reach.everywhere()
        yield Seen(f"{did(request)}, which guards the cluster or excepts from it", reach)


def _interlock(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.resource in {"customresourcedefinitions", "apiservices"}:
        was = stays = request.name.endswith(f".{OWN_GROUP}")
    else:
        was, stays = (unstructured.text(state, "metadata", "labels", OWN_LABEL) == OWN for state in request.states)
    if was and (request.operation is DELETE or not stays or _body(request.object) != _body(request.old_object)):
        yield Seen(f"{did(request)}, a part of Interlock", Reach.everywhere())


def _body(state: JsonObject | None) -> JsonObject:
    return {key: value for key, value in (state or {}).items() if key not in {"metadata", "status"}}


GUARDS = (
    Entry(
        id="redirect-api",
        family=FAMILY,
        title="Let a Service answer for an API group of the API server",
        severity=Severity.CRITICAL,
        rules=(writes("apiregistration.k8s.io", "apiservices"),),
        misses="What the Service does with requests and their authors' identities.",
        example="kubectl apply -f apiservice.yaml",
        references=("T1557",),
        detect=_api,
    ),
    Entry(
        id="change-conversion",
        family=FAMILY,
        title="Change the webhook that converts the objects of a CustomResourceDefinition",
        severity=Severity.HIGH,
        rules=(writes("apiextensions.k8s.io", "customresourcedefinitions"),),
        misses="What the webhook makes of the objects.",
        example="kubectl apply -f widgets-crd.yaml",
        references=("T1565.002",),
        detect=_conversion,
    ),
    Entry(
        id="change-cluster-config",
        family=FAMILY,
        title="Change the configuration of DNS, kube-proxy, kubelets or kubeadm in kube-system",
        severity=Severity.CRITICAL,
        rules=(updates("", "configmaps", when=When.IN_KUBE_SYSTEM),),
        misses="Configuration on the nodes' disks; its deletion (delete-configmap finds that).",
        example="kubectl edit configmap coredns -n kube-system",
        references=("T1557", "T1584.002"),
        detect=_config,
    ),
    Entry(
        id="change-cluster-default",
        family=FAMILY,
        title="Change what holds for the whole cluster: flow control, priority, storage, ingress and runtime classes",
        severity=Severity.MEDIUM,
        rules=(
            any_write("flowcontrol.apiserver.k8s.io", "flowschemas", "prioritylevelconfigurations"),
            any_write("scheduling.k8s.io", "priorityclasses"),
            any_write("storage.k8s.io", "storageclasses", "csidrivers"),
            any_write("networking.k8s.io", "ingressclasses"),
            any_write("node.k8s.io", "runtimeclasses"),
        ),
        misses="Who relies on it.",
        example="kubectl delete flowschema catch-all",
        references=("T1499",),
        detect=_default,
    ),
    Entry(
        id="take-lease",
        family=FAMILY,
        title="Take a Lease in kube-system from its holder, or move the endpoints of the API server",
        severity=Severity.MEDIUM,
        raised="High for the endpoints of the Service kubernetes.",
        rules=(
            changes("coordination.k8s.io", "leases", when=When.IN_KUBE_SYSTEM),
            changes("", "endpoints", when=When.IN_DEFAULT),
            changes("discovery.k8s.io", "endpointslices", when=When.IN_DEFAULT),
        ),
        misses="Whether the holder was still alive: another replica that takes over looks the same.",
        example="kubectl delete lease kube-scheduler -n kube-system",
        references=("T1499",),
        detect=_lease,
    ),
    Entry(
        id="forge-node",
        family=FAMILY,
        title="Let a node join, write its capacity or addresses, or relabel it, by others than its kubelet",
        severity=Severity.MEDIUM,
        raised="High for a node that joins, and for capacity and addresses.",
        rules=(writes("", "nodes"), updates("", "nodes/status")),
        misses="Kubelets whose certificate somebody else holds.",
        example="kubectl label node worker-7 node-role.kubernetes.io/control-plane=",
        references=("T1036",),
        detect=_node,
    ),
    Entry(
        id="disarm-other-guard",
        family=FAMILY,
        title="Weaken what others guard with: sync windows, suspended Flux, exceptions of Kyverno, Gatekeeper, Falco",
        severity=Severity.HIGH,
        rules=(
            writes("argoproj.io", "appprojects"),
            updates("kustomize.toolkit.fluxcd.io", "kustomizations"),
            updates("helm.toolkit.fluxcd.io", "helmreleases"),
            any_write("kyverno.io", "policyexceptions", "clusterpolicies", "policies"),
            any_write("policies.kyverno.io", "*"),
            any_write("config.gatekeeper.sh", "configs"),
            changes("constraints.gatekeeper.sh", "*"),
            changes("templates.gatekeeper.sh", "constrainttemplates"),
            changes("falco.org", "*"),
            changes("cilium.io", "tracingpolicies"),
        ),
        misses="Webhook configurations and admission policies, which no webhook sees.",
        example="flux suspend kustomization shop -n flux-system",
        references=("T1562.001",),
        detect=_other_guard,
    ),
    Entry(
        id="weaken-interlock",
        family=FAMILY,
        title="Change or delete a part of Interlock: its workloads, Services, budgets, Secrets, CRDs",
        severity=Severity.CRITICAL,
        rules=(
            changes("apps", "deployments", when=When.OF_INTERLOCK),
            changes("", "services", "secrets", "serviceaccounts", when=When.OF_INTERLOCK),
            changes("policy", "poddisruptionbudgets", when=When.OF_INTERLOCK),
            changes(
                "rbac.authorization.k8s.io",
                "roles",
                "rolebindings",
                "clusterroles",
                "clusterrolebindings",
                when=When.OF_INTERLOCK,
            ),
            changes("apiextensions.k8s.io", "customresourcedefinitions"),
            changes("apiregistration.k8s.io", "apiservices"),
        ),
        misses="The webhook configuration, which no webhook sees (its deletion is the documented off switch); "
        "policies, of which every change is recorded anyway; a scale subresource, which shows no labels.",
        example="kubectl set image deployment/interlock-guard guard=example.org/other:1 -n interlock-system",
        references=("T1562.001",),
        detect=_interlock,
    ),
)
