"""Which signed checkpoint covers a record, and the proof of it, from the cuts and leaf hashes that went by.

A cut says which records of each lane are in front of it, in which order; so it says at which index of the epoch's tree
each of them stands. Where the cut before is known as well, and every leaf hash in between, the tree is computed again
and must be the one that was signed: then there is an inclusion proof. Where it is not, the cut still says that the
record was merged, since it holds the head of the lane's hash chain, and its note is the notary's signature on that.
"""

import base64
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from interlock.core.audit import cut as cuts
from interlock.core.audit import logwalk, segment, tree
from interlock.core.audit.cut import Cut, LaneCut
from interlock.core.audit.keyring import Trust
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.tree import HASH_BYTES, Frontier
from interlock.core.types import JsonObject
from interlock.errors import BadInput

KEPT_CUTS = 2_000
"""Cuts in mind: as many as the cluster ever holds (ledger.archive), each some kilobytes."""

KEPT_LEAVES = 131_072
"""Leaf hashes in mind, ten megabytes: several times the records that a window holds. Beyond it the oldest cuts go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """Where a record stands in the log.

    Attributes:
        number: of the checkpoint that covers it.
        epoch: of that.
        time: of its cut.
        index: of the record's leaf in the epoch's tree; -1 where that is not known.
    """

    number: int
    epoch: str
    time: datetime
    index: int

    @property
    def name(self) -> str:
        """The checkpoint as people name it."""
        return f"{self.epoch}/{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """Records of one lane in front of one cut."""

    first: int
    next: int
    index: int  # of the first one; -1 where it is not known which are meant
    cut: "_Cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    number: int
    epoch: str
    time: datetime
    note: str
    before: Frontier | None  # in front of its records; None where that, or one of them, is not known
    leaves: tuple[bytes, ...]  # its records and itself; empty likewise


class Leaves:
    """Leaf hashes of a lane's records, from one sequence on without a gap."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._hashes = bytearray()

    def add(self, sequence: int, leaf: str) -> None:
        """Take the next one; after a gap only what follows is known."""
        if sequence != self._first + len(self._hashes) // HASH_BYTES:
            self._first, self._hashes = sequence, bytearray()
        self._hashes += bytes.fromhex(leaf)

    def between(self, first: int, following: int) -> list[bytes] | None:
        """Those of these sequences; None if one of them is not known."""
        start, end = (first - self._first) * HASH_BYTES, (following - self._first) * HASH_BYTES
        if start < 0 or end > len(self._hashes):
            return None
        return [bytes(self._hashes[at : at + HASH_BYTES]) for at in range(start, end, HASH_BYTES)]

    def forget(self, following: int) -> None:
        """Keep those from this sequence on."""
        count = following - self._first
        if count > 0:
            del self._hashes[: count * HASH_BYTES]
            self._first = following


