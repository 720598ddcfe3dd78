"""Exceptions from lint rules: an annotation of the policy that names the rule and says why."""

from collections.abc import Iterator, Sequence

from interlock.core.linting.rule import Linted, Problem, Rule, Said, Surroundings
from interlock.core.policies.policy import Policy
from interlock.core.types import Severity

PREFIX = "ignore-lint.interlock.dev/"
"""Before a rule's id; the value is the reason."""


def excepted(linted: Linted, rule: Rule) -> str:
    """Why a rule is not to be reported of a policy; empty if it is."""
    return linted.annotations.get(f"{PREFIX}{rule.id}", "").strip()


def unused(linted: Linted, rules: Sequence[Rule]) -> Iterator[Problem]:
    """Exceptions that are none: of a rule that there is not, or without a reason."""
    known = {rule.id for rule in rules}
    for key, reason in sorted(linted.annotations.items()):
        name = key.removeprefix(PREFIX)
        if name == key or (name in known and reason.strip()):
            continue
        said = f"{name} is no rule" if name not in known else f"the exception from {name} gives no reason"
        yield Problem(
            rule=EXCEPTION,
            policy=linted.policy.name,
            place=linted.place,
            path=f"metadata.annotations[{key}]",
            said=said,
        )


def _nothing(_policy: Policy, _around: Surroundings) -> Iterator[Said]:
    return iter(())


EXCEPTION = Rule(
    id="exception",
    severity=Severity.MEDIUM,
    title="An annotation excepts from a rule that there is not, or gives no reason",
    advice=f"Write `{PREFIX}RULE: why`, or take it away.",
    find=_nothing,
)
