"""What a store lists below a prefix: every object once, whatever there is of versions and markers.

Where there are several versions the oldest one counts, since later ones may be put there by whoever may write.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from interlock.core.audit import logreport
from interlock.core.audit.logreport import LogFault
from interlock.core.ports import LockedObject, ObjectStore
from interlock.errors import BadInput

Place = TypeVar("Place")


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """An object that is not as it was put.

    Attributes:
        key: of the object.
        expected: what the store should list.
        got: what it lists.
        evidence: what shows it.
    """

    key: str
    expected: str
    got: str
    evidence: str

    def fault(self, number: int = -1) -> LogFault:
        """What it is to a verifier.

        Args:
            number: of the cut whose segment it is; -1 for none.
        """
        return logreport.tampered(self.key, number, expected=self.expected, got=self.got, evidence=self.evidence)


@dataclass(frozen=True, slots=True)
class Listing(Generic[Place]):
    """What is there.

    Attributes:
        objects: the oldest version of each, by what its key says.
        odd: what should not be there.
    """

    objects: dict[Place, LockedObject] = field(default_factory=dict)
    odd: list[Odd] = field(default_factory=list)


async def listed(store: ObjectStore, prefix: str, place_of: Callable[[str], Place]) -> Listing[Place]:
    """List a prefix.

    Args:
        store: where.
        prefix: of the keys.
        place_of: reads a key; raises BadInput where it is none.

    Raises:
        ClusterError: the store cannot be read.
    """
    versions: dict[str, list[LockedObject]] = {}
    async for each in store.versions(prefix):
        versions.setdefault(each.key, []).append(each)
    found: Listing[Place] = Listing()
    for key, held in versions.items():
        try:
            place = place_of(key)
        except BadInput as error:
            found.odd.append(Odd(key=key, expected=error.expected, got=error.got, evidence="the store's list"))
            continue
        objects = [each for each in held if not each.deleted]
        if len(held) > 1 or not objects:
            got = f"{len(objects)} versions and {len(held) - len(objects)} delete markers"
            found.odd.append(Odd(key=key, expected="one version", got=got, evidence="the store's versions"))
        if objects:
            found.objects[place] = min(objects, key=lambda each: each.modified)
    return found
