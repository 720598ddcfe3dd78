"""Doubts about windows: a freeze that leaves no opening, an entry that never comes; and none where none is due."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given

from interlock.core.policies.windowdoubts import FREEZE_LOOK, doubts
from interlock.core.policies.windows import LOOK_AHEAD
from interlock.core.types import JsonObject
from tests.core.test_windows import BERLIN, at, cases, once, read, rrule, weekly

NOW = at("2026-11-16T12:00:00+01:00")  # a Monday
TUESDAYS = weekly("tuesdays", "Tue", "22:00", "24:00")
PATCH_TUESDAY = rrule("patch-tuesday", "FREQ=MONTHLY;BYDAY=2TU", "2026-01-13T20:00", "2h")
WINTER = once("winter", "2026-11-16T00:00:00+01:00", "2027-02-01T00:00:00+01:00")
FOREVER = once("forever", "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z")
PAST = once("past", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")
NEVER = "within the next 400 days"


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        pytest.param({"allow": [TUESDAYS]}, (), id="a window that opens"),
        pytest.param({"freeze": [TUESDAYS]}, (), id="a freeze that ends"),
        pytest.param(
            {"allow": [PAST]},
            (f"spec.windows.allow: none of them opens {NEVER}, so the policy always yields `outside`",),
            id="no window ever opens",
        ),
        pytest.param(
            {"allow": [TUESDAYS, PAST]},
            (f"spec.windows.allow[1]: past does not come {NEVER}: it opens nothing",),
            id="one window of two never opens",
        ),
        pytest.param(
            {"allow": [TUESDAYS], "freeze": [FOREVER]},
            (f"spec.windows.freeze: leaves no opening {NEVER}, so the policy always yields `outside`",),
            id="a freeze over everything",
        ),
        pytest.param(
            {"freeze": [weekly("always", "Mon Tue Wed Thu Fri Sat Sun", "00:00", "24:00")]},
            (f"spec.windows.freeze: leaves no opening {NEVER}, so the policy always yields `outside`",),
            id="a freeze of every day, without windows",
        ),
        pytest.param(
            {"allow": [PATCH_TUESDAY], "freeze": [WINTER]},
            (
                (
                    "spec.windows.freeze: leaves no opening within the next 32 days; "
                    "the next is Tue 2027-02-09 20:00 Europe/Berlin"
                ),
            ),
            id="a freeze over the month's only window",
        ),
        pytest.param(
            {"freeze": [TUESDAYS, PAST]},
            (f"spec.windows.freeze[1]: past does not come {NEVER}: it closes nothing",),
            id="a freeze that is over",
        ),
        pytest.param({"allow": [rrule("a", "FREQ=YEARLY", "2026-11-01T02:00", "2h")]}, (), id="a window once a year"),
    ],
)
def test_doubts(windows: JsonObject, expected: tuple[str, ...]) -> None:
    """Each doubt names its field, and says what follows."""
    assert doubts(read({**BERLIN, **windows}), NOW) == expected


@given(cases())
def test_a_doubt_about_openings_is_true(case: tuple[JsonObject, datetime]) -> None:
    """Whoever is told that nothing opens finds it so, and nobody is told who has an opening in sight."""
    windows, now = read(case[0]), case[1]
    opening = windows.state(now).next_open
    never, seldom = (any(said in doubt for doubt in doubts(windows, now)) for said in ("always yields", "32 days"))

    assert never == (opening is None or opening >= now + LOOK_AHEAD)
    assert not seldom or (opening is not None and opening - now >= FREEZE_LOOK - timedelta(days=1))
