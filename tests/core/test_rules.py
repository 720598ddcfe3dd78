"""Which webhook a request goes to: every one that a policy could select to exactly one, and Fail only where it may."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core import catalogue, systems
from interlock.core.interception import conditions, coverage, rules
from interlock.core.interception.rules import Delivery
from interlock.core.owners import new_owners
from interlock.core.policies import leaving
from interlock.core.policies.policy import Policy
from interlock.core.types import JsonObject, Mode, Operation, Request, User
from tests.support.interception import sent_to
from tests.support.policies import parsed
from tests.support.policies import request as review

HOME = "interlock-system"
DELIVERY = Delivery(
    namespace=HOME, service="interlock-guard", port=443, ca_bundle="Q0E=", generation=7, path_secret="s" * 64
)
ALICE = User(name="alice", groups=("dev", "system:authenticated"))
NODE = User(name="system:node:node-1", groups=("system:nodes",))
COLLECTOR = User(name="system:serviceaccount:kube-system:generic-garbage-collector")
GUARD = User(name=f"system:serviceaccount:{HOME}:interlock-guard")

# ------------------------------------------------------------------------------------------ an independent model


def _could_select(policy: Policy, request: Request, *, collections: bool = True) -> bool:
    """Whether some finding of such a request could be one that the policy speaks of."""
    named = any(
        rule.covers(request) and (collections or not (rule.collections or rule.when))
        for action in policy.match.action_ids
        for entry in catalogue.select(action)
        for rule in entry.rules
    )
    plain = request.operation in policy.match.operations and any(
        rule.covers(group=request.group, resource=request.resource, subresource=request.subresource)
        for rule in policy.match.resources
    )
    return (
        policy.mode is not Mode.DISABLED
        and (named or plain or _could_leave(policy, request) or _could_become(policy, request))
        and _near(policy, request)
    )


def _could_leave(policy: Policy, request: Request) -> bool:
    if request.operation is not Operation.UPDATE or policy.mode is not Mode.ENFORCE:
        return False
    scopes = [policy.match, *(entry.scope for entry in policy.exclude)]
    objects = any(scope.objects and scope.objects.selector for scope in scopes)
    namespaces = any(scope.namespaces and scope.namespaces.selector for scope in scopes)
    of_kind = any(kind.covers_kind(group=request.group, resource=request.resource) for kind in policy.match.kinds)
    return (objects and of_kind) or (namespaces and request.is_namespace)


def _could_become(policy: Policy, request: Request) -> bool:
    """Whether the policy could select the deletion that an update with a new owner can become."""
    if not new_owners(request):
        return False
    deletion = replace(request, operation=Operation.DELETE, subresource="", object=None)
    return _could_select(policy, deletion, collections=False)


def _near(policy: Policy, request: Request) -> bool:
    namespaces = policy.match.namespaces
    return not request.namespace or namespaces is None or namespaces.names_match(request.namespace)


def _names_exactly(policy: Policy, namespace: str) -> bool:
    namespaces = policy.match.namespaces
    return bool(namespaces and namespaces.names and namespace in namespaces.names.literals)


# ------------------------------------------------------------------------------------------ policies and requests

RESOURCES = st.sampled_from(
    ["pods", "pods/exec", "pods/*", "*", "*/*", "*/scale", "deployments", "secrets", "namespaces"]
)
NAMES = st.sampled_from(["prod-*", "*-db", "prod-a", "kube-system", "kube-*", "p*d-*b", HOME, "*", "*system*"])
OWNED: st.SearchStrategy[JsonObject] = st.sampled_from(
    [{}, *({"ownerReferences": [{"uid": uid} for uid in uids]} for uids in ("a", "b", "ab"))]
)
MARKED: st.SearchStrategy[JsonObject] = st.sampled_from(
    [
        {},
        {"finalizers": ["a", "b"]},
        {"finalizers": ["b"], "annotations": {"helm.sh/resource-policy": "keep", "meta.helm.sh/release-name": "shop"}},
        {"labels": {"app.kubernetes.io/name": "interlock"}},
        {"annotations": {"helm.sh/resource-policy": ""}, "labels": {"kustomize.toolkit.fluxcd.io/name": "shop"}},
    ]
)
SELECTOR = {"matchLabels": {"env": "prod"}}
TERMS = st.sampled_from([*sorted(set(catalogue.FAMILIES) - {leaving.FAMILY}), "delete-namespace", "exec", "*"])


def _lists(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(values, min_size=1, max_size=3, unique=True)


@st.composite
def _matches(draw: st.DrawFn) -> JsonObject:
    match: JsonObject = {}
    if draw(st.booleans()):
        match["actions"] = draw(_lists(TERMS))
    if not match or draw(st.booleans()):
        match["operations"] = draw(_lists(st.sampled_from([operation.value for operation in Operation])))
        groups = _lists(st.sampled_from(["", "apps", "interlock.dev", "authorization.k8s.io", "*"]))
        match["resources"] = [{"groups": draw(groups), "resources": draw(_lists(RESOURCES))}]
    namespaces = draw(
        st.one_of(st.none(), st.just({"selector": SELECTOR}), _lists(NAMES).map(lambda names: {"names": names}))
    )
    objects = draw(st.one_of(st.none(), st.just({"selector": SELECTOR})))
    return match | {key: value for key, value in (("namespaces", namespaces), ("objects", objects)) if value}


@st.composite
def _policies(draw: st.DrawFn) -> Policy:
    mode = draw(st.sampled_from(["Enforce", "Enforce", "Observe", "Disabled"]))
    verdict = draw(st.sampled_from(["Deny", "Deny", "Warn", "Allow"]))
    exclude = draw(
        st.sampled_from([None, [{"objects": {"selector": SELECTOR}}], [{"namespaces": {"selector": SELECTOR}}]])
    )
    more = {"exclude": exclude} if exclude else {}
    return parsed(mode=mode, verdict=verdict, match={"actions": None, **draw(_matches())}, **more)


@st.composite
def _requests(draw: st.DrawFn) -> Request:
    path = draw(st.sampled_from(["pods", "pods/exec", "pods/status", "deployments", "deployments/scale", "secrets"]))
    path = draw(st.sampled_from([path, "namespaces", "namespaces/status", "persistentvolumes", "leases", "endpoints"]))
    resource, _, subresource = path.partition("/")
    return Request(
        uid="u",
        operation=draw(st.sampled_from(Operation)),
        group=draw(st.sampled_from(["", "", "apps", "coordination.k8s.io", "interlock.dev", "authorization.k8s.io"])),
        version="v1",
        resource=resource,
        subresource=subresource,
        kind="Any",
        name="x",
        namespace=draw(st.sampled_from(["", "prod-a", "default", "dev", "my-db", "kube-system", HOME])),
        user=draw(st.sampled_from([ALICE, NODE, COLLECTOR])),
        object={"metadata": draw(OWNED) | draw(MARKED)},
        old_object={"metadata": draw(OWNED) | draw(MARKED)},
        options=draw(st.sampled_from([None, {"propagationPolicy": "Orphan"}, {"orphanDependents": False}])),
    )


@given(st.lists(_policies(), max_size=6), st.lists(_requests(), min_size=1, max_size=20))
def test_every_request_goes_to_exactly_one(policies: list[Policy], requests: list[Request]) -> None:
    """What some policy could select goes to enforce or observe, or to system; nothing goes to two of them."""
    webhooks = rules.webhooks(policies, DELIVERY)
    for request in requests:
        sent = sent_to(webhooks, request) - {"self"}
        system = systems.identity_of(request.user) is not None
        assert len(sent) <= 1, (request, sent)
        assert sent <= ({"system"} if system else {"enforce", "observe"})
        if request.group not in rules.QUESTIONS and any(_could_select(policy, request) for policy in policies):
            assert sent, request


@given(st.lists(_policies(), max_size=6), st.lists(_requests(), min_size=1, max_size=20))
def test_fail_where_a_policy_can_deny_and_nowhere_forbidden(policies: list[Policy], requests: list[Request]) -> None:
    """Denials fail closed, but never for Interlock's own kinds, nor in a protected namespace no such policy names."""
    webhooks = rules.webhooks(policies, DELIVERY)
    denying = [policy for policy in policies if rules.denies(policy)]
    for request in requests:
        enforced = "enforce" in sent_to(webhooks, request)
        selecting = [policy for policy in denying if _could_select(policy, request)]
        protected = request.namespace in {rules.KUBE_SYSTEM, HOME}
        if protected:
            selecting = [policy for policy in selecting if _names_exactly(policy, request.namespace)]
            assert not enforced or any(_names_exactly(policy, request.namespace) for policy in denying)
        open_to_fail = request.user == ALICE and request.group not in {*rules.QUESTIONS, rules.OWN_GROUP}
        assert open_to_fail or not enforced
        if selecting and open_to_fail:
            assert enforced, request


