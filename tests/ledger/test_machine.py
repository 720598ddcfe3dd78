"""The ledger under everything at once: a state machine that kills writers at any await and loses any answer.

One guard after the other writes to one store, whose calls all wait until the machine decides what becomes of them.
Promises:

- every receipt ever handed out is in the verified commits exactly once, at the place and with the leaf that it names;
- no record is stored twice;
- verification never says tampered, since nobody tampered.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from interlock.core.audit import commits, dsse, lanes, record
from interlock.core.audit.leaf import leaf_hash
from interlock.core.types import Receipt
from interlock.errors import SinkFault
from interlock.ledger.pending import PendingRecord
from tests.fakes.lane_store import FakeLaneStore, Fate, Parked
from tests.fakes.notary import Answer, FakeNotary
from tests.ledger.guards import HandClock, Ledger, small

TURNS = 30  # of the loop after each step: until every task waits for the machine
# What the notary of the next guard does; that it never answers is no case here, since only real time ends it.
PLANS = st.lists(st.sampled_from([answer for answer in Answer if answer is not Answer.HANGS]), max_size=3)

FATES = st.sampled_from([*Fate, Fate.SUCCEEDS, Fate.SUCCEEDS, Fate.SUCCEEDS])


class Guards(RuleBasedStateMachine):
    """Guards, one at a time, over one store and one notary."""

    waiting: list[PendingRecord]  # of the guard that runs
    receipts: list[Receipt]  # of all guards

    @initialize()
    def _begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.parked = Parked()
        self.store = FakeLaneStore(self.parked)
        self.started = 0
        self.away = False
        self.receipts = []
        self.clock = HandClock()
        self._start([])

    # ----------------------------------------------------------------------------------------------- what happens

    @rule(count=st.sampled_from([1, 2, 3, commits.MAX_RECORDS + 6]))
    def decide(self, count: int) -> None:
        """The guard records decisions."""
        append = self.ledger.lane.append
        self._now(lambda: self.waiting.extend([append(small(self.clock)) for _ in range(count)]))

    @precondition(lambda self: self.parked.waits)
    @rule(fates=st.lists(FATES, min_size=1, max_size=6))
    def answer(self, fates: list[Fate]) -> None:
        """The store answers its oldest calls, or loses them."""
        for fate in fates:
            if self.parked.waits:
                self._now(lambda fate=fate: self.parked.decide(fate))  # type: ignore[misc]

    @precondition(lambda self: self.store.late)
    @rule()
    def land(self) -> None:
        """A create whose answer was lost long ago arrives."""
        self.store.land()

    @rule(seconds=st.sampled_from([-3600, -25, -15, 15, 3600]))
    def turn_clock(self, seconds: int) -> None:
        """The guard's clock is set."""
        self.clock.turn(timedelta(seconds=seconds))

    @rule(away=st.booleans())
    def reach_notary(self, away: bool) -> None:  # noqa: FBT001
        """The controller goes away, or comes back."""
        self.away = self.notary.away = away
        self._now(lambda: None)

    @precondition(lambda self: self.parked.call is not None and self.parked.call.verb == "create")
    @rule()
    def abandon(self) -> None:
        """Somebody takes the lane's next name before the guard does, and is removed again once the guard noticed."""
        assert self.parked.call is not None
        name = self.parked.call.name
        if name in {*self.store.bodies, *(late for late, _ in self.store.late)}:  # the guard was there before
            return
        self.store.bodies[name] = b"a tombstone"
        self.answer([Fate.SUCCEEDS] * 2)  # of the create, and of reading it back
        del self.store.bodies[name]

    @rule(answers=PLANS, fate=st.none() | st.sampled_from(Fate), turns=st.integers(0, 4))
    def crash(self, answers: list[Answer], fate: Fate | None, turns: int) -> None:
        """The process is killed where it stands, or a few turns after an answer. Another guard starts."""
        if fate is not None and self.parked.waits:
            self._now(lambda: self.parked.decide(fate), turns=turns)
        self._kill()
        self._collect()
        self._check()
        self._start(answers)

    @rule(answers=PLANS)
    def stop(self, answers: list[Answer]) -> None:
        """The process ends in order, while the store answers. Another guard starts."""
        closing = self.loop.create_task(self.ledger.lane.close(seconds=60))
        self._now(lambda: None)
        while self.parked.waits:
            self._now(lambda: self.parked.decide(Fate.SUCCEEDS))
        self.loop.run_until_complete(closing)
        self._collect()
        assert not self.waiting
        self._check()
        self._start(answers)

    def teardown(self) -> None:
        """Whatever happened, the promises hold in the end."""
        if hasattr(self, "loop"):
            self._kill()
            try:
                self._collect()
                self._check()
            finally:
                self.loop.close()

    # ----------------------------------------------------------------------------------------------- what is promised

    def _check(self) -> None:
        """Look at everything stored."""
        stored = self.store.stored()
        report = lanes.verify(stored, self.ledger.notary.trust)
        leaves: dict[tuple[str, str, int], str] = {}
        for commit in stored:
            for envelope in commits.unpack(commit.body):
                head = record.head(dsse.parse(envelope).payload)
                leaves[head.id, head.lane, head.sequence] = leaf_hash(envelope)
        times_stored = Counter(record_id for record_id, _, _ in leaves)

        assert report.status is not lanes.Status.TAMPERED, report.faults
        assert [one for one in self.receipts if leaves.get((one.record_id, one.lane, one.sequence)) != one.leaf] == []
        assert [record_id for record_id, count in times_stored.items() if count > 1] == []

    # ----------------------------------------------------------------------------------------------- machinery

    def _start(self, answers: list[Answer]) -> None:
        """Begin a new process: its records and key are new, store and notary are the old ones."""
        self.waiting = []
        self.started += 1
        self.notary = FakeNotary(self.clock, answers=answers)
        self.notary.away = self.away
        self.ledger = Ledger(self.store, self.notary, clock=self.clock, seed=f"guard {self.started} ")
        self.loop.run_until_complete(self.ledger.lane.start(seconds=60))
        self._now(lambda: None)

    def _kill(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
            self.loop.run_until_complete(asyncio.wait([task]))

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


TestGuards = Guards.TestCase
TestGuards.settings = settings(stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow])
