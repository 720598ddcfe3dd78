"""Operations that outlast their window, as two guards answer them."""

import asyncio
from datetime import UTC, datetime, timedelta

from interlock.core import snapshot
from interlock.core.review import overruns
from interlock.core.review.overruns import Marks
from interlock.core.types import CallerProof, JsonObject
from interlock.serve.metrics import GuardMetrics
from interlock.serve.operations import Operations
from interlock.serve.recorder import Recorder
from interlock.serve.reviewer import Reviewer
from tests.core.test_overruns import CLOSED, OPEN, OVER, POLICY
from tests.fakes.reader import FakeReader
from tests.fakes.sink import FakeSink, Outcome
from tests.serve.test_reviewer import AROUND
from tests.support.reviews import response, review

POD: JsonObject = {"group": "", "version": "v1", "resource": "pods"}


class Guard:
    """A guard that hears what another one tells."""

    def __init__(self, *, other: "Guard | None" = None, outcome: Outcome = Outcome.STORES) -> None:
        self.now = datetime(2026, 11, 17, tzinfo=UTC)
        self.asked = 0
        self.news = 0
        self._other = other
        self.operations = Operations(others=self._heard, news=self._told)
        self.sink = FakeSink(outcome)
        metrics = GuardMetrics()
        recorder = Recorder(surroundings=AROUND, sink=self.sink, clock=lambda: self.now, metrics=metrics)
        self._snapshot = snapshot.build(policies=[POLICY])
        self._reviewer = Reviewer(
            recorder=recorder,
            reader=FakeReader(),
            operations=self.operations,
            clock=lambda: self.now,
            metrics=metrics,
        )

    async def _heard(self) -> Marks:
        self.asked += 1
        return overruns.read(self._other.operations.told()) if self._other else {}

    def _told(self) -> None:
        self.news += 1

    async def allows(self, now: datetime, *, proof: CallerProof = CallerProof.PATH, **change: object) -> bool:
        """Whether it lets alice delete a pod at an instant."""
        self.now = now
        body = review(**{"resource": POD, "name": "web-0", "namespace": "shop", **change})
        return bool(response(await self._reviewer.review(body, proof=proof, snapshot=self._snapshot))["allowed"])

    def reasons(self) -> list[str]:
        """Why, in its records."""
        return [body["reason"] for body in self.sink.bodies]


async def test_what_began_inside_goes_on_for_the_grace() -> None:
    """It is allowed while open, goes on after the end, says so in its record, and is denied after the grace."""
    guard = Guard()
    found = [await guard.allows(now) for now in (OPEN, CLOSED, OVER)]

    assert found == [True, True, False]
    assert guard.reasons() == ["WindowOpen", "Overrun", "Policy"]
    assert guard.sink.bodies[1]["policies"][0]["window"] | {"active": []} == {
        "open": False,
        "overrun": True,
        "timeZone": "UTC",
        "active": [],
        "nextTransition": "2026-11-24T21:00:00.000000Z",
        "nextOpen": "2026-11-24T21:00:00.000000Z",
    }


async def test_another_guard_lets_it_go_on() -> None:
    """What began at one guard goes on at another, which asks only once its window has closed."""
    first = Guard()
    second = Guard(other=first)
    await first.allows(OPEN)
    while_open = await second.allows(OPEN, namespace="bank")
    asked_before = second.asked
    found = await second.allows(CLOSED), second.asked

    assert (while_open, asked_before, found, first.news) == (True, 0, (True, 1), 1)
    assert second.reasons() == ["WindowOpen", "Overrun"]


async def test_nothing_goes_on_that_did_not_begin() -> None:
    """Who did nothing inside the window is denied in its grace, after others were asked."""
    guard = Guard()

    assert (await guard.allows(CLOSED), guard.asked) == (False, 1)


async def test_a_flood_of_denials_asks_once() -> None:
    """However many are denied in a grace at the same time, others are asked once."""
    guard = Guard()
    found = await asyncio.gather(*(guard.allows(CLOSED, name=f"web-{index}") for index in range(50)))

    assert (set(found), guard.asked) == ({False}, 1)


async def test_a_dry_run_begins_nothing_and_goes_on_like_the_real_one() -> None:
    """A dry run leaves no trace, and is answered as the real request would be."""
    guard = Guard()
    tried = await guard.allows(OPEN, dryRun=True), await guard.allows(CLOSED)
    await guard.allows(OPEN)

    assert (tried, await guard.allows(CLOSED, dryRun=True)) == ((True, False), True)


async def test_an_unproven_caller_neither_begins_nor_goes_on() -> None:
    """Who cannot show that an API server asks gets no benefit of a grace, and gives none."""
    guard = Guard()
    await guard.allows(OPEN, proof=CallerProof.NONE)
    forged_beginning = await guard.allows(CLOSED)
    await guard.allows(OPEN)

    assert (forged_beginning, await guard.allows(CLOSED, proof=CallerProof.NONE)) == (False, False)


async def test_what_is_not_recorded_begins_nothing() -> None:
    """An allow that is not given, since its record is not stored, lets nothing go on."""
    guard = Guard(outcome=Outcome.REFUSES)
    begun = await guard.allows(OPEN)

    assert (begun, guard.operations.told(), await guard.allows(CLOSED + timedelta(seconds=1))) == (False, "{}", False)
