"""Whether a policy's match selects a finding, and whether an exclude entry lifts it.

Both read the same fields and lean opposite ways, each to the side of protection:

                      match                          exclude
    namespaces        the reach intersects them      the whole reach lies inside them
    objects           old or new object              old and new object
    unknown labels    a selector on them holds       a selector on them does not hold

A reach of all namespaces intersects any and lies inside only those named `*` without a selector; a reach of none does
neither. Labels are known for objects that stand in the review: those of the object itself and of the parent where the
subresource carries it (`pods/status`), not those behind a scale, an eviction or an exec; and for namespaces that the
snapshot holds. A Namespace in the review counts with its labels there, which are newer than those in the snapshot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from interlock.core import systems, unstructured
from interlock.core.policies.scope import Exclusion, Match, Names
from interlock.core.types import Finding, JsonObject, NamespaceView, Reach, ReachKind, Request

Labels = Mapping[str, str]

CARRY_PARENT = frozenset({"", "status", "finalize", "ephemeralcontainers", "resize", "approval"})
"""Subresources whose reviews carry the object itself; those of others (scale, eviction, exec) have only its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is known of a request's object and namespaces.

    Attributes:
        labels: of the object, old before new, as far as they are in the review; empty if unknown.
        namespaces: of the snapshot.
    """

    request: Request
    labels: tuple[Labels, ...]
    namespaces: Mapping[str, NamespaceView]

    @classmethod
    def of(cls, request: Request, namespaces: Mapping[str, NamespaceView]) -> Self:
        """Look at a request."""
        versions = (request.old_object, request.object) if request.subresource in CARRY_PARENT else ()
        labels = tuple(labels_of(version) for version in versions if version is not None)
        return cls(request=request, labels=labels, namespaces=namespaces)

    def namespace_labels(self, name: str) -> tuple[Labels, ...]:
        """Labels of a namespace, old before new where it is the request's object; empty if unknown."""
        if self.request.is_namespace and name == self.request.name and self.labels:
            return self.labels
        known = self.namespaces.get(name)
        return (known.labels,) if known else ()


def labels_of(obj: JsonObject) -> Labels:
    """An object's labels."""
    return unstructured.mapping(obj, "metadata", "labels")


def selected(scope: Match, findings: Sequence[Finding], view: View) -> list[Finding]:
    """The findings that a policy's match selects; what is asked once for all of them is asked once, and first."""
    if not may_be_object(scope, view) or not asked_by(scope, view):
        return []
    covered = (finding for finding in findings if scope.covers(finding, view.request))
    return [finding for finding in covered if touches(scope, finding.reach, view)]


def asked_by(scope: Match, view: View) -> bool:
    """Whether the subjects are met."""
    return scope.subjects is None or scope.subjects.match(view.request.user)


def lifts(entry: Exclusion, finding: Finding, view: View) -> bool:
    """Whether an exclude entry lifts a finding."""
    scope = entry.scope
    return (
        (not scope.names_findings or scope.covers(finding, view.request))
        and asked_by(scope, view)
        and _holds(scope, finding.reach, view)
        and (not entry.ordinary_work or bool(systems.ordinary_work(view.request)))
    )


def may_be_object(scope: Match, view: View) -> bool:
    """Whether `objects` may mean the object; the reading of match: in doubt it does."""
    return scope.objects is None or maybe_meant(scope.objects, view.request.name, view.labels)


def touches(scope: Match, reach: Reach, view: View) -> bool:
    """Whether `namespaces` may mean what is reached; the reading of match: in doubt they do."""
    return scope.namespaces is None or intersects(scope.namespaces, reach, view)


def _holds(scope: Match, reach: Reach, view: View) -> bool:
    """The reading of exclude: in doubt it is not meant."""
    return (scope.namespaces is None or _inside(scope.namespaces, reach, view)) and (
        scope.objects is None or _surely_meant(scope.objects, view.request.name, view.labels)
    )


def intersects(names: Names, reach: Reach, view: View) -> bool:
    """Whether some namespace of the reach is meant, or may be."""
    if reach.kind is ReachKind.ALL:
        return True
    return any(maybe_meant(names, name, view.namespace_labels(name)) for name in reach.namespaces)


def _inside(names: Names, reach: Reach, view: View) -> bool:
    if reach.kind is ReachKind.ALL:
        return names.everything
    every = all(_surely_meant(names, name, view.namespace_labels(name)) for name in reach.namespaces)
    return bool(reach.namespaces) and every


def maybe_meant(names: Names, name: str, versions: Sequence[Labels]) -> bool:
    """Whether one of the versions is meant; with none known, whether the name permits it."""
    return names.names_match(name) and (not versions or any(names.match(name, labels) for labels in versions))


def _surely_meant(names: Names, name: str, versions: Sequence[Labels]) -> bool:
    if names.selector is None:
        return names.names_match(name)
    return bool(versions) and all(names.match(name, labels) for labels in versions)
