"""How far the ledger is in an object store, as the controller says it to all."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What is in a store.

    Attributes:
        store: its name.
        first: number of the first checkpoint that is known to have gone there under this lock.
        through: number of the newest one; all in between are there, too.
        retention: how long each is locked from its cut on; None where nothing is.
    """

    store: str
    first: int
    through: int
    retention: timedelta | None

    def holds(self, number: int) -> bool:
        """Whether a checkpoint, and what it covers, is known to be there."""
        return self.first <= number <= self.through

    def locked_until(self, cut: datetime) -> datetime | None:
        """Until when at least what a cut of this time covers is locked; None if it is not."""
        return cut + self.retention if self.retention else None

    def followed_by(self, other: "Shipment") -> "Shipment":
        """What is known once a later one was heard of: under the same lock it goes on from where this one began."""
        same = (self.store, self.retention) == (other.store, other.retention) and self.first <= other.first
        if not same:
            return other
        return Shipment(store=other.store, first=self.first, through=other.through, retention=other.retention)
