"""The algebra of RBAC rules, against a slow model that asks of every request in a small world whether it is allowed."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core import rbac
from interlock.core.rbac import Atom
from interlock.core.types import RoleRule

# A world small enough to ask everything, with names that rules can only meet by a wildcard ("other").
VERBS = ("get", "delete", "other")
GROUPS = ("", "apps", "other")
RESOURCES = ("pods", "pods/log", "nodes/log", "other")
NAMES = ("", "web", "other")
URLS = ("/metrics", "/metrics/slis", "/other")

Ask = tuple[str, str, str, str, str]
"""Verb, group, resource, name, URL; a request for a URL has no group, resource and name."""

WORLD: tuple[Ask, ...] = (
    *((verb, group, resource, name, "") for verb, group, resource, name in product(VERBS, GROUPS, RESOURCES, NAMES)),
    *((verb, "", "", "", url) for verb, url in product(VERBS, URLS)),
)


def allows(rule: RoleRule, ask: Ask) -> bool:
    """Whether a rule allows a request, as the RBAC authorizer says (pkg/apis/rbac/v1, evaluation helpers)."""
    verb, group, resource, name, url = ask
    if "*" not in rule.verbs and verb not in rule.verbs:
        return False
    if url:
        return any(
            url == path or (path.endswith("*") and url.startswith(path.rstrip("*"))) for path in rule.non_resource_urls
        )
    return (
        ("*" in rule.groups or group in rule.groups)
        and any(_matches(pattern, resource) for pattern in rule.resources)
        and (not rule.resource_names or name in rule.resource_names)
    )


def _matches(pattern: str, resource: str) -> bool:
    return pattern in {"*", resource} or ("/" in resource and pattern == f"*/{resource.partition('/')[2]}")


def granted(rules: Sequence[RoleRule]) -> set[Ask]:
    """Every request of the world that the rules allow."""
    return {ask for ask in WORLD if any(allows(rule, ask) for rule in rules)}


def some(*values: str, least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    """A few of the values."""
    return st.lists(st.sampled_from(values), min_size=least, max_size=3, unique=True).map(tuple)


STAR_FREE = st.builds(
    RoleRule,
    verbs=some("get", "delete"),
    groups=some("", "apps"),
    resources=some("pods", "pods/log"),
    resource_names=some("web", "", least=0),
)
FOR_URLS = st.builds(RoleRule, verbs=some("get", "*"), non_resource_urls=some("/metrics", "/metrics/*", "*"))
ANY = (
    st.builds(
        RoleRule,
        verbs=some("get", "delete", "*"),
        groups=some("", "apps", "*"),
        resources=some("pods", "pods/log", "*/log", "*"),
        resource_names=some("web", "", least=0),
    )
    | FOR_URLS
)
RULES = st.lists(ANY, max_size=4)


def as_rule(atom: Atom) -> RoleRule:
    """The rule that grants just this atom."""
    if atom.url:
        return RoleRule(verbs=(atom.verb,), non_resource_urls=(atom.url,))
    names = () if atom.name is None else (atom.name,)
    return RoleRule(verbs=(atom.verb,), groups=(atom.group,), resources=(atom.resource,), resource_names=names)


@given(RULES)
def test_atoms_are_the_rules(rules: list[RoleRule]) -> None:
    """Atoms allow what the rules allow, no more and no less."""
    assert granted([as_rule(atom) for atom in rbac.atoms(rules)]) == granted(rules)


@given(ANY, ANY)
def test_what_is_covered_is_allowed(owner: RoleRule, other: RoleRule) -> None:
    """A rule that covers an atom allows everything that the atom allows."""
    for atom in rbac.atoms([other]):
        if rbac.covers(owner, atom):
            assert granted([as_rule(atom)]) <= granted([owner])


@given(RULES, RULES)
def test_what_is_new_makes_the_difference(new: list[RoleRule], old: list[RoleRule]) -> None:
    """Together with what was there before, the newly granted atoms allow everything that the new rules allow."""
    atoms = [as_rule(atom) for atom in rbac.newly_granted(new, old)]

    assert granted([*old, *atoms]) >= granted(new)
    assert granted(atoms) <= granted(new)


@given(st.lists(STAR_FREE, max_size=3), st.lists(ANY, max_size=3))
def test_what_is_new_is_really_new(new: list[RoleRule], old: list[RoleRule]) -> None:
    """An atom without a wildcard is newly granted only if it allows something that was not allowed before."""
    for atom in rbac.newly_granted(new, old):
        assert not granted([as_rule(atom)]) <= granted(old)


@given(RULES)
def test_nothing_is_new_in_the_same_rules(rules: list[RoleRule]) -> None:
    """Rules grant nothing that they granted before, in whatever order they stand, and everything to who had none."""
    assert list(rbac.newly_granted(rules, [*reversed(rules)])) == []
    assert list(rbac.newly_granted(rules, [])) == list(rbac.atoms(rules))


@given(RULES)
def test_bound_is_kept(rules: list[RoleRule]) -> None:
    """The count by which size is bounded is the number of atoms."""
    assert sum(map(rbac.atom_count, rules)) == len(list(rbac.atoms(rules)))


STAR = RoleRule(verbs=("*",), groups=("*",), resources=("*",))

COVER = {
    "a star covers a star": (STAR, Atom(verb="*", group="*", resource="*"), True),
    "an enumeration never covers a star": (
        RoleRule(verbs=("get", "list"), groups=("",), resources=("pods",)),
        Atom(verb="*", resource="pods"),
        False,
    ),
    "every subresource of a name covers that subresource": (
        RoleRule(verbs=("get",), groups=("",), resources=("*/log",)),
        Atom(verb="get", resource="pods/log"),
        True,
    ),
    "a resource's star is no wildcard": (
        RoleRule(verbs=("get",), groups=("",), resources=("pods/*",)),
        Atom(verb="get", resource="pods/log"),
        False,
    ),
    "some names do not cover all": (
        RoleRule(verbs=("get",), groups=("",), resources=("pods",), resource_names=("web", "")),
        Atom(verb="get", resource="pods"),
        False,
    ),
    "a name is covered by itself": (
        RoleRule(verbs=("get",), groups=("",), resources=("pods",), resource_names=("web",)),
        Atom(verb="get", resource="pods", name="web"),
        True,
    ),
    "resources do not cover URLs": (STAR, Atom(verb="get", url="/metrics"), False),
    "a URL with a star covers what is below": (
        RoleRule(verbs=("get",), non_resource_urls=("/metrics/*",)),
        Atom(verb="get", url="/metrics/slis"),
        True,
    ),
}


@pytest.mark.parametrize(("rule", "atom", "expected"), COVER.values(), ids=COVER.keys())
def test_covers(rule: RoleRule, atom: Atom, *, expected: bool) -> None:
    """Covering is what Kubernetes' own escalation check calls so."""
    assert rbac.covers(rule, atom) == expected


