"""The frozen view of what decisions read: policies, namespaces and roles, at one policy generation.

It is built off the decision path and swapped by reference; nothing in it changes afterwards, so a decision sees one
instant from beginning to end.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from interlock.core.access.book import Book
from interlock.core.policies.index import PolicyIndex
from interlock.core.policies.policy import Policy
from interlock.core.types import NamespaceView

__all__ = ["PolicyIndex", "Snapshot", "build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What decisions read, at one instant.

    Attributes:
        generation: the policy generation that it is certain to contain.
        policies: all stored policies, broken ones included.
        namespaces: by name.
        access: roles and bindings.
    """

    generation: int = 0
    policies: PolicyIndex = field(default_factory=PolicyIndex)
    namespaces: Mapping[str, NamespaceView] = field(default_factory=dict)
    access: Book = field(default_factory=Book)


def build(
    *,
    generation: int = 0,
    policies: Iterable[Policy] = (),
    namespaces: Iterable[NamespaceView] = (),
    access: Book | None = None,
) -> Snapshot:
    """Build a snapshot; the arguments are copied, so that their owner may go on changing them."""
    return Snapshot(
        generation=generation,
        policies=PolicyIndex.of(policies),
        namespaces={view.name: view for view in namespaces},
        access=access or Book(),
    )
