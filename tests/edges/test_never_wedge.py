"""With no guard left, and everything that could be guarded guarded, the cluster's own work goes on.

The tests have a cluster of their own, since they stop what others need. They run in the order in which they stand: each
but the last leaves a cluster whose guards are dead.

Nobody may begin anything here, that is the point of the policy. So what is to go on is begun under a system identity,
whose requests never wait for a dead guard.
"""

import os
import secrets
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devtools import cluster
from devtools.cluster.install import NAMESPACE, RELEASE
from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.entries import ENTRIES, refused_by_a_fence
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster

POLICY = "edge-wedge"
MASTERS = "system:masters"
SECONDS = 60.0
COMMAND_SECONDS = 120.0
IN_USE = ("pods", "secrets", "serviceaccounts", "persistentvolumeclaims", "configmaps", "endpoints")

Edge = Callable[..., None]


@pytest.fixture(scope="module")
def own() -> Iterator[cluster.Cluster]:
    """A cluster with Interlock that nobody else uses."""
    name = f"wedge-{os.getpid()}"
    try:
        yield cluster.up(name, "local")
    finally:
        cluster.down(name)


@pytest.fixture(scope="module")
def kubectl(own: cluster.Cluster) -> Kubectl:
    """Its administrator's kubectl."""
    return Kubectl(kubeconfig=str(own.kubeconfig))


@pytest.fixture(scope="module")
def work(kubectl: Kubectl) -> str:
    """A namespace with work in it, under a policy that denies everything; then the guards die."""
    namespace = f"work-{secrets.token_hex(2)}"
    kubectl.must("create", "namespace", namespace)
    kubectl.must("create", "deployment", "rolled", "--image=simulated:1", "--replicas=2", "-n", namespace)
    kubectl.must("create", "deployment", "collected", "--image=simulated:1", "-n", namespace)
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    kubectl.apply(_claim(namespace))
    kubectl.must("rollout", "status", "deployment/rolled", "-n", namespace, "--timeout=50s")
    spared = [{"namespaces": {"names": ["kube-system", NAMESPACE]}}]
    kubectl.apply(policies.policy(POLICY, match=_everything(), exclude=spared))
    wait_in_force(kubectl, POLICY)
    _scale(kubectl, "guard", 0)
    return namespace


def _everything() -> JsonObject:
    return {
        "actions": ["*"],
        "operations": ["CREATE", "UPDATE", "DELETE", "CONNECT"],
        "resources": [
            {"groups": [""], "resources": list(IN_USE)},
            {"groups": ["apps"], "resources": ["*"]},
            {"groups": ["coordination.k8s.io"], "resources": ["leases"]},
        ],
    }


def _claim(namespace: str) -> JsonObject:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "claimed", "namespace": namespace},
        "spec": spec,
    }


def test_users_wait(kubectl: Kubectl, work: str, edge: Edge) -> None:
    """The state that all others of these tests start from: what is guarded is refused for want of a guard."""
    attempt = kubectl("delete", "configmap", "guarded", "-n", work)

    assert (attempt.ok, "enforce.interlock.dev" in attempt.err) == (False, True), attempt.err
    edge(scenario="guards dead", load="a user deletes what is guarded", outcome="refused: fails closed")


def test_nodes_live(kubectl: Kubectl, work: str, edge: Edge) -> None:
    """Nodes renew their Leases."""
    [lease] = kubectl.get("leases", "-n", "kube-node-lease")["items"]
    path = ("lease", lease["metadata"]["name"], "-n", "kube-node-lease")

    renewed = eventually(
        lambda: kubectl.get(*path)["spec"]["renewTime"] > lease["spec"]["renewTime"], seconds=SECONDS, what="renewal"
    )

    assert renewed, work
    edge(scenario="guards dead", load="node heartbeats", outcome="Leases are renewed")


