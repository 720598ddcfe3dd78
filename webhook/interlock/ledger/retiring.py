"""Which commits the cluster may forget: those that are safe outside, when they are old or too many.

Never, whatever their age:

- what no shipped cut tells of;
- the newest commit of a lane that goes on, so that a guard that asks again after a lost answer finds its commit there;
  and of a lane that has ended for a day, so that a guard that was cut off for hours still meets a taken name;
- of an open lane, the commits by which its key is known.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from interlock.core.audit import commits
from interlock.core.audit.cut import Cut, State
from interlock.core.audit.merging import by_lane
from interlock.core.ports import StoredCommit

ENDED_STAYS = timedelta(hours=24)
"""How long the last commit of an ended lane keeps its name taken."""

OBJECT_BYTES = 1024
"""What an object of the cluster takes beside its body: name, labels, managed fields. A record that was written alone is
about as large itself, so without this a bound in bytes would let them take twice as much."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much of what is safe outside stays readable in the cluster.

    Attributes:
        age: for how long; None for as long as there is room.
        bytes: of all commits together, compressed, and with what each object takes beside its body.
    """

    age: timedelta | None
    bytes: int


class Shipped:
    """What is safe outside, by the cuts that were shipped in order."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._over: set[str] = set()

    def note(self, cut: Cut) -> None:
        """Take a cut that was shipped."""
        self._next |= {lane.lane: lane.next for lane in cut.lanes}
        self._over |= {lane.lane for lane in cut.lanes if lane.state in {State.CLOSED, State.ABANDONED}}
        self._over |= set(cut.ended)

    def forget(self, lanes: Iterable[str]) -> None:
        """Keep in mind what is known of these lanes only: nothing is stored of others any more."""
        kept = set(lanes)
        self._next = {lane: following for lane, following in self._next.items() if lane in kept}
        self._over &= kept

    def holds(self, lane: str, sequence: int) -> bool:
        """Whether the commit that begins so is outside."""
        return lane in self._over or sequence < self._next.get(lane, 0)

    def is_over(self, lane: str) -> bool:
        """Whether the lane has ended, and all of it is outside."""
        return lane in self._over


def removable(
    stored: Iterable[StoredCommit],
    shipped: Shipped,
    *,
    needed: Callable[[str], frozenset[int]],
    keep: Keep,
    now: datetime,
) -> list[StoredCommit]:
    """What may go, oldest first.

    Args:
        stored: every commit of every lane.
        shipped: what is safe outside.
        needed: sequences of records by which an open lane's key is known.
        keep: how much stays.
        now: the present.
    """
    lanes = by_lane(stored)
    candidates = [
        commit
        for lane, found in lanes.items()
        for commit in _candidates(lane, found, shipped, needed=needed(lane), now=now)
    ]
    total = sum(taken(commit) for found in lanes.values() for commit in found)
    gone = []
    for commit in sorted(candidates, key=lambda commit: (_created(commit), commit.name)):
        if not _is_due(commit, keep, total=total, now=now):
            continue
        gone.append(commit)
        total -= taken(commit)
    return gone


def taken(commit: StoredCommit) -> int:
    """Bytes that a commit takes in the cluster."""
    return len(commit.body) + OBJECT_BYTES


def _candidates(
    lane: str, found: Sequence[StoredCommit], shipped: Shipped, *, needed: frozenset[int], now: datetime
) -> list[StoredCommit]:
    begins = [commits.parse_name(commit.name)[1] for commit in found]
    over = shipped.is_over(lane)
    made = []
    for number, commit in enumerate(found):
        newest = number == len(found) - 1
        holds_key = not over and any(
            begins[number] <= sequence and (newest or sequence < begins[number + 1]) for sequence in needed
        )
        stays = newest and (not over or now - _created(commit) < ENDED_STAYS)
        if shipped.holds(lane, begins[number]) and not stays and not holds_key:
            made.append(commit)
    return made


def _is_due(commit: StoredCommit, keep: Keep, *, total: int, now: datetime) -> bool:
    return total > keep.bytes or (keep.age is not None and now - _created(commit) > keep.age)


def _created(commit: StoredCommit) -> datetime:
    return commit.created or _LONG_AGO
