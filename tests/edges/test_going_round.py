"""Ways round Interlock, each tried by a member of system:masters while the guards live: none leads past a policy.

What keeps people out of Interlock's own namespace must hold with Interlock dead as well: see test_never_wedge.
"""

import secrets
import subprocess
from collections.abc import Callable, Iterator, Sequence

import orjson
import pytest

from interlock.core.systems import IDENTITIES, SystemIdentity
from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.api import Api
from tests.support.entries import ENTRIES, refused_by_a_fence
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"
MASTERS = "system:masters"
CONTROLLERS = "system:serviceaccount:kube-system"
POLICY = "edge-round"
CORE = "/api/v1"
GONE_SECONDS = 60.0

Edge = Callable[..., None]
Call = tuple[str, str, JsonObject | None]


@pytest.fixture(scope="module")
def api(kubectl: Kubectl) -> Iterator[Api]:
    """One connection as cluster administrator."""
    with Api(kubectl.kubeconfig) as connection:
        yield connection


@pytest.fixture(scope="module")
def guarded(kubectl: Kubectl) -> Iterator[str]:
    """A namespace with a ConfigMap and a pod, all dangerous actions and deleting ConfigMaps denied in it."""
    namespace = f"prod-round-{secrets.token_hex(2)}"
    kubectl.must("create", "namespace", namespace)
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    kubectl.must("run", "guarded", "--image=simulated:1", "-n", namespace)
    kubectl.apply(policies.policy(POLICY, match=_everything(namespace)))
    wait_in_force(kubectl, POLICY)
    yield namespace
    kubectl.must("delete", "dangerpolicy", POLICY)
    kubectl("delete", "namespace", namespace, "--wait=false")


def _everything(namespace: str) -> JsonObject:
    return {
        "actions": ["*"],
        "operations": ["DELETE"],
        "resources": [{"groups": [""], "resources": ["configmaps"]}],
        "namespaces": {"names": [namespace]},
    }


def _attempts(namespace: str) -> dict[str, Call]:
    """Dangerous actions as raw calls, so that nothing but admission stands before them."""
    here = f"{CORE}/namespaces/{namespace}"
    rbac = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "edge-round"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": rbac, "kind": "User", "name": "mallory"}],
    }
    return {
        "delete a ConfigMap": ("DELETE", f"{here}/configmaps/guarded", None),
        "delete the namespace": ("DELETE", here, None),
        "enter the pod": ("POST", f"{here}/pods/guarded/exec?command=sh&stdout=true", None),
        "make an administrator": ("POST", f"/apis/{rbac}/v1/namespaces/{namespace}/rolebindings", binding),
    }


def _user(identity: SystemIdentity) -> tuple[str, ...]:
    """The identity's user name and groups, and then the right to do everything."""
    name = identity.users[0] if identity.users else f"{identity.prefix}node-1"
    return name, *([identity.group] if identity.group else []), MASTERS


@pytest.mark.parametrize("who", IDENTITIES, ids=lambda identity: str(identity.name))
def test_impersonating_a_system_identity(who: SystemIdentity, api: Api, guarded: str, edge: Edge) -> None:
    """Under a name of Kubernetes itself, each dangerous action is judged as what it is, and denied."""
    attempts = _attempts(guarded)

    answers = {name: api.call(*call, acting_as=_user(who)) for name, call in attempts.items()}

    assert {name: _verdict(*answer) for name, answer in answers.items()} == dict.fromkeys(attempts, "denied")
    edge(scenario=f"impersonating {who.name}", load=f"{len(attempts)} dangerous actions", outcome="all denied")


