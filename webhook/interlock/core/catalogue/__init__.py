"""The catalogue of dangerous actions: one table, and what of it is in a request.

`ENTRIES` is the whole table; documentation, `interlock catalogue`, policy validation and the webhook rules are made
from it. A new action is a new `Entry` in the module of its family; a new family is a new module, listed here.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

from interlock.core.catalogue import handing, plain
from interlock.core.catalogue.backdoors import BACKDOORS
from interlock.core.catalogue.defence import DEFENCE
from interlock.core.catalogue.destruction import DESTRUCTION
from interlock.core.catalogue.entry import Detector, Entry, RoleBook, Rule, Seen, spellings
from interlock.core.catalogue.exposure import EXPOSURE
from interlock.core.catalogue.grants import GRANTS
from interlock.core.catalogue.guards import GUARDS
from interlock.core.catalogue.handing import Handed
from interlock.core.catalogue.identities import IDENTITY
from interlock.core.catalogue.interactive import INTERACTIVE
from interlock.core.catalogue.openpath import OPEN_PATH
from interlock.core.catalogue.privilege import PRIVILEGE
from interlock.core.catalogue.rbacobjects import RBAC_OBJECTS
from interlock.core.catalogue.recovery import RECOVERY
from interlock.core.catalogue.safetynets import SAFETY_NETS
from interlock.core.catalogue.when import When
from interlock.core.catalogue.workload import WORKLOAD
from interlock.core.types import Finding, Operation, Request

__all__ = [
    "ENTRIES",
    "EVERY",
    "FAMILIES",
    "Detector",
    "Entry",
    "Handed",
    "RoleBook",
    "Rule",
    "Seen",
    "When",
    "find",
    "handed",
    "select",
]

ENTRIES: tuple[Entry, ...] = (
    *DESTRUCTION,
    *BACKDOORS,
    *RECOVERY,
    *INTERACTIVE,
    *PRIVILEGE,
    *GRANTS,
    *OPEN_PATH,
    *RBAC_OBJECTS,
    *IDENTITY,
    *WORKLOAD,
    *DEFENCE,
    *SAFETY_NETS,
    *GUARDS,
    *EXPOSURE,
)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(entry.family for entry in ENTRIES))
EVERY = "*"

_Key = tuple[Operation, str, str]


def _indexed() -> dict[_Key, tuple[int, ...]]:
    """Places in the table by what their rules name, so that a request costs only the entries that it can be."""
    places: defaultdict[_Key, list[int]] = defaultdict(list)
    for place, entry in enumerate(ENTRIES):
        for rule in entry.rules:
            for key in product(rule.operations, rule.groups, rule.resources):
                places[key].append(place)
    return {key: tuple(found) for key, found in places.items()}


_INDEX = _indexed()

_SELECTED = {entry.id: (entry,) for entry in ENTRIES} | {
    family: tuple(entry for entry in ENTRIES if entry.family == family) for family in FAMILIES
}


def select(term: str) -> tuple[Entry, ...]:
    """Entries that a policy's `actions` item means: an id, a family, or ``*`` for all.

    Raises:
        KeyError: no entry and no family has this name.
    """
    return ENTRIES if term == EVERY else _SELECTED[term]


def handed(request: Request, roles: RoleBook) -> Handed | None:
    """The deletion that an UPDATE can become by the garbage collector; None for any other request."""
    deletion = handing.deletion(request)
    if deletion is None:
        return None
    return Handed(request=deletion, findings=handing.named(find(deletion, roles), request))


def find(request: Request, roles: RoleBook) -> tuple[Finding, ...]:
    """Everything dangerous in a request, most severe first, and its plain finding, always present, last of its grade.

    Args:
        request: the review.
        roles: the snapshot, or whatever knows the rules of every role.
    """
    named = [finding for entry in _candidates(request) for finding in entry.find(request, roles)]
    return tuple(sorted([*named, plain.finding(request)], key=lambda finding: -finding.severity))


def _candidates(request: Request) -> Iterator[Entry]:
    """Entries of which a rule names the request's resource, in the table's order."""
    keys = product((request.operation,), (request.group, EVERY), spellings(request))
    places = {place for key in keys for place in _INDEX.get(key, ())}
    return (ENTRIES[place] for place in sorted(places))
