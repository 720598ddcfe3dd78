"""The checks of `interlock doctor`, each on what it looks at: which states are good, and what it says of the others."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock.cli.doctor import certificates, command, fences, guards, interception, log, powers
from interlock.cli.doctor.finding import Finding, Status, bad, good, unknown
from interlock.cli.doctor.grants import grants
from interlock.cli.doctor.powers import Power
from interlock.cli.installation import FENCES
from interlock.core.audit.standing import Condition, Kind
from interlock.core.audit.storeproof import Proven
from interlock.core.interception import rules
from interlock.core.policies.policy import parse
from interlock.core.types import JsonObject
from interlock.kube import pki
from tests.support.policies import SOUND, policy

NAMESPACE = "interlock-system"
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
POLICY = policy(SOUND)
SECRET = "0" * 64
RBAC = "rbac.authorization.k8s.io"


def _configuration(*policies: JsonObject) -> JsonObject:
    """As the controller fills it."""
    delivery = rules.Delivery(
        namespace=NAMESPACE, service="interlock-guard", port=443, ca_bundle="Q0E=", generation=7, path_secret=SECRET
    )
    return {"webhooks": rules.webhooks([parse(each) for each in policies], delivery)}


def _says(finding: Finding) -> list[str]:
    """What is wrong: the sentence, and what it speaks of; nothing of a good finding."""
    return [] if finding.status is Status.OK else [finding.text, *finding.details]


# ------------------------------------------------------------------------------------------------------------- log


def _checkpoint(age: timedelta) -> JsonObject:
    return {"metadata": {"creationTimestamp": (NOW - age).isoformat()}}


def _controllers(*arguments: str) -> JsonObject:
    containers = [{"args": ["controller", *arguments]}]
    return {"metadata": {"name": "interlock-controller"}, "spec": {"template": {"spec": {"containers": containers}}}}


@pytest.mark.parametrize(
    ("ages", "says"),
    [
        ([timedelta(hours=1), timedelta(seconds=50)], []),
        ([timedelta(minutes=4)], ["the newest checkpoint is 240 s old, and one is due every minute"]),
        ([], ["no checkpoint was signed yet: nothing shows what is missing of the records"]),
    ],
    ids=["lately", "long ago", "never"],
)
def test_checkpoints(ages: list[timedelta], says: list[str]) -> None:
    """One is due every minute."""
    assert _says(log.checkpoints([_checkpoint(age) for age in ages], NOW, NAMESPACE)) == says


def _proven(status: Proven) -> list[Condition]:
    return [Condition(kind=Kind.WORM_PROVEN, status=status, reason="R", message="the controller's words", since=NOW)]


@pytest.mark.parametrize(
    ("count", "conditions", "status", "text"),
    [
        (1, _proven(Proven.TRUE), Status.OK, "which locks them: the controller's words"),
        (1, _proven(Proven.UNKNOWN), Status.UNKNOWN, "whether it locks is not known: the controller's words"),
        (1, [], Status.UNKNOWN, "whether it locks is not known: no controller has said so"),
        (1, _proven(Proven.FALSE), Status.BAD, "does not lock what it holds: the controller's words"),
        (31, _proven(Proven.TRUE), Status.BAD, "31 checkpoints are still in the cluster: nothing is shipped"),
    ],
    ids=["locked", "not known", "nothing said", "leaks", "waiting"],
)
def test_shipped(count: int, conditions: list[Condition], status: Status, text: str) -> None:
    """What is shipped goes from the cluster, so what is left tells how far that is; and the store has to lock."""
    waiting = [_checkpoint(timedelta(seconds=9))] * count
    found = log.shipped(waiting, [_controllers("--store=s3://audit")], conditions, NAMESPACE)

    assert (found.status, text in found.text) == (status, True)


def test_not_shipped_at_all() -> None:
    """Without a store nothing is red, and what that means is said."""
    found = log.shipped([], [_controllers()], [], NAMESPACE)

    assert found == good("records stay in the cluster, where nothing locks them: store.address is not set")


# ---------------------------------------------------------------------------------------------------- interception


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        (_configuration(), []),
        (None, ["there is no webhook configuration: nothing is stopped or recorded"]),
        ({"webhooks": []}, ["the webhook configuration is empty: no controller has filled it"]),
        (
            {"webhooks": [{"name": "theirs.example.com"}]},
            ["the webhook configuration is empty: no controller has filled it"],
        ),
    ],
    ids=["filled", "absent", "empty", "filled by others"],
)
def test_armed(configuration: JsonObject | None, says: list[str]) -> None:
    """API servers ask once there is an entry of ours."""
    assert _says(interception.armed(configuration)) == says


def _edited(**change: Any) -> JsonObject:
    """The configuration for one policy with its first entry changed by hand."""
    found = _configuration(POLICY)
    found["webhooks"][0] |= change
    return found


NOT_NEEDED = "the webhook configuration is not what the policies need"


@pytest.mark.parametrize(
    ("configuration", "policies", "says"),
    [
        (_configuration(POLICY), [POLICY], []),
        (_configuration(), [], []),
        (
            _configuration(),
            [POLICY],
            [
                NOT_NEEDED,
                "enforce.interlock.dev is missing",
                "observe.interlock.dev is missing",
                "system.interlock.dev is missing",
            ],
        ),
        (
            _configuration(POLICY),
            [],
            [
                NOT_NEEDED,
                "enforce.interlock.dev is not needed",
                "observe.interlock.dev is not needed",
                "system.interlock.dev is not needed",
            ],
        ),
        (_edited(failurePolicy="Ignore"), [POLICY], [NOT_NEEDED, "enforce.interlock.dev has other failurePolicy"]),
        (
            _edited(rules=[], namespaceSelector={"matchLabels": {"a": "b"}}),
            [POLICY],
            [NOT_NEEDED, "enforce.interlock.dev has other namespaceSelector, rules"],
        ),
        (None, [POLICY], ["no policy is covered: the webhook configuration is not filled"]),
    ],
    ids=["as needed", "no policy", "policy not followed", "policy gone", "fails open", "narrowed", "absent"],
)
def test_coverage(configuration: JsonObject | None, policies: list[JsonObject], says: list[str]) -> None:
    """The configuration is compared with what the policies make of it, field by field."""
    assert _says(interception.coverage(configuration, policies, NAMESPACE)) == says


def test_coverage_counts_policies_that_do_not_compile() -> None:
    """A stored policy that no longer compiles fails closed, so that it has to be covered as well."""
    broken = policy({**SOUND, "match": {"actions": ["no-such-action"]}})

    assert NOT_NEEDED in _says(interception.coverage(_configuration(), [broken], NAMESPACE))


def _status(generation: int = 2, **conditions: str) -> JsonObject:
    """A policy of generation 2, whose status was written for one; `Ready=` and the like carry a message if False."""
    listed = [
        {"type": kind, "status": "False" if message else "True", "message": message}
        for kind, message in conditions.items()
    ]
    metadata = {"name": "mine", "generation": 2}
    return {
        "metadata": metadata,
        "spec": {"mode": "Enforce"},
        "status": {"observedGeneration": generation, "conditions": listed},
    }


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (_status(Ready="", InForce=""), []),
        (_status(1, Ready="", InForce=""), ["mine: no controller has seen its newest version"]),
        (_status(Ready="no such zone", InForce=""), ["mine: no such zone"]),
        (
            _status(Ready="", InForce="1 of 2 guards decide by this version"),
            ["mine: 1 of 2 guards decide by this version"],
        ),
        (_status(Ready=""), ["mine: InForce is not known"]),
        ({**_status(1), "spec": {"mode": "Disabled"}}, []),
    ],
    ids=["in force", "not seen", "does not compile", "guards behind", "nothing known", "disabled"],
)
def test_in_force(found: JsonObject, says: list[str]) -> None:
    """A policy is in force when its status says so, of its newest version."""
    assert _says(interception.in_force([found], leaderless=""))[1:] == says


def test_status_that_nobody_writes_is_not_believed() -> None:
    """Without a leading controller the last status stays as it was, whatever has become of the policy."""
    found = interception.in_force([_status(Ready="", InForce="")], leaderless="held by nobody")

    assert (found.status, "held by nobody" in found.text) == (Status.UNKNOWN, True)


def test_answered() -> None:
    """Only a guard's own answer counts."""
    assert [interception.answered(reached).status for reached in (True, False)] == [Status.OK, Status.BAD]


