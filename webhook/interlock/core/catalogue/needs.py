"""Shorthands for the rules of entries: which operations on which resources of which API group."""

from interlock.core.catalogue.entry import Rule
from interlock.core.catalogue.when import When
from interlock.core.types import Operation

CREATE, UPDATE, DELETE, CONNECT = Operation.CREATE, Operation.UPDATE, Operation.DELETE, Operation.CONNECT


def creates(group: str, *resources: str) -> Rule:
    """Creations."""
    return Rule(operations=(CREATE,), groups=(group,), resources=resources)


def updates(group: str, *resources: str, when: When = When.ALWAYS) -> Rule:
    """Updates, which patches and server-side applies of what exists are as well."""
    return Rule(operations=(UPDATE,), groups=(group,), resources=resources, when=when)


def writes(group: str, *resources: str) -> Rule:
    """Creations and updates."""
    return Rule(operations=(CREATE, UPDATE), groups=(group,), resources=resources)


def deletes(group: str, *resources: str, when: When = When.ALWAYS) -> Rule:
    """Deletions, those of a collection's members included."""
    return Rule(operations=(DELETE,), groups=(group,), resources=resources, when=when)


def changes(group: str, *resources: str, when: When = When.ALWAYS) -> Rule:
    """Updates and deletions of what is there."""
    return Rule(operations=(UPDATE, DELETE), groups=(group,), resources=resources, when=when)


def any_write(group: str, *resources: str, when: When = When.ALWAYS) -> Rule:
    """Creations, updates and deletions."""
    return Rule(operations=(CREATE, UPDATE, DELETE), groups=(group,), resources=resources, when=when)


def connects(*resources: str) -> tuple[Rule, ...]:
    """Connections to subresources of the core group."""
    return (Rule(operations=(CONNECT,), groups=("",), resources=resources),)
