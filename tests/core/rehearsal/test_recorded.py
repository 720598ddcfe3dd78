"""What a record tells of an action, read back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from interlock.core.audit import record
from interlock.core.rehearsal import recorded
from interlock.core.types import (
    CallerProof,
    Decision,
    Durability,
    Finding,
    JsonObject,
    Mode,
    PolicyOutcome,
    Reach,
    Severity,
    Verdict,
    WindowState,
)
from interlock.errors import BadInput
from tests.ledger.guards import CLUSTER, ENGINE, keyed
from tests.support.policies import named, request

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
REQUEST = request("UPDATE", "deployments/status", group="apps", old=named({"a": "b"}), new=named())


def finding(action: str, family: str = "destruction", reach: Reach | None = None) -> Finding:
    """A finding."""
    return Finding(
        action=action, family=family, severity=Severity.HIGH, evidence=f"saw {action}", reach=reach or Reach.of("shop")
    )


FINDINGS = (
    finding("leave-protection", "defence"),
    finding("delete-workload", reach=Reach.everywhere()),
    finding("change-image", reach=Reach.nowhere()),
    finding("update", "plain"),
    finding("delete", "plain"),
)


def outcome(name: str, action: str, **more: Any) -> PolicyOutcome:
    """What a policy said; a record keeps neither its message nor its durability."""
    return PolicyOutcome(
        policy=name,
        uid="u",
        generation=3,
        digest="ab",
        mode=Mode.ENFORCE,
        severity=Severity.CRITICAL,
        finding=action,
        yields=Verdict.DENY,
        **more,
    )


WINDOW = WindowState(open=False, active=("f",), next_transition=NOW, next_open=None, time_zone="Europe/Berlin")
DECISION = Decision(
    verdict=Verdict.DENY,
    severity=Severity.CRITICAL,
    findings=FINDINGS,
    outcomes=(
        outcome("left", "leave-protection", window=WINDOW),
        outcome("sparing", "delete-workload", excluded_by="spec.exclude[0]"),
        outcome("broken", "delete-workload", error="does not compile"),
    ),
    recorded=True,
    durability=Durability.BLOCKING_STRICT,
    would_have=Verdict.WARN,
)


def written(decision: Decision = DECISION) -> JsonObject:
    """The record of a decision."""
    return record.body(
        REQUEST, decision, caller=CallerProof.PATH, cluster=CLUSTER, engine=ENGINE, now=NOW, digest=keyed
    )


def test_read_back() -> None:
    """A record gives back the request without its objects, the decision and the time."""
    found = recorded.read(written())

    assert (found.decision, found.time) == (DECISION, NOW)
    assert found.request == replace(REQUEST, object=None, old_object=None)


def test_a_continuation() -> None:
    """That no policy was asked is told, with the reason."""
    continued = replace(DECISION, outcomes=(), verdict=Verdict.NOTHING, continuation="the namespace is going")

    assert recorded.read(written(continued)).decision.continuation == "the namespace is going"


def test_what_policies_were_asked_about() -> None:
    """Not what was left, which its own policy judged, and not the plain finding of what the UPDATE can become."""
    found = recorded.read(written())

    assert [each.action for each in found.findings] == ["delete-workload", "change-image", "update"]
    assert found.left == {"left": FINDINGS[0]}


def test_what_was_left_out_is_named() -> None:
    """Lists that were too long for the record are said to be."""
    cut = written() | {"findingsOmitted": 7}

    assert recorded.read(cut).missing[-1] == "7 more findings, which were left out of the record"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "LaneOpen"}, "kind: got LaneOpen, expected Decision"),
        ({"verdict": "Hold"}, "record: got 'Hold', expected words that this version knows"),
        ({"findings": [{}]}, "record: got 'reach', expected words that this version knows"),
    ],
    ids=["another kind", "a word of a newer version", "a field that is missing"],
)
def test_refused_is(change: JsonObject, says: str) -> None:
    """What this version cannot explain is refused."""
    with pytest.raises(BadInput) as caught:
        recorded.read(written() | change)

    assert str(caught.value) == says
