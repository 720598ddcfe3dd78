"""Whether one part of a policy surely speaks of everything that another speaks of.

False means that it is not certain. Names are compared as patterns, selectors as sets of requirements, so two that mean
the same in other words are not told to.
"""

from collections.abc import Iterable
from functools import cache

from interlock.core import catalogue
from interlock.core.catalogue import Entry
from interlock.core.policies.globs import WILDCARD, Globs
from interlock.core.policies.policy import Policy
from interlock.core.policies.scope import ANY, Match, Names, ResourceRule, Subjects
from interlock.core.snapshot import Snapshot
from interlock.core.types import Operation, Request, Severity, User

MEANT = frozenset({Operation.DELETE, Operation.CONNECT})
"""Operations that are the action themselves; an UPDATE may be anything."""


def globs(wide: Globs, narrow: Globs) -> bool:
    """Whether every text that `narrow` matches is matched by `wide`."""
    return all(_pattern(wide, pattern) for pattern in narrow.patterns)


def _pattern(wide: Globs, pattern: str) -> bool:
    if WILDCARD not in pattern:
        return wide.match(pattern)
    return pattern in wide.patterns or pattern.partition(WILDCARD)[0].startswith(wide.prefixes)


def names(wide: Names | None, narrow: Names | None) -> bool:
    """Whether everything that `narrow` means is meant by `wide`; None means everything."""
    if wide is None:
        return True
    if narrow is None:
        return wide.everything
    by_name = wide.names is None or (narrow.names is not None and globs(wide.names, narrow.names))
    asked = frozenset(wide.selector.requirements) if wide.selector else frozenset()
    given = frozenset(narrow.selector.requirements) if narrow.selector else frozenset()
    return by_name and asked <= given


def subjects(wide: Subjects | None, narrow: Subjects | None) -> bool:
    """Whether everybody whom `narrow` means is meant by `wide`; None means everybody."""
    if wide is None:
        return True
    return narrow is not None and (
        globs(wide.users, narrow.users)
        and globs(wide.groups, narrow.groups)
        and globs(wide.service_accounts, narrow.service_accounts)
    )


def resources(wide: Iterable[ResourceRule], narrow: Iterable[ResourceRule]) -> bool:
    """Whether every resource of `narrow` is one of `wide`."""
    rules = tuple(wide)
    return all(
        any(_resource(rule, group, resource) for rule in rules)
        for each in narrow
        for group in each.groups
        for resource in each.resources
    )


def _resource(rule: ResourceRule, group: str, resource: str) -> bool:
    if ANY not in rule.groups and group not in rule.groups:
        return False
    name, slash, below = resource.partition("/")
    wider = {resource, "*/*", f"{name}/*", f"*/{below}" if slash else ANY}
    return not wider.isdisjoint(rule.resources)


def findings(wide: Match, narrow: Match) -> bool:
    """Whether `wide` covers every finding that `narrow` covers."""
    named = narrow.action_ids <= wide.action_ids and wide.min_severity <= narrow.min_severity
    if narrow.actions and not named:
        return False
    return narrow.operations <= wide.operations and resources(wide.resources, narrow.resources)


def place(wide: Match, narrow: Match) -> bool:
    """Whether `wide` is asked wherever `narrow` is: namespaces, objects, subjects."""
    return (
        names(wide.namespaces, narrow.namespaces)
        and names(wide.objects, narrow.objects)
        and subjects(wide.subjects, narrow.subjects)
    )


def action(match: Match, entry: Entry) -> bool:
    """Whether `match` covers an entry of the catalogue, by its id or by all reviews that it is found in."""
    return _by_name(match, entry) or _by_reviews(match, entry)


def _by_reviews(match: Match, entry: Entry) -> bool:
    return bool(entry.rules) and all(
        frozenset(rule.operations) <= match.operations
        and resources(match.resources, [ResourceRule(groups=rule.groups, resources=rule.resources)])
        for rule in entry.rules
    )


def never_graded(entry: Entry, severity: Severity) -> bool:
    """Whether an entry's findings never reach a grade, whatever the context."""
    return entry.severity < severity and not entry.raised


def guarded(policy: Policy) -> tuple[Entry, ...]:
    """Entries of the catalogue that a policy guards: by name, or as what a plain DELETE or CONNECT always is."""
    match = policy.match
    plain = frozenset(
        found
        for operation in match.operations & MEANT
        for group, resource in _NAMED
        if resources(match.resources, [ResourceRule(groups=(group,), resources=(resource,))])
        for found in _always(operation, group, resource)
    )
    return tuple(entry for entry in catalogue.ENTRIES if entry.id in plain or _by_name(match, entry))


def _by_name(match: Match, entry: Entry) -> bool:
    return entry.id in match.action_ids and not never_graded(entry, match.min_severity)


_NAMED = tuple(
    dict.fromkeys(
        (group, resource)
        for entry in catalogue.ENTRIES
        for rule in entry.rules
        for group in rule.groups
        for resource in rule.resources
        if ANY not in group and ANY not in resource
    )
)
"""Every resource that some entry names."""


@cache
def _always(operation: Operation, group: str, resource: str) -> frozenset[str]:
    """What the catalogue finds in an operation on an object of which nothing is known but that it is there."""
    plural, _, subresource = resource.partition("/")
    bare = Request(
        uid="",
        operation=operation,
        group=group,
        version="v1",
        resource=plural,
        subresource=subresource,
        kind="",
        name="any",
        namespace="any",
        user=User(name="anybody"),
        old_object={} if operation is Operation.DELETE else None,
        object={} if operation is Operation.CONNECT else None,
    )
    return frozenset(finding.action for finding in catalogue.find(bare, Snapshot()) if finding.named)
