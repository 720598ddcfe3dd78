"""Verification of the log in an object store, without the cluster and without trust in the store.

    list every version ─▶ for each number in order: read, look at its lock, check the segment ─▶ is the newest fresh?

What the store says is not believed where it can be checked: an object has one version, is locked, bears the number
that its cut says. Where there are several versions the oldest one counts, since later ones may be put there by whoever
may write. The first bad segment ends it: nothing behind it can be proven any more.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.core import times
from interlock.core.audit import cut as cuts
from interlock.core.audit import dayindex, logreport, segment
from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.cut import Cut
from interlock.core.audit.keyring import Trust
from interlock.core.audit.lanes import Status
from interlock.core.audit.lanewalk import Bad, Walk
from interlock.core.audit.logreport import LogFault, LogReport, Silence
from interlock.core.audit.logwalk import LogWalk
from interlock.core.ports import LockedObject, ObjectStore
from interlock.errors import BadInput, NotFound
from interlock.ledger import readahead
from interlock.ledger.days import Days
from interlock.ledger.listing import listed
from interlock.ledger.readahead import Read
from interlock.ledger.shipping import COMPLIANCE
from interlock.ledger.sightings import Sighting, Sightings

MAX_AGE = timedelta(minutes=2)
"""Of the newest cut, by the store's clock: two heartbeats."""

EXPIRING = timedelta(days=1)
"""How much sooner than the first segment's lock those of the segments before it may have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a log.

    Attributes:
        max_age: of its newest cut; None for any.
        locked: whether every object has to be locked.
        since: the first month or day to look at, as ``2026-11`` or ``2026-11-25``; empty for all.
        seen: checkpoints that have to be in it.
    """

    max_age: timedelta | None = MAX_AGE
    locked: bool = True
    since: str = ""
    seen: tuple[Sighting, ...] = ()


