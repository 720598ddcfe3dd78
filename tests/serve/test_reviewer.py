"""What becomes of one review: the decision, its record, and the truth about it when the record is not stored."""

from datetime import UTC, datetime

import pytest

from interlock.core import snapshot
from interlock.core.policies.policy import Policy
from interlock.core.types import CallerProof, JsonObject, NamespaceView
from interlock.errors import BadReview, Forbidden, Unavailable
from interlock.serve.metrics import GuardMetrics
from interlock.serve.recorder import Recorder
from interlock.serve.reviewer import Reviewer
from interlock.serve.surroundings import Surroundings
from interlock.settings import COMMIT_DEADLINE_SECONDS
from tests.fakes.operations import alone
from tests.fakes.reader import FakeReader
from tests.fakes.sink import FakeSink, Outcome
from tests.support.policies import parsed
from tests.support.reviews import UID, causes, response, review

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
AROUND = Surroundings(
    cluster="kube-system-uid",
    version="0.0.0",
    digest=lambda data: f"{len(data):064x}",
    snapshot_age_seconds=lambda: 1.5,
)


class Stage:
    """A reviewer with everything around it."""

    def __init__(self, *stored: Policy, outcome: Outcome = Outcome.STORES, reader: FakeReader | None = None) -> None:
        self.sink = FakeSink(outcome)
        self.reader = reader or FakeReader()
        self.metrics = GuardMetrics()
        self.snapshot = snapshot.build(
            generation=7, policies=stored, namespaces=[NamespaceView(name="prod-shop"), NamespaceView(name="shop")]
        )
        recorder = Recorder(surroundings=AROUND, sink=self.sink, clock=lambda: NOW, metrics=self.metrics)
        self._reviewer = Reviewer(
            recorder=recorder, reader=self.reader, operations=alone(), clock=lambda: NOW, metrics=self.metrics
        )

    async def answer(self, body: bytes) -> JsonObject:
        """The response to a review."""
        return response(await self._reviewer.review(body, proof=CallerProof.PATH, snapshot=self.snapshot))

    def count(self, name: str, **labels: str) -> float:
        """One of the metrics."""
        return self.metrics.values().get((name, tuple(sorted(labels.items()))), 0.0)


DENY = parsed("deny", verdict="Deny", audit={"durability": "BlockingStrict"})


def allow(durability: str) -> Policy:
    """A policy that only has the action recorded."""
    return parsed("allow", verdict="Allow", audit={"durability": durability})


async def test_denied_and_recorded() -> None:
    """A denial says so, names its stored record, and the record tells who asked, what was decided and by which view."""
    stage = Stage(DENY)

    found = await stage.answer(review())

    [record] = stage.sink.bodies
    assert (found["uid"], found["allowed"], found["status"]["code"]) == (UID, False, 403)
    assert causes(found)["interlock.dev/verdict"] == "Deny"
    assert causes(found)["interlock.dev/record"] == "01a21082-7530-7469-b992-000000000001"
    assert (record["callerProof"], record["verdict"], record["cluster"]) == ("path", "Deny", "kube-system-uid")
    assert record["engine"] == {"version": "0.0.0", "snapshotGeneration": 7, "snapshotAgeMillis": 1500}
    assert stage.sink.waited == [COMMIT_DEADLINE_SECONDS]
    assert stage.count("interlock_reviews_total", verdict="Deny", operation="DELETE") == 1
    assert stage.count("interlock_commit_seconds_count") == 1
    assert stage.count("interlock_review_seconds_count") == 1


async def test_what_no_policy_speaks_of_is_allowed_unrecorded() -> None:
    """Without a policy that applies there is an allow, no record and no wait."""
    stage = Stage()

    assert await stage.answer(review()) == {"uid": UID, "allowed": True}
    assert (stage.sink.bodies, stage.sink.waited) == ([], [])


async def test_dry_run_leaves_no_trace() -> None:
    """A dry run is answered like the real request, says that it was one, and nothing is recorded."""
    stage = Stage(DENY)

    found = await stage.answer(review(dryRun=True))

    assert (found["allowed"], found["status"]["code"]) == (False, 403)
    assert "dry run" in found["status"]["message"]
    assert (stage.sink.bodies, "auditAnnotations" in found) == ([], False)


# policy, what the sink does: allowed, code, words of the answer, faults counted
TRUTH = {
    "a deny stands without its record": (DENY, Outcome.HANGS, False, 403, "not known to be stored", 1),
    "a deny stands without a ledger": (DENY, Outcome.REFUSES, False, 403, "not", 1),
    "BlockingStrict allows with its record": (allow("BlockingStrict"), Outcome.STORES, True, None, "", 0),
    "BlockingStrict withholds without it": (allow("BlockingStrict"), Outcome.HANGS, False, 503, "record", 1),
    "BlockingStrict withholds without a ledger": (allow("BlockingStrict"), Outcome.REFUSES, False, 503, "record", 1),
    "Blocking allows with its record": (allow("Blocking"), Outcome.STORES, True, None, "", 0),
    "Blocking allows without it": (allow("Blocking"), Outcome.HANGS, True, None, "", 1),
    "Blocking allows without a ledger": (allow("Blocking"), Outcome.REFUSES, True, None, "", 1),
    "Batch does not wait": (allow("Batch"), Outcome.HANGS, True, None, "", 0),
    "Batch allows without a ledger": (allow("Batch"), Outcome.REFUSES, True, None, "", 1),
}


