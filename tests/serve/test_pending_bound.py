"""A ledger that can store nothing more: what each durability makes of it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest

from interlock.core.review import response
from interlock.core.types import CallerProof, Decision, Durability, Verdict
from interlock.errors import SinkFault
from interlock.ledger import lane as lane_module
from interlock.serve.metrics import GuardMetrics
from interlock.serve.recorder import Recorder
from interlock.serve.surroundings import Surroundings
from tests.fakes.lane_store import FakeLaneStore, Parked
from tests.ledger.guards import Ledger, deletion, denial, small

AROUND = Surroundings(
    cluster="kube-system-uid", version="0.0.0", digest=lambda data: f"{len(data):064x}", snapshot_age_seconds=lambda: 0
)
DENIED = denial()
ALLOWED = replace(DENIED, verdict=Verdict.ALLOW, outcomes=(replace(DENIED.outcomes[0], yields=Verdict.ALLOW),))

BOUND = 100

OUTCOMES = {
    "BlockingStrict refuses what it would allow": (ALLOWED, Durability.BLOCKING_STRICT, False, 503),
    "Blocking allows": (ALLOWED, Durability.BLOCKING, True, None),
    "Batch allows": (ALLOWED, Durability.BATCH, True, None),
    "a denial stands under BlockingStrict": (DENIED, Durability.BLOCKING_STRICT, False, 403),
    "a denial stands under Blocking": (DENIED, Durability.BLOCKING, False, 403),
    "a denial stands under Batch": (DENIED, Durability.BATCH, False, 403),
}


@pytest.fixture
async def full(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ledger]:
    """A ledger whose store does not answer, filled up to its bound."""
    monkeypatch.setattr(lane_module, "MAX_PENDING_RECORDS", BOUND)
    ledger = Ledger(FakeLaneStore(Parked()))
    await ledger.lane.start()
    while ledger.lane.status.pending_records < BOUND:
        ledger.lane.append(small(ledger.clock))
    yield ledger
    with pytest.raises(SinkFault, match=f"{BOUND + 1} records are not known to be stored"):  # and its LaneClose
        await ledger.lane.close(seconds=0)


@pytest.mark.parametrize(("decision", "durability", "allowed", "code"), OUTCOMES.values(), ids=OUTCOMES.keys())
async def test_at_the_bound(
    full: Ledger, decision: Decision, durability: Durability, *, allowed: bool, code: int | None
) -> None:
    """Nothing more is taken, nobody waits, the fault is counted, and an answer that is no plain allow says why."""
    metrics, request = GuardMetrics(), deletion("shop")
    recorder = Recorder(surroundings=AROUND, sink=full.lane, clock=full.clock, metrics=metrics)
    decided = replace(decision, durability=durability)

    recorded = await recorder.record(request, decided, proof=CallerProof.PATH, generation=7)
    answer = response.answer(
        request, decided, receipt=recorded.receipt, record_id="", recorded_fault=recorded.fault, now=full.clock()
    )
    found = orjson.loads(answer)["response"]

    assert (recorded.record_id, recorded.receipt, full.lane.status.pending_records) == ("", None, BOUND)
    assert recorded.fault.startswith(f"{BOUND} records wait to be stored")
    assert (found["allowed"], found.get("status", {}).get("code")) == (allowed, code)
    assert code is None or recorded.fault in found["status"]["message"]
    faults = metrics.values()[("interlock_sink_faults_total", (("durability", durability.value),))]
    assert faults == 1
