"""Tampering with the log outside, the cluster or both: each way of it, what verification says, and by which evidence.

The log has six segments of one guard's decisions. A thief may hold the lane's key or the notary's, and write whatever
he likes to a store that does not lock; what only a lock, a remembered checkpoint or freshness shows says so.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.core.audit import commits, cut, dsse, lanes, logwalk, record, segment, vouching
from interlock.core.audit.checkpoint import Checkpoint, signed
from interlock.core.audit.lanes import Status
from interlock.core.audit.lanewalk import Bad
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.logreport import LogReport
from interlock.core.audit.logwalk import Evidence
from interlock.core.audit.segment import Segment
from interlock.core.audit.tree import Frontier
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject
from interlock.ledger import readahead
from interlock.ledger.chain import SEED_BYTES
from interlock.ledger.sightings import Sighting
from interlock.ledger.verifying import MAX_AGE, Verification, Wanted
from tests.fakes.object_store import FakeObjectStore, Version
from tests.ledger.guards import Entropy, HandClock, Ledger, body, running
from tests.ledger.logs import RETENTION, NotaryKey, Whole

NAMES = ("a", "b", "c", "d", "e", "f")
LAST = len(NAMES) - 1
KEY = NotaryKey()
FOREIGN = NotaryKey(b"x" * 32)


def _key(number: int) -> str:
    return segment.key("2026-11", number)


@dataclass(frozen=True, slots=True)
class Held:
    """What a run left behind.

    Attributes:
        versions: of the store outside.
        commits: in the cluster.
        newest: the newest checkpoint in the cluster.
    """

    versions: dict[str, list[Version]]
    commits: list[StoredCommit]
    newest: StoredCommit


async def _made() -> Held:
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        for name in NAMES:
            await whole.record(name)
        await whole.archive.turn()
        return Held(whole.outside.versions_of, ledger.store.stored(), whole.store.stored()[-1])


HELD = asyncio.run(_made())
BODIES = {number: HELD.versions[_key(number)][0].body or b"" for number in range(len(NAMES))}
LANE = commits.parse_name(HELD.commits[0].name)[0]


class Store:
    """A copy of the store, to be tampered with."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.clock.turn(timedelta(seconds=1))
        self.outside = FakeObjectStore(self.clock)
        self.outside.versions_of = {key: list(found) for key, found in HELD.versions.items()}

    def replace(self, number: int, body: bytes) -> None:
        """Put other bytes in the place of a version, as a store without a lock lets one do."""
        [was] = self.outside.versions_of[_key(number)]
        self.outside.versions_of[_key(number)] = [replace(was, body=body)]

    def drop(self, *numbers: int) -> None:
        """Remove segments."""
        for number in numbers:
            del self.outside.versions_of[_key(number)]

    def report(self, wanted: Wanted | None = None) -> LogReport:
        """What verification says."""
        verification = Verification(
            self.outside, KEY.trust, wanted=wanted or Wanted(), progress=lambda _done, _total: None
        )
        return asyncio.run(verification.run())


def _segment(number: int) -> Segment:
    return segment.unpack(BODIES[number])


def _payload(envelope: bytes) -> JsonObject:
    return record.decode(dsse.parse(envelope).payload)


def _edited(envelope: bytes) -> bytes:
    """A record of somebody else's deed, its signature left as it was."""
    parsed = dsse.parse(envelope)
    return replace(parsed, payload=parsed.payload.replace(b'"name":"ada"', b'"name":"eve"')).encode()


def _stolen(envelope: bytes) -> bytes:
    """The same, signed anew with the lane's stolen key."""
    thief = Ed25519PrivateKey.from_private_bytes(Entropy()(SEED_BYTES))
    parsed = dsse.parse(_edited(envelope))
    return dsse.seal(parsed.payload_type, parsed.payload, keyid=LANE, sign=thief.sign).encode()


def _with_records(number: int, change: Callable[[list[bytes]], Sequence[bytes]]) -> Callable[[Store], None]:
    """Change the records of a segment and leave the rest of it."""

    def _change(store: Store) -> None:
        was = _segment(number)
        store.replace(number, replace(was, records=tuple(change(list(was.records)))).pack())

    return _change


