"""Merging: lanes become the one log, cut after cut.

A `Log` knows where every lane stands, and takes the commits that follow. What it takes it has verified: a record that
breaks a rule of its lane never gets in, and ends the lane in the log (state Broken). It decides nothing about time and
stores nothing.

    draft = log.draft(stored, now=…)        what the next cut adds, unsigned
    log.accept(draft, sealed)               it is stored: go on from there

A draft moves the lanes on. A log whose draft was not stored after all is of no use any more: make a new one, from what
is stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from interlock.core.audit import commits, segment
from interlock.core.audit import cut as cuts
from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.cut import Cut, LaneCut, State
from interlock.core.audit.keyring import Keyring, Trust
from interlock.core.audit.lanewalk import Bad, Walk
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.tree import Frontier
from interlock.core.ports import StoredCommit
from interlock.errors import BadInput

Lanes = Mapping[str, Sequence[StoredCommit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the next cut adds.

    Attributes:
        records: exact bytes of envelopes, in the order of the log.
        cut: to be sealed.
        full: whether something was left for the cut after it, which need not wait.
        broken: the fault of each lane that broke, by name.
    """

    records: Sequence[bytes]
    cut: Cut
    full: bool
    broken: Mapping[str, str]


class _Lane:
    """An open lane.

    Attributes:
        walk: where it stands.
        certified: whether the log of this day holds what proves its key: its LaneOpen, or a certificate in a cut.
        fault: why nothing can follow: what its key was known by is not what it was.
    """

    def __init__(self, walk: Walk, *, certified: bool, fault: str = "") -> None:
        self.walk = walk
        self.certified = certified
        self.fault = fault


