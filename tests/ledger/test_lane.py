"""The ledger of a guard: order, group commit, certification, clocks, forks, bounds, the end."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from interlock.core.audit import commits, dsse, lanes, record
from interlock.core.audit.leaf import leaf_hash
from interlock.errors import SinkFault
from interlock.ledger import committer
from interlock.ledger import lane as lane_module
from interlock.ledger.pending import PendingRecord
from interlock.ledger.status import LaneStatus
from tests.fakes.lane_store import FakeLaneStore, Fate, Parked, Planned
from tests.fakes.notary import Answer, FakeNotary
from tests.ledger.guards import HandClock, Ledger, body, running, settled, small, written


async def _let_through(parked: Parked) -> None:
    """Answer every call that waits, and those that follow."""
    while parked.waits:
        parked.decide(Fate.SUCCEEDS)
        await settled()


async def test_a_receipt_names_the_stored_record() -> None:
    """Id, lane, sequence and leaf hash are those of the envelope in the store."""
    ledger = Ledger()
    async with running(ledger):
        receipt = await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
        [stored] = ledger.store.stored()
        envelope = commits.unpack(stored.body)[receipt.sequence]
        head = record.head(dsse.parse(envelope).payload)

    assert (receipt.record_id, receipt.lane, receipt.sequence) == (head.id, head.lane, head.sequence)
    assert receipt.leaf == leaf_hash(envelope)


async def test_a_quiet_life() -> None:
    """Opened, three decisions, closed: one lane, proven through its LaneClose."""
    ledger = await written(["a", "b", "c"])
    [report] = ledger.verify().lanes

    assert ledger.kinds() == ["LaneOpen", "Decision", "Decision", "Decision", "LaneClose"]
    assert (report.status, report.records, report.closed, report.certified_at) == (lanes.Status.PROVEN, 5, True, 0)


async def test_what_waits_shares_a_commit() -> None:
    """While one commit is being stored, everything else gathers for the next; order is the order of calls."""
    ledger = Ledger()
    async with running(ledger):
        pending = [ledger.lane.append(small(ledger.clock)) for _ in range(100)]
        receipts = [await one.stored(seconds=5) for one in pending]
        sizes = [len(commits.unpack(commit.body)) for commit in ledger.store.stored()]

    assert [receipt.sequence for receipt in receipts] == list(range(1, 101))
    assert sizes == [commits.MAX_RECORDS, 101 - commits.MAX_RECORDS]
    assert ledger.verify().status is lanes.Status.PROVEN


async def test_what_nobody_waits_for_shares_a_commit() -> None:
    """Records that linger are stored together, with the first record that somebody waits for at the latest."""
    ledger = Ledger()
    async with running(ledger):
        await settled()
        lingering = []
        for _ in range(5):
            lingering.append(ledger.lane.append(small(ledger.clock), linger=True))
            await settled()
        await ledger.lane.append(small(ledger.clock)).stored(seconds=5)
        sizes = [len(commits.unpack(commit.body)) for commit in ledger.store.stored()]
        receipts = [await one.stored(seconds=0) for one in lingering]

    assert (sizes, [receipt.sequence for receipt in receipts]) == ([1, 6], [1, 2, 3, 4, 5])


@pytest.mark.parametrize("count", [1, commits.MAX_RECORDS], ids=["one", "a commit full"])
async def test_what_nobody_waits_for_is_stored_soon(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that lingers is stored when its time is over; a full commit does not wait for that."""
    monkeypatch.setattr(committer, "LINGER_SECONDS", 0.01 if count == 1 else 3600)
    ledger = Ledger()
    async with running(ledger):
        await settled()
        pending = [ledger.lane.append(small(ledger.clock), linger=True) for _ in range(count)]
        receipts = [await one.stored(seconds=5) for one in pending]
        monkeypatch.setattr(committer, "LINGER_SECONDS", 0.01)

    assert len(receipts) == count


async def test_large_records_are_spread_over_commits() -> None:
    """A commit ends before it grows beyond its bytes."""
    ledger = Ledger()
    big = body(ledger.clock) | {"message": "x" * 40_000}
    async with running(ledger):
        for pending in [ledger.lane.append(big) for _ in range(5)]:
            await pending.stored(seconds=5)
        sizes = [len(commits.unpack(commit.body)) for commit in ledger.store.stored()]

    assert sizes == [3, 2, 1]
    assert ledger.verify().status is lanes.Status.PROVEN


