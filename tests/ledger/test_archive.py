"""Shipping and retiring: everything goes outside once, locked, and nothing goes from the cluster before."""

from datetime import timedelta

import pytest

from interlock.core.audit import commits, cut, segment
from interlock.core.audit.merging import Log
from interlock.core.ports import StoredCommit
from interlock.errors import Conflict, Fork, Unavailable
from interlock.ledger.retiring import ENDED_STAYS, Keep, Shipped, removable, taken
from interlock.ledger.shipping import Unlocked
from tests.fakes.lane_store import Fate
from tests.fakes.log_store import FakeLogStore, at
from tests.ledger.guards import HandClock, Ledger, body, running, settled, written
from tests.ledger.logs import NOTHING, NotaryKey, Whole, archive, notary, segments, turned, walked


async def test_log_outside_is_the_log() -> None:
    """Each segment is one locked object, records included, and together they verify."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        for name in ("a", "b"):
            await whole.record(name)
        await whole.archive.turn()

    walk = walked(whole.shipped())
    assert (walk.records, list(whole.outside.versions_of)) == (
        3,
        ["log/2026-11/000000000000", "log/2026-11/000000000001"],
    )
    assert {found[0].mode for found in whole.outside.versions_of.values()} == {"COMPLIANCE"}
    assert (whole.archive.status.number, whole.archive.status.waiting) == (1, 0)


async def test_retired_are_only_shipped_commits_and_the_log_goes_on() -> None:
    """With no room at all the newest commit and the lane's beginning stay; a new leader goes on all the same."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        for name in ("a", "b", "c"):
            await whole.record(name)
        await whole.archive.turn()
        kept = [commits.parse_name(each.name)[1] for each in ledger.store.stored()]
        whole.lead()
        await whole.record("d")
        await whole.archive.turn()

    assert (kept, [segment.parse_name(each.name) for each in whole.store.stored()]) == ([0, 3], [3])
    walk = walked(whole.shipped())
    assert (walk.records, [lane.certificate is not None for lane in walk.lanes.values()]) == (5, [True])


async def test_new_leader_finds_outside_what_is_retired_here() -> None:
    """The newest checkpoint stays in the cluster, its records do not: it counts as shipped, and the log goes on."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        for name in ("a", "b"):
            await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5)
        await turned(whole.notary)
        await whole.archive.turn()
        whole.lead()
        await whole.archive.turn()
        before = whole.archive.status.number
        await whole.record("c")
        await whole.archive.turn()

    assert (before, whole.archive.status.number, walked(whole.shipped()).records) == (0, 1, 4)


@pytest.mark.parametrize("fate", [Fate.FAILS_BEFORE, Fate.FAILS_AFTER])
async def test_lost_answers_of_the_store_cost_nothing(fate: Fate) -> None:
    """Put again after no answer: one object, the same bytes, and it counts as shipped."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        await whole.record("a")
        whole.outside.plan(fate)
        with pytest.raises(Unavailable):
            await whole.archive.turn()
        before = whole.archive.status.number
        await whole.archive.turn()

    assert (before, whole.archive.status.number) == (-1, 0)
    assert [len(found) for found in whole.outside.versions_of.values()] == [1]
    assert walked(whole.shipped()).records == 2


async def test_store_that_does_not_lock_is_found_out() -> None:
    """What was put is read back; without its lock it is not shipped, and the cluster forgets nothing."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        whole.outside.forgets_locks = True
        await whole.record("a")
        with pytest.raises(Unlocked, match="its lock is none; it is locked until never"):
            await whole.archive.turn()

    assert (whole.archive.status.number, len(ledger.store.stored())) == (-1, 2)


async def test_foreign_segment_under_our_number_is_a_conflict() -> None:
    """Somebody else's bytes are neither overwritten nor taken for ours."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        await whole.record("a")
        whole.outside.add("log/2026-11/000000000000", b"another notary's")
        with pytest.raises(Conflict, match="another notary writes there"):
            await whole.archive.turn()

    assert len(whole.outside.versions_of["log/2026-11/000000000000"]) == 1


async def test_a_name_under_a_delete_marker_is_told_from_missing_records() -> None:
    """Where it stays taken, nothing is shipped, and it is not said that the cluster had lost anything."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        whole.outside.markers_hold_names = True
        await whole.record("a")
        whole.outside.add("log/2026-11/000000000000", b"anybody's")
        whole.outside.add("log/2026-11/000000000000", None)
        with pytest.raises(Conflict, match="log/2026-11/000000000000 taken and nothing to read: a delete marker hides"):
            await whole.archive.turn()

    assert (whole.archive.status.number, len(ledger.store.stored())) == (-1, 2)


async def test_checkpoint_that_comes_too_late_is_dropped() -> None:
    """A slow notary's CREATE arrives when its number is free again: the log outside is what it was, and goes on."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        elsewhere = FakeLogStore(ledger.store)
        await whole.record("a")
        await turned(notary(ledger, elsewhere))  # another cut of the same number
        for name in ("b", "c"):
            await whole.record(name)
        await whole.archive.turn()
        whole.store.bodies |= elsewhere.bodies
        whole.lead()
        await whole.record("d")
        await whole.archive.turn()

    assert (walked(whole.shipped()).records, list(whole.store.bodies)) == (5, [segment.name(3)])


