"""The index of days as a store holds it: where to begin, and what the log is held against while it is walked."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Self

from interlock.core.audit import dayindex, dsse, logreport, segment
from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.cut import Cut
from interlock.core.audit.dayindex import Day
from interlock.core.audit.keyring import Trust
from interlock.core.audit.logreport import LogFault
from interlock.core.ports import LockedObject, ObjectStore
from interlock.errors import BadInput, NotFound
from interlock.ledger.listing import listed
from interlock.ledger.readahead import AHEAD

EVIDENCE = "the notary's index of days"


class Days:
    """What the notary has said at the end of each day.

    Attributes:
        faults: what is wrong with the index itself.
        before: the day behind which the log is to begin; None for that no such day is indexed.
    """

    def __init__(self) -> None:
        self.faults: list[LogFault] = []
        self.before: Day | None = None
        self._days: dict[int, Day] = {}  # by the number of its last cut

    @classmethod
    async def read(cls, store: ObjectStore, trust: Trust, *, since: str) -> Self:
        """Read what there is of a month or a day and later ones.

        Args:
            store: where.
            trust: who the notary is.
            since: a month or a day; empty for all.

        Raises:
            BadInput: it is neither.
            ClusterError: the store cannot be read.
        """
        days, found = cls(), await listed(store, dayindex.PREFIX_OF_KEYS, dayindex.parse_key)
        days.faults += [odd.fault() for odd in found.odd]
        before = dayindex.newest_before(found.objects, since)
        wanted = [day for day in sorted(found.objects) if day >= (before or dayindex.month_of(since))]
        at_once = asyncio.Semaphore(AHEAD)

        async def add(name: str) -> None:
            async with at_once:
                await days._add(store, trust, name, found.objects[name])

        async with asyncio.TaskGroup() as reading:
            for name in wanted:
                reading.create_task(add(name))
        days.before = next((day for day in days._days.values() if day.day == before), None)
        return days

    async def _add(self, store: ObjectStore, trust: Trust, name: str, held: LockedObject) -> None:
        try:
            body = await store.get(held.key, version=held.version, limit=dsse.MAX_ENVELOPE_BYTES)
            day = dayindex.opened(body, trust, name=name)
        except NotFound:
            return  # its lock has ended, and it went between two looks
        except BadInput as bad:
            self.faults.append(logreport.tampered(held.key, -1, expected=bad.expected, got=bad.got, evidence=EVIDENCE))
        else:
            self._days[day.number] = day

    def following(self, segments: Sequence[LockedObject]) -> list[LockedObject]:
        """Those segments with which to begin, and all later ones."""
        last = -1 if self.before is None else self.before.number
        return [each for each in segments if segment.parse_key(each.key)[1] > last]

    def fault(self, key: str, cut: Cut, leaf: str, over: Checkpoint) -> LogFault | None:
        """What the index says against a cut of the log; None if nothing.

        Args:
            key: of its object.
            cut: the cut.
            leaf: its leaf hash.
            over: the checkpoint over it.
        """
        before, ending = self.before, self._days.get(cut.number)
        if before is not None and cut.number == before.number + 1 and cut.previous != before.leaf:
            expected, got, day = f"cut {cut.number} after {before.leaf}", f"one after {cut.previous}", before
        elif ending is not None and ending != (is_so := _as_in_log(ending, cut, leaf, over)):
            expected, got, day = _told(ending), _told(is_so), ending
        else:
            return None
        return logreport.tampered(key, cut.number, expected=expected, got=got, evidence=f"{EVIDENCE}, of {day.day}")

    def beyond(self, last: int) -> Iterator[LogFault]:
        """Days that ended behind what the log ends with, although they have ended."""
        for number, day in sorted(self._days.items()):
            if number > last:
                expected, got = f"cut {number}, with which {day.day} ended", f"a log that ends with cut {last}"
                yield logreport.tampered("", number, expected=expected, got=got, evidence=EVIDENCE)


def _as_in_log(day: Day, cut: Cut, leaf: str, over: Checkpoint) -> Day:
    return replace(day, time=cut.time, leaf=leaf, epoch=cut.epoch, size=over.size, root=over.root.hex())


def _told(day: Day) -> str:
    return f"leaf {day.leaf}, size {day.size}, root {day.root}"