# ---------------------------------------------------------------------------------------------------- processes


def _deployment(component: str, wanted: int, ready: int) -> JsonObject:
    return {
        "metadata": {"name": f"interlock-{component}"},
        "spec": {"replicas": wanted},
        "status": {"readyReplicas": ready},
    }


CONTROLLERS = _deployment("controller", 2, 2)


@pytest.mark.parametrize(
    ("deployments", "says"),
    [
        ([_deployment("guard", 2, 2), CONTROLLERS], []),
        ([_deployment("guard", 2, 2), _deployment("controller", 1, 1)], []),
        ([_deployment("guard", 1, 1), CONTROLLERS], ["interlock-guard: 1 pod wanted, at least 2 expected"]),
        ([_deployment("guard", 3, 1), CONTROLLERS], ["interlock-guard: 1 of 3 pods ready"]),
        ([_deployment("guard", 0, 0), CONTROLLERS], ["interlock-guard: 0 of 0 pods ready"]),
        ([CONTROLLERS], ["there is no Deployment interlock-guard"]),
    ],
    ids=["two and two", "one controller", "one guard", "guards missing", "scaled away", "gone"],
)
def test_replicas(deployments: list[JsonObject], says: list[str]) -> None:
    """Two guards, all of what is wanted ready."""
    assert _says(guards.replicas(deployments, NAMESPACE))[1:] == says