async def test_no_receipt_before_the_store_answered() -> None:
    """While the store keeps a commit waiting, so does the ledger; the waiter gets a fault, later a receipt."""
    store = FakeLaneStore(parked := Parked())
    ledger = Ledger(store)
    await ledger.lane.start()
    pending = ledger.lane.append(body(ledger.clock))
    with pytest.raises(SinkFault, match=pending.record_id):
        await pending.stored(seconds=0.01)
    await _let_through(parked)

    assert (await pending.stored(seconds=0)).record_id == pending.record_id
    with pytest.raises(SinkFault, match="1 records are not known to be stored"):
        await ledger.lane.close(seconds=0)


async def test_an_outage_loses_nothing() -> None:
    """With the store away for a while, receipts come late and the status says why."""
    fates = [Fate.FAILS_BEFORE, Fate.FAILS_AFTER, Fate.FORBIDDEN] * 5
    store = FakeLaneStore(Planned(create=fates, read=[Fate.FAILS_BEFORE]))
    ledger = await written([f"n{number}" for number in range(10)], Ledger(store))

    assert ledger.verify().status is lanes.Status.PROVEN
    assert [found["target"]["name"] for found in ledger.records()[1:-1]] == [f"n{number}" for number in range(10)]


async def test_status_follows_the_store() -> None:
    """The fault of an outage shows while it lasts."""
    store = FakeLaneStore(parked := Parked())
    ledger = Ledger(store)
    await ledger.lane.start()
    await settled()
    parked.decide(Fate.FORBIDDEN)
    await settled()
    during = ledger.lane.status
    parked.decide(Fate.SUCCEEDS)
    await settled()
    after = ledger.lane.status
    with pytest.raises(SinkFault):
        await ledger.lane.close(seconds=0)

    assert (during.pending_records, during.commits) == (1, 0)
    assert during.fault == f"may not create {commits.name(during.lane, 0)}"
    assert (after.pending_records, after.pending_bytes, after.fault) == (0, 0, "")
    assert (after.commits, after.stored_records) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer.IS_AWAY, "no controller answers"),
        (Answer.REFUSES, "not a guard's token"),
        (Answer.HANGS, "did not answer within"),
        (Answer.NAMES_ANOTHER_LANE, "instead of"),
        (Answer.IS_LATE, "clocks of guard and notary differ by -3600 s"),
        (Answer.IS_GARBLED, "cannot be read"),
    ],
)
async def test_a_lane_opens_uncertified_and_is_certified_later(answer: Answer, why: str) -> None:
    """Whatever kept the notary from certifying, decisions went on; once it does, the whole lane is proven."""
    clock = HandClock()
    ledger = Ledger(notary=FakeNotary(clock, answers=[answer]), clock=clock)
    await ledger.lane.start(seconds=0.01)
    opened = ledger.lane.status
    await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
    await settled()
    certified = ledger.lane.status
    await ledger.lane.close(seconds=5)
    [report] = ledger.verify().lanes

    assert (opened.certified, certified.certified, certified.certificate_fault) == (False, True, "")
    assert why in opened.certificate_fault
    assert ledger.kinds() == ["LaneOpen", "Decision", "LaneCertified", "LaneClose"]
    assert (report.status, report.certified_at) == (lanes.Status.PROVEN, 2)


async def test_a_clock_set_back_begins_a_new_lane() -> None:
    """Records of a lane never seem to go back in time; the old lane says why it ended, the new one what it follows."""
    ledger = Ledger()
    async with running(ledger):
        first = await ledger.lane.append(body(ledger.clock, name="before")).stored(seconds=5)
        ledger.clock.turn(-timedelta(hours=1))
        second = await ledger.lane.append(body(ledger.clock, name="after")).stored(seconds=5)
        await settled()
    found = {receipt.lane: [r for r in ledger.records() if r["lane"] == receipt.lane] for receipt in (first, second)}

    assert [r["kind"] for r in found[first.lane]] == ["LaneOpen", "Decision", "LaneClose"]
    assert found[first.lane][-1]["reason"] == "ClockStepped"
    assert [r["kind"] for r in found[second.lane]] == ["LaneOpen", "Decision", "LaneCertified", "LaneClose"]
    assert found[second.lane][0]["after"] == first.lane
    assert ledger.verify().status is lanes.Status.PROVEN


