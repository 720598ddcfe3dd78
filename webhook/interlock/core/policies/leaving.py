"""Leaving protection: an UPDATE after which an Enforce policy no longer speaks of what it spoke of before.

Names never change, so only labels leave: those of an object of a kind that the policy speaks of, or those of a
Namespace whose objects it speaks of. They leave out of what `match` asks for, or into what an entry of `exclude` asks
for, whomever that entry is about. Status and other subresource writes count wherever they carry the object.

Every policy judges its own leaving: by its namespaces, objects, kinds (its resources, or those that its actions speak
of, whatever the operation), subjects, exclude, windows and verdict, not by operations and minSeverity. Who may pass the
policy may leave it. An exclude entry that says which findings it lifts, lifts leaving only if its actions cover
`leave-protection`.
"""

from collections.abc import Iterable, Iterator

from interlock.core.policies import match
from interlock.core.policies.match import Labels, View
from interlock.core.policies.policy import Policy
from interlock.core.policies.scope import Exclusion, Match, Names
from interlock.core.policies.scopespec import LEAVE_PROTECTION
from interlock.core.text import printable
from interlock.core.types import Finding, Mode, Reach, Request

FAMILY = "defence"


def guards_objects(policy: Policy) -> bool:
    """Whether labels of an object decide about this policy, and must not be changed to leave it."""
    return _guards(policy) and any(_selects(scope.objects) for scope in _scopes(policy))


def selects_labels(policy: Policy) -> bool:
    """Whether labels decide about this policy at all, whether or not they may be changed."""
    return any(_selects(scope.objects) or _selects(scope.namespaces) for scope in _scopes(policy))


def guards_namespaces(policy: Policy) -> bool:
    """Whether labels of a Namespace do."""
    return _guards(policy) and any(_selects(scope.namespaces) for scope in _scopes(policy))


def _guards(policy: Policy) -> bool:
    return policy.mode is Mode.ENFORCE and policy.leave_protection


def _scopes(policy: Policy) -> Iterator[Match]:
    yield policy.match
    yield from (entry.scope for entry in _exemptions(policy))


def _exemptions(policy: Policy) -> Iterator[Exclusion]:
    """Entries that people can make hold; ordinary work of system identities is no way out."""
    return (entry for entry in policy.exclude if not entry.ordinary_work)


def _selects(names: Names | None) -> bool:
    return names is not None and names.selector is not None


def findings(policies: Iterable[Policy], view: View) -> Iterator[tuple[Policy, Finding]]:
    """Policies that the request leaves, each with its finding.

    Args:
        policies: those that it could leave (`PolicyIndex.leavable`).
        view: of an UPDATE; a request of another operation leaves nothing.
    """
    if len(view.labels) < len(("old", "new")) or view.labels[0] == view.labels[1]:
        return
    for policy in policies:
        if match.asked_by(policy.match, view) and (_object_leaves(policy, view) or _namespace_leaves(policy, view)):
            yield policy, _finding(policy, view.request)


def _object_leaves(policy: Policy, view: View) -> bool:
    before, after = view.labels
    return (
        _speaks_of(policy, view.request.group, view.request.resource)
        and _object_meant(policy, view, before)
        and not _object_meant(policy, view, after)
    )


def _object_meant(policy: Policy, view: View, labels: Labels) -> bool:
    """Whether the policy speaks of the object with these labels, and no exemption by labels of the object does."""
    exempted = any(
        _selects_by(entry.scope, view) and _inside(entry.scope, view, labels) for entry in _exemptions(policy)
    )
    return not exempted and _inside(policy.match, view, labels)


def _selects_by(scope: Match, view: View) -> bool:
    """Whether the scope asks for labels that are those of the request's object."""
    return _selects(scope.objects) or (view.request.is_namespace and _selects(scope.namespaces))


def _inside(scope: Match, view: View, labels: Labels) -> bool:
    """Whether the object with these labels, where it is, is one that the scope means."""
    if scope.objects is not None and not scope.objects.match(view.request.name, labels):
        return False
    if scope.namespaces is None or not view.request.namespace:
        return True  # what a cluster-scoped object reaches, only its findings know
    if view.request.is_namespace:
        return scope.namespaces.match(view.request.name, labels)
    return match.maybe_meant(scope.namespaces, view.request.namespace, view.namespace_labels(view.request.namespace))


def _namespace_leaves(policy: Policy, view: View) -> bool:
    """Whether the request takes away a namespace whose objects the policy speaks of."""
    if not view.request.is_namespace or not _speaks_of_others(policy):
        return False
    before, after = view.labels
    return _namespace_meant(policy, view, before) and not _namespace_meant(policy, view, after)


def _namespace_meant(policy: Policy, view: View, labels: Labels) -> bool:
    """Whether the policy speaks of what is in the namespace with these labels, and no exemption of namespaces does."""
    name, namespaces = view.request.name, policy.match.namespaces
    exempting = (entry.scope.namespaces for entry in _exemptions(policy) if _selects(entry.scope.namespaces))
    return (namespaces is None or namespaces.match(name, labels)) and not any(
        each.match(name, labels) for each in exempting if each is not None
    )


def _speaks_of(policy: Policy, group: str, resource: str) -> bool:
    return any(kind.covers_kind(group=group, resource=resource) for kind in policy.match.kinds)


def _speaks_of_others(policy: Policy) -> bool:
    """Whether the policy speaks of more kinds than Namespace."""
    return any(kind.groups != ("",) or _parents(kind.resources) != {"namespaces"} for kind in policy.match.kinds)


def _parents(resources: Iterable[str]) -> set[str]:
    return {resource.partition("/")[0] for resource in resources}


def _finding(policy: Policy, request: Request) -> Finding:
    what = f"{request.kind} {printable(request.name)}"
    return Finding(
        action=LEAVE_PROTECTION,
        family=FAMILY,
        severity=policy.severity,
        evidence=f"new labels take {what} out of what policy {policy.name} protects",
        reach=Reach.of(request.namespace) if request.namespace else Reach.nowhere(),
    )
