"""Verification of the log in an object store, without the cluster and without trust in the store.

    list every version ─▶ for each number in order: read, look at its lock, check the segment ─▶ is the newest fresh?

What the store says is not believed where it can be checked: an object has one version, is locked, bears the number
that its cut says. Where there are several versions the oldest one counts, since later ones may be put there by whoever
may write. The first bad segment ends it: nothing behind it can be proven any more.
"""

import asyncio
import contextlib
import multiprocessing
import os
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.core import times
from interlock.core.audit import cut as cuts
from interlock.core.audit import logreport, segment, vouching
from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.cut import Cut
from interlock.core.audit.keyring import Trust
from interlock.core.audit.lanes import Status
from interlock.core.audit.lanewalk import Bad, Walk
from interlock.core.audit.logreport import LogFault, LogReport, Silence
from interlock.core.audit.logwalk import LogWalk
from interlock.core.ports import LockedObject, ObjectStore
from interlock.errors import BadInput, NotFound
from interlock.ledger.shipping import COMPLIANCE

AHEAD = 16
"""Objects that are read at one time: latency of a store far away, and at most 64 MiB of memory."""

WORTH_HELP = 256
"""Segments from which on other processes help: they take half a second to start."""

MAX_AGE = timedelta(minutes=2)
"""Of the newest cut, by the store's clock: two heartbeats."""


EXPIRING = timedelta(days=1)
"""How much sooner than the first segment's lock those of the segments before it may have ended."""

