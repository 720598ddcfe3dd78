"""A decision explained: for every policy what its gates said, how its window stands, and what it yielded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from interlock.core import gates
from interlock.core.catalogue import Handed
from interlock.core.gates import Looked
from interlock.core.policies import leaving
from interlock.core.policies.match import View
from interlock.core.policies.policy import Policy
from interlock.core.snapshot import Snapshot
from interlock.core.types import Decision, Finding, Mode, PolicyOutcome, Request, WindowState


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySaid:
    """What one policy made of a request.

    Attributes:
        looked: finding by finding; empty for a policy that is Disabled.
        window: how its windows stand at the time in question.
        outcome: what it yielded; None if it did not apply, or was lifted from what nobody has to know of.
    """

    policy: Policy
    looked: tuple[Looked, ...]
    window: WindowState | None
    outcome: PolicyOutcome | None

    @property
    def selected(self) -> tuple[Looked, ...]:
        """What its match selects."""
        return tuple(each for each in self.looked if each.selected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A decision, and why.

    Attributes:
        policies: by name, those that did not apply included.
        unknown: what an explanation of a recorded action does not know, each in one sentence.
    """

    request: Request
    decision: Decision
    now: datetime
    policies: tuple[PolicySaid, ...]
    unknown: tuple[str, ...] = ()


def explain(
    request: Request,
    findings: Sequence[Finding],
    decision: Decision,
    snapshot: Snapshot,
    now: datetime,
    *,
    handed: Handed | None = None,
    left: Mapping[str, Finding] | None = None,
    unknown: Sequence[str] = (),
) -> Explained:
    """Ask every policy gate by gate.

    Args:
        request: the review.
        findings: what the catalogue found in it.
        decision: what was decided on it.
        snapshot: what was decided by.
        now: when.
        handed: the deletion that the UPDATE can become, where it was judged with it.
        left: by policy, what is left by the request; None where the objects are there to tell.
        unknown: what is not known of the request.
    """
    view = View.of(request, snapshot.namespaces)
    later = View.of(handed.request, snapshot.namespaces) if handed else None
    outcomes = {outcome.policy: outcome for outcome in decision.outcomes}
    if left is None:
        left = {policy.name: found for policy, found in leaving.findings(snapshot.policies.leavable(request), view)}
    said = []
    for policy in snapshot.policies.policies:
        looked: tuple[Looked, ...] = ()
        if policy.mode is not Mode.DISABLED and not decision.continuation:
            looked = gates.looked(policy, findings, view)
            looked += (gates.left(policy, left[policy.name], view),) if policy.name in left else ()
            looked += gates.looked(policy, handed.findings, later) if handed and later else ()
        window = policy.windows.state(now) if policy.windows else None
        said.append(PolicySaid(policy=policy, looked=looked, window=window, outcome=outcomes.get(policy.name)))
    return Explained(request=request, decision=decision, now=now, policies=tuple(said), unknown=tuple(unknown))
