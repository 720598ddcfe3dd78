"""What a policy selects and what an exclude entry lifts; the two lean to opposite sides."""

import pytest

from interlock.core.policies import match
from interlock.core.policies.match import View
from interlock.core.policies.scope import ResourceRule
from interlock.core.types import Finding, JsonObject, NamespaceView, Operation, Reach, Request, Severity, User
from tests.support.policies import find, named, namespace_request, parsed, request

NAMESPACES = {
    "shop": NamespaceView(name="shop", labels={"env": "prod"}),
    "play": NamespaceView(name="play", labels={"env": "dev"}),
}
PROD = {"selector": {"matchLabels": {"env": "prod"}}}
NOT_DEV = {"selector": {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["dev"]}]}}


def grant(reach: Reach, severity: Severity = Severity.HIGH) -> Finding:
    """A named finding with a reach of its own."""
    return Finding(action="grant-admin", family="privilege", severity=severity, evidence="grants", reach=reach)


def selected(spec: JsonObject, review: Request, finding: Finding | None = None) -> bool:
    """Whether a match of these fields selects the finding; without one, the plain finding of the review."""
    rules = {
        "operations": [operation.value for operation in Operation],
        "resources": [{"groups": ["*"], "resources": ["*/*"]}],
    }
    scope = parsed(match={"actions": ["*"], **rules, **spec}).match
    return bool(match.selected(scope, [finding or find(review)[-1]], View.of(review, NAMESPACES)))


def lifted(entry: JsonObject, review: Request, finding: Finding | None = None) -> bool:
    """Whether an exclude entry lifts the finding; without one, the plain finding of the review."""
    (exclusion,) = parsed(exclude=[entry]).exclude
    return match.lifts(exclusion, finding or find(review)[-1], View.of(review, NAMESPACES))


# ------------------------------------------------------------------------------------------------ operations, resources


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("pods", {"pods"}),
        ("*", {"pods", "nodes"}),
        ("pods/exec", {"pods/exec"}),
        ("pods/*", {"pods", "pods/exec", "pods/status"}),
        ("*/status", {"pods/status"}),
        ("*/*", {"pods", "nodes", "pods/exec", "pods/status"}),
    ],
)
def test_resources_read_as_in_admission_rules(pattern: str, covered: set[str]) -> None:
    """Wildcards and subresources mean what they mean in webhook rules; checked with a real API server."""
    rule = ResourceRule(groups=("",), resources=(pattern,))
    asked = ["pods", "nodes", "pods/exec", "pods/status"]
    parts = [(path, *path.partition("/")[::2]) for path in asked]

    assert {path for path, name, sub in parts if rule.covers(group="", resource=name, subresource=sub)} == covered
    assert not any(rule.covers(group="apps", resource=name, subresource=sub) for _, name, sub in parts)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"actions": ["grant-admin"]}, True),
        ({"actions": ["privilege"]}, True),
        ({"actions": ["*"]}, True),
        ({"actions": ["exec"]}, False),
        ({"actions": ["*"], "minSeverity": "High"}, True),
        ({"actions": ["*"], "minSeverity": "Critical"}, False),
    ],
)
def test_named_findings_are_selected_by_action_and_grade(spec: JsonObject, *, expected: bool) -> None:
    """`actions` speaks of ids, families or any, `minSeverity` of the grade at hand."""
    review = request("CREATE", "clusterrolebindings", group="rbac.authorization.k8s.io", namespace="")

    assert selected(spec, review, grant(Reach.everywhere())) is expected


