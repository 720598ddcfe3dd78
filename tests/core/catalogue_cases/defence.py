"""Family `defence`."""

from dataclasses import replace
from typing import Any

from interlock.core.types import JsonObject, Request, User
from tests.core.catalogue_cases.backdoors import OPERATOR, change, spec
from tests.core.catalogue_cases.case import Case, delete
from tests.core.catalogue_cases.recovery import marked
from tests.core.catalogue_cases.workload import create
from tests.support.identities import NODE
from tests.support.policies import request

KEEP = {"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}}
OURS = {"metadata": {"labels": {"app.kubernetes.io/name": "interlock"}}}
SERVER = User(name="system:apiserver", groups=("system:masters",))


def budget(old: JsonObject, new: JsonObject) -> Request:
    """A change of a PodDisruptionBudget."""
    return change("poddisruptionbudgets", {"spec": old}, {"spec": new}, group="policy", kind="PodDisruptionBudget")


def quota(old: JsonObject, new: JsonObject) -> Request:
    """A change of a ResourceQuota."""
    return change("resourcequotas", {"spec": {"hard": old}}, {"spec": {"hard": new}}, kind="ResourceQuota")


def enforced(level: str = "", mode: str = "enforce") -> JsonObject:
    """A namespace with a level of pod security."""
    return {"metadata": {"labels": {f"pod-security.kubernetes.io/{mode}": level} if level else {}}}


def namespace(old: JsonObject, new: JsonObject, subresource: str = "") -> Request:
    """A change of Namespace shop."""
    return change(f"namespaces{subresource}", old, new, kind="Namespace", name="shop")


def network(old: JsonObject | None, new: JsonObject) -> Request:
    """A write of a NetworkPolicy."""
    more: dict[str, Any] = {"group": "networking.k8s.io", "kind": "NetworkPolicy"}
    if old is None:
        return create("networkpolicies", {"spec": new}, **more)
    return change("networkpolicies", {"spec": old}, {"spec": new}, **more)


FROM_A = {"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}
FROM_B = {"from": [{"podSelector": {"matchLabels": {"app": "b"}}}]}
CLOSED = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
SERVICE = {"spec": {"group": "example.org", "service": {"namespace": "shop", "name": "api"}}}

NETS: dict[str, Case] = {
    "a budget": (
        "remove-safety-net",
        delete("poddisruptionbudgets", "web", group="policy", kind="PodDisruptionBudget"),
        ["Medium, reaches shop: delete PodDisruptionBudget web in shop, which keeps mistakes small"],
    ),
    "not a budget of another kind": ("remove-safety-net", delete("budgets", "web", group="example.org"), []),
    "fewer pods that have to stay": (
        "loosen-safety-net",
        budget({"minAvailable": 2}, {"minAvailable": 1}),
        ["Medium, reaches shop: loosen PodDisruptionBudget web in shop: fewer pods have to stay"],
    ),
    "a share instead of a number, other pods": (
        "loosen-safety-net",
        budget({"minAvailable": 2, "selector": {"a": "b"}}, {"maxUnavailable": "100%"}),
        [
            (
                "Medium, reaches shop: loosen PodDisruptionBudget web in shop: fewer pods have to stay, "
                "other pods are meant"
            ),
        ],
    ),
    "a larger quota, and one that goes": (
        "loosen-safety-net",
        quota({"pods": "10", "memory": "1Gi", "cpu": "2"}, {"pods": "10", "memory": "2000Mi"}),
        ["Medium, reaches shop: loosen ResourceQuota web in shop: more memory, more cpu"],
    ),
    "an autoscaler that may go lower": (
        "loosen-safety-net",
        change(
            "horizontalpodautoscalers",
            spec(minReplicas=3, maxReplicas=9),
            spec(minReplicas=1, maxReplicas=9),
            group="autoscaling",
            kind="HPA",
        ),
        ["Medium, reaches shop: loosen HPA web in shop: fewer replicas have to be"],
    ),
    "not a tighter budget": ("loosen-safety-net", budget({"maxUnavailable": 2}, {"maxUnavailable": 1}), []),
    "not a smaller quota": ("loosen-safety-net", quota({"cpu": "2"}, {"cpu": "1500m"}), []),
    "not a new limit": (
        "loosen-safety-net",
        change(
            "limitranges", spec(limits=[{"type": "Pod"}]), spec(limits=[{"type": "Pod"}, {"type": "PVC"}]), kind="L"
        ),
        [],
    ),
    "a mark that goes, by a status write": (
        "remove-keeping-mark",
        change("persistentvolumeclaims/status", KEEP, {}, kind="PersistentVolumeClaim", name="data"),
        [
            (
                "High, reaches shop: remove helm.sh/resource-policy of PersistentVolumeClaim data in shop, by which "
                "Helm keeps it at uninstall"
            ),
        ],
    ),
    "a mark that means less": (
        "remove-keeping-mark",
        change(
            "widgets",
            marked("labels", "policy.kruise.io/delete-protection"),
            {"metadata": {"labels": {"policy.kruise.io/delete-protection": "Off"}}},
            group="example.org",
            kind="Widget",
        ),
        [
            (
                "High, reaches shop: change policy.kruise.io/delete-protection of Widget web in shop, by which "
                "OpenKruise refuses its deletion"
            ),
        ],
    ),
    "not a mark that comes": ("remove-keeping-mark", change("pods", {}, KEEP, kind="Pod"), []),
    "a lower level, by finalize": (
        "lower-pod-security",
        namespace(enforced("restricted"), enforced("baseline"), "/finalize"),
        ["High, reaches shop: lower pod security (enforce) of Namespace shop from restricted to baseline"],
    ),
    "no level": (
        "lower-pod-security",
        namespace(enforced("baseline", "warn"), enforced()),
        ["Medium, reaches shop: lower pod security (warn) of Namespace shop from baseline to privileged"],
    ),
    "no injection": (
        "lower-pod-security",
        namespace(marked("labels", "istio-injection"), {}),
        ["Medium, reaches shop: change sidecar injection of Namespace shop: istio-injection"],
    ),
    "not a higher level": ("lower-pod-security", namespace(enforced("baseline"), enforced("restricted")), []),
    "a deletion": (
        "loosen-network-policy",
        delete("networkpolicies", "deny", group="networking.k8s.io", kind="NetworkPolicy"),
        ["High, reaches shop: delete NetworkPolicy deny in shop, which confines traffic"],
    ),
    "another rule, fewer directions": (
        "loosen-network-policy",
        network(CLOSED | {"ingress": [FROM_A]}, CLOSED | {"policyTypes": ["Ingress"], "ingress": [FROM_A, FROM_B]}),
        [
            (
                "High, reaches shop: loosen NetworkPolicy web in shop: another ingress rule, a direction is no longer "
                "confined"
            ),
        ],
    ),
    "a policy that permits everything": (
        "loosen-network-policy",
        network(None, CLOSED | {"ingress": [{}]}),
        ["High, reaches shop: create NetworkPolicy web in shop: ingress from or to anywhere"],
    ),
    "not a rule that goes": (
        "loosen-network-policy",
        network(CLOSED | {"ingress": [FROM_A, FROM_B]}, CLOSED | {"ingress": [FROM_A]}),
        [],
    ),
    "not a new policy that permits some": ("loosen-network-policy", network(None, CLOSED | {"ingress": [FROM_A]}), []),
}


def configmap(operation: str, name: str, home: str = "kube-system", **data: str) -> Request:
    """A write of a ConfigMap."""
    old = {"data": {"Corefile": "."}} if operation == "UPDATE" else None
    return replace(request(operation, "configmaps", name=name, namespace=home, old=old, new={"data": data}), kind="C")


def node(operation: str, old: JsonObject, new: JsonObject, *, status: bool = False, user: User = OPERATOR) -> Request:
    """A write of Node n1."""
    resource = "nodes/status" if status else "nodes"
    objects: dict[str, Any] = {"new": new} | ({"old": old} if operation == "UPDATE" else {})
    return replace(request(operation, resource, name="n1", namespace="", user=user, **objects), kind="Node")


def lease(old: str, new: str, *, user: User = OPERATOR, home: str = "kube-system") -> Request:
    """A change of a Lease's holder."""
    return change(
        "leases",
        spec(holderIdentity=old),
        spec(holderIdentity=new),
        group="coordination.k8s.io",
        kind="Lease",
        name="ccm",
        namespace=home,
        user=user,
    )


GUARDS: dict[str, Case] = {
    "a Service that answers for an API group": (
        "redirect-api",
        create("apiservices", SERVICE, group="apiregistration.k8s.io", kind="APIService", name="v1.e", namespace=""),
        ["Critical, reaches all: create APIService v1.e, so that Service shop/api answers for its API group"],
    ),
    "not a group of the API server itself": (
        "redirect-api",
        create("apiservices", spec(), group="apiregistration.k8s.io", kind="APIService", namespace=""),
        [],
    ),
    "a webhook that converts": (
        "change-conversion",
        change(
            "customresourcedefinitions",
            spec(conversion={"strategy": "None"}),
            spec(conversion={"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://e.example"}}}),
            group="apiextensions.k8s.io",
            kind="CRD",
            name="w.example.org",
            namespace="",
        ),
        ["High, reaches all: change CRD w.example.org: who converts its objects"],
    ),
    "not another version": (
        "change-conversion",
        change(
            "customresourcedefinitions",
            spec(versions=[]),
            spec(versions=["v1"]),
            group="apiextensions.k8s.io",
            kind="CRD",
        ),
        [],
    ),
    "the configuration of DNS": (
        "change-cluster-config",
        configmap("UPDATE", "coredns", Corefile=". { forward . 203.0.113.7 }"),
        ["Critical, reaches all: change C coredns in kube-system, by which the cluster works"],
    ),
    "not one of that name elsewhere": ("change-cluster-config", configmap("UPDATE", "coredns", "shop", a="b"), []),
    "not the same data": ("change-cluster-config", configmap("UPDATE", "coredns", Corefile="."), []),
    "a FlowSchema": (
        "change-cluster-default",
        delete("flowschemas", "catch-all", group="flowcontrol.apiserver.k8s.io", kind="FlowSchema", namespace=""),
        ["Medium, reaches all: delete FlowSchema catch-all, which holds for the whole cluster"],
    ),
    "not the API server's own": (
        "change-cluster-default",
        replace(delete("flowschemas", "catch-all", group="flowcontrol.apiserver.k8s.io", namespace=""), user=SERVER),
        [],
    ),
    "a Lease with another holder": (
        "take-lease",
        lease("ccm-1", "eve"),
        ["Medium, reaches kube-system: change Lease ccm in kube-system: ccm-1 no longer leads"],
    ),
    "the endpoints of the API server": (
        "take-lease",
        change("endpoints", {}, {"subsets": []}, kind="Endpoints", name="kubernetes", namespace="default"),
        ["High, reaches all: change Endpoints kubernetes in default: where the API server is found"],
    ),
    "not a holder that stays": ("take-lease", lease("ccm-1", "ccm-1"), []),
    "not a Lease elsewhere": ("take-lease", lease("a", "b", home="shop"), []),
    "a node that joins by another hand": (
        "forge-node",
        node("CREATE", {}, {}),
        ["High, reaches all: let Node n1 join"],
    ),
    "another address of a node": (
        "forge-node",
        node("UPDATE", {"status": {"addresses": []}}, {"status": {"addresses": [{}], "phase": "x"}}, status=True),
        ["High, reaches all: write addresses of Node n1"],
    ),
    "a role for a node": (
        "forge-node",
        node("UPDATE", {}, marked("labels", "node-role.kubernetes.io/control-plane")),
        ["Medium, reaches all: relabel Node n1: node-role.kubernetes.io/control-plane"],
    ),
    "not its kubelet": (
        "forge-node",
        node(
            "UPDATE",
            {},
            {"status": {"addresses": [{}]}},
            status=True,
            user=User(name="system:node:n1", groups=NODE.groups),
        ),
        [],
    ),
    "not another label": ("forge-node", node("UPDATE", {}, marked("labels", "disk")), []),
    "windows of Argo CD": (
        "disarm-other-guard",
        change("appprojects", spec(syncWindows=[{}]), spec(), group="argoproj.io", kind="AppProject"),
        ["High, reaches shop: change AppProject web in shop: when Argo CD may sync"],
    ),
    "Flux that is suspended": (
        "disarm-other-guard",
        change("kustomizations", spec(), spec(suspend=True), group="kustomize.toolkit.fluxcd.io", kind="Kustomization"),
        ["High, reaches shop: suspend Kustomization web in shop: Flux no longer puts back what drifts"],
    ),
    "an exception of Kyverno": (
        "disarm-other-guard",
        create("policyexceptions", spec(exceptions=[]), group="kyverno.io", kind="PolicyException"),
        ["High, reaches shop: create PolicyException web in shop, which guards the cluster or excepts from it"],
    ),
    "a constraint of Gatekeeper": (
        "disarm-other-guard",
        delete("k8srequiredlabels", "l", group="constraints.gatekeeper.sh", kind="K8sRequiredLabels", namespace=""),
        ["High, reaches all: delete K8sRequiredLabels l, which guards the cluster or excepts from it"],
    ),
    "not what Flux reports": (
        "disarm-other-guard",
        change(
            "kustomizations",
            spec(suspend=True),
            spec(suspend=True) | {"status": {}},
            group="kustomize.toolkit.fluxcd.io",
            kind="K",
        ),
        [],
    ),
    "a guard with another image": (
        "weaken-interlock",
        change(
            "deployments",
            OURS | spec(replicas=2),
            OURS | spec(replicas=2, template={}),
            group="apps",
            kind="Deployment",
            name="guard",
        ),
        ["Critical, reaches all: change Deployment guard in shop, a part of Interlock"],
    ),
    "a label that hides one": (
        "weaken-interlock",
        change("secrets", OURS, {}, kind="Secret", name="keys"),
        ["Critical, reaches all: change Secret keys in shop, a part of Interlock"],
    ),
    "its API": (
        "weaken-interlock",
        delete(
            "apiservices", "v1alpha1.audit.interlock.dev", {}, group="apiregistration.k8s.io", kind="A", namespace=""
        ),
        ["Critical, reaches all: delete A v1alpha1.audit.interlock.dev, a part of Interlock"],
    ),
    "not an annotation": (
        "weaken-interlock",
        change(
            "deployments",
            OURS | spec(replicas=2),
            {"metadata": OURS["metadata"] | {"annotations": {"a": "b"}}} | spec(replicas=2),
            group="apps",
            kind="Deployment",
        ),
        [],
    ),
    "not another's Deployment": ("weaken-interlock", delete("deployments", "web", {}, group="apps"), []),
}