@pytest.mark.parametrize("account", ["interlock-guard", "interlock-controller"])
def test_impersonating_interlock(account: str, api: Api, kubectl: Kubectl, guarded: str, edge: Edge) -> None:
    """Interlock's own accounts pass no further than anybody; what they do in silence elsewhere is theirs alone."""
    attempts = _attempts(guarded)
    user = (f"system:serviceaccount:{SYSTEM}:{account}", MASTERS)

    answers = {name: api.call(*call, acting_as=user) for name, call in attempts.items()}
    records = _ledger(kubectl, lambda one: _is_about(one, guarded) and one["user"]["name"] == user[0])

    assert {name: _verdict(*answer) for name, answer in answers.items()} == dict.fromkeys(attempts, "denied")
    assert {one["verdict"] for one in records} == {"Deny"}
    edge(scenario=f"impersonating {account}", load=f"{len(attempts)} dangerous actions", outcome="denied and recorded")


def test_what_follows_a_decision_goes_on(kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Edge) -> None:
    """A namespace that its owner may delete empties itself, though nobody else may delete what is in it."""
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    kubectl.must("create", "deployment", "guarded", "--image=simulated:1", "-n", namespace)
    match = {**_everything(namespace), "resources": [{"groups": ["*"], "resources": ["*"]}]}
    apply(policies.policy("edge-emptied", match=match, exclude=[{"subjects": {"users": ["owner"]}}]))

    owner = ("--as=owner", f"--as-group={MASTERS}")
    refused = kubectl("delete", "namespace", namespace, "--wait=false")
    kubectl.must("delete", "namespace", namespace, *owner, f"--timeout={GONE_SECONDS}s")

    assert "edge-emptied" in refused.err
    edge(
        scenario="namespace deleted by who may", load="policy denies deleting all in it", outcome="it empties and goes"
    )


LEAVING: dict[str, Sequence[str]] = {
    "namespace relabelled": ("label", "namespace", "{ns}", "env=test", "--overwrite"),
    "namespace unlabelled": ("label", "namespace", "{ns}", "env-"),
    "namespace's status patched": (
        *("patch", "namespace", "{ns}", "--subresource=status", "--type=merge"),
        *("-p", '{"metadata": {"labels": {"env": null}}}'),
    ),
    "object unlabelled": ("label", "configmap", "guarded", "-n", "{ns}", "tier-"),
    "object replaced": ("replace", "-n", "{ns}", "-f", "-"),
    "object removed to be made again": ("replace", "--force", "-n", "{ns}", "-f", "-"),
    "namespace removed to be made again": ("delete", "namespace", "{ns}", "--wait=false"),
}


@pytest.mark.parametrize("how", LEAVING)
def test_leaving_protection(how: str, kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Edge) -> None:
    """What a policy selects by labels cannot be taken out of it by whoever may not pass the policy."""
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    kubectl.must("label", "configmap", "guarded", "-n", namespace, "tier=database")
    by_label = {"matchLabels": {"env": "production"}}
    objects = {"selector": {"matchLabels": {"tier": "database"}}}
    where = {"namespaces": {"selector": by_label}}
    apply(policies.policy("edge-left-object", match={**_deleting("configmaps"), **where, "objects": objects}))
    apply(policies.policy("edge-left-namespace", match={"actions": ["delete-namespace"], **where}))
    bare = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "guarded"}}

    attempt = kubectl(
        *(word.format(ns=namespace) if "{ns}" in word else word for word in LEAVING[how]), stdin=_json(bare)
    )

    assert (attempt.ok, "edge-left" in attempt.err) == (False, True), attempt.err
    assert kubectl.get("configmap", "guarded", "-n", namespace)["metadata"]["labels"] == {"tier": "database"}
    edge(scenario="leaving protection", load=how, outcome="denied")


NOBODY = {"apiVersion": "v1", "kind": "ConfigMap", "name": "never-was", "uid": "00000000-0000-4000-8000-000000000000"}
HANDING: dict[str, Sequence[str]] = {
    "by an administrator": (),
    "as a controller that adopts": (f"--as={CONTROLLERS}:replicaset-controller", f"--as-group={MASTERS}"),
    "as the garbage collector": (f"--as={CONTROLLERS}:generic-garbage-collector", f"--as-group={MASTERS}"),
}