def test_daemons_start(kubectl: Kubectl, work: str, edge: Edge) -> None:
    """A pod can be made in kube-system, where the network and storage of nodes live."""
    name = f"daemon-of-{work}"

    kubectl.must("run", name, "--image=simulated", "-n", "kube-system")
    kubectl.must("delete", "pod", name, "-n", "kube-system", "--timeout=50s")

    edge(scenario="guards dead", load="pods in kube-system", outcome="made and deleted")


def test_rollouts_go_on(kubectl: Kubectl, work: str, edge: Edge) -> None:
    """A Deployment's new template is rolled out: ReplicaSets scaled, pods made and deleted."""
    kubectl.must("set", "image", "deployment/rolled", "*=simulated:2", "-n", work, *_as("deployment-controller"))

    kubectl.must("rollout", "status", "deployment/rolled", "-n", work, "--timeout=50s")

    edge(scenario="guards dead", load="rollout of a Deployment", outcome="finished")


def test_garbage_is_collected(kubectl: Kubectl, work: str, edge: Edge) -> None:
    """What belonged to a deleted Deployment goes."""
    kubectl.must("delete", "deployment", "collected", "-n", work, "--wait=false", *_as("generic-garbage-collector"))

    eventually(
        lambda: not kubectl.get("replicasets,pods", "-n", work, "-l", "app=collected")["items"],
        seconds=SECONDS,
        what="garbage collected",
    )
    edge(scenario="guards dead", load="garbage collection", outcome="ReplicaSet and pods are gone")


def test_tokens_are_minted(kubectl: Kubectl, work: str, edge: Edge) -> None:
    """The control plane gets tokens of ServiceAccounts."""
    made = kubectl("create", "token", "default", "-n", work, *_user("system:kube-controller-manager"))

    assert (made.ok, made.out.count(".")) == (True, 2), made.err
    edge(scenario="guards dead", load="tokens for controllers", outcome="minted")


def test_certificates_are_signed(kubectl: Kubectl, work: str, edge: Edge) -> None:
    """A node's request for a certificate is approved and signed."""
    name, node = f"of-{work}", "system:node:joining"
    kubectl.must("create", "-f", "-", *_user(node, "system:nodes"), stdin=_request(name, node))

    signed = eventually(
        lambda: kubectl.get("csr", name)["status"].get("certificate"), seconds=SECONDS, what="a signed certificate"
    )

    assert signed
    edge(scenario="guards dead", load="a node asks for a certificate", outcome="approved and signed")


def _request(name: str, node: str) -> str:
    """A CertificateSigningRequest as a kubelet makes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "system:nodes"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, node),
    ]
    asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(key, hashes.SHA256())
    spec = {
        "request": b64encode(asked.public_bytes(serialization.Encoding.PEM)).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
        "usages": ["digital signature", "client auth"],
    }
    kind = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    return orjson.dumps({**kind, "metadata": {"name": name}, "spec": spec}).decode()


@pytest.mark.parametrize("how", ENTRIES)
def test_interlock_stays_closed(how: str, kubectl: Kubectl, work: str) -> None:
    """Nobody gets into Interlock's namespace while it is dead."""
    attempt = ENTRIES[how].tried(kubectl)

    assert refused_by_a_fence(attempt), (work, attempt.err)


def test_namespaces_terminate(kubectl: Kubectl, work: str, edge: Edge) -> None:
    """A namespace that is going empties itself, a protected volume claim included, and is gone."""
    doomed = f"{work}-doomed"
    kubectl.must("create", "namespace", doomed, *_as("namespace-controller"))
    claim = orjson.dumps(_claim(doomed)).decode()
    kubectl.must("create", "-f", "-", *_as("namespace-controller"), stdin=claim)

    kubectl.must("delete", "namespace", doomed, *_as("namespace-controller"), "--timeout=55s")

    edge(scenario="guards dead", load="namespace with a volume claim deleted", outcome="terminates")


