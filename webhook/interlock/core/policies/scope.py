"""What a policy speaks of, as values: `match` and the entries of `exclude`, compiled.

Only the vocabulary and the comparisons of single parts with single facts stand here. How the parts are put together
over old and new objects, unknown labels and the reach of a finding is core.policies.match.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from interlock.core.policies.globs import Globs
from interlock.core.selectors import LabelSelector
from interlock.core.types import Finding, Operation, Request, Severity, User

ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule:
    """API groups and resources, read as in admission rules.

    `*` is every resource but no subresource, `*/*` every resource and subresource, `pods/*` pods and every subresource
    of them, `*/scale` the scale subresource of every resource (apiserver, predicates/rules: Matcher.resource).
    """

    groups: tuple[str, ...]
    resources: tuple[str, ...]

    def covers(self, *, group: str, resource: str, subresource: str) -> bool:
        """Whether it speaks of this resource."""
        if ANY not in self.groups and group not in self.groups:
            return False
        return any(_covers(pattern, resource, subresource) for pattern in self.resources)

    def covers_kind(self, *, group: str, resource: str) -> bool:
        """Whether it speaks of this resource or of a subresource of it."""
        if ANY not in self.groups and group not in self.groups:
            return False
        return any(pattern.partition("/")[0] in {ANY, resource} for pattern in self.resources)


def _covers(pattern: str, resource: str, subresource: str) -> bool:
    wanted, _, below = pattern.partition("/")
    return wanted in {ANY, resource} and below in ({ANY, subresource} if "/" in pattern else {subresource})


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names and labels; both must hold where both are given, and one of them is given."""

    names: Globs | None = None
    selector: LabelSelector | None = None

    def match(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether an object of this name with these labels is meant."""
        return self.names_match(name) and (self.selector is None or self.selector.match(labels))

    def names_match(self, name: str) -> bool:
        """Whether the name alone permits a match."""
        return self.names is None or self.names.match(name)

    @property
    def everything(self) -> bool:
        """Whether every object is meant, whatever its name and labels."""
        return self.selector is None and self.names is not None and self.names.everything


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """Who asks; the three lists are a union."""

    users: Globs
    groups: Globs
    service_accounts: Globs

    @classmethod
    def of(
        cls, *, users: tuple[str, ...] = (), groups: tuple[str, ...] = (), service_accounts: tuple[str, ...] = ()
    ) -> Self:
        """Compile the three lists."""
        return cls(users=Globs.of(users), groups=Globs.of(groups), service_accounts=Globs.of(service_accounts))

    def match(self, user: User) -> bool:
        """Whether this user is meant."""
        return (
            self.users.match(user.name)
            or (user.service_account != "" and self.service_accounts.match(user.service_account))
            or any(self.groups.match(group) for group in user.groups)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The fields that match and exclude share.

    Attributes:
        actions: catalogue ids and families as written; `action_ids` are the ids that they stand for.
        min_severity: of named findings, as graded for the request.
        operations: of plain findings, on `resources`.
        kinds: what it speaks of whatever the operation: `resources`, and those of its actions' catalogue entries.
        namespaces, objects, subjects: None is unconstrained.
    """

    actions: tuple[str, ...] = ()
    action_ids: frozenset[str] = frozenset()
    min_severity: Severity = Severity.LOW
    operations: frozenset[Operation] = frozenset()
    resources: tuple[ResourceRule, ...] = ()
    kinds: tuple[ResourceRule, ...] = ()
    namespaces: Names | None = None
    objects: Names | None = None
    subjects: Subjects | None = None

    @property
    def names_findings(self) -> bool:
        """Whether it says which findings it means; an exclude entry may leave that open."""
        return bool(self.actions or self.operations)

    def covers(self, finding: Finding, request: Request) -> bool:
        """Whether `actions`, or `operations` with `resources`, cover the finding."""
        if finding.named:
            return finding.action in self.action_ids and finding.severity >= self.min_severity
        return request.operation in self.operations and any(
            rule.covers(group=request.group, resource=request.resource, subresource=request.subresource)
            for rule in self.resources
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """One entry of exclude.

    Attributes:
        path: where it stands, for example ``spec.exclude[0]``.
        scope: what it lifts.
        ordinary_work: whether it lifts only system identities doing their ordinary work; then it is not recorded.
    """

    path: str
    scope: Match
    ordinary_work: bool = False