def _pod(name: str = "guard-1", *arguments: str, ready: bool = True, **metadata: str) -> JsonObject:
    labels = {"app.kubernetes.io/component": "guard"}
    return {
        "metadata": {"name": name, "labels": labels, **metadata},
        "spec": {"containers": [{"args": ["guard", *arguments]}]},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


CA = "--caller-ca-file=/etc/ca.crt"


@pytest.mark.parametrize(
    ("pods", "status"),
    [
        ([_pod("a", CA), _pod("b", CA)], Status.OK),
        ([_pod("a")], Status.OK),
        ([_pod("a", CA), _pod("b", "--accept-unproven-callers")], Status.BAD),
        ([_pod("a", "--accept-unproven-callers", deletionTimestamp="now"), _pod("b")], Status.OK),
        ([_pod("a", "--accept-unproven-callers", ready=False)], Status.UNKNOWN),
        ([], Status.UNKNOWN),
    ],
    ids=["certificate", "path", "one is open", "the open one is going", "none is ready", "none"],
)
def test_callers(pods: list[JsonObject], status: Status) -> None:
    """Every guard that answers asks for proof; whom nobody asks, nobody knows."""
    assert guards.callers(pods).status is status


def _lease(name: str, age: float = 5, *, holder: str = "somebody", **annotations: str) -> JsonObject:
    renewed = (NOW - timedelta(seconds=age)).isoformat().replace("+00:00", "Z")
    named = {f"interlock.dev/{key}": value for key, value in annotations.items()}
    return {"metadata": {"name": name, "annotations": named}, "spec": {"holderIdentity": holder, "renewTime": renewed}}


LEADER = _lease("interlock-controller")


@pytest.mark.parametrize(
    ("leases", "says"),
    [
        ([_lease("guard-1"), LEADER], []),
        ([LEADER], ["guard-1 has no Lease"]),
        ([_lease("guard-1", 31), LEADER], ["Lease guard-1 was renewed 31 s ago"]),
        (
            [_lease("guard-1"), _lease("interlock-controller", holder="")],
            ["Lease interlock-controller is held by nobody"],
        ),
        ([_lease("guard-1")], ["interlock-controller has no Lease"]),
    ],
    ids=["fresh", "guard without", "guard's is old", "nobody leads", "nobody ever led"],
)
def test_leases(leases: list[JsonObject], says: list[str]) -> None:
    """Each guard that is ready, and the leader, said lately that they live."""
    assert _says(guards.leases([_pod()], leases, NOW, NAMESPACE))[1:] == says


@pytest.mark.parametrize(
    ("lease", "says"),
    [
        (_lease("guard-1", generation="7"), []),
        (_lease("guard-1", generation="8"), []),
        (_lease("guard-1", generation="6"), ["guard-1 has seen policies as of 6, API servers ask by 7"]),
        (_lease("another", generation="7"), ["guard-1 has seen policies as of , API servers ask by 7"]),
    ],
    ids=["as published", "ahead", "behind", "says nothing"],
)
def test_snapshots(lease: JsonObject, says: list[str]) -> None:
    """A guard knows at least the policies that API servers ask by."""
    assert _says(guards.snapshots([_pod()], [lease], _configuration(POLICY), NAMESPACE))[1:] == says


@pytest.mark.parametrize(
    ("certified", "says"), [("true", []), ("false", ["the lane of guard-1 is not certified"])], ids=["yes", "no"]
)
def test_certified(certified: str, says: list[str]) -> None:
    """Each guard says itself whether its lane is certified."""
    assert _says(guards.certified([_pod()], [_lease("guard-1", certified=certified)], NAMESPACE))[1:] == says


# ---------------------------------------------------------------------------------------------------- certificates

AUTHORITIES = pki.found(NOW)
SERVING = pki.issue(AUTHORITIES, ["interlock-guard"], NOW)


def _base64(pem: bytes) -> str:
    return base64.b64encode(pem).decode()


def _trusting(authority: bytes) -> JsonObject:
    return {"webhooks": [{"name": "self.interlock.dev", "clientConfig": {"caBundle": _base64(authority)}}]}


@pytest.mark.parametrize(
    ("authority", "after", "says"),
    [
        (AUTHORITIES, timedelta(days=200), []),
        (AUTHORITIES, timedelta(days=280), ["the guards' certificate expires 2027-11-25"]),
        (
            pki.found(NOW),
            timedelta(),
            ["API servers do not trust the guards' certificate: its authority is not in the webhook configuration"],
        ),
    ],
    ids=["in its first two thirds", "in its last quarter", "of another authority"],
)
def test_certificates(authority: pki.Authorities, after: timedelta, says: list[str]) -> None:
    """The served certificate is trusted, and would have been renewed long before it expires."""
    found = certificates.certificates(_trusting(authority.bundle), _base64(SERVING.certificate), NOW + after, NAMESPACE)

    assert _says(found)[1:] == says


@pytest.mark.parametrize("serving", ["", "bm8=", "!"], ids=["absent", "no certificate", "no base64"])
def test_certificates_that_cannot_be_read(serving: str) -> None:
    """What cannot be looked at is not called good."""
    found = certificates.certificates(_trusting(AUTHORITIES.bundle), serving, NOW, NAMESPACE)

    assert found.status is Status.UNKNOWN


# ---------------------------------------------------------------------------------------------------- fences


def _fence(name: str, **spec: Any) -> JsonObject:
    constraints = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}}
    return {
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {"failurePolicy": "Fail", "matchConstraints": constraints, **spec},
    }


