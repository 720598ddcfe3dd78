"""Deletions that only go on with something already decided, and what has to be read to know that they do.

Deleting a namespace or an owner is judged at its first step; what the namespace controller and the garbage collector
then delete is no new action, or namespaces would never terminate. But both names can be impersonated, so the name is
not enough:

- whatever they delete must belong to a namespace or to owners that are really going: terminating, gone, or replaced;
- the kubelet, the namespace controller and the garbage collector may delete what is already terminating.

Anything else under these names is the real action and is judged as one. An UPDATE never continues anything; but where a
controller takes an object in, as it ordinarily does, that is no deletion if the owner that it names is there and stays
(`adopted`): a forged one is not.
"""

from dataclasses import dataclass

from interlock.core import unstructured
from interlock.core.owners import new_owners, owners
from interlock.core.systems.components import CONTROLLER_MANAGER, KUBELET, bound_here
from interlock.core.systems.table import identity_of, ordinary_work
from interlock.core.systems.work import going
from interlock.core.systems.workloads import GARBAGE_COLLECTOR, NAMESPACE_CONTROLLER
from interlock.core.text import printable
from interlock.core.types import JsonObject, NamespaceView, Operation, Request

MAX_OWNERS = 8
"""Owners that are read for one deletion; an object in ordinary use has one. With more it is judged like anybody's."""

_COLLECTORS = frozenset({GARBAGE_COLLECTOR, CONTROLLER_MANAGER})
_EMPTIERS = frozenset({NAMESPACE_CONTROLLER, CONTROLLER_MANAGER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An object to read: a namespace, or an owner. `namespace` is the dependent's; cluster-scoped kinds ignore it."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """What a deletion says that it follows; every one of the references has to be going."""

    references: tuple[Reference, ...]


def is_going(reference: Reference, found: JsonObject | None) -> bool:
    """Whether a parent is going, after it was read.

    Args:
        reference: what was asked for.
        found: what stands there now, None if nothing does.
    """
    if found is None:
        return True
    uid = unstructured.text(found, "metadata", "uid")
    return bool(unstructured.text(found, "metadata", "deletionTimestamp")) or (reference.uid not in {"", uid})


def is_staying(reference: Reference, found: JsonObject | None) -> bool:
    """Whether a new owner is there, is the one that is named, and is not going, after it was read."""
    return found is not None and not is_going(reference, found)


def adopted(request: Request) -> Parent | None:
    """The owners that a controller gives an object in its ordinary work; None if the request is anything else."""
    added = new_owners(request)
    if not 0 < len(added) <= MAX_OWNERS or not ordinary_work(request):
        return None
    return Parent(references=tuple(_reference(owner, request) for owner in added))


def needs_parent(request: Request) -> Parent | None:
    """What must be read to know whether a deletion only goes on with another; None if nothing can show that.

    Ask `continuation` first: what the review and the snapshot show already needs no reading.
    """
    identity = identity_of(request.user)
    if identity is None or request.operation is not Operation.DELETE or request.is_namespace:
        return None
    references = _owners(request) if identity.name in _COLLECTORS else ()
    if not references and identity.name in _EMPTIERS and request.namespace:
        references = (Reference(api_version="v1", kind="Namespace", namespace="", name=request.namespace),)
    return Parent(references=references) if references and len(references) <= MAX_OWNERS else None


def continuation(request: Request, namespace: NamespaceView | None, *, parent_going: bool = False) -> str:
    """Why a deletion only goes on with something already decided; empty if it has to be judged.

    Args:
        request: the review.
        namespace: the snapshot's view of the request's namespace.
        parent_going: whether everything that `needs_parent` names was read and is going.
    """
    identity = identity_of(request.user)
    if identity is None or request.operation is not Operation.DELETE:
        return ""
    if identity is KUBELET:
        return (
            "the kubelet completes the deletion of a pod of its node" if going(request) and bound_here(request) else ""
        )
    if identity.name not in _COLLECTORS | _EMPTIERS:
        return ""
    if going(request):
        return f"the {identity.title} completes a deletion that has begun"
    return _follows(request, namespace, identity.title, parent_going=parent_going)


def _follows(request: Request, namespace: NamespaceView | None, title: str, *, parent_going: bool) -> str:
    if (
        namespace is not None
        and namespace.terminating
        and namespace.name == request.namespace
        and not request.is_namespace
    ):
        return f"the {title} empties namespace {printable(namespace.name)}, which is terminating"
    if parent_going and needs_parent(request) is not None:
        return f"the {title} deletes what belongs to something that is going"
    return ""


def _owners(request: Request) -> tuple[Reference, ...]:
    return tuple(_reference(owner, request) for owner in owners(request.old_object))


def _reference(owner: JsonObject, request: Request) -> Reference:
    return Reference(
        api_version=unstructured.text(owner, "apiVersion"),
        kind=unstructured.text(owner, "kind"),
        namespace=request.namespace,
        name=unstructured.text(owner, "name"),
        uid=unstructured.text(owner, "uid"),
    )
