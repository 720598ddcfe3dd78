"""What a lint rule is, what it looks at, and what it says."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from interlock.core.policies.policy import Policy
from interlock.core.types import Mode, Severity, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """A policy to look at.

    Attributes:
        place: the file that it stands in; empty for one of a cluster.
        annotations: of its object.
    """

    policy: Policy
    place: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What else a rule may look at.

    Attributes:
        policies: all of them, the one in question included.
    """

    policies: tuple[Policy, ...]
    now: datetime


Said = tuple[str, str]
"""A field's path, and what is wrong there as one sentence without a final stop."""

Finder = Callable[[Policy, Surroundings], Iterator[Said]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table.

    Attributes:
        id: name in output and annotations.
        severity: how much it matters.
        title: what it finds, one sentence without a final stop.
        advice: what to do.
        find: finds it in a policy.
    """

    id: str
    severity: Severity
    title: str
    advice: str
    find: Finder


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a rule says of a policy.

    Attributes:
        path: of the field in question.
        excepted: the reason by which an annotation of the policy excepts it; empty if none does.
    """

    rule: Rule
    policy: str
    place: str
    path: str
    said: str
    excepted: str = ""


def enforces(policy: Policy) -> bool:
    """Whether it can stop something."""
    return policy.mode is Mode.ENFORCE and policy.strictest is Verdict.DENY