class Verification:
    """One run over one store.

    Attributes:
        walk: how far it is.
        faults: found so far.
    """

    def __init__(
        self,
        store: ObjectStore,
        trust: Trust,
        *,
        wanted: Wanted,
        progress: Callable[[int, int], None],
        taken: Callable[[Walk], None] = lambda _walk: None,
    ) -> None:
        """Prepare.

        Args:
            store: where the log is.
            trust: who the notary is, from a place that whoever could write to the store could not change.
            wanted: what is asked.
            progress: told how many objects of how many are done.
            taken: told of each good record, which its lane's walk has just taken.
        """
        self.walk = LogWalk(trust, taken=taken)
        self.faults: list[LogFault] = []
        self._store = store
        self._trust = trust
        self._wanted = wanted
        self._progress = progress
        self._locked_until: datetime | None = None
        self._silences: list[Silence] = []
        self._days = Days()
        self._seen = Sightings(wanted.seen)

    async def run(self) -> LogReport:
        """Verify.

        Raises:
            BadInput: it is not known since when.
            ClusterError: the store cannot be read.
        """
        segments = await self._listed()
        await self._learn_older_keys(segments)
        self._days = await Days.read(self._store, self.walk.trust, since=self._wanted.since)
        self.faults += self._days.faults
        segments = self._days.following(segments)
        async with contextlib.aclosing(readahead.read(self._store, segments, keys=lambda: self.walk.keys)) as coming:
            if await self._walk_all(coming, len(segments)):
                await self._look_at_end()
        return logreport.report(
            self.walk,
            self.faults,
            store=self._store.name,
            key=self._trust.fingerprint,
            locked_until=self._locked_until,
            silences=self._silences,
        )

    async def _walk_all(self, coming: AsyncIterator[Read], count: int) -> bool:
        """Check segment after segment; False if one is bad."""
        done = 0
        async for each in coming:
            self._look_at_lock(each)
            if not self._take(each):
                return False
            done += 1
            self._progress(done, count)
        return True

    async def _learn_older_keys(self, segments: list[LockedObject]) -> None:
        """Let who is trusted, and has signed the newest cut, say which keys came before: the log begins with those."""
        if not segments:
            return
        with contextlib.suppress(NotFound, BadInput):  # whatever it is, the walk will come there and say so
            body = await self._store.get(segments[-1].key, version=segments[-1].version, limit=segment.MAX_OBJECT_BYTES)
            newest = cuts.opened(segment.unpack(body).cut, self._trust)
            self.walk.trust = Trust.of(*self._trust.pinned, *newest.keys.keys)

    async def _listed(self) -> list[LockedObject]:
        """Every segment from the month on in which to begin, by number."""
        month = dayindex.month_of(self._wanted.since)
        found = await listed(self._store, segment.PREFIX_OF_KEYS, segment.parse_key)
        self.faults += [odd.fault(_number(odd.key)) for odd in found.odd]
        places = sorted((place for place in found.objects if place[0] >= month), key=lambda place: (place[1], place[0]))
        return [found.objects[place] for place in places]

    def _look_at_lock(self, read: Read) -> None:
        held = read.held
        if held.retain_until is not None:
            self._locked_until = min(held.retain_until, self._locked_until or held.retain_until)
        if self._wanted.locked and held.mode != COMPLIANCE:
            expected, got = "an object locked in mode COMPLIANCE", held.mode or "one that is not locked"
            self._tampered(held.key, read.number, expected=expected, got=got, evidence="the store's word on its lock")

    def _take(self, read: Read) -> bool:
        """Check a segment; False if it is bad."""
        walk, before, number = self.walk, self.walk.newest, read.number
        if before is not None and number != walk.next:
            expected = f"the segment of cut {walk.next} after that of cut {before.number}"
            self._tampered(read.held.key, walk.next, expected=expected, got=f"none, but that of cut {number}",
                           evidence="the numbers of segments")  # fmt: skip
            return False
        try:
            cut, over = walk.read(read.body, vouched=read.vouched)
        except (Bad, BadInput) as bad:
            self._bad(read, bad)
            return False
        silence = logreport.silence(before, cut)
        if silence is not None:
            self._silences.append(silence)
        if before is None and cut.number > 0:
            self._seen.skip(over, begins_month=walk.begins_epoch)
        return self._is_in_place(read, cut) and self._is_as_others_say(read, cut, over)

    def _bad(self, read: Read, bad: Bad | BadInput) -> None:
        place = self.walk.place
        self.faults.append(
            LogFault(
                status=Status.TAMPERED,
                object=read.held.key,
                number=read.number,
                lane=place.lane,
                sequence=place.sequence,
                record_id=place.record_id,
                expected=bad.expected,
                got=bad.got,
                evidence=self.walk.evidence,
            )
        )

    def _is_in_place(self, read: Read, cut: Cut) -> bool:
        if (cut.number, cut.epoch) == (read.number, read.epoch):
            return True
        expected, got = f"cut {read.number} of {read.epoch}", f"cut {cut.number} of {cut.epoch}"
        self._tampered(
            read.held.key, read.number, expected=expected, got=got, evidence="the key under which the segment lies"
        )
        return False

    def _is_as_others_say(self, read: Read, cut: Cut, over: Checkpoint) -> bool:
        """Whether nobody has seen another log, and the index of days tells of no other one."""
        key = read.held.key
        found = self._seen.fault(key, cut.number, over) or self._days.fault(key, cut, self.walk.leaf, over)
        self.faults += [found] if found else []
        return found is None

    async def _look_at_end(self) -> None:
        """Whether the log goes as far as it should."""
        newest = self.walk.newest
        last = -1 if newest is None else newest.number
        if beyond := self._seen.beyond(last):
            self.faults += beyond
        elif newest is not None:
            self.faults += self._days.beyond(last)
            await self._look_at_beginning()
            await self._look_at_age(newest.time)

    async def _look_at_beginning(self) -> None:
        """Whether what comes before the first segment may be gone: it may when its lock has ended."""
        first = self.walk.first or 0
        if first == 0 or self._days.before or (self._wanted.since and self.walk.begins_epoch):
            return
        if self._locked_until is not None and await self._store.now() >= self._locked_until - EXPIRING:
            return
        self._incomplete(
            first - 1,
            expected=f"cut {first - 1}, unless its lock has ended",
            got=f"a log that begins with cut {first}, and locks that last",
            evidence="the numbers of segments",
        )

    async def _look_at_age(self, time: datetime) -> None:
        wanted = self._wanted.max_age
        now = await self._store.now()
        if wanted is not None and now - time > wanted:
            self._incomplete(
                self.walk.next,
                expected=f"a cut that is at most {wanted.total_seconds():.0f} s old at {times.write(now)}",
                got=f"the newest of {times.write(time)}: nothing is known of what came after",
                evidence="the heartbeat",
            )

    def _incomplete(self, number: int, *, expected: str, got: str, evidence: str) -> None:
        self.faults.append(
            LogFault(status=Status.INCOMPLETE, object="", number=number, expected=expected, got=got, evidence=evidence)
        )

    def _tampered(self, key: str, number: int, *, expected: str, got: str, evidence: str) -> None:
        self.faults.append(logreport.tampered(key, number, expected=expected, got=got, evidence=evidence))


def _number(key: str) -> int:
    """Number of a segment by its key; -1 for anything else."""
    try:
        return segment.parse_key(key)[1]
    except BadInput:
        return -1
