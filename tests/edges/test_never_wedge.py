"""With every guard dead and everything denied, Kubernetes itself goes on: the cluster never waits for Interlock.

One policy denies all that it can, `actions: ["*"]` and every operation on every resource, in all namespaces but
kube-system and Interlock's own. What users had asked for before it was in force is then left to Kubernetes, which is
held back until no process of Interlock's runs any more. The control plane is stopped and started in that state.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import orjson
import pytest
import yaml

from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.clusters import OwnCluster, own_cluster
from tests.support.entries import ENTRIES, refused_by_a_fence
from tests.support.kubectl import Kubectl, eventually
from tests.support.processes import frozen
from tests.support.signing import request_for_node

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"
MANAGER = "kube-controller-manager"
API_SERVICE = "v1alpha1.audit.interlock.dev"
WORK, GOING, NEW = "wedge-work", "wedge-going", "wedge-new"
HOST = "kubernetes.io/hostname"
NODE = ("--as=system:node:node-1", "--as-group=system:nodes")
SECONDS = 60.0  # for what takes Kubernetes a second or two
LONG_SECONDS = 120.0
POLICY = "edge-wedge"

Edge = Callable[..., None]
Look = Callable[[Kubectl], object]


def _everything() -> JsonObject:
    match = {
        "actions": ["*"],
        "operations": ["CREATE", "UPDATE", "DELETE", "CONNECT"],
        "resources": [{"groups": ["*"], "resources": ["*/*"]}],
    }
    return policies.policy(POLICY, match=match, exclude=[{"namespaces": {"names": ["kube-system", SYSTEM]}}])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wedged:
    """A cluster in which only Kubernetes itself can change anything.

    Attributes:
        cluster: it.
        since: when that began, as the API server spells it.
    """

    cluster: OwnCluster
    since: str

    @property
    def kubectl(self) -> Kubectl:
        """Its administrator's kubectl."""
        return self.cluster.kubectl


@pytest.fixture(scope="module")
def dead() -> Iterator[Wedged]:
    """Everything denied, nobody to answer, and work left to do."""
    with own_cluster("wedge") as cluster:
        kubectl = cluster.kubectl
        _prepare(kubectl)
        with frozen(cluster.made.state, MANAGER):
            _ask(kubectl)
            kubectl.apply(_everything())
            wait_in_force(kubectl, POLICY)
            _end_interlock(kubectl)
        now = kubectl.must("auth", "whoami", "-o", "jsonpath={.metadata.creationTimestamp}").out
        yield Wedged(cluster=cluster, since=now)


def _prepare(kubectl: Kubectl) -> None:
    """What there is before anything is asked for."""
    for namespace in (WORK, GOING):
        kubectl.must("create", "namespace", namespace)
        kubectl.must("create", "deployment", "web", "--image=simulated", "--replicas=2", "-n", namespace)
    kubectl.must("apply", "-n", WORK, "-f", "-", stdin=yaml.safe_dump_all(_volumes()))
    kubectl.must("create", "configmap", "owner", "-n", WORK)
    uid = kubectl.get("configmap", "owner", "-n", WORK)["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    owned = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned", "ownerReferences": [owner]}}
    kubectl.must("create", "-n", WORK, "-f", "-", stdin=yaml.safe_dump(owned))
    renewing = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient"
    kubectl.must("create", "clusterrolebinding", "wedge-renewals", f"--clusterrole={renewing}", "--group=system:nodes")
    for namespace in (WORK, GOING):
        kubectl.must("rollout", "status", "deployment/web", "-n", namespace, "--timeout=55s")


def _volumes() -> list[JsonObject]:
    """A volume and a claim that have nothing to do with each other; both are protected while they are used."""
    size, modes = {"storage": "1Mi"}, ["ReadWriteOnce"]
    volume = {"capacity": size, "accessModes": modes, "hostPath": {"path": "/none"}, "storageClassName": "wedge-a"}
    claim = {"resources": {"requests": size}, "accessModes": modes, "storageClassName": "wedge-b"}
    return [
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "wedge"}, "spec": volume},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "wedge"}, "spec": claim},
    ]