NATURE = {
    "* *.*": (Atom(verb="*", group="*", resource="*"), (True, True, True)),
    "* widgets.example.org": (Atom(verb="*", group="example.org", resource="widgets"), (True, False, False)),
    "get *": (Atom(verb="get", resource="*"), (True, False, False)),
    "get /*": (Atom(verb="get", url="/*"), (True, False, False)),
    "* *": (Atom(verb="*", resource="*"), (True, True, True)),
    "get /metrics/*": (Atom(verb="get", url="/metrics/*"), (False, False, False)),
    "impersonate serviceaccounts robot": (
        Atom(verb="impersonate", resource="serviceaccounts", name="robot"),
        (False, False, True),
    ),
    "impersonate users.example.org": (
        Atom(verb="impersonate", group="example.org", resource="users"),
        (False, False, False),
    ),
    "* serviceaccounts": (Atom(verb="*", resource="serviceaccounts"), (True, False, True)),
    "* serviceaccounts/token": (Atom(verb="*", resource="serviceaccounts/token"), (True, False, False)),
    "bind clusterroles.rbac.authorization.k8s.io": (
        Atom(verb="bind", group=rbac.GROUP, resource="clusterroles"),
        (False, False, True),
    ),
    "bind rolebindings.rbac.authorization.k8s.io": (
        Atom(verb="bind", group=rbac.GROUP, resource="rolebindings"),
        (False, False, False),
    ),
    "impersonate:arbitrary-node nodes.authentication.k8s.io": (
        Atom(verb="impersonate:arbitrary-node", group="authentication.k8s.io", resource="nodes"),
        (False, False, True),
    ),
}


@pytest.mark.parametrize(
    ("text", "atom", "nature"), [(text, *case) for text, case in NATURE.items()], ids=NATURE.keys()
)
def test_nature(text: str, atom: Atom, nature: tuple[bool, bool, bool]) -> None:
    """What an atom is called, and whether it is wild, boundless, escalating."""
    assert (str(atom), (atom.wild, atom.boundless, atom.escalating)) == (text, nature)


def test_comparable_bounds_the_work() -> None:
    """Both the atoms of a role and their comparison with another's rules have a bound."""
    wide = RoleRule(verbs=("get",), groups=("",), resources=("pods",), resource_names=("x",) * rbac.MAX_ATOMS)
    small = RoleRule(verbs=("get",), groups=("",), resources=("pods",), resource_names=("x",) * 1000)
    old = [STAR] * (rbac.MAX_COMPARISONS // 1000 // 3)

    assert (rbac.comparable([wide]), rbac.comparable([wide, small])) == (True, False)
    assert (rbac.comparable([small], old), rbac.comparable([small], [*old, STAR])) == (True, False)
