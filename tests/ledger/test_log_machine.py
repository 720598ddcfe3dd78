"""The whole ledger under everything at once: guards, leaders and a store outside, killed at any await, answers lost.

One guard after the other writes, one leader after the other merges, signs, ships and retires; sometimes two leaders at
a time, since a Lease is only a hint. Every call to the cluster and to the store waits until the machine decides what
becomes of it. Promises:

- every receipt ever handed out is in the log outside, exactly once, with the leaf that it names;
- the log outside verifies, whatever happened: nobody tampered, so it never says so;
- what the cluster still holds continues it;
- every day that is over has its place in the index of days.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from interlock.core.audit import cut, dayindex, dsse, lanes, record, segment
from interlock.core.audit.keyring import MAX_ROTATIONS, Trust
from interlock.core.audit.lanes import Status
from interlock.core.audit.leaf import leaf_hash
from interlock.core.types import Receipt
from interlock.errors import SinkFault
from interlock.ledger.archive import Archive
from interlock.ledger.notary import Notary
from interlock.ledger.pending import PendingRecord
from interlock.ledger.verifying import Verification, Wanted
from tests.fakes.lane_store import FakeLaneStore, Fate, Parked
from tests.fakes.log_store import FakeLogStore
from tests.fakes.notary import FakeNotary
from tests.fakes.object_store import FakeObjectStore
from tests.ledger.guards import HandClock, Ledger, small
from tests.ledger.logs import NOTHING, NotaryKey, archive, notary

TURNS = 40  # of the loop after each step: until every task waits for the machine
PATIENCE = 600  # answers at the end, until everything is outside

FATES = st.sampled_from([*(fate for fate in Fate if fate is not Fate.FORBIDDEN), *[Fate.SUCCEEDS] * 4])
COUNTS = st.sampled_from([1, 2, 70])


@dataclass(slots=True)
class Leader:
    """A controller's part of it, while it leads or believes so."""

    notary: Notary
    archive: Archive
    tasks: list[asyncio.Task[None]]


