"""Owners of an object, as the garbage collector reads them: its `metadata.ownerReferences`, told apart by uid."""

from collections.abc import Iterator

from interlock.core import unstructured
from interlock.core.types import JsonObject, Operation, Request


def owners(state: JsonObject | None) -> Iterator[JsonObject]:
    """The ownerReferences of an object."""
    for owner in unstructured.items(state, "metadata", "ownerReferences"):
        if isinstance(owner, dict):
            yield owner


def new_owners(request: Request) -> tuple[JsonObject, ...]:
    """The ownerReferences that an UPDATE adds; none of any other request."""
    if request.operation is not Operation.UPDATE:
        return ()
    before = {unstructured.text(owner, "uid") for owner in owners(request.old_object)}
    return tuple(owner for owner in owners(request.object) if unstructured.text(owner, "uid") not in before)