@pytest.mark.parametrize("how", HANDING)
def test_handing_to_the_garbage_collector(how: str, kubectl: Kubectl, guarded: str, edge: Edge) -> None:
    """An owner that is not there cannot be given to what nobody may delete; the garbage collector would delete it."""
    given = _json({"metadata": {"ownerReferences": [NOBODY]}})

    attempt = kubectl("patch", "configmap", "guarded", "-n", guarded, "--type=merge", "-p", given, *HANDING[how])

    assert (attempt.ok, POLICY in attempt.err) == (False, True), attempt.err
    assert kubectl("get", "configmap", "guarded", "-n", guarded).ok
    edge(scenario="owner added that never was", load=how, outcome="denied as the deletion that it becomes")


def test_controllers_still_adopt(kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Edge) -> None:
    """A ReplicaSet takes in pods that match it, though nobody may delete pods."""
    apply(policies.policy("edge-adopted", match={**_deleting("pods"), "namespaces": {"names": [namespace]}}))
    kubectl.must("run", "orphan", "--image=simulated:1", "--labels=app=orphan", "-n", namespace)
    labels = {"matchLabels": {"app": "orphan"}}
    pod = {"metadata": {"labels": {"app": "orphan"}}, "spec": {"containers": [{"name": "c", "image": "simulated:1"}]}}
    spec = {"replicas": 1, "selector": labels, "template": pod}
    metadata = {"name": "adopter", "namespace": namespace}
    kubectl.apply({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec})

    adopted = ("get", "pod", "orphan", "-n", namespace, "-o", "jsonpath={.metadata.ownerReferences[0].name}")
    eventually(lambda: kubectl(*adopted).out == "adopter", seconds=GONE_SECONDS, what="the pod adopted")
    edge(scenario="controller adopts a pod", load="policy denies deleting pods", outcome="adopted")


EXEMPTING = {
    "object labelled": ("label", "configmap", "guarded", "-n", "{ns}", "temporary=yes"),
    "namespace labelled": ("label", "namespace", "{ns}", "temporary=yes"),
}


@pytest.mark.parametrize("how", EXEMPTING)
def test_labelling_into_an_exemption(
    how: str, kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Edge
) -> None:
    """The label that an exclude entry asks for cannot be put on by whoever may not pass the policy."""
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    temporary = {"selector": {"matchLabels": {"temporary": "yes"}}}
    match = {**_deleting("configmaps"), "namespaces": {"names": [namespace]}}
    apply(policies.policy("edge-exempt", match=match, exclude=[{"objects": temporary}, {"namespaces": temporary}]))

    attempt = kubectl(*(word.format(ns=namespace) for word in EXEMPTING[how]))

    assert (attempt.ok, "edge-exempt" in attempt.err) == (False, True), attempt.err
    edge(scenario="leaving into an exemption", load=how, outcome="denied")


def test_annotations_lead_nowhere(kubectl: Kubectl, guarded: str, edge: Edge) -> None:
    """No annotation, Interlock's own names included, makes a policy look away."""
    kubectl.must("annotate", "namespace", guarded, "interlock.dev/ignore=true", "interlock.dev/mode=Disabled")
    kubectl.must("annotate", "configmap", "guarded", "-n", guarded, "interlock.dev/exclude=true")

    attempt = kubectl("delete", "configmap", "guarded", "-n", guarded)

    assert POLICY in attempt.err
    edge(scenario="leaving protection", load="annotations", outcome="nothing looks at them; denied as before")


