"""What is legal in a DangerPolicy and yet probably not meant: said as a warning to whoever writes it, never refused."""

from collections.abc import Iterator
from datetime import datetime

from interlock.core.policies import windowdoubts
from interlock.core.policies.policy import Policy
from interlock.core.policies.scope import ANY, Match
from interlock.core.types import Mode, Verdict


def doubts(policy: Policy, now: datetime) -> tuple[str, ...]:
    """Each doubt as one sentence that says what to do.

    Args:
        policy: one that compiles.
        now: the instant at which its windows are looked at.
    """
    return tuple(_doubts(policy, now))


def _doubts(policy: Policy, now: datetime) -> Iterator[str]:
    if stops_controllers(policy):
        yield (
            "spec.exclude: controllers of Kubernetes itself are denied as well; "
            "the entry {systemIdentities: Ordinary} lets their ordinary work go on"
        )
    if policy.windows is not None:
        yield from windowdoubts.doubts(policy.windows, now)
    if only_documents(policy):
        yield "spec.verdict: Allow stops nothing and lifts no other policy; it only has matching actions recorded"


def stops_controllers(policy: Policy) -> bool:
    """Whether controllers of Kubernetes itself are denied with the rest."""
    return _stops(policy) and _broad(policy.match) and not any(entry.ordinary_work for entry in policy.exclude)


def only_documents(policy: Policy) -> bool:
    """Whether it stops nothing and lifts nothing."""
    return policy.mode is Mode.ENFORCE and policy.windows is None and policy.verdict is Verdict.ALLOW


def _stops(policy: Policy) -> bool:
    return policy.mode is Mode.ENFORCE and policy.strictest is Verdict.DENY


def _broad(match: Match) -> bool:
    """Whether it speaks of what controllers do all day: any action or any resource, by anybody."""
    any_resource = any(pattern.partition("/")[0] == ANY for rule in match.resources for pattern in rule.resources)
    return match.subjects is None and (ANY in match.actions or (bool(match.operations) and any_resource))
