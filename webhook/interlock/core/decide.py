"""The verdict on one request: findings and a snapshot in, a Decision out.

Every policy that may apply is asked, in no order that matters; the strictest yield of enforcing ones is the verdict.

    windows   yields
    none      `verdict`
    closed    `windows.outside`
    open      `verdict`, or nothing if absent

Observe policies are evaluated alike and only reported. A policy that does not compile yields its strictest verdict.
What goes on with an operation that began while the windows were open is yielded what they yield while open, for as long
as their grace lasts (`gone_on`). A decision is recorded if some policy applies, whatever it yields, or if an exclusion
made the difference; never for a dry run.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from interlock.core.catalogue import Handed
from interlock.core.policies import leaving, match
from interlock.core.policies.match import View
from interlock.core.policies.policy import Policy
from interlock.core.policies.scope import Exclusion
from interlock.core.snapshot import Snapshot
from interlock.core.types import (
    Decision,
    Durability,
    Finding,
    Mode,
    PolicyOutcome,
    Request,
    Severity,
    Verdict,
    WindowState,
)


def decide(
    request: Request,
    findings: Sequence[Finding],
    snapshot: Snapshot,
    now: datetime,
    *,
    continuation: str = "",
    handed: Handed | None = None,
) -> Decision:
    """Decide on one request.

    Args:
        request: the review.
        findings: all that the catalogue found in it, the plain finding included.
        snapshot: policies and namespaces.
        now: the instant that windows are read at, aware.
        continuation: why the request only continues what has been decided before; then no policy is asked.
        handed: the deletion that an UPDATE can become, to be judged with it.
    """
    if continuation:
        return _combined(request, findings, (), continuation)
    view = View.of(request, snapshot.namespaces)
    left = list(leaving.findings(snapshot.policies.leavable(request), view))
    found = [*findings, *(finding for _, finding in left)]
    outcomes = _judged(view, findings, left, snapshot, now)
    if handed is not None:
        found += handed.findings
        deletion = View.of(handed.request, snapshot.namespaces)
        outcomes = _strictest_of_each([*outcomes, *_judged(deletion, handed.findings, (), snapshot, now)])
    return _combined(request, sorted(found, key=_worst_first), outcomes, "")


def _judged(
    view: View, findings: Sequence[Finding], left: Sequence[tuple[Policy, Finding]], snapshot: Snapshot, now: datetime
) -> list[PolicyOutcome]:
    """What every policy says that can select one of the findings, or is left."""
    asked = {policy.name: policy for policy in snapshot.policies.candidates(view.request, findings)}
    asked |= {policy.name: policy for policy, _ in left}
    outcomes: list[PolicyOutcome] = []
    for policy in asked.values():
        selected = match.selected(policy.match, findings, view)
        if left:
            selected += [finding for leaver, finding in left if leaver is policy]
        if selected:
            outcomes += _outcomes(policy, selected, view, now)
    return outcomes


def _strictest_of_each(outcomes: Iterable[PolicyOutcome]) -> list[PolicyOutcome]:
    """One outcome for each policy, what lifts a finding counting less than what judges one."""
    found: dict[str, PolicyOutcome] = {}
    for outcome in outcomes:
        known = found.get(outcome.policy, outcome)
        found[outcome.policy] = max(known, outcome, key=lambda one: (not one.excluded_by, one.yields))
    return list(found.values())


def _outcomes(policy: Policy, selected: Sequence[Finding], view: View, now: datetime) -> Iterable[PolicyOutcome]:
    """What a policy says to the findings that it selects: one outcome, or none."""
    ordered = sorted(selected, key=_worst_first)
    lifted = [_lifted_by(policy, finding, view) for finding in ordered]
    for finding, entries in zip(ordered, lifted, strict=True):
        if not entries:
            return (_outcome(policy, finding, now),)
    return _excluded(_outcome(policy, ordered[0], now), lifted)


def _lifted_by(policy: Policy, finding: Finding, view: View) -> list[Exclusion]:
    return [entry for entry in policy.exclude if match.lifts(entry, finding, view)]


def _excluded(would_be: PolicyOutcome, lifted: Sequence[Sequence[Exclusion]]) -> Iterable[PolicyOutcome]:
    """The outcome of a policy whose every finding was lifted, if that made a difference worth a record.

    Ordinary work of system identities never is: it goes on all the time, guard or no guard.
    """
    deciding = [entries[0] for entries in lifted if not any(entry.ordinary_work for entry in entries)]
    if not deciding or would_be.mode is not Mode.ENFORCE or would_be.yields < Verdict.WARN:
        return ()
    return (replace(would_be, excluded_by=deciding[0].path, durability=Durability.BATCH),)


def _outcome(policy: Policy, finding: Finding, now: datetime) -> PolicyOutcome:
    window = policy.windows.state(now) if policy.windows else None
    return PolicyOutcome(
        policy=policy.name,
        uid=policy.uid,
        generation=policy.generation,
        digest=policy.digest,
        mode=policy.mode,
        severity=policy.severity,
        finding=finding.action,
        yields=_yields(policy, window),
        window=window,
        while_open=policy.verdict,
        message=policy.message,
        durability=policy.durability,
        error=policy.error,
    )


def gone_on(request: Request, decision: Decision, policies: Collection[str]) -> Decision:
    """The decision where some policies find that the request goes on with what began while their windows were open.

    Args:
        request: the review.
        decision: as it would be otherwise.
        policies: their uids.
    """
    outcomes = [
        replace(outcome, yields=outcome.while_open, overrun=True) if outcome.uid in policies else outcome
        for outcome in decision.outcomes
    ]
    return _combined(request, decision.findings, outcomes, decision.continuation)


def _yields(policy: Policy, window: WindowState | None) -> Verdict:
    """The table of the module's docstring."""
    if policy.windows and window and not window.open:
        return policy.windows.outside
    return policy.verdict


def _combined(
    request: Request, findings: Sequence[Finding], outcomes: Sequence[PolicyOutcome], continuation: str
) -> Decision:
    counting = [outcome for outcome in outcomes if outcome.counts]
    observing = [outcome for outcome in outcomes if outcome.mode is Mode.OBSERVE]
    verdict = _strictest(counting)
    return Decision(
        verdict=verdict,
        severity=_severity([outcome for outcome in counting if outcome.yields is verdict], findings),
        findings=tuple(findings),
        outcomes=tuple(sorted(outcomes, key=_rank)),
        recorded=bool(outcomes) and not request.dry_run,
        durability=_durability(counting or observing),
        would_have=_strictest(observing),
        continuation=continuation,
    )


def _strictest(outcomes: Iterable[PolicyOutcome]) -> Verdict:
    return max((outcome.yields for outcome in outcomes), default=Verdict.NOTHING)


def _severity(deciding: Sequence[PolicyOutcome], findings: Sequence[Finding]) -> Severity:
    return max((item.severity for item in deciding or findings), default=Severity.LOW)


def _durability(outcomes: Iterable[PolicyOutcome]) -> Durability:
    asked = (outcome.durability for outcome in outcomes)
    return max(asked, key=lambda durability: durability.strictness, default=Durability.BATCH)


def _worst_first(finding: Finding) -> tuple[int, bool, str, str]:
    """The most severe first, the plain one last of its grade; an order that does not depend on how it came."""
    return -finding.severity, not finding.named, finding.action, finding.evidence


def _rank(outcome: PolicyOutcome) -> tuple[bool, bool, int, str]:
    """Those that count, then Observe, then exclusions; each strictest first, then by name."""
    return bool(outcome.excluded_by), not outcome.counts, -outcome.yields, outcome.policy
