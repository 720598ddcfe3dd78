"""What reviews have in common beyond operation and resource, where an entry looks for it on objects of every kind.

Each member is told from the review alone, and `interlock.core.interception.conditions` says the same in CEL, so that
the API server asks nobody about the updates of Leases, status and the like that cannot be meant. A test holds the two
against each other.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from interlock.core import unstructured
from interlock.core.types import SERVICE_ACCOUNT_PREFIX, JsonObject, Operation, Request

KUBE_SYSTEM, DEFAULT = "kube-system", "default"
OWN_LABEL, OWN = "app.kubernetes.io/name", "interlock"
"""What the chart marks Interlock's own objects with."""


KEEPING_MARKS: Mapping[str, str] = {
    "helm.sh/resource-policy": "Helm keeps it at uninstall",
    "argocd.argoproj.io/sync-options": "Argo CD is told how to prune and delete it",
    "kustomize.toolkit.fluxcd.io/prune": "Flux does not prune it",
    "policy.kruise.io/delete-protection": "OpenKruise refuses its deletion",
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "the autoscaler does not evict it",
    "karpenter.sh/do-not-disrupt": "Karpenter does not disrupt it",
}
"""Labels and annotations by which tools are told to keep an object."""

MANAGED_MARKS: Mapping[str, str] = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
    "meta.helm.sh/release-name": "Helm",
}
"""Labels and annotations by which tools know what they manage."""

METADATA = ("labels", "annotations")


class When(StrEnum):
    """A condition of a rule; the value completes "UPDATE of every resource, where"."""

    ALWAYS = ""
    FINALIZER_GOES = "a finalizer goes"
    KEEPING_MARK_CHANGES = "a mark by which tools keep an object goes or changes"
    MANAGED = "a tool manages the object and somebody else than a ServiceAccount writes"
    ORPHANS = "dependants are to be orphaned"
    IN_KUBE_SYSTEM = "the namespace is kube-system"
    IN_DEFAULT = "the namespace is default"
    OF_INTERLOCK = "the object is a part of Interlock"


def holds(when: When, request: Request) -> bool:
    """Whether the condition holds of a request."""
    return _TESTS[when](request)


def finalizers(state: JsonObject | None) -> tuple[str, ...]:
    """The finalizers of an object."""
    return unstructured.texts(state, "metadata", "finalizers")


def marks(state: JsonObject | None, known: Mapping[str, str]) -> dict[str, str]:
    """Labels and annotations of an object that are known, with their values."""
    return {
        key: str(value)
        for place in METADATA
        for key, value in unstructured.mapping(state, "metadata", place).items()
        if key in known
    }


def _finalizer_goes(request: Request) -> bool:
    kept = finalizers(request.object)
    return request.operation is Operation.UPDATE and any(each not in kept for each in finalizers(request.old_object))


def _keeping_mark_changes(request: Request) -> bool:
    kept = marks(request.object, KEEPING_MARKS)
    changed = any(kept.get(key) != value for key, value in marks(request.old_object, KEEPING_MARKS).items())
    return request.operation is Operation.UPDATE and changed


def _managed(request: Request) -> bool:
    return not request.user.name.startswith(SERVICE_ACCOUNT_PREFIX) and bool(marks(request.old_object, MANAGED_MARKS))


def _orphans(request: Request) -> bool:
    return unstructured.text(request.options, "propagationPolicy") == "Orphan" or unstructured.flag(
        request.options, "orphanDependents"
    )


def _inside(namespace: str) -> Callable[[Request], bool]:
    return lambda request: request.namespace == namespace


def _of_interlock(request: Request) -> bool:
    return unstructured.text(request.old_object, "metadata", "labels", OWN_LABEL) == OWN


_TESTS: Mapping[When, Callable[[Request], bool]] = {
    When.ALWAYS: lambda _: True,
    When.FINALIZER_GOES: _finalizer_goes,
    When.KEEPING_MARK_CHANGES: _keeping_mark_changes,
    When.MANAGED: _managed,
    When.ORPHANS: _orphans,
    When.IN_KUBE_SYSTEM: _inside(KUBE_SYSTEM),
    When.IN_DEFAULT: _inside(DEFAULT),
    When.OF_INTERLOCK: _of_interlock,
}
