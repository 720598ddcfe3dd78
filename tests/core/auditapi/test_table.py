"""The table that kubectl prints."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from interlock.core.auditapi import table
from interlock.core.auditapi.ages import human
from interlock.core.auditapi.resource import Series
from interlock.core.auditapi.table import Include
from interlock.core.types import Decision, Request
from tests.ledger import strategies
from tests.support.auditrecords import NOW, audit_record, changed, decided


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        # those of apimachinery, duration_test.go, TestHumanDuration
        (1, "1s"),
        (70, "70s"),
        (190, "3m10s"),
        (600, "10m"),
        (47 * 60, "47m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (10 * 3600, "10h"),
        (49 * 3600, "2d1h"),
        (8 * 86400 - 3600, "7d23h"),
        (9 * 86400, "9d"),
        (367 * 86400, "367d"),
        (4 * 365 * 86400, "4y"),
        (5 * 365 * 86400 + 86400, "5y1d"),
        (9 * 365 * 86400, "9y"),
        (-5, "0s"),
    ],
)
def test_age(seconds: int, said: str) -> None:
    """Ages read as kubectl's own do."""
    assert human(timedelta(seconds=seconds)) == said


def test_row() -> None:
    """A change that loosens a policy is one line that says so."""
    made = audit_record(changed(loosens=True), series=None)
    [row] = table.table([made], metadata={}, include=Include.NONE, now=NOW + timedelta(minutes=5))["rows"]

    assert dict(zip([column.name for column in table.COLUMNS], row["cells"], strict=True)) == {
        "Name": "01a3",
        "Age": "5m",
        "Verdict": "Allow",
        "Severity": "High",
        "User": "alice",
        "Action": "loosen-policy",
        "Target": "dangerpolicies sound",
        "Policy": "sound",
        "Count": "1",
        "Mode": "",
        "Reason": "",
        "Verified": "true",
        "Checkpoint": "2026-11/42",
        "Time": "2026-11-24T03:00:00.000000Z",
    }


@pytest.mark.parametrize(
    ("series", "said"),
    [(None, "1"), (Series(count=12, exact=True), "12"), (Series(count=12, exact=False), "12+")],
)
def test_count(series: Series | None, said: str) -> None:
    """Repeats are counted, and a count that may be too low is marked."""
    made = audit_record(changed(loosens=False), series=series)
    [row] = table.table([made], metadata={}, include=Include.NONE, now=NOW)["rows"]

    assert row["cells"][8] == said


@pytest.mark.parametrize(("include", "kind"), [("Metadata", "PartialObjectMetadata"), ("Object", "AuditRecord")])
def test_include(include: str, kind: str) -> None:
    """A row carries what the client asked for."""
    made = audit_record(changed(loosens=False))
    [row] = table.table([made], metadata={}, include=Include(include), now=NOW)["rows"]

    assert (row["object"]["kind"], row["object"]["metadata"]) == (kind, made["metadata"])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(strategies.requests, strategies.decisions)
def test_no_cell_can_move_a_cursor(request: Request, decision: Decision) -> None:
    """Whatever names a request bore, every cell is printable text, and there is one for each column."""
    made = audit_record(decided(request, decision))
    [row] = table.table([made], metadata={}, include=Include.NONE, now=NOW)["rows"]

    assert [(len(row["cells"]), all(cell.isprintable() for cell in row["cells"]))] == [(len(table.COLUMNS), True)]
