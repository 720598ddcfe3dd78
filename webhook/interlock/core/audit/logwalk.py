"""The rules of the log, as a state machine: segments go in one by one, the first bad one raises.

- Records are looked at first, since people want the first bad one named; what lanes cannot show, the tree does.
- Cuts are numbered without a gap, each names the one before, none is older than the one before.
- Every record and every cut is in the tree, in the order of the log; an epoch has a tree of its own.
- The checkpoint is the notary's, over exactly this tree.
- A cut names every lane that was open before, and tells of each lane exactly what the segment holds.
- What a lane may hold stands in `core.audit.lanewalk`; nothing follows the end of a lane.

A walk may begin at any segment: the tree and the lanes before it are then the notary's word, given in the first cut.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from interlock.core import times
from interlock.core.audit import checkpoint, cut
from interlock.core.audit.cut import Cut, LaneCut, State
from interlock.core.audit.keyring import Trust
from interlock.core.audit.lanewalk import Bad, Walk
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.segment import Segment, unpack
from interlock.core.audit.tree import Frontier

NOTHING: Mapping[int, bytes] = {}

Vouched = tuple[bytes, bytes | None]
"""A record, and the key under which its signature was found good elsewhere."""

# What the clocks of two controllers may differ: the later one's first cut may seem older than the earlier one's last.
CLOCK_TOLERANCE = timedelta(seconds=60)


class Evidence(StrEnum):
    """What shows that something is wrong."""

    OBJECT = "the object, which is no segment"
    CUT = "the notary's signature on the cut"
    ORDER = "the numbers and hashes by which each cut names the one before"
    TREE = "the Merkle tree"
    CHECKPOINT = "the signed checkpoint"
    LANES = "what the cut says of each lane"
    RECORD = "the chain and the signatures of the lane"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What was looked at.

    Attributes:
        lane: name of the lane; empty where it is the segment as a whole.
        sequence: of the record in it; -1 likewise.
        record_id: of that record, if it can be read.
    """

    lane: str = ""
    sequence: int = -1
    record_id: str = ""