@pytest.mark.parametrize("by", [timedelta(seconds=-19), timedelta(days=30)])
async def test_other_steps_of_the_clock_stay_in_the_lane(by: timedelta) -> None:
    """A small correction backwards, or any leap forwards, is no reason for a new lane."""
    ledger = Ledger()
    async with running(ledger):
        await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
        ledger.clock.turn(by)
        await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
    report = ledger.verify()

    assert (len(report.lanes), report.status) == (1, lanes.Status.PROVEN)


async def _forked(ledger: Ledger, parked: Parked, waiting: list[str]) -> list[PendingRecord]:
    """Let somebody else write under the lane's next name while records wait."""
    await ledger.lane.start()
    await settled()
    parked.decide(Fate.SUCCEEDS)  # the LaneOpen
    await settled()
    pending = [ledger.lane.append(body(ledger.clock, name=name)) for name in waiting]
    await settled()
    assert parked.call is not None
    ledger.store.bodies[parked.call.name] = b"somebody else's"
    await _let_through(parked)
    return pending


async def test_a_fork_moves_what_waited_to_a_new_lane() -> None:
    """Records keep their ids and their order, receipts name the new lane, and nothing is stored twice."""
    ledger = Ledger(FakeLaneStore(parked := Parked()))
    before = ledger.lane.status.lane
    pending = await _forked(ledger, parked, ["a", "b", "c"])
    receipts = [await one.stored(seconds=0) for one in pending]
    status = ledger.lane.status
    with pytest.raises(SinkFault):
        await ledger.lane.close(seconds=0)
    del ledger.store.bodies[commits.name(before, 1)]
    stored = [found for found in ledger.records() if found["kind"] == "Decision"]

    assert (status.forks, {receipt.lane for receipt in receipts}) == (1, {status.lane})
    assert [found["id"] for found in stored] == [one.record_id for one in pending]
    assert [found["target"]["name"] for found in stored] == ["a", "b", "c"]
    assert ledger.verify().status is lanes.Status.PROVEN


async def test_a_fork_after_a_clock_step_moves_behind_nobody() -> None:
    """Records of a lane closed but not stored begin a lane of their own: they are older than the lane that followed."""
    ledger = Ledger(FakeLaneStore(parked := Parked()))
    await ledger.lane.start()
    await settled()
    parked.decide(Fate.SUCCEEDS)
    await settled()
    early = ledger.lane.append(body(ledger.clock, name="early"))
    await settled()
    ledger.clock.turn(-timedelta(hours=2))
    late = ledger.lane.append(body(ledger.clock, name="late"))
    assert parked.call is not None
    taken = parked.call.name
    ledger.store.bodies[taken] = b"somebody else's"
    await _let_through(parked)
    receipts = [await early.stored(seconds=0), await late.stored(seconds=0)]
    with pytest.raises(SinkFault):
        await ledger.lane.close(seconds=0)
    del ledger.store.bodies[taken]

    assert len({receipt.lane for receipt in receipts} | {commits.parse_name(taken)[0]}) == 3
    assert [r["reason"] for r in ledger.records() if r["kind"] == "LaneClose"] == ["TakenOver"]
    assert ledger.verify().status is lanes.Status.PROVEN


async def test_a_fork_at_the_end_closes_the_new_lane() -> None:
    """When the last commit meets somebody else's, what it held is stored in a new lane, which ends in order as well."""
    ledger = Ledger(FakeLaneStore(parked := Parked()))
    await ledger.lane.start()
    await settled()
    parked.decide(Fate.SUCCEEDS)
    await settled()
    pending = ledger.lane.append(body(ledger.clock))
    closing = asyncio.create_task(ledger.lane.close(seconds=5))
    await settled()
    assert parked.call is not None
    taken = parked.call.name
    ledger.store.bodies[taken] = b"somebody else's"
    await _let_through(parked)
    await closing
    del ledger.store.bodies[taken]
    receipt = await pending.stored(seconds=0)

    assert [r["kind"] for r in ledger.records() if r["lane"] == receipt.lane] == ["LaneOpen", "Decision", "LaneClose"]


