"""Merging: what lanes hold becomes one log that verifies, whatever happens to the notary."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.core.audit import checkpoint, commits, cut, dsse, keyring, logwalk, segment
from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.cut import Cut, LaneCut, State
from interlock.core.audit.lanewalk import Bad
from interlock.core.audit.tree import Frontier
from interlock.errors import Fork
from tests.fakes.lane_store import FakeLaneStore
from tests.fakes.log_store import FakeLogStore
from tests.ledger.guards import CLUSTER, Entropy, HandClock, Ledger, body, running, settled, written
from tests.ledger.logs import NotaryKey, notary, segments, turned, walked

LONG = timedelta(minutes=2)


async def test_records_of_two_guards_become_one_log() -> None:
    """Every record of both lanes is in the log once, and both lanes are closed in it."""
    clock = HandClock()
    lanes = FakeLaneStore()
    for seed in ("one", "two"):
        await written(["a", "b"], Ledger(lanes, clock=clock, seed=seed))
    store = FakeLogStore(lanes)
    made = notary(Ledger(lanes, clock=clock), store)
    await turned(made)

    walk = walked(segments(store))
    assert (walk.records, set(walk.ended.values()), walk.next, walk.begins_epoch) == (8, {State.CLOSED}, 1, True)
    assert made.status.size == 9  # and the cut


async def test_heartbeat_without_records_is_a_checkpoint_of_its_own() -> None:
    """Nothing happened, a minute went by: another cut; nothing happened, no minute: none."""
    ledger = Ledger()
    store = FakeLogStore(ledger.store)
    made = notary(ledger, store)
    await turned(made, 3)
    ledger.clock.turn(LONG)
    await turned(made, 3)

    assert [segment.parse_name(each.name) for each in store.stored()] == [0, 1]
    assert walked(segments(store)).records == 0


async def test_clock_that_is_set_back_makes_no_older_cut() -> None:
    """Heartbeats go on, none of them is older than the one before, and the log verifies."""
    ledger = Ledger()
    store = FakeLogStore(ledger.store)
    made = notary(ledger, store)
    await turned(made)
    ledger.clock.turn(-timedelta(hours=1))
    await turned(made, 2)
    ledger.clock.turn(LONG)
    await turned(made)

    walk = walked(segments(store))
    assert (walk.next, walk.newest and walk.newest.time.hour) == (3, 10)


async def test_another_notary_goes_on_where_the_first_one_ended() -> None:
    """A new leader knows every lane and the tree from what is stored; the log is one."""
    async with running(Ledger()) as ledger:
        store = FakeLogStore(ledger.store)
        for name in ("a", "b", "c"):
            await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5)
            await turned(notary(ledger, store))

    walk = walked(segments(store))
    assert (walk.records, walk.next, len(walk.open)) == (4, 3, 1)


async def test_two_notaries_at_once_leave_one_log() -> None:
    """The slower one meets a taken number, writes nothing, and begins anew."""
    async with running(Ledger()) as ledger:
        await settled()
        store = FakeLogStore(ledger.store)
        fast, slow = notary(ledger, store), notary(ledger, store, seed="slow")
        await turned(fast)
        await turned(slow)
        for name in ("a", "b"):
            await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5)
            await turned(fast)
        with pytest.raises(Fork):
            await slow.turn()

    assert walked(segments(store)).records == 3


async def test_lane_of_a_dead_guard_is_ended_by_the_notary() -> None:
    """Quiet and nobody's: a LaneAbandoned, signed by the notary, is its last record in store and log."""
    async with running(Ledger()) as ledger:
        await settled()
        store = FakeLogStore(ledger.store)
        made = notary(ledger, store, alive=[])
        await turned(made, 2)
        ledger.clock.turn(LONG)
        await turned(made, 2)

        walk = walked(segments(store))
        assert (set(walk.ended.values()), ledger.kinds(), walk.records) == (
            {State.ABANDONED},
            ["LaneOpen", "LaneAbandoned"],
            2,
        )
        assert ledger.verify().status == "proven"


async def test_guard_whose_lane_was_ended_goes_on_in_another() -> None:
    """It meets the taken name; its record is in the new lane, and in the log once."""
    async with running(Ledger()) as ledger:
        await settled()
        store = FakeLogStore(ledger.store)
        made = notary(ledger, store, alive=[])
        await turned(made, 2)
        ledger.clock.turn(LONG)
        await turned(made, 2)
        receipt = await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
        await turned(made)

    walk = walked(segments(store))
    assert (len(walk.lanes), list(walk.ended.values())) == (2, [State.ABANDONED])
    assert walk.lanes[receipt.lane].next == receipt.sequence + 1
    assert [each["id"] for each in ledger.records()].count(receipt.record_id) == 1


@pytest.mark.parametrize("alive", [None, "its own"])
async def test_lane_of_a_guard_that_may_live_is_left_alone(alive: str | None) -> None:
    """However long it is quiet: while its guard lives, or nobody knows."""
    async with running(Ledger()) as ledger:
        await settled()
        store = FakeLogStore(ledger.store)
        made = notary(ledger, store, alive=None if alive is None else [ledger.lane.status.lane])
        await turned(made, 2)
        ledger.clock.turn(LONG)
        await turned(made, 2)

        assert ledger.kinds() == ["LaneOpen"]