def _bound(name: str, **spec: Any) -> JsonObject:
    return {
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"], **spec},
    }


ALL_FENCES = [each for name in FENCES for each in (_fence(name), _bound(name))]
FIRST = FENCES[0]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (ALL_FENCES, []),
        (ALL_FENCES[1:], [f"{FIRST} does not exist"]),
        ([ALL_FENCES[0], *ALL_FENCES[2:]], [f"{FIRST} is bound by nothing"]),
        ([_fence(FIRST, failurePolicy="Ignore"), *ALL_FENCES[1:]], [f"{FIRST} lets pass what it cannot evaluate"]),
        ([_fence(FIRST, matchConstraints={}), *ALL_FENCES[1:]], [f"{FIRST} does not speak of {NAMESPACE}"]),
        ([*ALL_FENCES[2:], _fence(FIRST), _bound(FIRST, validationActions=["Audit"])], [f"{FIRST} denies nothing"]),
        (
            [*ALL_FENCES[2:], _fence(FIRST), _bound(FIRST, matchResources={"x": 1})],
            [f"{FIRST} is narrowed by its binding"],
        ),
    ],
    ids=["all", "deleted", "unbound", "fails open", "elsewhere", "only audits", "narrowed"],
)
def test_fences(found: list[JsonObject], says: list[str]) -> None:
    """Each admission policy of the chart stands, and is bound to deny."""
    assert _says(fences.fences(found, NAMESPACE))[1:] == says