REMEMBERED = "the checkpoint that this verifier remembers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a log.

    Attributes:
        max_age: of its newest cut; None for any.
        locked: whether every object has to be locked.
        since: the first epoch to look at, as ``2026-11``; empty for all.
        known: number, size and root (hex) of a checkpoint that was verified earlier; None for none.
    """

    max_age: timedelta | None = MAX_AGE
    locked: bool = True
    since: str = ""
    known: tuple[int, int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One object, as read."""

    number: int
    epoch: str
    held: LockedObject
    body: bytes
    vouched: Mapping[int, bytes]


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

    async def run(self) -> LogReport:
        """Verify.

        Raises:
            ClusterError: the store cannot be read.
        """
        listed = await self._listed()
        await self._learn_older_keys(listed)
        with _helpers(len(listed)) as helpers:
            async with contextlib.aclosing(self._read(listed, helpers)) as coming:
                if await self._walk_all(coming, len(listed)):
                    await self._look_at_end()
        return logreport.report(
            self.walk,
            self.faults,
            store=self._store.name,
            key=self._trust.fingerprint,
            locked_until=self._locked_until,
            silences=self._silences,
        )

    async def _walk_all(self, coming: AsyncIterator[_Read], count: int) -> bool:
        """Check segment after segment; False if one is bad."""
        done = 0
        async for read in coming:
            self._look_at_lock(read)
            if not self._take(read):
                return False
            done += 1
            self._progress(done, count)
        return True

    async def _learn_older_keys(self, listed: list[LockedObject]) -> None:
        """Let who is trusted, and has signed the newest cut, say which keys came before: the log begins with those."""
        if not listed:
            return
        with contextlib.suppress(NotFound, BadInput):  # whatever it is, the walk will come there and say so
            body = await self._store.get(listed[-1].key, version=listed[-1].version, limit=segment.MAX_OBJECT_BYTES)
            newest = cuts.opened(segment.unpack(body).cut, self._trust)
            self.walk.trust = Trust.of(*self._trust.pinned, *newest.keys.keys)

    async def _listed(self) -> list[LockedObject]:
        """The oldest version of every segment, by number."""
        versions: dict[str, list[LockedObject]] = {}
        async for each in self._store.versions(segment.PREFIX_OF_KEYS):
            versions.setdefault(each.key, []).append(each)
        found: dict[tuple[str, int], LockedObject] = {}
        for key, held in versions.items():
            try:
                place = segment.parse_key(key)
            except BadInput as error:
                self._tampered(key, -1, expected=error.expected, got=error.got, evidence="the store's list")
                continue
            objects = [each for each in held if not each.deleted]
            if len(held) > 1 or not objects:
                self._tampered(key, place[1], expected="one version", got=_told(held), evidence="the store's versions")
            if objects and place[0] >= self._wanted.since:
                found[place] = min(objects, key=lambda each: each.modified)
        return [found[place] for place in sorted(found, key=lambda place: (place[1], place[0]))]

    async def _read(self, listed: list[LockedObject], helpers: Executor | None) -> AsyncGenerator[_Read]:
        """Read ahead, in order."""
        coming: deque[asyncio.Task[_Read]] = deque()
        rest = deque(listed)
        try:
            while rest or coming:
                while rest and len(coming) < AHEAD:
                    coming.append(asyncio.create_task(self._fetched(rest.popleft(), helpers)))
                yield await coming.popleft()
        finally:
            for task in coming:
                task.cancel()
            await asyncio.gather(*coming, return_exceptions=True)

    async def _fetched(self, listed: LockedObject, helpers: Executor | None) -> _Read:
        epoch, number = segment.parse_key(listed.key)
        try:
            held = await self._store.head(listed.key, version=listed.version)
            body = await self._store.get(listed.key, version=listed.version, limit=segment.MAX_OBJECT_BYTES)
        except (NotFound, BadInput):  # gone between two looks, or larger than any segment: no segment either way
            held, body = listed, b""
        vouched: Mapping[int, bytes] = {}
        if helpers is not None:
            loop = asyncio.get_running_loop()
            vouched = await loop.run_in_executor(helpers, vouching.vouched, body, self.walk.keys)
        return _Read(number=number, epoch=epoch, held=held, body=body, vouched=vouched)

    def _look_at_lock(self, read: _Read) -> None:
        held = read.held
        if held.retain_until is not None:
            self._locked_until = min(held.retain_until, self._locked_until or held.retain_until)
        if self._wanted.locked and held.mode != COMPLIANCE:
            expected, got = "an object locked in mode COMPLIANCE", held.mode or "one that is not locked"
            self._tampered(held.key, read.number, expected=expected, got=got, evidence="the store's word on its lock")

    def _take(self, read: _Read) -> bool:
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
        return self._is_in_place(read, cut) and self._is_as_known(read, cut, over)

    def _bad(self, read: _Read, bad: Bad | BadInput) -> None:
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

    def _is_in_place(self, read: _Read, cut: Cut) -> bool:
        if (cut.number, cut.epoch) == (read.number, read.epoch):
            return True
        expected, got = f"cut {read.number} of {read.epoch}", f"cut {cut.number} of {cut.epoch}"
        self._tampered(
            read.held.key, read.number, expected=expected, got=got, evidence="the key under which the segment lies"
        )
        return False

    def _is_as_known(self, read: _Read, cut: Cut, over: Checkpoint) -> bool:
        """Whether it is the one that was seen there earlier, if it was."""
        known = self._wanted.known
        if known is None or known[0] != cut.number or known[1:] == (over.size, over.root.hex()):
            return True
        expected = f"the checkpoint that was verified earlier: size {known[1]}, root {known[2]}"
        got = f"size {over.size}, root {over.root.hex()}"
        self._tampered(read.held.key, cut.number, expected=expected, got=got, evidence=REMEMBERED)
        return False

    async def _look_at_end(self) -> None:
        """Whether the log goes as far as it should."""
        newest, known = self.walk.newest, self._wanted.known
        last = -1 if newest is None else newest.number
        if known is not None and last < known[0]:
            self._tampered(
                "",
                known[0],
                expected=f"cut {known[0]}, which was verified earlier",
                got=f"a log that ends with cut {last}" if newest else "no log",
                evidence=REMEMBERED,
            )
        elif newest is not None:
            await self._look_at_beginning()
            await self._look_at_age(newest.time)

    async def _look_at_beginning(self) -> None:
        """Whether what comes before the first segment may be gone: it may when its lock has ended."""
        first = self.walk.first or 0
        if first == 0 or (self._wanted.since and self.walk.begins_epoch):
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
        self.faults.append(
            LogFault(status=Status.TAMPERED, object=key, number=number, expected=expected, got=got, evidence=evidence)
        )


@contextmanager
def _helpers(segments: int) -> Iterator[Executor | None]:
    """Processes that check signatures, one for each core; none where there is too little for them to do."""
    if segments < WORTH_HELP:
        yield None
        return
    fresh = multiprocessing.get_context("spawn")  # a fork would take along locks of threads that it does not have
    with ProcessPoolExecutor(os.cpu_count(), mp_context=fresh) as helpers:
        yield helpers


def _told(held: list[LockedObject]) -> str:
    markers = sum(each.deleted for each in held)
    return f"{len(held) - markers} versions and {markers} delete markers"
