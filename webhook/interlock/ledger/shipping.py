"""Shipping: each segment becomes one locked object outside the cluster, and only then may the cluster forget.

    put (If-None-Match, SHA-256, COMPLIANCE until …) ── name taken ── same bytes? ── no ──▶ Conflict
         │                                                    └────── yes ─┐
         ▼                                                                 ▼
    read back: version, digest, mode, date ── as asked ──▶ shipped      (an answer of ours was lost)
                                           └─ otherwise ──▶ Unlocked

A segment's bytes are the same whoever makes them, from the cut, the checkpoint and the lanes' commits; so two shippers
at once do no harm, and one that lost an answer begins again.
"""

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.core import times
from interlock.core.audit import cut as cuts
from interlock.core.audit import dayindex, dsse, merging, segment
from interlock.core.audit.cut import Cut
from interlock.core.audit.dayindex import Day
from interlock.core.audit.keyring import Trust
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.segment import Segment
from interlock.core.ports import LockedObject, LogStore, ObjectStore
from interlock.errors import BadInput, Conflict, LedgerError, NameTaken, NotFound

COMPLIANCE = "COMPLIANCE"

CLOCK_SLACK = timedelta(minutes=1)
"""Clocks differ, and servers keep dates to the second or minute."""


class Unlocked(LedgerError):
    """The store has taken an object and not locked it as it was asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """How objects are to be locked.

    Attributes:
        retention: for how long.
        required: False where the store is known to lock nothing, and that was said to be good enough.
    """

    retention: timedelta
    required: bool = True


class Shipper:
    """Puts segments into an object store."""

    def __init__(
        self,
        archive: ObjectStore,
        store: LogStore,
        *,
        trust: Trust,
        lock: Lock,
        leak: Callable[[], str] = lambda: "",
    ) -> None:
        """Wire it.

        Args:
            archive: where to.
            store: where cuts and records are in the cluster.
            trust: who the notary is.
            lock: how.
            leak: what the store is known to let through although it should lock; empty for nothing.
        """
        self._archive = archive
        self._store = store
        self._trust = trust
        self._lock = lock
        self._leak = leak

    @property
    def name(self) -> str:
        """What to call the store."""
        return self._archive.name

    async def ship(self, number: int) -> Cut:
        """Ship the segment of this cut; return the cut. One that is outside already need not be whole in the cluster.

        Raises:
            BadInput: the cluster does not hold its records any more, and the store never did.
            NotFound: the cluster does not hold the cut.
            Conflict: the store holds another segment under this number, or hides what it holds.
            Unlocked: the store has taken it without the lock, or is known not to lock.
            Unavailable, Forbidden: the store, or the cluster, does not answer as needed.
        """
        if self._lock.required and (leak := self._leak()):
            raise Unlocked(f"{self.name} is not trusted: {leak}")
        stored = segment.unpack(await self._store.read(segment.name(number)))
        cut = cuts.opened(stored.cut, self._trust)
        key = segment.key(cut.epoch, number)
        try:
            records = merging.records_of(cut, merging.by_lane(await self._store.commits()))
        except BadInput:
            await self._demand_outside(key, stored)
            return cut
        whole = Segment(records=records, cut=stored.cut, checkpoint=stored.checkpoint)
        await self._put(key, whole.pack(), since=cut.time)
        return cut

    async def ship_day(self, day: Day, sealed: bytes) -> None:
        """Ship the index of a day; one that says the same is there already if an answer was lost, or a key rotated.

        Raises:
            Conflict: the store holds one that says something else.
            Unlocked: the store has taken it without the lock.
            Unavailable, Forbidden: the store does not answer as needed.
        """
        key = dayindex.key(day.day)
        try:
            await self._put(key, sealed, since=day.time)
        except Conflict:
            held = await self._archive.get(key, limit=dsse.MAX_ENVELOPE_BYTES)
            if dayindex.opened(held, self._trust, name=day.day) != day:
                raise

    async def _demand_outside(self, key: str, stored: Segment) -> None:
        """See that a segment whose records have been retired here is what lies there.

        Raises:
            BadInput: it is not there.
            Conflict: another one is.
        """
        try:
            held = await self._segment(key)
        except NotFound as error:
            raise BadInput(field=key, got="neither in the cluster nor outside", expected="its records") from error
        if (held.cut, held.checkpoint) != (stored.cut, stored.checkpoint):
            raise self._foreign(key)

    def _foreign(self, key: str) -> Conflict:
        return Conflict(f"{self.name} holds another segment as {key}: another notary writes there")

    async def held(self, number: int, epochs: tuple[str, ...]) -> Cut:
        """The cut of this number as the store holds it, in any of these epochs.

        Raises:
            BadInput: the store does not hold it, or what it holds is none of this notary's.
            Unavailable, Forbidden: the store does not answer as needed.
        """
        key = await self._first_of(number, epochs)
        if key is None:
            raise BadInput(field=f"cut {number}", got="neither in the cluster nor outside", expected="its segment")
        return (await self._cut_of(key))[0]

    async def overtaken(self, number: int, epoch: str) -> Cut | None:
        """The cut of this number as the store holds it, if the store goes on after it in that epoch; None if not.

        What the cluster holds under that number is then of no account: a CREATE that arrived when its name was free
        again, because the cut had long been shipped and retired.

        Raises:
            Unavailable, Forbidden: the store does not answer as needed.
        """
        try:
            held, leaf = await self._cut_of(segment.key(epoch, number))
            following, _ = await self._cut_of(segment.key(epoch, number + 1))
        except (NotFound, BadInput):
            return None
        return held if following.previous == leaf else None

    async def _cut_of(self, key: str) -> tuple[Cut, str]:
        """A cut that is outside, and its leaf hash."""
        found = await self._segment(key)
        return cuts.opened(found.cut, self._trust), leaf_hash(found.cut)

    async def newest(self) -> Segment | None:
        """The newest segment that the store holds, by a list of them all; None if there is none.

        Raises:
            BadInput: what is there is no segment.
            Unavailable, Forbidden: the store does not answer as needed.
        """
        numbers: dict[int, str] = {}
        async for each in self._archive.versions(segment.PREFIX_OF_KEYS):
            with contextlib.suppress(BadInput):  # something else that lies there
                _, number = segment.parse_key(each.key)
                numbers[number] = each.key
        return await self._segment(numbers[max(numbers)]) if numbers else None

    async def beyond(self, number: int, epochs: tuple[str, ...]) -> Segment | None:
        """The newest segment that the store holds from this number on, in any of these epochs; None if there is none.

        It is further on than what was just shipped only where the cluster went back to an older state.

        Raises:
            BadInput: what is there is no segment.
            Unavailable, Forbidden: the store does not answer as needed.
        """
        found = None
        while (following := await self._first_of(number, epochs)) is not None:
            found, number = following, number + 1
        return None if found is None else await self._segment(found)

    async def _segment(self, key: str) -> Segment:
        return segment.unpack(await self._archive.get(key, limit=segment.MAX_OBJECT_BYTES))

    async def _first_of(self, number: int, epochs: tuple[str, ...]) -> str | None:
        for epoch in epochs:
            try:
                await self._archive.head(segment.key(epoch, number))
            except NotFound:
                continue
            return segment.key(epoch, number)
        return None

    async def _put(self, key: str, body: bytes, *, since: datetime) -> None:
        """Put an object that is locked for long enough after its cut, and see that it is."""
        until = max(await self._archive.now(), since) + self._lock.retention + CLOCK_SLACK
        try:
            version = await self._archive.put(key, body, retain_until=until)
        except NameTaken as taken:
            if await self._lies_there(key) != body:
                raise self._foreign(key) from taken
            version = ""
        held = await self._archive.head(key, version=version)
        faults = lock_faults(held, body, self._lock, since=since)
        if faults:
            raise Unlocked(f"{self.name} has stored {key} otherwise than asked: {'; '.join(faults)}")

    async def _lies_there(self, key: str) -> bytes:
        """What is stored under a name that is taken.

        Raises:
            Conflict: it is hidden, on a store where a delete marker leaves a name taken; on S3 it makes it free.
        """
        try:
            return await self._archive.get(key, limit=segment.MAX_OBJECT_BYTES)
        except NotFound as hidden:
            raise Conflict(
                f"{self.name} has the name {key} taken and nothing to read: a delete marker hides it"
            ) from hidden


def lock_faults(held: LockedObject, body: bytes, lock: Lock, *, since: datetime) -> list[str]:
    """What is wrong with an object that was put: words for people, none if it is held as asked.

    Args:
        held: what the store says of it.
        body: its bytes.
        lock: how it was to be locked.
        since: from when on.
    """
    faults = []
    if held.sha256 and held.sha256 != hashlib.sha256(body).hexdigest():
        faults.append(f"its SHA-256 is {held.sha256}")
    if held.size != len(body):
        faults.append(f"it has {held.size} bytes of {len(body)}")
    if lock.required:
        if held.mode != COMPLIANCE:
            faults.append(f"its lock is {held.mode or 'none'}")
        if not _long_enough(held.retain_until, since + lock.retention):
            until = times.write(held.retain_until) if held.retain_until else "never"
            faults.append(f"it is locked until {until}")
    return faults


def _long_enough(until: datetime | None, wanted: datetime) -> bool:
    return until is not None and until >= wanted - CLOCK_SLACK
