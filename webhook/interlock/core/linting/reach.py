"""Policies that never speak, that speak in vain, or that speak of more than they seem to."""

from collections.abc import Iterator

from interlock.core import catalogue
from interlock.core.linting import covering
from interlock.core.linting.rule import Rule, Said, Surroundings, enforces
from interlock.core.policies import doubts
from interlock.core.policies.policy import Policy
from interlock.core.policies.scope import Exclusion, Match, Names, ResourceRule
from interlock.core.scopes import CLUSTER_SCOPED
from interlock.core.selectors import LabelSelector, Requirement
from interlock.core.text import listed
from interlock.core.types import Mode, Operation, Severity, Verdict

EXEMPT_GROUP = "admissionregistration.k8s.io"
"""Of these kinds no API server asks a webhook (plugin/webhook/rules: IsExemptAdmissionConfigurationResource)."""

CONNECTED = {"pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "nodes/proxy"}
"""All that CONNECT is asked about (registry/core: rest.Connecter)."""


def _unreachable(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    for entry in policy.exclude:
        if _lifts_all(entry, policy.match):
            yield entry.path, "it lifts everything that the policy selects"
    for path, selector in _selectors(policy.match):
        for key in _contradictions(selector):
            yield path, f"no object has a label {key} that fits all of it"
    if policy.match.objects and policy.match.objects.names:
        for pattern in policy.match.objects.names.patterns:
            if "/" in pattern or "%" in pattern:
                yield "spec.match.objects.names", f"no object can be named {pattern}"


def _lifts_all(entry: Exclusion, match: Match) -> bool:
    """Whether an exclude entry surely lifts whatever is selected; labels and reaches leave that open."""
    scope = entry.scope
    return (
        not entry.ordinary_work
        and (not scope.names_findings or covering.findings(scope, match))
        and covering.subjects(scope.subjects, match.subjects)
        and scope.namespaces is None
        and (scope.objects is None or (scope.objects.selector is None and covering.names(scope.objects, match.objects)))
    )


def _selectors(match: Match) -> Iterator[tuple[str, LabelSelector]]:
    parts: tuple[tuple[str, Names | None], ...] = (("namespaces", match.namespaces), ("objects", match.objects))
    for name, names in parts:
        if names is not None and names.selector is not None:
            yield f"spec.match.{name}.selector", names.selector


def _contradictions(selector: LabelSelector) -> list[str]:
    """Keys of labels of which the requirements cannot all hold."""
    keys = dict.fromkeys(each.key for each in selector.requirements)
    return [key for key in keys if not _possible([each for each in selector.requirements if each.key == key])]


def _possible(requirements: list[Requirement]) -> bool:
    values = {value for each in requirements for value in each.values} | {"some other value"}
    return any(
        all(each.match(labels) for each in requirements)
        for labels in ({}, *({requirements[0].key: value} for value in values))
    )


def _never_graded(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    match = policy.match
    never = [
        entry.id
        for term in match.actions
        if term == catalogue.select(term)[0].id  # a family may well hold some that are graded lower
        for entry in catalogue.select(term)
        if covering.never_graded(entry, match.min_severity)
    ]
    if never:
        yield "spec.match.minSeverity", f"{listed(never)} is never graded {match.min_severity.title}"


def _never_asked(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    for index, rule in enumerate(policy.match.resources):
        if EXEMPT_GROUP in rule.groups:
            yield f"spec.match.resources[{index}].groups", f"no API server asks webhooks about {EXEMPT_GROUP}"
        if policy.match.operations == {Operation.CONNECT}:
            for resource in rule.resources:
                if "*" not in resource and resource not in CONNECTED:
                    yield f"spec.match.resources[{index}].resources", f"nobody connects to {resource}"


def _no_namespace(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    if policy.match.namespaces is None:
        return
    for index, rule in enumerate(policy.match.resources):
        found = [resource for resource in rule.resources if _cluster_scoped(rule, resource.partition("/")[0])]
        if found:
            said = f"{listed(found)} has no namespace, so spec.match.namespaces never meets it"
            yield f"spec.match.resources[{index}]", said


def _cluster_scoped(rule: ResourceRule, resource: str) -> bool:
    return resource != "namespaces" and all(resource in CLUSTER_SCOPED.get(group, ()) for group in rule.groups)


def _every_namespace(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    match = policy.match
    if enforces(policy) and match.namespaces is None and match.objects is None and match.subjects is None:
        yield "spec.match.namespaces", "it is absent, so the policy denies in every namespace, kube-system included"


def _shadowed(policy: Policy, around: Surroundings) -> Iterator[Said]:
    if policy.mode is not Mode.ENFORCE:
        return
    for other in around.policies:
        if other is not policy and _covers(other, policy) and not (_covers(policy, other) and policy.name < other.name):
            yield "spec.match", f"{other.name} is at least as strict about everything that it speaks of"


def _covers(wide: Policy, narrow: Policy) -> bool:
    """Whether `wide` always yields at least what `narrow` does, wherever `narrow` speaks."""
    lifted = [(entry.scope, entry.ordinary_work) for entry in narrow.exclude]
    return (
        wide.mode is Mode.ENFORCE
        and covering.findings(wide.match, narrow.match)
        and covering.place(wide.match, narrow.match)
        and all((entry.scope, entry.ordinary_work) in lifted for entry in wide.exclude)
        and (_least(wide) >= narrow.strictest or _same_times(wide, narrow))
    )


def _least(policy: Policy) -> Verdict:
    """The weakest that it can yield, whatever the time."""
    return min(policy.verdict, policy.windows.outside) if policy.windows else policy.verdict


def _same_times(wide: Policy, narrow: Policy) -> bool:
    if wide.windows is None or narrow.windows is None or wide.verdict < narrow.verdict:
        return False
    same = (wide.windows.zone, wide.windows.allow, wide.windows.freeze) == (
        narrow.windows.zone,
        narrow.windows.allow,
        narrow.windows.freeze,
    )
    return same and wide.windows.outside >= narrow.windows.outside


def _controllers(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    if doubts.stops_controllers(policy):
        yield "spec.exclude", "controllers of Kubernetes itself are denied as well"


REACH: tuple[Rule, ...] = (
    Rule(
        id="unreachable",
        severity=Severity.HIGH,
        title="A policy can never apply: its own exclude lifts everything, or nothing can have such names or labels",
        advice="Narrow the exclude entry, or correct the names.",
        find=_unreachable,
    ),
    Rule(
        id="never-graded",
        severity=Severity.HIGH,
        title="An action that is named is never graded as high as minSeverity asks",
        advice="Lower minSeverity, or leave the action out.",
        find=_never_graded,
    ),
    Rule(
        id="never-asked",
        severity=Severity.HIGH,
        title="Resources or operations that no API server asks webhooks about",
        advice="Take them out; guard those kinds by RBAC.",
        find=_never_asked,
    ),
    Rule(
        id="no-namespace",
        severity=Severity.HIGH,
        title="Namespaces are asked of a kind that has none",
        advice="Give the kind a policy of its own, without namespaces.",
        find=_no_namespace,
    ),
    Rule(
        id="controllers-denied",
        severity=Severity.HIGH,
        title="What controllers do all day is denied with the rest",
        advice="Add the exclude entry {systemIdentities: Ordinary}, which lets their ordinary work go on.",
        find=_controllers,
    ),
    Rule(
        id="every-namespace",
        severity=Severity.LOW,
        title="A policy that denies speaks of every namespace, of any object and of anybody",
        advice="Add spec.match.namespaces, or except the policy from this rule with the reason.",
        find=_every_namespace,
    ),
    Rule(
        id="shadowed",
        severity=Severity.LOW,
        title="Another policy is always at least as strict about everything that this one speaks of",
        advice="Remove one of them, unless its message or its record is wanted.",
        find=_shadowed,
    ),
)
