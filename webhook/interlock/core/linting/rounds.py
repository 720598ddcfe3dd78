"""Ways round a policy: other actions with the same effect, and subresources."""

from collections.abc import Iterator

from interlock.core import catalogue
from interlock.core.catalogue import Entry
from interlock.core.linting import covering
from interlock.core.linting.rule import Rule, Said, Surroundings, enforces
from interlock.core.policies import leaving
from interlock.core.policies.policy import Policy
from interlock.core.policies.scope import Match, ResourceRule
from interlock.core.text import listed
from interlock.core.types import Mode, Operation, Severity

CORE, APPS = "", "apps"

BELOW: dict[tuple[str, str, Operation], tuple[tuple[str, Operation], ...]] = {
    **{
        (APPS, kind, Operation.UPDATE): ((f"{kind}/scale", Operation.UPDATE),)
        for kind in ("deployments", "statefulsets", "replicasets")
    },
    (CORE, "replicationcontrollers", Operation.UPDATE): (("replicationcontrollers/scale", Operation.UPDATE),),
    (CORE, "pods", Operation.UPDATE): (
        ("pods/ephemeralcontainers", Operation.UPDATE),
        ("pods/resize", Operation.UPDATE),
    ),
    (CORE, "pods", Operation.DELETE): (("pods/eviction", Operation.CREATE),),
    (CORE, "nodes", Operation.UPDATE): (("nodes/status", Operation.UPDATE),),
    (CORE, "services", Operation.UPDATE): (("services/status", Operation.UPDATE),),
    (CORE, "namespaces", Operation.UPDATE): (
        ("namespaces/finalize", Operation.UPDATE),
        ("namespaces/status", Operation.UPDATE),
    ),
    ("certificates.k8s.io", "certificatesigningrequests", Operation.UPDATE): (
        ("certificatesigningrequests/approval", Operation.UPDATE),
        ("certificatesigningrequests/status", Operation.UPDATE),
    ),
}
"""Subresources by which a rule on a resource and an operation can be gone round, and the operation that they take."""


def _back_doors(policy: Policy, around: Surroundings) -> Iterator[Said]:
    if not enforces(policy):
        return
    guarded = {entry.id: entry for entry in covering.guarded(policy)}
    open_ones = [
        entry
        for entry in catalogue.ENTRIES
        if not guarded.keys().isdisjoint(entry.goes_round) and not _closed(entry, policy, around)
    ]
    for target in guarded:
        doors = [entry.id for entry in open_ones if target in entry.goes_round]
        if doors:
            yield "spec.match", f"{target} is guarded, but not {', '.join(doors)}"


def _closed(entry: Entry, policy: Policy, around: Surroundings) -> bool:
    """Whether this policy, or another one that holds wherever it does, denies the entry as well."""
    return any(
        enforces(each)
        and covering.action(each.match, entry)
        and (each is policy or covering.place(each.match, policy.match))
        for each in around.policies
    )


def _subresources(policy: Policy, around: Surroundings) -> Iterator[Said]:
    if not enforces(policy):
        return
    for index, rule in enumerate(policy.match.resources):
        below = dict.fromkeys(
            subresource
            for (group, resource, operation), ways in BELOW.items()
            if operation in policy.match.operations and rule.covers(group=group, resource=resource, subresource="")
            for subresource, way in ways
            if not _asked(group, subresource, way, policy, around)
        )
        if below:
            yield (
                f"spec.match.resources[{index}]",
                f"the same is done by {listed(list(below))}, which it does not cover",
            )


def _asked(group: str, subresource: str, way: Operation, policy: Policy, around: Surroundings) -> bool:
    """Whether this policy, or another one that holds wherever it does, speaks of a subresource."""
    return any(
        enforces(each)
        and (each is policy or covering.place(each.match, policy.match))
        and (_plainly(each.match, group, subresource, way) or _by_name(each.match, group, subresource, way))
        for each in around.policies
    )


def _plainly(match: Match, group: str, subresource: str, way: Operation) -> bool:
    wanted = ResourceRule(groups=(group,), resources=(subresource,))
    return way in match.operations and covering.resources(match.resources, [wanted])


def _by_name(match: Match, group: str, subresource: str, way: Operation) -> bool:
    """Whether one of the actions is looked for in reviews of the subresource."""
    return any(
        way in rule.operations and group in rule.groups and subresource in rule.resources
        for entry in catalogue.ENTRIES
        if entry.id in match.action_ids
        for rule in entry.rules
    )


def _may_be_left(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    if policy.mode is Mode.ENFORCE and not policy.leave_protection and leaving.selects_labels(policy):
        yield "spec.leaveProtection", "it is Disabled, so whoever may change labels may leave the policy"


ROUNDS: tuple[Rule, ...] = (
    Rule(
        id="back-doors",
        severity=Severity.MEDIUM,
        title="An action is guarded, but not others that do the same or bring it about",
        advice="Add these actions, here or to another policy for the same namespaces, objects and subjects.",
        find=_back_doors,
    ),
    Rule(
        id="subresources",
        severity=Severity.MEDIUM,
        title="A rule on a resource is gone round by a subresource",
        advice='Add the subresources, or write "pods/*" instead of pods.',
        find=_subresources,
    ),
    Rule(
        id="may-be-left",
        severity=Severity.MEDIUM,
        title="A policy that selects by labels lets labels be changed freely",
        advice="Take spec.leaveProtection away, so that leaving is judged by the policy itself.",
        find=_may_be_left,
    ),
)