class LogWalk:
    """A log read segment by segment; `take` raises at the first bad one, and the walk ends there.

    Attributes:
        trust: who the notary is.
        first: number of the first segment; None before it.
        next: number of the one to come.
        begins_epoch: whether the first one began an epoch's tree, so that nothing of its tree is taken on trust.
        newest: the last good cut, and `leaf` its leaf hash.
        checkpoint: the one over it, and `note` as it was signed.
        records: how many good records.
        lanes: every lane met, by name.
        ended: how each lane ended that has.
        broken: what the notary found wrong in a lane, by name.
        place: what is being looked at, for the message about what is bad, and `evidence` by which rule.
    """

    def __init__(self, trust: Trust, *, taken: Callable[[Walk], None] = lambda _walk: None) -> None:
        """Begin.

        Args:
            trust: who the notary is.
            taken: told of each good record, which its lane's walk has just taken.
        """
        self._taken = taken
        self.first: int | None = None
        self.next = 0
        self.begins_epoch = False
        self.newest: Cut | None = None
        self.checkpoint: checkpoint.Checkpoint | None = None
        self.note = ""
        self.records = 0
        self.lanes: dict[str, Walk] = {}
        self.ended: dict[str, State] = {}
        self.broken: dict[str, str] = {}
        self.place = Place()
        self.evidence = Evidence.CUT
        self.trust = trust
        self._tree = Frontier()
        self.leaf = ""

    @property
    def open(self) -> set[str]:
        """Lanes that have not ended."""
        return self.lanes.keys() - self.ended.keys()

    @property
    def keys(self) -> dict[str, bytes]:
        """The keys of all lanes that are known so far, by name."""
        return {name: walk.public_key for name, walk in self.lanes.items() if walk.public_key is not None}

    def read(self, body: bytes, *, vouched: Mapping[int, bytes] = NOTHING) -> tuple[Cut, checkpoint.Checkpoint]:
        """The same for an object as a store holds it.

        Args:
            body: the object.
            vouched: what `core.audit.vouching` found of it.

        Raises:
            Bad: it breaks one of the rules.
            BadInput: it is no segment, or a part of it is not what it has to be, or not the notary's.
        """
        self.place, self.evidence = Place(), Evidence.OBJECT
        return self.take(unpack(body), vouched=vouched)

    def take(self, segment: Segment, *, vouched: Mapping[int, bytes] = NOTHING) -> tuple[Cut, checkpoint.Checkpoint]:
        """Check the next segment and go on to the one after; returns its cut and the checkpoint over it.

        Args:
            segment: the segment.
            vouched: key under which a record's signature was found good elsewhere, by its place in the segment.

        Raises:
            Bad: it breaks one of the rules.
            BadInput: a part of it is not what it has to be, or not the notary's.
        """
        self.place, self.evidence = Place(), Evidence.CUT
        made = cut.opened(segment.cut, self.trust)
        self.evidence = Evidence.ORDER
        self._check_order(made)
        self.evidence = Evidence.LANES
        self._check_lanes(made, segment, vouched)
        self.evidence = Evidence.TREE
        tree = self._check_tree(made, segment)
        self.evidence = Evidence.CHECKPOINT
        over = self._check_checkpoint(made, segment, tree)
        self._go_on(made, segment, tree, over)
        return made, over

    def _check_order(self, made: Cut) -> None:
        if self.newest is None:
            if made.number == 0 and made.previous:
                raise Bad(expected="no cut before number 0", got=made.previous[:80])
            return
        if made.number != self.next:
            raise Bad(expected=f"cut {self.next}", got=f"cut {made.number}")
        if made.previous != self.leaf:
            raise Bad(expected=f"previous cut {self.leaf}", got=made.previous[:80] or "(none)")
        if made.cluster != self.newest.cluster or made.epoch < self.newest.epoch:
            got = f"cluster {made.cluster[:40]}, epoch {made.epoch[:10]}"
            raise Bad(expected=f"cluster {self.newest.cluster}, epoch {self.newest.epoch} or later", got=got)
        if not made.keys.extends(self.newest.keys):
            raise Bad(
                expected=f"key {self.newest.keys.current.keyid}, or one after it", got=f"key {made.keys.current.keyid}"
            )
        if made.time < self.newest.time - CLOCK_TOLERANCE:
            raise Bad(expected=f"a time not before {times.write(self.newest.time)}", got=times.write(made.time))

    def _check_tree(self, made: Cut, segment: Segment) -> Frontier:
        """The tree in front of the cut."""
        leaves = [bytes.fromhex(leaf_hash(record)) for record in segment.records]
        begun = Frontier().append(leaves)
        if self.newest is None:
            self.begins_epoch = made.tree == begun
            known = begun if made.number == 0 else made.tree
        else:
            known = self._tree.append(leaves) if made.epoch == self.newest.epoch else begun
        if made.tree != known:
            raise Bad(
                expected=f"a tree of {known.size} leaves, root {known.root.hex()}, before cut {made.number}",
                got=f"one of {made.tree.size} leaves, root {made.tree.root.hex()}",
            )
        return known

    def _check_checkpoint(self, made: Cut, segment: Segment, tree: Frontier) -> checkpoint.Checkpoint:
        over, expected = checkpoint.opened(segment.checkpoint, made.keys.current), _over(made, segment, tree)
        if over != expected:
            raise Bad(expected=f"a checkpoint that says {expected.text!r}", got=repr(over.text))
        return over

    def _check_lanes(self, made: Cut, segment: Segment, vouched: Mapping[int, bytes]) -> None:
        missing = self.open - {lane.lane for lane in made.lanes}
        if missing:
            raise Bad(expected=f"lane {min(missing)}, which is open, in cut {made.number}", got="no word of it")
        records = ((record, vouched.get(number)) for number, record in enumerate(segment.records))
        for lane in made.lanes:
            self.place = Place(lane=lane.lane, sequence=lane.first)
            self._check_lane(lane, records, made, first=self.newest is None and made.number > 0)
        self.place = Place()
        if next(records, None) is not None:
            raise Bad(expected="no record that the cut does not tell of", got="one more")

    def _check_lane(self, lane: LaneCut, records: Iterator[Vouched], made: Cut, *, first: bool) -> None:
        walk = self._walk(lane, first=first)
        walk.keys, walk.outdated = made.keys.keys, made.keys.outdated(made.time)
        if (walk.next, walk.leaf) != (lane.first, lane.previous):
            got = f"sequence {lane.first} after {lane.previous[:80] or '(none)'}"
            raise Bad(expected=f"sequence {walk.next} after {walk.leaf or '(none)'}", got=got)
        if lane.certificate is not None and walk.certificate is None:
            walk.rely_on(lane.certificate)
        for record, key in _some(records, lane.next - lane.first):
            self._take_record(walk, record, key)
        self.place = Place(lane=lane.lane, sequence=walk.next)
        if (walk.next, walk.leaf) != (lane.next, lane.leaf):
            got = f"sequence {lane.next} after {lane.leaf[:80] or '(none)'}"
            raise Bad(expected=f"the cut to say sequence {walk.next} after {walk.leaf or '(none)'}", got=got)
        self._check_state(walk, lane)

    def _walk(self, lane: LaneCut, *, first: bool) -> Walk:
        known = self.lanes.get(lane.lane)
        if lane.lane in self.ended and not _said_again(lane, self.ended[lane.lane]):
            raise Bad(expected="nothing of a lane that has ended", got=f"lane {lane.lane}, {self.ended[lane.lane]}")
        if known is None:
            if not first and lane.first > 0:
                raise Bad(expected=f"lane {lane.lane}, which is new, from sequence 0 on", got=f"from {lane.first} on")
            known = Walk(lane.lane, first=lane.first, keys=(), previous=lane.previous)
            self.lanes[lane.lane] = known
        return known

    def _take_record(self, walk: Walk, record: bytes, vouched: bytes | None) -> None:
        sequence = walk.next
        self.evidence = Evidence.RECORD
        try:
            walk.take(record, vouched=vouched)
        finally:
            self.place = Place(lane=walk.lane, sequence=sequence, record_id=walk.record_id)
        self.evidence = Evidence.LANES
        self._taken(walk)

    def _check_state(self, walk: Walk, lane: LaneCut) -> None:
        if lane.state is State.BROKEN:
            self.broken[lane.lane] = lane.fault
        else:
            ended = State.ABANDONED if walk.abandoned else State.CLOSED if walk.closed else State.OPEN
            if lane.state is not ended:
                raise Bad(expected=f"lane {lane.lane} {ended}", got=lane.state)
        if lane.state is not State.OPEN:
            self.ended[lane.lane] = lane.state

    def _go_on(self, made: Cut, segment: Segment, tree: Frontier, over: checkpoint.Checkpoint) -> None:
        if self.first is None:
            self.first = made.number
        self.newest, self.checkpoint, self.next = made, over, made.number + 1
        self.note = segment.checkpoint
        self.records += len(segment.records)
        self.leaf = leaf_hash(segment.cut)
        self._tree = tree.append([bytes.fromhex(self.leaf)])