class Covering:
    """The cuts that went by.

    Attributes:
        number: of the newest; -1 before the first.
        size: leaves in its epoch's tree.
        trust: who the notary is.
        keys: the notary's by the newest cut, the one that signs last; those that are trusted before there is one.
        outdated: those of them that no longer vouch for lanes which the newest cut does not know.
    """

    def __init__(self, trust: Trust) -> None:
        self.number = -1
        self.size = 0
        self.trust = trust
        self.keys = trust.pinned
        self.outdated = trust.pinned[:0]
        self._newest: tuple[Cut, str] | None = None  # with its leaf hash
        self._heads: dict[str, LaneCut] = {}
        self._ended: frozenset[str] = frozenset()
        self._spans: dict[str, deque[_Span]] = {}
        self._kept: deque[_Cut] = deque()
        self._kept_leaves = 0

    def merged(self, lane: str, sequence: int) -> bool:
        """Whether everything of a lane before this sequence is in the log."""
        head = self._heads.get(lane)
        return lane in self._ended or (head is not None and sequence <= head.next)

    def head(self, lane: str) -> LaneCut | None:
        """The lane in the newest cut; None if it is not in it."""
        return self._heads.get(lane)

    def expect(self, body: bytes) -> None:
        """Learn from the newest checkpoint where lanes stand, before their records come.

        Raises:
            BadInput: it is none of this notary's.
        """
        self._note(cuts.opened(segment.unpack(body).cut, self.trust))

    def take(self, body: bytes, lanes: Mapping[str, Leaves]) -> None:
        """Take a checkpoint as the cluster holds it; one that is no newer than the newest is passed over.

        Args:
            body: cut and checkpoint.
            lanes: leaf hashes of what may be in front of it; those that are are forgotten there.

        Raises:
            Bad: the checkpoint is over something else.
            BadInput: it is none of this notary's, or not over the records that are here.
        """
        stored = segment.unpack(body)
        cut, over = logwalk.alone(stored, self.trust)
        if cut.number <= self.number:
            return
        own = bytes.fromhex(leaf_hash(stored.cut))
        before, leaves = self._before(cut), _leaves(cut, lanes)
        if before is not None and leaves is not None and before.append(leaves) != cut.tree:
            raise BadInput(field=f"checkpoint {cut.number}", got="other records", expected="those that are here")
        proven = before is not None and leaves is not None
        self._keep(
            cut,
            _Cut(
                number=cut.number,
                epoch=cut.epoch,
                time=cut.time,
                note=stored.checkpoint,
                before=before if proven else None,
                leaves=(*(leaves or ()), own) if proven else (),
            ),
        )
        self._newest = cut, own.hex()
        self.number, self.size = cut.number, over.size
        for lane in cut.lanes:
            if lane.lane in lanes:
                lanes[lane.lane].forget(lane.next)

    def of(self, lane: str, sequence: int) -> Covered | None:
        """Where a record stands; None if no cut tells of it."""
        span = self._span(lane, sequence)
        if span is None:
            return None
        index = -1 if span.index < 0 else span.index + sequence - span.first
        return Covered(number=span.cut.number, epoch=span.cut.epoch, time=span.cut.time, index=index)

    def proof(self, lane: str, sequence: int) -> JsonObject:
        """The checkpoint that covers a record, and the proof that it does, as far as they are known."""
        span = self._span(lane, sequence)
        if span is None and self.merged(lane, sequence + 1):
            return {"why": "the checkpoint that covers it is no longer here: `interlock verify` has it"}
        if span is None:
            return {"why": "waits for the next checkpoint, which is due within a minute"}
        found: JsonObject = {"checkpoint": {"epoch": span.cut.epoch, "number": span.cut.number, "note": span.cut.note}}
        if span.cut.before is None or span.index < 0:
            return found | {"why": "not every record in front of that checkpoint is here: `interlock verify` has them"}
        index = span.index + sequence - span.first
        path = tree.inclusion_after(span.cut.before, span.cut.leaves, index)
        return found | {"index": index, "inclusion": [base64.b64encode(each).decode() for each in path]}

    def forget(self, lane: str) -> None:
        """Forget a lane of which nothing is held any more."""
        self._spans.pop(lane, None)

    def _before(self, cut: Cut) -> Frontier | None:
        """The tree in front of a cut's records; None where it is not known."""
        if cut.tree.size == _count(cut):
            return Frontier()
        if self._newest is None or (self._newest[0].number, self._newest[0].epoch) != (cut.number - 1, cut.epoch):
            return None
        before, leaf = self._newest
        return before.tree.append([bytes.fromhex(leaf)])

    def _keep(self, cut: Cut, kept: _Cut) -> None:
        index = cut.tree.size - _count(cut)
        for lane in cut.lanes:
            spans = self._spans.setdefault(lane.lane, deque())
            if not spans and lane.first > 0:  # what was merged before is known to be
                spans.append(_Span(first=0, next=lane.first, index=-1, cut=kept))
            if lane.first < lane.next:
                spans.append(_Span(first=lane.first, next=lane.next, index=index, cut=kept))
            index += lane.next - lane.first
        for name in cut.ended:
            if name not in self._spans:
                self._spans[name] = deque([_Span(first=0, next=1 << 63, index=-1, cut=kept)])
        self._note(cut)
        self._kept.append(kept)
        self._kept_leaves += len(kept.leaves)
        while len(self._kept) > KEPT_CUTS or (self._kept_leaves > KEPT_LEAVES and len(self._kept) > 1):
            self._drop(self._kept.popleft())

    def _note(self, cut: Cut) -> None:
        self.keys, self.outdated = cut.keys.keys, cut.keys.outdated(cut.time)
        self._heads = {lane.lane: lane for lane in cut.lanes}
        self._ended = frozenset(cut.ended)

    def _drop(self, cut: _Cut) -> None:
        self._kept_leaves -= len(cut.leaves)
        for spans in self._spans.values():
            while spans and spans[0].cut is cut:
                spans.popleft()

    def _span(self, lane: str, sequence: int) -> _Span | None:
        spans = self._spans.get(lane, deque())
        at = bisect_right(spans, sequence, key=lambda span: span.first) - 1
        return spans[at] if at >= 0 and sequence < spans[at].next else None


def _count(cut: Cut) -> int:
    """How many records a cut tells of."""
    return sum(lane.next - lane.first for lane in cut.lanes)


def _leaves(cut: Cut, lanes: Mapping[str, Leaves]) -> list[bytes] | None:
    """Leaf hashes of the records that a cut tells of, in the order of the log; None if one is not known."""
    found: list[bytes] = []
    for lane in cut.lanes:
        known: Sequence[bytes] | None = ()
        if lane.first < lane.next:
            known = lanes[lane.lane].between(lane.first, lane.next) if lane.lane in lanes else None
        if known is None:
            return None
        found += known
    return found
