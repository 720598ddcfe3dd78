"""Roles and bindings of a cluster, and what they give to whom, as the RBAC authorizer reads them.

`Book` is the value; `Book.of` takes what is stored. A subject is the same whether a binding names a ServiceAccount or
the user that it authenticates as, so both are found under one principal. What a missing role would give is not known:
such a binding gives nothing here, until somebody creates the role.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Self

from interlock.core import bindings, unstructured
from interlock.core.bindings import CLUSTER_ROLE, SERVICE_ACCOUNT, RoleReference, Subject
from interlock.core.rbac import rules_of
from interlock.core.selectors import LabelSelector, stored
from interlock.core.types import SERVICE_ACCOUNT_PREFIX, JsonObject, RoleRule

EVERYWHERE = ""
"""The place of a ClusterRoleBinding; any other place is a namespace."""

USER, GROUP = "User", "Group"
AUTHENTICATED, UNAUTHENTICATED, ACCOUNTS = "system:authenticated", "system:unauthenticated", "system:serviceaccounts"

Rules = tuple[RoleRule, ...]


class Principal(NamedTuple):
    """A user or a group by the name that it has in requests; ServiceAccounts are users."""

    kind: str
    name: str

    def __str__(self) -> str:
        """``group dev``, ``user eve``; a system name as it is, since it says what it is."""
        return self.name if self.name.startswith(SERVICE_ACCOUNT_PREFIX) else f"{self.kind.lower()} {self.name}"

    @property
    def account(self) -> tuple[str, str] | None:
        """Namespace and name of a ServiceAccount; None for anybody else."""
        parts = self.name.removeprefix(SERVICE_ACCOUNT_PREFIX).split(":")
        is_account = self.kind == USER and self.name.startswith(SERVICE_ACCOUNT_PREFIX) and len(parts) == len("ab")
        return (parts[0], parts[1]) if is_account else None


def account(namespace: str, name: str) -> Principal:
    """A ServiceAccount."""
    return Principal(USER, f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}")


def principal(subject: Subject) -> Principal:
    """Whom a subject of a binding means."""
    if subject.kind == SERVICE_ACCOUNT:
        return account(subject.namespace, subject.name)
    return Principal(subject.kind, subject.name)


def members(who: Principal) -> tuple[Principal, ...]:
    """The principal with every group that it surely is in, the API server's own groups included."""
    if who.kind == GROUP:
        everybody = who.name != UNAUTHENTICATED
        return (who, *([Principal(GROUP, AUTHENTICATED)] if everybody and who.name != AUTHENTICATED else []))
    if who.name == "system:anonymous":
        return who, Principal(GROUP, UNAUTHENTICATED)
    groups = [AUTHENTICATED]
    if home := who.account:
        groups += [ACCOUNTS, f"{ACCOUNTS}:{home[0]}"]
    return (who, *(Principal(GROUP, group) for group in groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRole:
    """What is read of a ClusterRole.

    Attributes:
        rules: those that stand in it; for one that collects others, what it has collected so far.
        labels: by which others collect it.
        selectors: of its aggregationRule; it collects the rules of every ClusterRole that one of them matches.
    """

    rules: Rules = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    selectors: tuple[LabelSelector, ...] = ()

    @classmethod
    def read(cls, role: JsonObject | None) -> Self:
        """From the stored object."""
        chosen = unstructured.items(role, "aggregationRule", "clusterRoleSelectors")
        return cls(
            rules=rules_of(role),
            labels=unstructured.strings(role, "metadata", "labels"),
            selectors=tuple(stored(each) for each in chosen),
        )

    def collects(self, labels: Mapping[str, str]) -> bool:
        """Whether it collects the rules of a ClusterRole with these labels."""
        return any(selector.match(labels) for selector in self.selectors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A RoleBinding, or a ClusterRoleBinding, whose `namespace` is empty."""

    namespace: str
    name: str
    role: RoleReference
    subjects: tuple[Subject, ...]

    @classmethod
    def read(cls, binding: JsonObject) -> Self:
        """From the stored object."""
        namespace = unstructured.text(binding, "metadata", "namespace")
        return cls(
            namespace=namespace,
            name=unstructured.text(binding, "metadata", "name"),
            role=bindings.role_reference(binding),
            subjects=bindings.subjects(binding, namespace),
        )

    def __str__(self) -> str:
        """As kubectl names it."""
        return f"rolebinding {self.namespace}/{self.name}" if self.namespace else f"clusterrolebinding {self.name}"


class Held(NamedTuple):
    """What one binding gives: rules, in a namespace or everywhere, through which binding."""

    rules: Rules
    place: str
    through: str


RoleKey = tuple[str, str]
"""Namespace, empty for a ClusterRole, and name."""


def key_of(reference: RoleReference, namespace: str) -> RoleKey:
    """Which role a binding in this namespace means."""
    return ("" if reference.kind == CLUSTER_ROLE else namespace, reference.name)


@dataclass(frozen=True, kw_only=True)
class Book:
    """Roles and bindings at one instant.

    Attributes:
        cluster_roles: by name.
        roles: rules by (namespace, name).
        bindings: all of them, in any order.
    """

    cluster_roles: Mapping[str, ClusterRole] = field(default_factory=dict)
    roles: Mapping[RoleKey, Rules] = field(default_factory=dict)
    bindings: tuple[Binding, ...] = ()

    @classmethod
    def of(cls, objects: Iterable[JsonObject]) -> Self:
        """From stored objects of the four kinds; others are passed over."""
        cluster_roles: dict[str, ClusterRole] = {}
        roles: dict[RoleKey, Rules] = {}
        bound: list[Binding] = []
        for each in objects:
            kind, name = unstructured.text(each, "kind"), unstructured.text(each, "metadata", "name")
            if kind == CLUSTER_ROLE:
                cluster_roles[name] = ClusterRole.read(each)
            elif kind == "Role":
                roles[unstructured.text(each, "metadata", "namespace"), name] = rules_of(each)
            elif kind in {"RoleBinding", "ClusterRoleBinding"}:
                bound.append(Binding.read(each))
        return cls(cluster_roles=cluster_roles, roles=roles, bindings=tuple(bound))

    def rules(self, key: RoleKey) -> Rules | None:
        """The rules of a role; None if there is none."""
        namespace, name = key
        if namespace:
            return self.roles.get(key)
        role = self.cluster_roles.get(name)
        return role.rules if role else None

    @cached_property
    def by_role(self) -> Mapping[RoleKey, tuple[Binding, ...]]:
        """Bindings by the role that they give, also where there is no such role."""
        found: defaultdict[RoleKey, list[Binding]] = defaultdict(list)
        for binding in self.bindings:
            found[key_of(binding.role, binding.namespace)].append(binding)
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def by_principal(self) -> Mapping[Principal, tuple[Binding, ...]]:
        """Bindings by whom they give something."""
        found: defaultdict[Principal, list[Binding]] = defaultdict(list)
        for binding in self.bindings:
            for who in dict.fromkeys(map(principal, binding.subjects)):
                found[who].append(binding)
        return {who: tuple(each) for who, each in found.items()}

    @cached_property
    def collectors(self) -> Mapping[str, ClusterRole]:
        """ClusterRoles that collect the rules of others."""
        return {name: role for name, role in self.cluster_roles.items() if role.selectors}

    @cached_property
    def accounts(self) -> Mapping[str, tuple[Principal, ...]]:
        """ServiceAccounts that some binding names, by namespace; no other holds more than every account does."""
        found: defaultdict[str, list[Principal]] = defaultdict(list)
        for who in self.by_principal:
            if home := who.account:
                found[home[0]].append(who)
        return {namespace: tuple(sorted(each)) for namespace, each in found.items()}

    def held(self, who: Iterable[Principal]) -> Iterator[Held]:
        """What bindings give to any of these principals."""
        for each in who:
            for binding in self.by_principal.get(each, ()):
                if rules := self.rules(key_of(binding.role, binding.namespace)):
                    yield Held(rules, binding.namespace, str(binding))

    def rules_for(self, who: Iterable[Principal], place: str) -> Rules:
        """Every rule that these principals hold in a namespace, or everywhere."""
        return tuple(rule for held in self.held(who) if held.place in {EVERYWHERE, place} for rule in held.rules)

    def collecting(self, labels: Mapping[str, str]) -> frozenset[str]:
        """ClusterRoles that collect one with these labels, directly or through another that collects it."""
        found = {name for name, role in self.collectors.items() if role.collects(labels)}
        todo = list(found)
        while todo:
            for name, role in self.collectors.items():
                if name not in found and role.collects(self.collectors[todo[-1]].labels):
                    found.add(name)
                    todo.insert(0, name)
            todo.pop()
        return frozenset(found)
