"""Crowds of requests: a denial that is repeated is one record with an exact count, a deletecollection is one wait."""

from datetime import UTC, datetime, timedelta

import pytest

from interlock.core import snapshot
from interlock.core.policies.policy import Policy
from interlock.core.types import CallerProof, JsonObject, NamespaceView
from interlock.serve.metrics import GuardMetrics
from interlock.serve.recorder import Recorder
from interlock.serve.reviewer import Reviewer
from interlock.serve.surroundings import Surroundings
from tests.fakes.operations import alone
from tests.fakes.reader import FakeReader
from tests.fakes.sink import FakeSink, Outcome
from tests.support.policies import parsed
from tests.support.reviews import causes, response, review

AROUND = Surroundings(
    cluster="kube-system-uid",
    version="0.0.0",
    digest=lambda data: f"{len(data):064x}",
    snapshot_age_seconds=lambda: 1.5,
)
CONFIGMAPS: JsonObject = {
    "actions": None,
    "operations": ["DELETE"],
    "resources": [{"groups": [""], "resources": ["configmaps"]}],
}
FIRST = "01a21082-7530-7469-b992-000000000001"


def policy(verdict: str, durability: str = "BlockingStrict") -> Policy:
    """A policy about deleting ConfigMaps."""
    return parsed("configmaps", verdict=verdict, match=CONFIGMAPS, audit={"durability": durability})


class Stage:
    """A reviewer and its recorder, with a clock to be turned."""

    def __init__(self, stored: Policy, outcome: Outcome = Outcome.STORES) -> None:
        self.now = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
        self.sink = FakeSink(outcome)
        metrics = GuardMetrics()
        self.recorder = Recorder(surroundings=AROUND, sink=self.sink, clock=lambda: self.now, metrics=metrics)
        self._reviewer = Reviewer(
            recorder=self.recorder, reader=FakeReader(), operations=alone(), clock=lambda: self.now, metrics=metrics
        )
        self._snapshot = snapshot.build(generation=7, policies=[stored], namespaces=[NamespaceView(name="shop")])

    async def delete(
        self, name: str, *, user: str = "alice", proof: CallerProof = CallerProof.PATH, member: bool = False
    ) -> JsonObject:
        """The answer to the deletion of a ConfigMap, alone or as a member of a collection."""
        body = review(
            kind={"group": "", "version": "v1", "kind": "ConfigMap"},
            resource={"group": "", "version": "v1", "resource": "configmaps"},
            name="" if member else name,
            namespace="shop",
            oldObject={"metadata": {"name": name, "namespace": "shop", "uid": f"uid of {name}"}},
            userInfo={"username": user},
        )
        return response(await self._reviewer.review(body, proof=proof, snapshot=self._snapshot))

    def turn(self, seconds: float) -> None:
        """Let time pass, and the recorder look at what is due."""
        self.now += timedelta(seconds=seconds)
        self.recorder.tell()

    def kinds(self) -> list[str]:
        """What was appended."""
        return [body["kind"] for body in self.sink.bodies]

    def counts(self) -> list[tuple[int, int, bool]]:
        """Count, difference and end of each record of a series."""
        told = [body for body in self.sink.bodies if body["kind"] == "SeriesCount"]
        return [(body["count"], body["added"], body["closed"]) for body in told]


async def test_repeats_are_counted_to_the_record_of_the_first() -> None:
    """Ten denials are one Decision; every answer names it; counts follow at most once a second, and an end."""
    stage = Stage(policy("Deny"))
    answers = [await stage.delete(f"c-{number}") for number in range(10)]
    stage.turn(0.5)
    stage.turn(0.5)
    answers.append(await stage.delete("c-0"))
    stage.turn(1)
    stage.turn(60)

    assert {causes(found)["interlock.dev/record"] for found in answers} == {FIRST}
    assert stage.kinds() == ["Decision", "SeriesCount", "SeriesCount", "SeriesCount"]
    assert stage.counts() == [(10, 9, False), (11, 1, False), (11, 0, True)]
    assert {body["series"] for body in stage.sink.bodies[1:]} == {FIRST}


async def test_a_denial_alone_needs_no_count() -> None:
    """What was never repeated leaves its Decision and nothing else."""
    stage = Stage(policy("Deny"))
    await stage.delete("c")
    stage.turn(60)
    await stage.delete("c")
    stage.recorder.close()

    assert stage.kinds() == ["Decision", "Decision"]