def _ask(kubectl: Kubectl) -> None:
    """What users ask for; it is accepted, and the controllers of Kubernetes have to see to the rest."""
    inside = ("-n", WORK)
    kubectl.must("delete", "namespace", GOING, "--wait=false")
    kubectl.must("create", "namespace", NEW)
    kubectl.must("set", "image", "deployment/web", "*=simulated-anew", *inside)
    kubectl.must("expose", "deployment", "web", "--port=80", *inside)
    kubectl.must("delete", "configmap", "owner", *inside)
    kubectl.must("delete", "persistentvolumeclaim", "wedge", "--wait=false", *inside)
    kubectl.must("delete", "persistentvolume", "wedge", "--wait=false")
    kubectl.must("create", "-f", "-", stdin=yaml.safe_dump(_flowing_role()))
    kubectl.must("apply", *inside, "-f", "-", stdin=yaml.safe_dump_all(_workloads()))


def _flowing_role() -> JsonObject:
    """A role whose rules flow into the role view."""
    metadata = {"name": "wedge-view", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}
    rules = [{"apiGroups": ["example.com"], "resources": ["wedges"], "verbs": ["get"]}]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}


def _workloads() -> list[JsonObject]:
    labels = {"app": "wedge"}
    containers = [{"name": "main", "image": "simulated"}]
    pod = {"metadata": {"labels": labels}, "spec": {"containers": containers, "nodeSelector": {HOST: "node-1"}}}
    once = {"spec": {"containers": containers, "restartPolicy": "Never"}}
    selecting = {"selector": {"matchLabels": labels}, "template": pod}
    return [
        _workload("apps/v1", "StatefulSet", {**selecting, "serviceName": "none", "replicas": 2}),
        _workload("apps/v1", "DaemonSet", selecting),
        _workload("batch/v1", "Job", {"template": once, "ttlSecondsAfterFinished": 0}),
    ]


def _workload(version: str, kind: str, spec: JsonObject) -> JsonObject:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": f"wedge-{kind.lower()}"}, "spec": spec}


def _end_interlock(kubectl: Kubectl) -> None:
    """No pod of Interlock's, and none wanted; ReplicaSets are told as well, since their controller stands still.

    All of them are killed at once: the one case in which nobody is left to withdraw the APIService of AuditRecords. So
    it is withdrawn under the controller's name, which works with guards dead, whatever policies say.
    """
    inside = ("-n", SYSTEM)
    kubectl.must("scale", "deployments,replicasets", "--all", "--replicas=0", *inside)
    kubectl.must("delete", "pods", "--all", "--force", "--grace-period=0", *inside)
    controller = f"system:serviceaccount:{SYSTEM}:interlock-controller"
    kubectl.must("delete", "apiservice", API_SERVICE, "--ignore-not-found", "--as", controller)


def test_users_are_refused(dead: Wedged, edge: Edge) -> None:
    """What the policy covers fails closed: there is nobody to judge it."""
    attempts = [
        dead.kubectl("create", "configmap", "mine", "-n", WORK),
        dead.kubectl("delete", "namespace", NEW, "--wait=false"),
        dead.kubectl("create", "clusterrole", "mine", "--verb=get", "--resource=pods"),
    ]

    assert [("failed calling webhook" in attempt.err, attempt.ok) for attempt in attempts] == [(True, False)] * 3
    edge(scenario="all denied, guards dead", load="users", outcome="refused: failed calling webhook")


def _gone(*what: str) -> Look:
    return lambda kubectl: not kubectl.must("get", *what, "--ignore-not-found", "-o", "name").out


def _shows(path: str, *what: str, wanted: str) -> Look:
    """The object shows just this under a JSONPath."""
    return lambda kubectl: kubectl("get", *what, "-o", f"jsonpath={path}").out == wanted


def _rolled_out(kubectl: Kubectl) -> object:
    pods = kubectl.get("pods", "-n", WORK, "-l", "app=web")["items"]
    images = [(pod["spec"]["containers"][0]["image"], pod["status"].get("phase")) for pod in pods]
    return images == [("simulated-anew", "Running")] * 2


def _viewable(kubectl: Kubectl) -> object:
    return "wedges" in kubectl.must("get", "clusterrole", "view", "-o", "jsonpath={.rules[*].resources}").out


