"""Which policies can select something of a request, found without looking at those that cannot.

Plain findings are looked up by operation, API group and each spelling of the resource that covers it (at most eight),
named findings by action id; under each of these, policies that list their namespaces literally stand under these names,
all others under one common place. What is found is a superset: core.policies.match decides. Disabled policies are not
found.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from interlock.core.policies import leaving
from interlock.core.policies.policy import Policy
from interlock.core.policies.scope import ANY, Names
from interlock.core.types import Finding, Mode, Operation, Reach, ReachKind, Request

NAMESPACE_LABELS = "namespace labels"
"""Key of policies that select namespaces by label, which an UPDATE of any Namespace may leave."""

Keys = Callable[[Policy], Iterable[Hashable]]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Policies under one key: those that name their namespaces literally, by these, and the others."""

    anywhere: tuple[Policy, ...]
    by_namespace: Mapping[str, tuple[Policy, ...]]

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> Self:
        """Sort policies into their places."""
        anywhere: list[Policy] = []
        named: defaultdict[str, list[Policy]] = defaultdict(list)
        for policy in policies:
            for place in _literal_names(policy.match.namespaces):
                named[place].append(policy)
            if not _literal_names(policy.match.namespaces):
                anywhere.append(policy)
        return cls(tuple(anywhere), {name: tuple(found) for name, found in named.items()})

    def reached(self, reach: Reach) -> Iterator[Policy]:
        """Policies whose namespaces the reach can intersect; one may come more than once."""
        yield from self.anywhere
        names = self.by_namespace if reach.kind is ReachKind.ALL else reach.namespaces
        for name in names:
            yield from self.by_namespace.get(name, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyIndex:
    """All policies, in order of name, and the ways to find them."""

    policies: tuple[Policy, ...] = ()
    plain: Mapping[Hashable, Bucket] = field(default_factory=dict, repr=False)
    named: Mapping[Hashable, Bucket] = field(default_factory=dict, repr=False)
    leave: Mapping[Hashable, tuple[Policy, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> Self:
        """Index policies; their order does not matter."""
        ordered = tuple(sorted(policies, key=lambda policy: policy.name))
        active = [policy for policy in ordered if policy.mode is not Mode.DISABLED]
        return cls(
            policies=ordered,
            plain={key: Bucket.of(found) for key, found in _grouped(active, _plain_keys).items()},
            named={key: Bucket.of(found) for key, found in _grouped(active, _named_keys).items()},
            leave=_grouped(active, _leave_keys),
        )

    def candidates(self, request: Request, findings: Sequence[Finding]) -> tuple[Policy, ...]:
        """Policies that can select one of the findings, in order of name."""
        found: dict[str, Policy] = {}
        for finding in findings:
            for bucket in self._buckets(request, finding):
                found.update((policy.name, policy) for policy in bucket.reached(finding.reach))
        return tuple(found[name] for name in sorted(found))

    def leavable(self, request: Request) -> tuple[Policy, ...]:
        """Policies that the request could leave, in order of name; none unless it is an UPDATE."""
        if request.operation is not Operation.UPDATE or not self.leave:
            return ()
        keys: list[Hashable] = [(g, r) for g in (request.group, ANY) for r in (request.resource, ANY)]
        keys += [NAMESPACE_LABELS] if request.is_namespace else []
        found = {policy.name: policy for key in keys for policy in self.leave.get(key, ())}
        return tuple(found[name] for name in sorted(found))

    def _buckets(self, request: Request, finding: Finding) -> Iterator[Bucket]:
        index = self.named if finding.named else self.plain
        for key in [finding.action] if finding.named else _request_keys(request):
            if key in index:
                yield index[key]


def _literal_names(namespaces: Names | None) -> frozenset[str]:
    """The only namespaces that are meant; empty if they are not all named literally."""
    return namespaces.names.literals if namespaces and namespaces.names and namespaces.names.literal else frozenset()


def _grouped(policies: Iterable[Policy], keys: Keys) -> dict[Hashable, tuple[Policy, ...]]:
    groups: defaultdict[Hashable, list[Policy]] = defaultdict(list)
    for policy in policies:
        for key in dict.fromkeys(keys(policy)):
            groups[key].append(policy)
    return {key: tuple(found) for key, found in groups.items()}


def _plain_keys(policy: Policy) -> Iterator[Hashable]:
    for rule in policy.match.resources:
        yield from itertools.product(policy.match.operations, rule.groups, rule.resources)


def _named_keys(policy: Policy) -> Iterator[Hashable]:
    return iter(policy.match.action_ids)


def _leave_keys(policy: Policy) -> Iterator[Hashable]:
    if leaving.guards_namespaces(policy):
        yield NAMESPACE_LABELS
    if leaving.guards_objects(policy):
        for kind in policy.match.kinds:
            yield from itertools.product(kind.groups, (resource.partition("/")[0] for resource in kind.resources))


def _request_keys(request: Request) -> Iterator[Hashable]:
    """Every key under which a rule that covers the request can stand."""
    patterns = [request.resource_path, f"{request.resource}/{ANY}", f"{ANY}/{ANY}"]
    patterns.append(f"{ANY}/{request.subresource}" if request.subresource else ANY)
    return itertools.product([request.operation], (request.group, ANY), patterns)