# ------------------------------------------------------------------------------------------ single facts


OWNER = {"metadata": {"ownerReferences": [{"uid": "a"}]}}
NO_OWNER: JsonObject = {"metadata": {}}


@pytest.mark.parametrize(
    ("old", "new", "path", "sent"),
    [
        pytest.param(NO_OWNER, OWNER, "secrets", {"enforce"}, id="a new owner"),
        pytest.param(NO_OWNER, OWNER, "secrets/status", {"enforce"}, id="a new owner, through a subresource"),
        pytest.param(OWNER, OWNER, "secrets", set(), id="the owner that it had"),
        pytest.param(OWNER, NO_OWNER, "secrets", set(), id="an owner less"),
        pytest.param(NO_OWNER, OWNER, "pods", set(), id="another kind"),
    ],
)
@pytest.mark.parametrize(
    "match",
    [
        {"actions": ["delete-secret"]},
        {"actions": None, "operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["secrets"]}]},
    ],
    ids=["by action", "by operation"],
)
def test_updates_that_hand_over(match: JsonObject, old: JsonObject, new: JsonObject, path: str, sent: set[str]) -> None:
    """Of a policy about deletions, the updates are asked for that give an object a new owner, and no others."""
    webhooks = rules.webhooks([parsed(match=match)], DELIVERY)

    assert sent_to(webhooks, review("UPDATE", path, old=old, new=new)) == sent


def test_no_policy_no_interception() -> None:
    """Without a policy, and with Disabled ones only, just Interlock's own kinds are intercepted."""
    none = rules.webhooks([], DELIVERY)
    disabled = rules.webhooks([parsed(mode="Disabled")], DELIVERY)

    assert none == disabled
    assert [(w["name"], w["failurePolicy"], w["rules"]) for w in none] == [
        (
            "self.interlock.dev",
            "Ignore",
            [
                {
                    "operations": ["CREATE", "DELETE", "UPDATE"],
                    "apiGroups": ["interlock.dev"],
                    "apiVersions": ["*"],
                    "resources": ["dangerpolicies"],
                    "scope": "*",
                }
            ],
        ),
        (
            "probe.interlock.dev",
            "Ignore",
            [
                {
                    "operations": ["CREATE"],
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "resources": ["configmaps"],
                    "scope": "Namespaced",
                }
            ],
        ),
    ]
    assert rules.generation_of({"webhooks": none}) == 7


def test_entries_of_one_denying_policy() -> None:
    """A policy that denies namespace deletion gives these entries, and these only."""
    webhooks = rules.webhooks([parsed()], DELIVERY)
    delete_namespaces = {
        "operations": ["DELETE"],
        "apiGroups": [""],
        "apiVersions": ["*"],
        "resources": ["namespaces"],
        "scope": "*",
    }

    assert [(w["name"], w["failurePolicy"], w["clientConfig"]["service"]["path"]) for w in webhooks] == [
        ("enforce.interlock.dev", "Fail", f"/review/enforce/7/{'s' * 64}"),
        ("observe.interlock.dev", "Ignore", f"/review/observe/7/{'s' * 64}"),
        ("system.interlock.dev", "Ignore", f"/review/system/7/{'s' * 64}"),
        ("self.interlock.dev", "Ignore", f"/self/{'s' * 64}"),
        ("probe.interlock.dev", "Ignore", f"/probe/7/{'s' * 64}"),
    ]
    updates = delete_namespaces | {"operations": ["UPDATE"], "resources": ["namespaces/*"]}  # that give it an owner
    assert [w["rules"] for w in webhooks[:3]] == [[delete_namespaces, updates]] * 3
    assert {(w["matchPolicy"], w["sideEffects"], w["timeoutSeconds"]) for w in webhooks} == {
        ("Equivalent", "NoneOnDryRun", 5)
    }
    assert rules.generation_of({"webhooks": webhooks}) == 7


@pytest.mark.parametrize(
    ("user", "operation", "group", "path", "namespace", "sent"),
    [
        pytest.param(GUARD, "CREATE", "", "configmaps", HOME, set(), id="a guard's record is not reviewed"),
        pytest.param(GUARD, "CREATE", "", "configmaps", "shop", {"enforce"}, id="a guard elsewhere is anybody"),
        pytest.param(GUARD, "DELETE", "", "configmaps", HOME, {"observe"}, id="a guard deleting records is anybody"),
        pytest.param(ALICE, "CREATE", "", "configmaps", HOME, {"observe"}, id="Interlock's namespace never fails"),
        pytest.param(ALICE, "DELETE", "", "pods", "kube-system", {"observe"}, id="kube-system never fails"),
        pytest.param(ALICE, "DELETE", "", "nodes", "", {"enforce"}, id="cluster-scoped objects are in every scope"),
        pytest.param(ALICE, "CREATE", "authentication.k8s.io", "tokenreviews", "", set(), id="questions are not sent"),
        pytest.param(NODE, "DELETE", "", "pods", "shop", {"system"}, id="a kubelet goes to system"),
        pytest.param(
            User(name="system:node:node-1"),
            "DELETE",
            "",
            "pods",
            "shop",
            {"enforce"},
            id="the name alone is no kubelet",
        ),
        pytest.param(
            ALICE, "DELETE", "interlock.dev", "dangerpolicies", "", {"observe", "self"}, id="policies never fail"
        ),
    ],
)
def test_under_a_policy_for_everything(
    user: User, operation: str, group: str, path: str, namespace: str, sent: set[str]
) -> None:
    """Where requests go when one policy denies every write of every resource."""
    every = {"operations": ["CREATE", "UPDATE", "DELETE"], "resources": [{"groups": ["*"], "resources": ["*/*"]}]}
    webhooks = rules.webhooks([parsed(match={"actions": None, **every})], DELIVERY)
    request = Request(
        uid="u",
        operation=Operation(operation),
        group=group,
        version="v1",
        resource=path,
        subresource="",
        kind="Any",
        name="x",
        namespace=namespace,
        user=user,
    )

    assert sent_to(webhooks, request) == sent


def test_a_protected_namespace_named_beside_all() -> None:
    """A policy that names kube-system, and all namespaces besides, fails closed there as it asks."""
    webhooks = rules.webhooks([parsed(match={"namespaces": {"names": ["*", "kube-system"]}})], DELIVERY)
    going = review("DELETE", "namespaces", name="kube-system", namespace="kube-system")

    assert sent_to(webhooks, going) == {"enforce"}


def test_a_thousand_names_stay_bounded() -> None:
    """However many policies name namespaces, groups and names stay within their limits and nothing is lost."""
    actions = [
        "exec",
        "attach",
        "delete-secret",
        "delete-configmap",
        "delete-workload",
        "delete-service",
        "delete-node",
    ]
    policies = [
        parsed(match={"actions": sorted({actions[n % 7], actions[n // 7 % 7]}), "namespaces": {"names": [f"ns-{n}"]}})
        for n in range(1000)
    ]
    groups = coverage.of(policies)

    assert len(groups) <= coverage.BOUNDS[0].groups
    assert all(group.names is None or len(group.names) <= coverage.BOUNDS[0].names for group in groups)
    assert len(conditions.covered(groups)) < 100_000  # code points that CEL accepts in one expression
    assert all(any(group.names is None or f"ns-{n}" in group.names for group in groups) for n in range(1000))


@pytest.mark.parametrize("count", [24, 100])
def test_conditions_stay_readable(count: int) -> None:
    """However many policies speak of many actions in namespaces of their own, the API server can read it, all of it."""
    ids = [entry.id for entry in catalogue.ENTRIES if entry.rules]
    policies = [
        parsed(
            match={
                "actions": ["delete-secret", *ids[20 + number % 60 : 50 + number % 60]],
                "namespaces": {"names": [f"ns-{number}"]},
            }
        )
        for number in range(count)
    ]
    webhooks = rules.webhooks(policies, DELIVERY)
    expressions = [c["expression"] for webhook in webhooks for c in webhook.get("matchConditions", [])]

    assert max(map(len, expressions)) < 100_000  # code points that CEL accepts in one expression
    for number in (0, count // 2, count - 1):
        assert sent_to(webhooks, review("DELETE", "secrets", namespace=f"ns-{number}")) == {"enforce"}


def test_too_many_resources_widen_to_their_group() -> None:
    """More resources than one group may list become everything of their API group."""
    rows = [{"groups": ["x.dev"], "resources": [f"kind{row}-{n}" for n in range(32)]} for row in range(16)]
    policies = [
        parsed(match={"actions": None, "operations": ["DELETE"], "resources": rows}),
        parsed(match={"actions": None, "operations": ["DELETE"], "resources": [{**rows[0], "resources": ["last"]}]}),
    ]

    (group,) = coverage.of(policies)

    assert coverage.MAX_TARGETS < 32 * 16 + 1
    assert [(target.operation, target.group, target.path) for target in group.targets] == [("DELETE", "x.dev", "*/*")]


def test_conditions_speak_of_known_fields_only() -> None:
    """No condition uses what webhooks do not have, and every field that may be absent is asked for."""
    webhooks = rules.webhooks([parsed(match={"actions": ["*"], "namespaces": {"names": ["a*b*c", "d"]}})], DELIVERY)
    text = "\n".join(c["expression"] for w in webhooks for c in w.get("matchConditions", []))

    assert "namespaceObject" not in text
    assert set(re.findall(r"request\.(?!options\.)\w+(?:\.\w+)?", text)) == {
        "request.name",
        "request.namespace",
        "request.operation",
        "request.options",
        "request.resource.group",
        "request.resource.resource",
        "request.subResource",
        "request.userInfo.groups",
        "request.userInfo.username",
    }