def _endpoints(kubectl: Kubectl) -> object:
    slices = kubectl.get("endpointslices", "-n", WORK, "-l", "kubernetes.io/service-name=web")["items"]
    return sum(len(each["endpoints"] or []) for each in slices) == 2


GOES_ON: Mapping[str, Look] = {
    "namespace that terminates": _gone("namespace", GOING),
    "account of a new namespace": _shows("{.metadata.name}", "sa", "default", "-n", NEW, wanted="default"),
    "CA certificate of a new namespace": _shows(
        "{.metadata.name}", "configmap", "kube-root-ca.crt", "-n", NEW, wanted="kube-root-ca.crt"
    ),
    "Deployment that rolls out": _rolled_out,
    "StatefulSet": _shows("{.status.readyReplicas}", "statefulset", "wedge-statefulset", "-n", WORK, wanted="2"),
    "DaemonSet": _shows("{.status.numberReady}", "daemonset", "wedge-daemonset", "-n", WORK, wanted="1"),
    "Job done and cleaned up": _gone("job", "wedge-job", "-n", WORK),
    "endpoints of a new Service": _endpoints,
    "garbage collection": _gone("configmap", "owned", "-n", WORK),
    "protected claim deleted": _gone("pvc", "wedge", "-n", WORK),
    "protected volume deleted": _gone("pv", "wedge"),
    "role aggregated": _viewable,
}


@pytest.mark.parametrize("what", GOES_ON)
def test_kubernetes_goes_on(what: str, dead: Wedged, edge: Edge) -> None:
    """What was asked for before is seen to the end."""
    eventually(lambda: GOES_ON[what](dead.kubectl), seconds=SECONDS, what=what)

    edge(scenario="all denied, guards dead", load=what, outcome="goes on")


def test_node_goes_on(dead: Wedged, edge: Edge) -> None:
    """The node renews its Lease, stays Ready, and gets tokens for its pods."""
    kubectl = dead.kubectl
    pod = kubectl.get("pods", "-n", WORK, "-l", "app=web")["items"][0]["metadata"]
    bound = (f"--bound-object-name={pod['name']}", f"--bound-object-uid={pod['uid']}", "--bound-object-kind=Pod")

    eventually(
        lambda: kubectl.get("lease", "node-1", "-n", "kube-node-lease")["spec"]["renewTime"] > dead.since,
        seconds=SECONDS,
        what="the node's Lease renewed",
    )
    token = kubectl("create", "token", "default", "-n", WORK, *bound, *NODE)

    assert token.ok, token.err
    assert _ready(kubectl)
    edge(scenario="all denied, guards dead", load="node: Lease, status, tokens of pods", outcome="goes on")


def test_nodes_certificate_is_renewed(dead: Wedged, edge: Edge) -> None:
    """A kubelet asks for its next certificate; it is approved and signed."""
    dead.kubectl.must("create", "-f", "-", *NODE, stdin=orjson.dumps(request_for_node("node-1")).decode())

    signed = _shows("{.status.conditions[0].type}", "csr", "wedge-node-1", wanted="Approved")
    eventually(lambda: signed(dead.kubectl), seconds=SECONDS, what="approved")
    certificate = eventually(
        lambda: dead.kubectl.must("get", "csr", "wedge-node-1", "-o", "jsonpath={.status.certificate}").out,
        seconds=SECONDS,
        what="signed",
    )

    assert certificate
    edge(scenario="all denied, guards dead", load="certificate of a kubelet", outcome="approved and signed")


def test_kube_system_is_never_closed(dead: Wedged, edge: Edge) -> None:
    """Administrators can work in kube-system, and DaemonSets there get their pods."""
    daemons = {**_workloads()[1], "metadata": {"name": "wedge-agent", "namespace": "kube-system"}}
    created = dead.kubectl("create", "-f", "-", stdin=yaml.safe_dump(daemons))

    assert created.ok, created.err
    ready = _shows("{.status.numberReady}", "daemonset", "wedge-agent", "-n", "kube-system", wanted="1")
    eventually(lambda: ready(dead.kubectl), seconds=SECONDS, what="the DaemonSet's pod")
    edge(scenario="all denied, guards dead", load="administrator in kube-system", outcome="DaemonSet made, pod ready")


