"""Leaving protection: an UPDATE after which an Enforce policy no longer speaks of what it spoke of before.

Names never change, so only labels leave: those of an object of a kind that the policy speaks of, or those of a
Namespace whose objects it speaks of. Status and other subresource writes count wherever they carry the object.

Every policy judges its own leaving: by its namespaces, objects, kinds (its resources, or those that its actions speak
of, whatever the operation), subjects, exclude, windows and verdict, not by operations and minSeverity. Who may pass the
policy may leave it. An exclude entry that says which findings it lifts, lifts leaving only if its actions cover
`leave-protection`.
"""

from collections.abc import Iterable, Iterator

from interlock.core.policies import match
from interlock.core.policies.match import Labels, View
from interlock.core.policies.policy import Policy
from interlock.core.policies.scopespec import LEAVE_PROTECTION
from interlock.core.text import printable
from interlock.core.types import Finding, Mode, Reach, Request

FAMILY = "defence"


def guards_labels(policy: Policy) -> bool:
    """Whether an UPDATE can leave this policy at all."""
    selectors = (names and names.selector for names in (policy.match.namespaces, policy.match.objects))
    return policy.mode is Mode.ENFORCE and policy.leave_protection and any(selectors)


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
    """Whether the policy speaks of the object with these labels."""
    objects, namespaces = policy.match.objects, policy.match.namespaces
    if objects is not None and not objects.match(view.request.name, labels):
        return False
    if namespaces is None or not view.request.namespace:
        return True  # what a cluster-scoped object reaches, only its findings know
    if view.request.is_namespace:
        return namespaces.match(view.request.name, labels)
    return match.maybe_meant(namespaces, view.request.namespace, view.namespace_labels(view.request.namespace))


def _namespace_leaves(policy: Policy, view: View) -> bool:
    """Whether the request takes away a namespace whose objects the policy speaks of."""
    namespaces = policy.match.namespaces
    if namespaces is None or not view.request.is_namespace or not _speaks_of_others(policy):
        return False
    before, after = view.labels
    return namespaces.match(view.request.name, before) and not namespaces.match(view.request.name, after)


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