def _resealed(number: int, key: NotaryKey, **changes: object) -> Callable[[Store], None]:
    """Another cut, signed by a key, with a checkpoint that fits it."""

    def _change(store: Store) -> None:
        was = _segment(number)
        store.replace(number, _sealed(was, replace(cut.opened(was.cut, KEY.trust), **changes), key).pack())  # type: ignore[arg-type]

    return _change


def _sealed(was: Segment, made: cut.Cut, key: NotaryKey) -> Segment:
    envelope = cut.seal(made, sign=key.sign)
    tree = made.tree.append([bytes.fromhex(leaf_hash(envelope))])
    over = Checkpoint(origin=cut.origin(made.cluster, made.epoch), size=tree.size, root=tree.root)
    note = signed(over, key=key.public, sign=key.sign)
    return replace(was, cut=envelope, checkpoint=note)


def _rewritten(store: Store) -> None:
    """The whole log from segment 3 on, written anew with both stolen keys: the record never happened."""
    walk = logwalk.LogWalk(KEY.trust)
    tree, previous = Frontier(), ""
    for number in range(3):
        made, _ = walk.take(_segment(number))
        previous = leaf_hash(_segment(number).cut)
        tree = made.tree.append([bytes.fromhex(previous)])
    made = cut.opened(_segment(3).cut, KEY.trust)
    lane = replace(made.lanes[0], first=made.lanes[0].first, next=made.lanes[0].first, leaf=made.lanes[0].previous)
    for number in range(3, len(NAMES)):
        now = cut.opened(_segment(number).cut, KEY.trust).time
        forged = replace(made, number=number, time=now, previous=previous, tree=tree, lanes=(lane,))
        new = _sealed(replace(_segment(number), records=()), forged, KEY)
        store.replace(number, new.pack())
        previous = leaf_hash(new.cut)
        tree = tree.append([bytes.fromhex(previous)])


def _swapped(store: Store) -> None:
    store.replace(2, BODIES[3])
    store.replace(3, BODIES[2])


def _new_version(store: Store) -> None:
    store.outside.add(_key(3), BODIES[2], retain_until=store.clock() + RETENTION)


def _hidden(store: Store) -> None:
    store.outside.add(_key(3), None)


def _littered(store: Store) -> None:
    store.outside.add("log/2026-11/3", b"")


def _stopped(store: Store) -> None:
    store.drop(LAST)
    store.clock.turn(MAX_AGE)