CHANGES: dict[str, Sequence[str]] = {
    "edited": ("patch", "dangerpolicy", "edge-loosened", "--type=merge", "-p", '{"spec": {"verdict": "Warn"}}'),
    "disabled": ("patch", "dangerpolicy", "edge-loosened", "--type=merge", "-p", '{"spec": {"mode": "Disabled"}}'),
    "deleted": ("delete", "dangerpolicy", "edge-loosened"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_loosening_a_policy(how: str, kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Edge) -> None:
    """Whoever may change policies gets past them, but not in silence: the record says who, and that it loosens."""
    apply(policies.no_configmap_delete("edge-loosened", namespace))
    by = f"mallory-{secrets.token_hex(2)}"

    kubectl.must(*CHANGES[how], f"--as={by}", f"--as-group={MASTERS}")

    [change] = eventually(
        lambda: _ledger(kubectl, lambda one: one.get("user", {}).get("name") == by),
        seconds=10,
        what="the record of the change",
    )
    assert (change["kind"], change["target"]["name"], change["loosens"]) == ("PolicyChange", "edge-loosened", True)
    edge(scenario="policy loosened", load=how, outcome="recorded: by whom, the difference, that it loosens")


@pytest.mark.parametrize("how", ENTRIES)
def test_getting_into_interlock(how: str, kubectl: Kubectl, edge: Edge) -> None:
    """Its pods, tokens, keys, Leases and the names of its records are closed to cluster administrators too."""
    attempt = ENTRIES[how].tried(kubectl)

    assert refused_by_a_fence(attempt), attempt.err
    edge(scenario="getting into Interlock", load=how, outcome="refused by an admission policy")


def test_name_of_the_next_record_squatted(kubectl: Kubectl, guarded: str, edge: Edge) -> None:
    """Who takes the name of a lane's next record, under the guard's name, stops no decision and loses no record."""
    taken = [_next_record(kubectl, lane) for lane in _lanes(kubectl)]
    for name in taken:
        kubectl.must("create", "configmap", name, "-n", SYSTEM, *_as("interlock-guard"))
    by = f"mallory-{secrets.token_hex(2)}"
    try:
        outcome = kubectl("delete", "configmap", "guarded", "-n", guarded, f"--as={by}", f"--as-group={MASTERS}")
        records = _ledger(kubectl, lambda one: one.get("user", {}).get("name") == by)
    finally:
        for name in taken:
            kubectl.must("delete", "configmap", name, "-n", SYSTEM, *_as("interlock-controller"))

    assert POLICY in outcome.err
    assert [one["verdict"] for one in records] == ["Deny"]
    edge(scenario="names of records squatted", load="of every lane", outcome="denied, and recorded in a new lane")


def _lanes(kubectl: Kubectl) -> list[str]:
    leases = kubectl.get("leases", "-n", SYSTEM, "-l", "interlock.dev/component=guard")["items"]
    return [lease["metadata"]["annotations"]["interlock.dev/lane"] for lease in leases]


def _next_record(kubectl: Kubectl, lane: str) -> str:
    """The name of the ConfigMap that a guard will write next."""
    last = max(one["sequence"] for one in _ledger(kubectl, lambda one: one["lane"] == lane))
    return f"interlock-lane-{lane}-{last + 1:010d}"


def _as(account: str) -> tuple[str, str]:
    return f"--as=system:serviceaccount:{SYSTEM}:{account}", f"--as-group={MASTERS}"


def _deleting(resource: str) -> JsonObject:
    return {"operations": ["DELETE"], "resources": [{"groups": [""], "resources": [resource]}]}


def _verdict(code: int, body: JsonObject) -> str:
    message = body.get("message", "")
    return "denied" if code == 403 and POLICY in message else f"{code}: {message}"


def _is_about(record: JsonObject, namespace: str) -> bool:
    return bool(record.get("target", {}).get("namespace") == namespace)


def _ledger(kubectl: Kubectl, wanted: Callable[[JsonObject], bool]) -> list[JsonObject]:
    """Records that are wanted, of every kind."""
    command = ["interlock", "ledger", "show", "--from-cluster", "--all", "-o", "json"]
    done = subprocess.run([*command, "--kubeconfig", kubectl.kubeconfig], check=True, capture_output=True, timeout=60)
    return [one for one in map(orjson.loads, done.stdout.splitlines()) if wanted(one)]


def _json(document: JsonObject) -> str:
    return orjson.dumps(document).decode()