def alone(segment: Segment, trust: Trust) -> tuple[Cut, checkpoint.Checkpoint]:
    """The cut of a segment that is looked at alone, without its records, and the checkpoint that fits it.

    Raises:
        Bad: the checkpoint is over something else.
        BadInput: a part of it is not what it has to be, or not the notary's.
    """
    made = cut.opened(segment.cut, trust)
    over = checkpoint.opened(segment.checkpoint, made.keys.current)
    if over != _over(made, segment, made.tree):
        raise Bad(expected=f"a checkpoint over cut {made.number}", got=repr(over.text))
    return made, over


def _over(made: Cut, segment: Segment, tree: Frontier) -> checkpoint.Checkpoint:
    """The checkpoint that a cut must have, if this tree is in front of it."""
    whole = tree.append([bytes.fromhex(leaf_hash(segment.cut))])
    return checkpoint.Checkpoint(origin=cut.origin(made.cluster, made.epoch), size=whole.size, root=whole.root)


def _said_again(lane: LaneCut, ended: State) -> bool:
    return lane.state is State.BROKEN is ended and lane.first == lane.next


def _some(records: Iterator[Vouched], count: int) -> Iterator[Vouched]:
    """The next records, as many as there are to be.

    Raises:
        Bad: there are fewer.
    """
    for left in range(count, 0, -1):
        record = next(records, None)
        if record is None:
            raise Bad(expected=f"{left} more records that the cut tells of", got="the end of the segment")
        yield record