@pytest.mark.parametrize(("policy", "outcome", "allowed", "code", "words", "faults"), TRUTH.values(), ids=TRUTH.keys())
async def test_durability(
    policy: Policy, outcome: Outcome, *, allowed: bool, code: int | None, words: str, faults: int
) -> None:
    """Each durability's outcome when the record is stored, not stored in time, and not accepted."""
    stage = Stage(policy, outcome=outcome)

    found = await stage.answer(review())

    status = found.get("status", {})
    assert (found["allowed"], status.get("code")) == (allowed, code)
    assert words in status.get("message", "")
    if status:
        assert ("interlock.dev/record" in causes(found)) == (outcome is Outcome.STORES)
    assert stage.count("interlock_sink_faults_total", durability=policy.durability.value) == faults
    batch = policy.durability.value == "Batch"
    assert len(stage.sink.waited) == (0 if batch or outcome is Outcome.REFUSES else 1)


async def test_malformed_review_with_a_uid_is_refused() -> None:
    """A review that cannot be judged is refused under its uid, and counted."""
    stage = Stage(DENY)

    found = await stage.answer(review(operation="PATCH"))

    assert (found["uid"], found["allowed"], found["status"]["code"]) == (UID, False, 400)
    assert "request.operation" in found["status"]["message"]
    assert stage.count("interlock_reviews_refused_total", reason="malformed") == 1


async def test_malformed_review_without_a_uid_raises() -> None:
    """Bytes that no answer could name are the endpoint's business; nothing stays in flight."""
    stage = Stage(DENY)

    with pytest.raises(BadReview):
        await stage.answer(b"{}")
    assert stage.count("interlock_reviews_in_flight") == 0


COLLECTOR = {
    "username": "system:serviceaccount:kube-system:generic-garbage-collector",
    "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
}
OWNED = {
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "p1",
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "r1", "controller": True}
        ],
    }
}
PODS = parsed(
    "pods", match={"actions": None, "operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["pods"]}]}
)
COLLECTED = review(
    kind={"group": "", "version": "v1", "kind": "Pod"},
    resource={"group": "", "version": "v1", "resource": "pods"},
    name="web",
    namespace="shop",
    oldObject=OWNED,
    userInfo=COLLECTOR,
)
OWNER = ("ReplicaSet", "shop", "web-1")
OWNERS = {
    "owner is gone": (FakeReader(), True),
    "owner is going": (
        FakeReader({OWNER: {"metadata": {"uid": "r1", "deletionTimestamp": "2026-11-17T12:00:00Z"}}}),
        True,
    ),
    "owner was replaced": (FakeReader({OWNER: {"metadata": {"uid": "r2"}}}), True),
    "owner is there": (FakeReader({OWNER: {"metadata": {"uid": "r1"}}}), False),
}


@pytest.mark.parametrize(("reader", "allowed"), OWNERS.values(), ids=OWNERS.keys())
async def test_garbage_collector_is_believed_only_if_the_owner_is_going(reader: FakeReader, *, allowed: bool) -> None:
    """The garbage collector's deletion passes if its owner is really going, else it is the real action."""
    stage = Stage(PODS, reader=reader)

    assert (await stage.answer(COLLECTED))["allowed"] is allowed
    assert reader.reads == [OWNER]


@pytest.mark.parametrize("fault", [Unavailable("no answer"), Forbidden("may not")], ids=["away", "forbidden"])
async def test_owner_that_cannot_be_read_lifts_nothing(fault: Unavailable | Forbidden) -> None:
    """When the owner cannot be read the deletion is judged as an action of its own."""
    reader = FakeReader()
    reader.fault = fault

    assert (await Stage(PODS, reader=reader).answer(COLLECTED))["allowed"] is False


ADOPTED = review(
    operation="UPDATE",
    kind={"group": "", "version": "v1", "kind": "Pod"},
    resource={"group": "", "version": "v1", "resource": "pods"},
    name="web",
    namespace="shop",
    object=OWNED,
    oldObject={"metadata": {"name": "web", "namespace": "shop", "uid": "p1"}},
    userInfo=COLLECTOR | {"username": "system:serviceaccount:kube-system:replicaset-controller"},
)
ADOPTERS = {
    "owner is there": (FakeReader({OWNER: {"metadata": {"uid": "r1"}}}), True),
    "owner never was": (FakeReader(), False),
    "owner is going": (
        FakeReader({OWNER: {"metadata": {"uid": "r1", "deletionTimestamp": "2026-11-17T12:00:00Z"}}}),
        False,
    ),
}


@pytest.mark.parametrize(("reader", "allowed"), ADOPTERS.values(), ids=ADOPTERS.keys())
async def test_controller_that_adopts_is_believed_only_if_the_owner_stays(reader: FakeReader, *, allowed: bool) -> None:
    """A controller takes a pod in if the owner that it names is there; under its name nobody hands one over."""
    stage = Stage(PODS, reader=reader)

    assert (await stage.answer(ADOPTED))["allowed"] is allowed
    assert reader.reads == [OWNER]


async def test_nothing_is_read_for_what_no_policy_speaks_of() -> None:
    """A review costs no API call unless a policy would judge it."""
    stage = Stage(DENY)

    assert (await stage.answer(COLLECTED))["allowed"] is True
    assert stage.reader.reads == []
