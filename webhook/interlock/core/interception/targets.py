"""Which reviews are needed: sets of (operation, API group, resource, subresource), and admission rules made of them.

Wildcards mean what they mean in admission rules (apiserver, predicates/rules: Matcher): resource `*` is every resource
without its subresources, `*/*` everything, `pods/*` pods and all of their subresources, `*/scale` every scale.
A set is kept reduced: nothing stands in it that another member covers. The API server refuses rules that are not.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, Self

from interlock.core.types import JsonObject, Operation

ANY = "*"


class Target(NamedTuple):
    """One operation on one resource; group, resource and subresource may be `*`.

    `subresource` is empty for the resource itself; `*` is the resource and all of its subresources.
    """

    operation: Operation
    group: str
    resource: str
    subresource: str

    @classmethod
    def of(cls, operation: Operation, group: str, pattern: str) -> Self:
        """Read a resource as rules spell it: ``pods``, ``pods/exec``, ``pods/*``, ``*``, ``*/*``."""
        resource, _, subresource = pattern.partition("/")
        return cls(operation, group, resource, subresource)

    @property
    def path(self) -> str:
        """Spelling in rules."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def wide(self) -> bool:
        """Whether it may cover another target."""
        return ANY in self[1:]

    def covers(self, other: Self) -> bool:
        """Whether every review of the other is one of this."""
        return self.operation is other.operation and all(
            mine in {ANY, its} for mine, its in zip(self[1:], other[1:], strict=True)
        )


Targets = frozenset[Target]


def expand(operations: Iterable[Operation], groups: Iterable[str], resources: Iterable[str]) -> Iterable[Target]:
    """Every combination."""
    groups, resources = tuple(groups), tuple(resources)
    return (Target.of(o, group, pattern) for o in operations for group in groups for pattern in resources)


def reduced(targets: Iterable[Target]) -> Targets:
    """The same coverage without members that others cover."""
    members = set(targets)
    wide = [target for target in members if target.wide]
    return frozenset(t for t in members if not any(other != t and other.covers(t) for other in wide))


def rules(targets: Targets) -> list[JsonObject]:
    """The shortest admission rules that say the same, in a stable order; the targets must be reduced."""
    operations: defaultdict[tuple[str, str], set[Operation]] = defaultdict(set)
    for target in targets:
        operations[target.group, target.path].add(target.operation)
    resources: defaultdict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    for (group, path), which in operations.items():
        resources[group, tuple(sorted(which))].add(path)
    groups: defaultdict[tuple[tuple[str, ...], tuple[str, ...]], set[str]] = defaultdict(set)
    for (group, which_sorted), paths in resources.items():
        groups[which_sorted, tuple(sorted(paths))].add(group)
    return [
        {
            "operations": list(which),
            "apiGroups": sorted(names),
            "apiVersions": [ANY],
            "resources": list(paths),
            "scope": ANY,
        }
        for (which, paths), names in sorted(groups.items())
    ]