async def test_a_series_is_closed_when_the_guard_stops() -> None:
    """Counts that were not told yet are told at the end."""
    stage = Stage(policy("Deny"))
    for _ in range(3):
        await stage.delete("c")
    stage.recorder.close()

    assert stage.counts() == [(3, 2, True)]


async def test_a_forged_review_is_counted_to_nothing_else() -> None:
    """Another user, or a caller that is proven differently, is another series."""
    stage = Stage(policy("Deny"))
    await stage.delete("c")
    await stage.delete("c", user="bob")
    await stage.delete("c", proof=CallerProof.NONE)

    assert stage.kinds() == ["Decision"] * 3


async def test_allows_are_no_series() -> None:
    """What passes is recorded one by one."""
    stage = Stage(policy("Allow"))
    await stage.delete("a")
    await stage.delete("b")

    assert (stage.kinds(), len(stage.sink.waited)) == (["Decision", "Decision"], 2)


async def test_counts_wait_for_a_ledger_that_takes_none() -> None:
    """A count that cannot be appended is not lost; it is told when the ledger takes records again."""
    stage = Stage(policy("Deny"))
    for _ in range(3):
        await stage.delete("c")
    stage.sink.outcome = Outcome.REFUSES
    stage.turn(1)
    stage.turn(60)
    answer = await stage.delete("c")
    stage.sink.outcome = Outcome.STORES
    stage.turn(1)

    assert (stage.counts(), answer["status"]["code"]) == ([(3, 2, True)], 403)


async def test_members_wait_for_what_opens_their_batch() -> None:
    """Each member has its record, but waits for the record that opens the batch; its end is told after a pause."""
    stage = Stage(policy("Allow"))
    answers = [await stage.delete(f"c-{number}", member=True) for number in range(5)]
    stage.turn(9)
    stage.turn(1)

    assert [found["allowed"] for found in answers] == [True] * 5
    assert all(" in batch " in note for found in answers for note in found["auditAnnotations"].values())
    assert stage.kinds() == ["BatchOpen", *["Decision"] * 5, "BatchClose"]
    assert (stage.sink.bodies[0]["target"]["namespace"], stage.sink.bodies[-1]["count"]) == ("shop", 5)
    assert stage.sink.bodies[-1]["batch"] == FIRST
    assert stage.sink.lingering == [f"c-{number}" for number in range(5)]


async def test_a_batch_looks_again_whether_records_are_stored() -> None:
    """After half a second a member waits for its own record, and with it for all before: trust is never older."""
    stage = Stage(policy("Allow"))
    await stage.delete("a", member=True)
    stage.now += timedelta(seconds=0.6)
    await stage.delete("b", member=True)
    stage.sink.outcome = Outcome.HANGS
    stage.now += timedelta(seconds=0.6)
    answer = await stage.delete("c", member=True)

    assert stage.sink.lingering == ["a"]
    assert (answer["allowed"], answer["status"]["code"]) == (False, 503)
    assert FIRST not in answer["status"]["message"]  # not the record that opened the batch, which is long stored


# durability asked, what the sink does: allowed
UNRECORDED = {
    "BlockingStrict, not in time": ("BlockingStrict", Outcome.HANGS, False),
    "BlockingStrict, refused": ("BlockingStrict", Outcome.REFUSES, False),
    "Blocking, not in time": ("Blocking", Outcome.HANGS, True),
    "Blocking, refused": ("Blocking", Outcome.REFUSES, True),
    "Batch, not in time": ("Batch", Outcome.HANGS, True),
    "Batch, refused": ("Batch", Outcome.REFUSES, True),
}


@pytest.mark.parametrize(("durability", "outcome", "allowed"), UNRECORDED.values(), ids=UNRECORDED.keys())
async def test_a_batch_that_cannot_be_opened(durability: str, outcome: Outcome, *, allowed: bool) -> None:
    """A member whose batch has no stored opening is judged by its durability, like any request."""
    stage = Stage(policy("Allow", durability), outcome)

    assert (await stage.delete("c", member=True))["allowed"] is allowed


async def test_denied_members_are_a_series() -> None:
    """A collection that is denied opens no batch."""
    stage = Stage(policy("Deny"))
    for name in ("a", "b"):
        await stage.delete(name, member=True)

    assert stage.kinds() == ["Decision"]