# ---------------------------------------------------------------------------------------------------- powers


def _role(name: str, *rules_of_it: Mapping[str, Sequence[str]], namespace: str = "") -> JsonObject:
    kind = "Role" if namespace else "ClusterRole"
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace}, "rules": list(rules_of_it)}


def _rule(verbs: str, group: str, resources: str, *names: str) -> dict[str, list[str]]:
    rule = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return rule | ({"resourceNames": list(names)} if names else {})


def _binding(role: str, kind: str, who: str, *, where: str = "", home: str = "", **metadata: Any) -> JsonObject:
    """Bind a ClusterRole to somebody, in the cluster or in one namespace."""
    return {
        "kind": "RoleBinding" if where else "ClusterRoleBinding",
        "metadata": {"name": "b", "namespace": where, **metadata},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": kind, "name": who, "namespace": home}],
    }


BY_DEFAULT = {"kubernetes.io/bootstrapping": "rbac-defaults"}
EVERYTHING = _role("cluster-admin", _rule("*", "*", "*"))
MASTERS = _binding("cluster-admin", "Group", "system:masters", labels=BY_DEFAULT)


def _excess(power: Power, *objects: JsonObject, expected: Sequence[str] = ()) -> list[str]:
    found = powers.held(
        power, grants([EVERYTHING, MASTERS, *objects]), namespace=NAMESPACE, expected=frozenset(expected)
    )
    return _says(found)[1:]


VWC = "validatingwebhookconfigurations"
ADMISSION = "admissionregistration.k8s.io"

GIVEN = {
    "delete the configuration": (powers.DISARM, _rule("delete", ADMISSION, VWC), f"delete {VWC}.{ADMISSION} interlock"),
    "by its name": (powers.DISARM, _rule("patch", ADMISSION, VWC, "interlock"), f"patch {VWC}.{ADMISSION} interlock"),
    "unbind a fence": (
        powers.DISARM,
        _rule("delete", ADMISSION, "validatingadmissionpolicybindings"),
        f"delete validatingadmissionpolicybindings.{ADMISSION} interlock-audit-configmaps",
    ),
    "change policies": (
        powers.CHANGE_POLICIES,
        _rule("update", "interlock.dev", "dangerpolicies"),
        "update dangerpolicies.interlock.dev",
    ),
    "read Secrets": (powers.READ_KEYS, _rule("list", "", "secrets"), "list secrets interlock-ca"),
    "read one key": (powers.READ_KEYS, _rule("get", "", "secrets", "interlock-notary"), "get secrets interlock-notary"),
    "impersonate": (powers.BECOME_OTHERS, _rule("impersonate", "", "users groups"), "impersonate users"),
    "escalate": (powers.BECOME_OTHERS, _rule("escalate", RBAC, "clusterroles"), f"escalate clusterroles.{RBAC}"),
    "write ConfigMaps": (powers.WRITE_RECORDS, _rule("create", "", "configmaps"), "create configmaps"),
    "scale guards": (
        powers.CHANGE_GUARDS,
        _rule("patch", "apps", "deployments/scale"),
        "patch deployments/scale.apps interlock-guard",
    ),
    "enter nodes": (powers.ENTER_NODES, _rule("get", "", "nodes/proxy"), "get nodes/proxy"),
    "read the path": (powers.READ_PATH, _rule("get list", ADMISSION, VWC), f"get {VWC}.{ADMISSION} interlock"),
}


@pytest.mark.parametrize("what", GIVEN)
def test_power_given(what: str) -> None:
    """Whoever holds a power is named, with the binding and the right that give it, unless that is expected."""
    power, rule, says = GIVEN[what]
    objects = (_role("r", rule), _binding("r", "User", "jane"))

    assert _excess(power, *objects) == [f"User/jane, through ClusterRoleBinding b: {says}"]
    assert _excess(power, *objects, expected=["User/jane"]) == []