@pytest.mark.parametrize(
    ("bound", "most", "reached"),
    [
        ("MAX_PENDING_BYTES", 10_000, lambda status: status.pending_bytes),
        ("MAX_PENDING_RECORDS", 10, lambda status: status.pending_records),
    ],
    ids=["bytes", "records"],
)
async def test_what_waits_is_bounded(
    bound: str, most: int, reached: Callable[[LaneStatus], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound a record is refused before it has a place; with room again the lane goes on without a gap."""
    monkeypatch.setattr(lane_module, bound, most)
    ledger = Ledger(FakeLaneStore(parked := Parked()))
    await ledger.lane.start()
    accepted = []
    while reached(ledger.lane.status) < most:
        accepted.append(ledger.lane.append(body(ledger.clock)))
    with pytest.raises(SinkFault, match="wait to be stored"):
        ledger.lane.append(body(ledger.clock))
    await settled()
    await _let_through(parked)
    accepted.append(ledger.lane.append(body(ledger.clock)))
    closing = asyncio.create_task(ledger.lane.close(seconds=5))
    await settled()
    await _let_through(parked)
    await closing

    assert len(ledger.records()) == len(accepted) + 2
    assert ledger.verify().status is lanes.Status.PROVEN


async def test_nothing_is_accepted_outside_its_life() -> None:
    """Before the start and after the end `append` refuses, and nothing can be started twice."""
    ledger = Ledger()
    with pytest.raises(SinkFault, match="not open"):
        ledger.lane.append(body(ledger.clock))
    async with running(ledger):
        with pytest.raises(ValueError, match="once"):
            await ledger.lane.start()
    with pytest.raises(SinkFault, match="not open"):
        ledger.lane.append(body(ledger.clock))
    await ledger.lane.close(seconds=0)

    assert ledger.kinds() == ["LaneOpen", "LaneClose"]


async def test_an_impossible_body_takes_no_place() -> None:
    """A mistake of ours costs that one record, not the lane."""
    ledger = Ledger()
    async with running(ledger):
        with pytest.raises(ValueError, match="exceeds"):
            ledger.lane.append(body(ledger.clock) | {"message": "x" * 100_000})
        receipt = await ledger.lane.append(body(ledger.clock)).stored(seconds=5)

    assert receipt.sequence == 1
    assert ledger.verify().status is lanes.Status.PROVEN


async def test_what_is_not_stored_at_the_end_is_said() -> None:
    """When the time of the end is over, whoever waits is told at once, and so is the caller."""
    ledger = Ledger(FakeLaneStore(Parked()))
    await ledger.lane.start()
    pending = ledger.lane.append(body(ledger.clock))
    waiter = asyncio.create_task(pending.stored(seconds=60))
    with pytest.raises(SinkFault, match="3 records are not known to be stored"):
        await ledger.lane.close(seconds=0.01)

    with pytest.raises(SinkFault, match=pending.record_id):
        async with asyncio.timeout(5):
            await waiter


async def test_a_broken_store_stops_the_ledger() -> None:
    """A store that raises what it must not is a mistake of ours: the ledger refuses from then on and says so."""

    class _Broken(FakeLaneStore):
        async def create(self, name: str, body: bytes, *, lane: str) -> None:
            raise RuntimeError(f"{name} {len(body)} {lane}")

    ledger = Ledger(_Broken())
    await ledger.lane.start()
    await settled()
    with pytest.raises(SinkFault, match="ledger-committer failed: RuntimeError"):
        ledger.lane.append(body(ledger.clock))

    assert not ledger.lane.status.accepting
    with pytest.raises(SinkFault, match="ledger-committer failed"):
        await ledger.lane.close(seconds=0)


async def test_changes_are_told() -> None:
    """Whoever shows lane and certificate elsewhere hears of each change: opened, certified, closed."""
    clock = HandClock()
    ledger = Ledger(notary=FakeNotary(clock, answers=[Answer.IS_AWAY]))
    await ledger.lane.start()
    opened = ledger.changes
    await settled()
    certified = ledger.changes
    await ledger.lane.close(seconds=5)

    assert (opened, certified, ledger.changes) == (1, 2, 3)


async def test_nothing_is_taken_while_there_is_no_room() -> None:
    """Decisions are refused with the reason, the lane itself goes on, and with room again so do they."""
    async with running(Ledger()) as ledger:
        await settled()
        ledger.lane.refuse("64 MiB wait to be shipped")
        with pytest.raises(SinkFault, match="64 MiB wait to be shipped"):
            ledger.lane.append(body(ledger.clock))
        ledger.lane.refuse("")
        receipt = await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
        ledger.lane.refuse("again")

    assert (receipt.sequence, ledger.kinds()) == (1, ["LaneOpen", "Decision", "LaneClose"])