async def test_nothing_is_skipped_that_another_leader_has_signed() -> None:
    """Two lead at a time: what one has signed the other ships as well, before anything that comes after it."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        await whole.record("a")
        await whole.archive.turn()
        other = archive(ledger, whole.store, whole.outside, keep=NOTHING)
        elsewhere = notary(ledger, whole.store, archive=other, seed="other")
        for name in ("b", "c"):  # the other one's, of which the first archive is not told, and which he never ships
            await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5)
            await turned(elsewhere)
        await ledger.lane.append(body(ledger.clock, name="d")).stored(seconds=5)
        with pytest.raises(Fork):
            await whole.notary.turn()
        whole.notary.log = None
        await turned(whole.notary)
        await whole.archive.turn()

    walk = walked(whole.shipped())
    assert (walk.records, walk.next, whole.archive.status.number) == (5, 4, 3)


async def test_log_goes_on_from_outside_when_the_cluster_has_forgotten() -> None:
    """The cluster is put back to an older state: the log outside is the log, and the new cut continues it."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        await whole.record("a")
        await whole.archive.turn()
        older = dict(whole.store.bodies)
        for name in ("b", "c"):
            await whole.record(name)
        await whole.archive.turn()
        whole.store.bodies.clear()
        whole.store.bodies |= older
        whole.lead()
        await whole.record("d")
        await whole.archive.turn()

    assert (walked(whole.shipped()).records, whole.archive.status.number) == (5, 3)


async def test_log_goes_on_from_outside_when_the_cluster_has_forgotten_everything() -> None:
    """Half a year later, without a checkpoint in the cluster: the log outside is found, wherever it is, and goes on."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger)
        for name in ("a", "b"):
            await whole.record(name)
        await whole.archive.turn()
        whole.store.bodies.clear()
        ledger.clock.turn(timedelta(days=180))
        whole.lead()
        await whole.record("c")
        await whole.archive.turn()

    walk = walked(whole.shipped())
    assert (walk.records, walk.next, walk.newest and walk.newest.epoch) == (4, 3, "2027-05")


async def test_without_a_store_nothing_is_said_to_be_outside() -> None:
    """The cluster keeps its checkpoints, and the status names none that was shipped."""
    async with running(Ledger()) as ledger:
        store = FakeLogStore(ledger.store)
        kept = archive(ledger, store, None)
        await turned(notary(ledger, store, archive=kept))
        await kept.turn()

    assert (kept.status.number, kept.status.at, kept.status.waiting) == (-1, None, 0)


async def test_without_a_store_the_oldest_go_when_there_is_no_room() -> None:
    """Nothing is shipped; a bound in bytes is kept all the same."""
    async with running(Ledger()) as ledger:
        store = FakeLogStore(ledger.store)
        kept = archive(ledger, store, None, keep=NOTHING)
        made = notary(ledger, store, archive=kept)
        for name in ("a", "b", "c"):
            await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5)
            await turned(made)
        await kept.turn()

        assert [commits.parse_name(each.name)[1] for each in ledger.store.stored()] == [0, 3]


async def _closed() -> tuple[list[StoredCommit], Shipped, Log]:
    """A closed lane of four commits, all of it shipped, each commit stored at the clock's beginning."""
    ledger = await written(["a", "b"])
    store = FakeLogStore(ledger.store)
    made = notary(ledger, store)
    await turned(made)
    [only] = segments(store)
    shipped = Shipped()
    shipped.note(cut.opened(only.cut, NotaryKey().trust))
    assert made.log is not None
    stored = [at(commit, HandClock()()) for commit in ledger.store.stored()]
    return stored, shipped, made.log


@pytest.mark.parametrize(
    ("keep", "later", "left"),
    [
        (Keep(age=timedelta(hours=1), bytes=10**6), timedelta(minutes=50), [0, 1, 2, 3]),
        (Keep(age=timedelta(hours=1), bytes=10**6), timedelta(minutes=70), [3]),
        (Keep(age=timedelta(hours=1), bytes=10**6), ENDED_STAYS * 2, []),
        (Keep(age=None, bytes=0), timedelta(), [3]),
        (Keep(age=None, bytes=10**6), timedelta(days=300), [0, 1, 2, 3]),
    ],
    ids=["young", "old", "a lane that ended long ago", "no room", "room, and no age"],
)
async def test_how_long_commits_stay(keep: Keep, later: timedelta, left: list[int]) -> None:
    """By age, or while there is room; a lane's last commit for a day after its end."""
    stored, shipped, log = await _closed()
    gone = removable(stored, shipped, needed=log.keeps, keep=keep, now=HandClock()() + later)

    assert [commits.parse_name(each.name)[1] for each in stored if each not in gone] == left


async def test_what_was_not_shipped_stays() -> None:
    """Whatever its age, whatever the room."""
    stored, _, log = await _closed()

    assert removable(stored, Shipped(), needed=log.keeps, keep=NOTHING, now=HandClock()() + timedelta(days=99)) == []


async def test_a_notary_needs_no_guard() -> None:
    """Heartbeats are shipped though nobody records anything."""
    whole = Whole(Ledger())
    await turned(whole.notary)
    whole.ledger.clock.turn(timedelta(minutes=2))
    await turned(whole.notary)
    await whole.archive.turn()
    await settled()

    assert (len(whole.outside.versions_of), walked(whole.shipped()).records) == (2, 0)


async def test_what_waits_is_what_is_not_outside() -> None:
    """In bytes, as the cluster holds it: merged or not, until it is shipped and read back."""
    async with running(Ledger()) as ledger:
        whole = Whole(ledger, keep=Keep(age=None, bytes=2**40))
        await whole.record("a")
        everything = ledger.store.stored()
        before = whole.archive.pending_bytes(everything)
        await whole.archive.turn()
        after = whole.archive.pending_bytes(ledger.store.stored())

    assert (before, after) == (sum(taken(each) for each in everything), 0)