def _unlocked(store: Store) -> None:
    [was] = store.outside.versions_of[_key(3)]
    store.outside.versions_of[_key(3)] = [replace(was, mode="GOVERNANCE")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A way of tampering.

    Attributes:
        change: of the store.
        number: of the cut that is named.
        evidence: that shows it.
        lane: whether a record's place in its lane is named.
        status: what verification says.
    """

    change: Callable[[Store], None]
    number: int
    evidence: str
    lane: bool = False
    status: Status = Status.TAMPERED


OVER = logwalk.alone(_segment(LAST), KEY.trust)[1]
KNOWN = Wanted(seen=(Sighting(checkpoint=OVER, evidence="somebody who has seen it"),))

CASES = {
    "a record is modified": Case(
        change=_with_records(3, lambda found: [_edited(found[0])]), number=3, evidence=Evidence.RECORD, lane=True
    ),
    "a record is modified with the lane's stolen key": Case(
        change=_with_records(3, lambda found: [_stolen(found[0])]), number=3, evidence=Evidence.LANES, lane=True
    ),
    "a record is dropped": Case(
        change=_with_records(3, lambda _: []), number=3, evidence=Evidence.LANES, lane=True
    ),
    "a record is repeated": Case(
        change=_with_records(3, lambda found: [*found, *found]), number=3, evidence=Evidence.LANES
    ),
    "a record of an earlier segment is replayed": Case(
        change=_with_records(3, lambda _: _segment(2).records), number=3, evidence=Evidence.RECORD, lane=True
    ),
    "two records change places": Case(
        change=_with_records(0, lambda found: found[::-1]), number=0, evidence=Evidence.RECORD, lane=True
    ),
    "bytes of an object are broken": Case(
        change=lambda store: store.replace(3, BODIES[3][:-7]), number=3, evidence=Evidence.OBJECT
    ),
    "two segments change places": Case(change=_swapped, number=2, evidence=Evidence.ORDER),
    "a segment in the middle is dropped": Case(
        change=lambda store: store.drop(3), number=3, evidence="the numbers of segments"
    ),
    "a segment is replayed under the next number": Case(
        change=lambda store: store.replace(4, BODIES[3]), number=4, evidence=Evidence.ORDER
    ),
    "the beginning is dropped": Case(
        change=lambda store: store.drop(0, 1), number=1, evidence="the numbers of segments", status=Status.INCOMPLETE
    ),
    "a cut is signed by another notary": Case(
        change=_resealed(3, FOREIGN), number=3, evidence=Evidence.CUT
    ),
    "a cut is written anew with the notary's stolen key": Case(
        change=_resealed(3, KEY, time=cut.opened(_segment(3).cut, KEY.trust).time + timedelta(seconds=1)),
        number=4,
        evidence=Evidence.ORDER,
    ),
    "a cut is dated back with the notary's stolen key": Case(
        change=_resealed(3, KEY, time=cut.opened(_segment(3).cut, KEY.trust).time - timedelta(hours=1)),
        number=3,
        evidence=Evidence.ORDER,
    ),
    "a cut forgets a lane with the notary's stolen key": Case(
        change=_resealed(3, KEY, lanes=()), number=3, evidence=Evidence.LANES
    ),
    "a cut has another tree with the notary's stolen key": Case(
        change=_resealed(3, KEY, tree=Frontier(8, (b"t" * 32,))), number=3, evidence=Evidence.TREE
    ),
    "a checkpoint is that of another segment": Case(
        change=lambda store: store.replace(3, replace(_segment(3), checkpoint=_segment(2).checkpoint).pack()),
        number=3,
        evidence=Evidence.CHECKPOINT,
    ),
    "an object is hidden by a delete marker": Case(change=_hidden, number=3, evidence="the store's versions"),
    "an object is overwritten by a new version": Case(
        change=_new_version, number=3, evidence="the store's versions"
    ),
    "an object is not locked as it should be": Case(
        change=_unlocked, number=3, evidence="the store's word on its lock"
    ),
    "something else lies among the segments": Case(change=_littered, number=-1, evidence="the store's list"),
    "the end is dropped, and time goes by": Case(
        change=_stopped,
        number=LAST,
        evidence="the heartbeat",
        status=Status.INCOMPLETE,
    ),
}  # fmt: skip


def test_the_clean_log_is_proven() -> None:
    """Seven records in six segments, from the beginning, locked, through the newest cut."""
    report = Store().report(KNOWN)

    assert (report.status, report.faults, report.silences) == (Status.PROVEN, (), ())
    assert (report.records, report.first, report.last, report.lanes, report.open) == (7, 0, LAST, 1, 1)
    assert (report.through, report.size) == (cut.opened(_segment(LAST).cut, KEY.trust).time, 13)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_tampering_is_found(case: Case) -> None:
    """The first bad cut is named, the record's place where one is at fault, and what shows it."""
    store = Store()
    case.change(store)
    report = store.report()
    fault = report.faults[0]

    assert (report.status, fault.number, fault.evidence, bool(fault.lane)) == (
        case.status,
        case.number,
        case.evidence,
        case.lane,
    )
    assert report.last < len(NAMES)


def test_first_bad_record_is_named() -> None:
    """By its id, where it stands."""
    store = Store()
    CASES["a record is modified"].change(store)
    [fault] = store.report().faults
    [changed] = _segment(3).records

    assert (fault.record_id, fault.lane, fault.sequence) == (
        _payload(changed)["id"],
        LANE,
        _payload(changed)["sequence"],
    )


@pytest.mark.parametrize(
    ("change", "wanted"),
    [(lambda store: store.drop(LAST), Wanted()), (_rewritten, Wanted())],
    ids=["the end is dropped at once", "the log is written anew with both stolen keys"],
)
def test_what_the_log_alone_cannot_show_a_remembered_checkpoint_does(
    change: Callable[[Store], None], wanted: Wanted
) -> None:
    """In a store that locks nothing; who verified before finds it out."""
    store = Store()
    change(store)
    alone, remembering = store.report(wanted), store.report(KNOWN)

    assert (alone.status, remembering.status) == (Status.PROVEN, Status.TAMPERED)
    assert [fault.evidence for fault in remembering.faults] == ["somebody who has seen it"]


def test_months_before_one_need_not_be_there() -> None:
    """Asked from a month on whose first cut is there, earlier ones are not missed."""
    report = Store().report(Wanted(since="2026-12"))

    assert (report.status, report.last) == (Status.INCOMPLETE, -1)


def _cluster(stored: Sequence[StoredCommit]) -> lanes.Report:
    """What is said of the cluster when the log outside was verified."""
    walk = logwalk.LogWalk(KEY.trust)
    for number in range(len(NAMES)):
        walk.take(_segment(number))
    newest, _ = logwalk.alone(segment.unpack(HELD.newest.body), KEY.trust)
    return lanes.verify(stored, KEY.trust, newest=newest, outside={LANE: walk.lanes[LANE].next})


def test_cluster_and_log_together_are_proven() -> None:
    """What the cluster has forgotten the log has."""
    report = _cluster(HELD.commits)

    assert (report.status, report.faults, [lane.missing for lane in report.lanes]) == (Status.PROVEN, (), [4])


@pytest.mark.parametrize("missing", [0, -1], ids=["its beginning", "its newest commit"])
def test_commits_that_are_never_retired_are_missed(missing: int) -> None:
    """Of an open lane the newest commit stays, whatever is outside; and the beginning may go, since the log has it."""
    left = [each for each in HELD.commits if each is not HELD.commits[missing]]
    report = _cluster(left)

    assert report.status is (Status.PROVEN if missing == 0 else Status.TAMPERED)


async def test_pending_record_that_is_deleted_before_a_cut_leaves_no_trace_here() -> None:
    """Between two cuts only the API server's audit log knows; that is said, not hidden."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        await whole.record("a")
        receipt = await ledger.lane.append(body(ledger.clock, name="b")).stored(seconds=5)
        newest, _ = logwalk.alone(segment.unpack(whole.store.stored()[-1].body), KEY.trust)
        left = [each for each in ledger.store.stored() if each.name != commits.name(receipt.lane, receipt.sequence)]

    assert lanes.verify(left, KEY.trust, newest=newest).status is Status.PROVEN
    assert "after the newest checkpoint" in lanes.TAILS


def _walk(body: bytes, vouched: Mapping[int, bytes]) -> logwalk.LogWalk:
    walk = logwalk.LogWalk(KEY.trust)
    for number in range(3):
        walk.take(_segment(number))
    walk.read(body, vouched=vouched)
    return walk


def test_helpers_vouch_for_good_signatures_only() -> None:
    """By the key that they were given; what is no longer what was signed, or of an unknown lane, is left out."""
    walk = logwalk.LogWalk(KEY.trust)
    walk.take(_segment(0))
    good = vouching.vouched(BODIES[3], walk.keys)
    was = _segment(3)
    edited = replace(was, records=tuple(map(_edited, was.records))).pack()

    assert (good, vouching.vouched(edited, walk.keys)) == ({0: walk.keys[LANE]}, {})
    assert (vouching.vouched(BODIES[3], {}), vouching.vouched(b"nonsense", walk.keys)) == ({}, {})
    assert _walk(BODIES[3], good).records == 5


def test_vouching_under_another_key_is_worth_nothing() -> None:
    """A helper that is wrong about the key makes no bad signature good."""
    was = _segment(3)
    edited = replace(was, records=tuple(map(_edited, was.records))).pack()
    with pytest.raises(Bad, match="a signature that does not verify"):
        _walk(edited, {0: b"x" * 32})


def test_with_helpers_it_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proven is proven, and what is tampered with is found where it is."""
    alone = Store().report()
    monkeypatch.setattr(readahead, "WORTH_HELP", 1)
    helped, tampered = Store().report(), Store()
    CASES["a record is modified"].change(tampered)
    [fault] = tampered.report().faults

    assert (helped == alone, fault.number, fault.evidence) == (True, 3, Evidence.RECORD)
