"""A whole ledger as tests run it: guards, the notary, a store outside, and what verification says of it."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.core.audit import cut, keyring, segment
from interlock.core.audit.keyring import Keyring, Rotation, Trust
from interlock.core.audit.logreport import LogReport
from interlock.core.audit.logwalk import LogWalk
from interlock.core.audit.merging import Draft, by_lane, records_of
from interlock.core.audit.notekey import VerifierKey
from interlock.core.audit.segment import Segment
from interlock.core.ports import ObjectStore, StoredCommit
from interlock.ledger.archive import Archive
from interlock.ledger.endings import Endings
from interlock.ledger.notary import Notary
from interlock.ledger.retiring import Keep
from interlock.ledger.shipping import Lock, Shipper
from interlock.ledger.verifying import Verification, Wanted
from tests.fakes.log_store import FakeLogStore
from tests.fakes.notary import NAME
from tests.fakes.object_store import FakeObjectStore
from tests.ledger.guards import CLUSTER, Entropy, Ledger, at_once, body

RETENTION = timedelta(days=90)

NOTHING = Keep(age=None, bytes=0)


class NotaryKey:
    """A notary's key; by default the one that `tests.fakes.notary` certifies with."""

    def __init__(self, seed: bytes = b"n" * 32, *, ring: Keyring | None = None) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = VerifierKey(name=NAME, public_key=self._private.public_key().public_bytes_raw())
        self.ring = ring or Keyring.of(self.public)
        self.trust = Trust.of(self.public)

    def sign(self, message: bytes) -> bytes:
        """Sign."""
        return self._private.sign(message)

    def successor(self, seed: bytes, at: datetime) -> "NotaryKey":
        """The key that follows this one from an instant on."""
        new = NotaryKey(seed)
        note = keyring.signed(Rotation(old=self.public, new=new.public, time=at), old=self.sign, new=new.sign)
        return NotaryKey(seed, ring=self.ring.extended(note))


async def inline(work: Callable[[], Draft]) -> Draft:
    """Compute at once, so that tests know when."""
    return work()


def notary(
    ledger: Ledger,
    store: FakeLogStore,
    *,
    alive: Iterable[str] | None = None,
    archive: Archive | None = None,
    seed: str = "notary",
    key: NotaryKey | None = None,
) -> Notary:
    """A notary over a guard's ledger; by default nobody knows which guards live."""
    key = key or NotaryKey()
    return Notary(
        store,
        key=key,
        cluster=CLUSTER,
        clock=ledger.clock,
        endings=Endings(
            store,
            key=key,
            cluster=CLUSTER,
            clock=ledger.clock,
            entropy=Entropy(seed),
            alive=lambda: None if alive is None else frozenset(alive),
            pause=at_once,
        ),
        archive=archive or unshipped(ledger, store),
        pause=at_once,
        compute=inline,
    )


async def nothing() -> None:
    """Nobody has to take note."""


def unshipped(ledger: Ledger, store: FakeLogStore) -> Archive:
    """An archive without a store outside, which keeps everything."""
    return archive(ledger, store, None)


def archive(
    ledger: Ledger,
    store: FakeLogStore,
    outside: ObjectStore | None,
    *,
    keep: Keep = Keep(age=None, bytes=2**40),  # noqa: B008  a value
    required: bool = True,
    key: NotaryKey | None = None,
) -> Archive:
    """An archive that ships to a store."""
    key = key or NotaryKey()
    trust = Trust.of(*key.ring.keys)
    lock = Lock(retention=RETENTION, required=required)
    shipper = None if outside is None else Shipper(outside, store, trust=trust, lock=lock)
    return Archive(store, shipper, key=key, keep=keep, clock=ledger.clock, retiring=nothing, pause=at_once)


def segments(store: FakeLogStore) -> list[Segment]:
    """The log as the cluster holds it, records included."""
    lanes = by_lane(store.lanes.stored())
    return [_whole(each, lanes) for each in store.stored()]


def _whole(stored: StoredCommit, lanes: dict[str, list[StoredCommit]]) -> Segment:
    found = segment.unpack(stored.body)
    records = records_of(cut.opened(found.cut, NotaryKey().trust), lanes)
    return Segment(records=records, cut=found.cut, checkpoint=found.checkpoint)


def walked(log: Iterable[Segment]) -> LogWalk:
    """A log read to its end."""
    walk = LogWalk(NotaryKey().trust)
    for each in log:
        walk.take(each)
    return walk


async def verified(outside: ObjectStore) -> LogReport:
    """What verification says of the log as a store outside holds it."""
    wanted = Wanted(max_age=None)
    verification = Verification(outside, NotaryKey().trust, wanted=wanted, progress=lambda _done, _total: None)
    return await verification.run()


async def turned(made: Notary, times: int = 1) -> None:
    """Let a notary do what is due."""
    for _ in range(times):
        while await made.turn():
            await asyncio.sleep(0)


class Whole:
    """A guard, a notary and an archive over stores in memory.

    Attributes:
        ledger: the guard.
        store: the cluster.
        outside: the object store, unless a real one was given.
    """

    def __init__(
        self, ledger: Ledger, *, keep: Keep = NOTHING, outside: ObjectStore | None = None, required: bool = True
    ) -> None:
        self.ledger = ledger
        self.store = FakeLogStore(ledger.store)
        self.outside = FakeObjectStore(ledger.clock)
        self._outside = outside or self.outside
        self._keep = keep
        self._required = required
        self.lead()

    def lead(self, key: NotaryKey | None = None) -> None:
        """A new leader, which knows what is stored, its key, and nothing else."""
        self.archive = archive(
            self.ledger, self.store, self._outside, keep=self._keep, required=self._required, key=key
        )
        self.notary = notary(self.ledger, self.store, archive=self.archive, key=key)

    async def record(self, name: str) -> None:
        """The guard records a decision, and the notary merges it."""
        await self.ledger.lane.append(body(self.ledger.clock, name=name)).stored(seconds=5)
        await turned(self.notary)

    def shipped(self) -> list[segment.Segment]:
        """The log as the store outside holds it."""
        return [
            segment.unpack(found[0].body or b"")
            for key, found in sorted(self.outside.versions_of.items())
            if key.startswith(segment.PREFIX_OF_KEYS)
        ]
