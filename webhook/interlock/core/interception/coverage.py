"""How far interception must reach: per list of namespace names, the reviews that some policies need.

A policy is narrowed only by the names of its namespaces, never by a selector: labels change, and a review that is not
sent cannot be judged. The size is bounded whatever policies are written: beyond the limits below groups are merged,
then widened. Widening only ever adds reviews, which then cost a call and match nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from interlock.core import catalogue
from interlock.core.catalogue import When
from interlock.core.interception.targets import ANY, Target, Targets, expand, reduced
from interlock.core.policies import leaving
from interlock.core.policies.policy import Policy
from interlock.core.types import Mode, Operation


class Bound(NamedTuple):
    """How much is told apart: distinct lists of namespace names, and names in one of them (0: namespaces are not)."""

    groups: int
    names: int


BOUNDS = (Bound(24, 256), Bound(8, 128), Bound(3, 64), Bound(1, 64), Bound(1, 0))
"""Tried in turn until the condition is short enough. Each group is an alternative that the API server evaluates for
every review; a list of 256 names costs it a few microseconds."""

MAX_TARGETS = 512
"""Targets of one group; the catalogue as a whole needs fewer, so only rules written by hand can exceed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Reviews that are needed in some namespaces, and wherever an object has none.

    Attributes:
        targets: which reviews, reduced.
        names: patterns of namespace names; None is every namespace.
        protected: namespaces which the rest must leave alone, and which this group nevertheless names exactly.
    """

    targets: Targets
    names: frozenset[str] | None
    protected: frozenset[str] = frozenset()


def of(
    policies: Iterable[Policy],
    *,
    when: When = When.ALWAYS,
    protected: frozenset[str] = frozenset(),
    bound: Bound = BOUNDS[0],
) -> tuple[Group, ...]:
    """What these policies need, bounded, in a stable order.

    Args:
        policies: Disabled ones need nothing.
        when: which of it: what is needed always, or only where this condition of catalogue rules holds.
        protected: namespaces that only a policy which names them exactly reaches.
        bound: how much is told apart.
    """
    return _grouped(policies, partial(_targets, when=when), protected, bound)


def handed(
    policies: Iterable[Policy], *, protected: frozenset[str] = frozenset(), bound: Bound = BOUNDS[0]
) -> tuple[Group, ...]:
    """What these policies need beside that of UPDATEs that give an object a new owner; arguments as for `of`."""
    return _grouped(policies, _handed, protected, bound)


def _grouped(
    policies: Iterable[Policy], needs: Callable[[Policy], Iterable[Target]], protected: frozenset[str], bound: Bound
) -> tuple[Group, ...]:
    by_names: defaultdict[frozenset[str] | None, set[Target]] = defaultdict(set)
    for policy in policies:
        if policy.mode is not Mode.DISABLED:
            by_names[_names(policy, protected)].update(needs(policy))
    groups = (_group(names, targets, protected) for names, targets in by_names.items() if targets)
    return tuple(sorted(_bounded(_joined(groups), bound), key=_order))


def targets(groups: Iterable[Group]) -> Targets:
    """Every review of these groups, wherever."""
    return reduced(target for group in groups for target in group.targets)


def _names(policy: Policy, protected: frozenset[str]) -> frozenset[str] | None:
    """The patterns that narrow a policy; None if they do not, unless one of them names a protected namespace."""
    namespaces = policy.match.namespaces
    if namespaces is None or namespaces.names is None:
        return None
    patterns = frozenset(namespaces.names.patterns)
    return patterns if patterns & protected or not namespaces.names.everything else None


def _targets(policy: Policy, when: When) -> Iterator[Target]:
    """What a policy needs to see under this condition; its own rules and its leaving protection have none."""
    match = policy.match
    for need in _action_rules(policy):
        if need.when is when:
            yield from expand(need.operations, need.groups, need.resources)
    if when is When.ALWAYS:
        for rule in match.resources:
            yield from expand(match.operations, rule.groups, rule.resources)
        yield from _leaving(policy)


def _leaving(policy: Policy) -> Iterator[Target]:
    """Updates that can take something out of the policy, subresources included."""
    if leaving.guards_namespaces(policy):
        yield Target(Operation.UPDATE, "", "namespaces", ANY)
    if leaving.guards_objects(policy):
        for kind in policy.match.kinds:
            yield from _updates(kind.groups, kind.resources)


def _handed(policy: Policy) -> Iterator[Target]:
    """Updates that can hand over to the garbage collector what the policy would judge the deletion of."""
    if Operation.DELETE in policy.match.operations:
        for rule in policy.match.resources:
            yield from _updates(rule.groups, rule.resources)
    for need in _action_rules(policy):
        if Operation.DELETE in need.operations and not need.collections and need.when is When.ALWAYS:
            yield from _updates(need.groups, need.resources)


def _updates(groups: Iterable[str], resources: Iterable[str]) -> Iterable[Target]:
    """Every UPDATE of objects of these resources, whatever the subresource that it is made through."""
    return expand([Operation.UPDATE], groups, [f"{pattern.partition('/')[0]}/{ANY}" for pattern in resources])


def _action_rules(policy: Policy) -> Iterator[catalogue.Rule]:
    for action in sorted(policy.match.action_ids):
        for entry in catalogue.select(action):
            yield from entry.rules


def _group(names: frozenset[str] | None, found: Iterable[Target], protected: frozenset[str]) -> Group:
    return Group(targets=reduced(found), names=names, protected=(names or frozenset()) & protected)


def _joined(groups: Iterable[Group]) -> list[Group]:
    """Groups of the same targets become one."""
    by_targets: defaultdict[Targets, list[Group]] = defaultdict(list)
    for group in groups:
        by_targets[group.targets].append(group)
    return [_merged(same) for same in by_targets.values()]


def _bounded(groups: list[Group], bound: Bound) -> Iterator[Group]:
    """No more groups than the bound says, the smallest merged; each within its own bounds."""
    by_size = sorted(groups, key=lambda group: (-len(group.targets), _order(group)))
    keep = by_size if len(by_size) <= bound.groups else by_size[: bound.groups - 1]
    rest = by_size[len(keep) :]
    for group in (*keep, *([_merged(rest)] if rest else [])):
        too_many_names = group.names is not None and len(group.names) > bound.names
        yield Group(
            targets=_widened(group.targets),
            names=None if too_many_names else group.names,
            protected=group.protected,
        )


def _merged(groups: list[Group]) -> Group:
    names: frozenset[str] | None = frozenset()
    for group in groups:
        names = None if names is None or group.names is None else names | group.names
    return Group(
        targets=targets(groups), names=names, protected=frozenset[str]().union(*(group.protected for group in groups))
    )


def _widened(found: Targets) -> Targets:
    """Within `MAX_TARGETS`: whole API groups instead of resources, then whole operations."""
    if len(found) <= MAX_TARGETS:
        return found
    by_group = reduced(Target(target.operation, target.group, ANY, ANY) for target in found)
    if len(by_group) <= MAX_TARGETS:
        return by_group
    return reduced(Target(target.operation, ANY, ANY, ANY) for target in found)


def _order(group: Group) -> tuple[bool, list[str], list[Target]]:
    return group.names is not None, sorted(group.names or ()), sorted(group.targets)
