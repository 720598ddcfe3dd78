"""Why a policy speaks of a request, or does not: every gate of its match, finding by finding, as values.

The gates are those of `core.policies.match`, asked one by one; a test holds both against each other. What a policy then
yields is never computed here: it is in the Decision.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from interlock.core.policies import match
from interlock.core.policies.match import Labels, View
from interlock.core.policies.policy import Policy
from interlock.core.policies.scope import Match, Names, ResourceRule, Subjects
from interlock.core.selectors import Requirement
from interlock.core.text import listed
from interlock.core.types import Finding, ReachKind, Request, Severity


@dataclass(frozen=True, slots=True)
class Gate:
    """One part of a match, asked about one finding.

    Attributes:
        name: the field below ``spec.match``.
        held: whether it let the finding through.
        said: why, in a few words.
    """

    name: str
    held: bool
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a policy makes of one finding.

    Attributes:
        gates: those that the policy has, in the order of its fields.
        lifted_by: paths of the exclude entries that lift it; only asked about a finding that is selected.
    """

    finding: Finding
    gates: tuple[Gate, ...]
    lifted_by: tuple[str, ...] = ()

    @property
    def selected(self) -> bool:
        """Whether the policy's match selects the finding."""
        return all(gate.held for gate in self.gates)

    @property
    def applies(self) -> bool:
        """Whether the policy applies to the finding."""
        return self.selected and not self.lifted_by


def looked(policy: Policy, findings: Sequence[Finding], view: View) -> tuple[Looked, ...]:
    """What a policy makes of each finding.

    Args:
        policy: one whose mode is not Disabled.
        findings: of a request.
        view: of that request.
    """
    return tuple(_looked(policy, finding, view) for finding in findings)


def left(policy: Policy, finding: Finding, view: View) -> Looked:
    """The same of the finding that the request leaves the policy, which `core.policies.leaving` makes."""
    gate = Gate("leaveProtection", held=True, said=finding.evidence)
    return Looked(finding=finding, gates=(gate,), lifted_by=_lifts(policy, finding, view))


def _looked(policy: Policy, finding: Finding, view: View) -> Looked:
    gates = tuple(_gates(policy.match, finding, view))
    lifted = _lifts(policy, finding, view) if all(gate.held for gate in gates) else ()
    return Looked(finding=finding, gates=gates, lifted_by=lifted)


def _lifts(policy: Policy, finding: Finding, view: View) -> tuple[str, ...]:
    return tuple(entry.path for entry in policy.exclude if match.lifts(entry, finding, view))


def _gates(scope: Match, finding: Finding, view: View) -> Iterator[Gate]:
    yield from _named(scope, finding) if finding.named else _plain(scope, view.request)
    if scope.namespaces is not None:
        yield Gate("namespaces", match.touches(scope, finding.reach, view), _reached(scope.namespaces, finding, view))
    if scope.objects is not None:
        said = _object(scope.objects, view.request.name, view.labels)
        yield Gate("objects", match.may_be_object(scope, view), said)
    if scope.subjects is not None:
        yield Gate("subjects", match.asked_by(scope, view), _asked_by(scope.subjects, view.request))


def _named(scope: Match, finding: Finding) -> Iterator[Gate]:
    if not scope.actions:
        yield Gate("actions", held=False, said="it names none")
        return
    known = finding.action in scope.action_ids
    yield Gate("actions", known, f"{finding.action} is {'of' if known else 'not among'} {listed(scope.actions)}")
    if scope.min_severity > Severity.LOW:
        said = f"graded {finding.severity.title}, at least {scope.min_severity.title} is asked"
        yield Gate("minSeverity", finding.severity >= scope.min_severity, said)


def _plain(scope: Match, request: Request) -> Iterator[Gate]:
    if not scope.operations:
        yield Gate("operations", held=False, said="it names none")
        return
    known = request.operation in scope.operations
    yield Gate("operations", known, f"{request.operation} is {_among(known)} {listed(sorted(scope.operations))}")
    covers = any(
        rule.covers(group=request.group, resource=request.resource, subresource=request.subresource)
        for rule in scope.resources
    )
    what = f"{request.resource_path} of {request.group or 'the core group'}"
    yield Gate("resources", covers, f"{what} is {_among(covers)} {listed(list(map(_rule, scope.resources)), '; ')}")


def _among(known: bool) -> str:  # noqa: FBT001  the one thing that it is about
    return "among" if known else "not among"


def _rule(rule: ResourceRule) -> str:
    return f"{', '.join(rule.resources)} ({', '.join(group or 'core' for group in rule.groups)})"


def _reached(names: Names, finding: Finding, view: View) -> str:
    if finding.reach.kind is ReachKind.ALL:
        return f"it reaches all namespaces, so {_asked(names)} too"
    if finding.reach.kind is ReachKind.NONE:
        return f"it reaches no namespace, {_asked(names)} is asked"
    each = [_one(name, view.namespace_labels(name), names) for name in sorted(finding.reach.namespaces)]
    return f"it reaches {listed(each)}; {_asked(names)} is asked"


def _object(names: Names, name: str, labels: Sequence[Labels]) -> str:
    return f"it is {_one(name, labels, names)}; {_asked(names)} is asked"


def _one(name: str, versions: Sequence[Labels], names: Names) -> str:
    """A name, with the labels that a selector looks at, or that they are not known."""
    if names.selector is None:
        return name
    if not versions:
        return f"{name}, whose labels are not known and are taken to fit"
    keys = list(dict.fromkeys(each.key for each in names.selector.requirements))
    shown = list(dict.fromkeys(_labels(labels, keys) for labels in versions))
    return f"{name} with {' and then '.join(shown)}"


def _labels(labels: Labels, keys: Sequence[str]) -> str:
    found = [f"{key}={labels[key]}" for key in keys if key in labels]
    return ", ".join([*found, *(f"no {key}" for key in keys if key not in labels)])


def _asked(names: Names) -> str:
    """What a policy asks of names and labels, as kubectl writes selectors."""
    parts = [] if names.names is None else [listed(names.names.patterns, " or ")]
    parts += [] if names.selector is None else [listed(list(map(requirement, names.selector.requirements)))]
    return " with ".join(parts)


_WRITTEN: Mapping[str, str] = {"Exists": "{key}", "DoesNotExist": "!{key}", "In": "in", "NotIn": "notin"}


def requirement(each: Requirement) -> str:
    """A requirement as kubectl writes it: ``env=prod``, ``tier notin (a,b)``, ``!sandbox``."""
    written = _WRITTEN[each.operator.value]
    if not each.values:
        return written.format(key=each.key)
    if written == "in" and len(each.values) == 1:
        return f"{each.key}={next(iter(each.values))}"
    return f"{each.key} {written} ({','.join(sorted(each.values))})"


def _asked_by(subjects: Subjects, request: Request) -> str:
    lists = {"users": subjects.users, "groups": subjects.groups, "serviceAccounts": subjects.service_accounts}
    asked = [f"{name} {listed(globs.patterns)}" for name, globs in lists.items() if globs.patterns]
    who = request.user.service_account or request.user.name
    return f"{who} in {listed(request.user.groups) or 'no group'}; {'; '.join(asked)} is asked"