class Log:
    """The log as whoever appends to it holds it.

    Attributes:
        number: of the next cut.
        time: of the newest cut; None before the first.
        tree: of the epoch so far.
        ended: lanes that have ended and are still stored.
    """

    def __init__(self, *, cluster: str, keys: Keyring) -> None:
        """Begin a log with nothing in it.

        Args:
            cluster: uid of namespace kube-system.
            keys: the notary's.
        """
        self.number = 0
        self.time: datetime | None = None
        self.tree = Frontier()
        self.ended: set[str] = set()
        self._cluster = cluster
        self._keys = keys
        self._epoch = ""
        self._previous = ""  # leaf of the newest cut
        self._lanes: dict[str, _Lane] = {}
        self._broken: dict[str, LaneCut] = {}  # said again while something of them is stored

    @classmethod
    def after(cls, sealed: bytes, stored: Iterable[StoredCommit], *, keys: Keyring) -> "Log":
        """Go on after a cut.

        Args:
            sealed: the newest cut.
            stored: what the cluster holds of the lanes; of open ones at least the commits that hold their LaneOpen and
                their certificate.
            keys: the notary's.

        Raises:
            BadInput: it is no cut of this notary's, or one under a key that came after these.
        """
        newest = cuts.opened(sealed, Trust.of(*keys.keys))
        if not keys.extends(newest.keys):
            raise BadInput(
                field="cut", got=f"one of {newest.keys.current.keyid}", expected=f"none after {keys.current.keyid}"
            )
        log = cls(cluster=newest.cluster, keys=keys)
        log.number, log.time = newest.number + 1, newest.time
        log.tree = newest.tree.append([bytes.fromhex(leaf_hash(sealed))])
        log._epoch, log._previous = newest.epoch, leaf_hash(sealed)
        log._note_ended(newest)
        log.ended |= set(newest.ended)
        lanes = by_lane(stored)
        log._lanes = {
            lane.lane: log._resumed(lane, lanes.get(lane.lane, ())) for lane in newest.lanes if lane.state is State.OPEN
        }
        return log

    @property
    def open(self) -> Mapping[str, int]:
        """Every open lane, and the sequence that comes next in it."""
        return {name: lane.walk.next for name, lane in self._lanes.items()}

    def leaf_of(self, lane: str) -> str:
        """Leaf hash of the newest record of an open lane."""
        return self._lanes[lane].walk.leaf

    def keeps(self, lane: str) -> frozenset[int]:
        """Sequences of records of an open lane by which its key is known: LaneOpen and certificate."""
        known = self._lanes.get(lane)
        return frozenset({0, known.walk.certified_at}) if known else frozenset()

    def lags(self, stored: Iterable[StoredCommit]) -> bool:
        """Whether there is something to take."""
        lanes = by_lane(stored)
        return any(_last(lanes[name]) >= lane.walk.next for name, lane in self._lanes.items() if name in lanes) or bool(
            self._begun(lanes)
        )

    def draft(self, stored: Iterable[StoredCommit], *, now: datetime) -> Draft:
        """Take what follows, as much as a cut may hold.

        Args:
            stored: commits of lanes; those that the log has already are passed over.
            now: the present.
        """
        lanes = by_lane(stored)
        self._turn(now)
        self.ended &= lanes.keys()
        self._broken = {name: lane for name, lane in self._broken.items() if name in lanes}
        taking = _Taking(tree=self.tree)
        for name in sorted({*self._lanes, *self._new(lanes), *self._broken}):
            if name in self._broken:
                taking.add(self._broken[name])
            else:
                self._take(name, lanes.get(name, ()), taking, now)
        cut = Cut(
            cluster=self._cluster,
            epoch=self._epoch,
            number=self.number,
            time=max(now, self.time or now),  # a clock that was set back makes no cut older than the one before
            previous=self._previous,
            tree=taking.tree,
            lanes=tuple(taking.lanes),
            ended=tuple(sorted(self.ended)),
            keys=self._keys,
        )
        return Draft(records=taking.records, cut=cut, full=taking.full, broken=taking.broken)

    def checkpoint(self, draft: Draft, sealed: bytes) -> Checkpoint:
        """What is to be signed over a draft and its sealed cut."""
        tree = draft.cut.tree.append([bytes.fromhex(leaf_hash(sealed))])
        return Checkpoint(origin=cuts.origin(self._cluster, draft.cut.epoch), size=tree.size, root=tree.root)

    def accept(self, draft: Draft, sealed: bytes) -> None:
        """Go on after a draft that is stored."""
        self.tree = draft.cut.tree.append([bytes.fromhex(leaf_hash(sealed))])
        self.number, self.time = self.number + 1, draft.cut.time
        self._previous = leaf_hash(sealed)
        self._note_ended(draft.cut)

    def _note_ended(self, cut: Cut) -> None:
        for lane in cut.lanes:
            if lane.state is State.OPEN:
                continue
            self._lanes.pop(lane.lane, None)
            if lane.state is State.BROKEN and (lane.lane in self._broken or len(self._broken) < cuts.MAX_BROKEN):
                self._broken[lane.lane] = replace(lane, first=lane.next, previous=lane.leaf, certificate=None)
            else:
                self.ended.add(lane.lane)

    def _turn(self, time: datetime) -> None:
        """Begin a new tree with a new month, and say with a new day again what proves each lane's key.

        A clock that stepped back over its beginning does neither.
        """
        epoch, day = cuts.epoch_of(time), cuts.day_of(time)
        if epoch > self._epoch:
            self._epoch, self.tree = epoch, Frontier()
        if self.time is None or day > cuts.day_of(self.time):
            for lane in self._lanes.values():
                lane.certified = False

    def _new(self, lanes: Lanes) -> list[str]:
        """Lanes to open: those that begin with their first record, as many as there is room for."""
        room = min(cuts.MAX_OPEN, cuts.MAX_ENDED - len(self.ended)) - len(self._lanes) - len(self._broken)
        new = self._begun(lanes)[: max(room, 0)]
        self._lanes |= {name: _Lane(Walk(name, first=0, keys=self._keys.keys), certified=True) for name in new}
        return new

    def _begun(self, lanes: Lanes) -> list[str]:
        unknown = lanes.keys() - self._lanes.keys() - self._broken.keys() - self.ended
        return [name for name in sorted(unknown) if _first(lanes[name]) == 0]

    def _resumed(self, head: LaneCut, stored: Iterable[StoredCommit]) -> _Lane:
        walk, fault = Walk(head.lane, first=head.next, keys=self._keys.keys, previous=head.leaf), ""
        try:
            for commit in stored:
                if commits.parse_name(commit.name)[1] < head.next:
                    for envelope in commits.unpack(commit.body):
                        walk.recall(envelope)
            if head.certificate is not None and walk.certificate is None:
                walk.rely_on(head.certificate)
        except (Bad, BadInput) as bad:
            fault = f"what was merged before is no longer what it was: {bad.expected}, got {bad.got}"[: cuts.MAX_FAULT]
        return _Lane(walk, certified=False, fault=fault)  # perhaps it is certified; saying it twice does no harm

    def _take(self, name: str, stored: Sequence[StoredCommit], taking: "_Taking", now: datetime) -> None:
        """Take what follows of one lane."""
        lane = self._lanes[name]
        walk = lane.walk
        walk.outdated = self._keys.outdated(now)
        first, previous, fault = walk.next, walk.leaf, lane.fault
        carried = None if lane.certified else walk.certifying
        if fault:
            taking.broken[name] = fault
            stored = ()
        for commit in stored:
            if commits.parse_name(commit.name)[1] < walk.next:
                continue
            if not taking.has_room(carried=carried is not None and walk.next == first):
                break
            fault = _fault(walk, commit, taking)
            if fault:
                taking.broken[name] = fault
                break
        moved = walk.next > first
        lane.certified |= moved
        taking.add(
            LaneCut(
                lane=name,
                first=first,
                next=walk.next,
                previous=previous,
                leaf=walk.leaf,
                state=_state(walk, fault),
                fault=fault,
                certificate=carried if moved else None,
            )
        )


