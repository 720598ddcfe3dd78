"""The algebra of RBAC rules: what one set of rules grants that another does not.

Kubernetes' own cover algorithm (component-helpers, auth/rbac/validation), kept to the letter: rules are broken into
atoms (verb x group x resource x name, or verb x URL), and an atom is covered if one single rule of the other side
covers it. A `*` is covered by `*` only: no enumeration covers it, not even one that names everything there is today.

The work is bounded: `comparable` says whether two sets of rules are small enough. What is not has to be taken for the
worst.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Self

from interlock.core import unstructured
from interlock.core.types import JsonObject, RoleRule

GROUP = "rbac.authorization.k8s.io"
ALL = "*"
MAX_ATOMS = 20_000
"""Atoms of one role that are looked at (about 50 ms); the largest role of a stock cluster has under 1 000."""

MAX_COMPARISONS = 1_000_000
"""Atoms, times all that the rules list which they are compared with (about 100 ms); a large role needs 400 000."""

_AGGREGATE_TO = f"{GROUP}/aggregate-to-"
_EVERY_URL = frozenset({"*", "/*"})
_ESCALATING_ROLES = frozenset({"roles", "clusterroles", ALL})
_IMPERSONATED = frozenset({"users", "groups", "serviceaccounts", "uids", "userextras", ALL})
_EXTRA = "userextras/"
_IMPERSONATION_GROUPS = frozenset({"", "authentication.k8s.io", ALL})
_CONSTRAINED = ("impersonate:", "impersonate-on:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """The smallest thing that a rule grants; either `url` is set, or the four others describe resources.

    Without a name it is for every name.
    """

    verb: str
    group: str = ""
    resource: str = ""
    name: str | None = None
    url: str = ""

    def __str__(self) -> str:
        if self.url:
            return f"{self.verb} {self.url}"
        return (
            f"{self.verb} {self.resource}{'.' + self.group if self.group else ''}{' ' + self.name if self.name else ''}"
        )

    def of(self, name: str) -> "Atom":
        """The same over one name."""
        return replace(self, name=name)

    @property
    def wild(self) -> bool:
        """Whether a `*` stands in for every verb, group, resource or URL."""
        return ALL in {self.verb, self.group, self.resource} or self.url in _EVERY_URL

    @property
    def boundless(self) -> bool:
        """Whether it grants every verb on every resource or URL."""
        return self.verb == ALL and (self.resource == ALL or self.url in _EVERY_URL)

    @property
    def escalating(self) -> bool:
        """Whether its holder can become more than they are: escalate, bind or impersonate, by name or by `*`."""
        if self.url:
            return False
        return self.verb.startswith(_CONSTRAINED) or self._changes_roles() or self._impersonates()

    def _changes_roles(self) -> bool:
        return (
            self.verb in {"escalate", "bind", ALL} and self.resource in _ESCALATING_ROLES and self.group in {GROUP, ALL}
        )

    def _impersonates(self) -> bool:
        return (
            self.verb in {"impersonate", ALL}
            and (self.resource in _IMPERSONATED or self.resource.startswith(_EXTRA))
            and self.group in _IMPERSONATION_GROUPS
        )


def rules_of(role: JsonObject | None) -> tuple[RoleRule, ...]:
    """Rules of a Role or ClusterRole object."""
    return tuple(_rule(rule) for rule in unstructured.items(role, "rules"))


def _rule(rule: JsonObject) -> RoleRule:
    return RoleRule(
        verbs=unstructured.texts(rule, "verbs"),
        groups=unstructured.texts(rule, "apiGroups"),
        resources=unstructured.texts(rule, "resources"),
        resource_names=unstructured.texts(rule, "resourceNames"),
        non_resource_urls=unstructured.texts(rule, "nonResourceURLs"),
    )


def atoms(rules: Sequence[RoleRule]) -> Iterator[Atom]:
    """Break rules into atoms, in their order."""
    for rule in rules:
        for verb, group, resource, name in product(
            rule.verbs, rule.groups, rule.resources, rule.resource_names or (None,)
        ):
            yield Atom(verb=verb, group=group, resource=resource, name=name)
        for verb, url in product(rule.verbs, rule.non_resource_urls):
            yield Atom(verb=verb, url=url)


def atom_count(rule: RoleRule) -> int:
    """Number of atoms of a rule."""
    resources = len(rule.groups) * len(rule.resources) * max(len(rule.resource_names), 1)
    return len(rule.verbs) * (resources + len(rule.non_resource_urls))


def covers(rule: RoleRule, atom: Atom) -> bool:
    """Whether this one rule grants the atom."""
    named = bool(atom.url) or not rule.resource_names or atom.name in rule.resource_names
    return named and covers_apart_from_names(rule, atom)


def covers_apart_from_names(rule: RoleRule, atom: Atom) -> bool:
    """Whether this one rule grants the atom, or would if it were not narrowed by resourceNames."""
    if not _has(rule.verbs, atom.verb):
        return False
    if atom.url:
        return any(_covers_url(pattern, atom.url) for pattern in rule.non_resource_urls)
    return _has(rule.groups, atom.group) and _covers_resource(rule.resources, atom.resource)


def comparable(new: Sequence[RoleRule], old: Sequence[RoleRule] = ()) -> bool:
    """Whether the atoms of `new` can be gone through, and compared with `old`, in bounded time."""
    count = sum(map(atom_count, new))
    return count <= MAX_ATOMS and count * sum(map(_length, old)) <= MAX_COMPARISONS


def newly_granted(new: Sequence[RoleRule], old: Sequence[RoleRule]) -> Iterator[Atom]:
    """Atoms of `new` that no rule of `old` covers."""
    return (atom for atom in atoms(new) if not any(covers(rule, atom) for rule in old))


def powers(rules: Sequence[RoleRule]) -> Iterator[Atom]:
    """What makes a role powerful, whoever holds it: wildcards and the means to become more."""
    return (atom for atom in atoms(rules) if atom.wild or atom.escalating)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChange:
    """What is compared when a Role or ClusterRole is written: rules that are new, and all that stood there before."""

    new: tuple[RoleRule, ...]
    old: tuple[RoleRule, ...]

    @classmethod
    def between(cls, before: JsonObject | None, role: JsonObject | None, *, flows: bool = False) -> Self:
        """From the object before (None if there was none) to the object after.

        A new label by which another role collects this one (`flows`; those of admin, edit and view are known) grants
        everything anew, to the holders of that one.
        """
        old = () if flows or aggregates_to(role) - aggregates_to(before) else rules_of(before)
        known = frozenset(old)
        return cls(new=tuple(rule for rule in rules_of(role) if rule not in known), old=old)

    @property
    def comparable(self) -> bool:
        """Whether `granted` takes bounded time."""
        return comparable(self.new, self.old)

    def granted(self) -> Iterator[Atom]:
        """What the change newly grants to those who hold the role."""
        return newly_granted(self.new, self.old)


def aggregates_to(role: JsonObject | None) -> frozenset[str]:
    """The roles (admin, edit, view, ...) that this one's labels let it flow into."""
    labels: Mapping[str, object] = unstructured.mapping(role, "metadata", "labels")
    return frozenset(
        label.removeprefix(_AGGREGATE_TO)
        for label, value in labels.items()
        if label.startswith(_AGGREGATE_TO) and value == "true"
    )


def newly_aggregating(role: JsonObject | None, before: JsonObject | None) -> bool:
    """Whether the role's rules will newly be filled from other roles, picked by label, now and in future."""
    selectors = unstructured.items(role, "aggregationRule", "clusterRoleSelectors")
    known = unstructured.items(before, "aggregationRule", "clusterRoleSelectors")
    return any(selector not in known for selector in selectors)


def _length(rule: RoleRule) -> int:
    lists = (rule.verbs, rule.groups, rule.resources, rule.resource_names, rule.non_resource_urls)
    return sum(map(len, lists))


def _has(allowed: Sequence[str], wanted: str) -> bool:
    return ALL in allowed or wanted in allowed


def _covers_resource(allowed: Sequence[str], wanted: str) -> bool:
    if _has(allowed, wanted):
        return True
    _, slash, subresource = wanted.partition("/")
    return bool(slash) and f"*/{subresource}" in allowed


def _covers_url(pattern: str, url: str) -> bool:
    return pattern == url or (pattern.endswith(ALL) and url.startswith(pattern.rstrip(ALL)))
