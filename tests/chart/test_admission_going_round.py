"""Ways to run something as Interlock, or to get at what runs, each tried by everybody on a real API server.

An attempt passes the policies, or one of them refuses it; what else would keep it from succeeding does not matter
here. Nothing is changed: CONNECT is asked of a pod that does not exist, everything else is a dry run.
"""

from collections.abc import Callable, Iterator

import orjson
import pytest

from interlock.core.types import JsonObject
from tests.chart import manifests
from tests.chart.callers import ADMINISTRATOR, BREAK_GLASS, DEPLOYMENTS, EVERYBODY, JOBS, MANAGER, REPLICASETS, Caller
from tests.chart.guarded import DRY_RUN, POLICY, Guarded, refused
from tests.chart.manifests import pod, workload
from tests.support.kubectl import Outcome, eventually

pytestmark = pytest.mark.cluster

GUARD, CONTROLLER, NOBODY = "interlock-guard", "interlock-controller", "default"
RUNNING, OTHERS_REPLICAS = "running", "others"
MADE_SECONDS = 30.0  # a Deployment makes its ReplicaSet within a second
KEY = "interlock-notary"
PROVER, PROVERS_JOB = "interlock-prover", "Job/interlock-prover-12345"
BEYOND_ADMISSION = "NotFound"  # what CONNECT ends with once admission let it pass: there is no such pod

OWN_REPLICAS = "replicaset/{own}"  # its Deployment gives it a name
RESTORERS = frozenset({BREAK_GLASS})
OF_REPLICASETS = frozenset({BREAK_GLASS, REPLICASETS, MANAGER})
OF_JOBS = frozenset({BREAK_GLASS, JOBS, MANAGER})
OF_DEPLOYMENTS = frozenset({BREAK_GLASS, DEPLOYMENTS, MANAGER})

CONNECTIONS = {
    "a command": "pods/none/exec?command=true",
    "its standard streams": "pods/none/attach?stdout=true",
    "its ports": "pods/none/portforward",
    "its ports, through the API server": "pods/none/proxy/metrics",
    "ports of a Service": "services/none/proxy/metrics",
}


def _handed(key: str) -> JsonObject:
    return {"volumes": [{"name": "v", "secret": {"secretName": key}}]}


CREATED: dict[str, tuple[JsonObject, frozenset[Caller]]] = {
    "a pod": (pod("x", GUARD), RESTORERS),
    "a pod with the controller's account": (pod("x", CONTROLLER), RESTORERS),
    "a pod by the account's old field": (
        pod("x", NOBODY) | {"spec": {"serviceAccount": GUARD, "containers": [manifests.CONTAINER]}},
        RESTORERS,
    ),
    "a pod of a ReplicaSet": (pod("x", GUARD, owner="ReplicaSet/interlock-guard-12345"), OF_REPLICASETS),
    "a pod of a StatefulSet": (pod("x", GUARD, owner="StatefulSet/x"), RESTORERS),
    "a pod of a Job": (pod("x", GUARD, owner="Job/x"), RESTORERS),
    "a ReplicaSet": (workload("apps/v1 ReplicaSet", "x", GUARD), RESTORERS),
    "a ReplicaSet of its Deployment": (
        workload("apps/v1 ReplicaSet", "x", GUARD, owner="Deployment/interlock-guard"),
        OF_DEPLOYMENTS,
    ),
    "a ReplicaSet of another Deployment": (
        workload("apps/v1 ReplicaSet", "x", GUARD, owner="Deployment/x"),
        RESTORERS,
    ),
    "its Deployment": (workload("apps/v1 Deployment", CONTROLLER, CONTROLLER), EVERYBODY),
    "another Deployment": (workload("apps/v1 Deployment", "x", GUARD), RESTORERS),
    "its Deployment with the other account": (workload("apps/v1 Deployment", CONTROLLER, GUARD), RESTORERS),
    "a DaemonSet": (workload("apps/v1 DaemonSet", GUARD, GUARD), RESTORERS),
    "a StatefulSet": (workload("apps/v1 StatefulSet", GUARD, GUARD), RESTORERS),
    "a ReplicationController": (workload("v1 ReplicationController", GUARD, GUARD), RESTORERS),
    "a Job": (workload("batch/v1 Job", GUARD, GUARD), RESTORERS),
    "a CronJob": (workload("batch/v1 CronJob", GUARD, GUARD), RESTORERS),
    "a pod of the prover's Job": (pod("x", PROVER, owner=PROVERS_JOB), OF_JOBS),
    "a pod of the prover's Job, with its key": (pod("x", PROVER, owner=PROVERS_JOB, **_handed(PROVER)), OF_JOBS),
    "a pod of the prover's Job, with another key": (pod("x", PROVER, owner=PROVERS_JOB, **_handed(KEY)), RESTORERS),
    "a pod of the prover's account": (pod("x", PROVER), RESTORERS),
    "a pod with the prover's key": (pod("x", NOBODY, owner=PROVERS_JOB, **_handed(PROVER)), RESTORERS),
}