async def test_broken_lane_never_gets_in_and_is_ended() -> None:
    """What was good of it is in the log, the fault is told, and its guard goes on in another lane."""
    async with running(Ledger()) as ledger:
        first = await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
        store = FakeLogStore(ledger.store)
        made = notary(ledger, store)
        await turned(made)
        second = await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
        name = commits.name(second.lane, second.sequence)
        ledger.store.bodies[name] = ledger.store.bodies[name][:-9] + b"tampered!"
        await turned(made)
        ledger.clock.turn(LONG)
        await turned(made)  # says it again
        await turned(notary(ledger, store))
        walk = walked(segments(store))

        assert (walk.lanes[first.lane].next, walk.ended) == (second.sequence, {first.lane: State.BROKEN})
        assert name in walk.broken[first.lane]
        assert made.status.broken == walk.broken


async def test_lane_whose_beginning_was_changed_after_it_was_merged_is_broken() -> None:
    """A new leader cannot know its key any more: the lane ends, the log goes on, and nothing is stuck."""
    async with running(Ledger()) as ledger:
        await settled()
        store = FakeLogStore(ledger.store)
        await turned(notary(ledger, store))
        [opening] = ledger.store.bodies
        ledger.store.bodies[opening] = b"tampered"
        receipt = await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
        await turned(notary(ledger, store), 2)
        newest, _ = logwalk.alone(segment.unpack(store.stored()[-1].body), NotaryKey().trust)

    [lane] = [lane for lane in newest.lanes if lane.lane == receipt.lane]
    assert (lane.state, lane.next) == (State.BROKEN, 1)
    assert "no longer what it was" in lane.fault


async def test_newest_checkpoint_that_was_tampered_with_is_told_and_waited_out() -> None:
    """Nothing is signed on top of it, the fault says why, and when it is what it was the log goes on."""
    async with running(Ledger()) as ledger:
        await settled()
        store = FakeLogStore(ledger.store)
        await turned(notary(ledger, store))
        name = segment.name(0)
        was = store.bodies[name]
        held = segment.unpack(was)
        forged = checkpoint.signed(
            Checkpoint(origin="interlock.dev/other", size=1, root=b"r" * 32),
            key=NotaryKey().public,
            sign=NotaryKey().sign,
        )
        store.bodies[name] = replace(held, checkpoint=forged).pack()
        made = notary(ledger, store)
        task = asyncio.create_task(made.run())
        await settled()
        fault = made.status.fault
        store.bodies[name] = was
        ledger.clock.turn(LONG)
        await settled()
        task.cancel()

    assert "the newest checkpoint is not what it was" in fault
    assert (made.status.fault, made.status.number) == ("", 1)


async def test_new_month_is_a_new_tree_that_can_be_read_alone() -> None:
    """The lane goes on; whoever has only the new month has its certificate and verifies its records."""
    async with running(Ledger()) as ledger:
        await settled()
        store = FakeLogStore(ledger.store)
        made = notary(ledger, store)
        await turned(made)
        ledger.clock.turn(timedelta(days=31))
        await turned(made)
        await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
        await turned(made)
        log = segments(store)

    whole, alone = walked(log), walked(log[1:])
    assert (whole.records, whole.newest and whole.newest.epoch) == (2, "2026-12")
    assert (alone.records, alone.begins_epoch, alone.first) == (1, True, 1)
    assert [lane.certificate is not None for lane in alone.lanes.values()] == [True]
    assert alone.checkpoint == whole.checkpoint


async def test_dropped_segment_is_found() -> None:
    """A log without one of its segments is none."""
    async with running(Ledger()) as ledger:
        store = FakeLogStore(ledger.store)
        made = notary(ledger, store)
        for name in ("a", "b", "c"):
            await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5)
            await turned(made)
        log = segments(store)

    with pytest.raises(Bad, match=r"cut 1.*cut 2"):
        walked([log[0], log[2]])


def test_the_largest_cut_fits_an_envelope() -> None:
    """As many lanes of each kind as a cut may hold, with the longest of everything."""
    certified = {"payload": "x" * 700, "payloadType": "y" * 60, "signatures": [{"keyid": "z" * 70, "sig": "s" * 88}]}
    lanes = tuple(
        LaneCut(
            lane=f"{number:016x}",
            first=10**10,
            next=10**10 + 4096,
            previous="f" * 64,
            leaf="e" * 64,
            state=State.BROKEN if number < cut.MAX_BROKEN else State.ABANDONED,
            fault="x" * cut.MAX_FAULT if number < cut.MAX_BROKEN else "",
            certificate=certified if number >= cut.MAX_OPEN - cut.MAX_CERTIFICATES else None,
        )
        for number in range(cut.MAX_OPEN)
    )
    clock = HandClock()
    key = NotaryKey()
    for number in range(keyring.MAX_ROTATIONS):
        key = key.successor(b"%032d" % number, clock())
    made = Cut(
        cluster=CLUSTER,
        epoch="2026-11",
        number=10**12 - 1,
        time=clock(),
        previous="d" * 64,
        tree=Frontier(2**33 - 1, (b"h" * 32,) * 33),
        lanes=lanes,
        ended=tuple(Entropy(str(number))(8).hex() for number in range(cut.MAX_ENDED - cut.MAX_OPEN)),
        keys=key.ring,
    )

    sealed = cut.seal(made, sign=key.sign)
    assert len(sealed) <= dsse.MAX_ENVELOPE_BYTES
    assert cut.opened(sealed, NotaryKey().trust) == made
