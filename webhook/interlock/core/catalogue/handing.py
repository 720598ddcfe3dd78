"""An UPDATE that hands an object to the garbage collector: the deletion that it can become.

Whoever adds an ownerReference decides by whom the object lives: the garbage collector deletes it as soon as the owner
is gone, at once where there never was one, and that deletion then only follows (`core.systems.parents`). So the UPDATE
is judged as the deletion as well, by whatever policies speak of that; Kubernetes' own admission plugin
OwnerReferencesPermissionEnforcement asks for the right to delete in the same place. An object that is created with
owners hands over nothing that was there before.
"""

from dataclasses import dataclass, replace

from interlock.core import text, unstructured
from interlock.core.owners import new_owners
from interlock.core.types import Finding, JsonObject, Operation, Request

MOST_NAMED = 4
"""New owners that a sentence names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What an UPDATE can become.

    Attributes:
        request: the deletion, as if the same user had asked for it.
        findings: what the catalogue finds in it, its evidence naming the new owners.
    """

    request: Request
    findings: tuple[Finding, ...]


def deletion(request: Request) -> Request | None:
    """The deletion that an UPDATE can become; None if it hands over nothing, or only the object of a subresource."""
    if not new_owners(request):
        return None
    return replace(request, operation=Operation.DELETE, subresource="", object=None, options=None)


def named(findings: tuple[Finding, ...], request: Request) -> tuple[Finding, ...]:
    """The findings of a deletion, with the owners that the UPDATE gives the object."""
    owners = new_owners(request)
    said = ", ".join(_titled(owner) for owner in owners[:MOST_NAMED]) + (", …" if len(owners) > MOST_NAMED else "")
    return tuple(
        replace(
            finding, evidence=f"{finding.evidence}, by the garbage collector, as soon as its new owner is gone: {said}"
        )
        for finding in findings
    )


def _titled(owner: JsonObject) -> str:
    kind, name = (text.printable(unstructured.text(owner, key)) for key in ("kind", "name"))
    return f"{kind} {name}"
