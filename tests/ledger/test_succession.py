"""What a guard says about the killed one before it in the same pod."""

import pytest

from interlock.core.audit import lanes
from interlock.core.types import JsonObject
from interlock.wiring.succession import close_left_open
from tests.fakes.lane_store import Call, FakeLaneStore, Fate, Planned
from tests.ledger.guards import Ledger, body, running, settled


class Deaf(Planned):
    """Lists fail."""

    async def fate(self, call: Call) -> Fate:
        """Let everything but a list succeed."""
        return Fate.FAILS_BEFORE if call.verb == "commits" else await super().fate(call)


async def killed(ledger: Ledger) -> str:
    """Let a guard deny once and die; the name of its lane."""
    await ledger.lane.start()
    receipt = await ledger.lane.append(body(ledger.clock)).stored(seconds=5)
    await settled()
    await ledger.lane.close(seconds=5)
    del ledger.store.bodies[max(ledger.store.bodies)]  # its LaneClose, which a killed guard does not write
    return receipt.lane


async def successor(before: Ledger, lane: str) -> list[JsonObject]:
    """Start another guard on the same store after a lane; the counts that it wrote."""
    after = Ledger(before.store, before.notary, clock=before.clock, seed="after")
    async with running(after):
        await close_left_open(lane, lane=after.lane, store=after.store, clock=after.clock)
    assert after.verify().status is not lanes.Status.TAMPERED
    return [one for one in after.records() if one["kind"] == "SeriesCount"]


async def test_the_next_lane_closes_what_was_left_open() -> None:
    """The series of the killed guard is closed as a lower bound, in the next lane."""
    before = Ledger()
    lane = await killed(before)
    [denial] = [one for one in before.records() if one["kind"] == "Decision"]

    [told] = await successor(before, lane)

    assert (told["series"], told["count"], told["closed"], told["countLowerBound"]) == (denial["id"], 1, True, True)
    assert told["lane"] != lane


@pytest.mark.parametrize("lane", ["", "0" * 16], ids=["the first guard of a pod", "a lane without records"])
async def test_nothing_to_say(lane: str) -> None:
    """Without a lane before, nothing is said."""
    before = Ledger()
    await killed(before)

    assert await successor(before, lane) == []


async def test_what_cannot_be_read_keeps_no_guard_from_starting() -> None:
    """A list that fails leaves the series open, and the guard works."""
    before = Ledger(FakeLaneStore(Deaf()))

    assert await successor(before, await killed(before)) == []
