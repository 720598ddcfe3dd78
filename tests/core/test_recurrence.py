"""Recurrence rules: readable cases, and that python-dateutil gives the same days for any of them."""

from datetime import date, timedelta
from itertools import dropwhile, takewhile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from interlock.core.policies import recurrencespec
from interlock.core.policies.fields import Field
from interlock.core.policies.recurrence import Recurrence
from tests.support import recurrences


def read(rule: str, first: str) -> Recurrence:
    """Compile a rule that must be sound."""
    field = Field({"rule": rule, "start": f"{first}T02:00", "duration": "1h"}, "rrule", [])
    found = recurrencespec.recurring(field, "w")
    assert field.violations == []
    assert found is not None
    return found.recurrence


@pytest.mark.parametrize(
    ("rule", "first", "expected"),
    [
        pytest.param(
            "FREQ=MONTHLY;BYDAY=2TU", "2026-01-13", ["2026-01-13", "2026-02-10", "2026-03-10"], id="second Tuesdays"
        ),
        pytest.param(
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2026-01-30",
            ["2026-01-30", "2026-02-27", "2026-03-31"],
            id="the last working day of the month",
        ),
        pytest.param(
            "FREQ=WEEKLY;INTERVAL=2", "2026-01-01", ["2026-01-01", "2026-01-15", "2026-01-29"], id="every other week"
        ),
        pytest.param(
            "FREQ=MONTHLY", "2026-01-31", ["2026-01-31", "2026-03-31", "2026-05-31"], id="a 31st that many months lack"
        ),
        pytest.param(
            "FREQ=YEARLY", "2024-02-29", ["2024-02-29", "2028-02-29", "2032-02-29"], id="a day that most years lack"
        ),
        pytest.param(
            "FREQ=MONTHLY;BYDAY=SU,2TU",
            "2026-01-04",
            ["2026-01-04", "2026-01-11", "2026-01-13"],
            id="every Sunday and the second Tuesday besides",
        ),
        pytest.param("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", "2026-01-31", ["2026-01-31", "2026-02-28"], id="only two"),
        pytest.param("FREQ=DAILY;UNTIL=20260102", "2026-01-01", ["2026-01-01", "2026-01-02"], id="through a day"),
    ],
)
def test_days(rule: str, first: str, expected: list[str]) -> None:
    """A rule gives the days that its reader expects."""
    assert [day.isoformat() for day in read(rule, first).earliest(3)] == expected


@given(recurrences.rules, st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(0, 900), st.integers(0, 400))
def test_days_are_those_of_dateutil(rule: str, about: date, offset: int, length: int) -> None:
    """In any stretch of days, at any distance from the first, both see the same days."""
    begun = recurrences.begun(rule, about)
    assume(begun is not None)
    _, first = begun or (rule, about)
    begin = first + timedelta(days=offset)
    end = begin + timedelta(days=length)
    expected = takewhile(lambda day: day <= end, dropwhile(lambda day: day < begin, recurrences.dates(rule, first)))

    assert list(read(rule, first.isoformat()).days(begin, end)) == list(expected)