PATCHED: dict[str, tuple[str, JsonObject, frozenset[Caller]]] = {
    "another image in a pod": (
        f"pod/{RUNNING}",
        {"spec": {"containers": [{"name": "main", "image": "other"}]}},
        RESTORERS,
    ),
    "another deadline of a pod": (f"pod/{RUNNING}", {"spec": {"activeDeadlineSeconds": 1}}, RESTORERS),
    "a label of a pod": (f"pod/{RUNNING}", {"metadata": {"labels": {"a": "b"}}}, EVERYBODY),
    "another image in a ReplicaSet": (
        OWN_REPLICAS,
        {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "other"}]}}}},
        OF_DEPLOYMENTS,
    ),
    "replicas of a ReplicaSet": (OWN_REPLICAS, {"spec": {"replicas": 3}}, EVERYBODY),
    "its account given to another's ReplicaSet": (
        f"replicaset/{OTHERS_REPLICAS}",
        {"spec": {"template": {"spec": {"serviceAccountName": GUARD}}}},
        RESTORERS,
    ),
}

HANDED_A_KEY: dict[str, JsonObject] = {
    "volume": _handed(KEY),
    "projected volume": {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": KEY}}]}}]},
    "variable": {
        "containers": [
            manifests.CONTAINER | {"env": [{"name": "V", "valueFrom": {"secretKeyRef": {"name": KEY, "key": "key"}}}]}
        ]
    },
    "variables": {"containers": [manifests.CONTAINER | {"envFrom": [{"secretRef": {"name": KEY}}]}]},
    "variables of an init container": {
        "initContainers": [manifests.CONTAINER | {"name": "first", "envFrom": [{"secretRef": {"name": KEY}}]}]
    },
}
HANDED_OTHERS: JsonObject = {
    "volumes": [{"name": "a", "secret": {"secretName": "other"}}, {"name": "b", "emptyDir": {}}],
    "containers": [
        manifests.CONTAINER | {"env": [{"name": "V", "value": KEY}], "envFrom": [{"configMapRef": {"name": KEY}}]}
    ],
}


@pytest.fixture(scope="module", autouse=True)
def own(guarded: Guarded) -> Iterator[str]:
    """The ReplicaSet of a guard's Deployment, beside a guard's pod and somebody else's ReplicaSet; none has pods."""
    for each in (
        pod(RUNNING, GUARD),
        workload("apps/v1 Deployment", GUARD, GUARD, replicas=0),
        workload("apps/v1 ReplicaSet", OTHERS_REPLICAS, NOBODY, replicas=0),
    ):
        assert guarded.creates(BREAK_GLASS, each).ok
    named = ("get", "replicasets", f"--selector=written-by-test-as={GUARD}", "-o", "jsonpath={.items[*].metadata.name}")
    yield eventually(lambda: guarded.by(ADMINISTRATOR, *named).out, seconds=MADE_SECONDS, what="a guard's ReplicaSet")
    made = (f"pod/{RUNNING}", f"deployment/{GUARD}", f"replicaset/{OTHERS_REPLICAS}")
    guarded.by(BREAK_GLASS, "delete", *made, "--wait=false")


@pytest.mark.parametrize("way", CONNECTIONS)
def test_entering(way: str, guarded: Guarded) -> None:
    """Only break-glass groups reach into a process of the namespace, or its ports."""
    path = f"/api/v1/namespaces/{{namespace}}/{CONNECTIONS[way]}"

    passing = _passing(lambda who: guarded.by(who, "get", "--raw", path))

    assert passing == RESTORERS


def test_debugging_container(guarded: Guarded) -> None:
    """A container that joins a running pod is an entry like any other."""
    command = ("debug", f"pod/{RUNNING}", "--image=tools", "--profile=general", "--attach=false", "--", "true")

    passing = _passing(lambda who: guarded.by(who, *command))

    assert passing == RESTORERS


@pytest.mark.parametrize("what", CREATED)
def test_creating_what_runs_under_its_accounts(what: str, guarded: Guarded) -> None:
    """Pods come from ReplicaSets, those from Interlock's Deployments, and those from whoever RBAC lets."""
    document, expected = CREATED[what]

    passing = _passing(lambda who: guarded.creates(who, document, DRY_RUN))

    assert passing == expected


@pytest.mark.parametrize("what", PATCHED)
def test_changing_what_runs_under_its_accounts(what: str, own: str, guarded: Guarded) -> None:
    """What runs stays as it was made; scaling and labels are RBAC's matter."""
    target, change, expected = PATCHED[what]
    patch = ("patch", target.format(own=own), "--type=strategic", "--patch", orjson.dumps(change).decode(), DRY_RUN)

    passing = _passing(lambda who: guarded.by(who, *patch))

    assert passing == expected


@pytest.mark.parametrize("how", HANDED_A_KEY)
def test_handing_a_key_to_a_pod(how: str, guarded: Guarded) -> None:
    """Whoever may create pods cannot read the keys by it; nor can Interlock's own Deployments be made to."""
    document = pod("x", NOBODY, owner="ReplicaSet/interlock-guard-12345", **HANDED_A_KEY[how])

    passing = _passing(lambda who: guarded.creates(who, document, DRY_RUN))

    assert passing == RESTORERS


@pytest.mark.parametrize(
    "document",
    [
        pod("x", NOBODY),
        pod("x", NOBODY, **HANDED_OTHERS),
        workload("apps/v1 Deployment", "x", NOBODY),
        workload("batch/v1 CronJob", "x", NOBODY),
    ],
    ids=["pod", "pod with other Secrets", "Deployment", "CronJob"],
)
def test_other_accounts_are_nobodys_business(document: JsonObject, guarded: Guarded) -> None:
    """The policies speak of Interlock's accounts and keys only."""
    assert guarded.creates(ADMINISTRATOR, document, DRY_RUN).ok


def test_deleting_pods_is_nobodys_business(guarded: Guarded) -> None:
    """Whatever has to get rid of a pod can: nodes, the scheduler, a drain, an administrator."""
    assert guarded.by(ADMINISTRATOR, "delete", "pod", RUNNING, DRY_RUN).ok


def test_other_namespaces_are_nobodys_business(guarded: Guarded) -> None:
    """What stands in another namespace under the same names is not Interlock's."""
    elsewhere = ("--namespace", "default", *ADMINISTRATOR.flags("default"))

    assert BEYOND_ADMISSION in guarded.kubectl(*elsewhere, "exec", "none", "--", "true").err


def _passing(attempt: Callable[[Caller], Outcome]) -> set[Caller]:
    return {who for who in EVERYBODY if _passes(attempt(who))}


def _passes(attempt: Outcome) -> bool:
    """Whether the policies let it pass; an attempt that ends in any other way than expected fails the test."""
    passed = attempt.ok or BEYOND_ADMISSION in attempt.err
    assert passed or refused(attempt, POLICY), attempt.err
    return passed