class _Taking:
    """A cut in the making."""

    def __init__(self, *, tree: Frontier) -> None:
        self.tree = tree
        self.records: list[bytes] = []
        self.lanes: list[LaneCut] = []
        self.full = False
        self.broken: dict[str, str] = {}
        self._bytes = 0
        self._certificates = 0

    def has_room(self, *, carried: bool) -> bool:
        """Whether a commit more can be taken; one of a lane whose certificate must be `carried` needs room for that."""
        fits = len(self.records) < segment.MAX_RECORDS and self._bytes < segment.MAX_RAW_BYTES
        fits &= not carried or self._certificates < cuts.MAX_CERTIFICATES
        self.full |= not fits
        return fits

    def take(self, envelopes: Sequence[bytes]) -> None:
        """Take the records of a commit that was found good."""
        self.records += envelopes
        self._bytes += sum(map(len, envelopes))
        self.tree = self.tree.append(bytes.fromhex(leaf_hash(envelope)) for envelope in envelopes)

    def add(self, lane: LaneCut) -> None:
        """Say where a lane stands."""
        self.lanes.append(lane)
        self._certificates += lane.certificate is not None


def _fault(walk: Walk, commit: StoredCommit, taking: _Taking) -> str:
    """Take a commit, as far as it is good; what is wrong with it, or nothing."""
    good: list[bytes] = []
    try:
        walk.begin(commits.parse_name(commit.name)[1])
        for envelope in commits.unpack(commit.body):
            walk.take(envelope)
            good.append(envelope)
    except Bad as bad:
        return f"{commit.name}, sequence {walk.next}: expected {bad.expected}, got {bad.got}"[: cuts.MAX_FAULT]
    except BadInput as bad:
        return f"{commit.name}, sequence {walk.next}: {bad}"[: cuts.MAX_FAULT]
    finally:
        taking.take(good)
    return ""


def _state(walk: Walk, fault: str) -> State:
    if fault:
        return State.BROKEN
    if walk.abandoned:
        return State.ABANDONED
    return State.CLOSED if walk.closed else State.OPEN


def _first(stored: Sequence[StoredCommit]) -> int:
    return commits.parse_name(stored[0].name)[1]


def _last(stored: Sequence[StoredCommit]) -> int:
    return commits.parse_name(stored[-1].name)[1]


def by_lane(stored: Iterable[StoredCommit]) -> dict[str, list[StoredCommit]]:
    """Sort commits into lanes, each in its order; what bears no commit's name is left out."""
    lanes: dict[str, list[StoredCommit]] = {}
    for commit in sorted(stored, key=lambda commit: commit.name):
        try:
            lane, _ = commits.parse_name(commit.name)
        except BadInput:
            continue
        lanes.setdefault(lane, []).append(commit)
    return lanes


def records_of(cut: Cut, lanes: Lanes) -> list[bytes]:
    """The records that a cut tells of, from their lanes' commits.

    Raises:
        BadInput: one of them is not stored (any more).
    """
    return [envelope for lane in cut.lanes for envelope in _between(lane, lanes.get(lane.lane, ()))]


def _between(lane: LaneCut, stored: Sequence[StoredCommit]) -> list[bytes]:
    found: list[bytes] = []
    for commit in stored:
        _, sequence = commits.parse_name(commit.name)
        if lane.first <= sequence < lane.next:
            found += commits.unpack(commit.body)
    wanted = lane.next - lane.first
    if len(found) < wanted:
        raise BadInput(field=f"lane {lane.lane}", got=f"{len(found)} records", expected=f"{wanted} from {lane.first}")
    return found[:wanted]  # of a broken lane's last commit the beginning counts