def test_operations_never_select_named_findings_nor_actions_plain_ones() -> None:
    """The two ways to speak of a request are apart, so that `actions: ["*"]` does not mean every request."""
    review = request("DELETE", "pods")
    plain = parsed(
        match={"actions": None, "operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["pods"]}]}
    )
    named_only = parsed(match={"actions": ["*"]})
    view = View.of(review, NAMESPACES)

    assert match.selected(plain.match, [find(review)[-1]], view)
    assert not match.selected(plain.match, [grant(Reach.of("shop"))], view)
    assert not match.selected(named_only.match, [find(review)[-1]], view)


# ---------------------------------------------------------------------------------------------------------- namespaces

ALL, NONE = Reach.everywhere(), Reach.nowhere()
BOTH = Reach.of("shop", "play")


@pytest.mark.parametrize(
    ("namespaces", "reach", "matches", "excludes"),
    [
        pytest.param({"names": ["shop"]}, Reach.of("shop"), True, True, id="the one namespace is named"),
        pytest.param({"names": ["shop"]}, Reach.of("play"), False, False, id="another namespace is named"),
        pytest.param(
            {"names": ["sh*"]}, BOTH, True, False, id="part of the reach intersects and is not the whole of it"
        ),
        pytest.param({"names": ["shop", "play"]}, BOTH, True, True, id="the whole reach is named"),
        pytest.param({"names": ["shop"]}, ALL, True, False, id="all namespaces intersect any and lie inside none"),
        pytest.param({"names": ["*"]}, ALL, True, True, id="all namespaces lie inside an asterisk"),
        pytest.param({"names": ["*"], **PROD}, ALL, True, False, id="all namespaces do not lie inside a selector"),
        pytest.param({"names": ["*"]}, NONE, False, False, id="no namespace neither intersects nor lies inside"),
        pytest.param(PROD, Reach.of("shop"), True, True, id="labels of the namespace"),
        pytest.param(PROD, Reach.of("play"), False, False, id="other labels of the namespace"),
        pytest.param(PROD, Reach.of("new"), True, False, id="unknown labels lean to protection"),
        pytest.param(NOT_DEV, Reach.of("new"), True, False, id="unknown labels lean to protection under NotIn as well"),
        pytest.param({"names": ["x"], **PROD}, Reach.of("new"), False, False, id="a name that differs is no doubt"),
        pytest.param({"names": ["shop"], **PROD}, Reach.of("shop"), True, True, id="names and selector both hold"),
        pytest.param({"names": ["play"], **PROD}, Reach.of("play"), False, False, id="names hold but not the selector"),
    ],
)
def test_reach_intersects_for_match_and_lies_inside_for_exclude(
    namespaces: JsonObject, reach: Reach, *, matches: bool, excludes: bool
) -> None:
    """A match is about any namespace touched, an exclusion about all of them."""
    review = request("CREATE", "clusterrolebindings", group="rbac.authorization.k8s.io", namespace="")
    finding = grant(reach)

    assert selected({"namespaces": namespaces}, review, finding) is matches
    assert lifted({"namespaces": namespaces}, review, finding) is excludes


def test_without_namespaces_whatever_the_reach_is_selected() -> None:
    """Absent means unconstrained."""
    assert all(selected({}, request(), grant(reach)) for reach in (ALL, NONE, BOTH))


@pytest.mark.parametrize(
    ("operation", "old", "new", "matches", "excludes"),
    [
        pytest.param("CREATE", None, "prod", True, True, id="a new namespace counts with its own labels"),
        pytest.param("CREATE", None, "dev", False, False, id="a new namespace of another kind"),
        pytest.param("UPDATE", "prod", "prod", True, True, id="an update that keeps the label"),
        pytest.param("UPDATE", "dev", "prod", True, False, id="an update that gives the label"),
        pytest.param("UPDATE", "prod", "dev", True, False, id="an update that takes the label"),
        pytest.param("UPDATE", "dev", "dev", False, False, id="an update that has nothing to do with it"),
        pytest.param("DELETE", "prod", None, True, True, id="a deletion counts with the labels of what goes"),
        pytest.param("DELETE", "dev", None, False, False, id="a deletion of another kind"),
    ],
)
def test_a_namespace_in_the_review_counts_with_its_labels_there(
    operation: str, old: str | None, new: str | None, *, matches: bool, excludes: bool
) -> None:
    """Old or new for match, old and new for exclude; the snapshot, which may be older, says prod and is not asked."""
    review = namespace_request(operation, "shop", old=old and named({"env": old}), new=new and named({"env": new}))  # type: ignore[arg-type]

    assert selected({"namespaces": PROD}, review) is matches
    assert lifted({"namespaces": PROD}, review) is excludes


# ------------------------------------------------------------------------------------------------------------- objects

DB = {"selector": {"matchLabels": {"db": "yes"}}}


@pytest.mark.parametrize(
    ("review", "matches", "excludes"),
    [
        pytest.param(request("DELETE", old=named({"db": "yes"})), True, True, id="the object that goes"),
        pytest.param(request("DELETE", old=named()), False, False, id="an object without the label"),
        pytest.param(request("CREATE", new=named({"db": "yes"})), True, True, id="the object that comes"),
        pytest.param(request("UPDATE", old=named({"db": "yes"}), new=named()), True, False, id="only the old object"),
        pytest.param(request("UPDATE", old=named(), new=named({"db": "yes"})), True, False, id="only the new object"),
        pytest.param(
            request("UPDATE", old=named({"db": "yes"}), new=named({"db": "yes"})), True, True, id="old and new object"
        ),
        pytest.param(
            request("UPDATE", "pods/status", old=named(), new=named()),
            False,
            False,
            id="a status write carries the object",
        ),
        pytest.param(
            request("CONNECT", "pods/exec", new={"command": ["sh"]}), True, False, id="an exec knows only the name"
        ),
        pytest.param(
            request("CREATE", "pods/eviction", new=named()), True, False, id="an eviction knows only the name"
        ),
        pytest.param(
            request("UPDATE", "deployments/scale", group="apps", old=named(), new=named()),
            True,
            False,
            id="a scale has labels of its own",
        ),
        pytest.param(request("DELETE", old={"metadata": None}), False, False, id="metadata may be null"),
    ],
)
def test_object_labels(review: Request, *, matches: bool, excludes: bool) -> None:
    """Old or new for match, old and new for exclude, and what is unknown leans to protection."""
    assert selected({"objects": DB}, review) is matches
    assert lifted({"objects": DB}, review) is excludes


@pytest.mark.parametrize("resource", ["pods", "pods/exec", "pods/eviction"])
def test_object_names_are_those_of_the_parent(resource: str) -> None:
    """A subresource has the name of the object behind it, so that names never are in doubt."""
    review = request("CONNECT", resource, name="shop-db")

    assert selected({"objects": {"names": ["*-db"]}}, review)
    assert not selected({"objects": {"names": ["web-*"]}}, review)
    assert lifted({"objects": {"names": ["*-db"]}}, review)


# ------------------------------------------------------------------------------------------------------------ subjects

ROBOT = User(name="system:serviceaccount:ci:deployer", groups=("system:serviceaccounts", "system:serviceaccounts:ci"))


@pytest.mark.parametrize(
    ("subjects", "alice", "robot"),
    [
        ({"users": ["alice"]}, True, False),
        ({"groups": ["dev"]}, True, False),
        ({"users": ["bob"], "groups": ["dev"]}, True, False),
        ({"serviceAccounts": ["ci/deployer"]}, False, True),
        ({"serviceAccounts": ["ci/*"], "users": ["ali*"]}, True, True),
        ({"users": ["system:serviceaccount:*"]}, False, True),
        ({"groups": ["system:serviceaccounts:prod"]}, False, False),
        ({"serviceAccounts": ["*/*"]}, False, True),
    ],
)
def test_subjects_are_a_union(subjects: JsonObject, *, alice: bool, robot: bool) -> None:
    """Users, groups and service accounts: one of them suffices, in match as in exclude."""
    reviews = [request(), request(user=ROBOT)]

    assert [selected({"subjects": subjects}, review) for review in reviews] == [alice, robot]
    assert [lifted({"subjects": subjects}, review) for review in reviews] == [alice, robot]


# ------------------------------------------------------------------------------------------------------------- exclude


@pytest.mark.parametrize(
    ("entry", "named_lifted", "plain_lifted"),
    [
        pytest.param({"subjects": {"users": ["alice"]}}, True, True, id="that names no finding lifts any"),
        pytest.param({"actions": ["grant-admin"]}, True, False, id="that names actions lifts those"),
        pytest.param(
            {"operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["pods"]}]},
            False,
            True,
            id="that names operations lifts plain findings",
        ),
        pytest.param(
            {"actions": ["*"], "subjects": {"users": ["bob"]}}, False, False, id="has fields that must all hold"
        ),
        pytest.param({"systemIdentities": "Ordinary"}, False, False, id="for system identities does not lift people"),
    ],
)
def test_exclude_entry(entry: JsonObject, *, named_lifted: bool, plain_lifted: bool) -> None:
    """An entry lifts what all of its fields speak of."""
    review = request("DELETE", "pods")

    assert lifted(entry, review, grant(Reach.of("shop"))) is named_lifted
    assert lifted(entry, review) is plain_lifted


def test_ordinary_work_of_a_system_identity_is_lifted() -> None:
    """The scheduler binding a pod is its work, deleting one is not."""
    scheduler = User(name="system:kube-scheduler")
    entry = {"systemIdentities": "Ordinary"}

    assert lifted(entry, request("CREATE", "pods/binding", user=scheduler))
    assert not lifted(entry, request("DELETE", "secrets", user=scheduler))
