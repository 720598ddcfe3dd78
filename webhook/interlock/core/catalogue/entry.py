"""What a catalogue entry is: a row of the table, the admission rules that it needs, and the function that finds it.

Rules serve twice: the webhook subscription is made from them, and a detector is called only for requests that they
cover. So an entry cannot look at requests that it does not subscribe to, and a request costs nothing but the entries
that it can be.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from interlock.core.access.book import Book
from interlock.core.catalogue.when import When, holds
from interlock.core.types import Finding, Operation, Reach, Request, Severity


class RoleBook(Protocol):
    """What detectors read of the snapshot: roles and bindings."""

    @property
    def access(self) -> Book:
        """Roles and bindings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which reviews an entry needs, as in a webhook's `rules`.

    `resources` are spelled and read as there: ``pods``, ``pods/exec``, ``pods/*`` for pods and their subresources,
    ``*/scale``, ``*`` for every resource without subresources, ``*/*`` for everything.
    `collections`: only of members of a deletecollection, which a webhook's rules cannot say.
    `when`: narrows to reviews that a webhook's conditions can tell, so that a rule for every kind costs no calls.
    """

    operations: tuple[Operation, ...]
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    collections: bool = False
    when: When = When.ALWAYS

    def covers(self, request: Request) -> bool:
        """Whether this rule asks for the request."""
        return (
            request.operation in self.operations
            and ("*" in self.groups or request.group in self.groups)
            and any(spelling in self.resources for spelling in spellings(request))
            and holds(self.when, request)
        )


def spellings(request: Request) -> tuple[str, ...]:
    """Every way in which a rule can name the resource of a request."""
    below = f"*/{request.subresource}" if request.subresource else "*"
    return request.resource_path, below, f"{request.resource}/*", "*/*"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a detector saw; severity and reach of its finding are the request's own.

    Attributes:
        evidence: one sentence without a final stop.
        reach: the namespaces touched.
        severity: None for the entry's default.
    """

    evidence: str
    reach: Reach
    severity: Severity | None = None


Detector = Callable[[Request, RoleBook], Iterator[Seen]]
"""A small pure function; yields once for every separate thing that it sees in the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the catalogue.

    Attributes:
        id: name in policies, for example ``delete-namespace``.
        family: group in policies, for example ``destruction``.
        title: what it is, for people.
        severity: default grade.
        raised: how context raises the grade; empty if it does not.
        rules: the reviews that it needs; empty if that depends on the policy.
        misses: what admission does not see of it.
        example: a command that does it.
        references: MITRE ATT&CK technique ids, where there are any.
        goes_round: ids of actions that it is another way to do, or to bring about: who guards those wants to guard it.
        detect: finds it in a request; None if it is found where policies are known (`interlock.core.policies.leaving`).
    """

    id: str
    family: str
    title: str
    severity: Severity
    raised: str = ""
    rules: tuple[Rule, ...]
    misses: str
    example: str
    references: tuple[str, ...] = ()
    goes_round: tuple[str, ...] = ()
    detect: Detector | None = None

    def find(self, request: Request, roles: RoleBook) -> Iterator[Finding]:
        """Every finding of this entry in a request that its rules cover."""
        if self.detect is None or not any(rule.covers(request) for rule in self.rules):
            return
        for seen in self.detect(request, roles):
            yield Finding(
                action=self.id,
                family=self.family,
                severity=self.severity if seen.severity is None else seen.severity,
                evidence=seen.evidence,
                reach=seen.reach,
            )