def test_node_joins(dead: Wedged, edge: Edge) -> None:
    """A node that nobody has seen before registers itself, and its first Lease."""
    second = ("--as=system:node:node-2", "--as-group=system:nodes")
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "node-2", "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": "node-2", "leaseDurationSeconds": 40},
    }
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-2"}}

    outcomes = [dead.kubectl("create", "-f", "-", *second, stdin=yaml.safe_dump(each)) for each in (node, lease)]

    assert [outcome.err for outcome in outcomes] == ["", ""]
    edge(scenario="all denied, guards dead", load="a new node", outcome="registers")


@pytest.mark.parametrize("how", ENTRIES)
def test_interlock_stays_closed(how: str, dead: Wedged, edge: Edge) -> None:
    """With no process of Interlock's alive, its namespace is as closed as ever."""
    attempt = ENTRIES[how].tried(dead.kubectl)

    assert refused_by_a_fence(attempt), attempt.err
    edge(scenario="getting into Interlock, all of it dead", load=how, outcome="refused by an admission policy")


def test_control_plane_starts_without_interlock(dead: Wedged, edge: Edge) -> None:
    """Stopped and started with Fail rules in force and nobody to answer, it becomes ready, and so does the node."""
    begun = time.monotonic()
    dead.cluster.restart()
    ready = time.monotonic() - begun
    kubectl = dead.kubectl

    refused = kubectl("create", "configmap", "mine", "-n", WORK)
    kubectl.must("delete", "pods", "-n", "kube-system", "-l", "app=wedge", "--grace-period=1")
    again = ("rollout", "status", "daemonset/wedge-agent", "-n", "kube-system", "--timeout=55s")

    assert "failed calling webhook" in refused.err
    assert _ready(kubectl)
    assert kubectl(*again).ok
    edge(
        scenario="cold start, Interlock absent",
        load="Fail on everything",
        outcome=f"control plane and node in {ready:.0f} s",
    )


def test_interlock_comes_back(dead: Wedged, edge: Edge) -> None:
    """Scaled up again it starts under its own Fail rules, and judges."""
    kubectl = dead.kubectl
    begun = time.monotonic()
    kubectl.must("scale", "deployments", "--all", "--replicas=2", "-n", SYSTEM)

    eventually(lambda: _judges(kubectl), seconds=LONG_SECONDS, what="judging again")

    edge(
        scenario="Interlock comes back",
        load="Fail on everything",
        outcome=f"judging after {time.monotonic() - begun:.0f} s",
    )


def test_everything_comes_back_by_itself(dead: Wedged, edge: Edge) -> None:
    """After a power cut of the whole cluster, policies are in force again without anybody's help."""
    begun = time.monotonic()
    dead.cluster.restart()

    eventually(lambda: _judges(dead.kubectl), seconds=LONG_SECONDS, what="judging again")

    edge(
        scenario="cold start of everything",
        load="Fail on everything",
        outcome=f"judging after {time.monotonic() - begun:.0f} s",
    )


def _judges(kubectl: Kubectl) -> bool:
    """Whether a guard answers users."""
    return f"policy {POLICY}" in kubectl("create", "configmap", "mine", "-n", WORK).err


def _ready(kubectl: Kubectl) -> bool:
    """Whether the node is."""
    conditions = kubectl.get("node", "node-1")["status"]["conditions"]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def test_uninstall_frees(dead: Wedged, edge: Edge) -> None:
    """Dead again, with Fail on the very objects that Helm has to delete, `helm uninstall` succeeds and frees users."""
    _end_interlock(dead.kubectl)
    refused = dead.kubectl("create", "configmap", "mine", "-n", WORK)
    uninstalled = dead.cluster.run("helm", "uninstall", "interlock", "-n", SYSTEM)
    freed = dead.kubectl("create", "configmap", "mine", "-n", WORK)

    assert "failed calling webhook" in refused.err
    assert uninstalled.ok, uninstalled.err
    assert freed.ok, freed.err
    edge(scenario="helm uninstall, everything dead", load="Fail on everything", outcome="succeeds, users are free")