NOT_GIVEN = {
    "another configuration": (powers.DISARM, _rule("delete", ADMISSION, VWC, "cert-manager")),
    "reading the configuration": (powers.DISARM, _rule("get list watch", ADMISSION, VWC)),
    "another Secret": (powers.READ_KEYS, _rule("get", "", "secrets", "mine")),
    "reading policies": (powers.CHANGE_POLICIES, _rule("get create", "interlock.dev", "dangerpolicies")),
    "reading ConfigMaps": (powers.WRITE_RECORDS, _rule("get list watch", "", "configmaps")),
    "another Deployment": (powers.CHANGE_GUARDS, _rule("*", "apps", "deployments", "web")),
}


@pytest.mark.parametrize("what", NOT_GIVEN)
def test_power_not_given(what: str) -> None:
    """What has nothing to do with Interlock is no excess."""
    power, rule = NOT_GIVEN[what]

    assert _excess(power, _role("r", rule), _binding("r", "User", "jane")) == []


SUBJECTS = {
    "administrators by name": (_binding("cluster-admin", "Group", "platform"), True),
    "an account as administrator": (_binding("cluster-admin", "ServiceAccount", "tiller", home="kube-system"), False),
    "everybody as administrator": (_binding("cluster-admin", "Group", "system:authenticated"), False),
    "administrator of the namespace only": (_binding("cluster-admin", "User", "jane", where=NAMESPACE), False),
    "a controller of Kubernetes": (
        _binding(
            "cluster-admin", "ServiceAccount", "x", home="kube-system", name="system:controller:x", labels=BY_DEFAULT
        ),
        True,
    ),
    "a stranger in a binding of Kubernetes": (
        _binding(
            "cluster-admin", "ServiceAccount", "y", home="kube-system", name="system:controller:x", labels=BY_DEFAULT
        ),
        False,
    ),
    "Interlock by the chart": (
        _binding(
            "cluster-admin", "ServiceAccount", "interlock-controller", home=NAMESPACE, name="interlock-controller"
        ),
        True,
    ),
    "Interlock by another binding": (
        _binding("cluster-admin", "ServiceAccount", "interlock-guard", home=NAMESPACE, name="generous"),
        False,
    ),
}


@pytest.mark.parametrize("who", SUBJECTS)
def test_who_is_known(who: str) -> None:
    """People with cluster-admin, Kubernetes by its own bindings and Interlock by the chart's are known, nobody else."""
    binding, known = SUBJECTS[who]

    assert (_excess(powers.READ_KEYS, binding) == []) is known


def test_too_many_rules_are_taken_for_the_worst() -> None:
    """A role that is too large to be looked at counts as a way to become others."""
    names = [f"r{number}" for number in range(30_000)]
    objects = (_role("r", {"verbs": ["get"], "apiGroups": [""], "resources": names}), _binding("r", "User", "jane"))

    assert _excess(powers.BECOME_OTHERS, *objects) == [
        "User/jane, through ClusterRoleBinding b: more rules than can be looked at"
    ]


# ---------------------------------------------------------------------------------------------------- printing


def test_text() -> None:
    """A line for each check, what it speaks of and what to do below it, and a count."""
    found = {
        "armed": good("API servers ask by 1 webhook"),
        "replicas": bad(
            "too few processes run", details=["interlock-guard: 1 of 2 pods ready"], remedy="look at the pods"
        ),
        "leases": unknown("forbidden"),
    }

    assert list(command.text(found)) == [
        "ok   armed     API servers ask by 1 webhook",
        "BAD  replicas  too few processes run",
        "               interlock-guard: 1 of 2 pods ready",
        "               -> look at the pods",
        "?    leases    forbidden",
        "3 checks: 1 ok, 1 bad, 1 not to be looked at",
    ]


def test_every_check_is_in_the_runbook() -> None:
    """Whoever meets a red line finds what it means and what to do."""
    page = Path("webhook/docs/runbook.md").read_text()

    assert [name for name in (*command.CHECKS, *command.POWERS, "may-read-path") if f"`{name}`" not in page] == []
