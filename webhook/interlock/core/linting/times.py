"""Windows that do not do what they look like."""

from collections.abc import Iterator

from interlock.core.linting.rule import Rule, Said, Surroundings
from interlock.core.policies.entries import Once
from interlock.core.policies.policy import Policy
from interlock.core.types import Severity


def _never_opens(policy: Policy, around: Surroundings) -> Iterator[Said]:
    if policy.windows and policy.windows.state(around.now).next_open is None:
        outside = policy.windows.outside.title
        yield "spec.windows", f"they do not open within the next 400 days, so it always yields {outside}"


def _past(policy: Policy, around: Surroundings) -> Iterator[Said]:
    if policy.windows is None:
        return
    for name, entries in (("allow", policy.windows.allow), ("freeze", policy.windows.freeze)):
        for index, entry in enumerate(entries):
            if isinstance(entry, Once) and entry.end <= around.now:
                yield f"spec.windows.{name}[{index}]", f"{entry.name} is over since {entry.end:%Y-%m-%d}"


TIMES: tuple[Rule, ...] = (
    Rule(
        id="never-opens",
        severity=Severity.MEDIUM,
        title="Windows that never open",
        advice="Correct the windows, or write the verdict without them.",
        find=_never_opens,
    ),
    Rule(
        id="past-window",
        severity=Severity.LOW,
        title="A window that is over",
        advice="Remove the entry, or give it the next date.",
        find=_past,
    ),
)