class Ledgers(RuleBasedStateMachine):
    """Guards and leaders over one cluster and one store."""

    waiting: list[PendingRecord]
    receipts: list[Receipt]

    @initialize()
    def _begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.guards, self.cluster, self.store = Parked(), Parked(), Parked()
        self.lanes = FakeLaneStore(self.guards)
        self.log = FakeLogStore(self.lanes, self.cluster)
        self.clock = HandClock()
        self.outside = FakeObjectStore(self.clock, self.store)
        self.started = 0
        self.key = NotaryKey()
        self.receipts = []
        self.leaders: list[Leader] = []
        self._start_guard()
        self._now(self._start_leader)

    # ----------------------------------------------------------------------------------------------- what happens

    @rule(count=COUNTS)
    def decide(self, count: int) -> None:
        """The guard records decisions."""
        append = self.ledger.lane.append
        self._now(lambda: self.waiting.extend([append(small(self.clock)) for _ in range(count)]))

    @rule(whom=st.sampled_from(["guards", "cluster", "store"]), fates=st.lists(FATES, min_size=1, max_size=8))
    def answer(self, whom: str, fates: list[Fate]) -> None:
        """The oldest calls of one kind are answered, or lost."""
        parked: Parked = getattr(self, whom)
        for fate in fates:
            if parked.waits:
                self._now(lambda fate=fate: parked.decide(fate))  # type: ignore[misc]

    @rule(count=st.sampled_from([3, 10, 30]))
    def go_well(self, count: int) -> None:
        """For a while everything is answered."""
        for _ in range(count):
            self._answer_all()

    @precondition(lambda self: self.lanes.late or self.log.late or self.outside.late)
    @rule()
    def land(self) -> None:
        """What was on its way for long arrives."""
        for place in (self.lanes, self.log, self.outside):
            if place.late:
                place.land()

    @rule(seconds=st.sampled_from([-15, 15, 70, 3600, 40 * 24 * 3600]))
    def turn_clock(self, seconds: int) -> None:
        """Time goes by, or a clock is set; also into the next month."""
        self.clock.turn(timedelta(seconds=seconds))

    @rule(turns=st.integers(0, 3))
    def crash_guard(self, turns: int) -> None:
        """A guard is killed where it stands; another one starts."""
        if self.guards.waits:
            self._now(lambda: self.guards.decide(Fate.SUCCEEDS), turns=turns)
        self._kill(self.guard_tasks)
        self._start_guard()

    @rule(turns=st.integers(0, 3))
    def crash_leader(self, turns: int) -> None:
        """Every leader is killed where it stands; another one begins with what is stored."""
        if self.cluster.waits:
            self._now(lambda: self.cluster.decide(Fate.SUCCEEDS), turns=turns)
        self._end_leaders()
        self._now(self._start_leader)

    @precondition(lambda self: len(self.leaders) == 1)
    @rule()
    def elect_another(self) -> None:
        """A second leader begins while the first one still believes that it leads."""
        self._now(self._start_leader)

    @precondition(lambda self: len(self.leaders) == 1 and len(self.key.ring.notes) < MAX_ROTATIONS)
    @rule(old=st.booleans())
    def rotate_key(self, *, old: bool) -> None:
        """The key is rotated by a new leader, while the old one perhaps still believes that it leads."""
        self.key = self.key.successor(b"%032d" % self.started, self.clock())
        if not old:
            self._end_leaders()
        self._now(self._start_leader)

    def teardown(self) -> None:
        """However it went, in the end all is outside, and verifies."""
        if not hasattr(self, "loop"):
            return
        try:
            self._settle()
            self._check()
        finally:
            self._end_leaders()
            self._kill(self.guard_tasks)
            self.loop.close()

    # ----------------------------------------------------------------------------------------------- what is promised

    def _settle(self) -> None:
        """The guard closes, one leader is left, and everything is answered until all is outside."""
        while self.lanes.late or self.log.late or self.outside.late:
            self.land()
        closing = self.loop.create_task(self.ledger.lane.close(seconds=3600))
        self._end_leaders()
        self._now(self._start_leader)
        for _ in range(PATIENCE):
            self._answer_all()
            if closing.done() and self._is_outside():
                break
        self._collect()
        self.loop.run_until_complete(closing)

    def _is_outside(self) -> bool:
        [leader] = self.leaders
        log, status = leader.notary.log, leader.archive.status
        if log is None or log.lags(self.lanes.stored()):
            return False
        return status.number == leader.notary.status.number >= 0 and not status.waiting

    def _check(self) -> None:
        self.store._waiting.clear()  # noqa: SLF001  what a leader still asks has no bearing on what is there
        assert self._is_outside(), (self.leaders[0].notary.status, self.leaders[0].archive.status)
        outside = FakeObjectStore(self.clock)
        outside.versions_of = self.outside.versions_of
        verification = Verification(
            outside, NotaryKey().trust, wanted=Wanted(max_age=None), progress=lambda _done, _total: None
        )
        report = self.loop.run_until_complete(verification.run())
        keys = sorted(self.outside.versions_of)
        log = [
            segment.unpack(self.outside.versions_of[key][0].body or b"")
            for key in keys
            if key.startswith(segment.PREFIX_OF_KEYS)
        ]
        trust = Trust.of(*self.key.ring.keys)
        days = sorted({cut.day_of(cut.opened(each.cut, trust).time) for each in log})
        leaves = Counter(
            (head.id, head.lane, head.sequence, leaf_hash(envelope))
            for each in log
            for envelope in each.records
            for head in [record.head(dsse.parse(envelope).payload)]
        )
        heads = {name: walk.next for name, walk in verification.walk.lanes.items()}
        cluster = lanes.verify(self.lanes.stored(), NotaryKey().trust, newest=verification.walk.newest, outside=heads)

        assert [fault for fault in report.faults if fault.status is Status.TAMPERED] == []
        assert [key for key in keys if key.startswith("days/")] == [dayindex.key(day) for day in days[:-1]]
        assert [count for count in leaves.values() if count > 1] == []
        names = [(one.record_id, one.lane, one.sequence, one.leaf) for one in self.receipts]
        assert [one for one in names if one not in leaves] == []
        assert [fault for fault in cluster.faults if fault.status is Status.TAMPERED] == []

    # ----------------------------------------------------------------------------------------------- machinery

    def _start_guard(self) -> None:
        self.waiting = []
        self.started += 1
        self.ledger = Ledger(self.lanes, FakeNotary(self.clock), clock=self.clock, seed=f"guard {self.started} ")
        before = asyncio.all_tasks(self.loop)
        self.loop.run_until_complete(self.ledger.lane.start(seconds=60))
        self.guard_tasks = asyncio.all_tasks(self.loop) - before
        self._now(lambda: None)

    def _start_leader(self) -> None:
        self.started += 1
        shipping = archive(self.ledger, self.log, self.outside, keep=NOTHING, key=self.key)
        made = notary(
            self.ledger,
            self.log,
            alive=self._Alive(self),
            archive=shipping,
            seed=f"leader {self.started}",
            key=self.key,
        )
        tasks = [asyncio.create_task(made.run()), asyncio.create_task(shipping.run())]
        self.leaders.append(Leader(notary=made, archive=shipping, tasks=tasks))

    class _Alive:
        """The lane of the guard that runs, whenever it is asked for."""

        def __init__(self, machine: "Ledgers") -> None:
            self._machine = machine

        def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204
            return iter([self._machine.ledger.lane.status.lane])

    def _end_leaders(self) -> None:
        for leader in self.leaders:
            self._kill(set(leader.tasks))
        self.leaders = []

    def _kill(self, tasks: set[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks))
        self._collect()

    def _answer_all(self) -> None:
        for parked in (self.guards, self.cluster, self.store):
            if parked.waits:
                self._now(lambda parked=parked: parked.decide(Fate.SUCCEEDS))  # type: ignore[misc]

    def _now(self, act: Callable[[], None], turns: int = TURNS) -> None:
        """Do something inside the loop, then let everybody run until nobody can."""

        async def _step() -> None:
            act()
            for _ in range(turns):
                await asyncio.sleep(0)

        self.loop.run_until_complete(_step())
        self._collect()

    def _collect(self) -> None:
        """Take the receipts that are there."""
        still = []
        for pending in self.waiting:
            try:
                self.receipts.append(self.loop.run_until_complete(pending.stored(seconds=0)))
            except SinkFault:
                still.append(pending)
        self.waiting = still


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow])
