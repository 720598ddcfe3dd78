"""A small world of roles and bindings, and a slow model of who may do what in it, written from the authorizer's words.

The model takes stored objects, as an API server has them; the code under test takes the same, read into a `Book`.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from hypothesis import strategies as st

from interlock.core.types import JsonObject

RBAC = "rbac.authorization.k8s.io"
SPACES = ("shop", "ci")
ELSEWHERE = "elsewhere"
ROLES = ("one", "two", "all")
LABELS: tuple[JsonObject, ...] = ({}, {"collect": "yes"})
SELECTOR = {"clusterRoleSelectors": [{"matchLabels": {"collect": "yes"}}]}


class Ask(NamedTuple):
    """One request: a namespace, empty for a resource that has none, and what is done to what."""

    place: str
    verb: str
    group: str
    resource: str
    name: str


class Who(NamedTuple):
    """Whoever asks."""

    name: str
    groups: tuple[str, ...]


WHO: dict[str, Who] = {
    "user eve": Who("eve", ("system:authenticated",)),
    "group dev": Who("", ("dev", "system:authenticated")),
    "system:serviceaccount:ci:robot": Who(
        "system:serviceaccount:ci:robot",
        ("system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"),
    ),
}
SUBJECTS: tuple[JsonObject, ...] = (
    {"kind": "User", "name": "eve"},
    {"kind": "Group", "name": "dev"},
    {"kind": "ServiceAccount", "name": "robot", "namespace": "ci"},
    {"kind": "User", "name": "system:serviceaccount:ci:robot"},
    {"kind": "Group", "name": "system:serviceaccounts:ci"},
)


def allowed(objects: Sequence[JsonObject], who: Who, ask: Ask) -> bool:
    """Whether RBAC allows it (plugin/pkg/auth/authorizer/rbac: VisitRulesFor, RuleAllows)."""
    return any(
        rule_allows(rule, ask)
        for binding in objects
        if binding["kind"].endswith("Binding") and _binds(binding, who) and _counts(binding, ask)
        for rule in _rules_of(binding, objects)
    )


def _counts(binding: JsonObject, ask: Ask) -> bool:
    return binding["kind"] == "ClusterRoleBinding" or (
        ask.place != "" and binding["metadata"]["namespace"] == ask.place
    )


def _binds(binding: JsonObject, who: Who) -> bool:
    for subject in binding["subjects"]:
        named = {
            "User": subject["name"] == who.name,
            "Group": subject["name"] in who.groups,
            "ServiceAccount": f"system:serviceaccount:{subject.get('namespace')}:{subject['name']}" == who.name,
        }
        if named[subject["kind"]]:
            return True
    return False


def _rules_of(binding: JsonObject, objects: Sequence[JsonObject]) -> Iterable[JsonObject]:
    reference, home = binding["roleRef"], binding["metadata"].get("namespace", "")
    for role in objects:
        in_place = role["kind"] == "ClusterRole" or role["metadata"].get("namespace") == home
        if role["kind"] == reference["kind"] and role["metadata"]["name"] == reference["name"] and in_place:
            yield from role["rules"]


def rule_allows(rule: JsonObject, ask: Ask) -> bool:
    """Whether one rule allows it."""
    names = rule.get("resourceNames", [])
    below = ask.resource.partition("/")[2]
    return (
        ("*" in rule["verbs"] or ask.verb in rule["verbs"])
        and ("*" in rule["apiGroups"] or ask.group in rule["apiGroups"])
        and any(each in {"*", ask.resource} or (below and each == f"*/{below}") for each in rule["resources"])
        and (not names or ask.name in names)
    )


def collected(objects: Sequence[JsonObject]) -> list[JsonObject]:
    """The same after the aggregation controller has done its work: one collector here, never collected itself."""
    parts = [
        rule
        for each in objects
        if each["kind"] == "ClusterRole" and each["metadata"].get("labels", {}).get("collect") == "yes"
        for rule in each["rules"]
    ]
    return [each | {"rules": parts} if "aggregationRule" in each else each for each in objects]


def _some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


def rules(verbs: Sequence[str], resources: Sequence[str]) -> st.SearchStrategy[JsonObject]:
    """A rule of these words."""
    return st.fixed_dictionaries(
        {"verbs": _some(*verbs, "*"), "apiGroups": _some("", "apps", "*"), "resources": _some(*resources, "*")},
        optional={"resourceNames": _some("db", "robot")},
    )


def role(kind: str, name: str, listed: list[JsonObject], *, home: str = "", **more: object) -> JsonObject:
    """A Role or ClusterRole."""
    metadata: JsonObject = {"name": name} | ({"namespace": home} if home else {}) | dict(more.pop("metadata", {}))  # type: ignore[call-overload]
    return {"kind": kind, "metadata": metadata, "rules": listed, **more}


COLLECTOR = role("ClusterRole", "collector", [], aggregationRule=SELECTOR)


@st.composite
def roles(draw: st.DrawFn, rule: st.SearchStrategy[JsonObject]) -> JsonObject:
    """A Role in a namespace, or a ClusterRole that may be collected."""
    listed = draw(st.lists(rule, max_size=2))
    home = draw(st.sampled_from(["", "", *SPACES]))
    kind = "Role" if home else "ClusterRole"
    labels = {} if home else draw(st.sampled_from(LABELS))
    return role(kind, draw(st.sampled_from(ROLES)), listed, home=home, metadata={"labels": labels})


@st.composite
def bindings(draw: st.DrawFn) -> JsonObject:
    """A binding of some subjects to some role, which may not exist."""
    home = draw(st.sampled_from(["", *SPACES]))
    kind = draw(st.sampled_from(["ClusterRole", "Role"] if home else ["ClusterRole"]))
    names = ROLES if kind == "Role" else (*ROLES, "collector")
    reference = {"kind": kind, "name": draw(st.sampled_from(names)), "apiGroup": RBAC}
    metadata = {"name": draw(st.sampled_from("abc"))} | ({"namespace": home} if home else {})
    subjects = draw(st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=2))
    kind_of = "RoleBinding" if home else "ClusterRoleBinding"
    return {"kind": kind_of, "metadata": metadata, "roleRef": reference, "subjects": subjects}


def key(obj: JsonObject) -> tuple[str, str, str]:
    """What tells one object from another."""
    return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def stored(objects: Iterable[JsonObject]) -> list[JsonObject]:
    """No two of one name, the later one counts, and the rules of others collected."""
    return collected(list({key(each): each for each in (COLLECTOR, *objects)}.values()))


def asks(verbs: Iterable[str], resources: Iterable[str], group: str = "") -> list[Ask]:
    """Every question about these."""
    places = (*SPACES, ELSEWHERE)
    names = ("db", "robot", "other")
    return [
        Ask(place, verb, group, resource, name)
        for place, verb, resource, name in product(places, verbs, resources, names)
    ]
