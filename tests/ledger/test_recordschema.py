"""The documented schema and the records that the code makes are the same thing."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings

from interlock.core.audit import record, recordschema, runrecords
from interlock.core.audit.record import Kind
from interlock.core.audit.recordparts import Reason
from interlock.core.audit.recordschema import Field
from interlock.core.audit.runs import Run
from interlock.core.types import CallerProof, Decision, Durability, JsonObject, Operation, Request, Severity, Verdict
from tests.fakes.notary import Answer, FakeNotary
from tests.ledger import strategies
from tests.ledger.guards import CLUSTER, ENGINE, HandClock, Ledger, body, keyed, written
from tests.support.policies import SOUND, policy, request

TYPES = {"str": "string", "bool": "boolean", "int": "integer"}
PLACE: JsonObject = {"id": "x", "lane": "x", "sequence": 0, "previous": ""}
MAPS = {"user.extra"}  # whose keys are data


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every scalar of a record: its path as the schema spells it, and its type."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _leaves(inner, ".".join(filter(None, [path, "KEY" if path in MAPS else key])))
        case list():
            for inner in value:
                yield from _leaves(inner, f"{path}[]")
        case _:
            yield path, TYPES[type(value).__name__]


def _fields(kind: Kind) -> tuple[Field, ...]:
    return (*recordschema.EVERY_RECORD, *recordschema.FIELDS[kind])


def _faults(made: JsonObject) -> list[str]:
    """What a record has beyond the schema, or lacks of it."""
    documented = {(field.path, field.type) for field in _fields(Kind(made["kind"]))}
    required = {field.path for field in _fields(Kind(made["kind"])) if not field.optional and "[]" not in field.path}
    found = set(_leaves(made))
    return sorted({f"undocumented: {path}, {kind}" for path, kind in found - documented}) + sorted(
        f"missing: {path}" for path in required - {path for path, _ in found}
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(strategies.requests, strategies.decisions)
def test_every_decision_is_as_documented(request: Request, decision: Decision) -> None:
    """No field that the schema does not know, none of another type, none missing."""
    made = record.body(
        request,
        decision,
        caller=CallerProof.NONE,
        cluster=CLUSTER,
        engine=ENGINE,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        digest=keyed,
    )
    assert _faults(made | PLACE) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [(None, SOUND), (SOUND, {**SOUND, "mode": "Observe", "message": "x" * 5000}), (SOUND, None)],
    ids=["created", "changed", "deleted"],
)
def test_every_policy_change_is_as_documented(old: JsonObject | None, new: JsonObject | None) -> None:
    """Creation, change and deletion of a policy, the longest of texts included."""
    before, after = old and policy(old), new and policy(new)
    review = request("UPDATE", "dangerpolicies", group="interlock.dev", namespace="", old=before, new=after)
    made = record.policy_change(
        review,
        caller=CallerProof.CERTIFICATE,
        cluster=CLUSTER,
        engine=ENGINE,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        digest=keyed,
    )

    assert _faults(made | PLACE) == []


def _runs() -> Iterator[JsonObject]:
    """Every record of a series and of a batch."""
    denied = body(HandClock()) | PLACE
    now = datetime(2026, 1, 1, tzinfo=UTC)
    run = Run(key="k", about=runrecords.about(denied), opening="", first=now, last=now, count=3)
    yield runrecords.series_count(run, series="x", now=now, closed=True)
    yield from runrecords.left_open([denied], now=now)
    yield runrecords.batch_open(denied, now=now)
    yield runrecords.batch_close(run, batch="x", now=now)


def test_every_record_of_a_run_is_as_documented() -> None:
    """Counts, lower bounds, and both ends of a batch."""
    made = list(_runs())

    assert [one["kind"] for one in made] == ["SeriesCount", "SeriesCount", "BatchOpen", "BatchClose"]
    assert [_faults(one | PLACE) for one in made] == [[]] * 4


@pytest.mark.parametrize("answers", [[], [Answer.IS_AWAY]], ids=["certified at once", "certified later"])
async def test_every_record_of_a_lane_is_as_documented(answers: list[Answer]) -> None:
    """What lanes say about themselves, with and without a certificate."""
    clock = HandClock()
    ledger = await written(["a"], Ledger(notary=FakeNotary(clock, answers=answers), clock=clock))
    faults = {made["kind"]: _faults(made) for made in ledger.records()}

    assert faults == {kind: [] for kind in faults}
    assert {"LaneOpen", "Decision", "LaneClose"} <= faults.keys()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("kind", list(Kind)),
        ("operation", list(Operation)),
        ("callerProof", list(CallerProof)),
        ("verdict", [verdict.title for verdict in Verdict]),
        ("wouldHave", [verdict.title for verdict in Verdict]),
        ("severity", [severity.title for severity in Severity]),
        ("reason", list(Reason)),
        ("durability", list(Durability)),
    ],
)
def test_every_word_is_documented(path: str, words: list[str]) -> None:
    """A field with a closed set of values names them all."""
    [text] = [field.text for field in _fields(Kind.DECISION) if field.path == path]
    assert [word for word in words if word not in text] == []


def test_paths_are_unique() -> None:
    """No field is documented twice."""
    for kind in Kind:
        paths = [field.path for field in _fields(kind)]
        assert len(paths) == len(set(paths))