def test_cold_start(kubectl: Kubectl, work: str, own: cluster.Cluster, edge: Edge) -> None:
    """A whole control plane comes up again while Fail rules are in force and no guard is there."""
    cluster.restart(own.name)

    attempt = kubectl("delete", "configmap", "guarded", "-n", work)
    kubectl.must("get", "nodes")

    assert "enforce.interlock.dev" in attempt.err, attempt.err
    edge(scenario="guards dead", load="control plane killed and started", outcome="it is up; still fails closed")


def test_off_and_on(kubectl: Kubectl, work: str, edge: Edge) -> None:
    """Disarming frees everybody at once; with the guards back, arming guards again."""
    off = _interlock(kubectl, "disarm", "--yes")
    kubectl.must("annotate", "configmap", "guarded", "-n", work, "edited=yes")
    _scale(kubectl, "guard", 2)
    on = _interlock(kubectl, "arm", "--yes")
    eventually(
        lambda: POLICY in kubectl("delete", "configmap", "guarded", "-n", work, "--dry-run=server").err,
        seconds=SECONDS,
        what="guarded again",
    )

    assert ("disarmed; `interlock arm` arms it again" in off, on.startswith("armed, by")) == (True, True), (off, on)
    _scale(kubectl, "guard", 0)
    edge(scenario="guards dead", load="disarm, then arm", outcome="free at once; then guarded as before")


def test_uninstalled(kubectl: Kubectl, work: str, own: cluster.Cluster, edge: Edge) -> None:
    """With everything dead `helm uninstall` frees the cluster; what it leaves is listed exactly, and purged."""
    _scale(kubectl, "controller", 0)
    helm = [str(own.bin / "helm"), "uninstall", RELEASE, "-n", NAMESPACE, "--wait", "--timeout=60s"]
    subprocess.run(helm, check=True, env=own.environment, timeout=COMMAND_SECONDS, capture_output=True)

    kubectl.must("delete", "configmap", "guarded", "-n", work)
    listed = [line.partition(": ") for line in _interlock(kubectl, "purge").partition("\n\n")[0].splitlines()]
    _interlock(kubectl, "purge", "--yes")

    left = {kind: names for kind, _, names in listed if "(records)" not in names}
    assert left == {
        f"configmaps in {NAMESPACE}": "interlock-notary (the notary's public key)",
        f"secrets in {NAMESPACE}": "interlock-ca, interlock-digest-key, interlock-guard, interlock-notary (keys)",
        f"leases in {NAMESPACE}": "interlock-controller (of controllers)",
        "customresourcedefinitions": f"dangerpolicies.interlock.dev (with 1 policy: {POLICY})",
    }
    assert _interlock(kubectl, "purge") == "Nothing is left of Interlock.\n"
    edge(scenario="everything dead", load="helm uninstall, purge", outcome="free; then nothing is left")


def _interlock(kubectl: Kubectl, *words: str) -> str:
    """What the command prints; it must succeed."""
    command = ["interlock", *words, "--kubeconfig", kubectl.kubeconfig]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=COMMAND_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _scale(kubectl: Kubectl, component: str, replicas: int) -> None:
    """Another number of pods, and wait until it is so."""
    label = f"app.kubernetes.io/component={component}"
    kubectl.must("scale", f"deployment/interlock-{component}", "-n", NAMESPACE, f"--replicas={replicas}")

    def _there() -> bool:
        pods = kubectl.get("pods", "-n", NAMESPACE, "-l", label)["items"]
        status = kubectl.get("deployment", f"interlock-{component}", "-n", NAMESPACE)["status"]
        return (len(pods), status.get("readyReplicas", 0)) == (replicas, replicas)

    eventually(_there, seconds=SECONDS, what=f"{replicas} pods of {component}")


def _as(controller: str) -> tuple[str, ...]:
    """Act as a controller of kube-controller-manager."""
    return _user(f"system:serviceaccount:kube-system:{controller}")


def _user(name: str, *groups: str) -> tuple[str, ...]:
    return f"--as={name}", *(f"--as-group={group}" for group in (*groups, MASTERS))
