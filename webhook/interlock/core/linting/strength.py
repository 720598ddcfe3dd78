"""Policies that are weaker than their severity says, or that say nothing."""

from collections.abc import Iterator

from interlock.core.linting.rule import Rule, Said, Surroundings
from interlock.core.policies import doubts
from interlock.core.policies.policy import Policy
from interlock.core.types import Mode, Severity, Verdict


def _broken(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    if policy.error:
        yield "spec", f"it does not compile and fails closed: {policy.error.splitlines()[0]}"


def _soft(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    if policy.severity is not Severity.CRITICAL or policy.mode is Mode.DISABLED:
        return
    if policy.mode is Mode.OBSERVE:
        yield "spec.mode", "severity is Critical, and it stops nothing: mode Observe"
    elif policy.strictest < Verdict.DENY:
        yield "spec.verdict", f"severity is Critical, and its strictest verdict is {policy.strictest.title}"


def _disabled(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    if policy.mode is Mode.DISABLED:
        yield "spec.mode", "it is not evaluated: mode Disabled"


def _documents(policy: Policy, _around: Surroundings) -> Iterator[Said]:
    if doubts.only_documents(policy):
        yield "spec.verdict", "Allow stops nothing and lifts no other policy"


STRENGTH: tuple[Rule, ...] = (
    Rule(
        id="broken",
        severity=Severity.HIGH,
        title="A stored policy does not compile",
        advice="Correct it: until then it denies everything that its match covers.",
        find=_broken,
    ),
    Rule(
        id="soft-critical",
        severity=Severity.MEDIUM,
        title="Severity Critical, and nothing is denied",
        advice="Deny, or lower the severity, until what it observes is understood.",
        find=_soft,
    ),
    Rule(
        id="disabled",
        severity=Severity.LOW,
        title="A policy is Disabled",
        advice="Remove it, or let it Observe.",
        find=_disabled,
    ),
    Rule(
        id="only-documents",
        severity=Severity.LOW,
        title="A policy that only allows",
        advice="Keep it if the records are wanted; an exception from another policy belongs into its exclude.",
        find=_documents,
    ),
)
