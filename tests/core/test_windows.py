"""Change windows: the rule, the days on which clocks change, and properties against an independent slow model."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlock.core.policies import windowspec, zones
from interlock.core.policies.fields import Field
from interlock.core.policies.outlook import outlook
from interlock.core.policies.windows import LOOK_AHEAD, OVERRUN_LOOK, Windows
from interlock.core.types import JsonObject, Verdict, WindowState
from tests.support import recurrences
from tests.support.policies import parsed
from tests.support.slowwindows import Model

CHANGES = {
    "Africa/Casablanca": ("2023-03-19", "2023-04-23"),  # back for Ramadan, forward after it
    "America/Caracas": ("2016-05-01",),  # half an hour, for good
    "America/Sao_Paulo": ("2018-11-04", "2019-02-17"),  # at midnight: the day itself begins in a gap
    "America/St_Johns": ("2010-03-14", "2010-11-07"),  # at one minute past midnight
    "Antarctica/Troll": ("2024-03-31", "2024-10-27"),  # two hours
    "Asia/Kathmandu": ("2024-05-01",),  # never; 45 minutes off
    "Asia/Pyongyang": ("2018-05-05",),  # half an hour before midnight
    "Australia/Lord_Howe": ("2024-04-07", "2024-10-06"),  # half an hour
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "Europe/Dublin": ("2026-03-29", "2026-10-25"),  # winter is the exception there
    "Pacific/Apia": ("2011-12-30", "2012-04-01"),  # a whole day left out
    "Pacific/Kiritimati": ("1995-01-01",),  # likewise
    "UTC": ("2024-02-29",),
}
DAYS = tuple(windowspec.DAYS)


def read(windows: JsonObject) -> Windows:
    """Compile windows that must be sound."""
    field = Field(windows, "spec.windows", [])
    found = windowspec.windows(field)
    assert field.violations == []
    assert found is not None
    return found


def weekly(name: str, days: str, start: str, end: str) -> JsonObject:
    """An entry on days of the week."""
    return {"name": name, "weekly": {"days": days.split(), "start": start, "end": end}}


def rrule(name: str, rule: str, start: str, duration: str, *exdates: str) -> JsonObject:
    """An entry by a recurrence rule."""
    given = {"rule": rule, "start": start, "duration": duration}
    return {"name": name, "rrule": {**given, **({"exdates": list(exdates)} if exdates else {})}}


def overrun(entry: JsonObject, grace: str) -> JsonObject:
    """The entry with a grace."""
    return {**entry, "overrun": {"grace": grace}}


def once(name: str, start: str, end: str) -> JsonObject:
    """An entry with fixed ends."""
    return {"name": name, "once": {"start": start, "end": end}}


def at(text: str) -> datetime:
    """An instant."""
    return datetime.fromisoformat(text)


# ------------------------------------------------------------------------------------------------------- the rule

CHANGE_NIGHT = weekly("change-night", "Tue Thu", "22:00", "02:00")
BLACK_FRIDAY = once("black-friday", "2026-11-26T00:00:00+01:00", "2026-12-01T00:00:00+01:00")
BERLIN = {"timeZone": "Europe/Berlin"}
ALLOW = {**BERLIN, "allow": [CHANGE_NIGHT]}
FREEZE = {**BERLIN, "freeze": [BLACK_FRIDAY]}
BOTH = {**BERLIN, "allow": [CHANGE_NIGHT], "freeze": [BLACK_FRIDAY]}
ALWAYS = {**BERLIN, "allow": [weekly("always", " ".join(DAYS), "00:00", "24:00")]}
LONG_PAST = {**BERLIN, "allow": [once("launch", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")]}
PATCH_TUESDAY = {
    **BERLIN,
    "allow": [rrule("patch-tuesday", "FREQ=MONTHLY;BYDAY=2TU", "2026-01-13T20:00", "2h30m", "2026-12-08")],
}
BACK_TO_BACK = {**BERLIN, "allow": [weekly("a", "Tue", "10:00", "12:00"), weekly("b", "Tue", "12:00", "14:00")]}


@pytest.mark.parametrize(
    ("windows", "now", "expected"),
    [
        pytest.param(
            ALLOW,
            "2026-11-16T12:00:00+01:00",  # a Monday
            (False, (), "2026-11-17T22:00:00+01:00", "2026-11-17T22:00:00+01:00"),
            id="before the first window of the week it is closed until that opens",
        ),
        pytest.param(
            ALLOW,
            "2026-11-17T22:00:00+01:00",
            (True, ("change-night",), "2026-11-18T02:00:00+01:00", "2026-11-17T22:00:00+01:00"),
            id="the first instant of a window lies inside",
        ),
        pytest.param(
            ALLOW,
            "2026-11-18T01:59:59.999999+01:00",
            (True, ("change-night",), "2026-11-18T02:00:00+01:00", "2026-11-18T01:59:59.999999+01:00"),
            id="past midnight it is still the window of the day before",
        ),
        pytest.param(
            ALLOW,
            "2026-11-18T02:00:00+01:00",
            (False, (), "2026-11-19T22:00:00+01:00", "2026-11-19T22:00:00+01:00"),
            id="the end of a window lies outside",
        ),
        pytest.param(
            FREEZE,
            "2026-11-25T12:00:00+01:00",
            (True, (), "2026-11-26T00:00:00+01:00", "2026-11-25T12:00:00+01:00"),
            id="with freezes alone it is open outside them",
        ),
        pytest.param(
            FREEZE,
            "2026-11-26T00:00:00+01:00",
            (False, ("black-friday",), "2026-12-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00"),
            id="a freeze closes",
        ),
        pytest.param(
            BOTH,
            "2026-11-26T23:00:00+01:00",  # a Thursday night
            (False, ("black-friday",), "2026-12-01T22:00:00+01:00", "2026-12-01T22:00:00+01:00"),
            id="a freeze closes an open window and the next opening is after both",
        ),
        pytest.param(
            {
                **BERLIN,
                "allow": [CHANGE_NIGHT],
                "freeze": [once("f", "2026-11-17T23:00:00+01:00", "2026-11-18T00:30:00+01:00")],
            },
            "2026-11-17T23:30:00+01:00",
            (False, ("f",), "2026-11-18T00:30:00+01:00", "2026-11-18T00:30:00+01:00"),
            id="after a freeze inside a window the rest of the window is open",
        ),
        pytest.param(
            ALWAYS,
            "2026-11-17T12:00:00Z",
            (True, ("always",), None, "2026-11-17T12:00:00Z"),
            id="windows that touch are one and open ever after has no transition",
        ),
        pytest.param(
            LONG_PAST,
            "2026-11-17T12:00:00Z",
            (False, (), None, None),
            id="a window that never comes again leaves it closed without a next opening",
        ),
        pytest.param(
            BACK_TO_BACK,
            "2026-11-17T11:00:00+01:00",
            (True, ("a",), "2026-11-17T14:00:00+01:00", "2026-11-17T11:00:00+01:00"),
            id="between two windows that touch nothing changes",
        ),
        pytest.param(
            PATCH_TUESDAY,
            "2026-11-16T12:00:00+01:00",
            (False, (), "2027-01-12T20:00:00+01:00", "2027-01-12T20:00:00+01:00"),
            id="a recurring window opens by its rule, and not on a day taken out",
        ),
        pytest.param(
            PATCH_TUESDAY,
            "2027-01-12T21:00:00+01:00",
            (True, ("patch-tuesday",), "2027-01-12T22:30:00+01:00", "2027-01-12T21:00:00+01:00"),
            id="a recurring window lasts its duration",
        ),
        pytest.param(
            {**BERLIN, "freeze": [rrule("year-end", "FREQ=YEARLY", "2020-12-28T12:00", "168h")]},
            "2027-01-03T12:00:00+01:00",
            (False, ("year-end",), "2027-01-04T12:00:00+01:00", "2027-01-04T12:00:00+01:00"),
            id="on its seventh day a freeze of a week is still on",
        ),
        pytest.param(
            {**BERLIN, "allow": [rrule("a", "FREQ=DAILY;UNTIL=20261117T190000Z", "2026-11-01T20:00", "1h")]},
            "2026-11-17T12:00:00+01:00",
            (False, (), "2026-11-17T20:00:00+01:00", "2026-11-17T20:00:00+01:00"),
            id="the instant of UNTIL still starts a window",
        ),
        pytest.param(
            {**BERLIN, "allow": [rrule("a", "FREQ=DAILY;UNTIL=20261117T185959Z", "2026-11-01T20:00", "1h")]},
            "2026-11-17T12:00:00+01:00",
            (False, (), None, None),
            id="nothing starts after the instant of UNTIL",
        ),
        pytest.param(
            {**BERLIN, "allow": [rrule("a", "FREQ=DAILY;COUNT=3", "2026-11-15T20:00", "1h")]},
            "2026-11-17T12:00:00+01:00",
            (False, (), "2026-11-17T20:00:00+01:00", "2026-11-17T20:00:00+01:00"),
            id="the last of COUNT starts a window",
        ),
        pytest.param(
            {**BERLIN, "freeze": [once("audit", "2027-10-01T00:00:00Z", "2027-10-02T00:00:00Z")]},
            "2026-11-17T12:00:00Z",
            (True, (), "2027-10-01T00:00:00Z", "2026-11-17T12:00:00Z"),
            id="a transition is found most of a year ahead",
        ),
        pytest.param(
            {**BERLIN, "freeze": [once("far", "2028-01-01T00:00:00Z", "2028-01-02T00:00:00Z")]},
            "2026-11-17T12:00:00Z",
            (True, (), None, "2026-11-17T12:00:00Z"),
            id="a transition beyond the look-ahead is not named",
        ),
    ],
)
def test_state(windows: JsonObject, now: str, expected: tuple[bool, tuple[str, ...], str | None, str | None]) -> None:
    """Any active freeze closes; else with an allow list it is open only inside; else open; spans are half-open."""
    is_open, active, transition, opening = expected

    assert read(windows).state(at(now)) == WindowState(
        open=is_open,
        active=active,
        next_transition=at(transition) if transition else None,
        next_open=at(opening) if opening else None,
        time_zone="Europe/Berlin",
    )


def test_naive_instant_is_a_mistake_of_the_caller() -> None:
    """An instant without zone is never guessed."""
    with pytest.raises(ValueError, match="aware"):
        read(ALLOW).state(datetime(2026, 11, 17))  # noqa: DTZ001  the point of the test


def test_outside_is_deny_unless_said_otherwise() -> None:
    """Closed means no, by default."""
    assert (read(ALLOW).outside, read({**ALLOW, "outside": "Warn"}).outside) == (Verdict.DENY, Verdict.WARN)


# ------------------------------------------------------------------------------------------------------- overrun

GRACEFUL = overrun(CHANGE_NIGHT, "30m")  # Tuesdays and Thursdays, 22:00 to 02:00
LATE_FREEZE = once("f", "2026-11-18T01:00:00+01:00", "2026-11-18T03:00:00+01:00")
TUESDAY = "2026-11-17T22:00:00+01:00"


@pytest.mark.parametrize(
    ("windows", "now", "expected"),
    [
        pytest.param({"allow": [GRACEFUL]}, "2026-11-17T23:00:00+01:00", TUESDAY, id="while open, of the present one"),
        pytest.param({"allow": [GRACEFUL]}, "2026-11-18T02:00:00+01:00", TUESDAY, id="from its end on"),
        pytest.param({"allow": [GRACEFUL]}, "2026-11-18T02:29:59+01:00", TUESDAY, id="to the end of the grace"),
        pytest.param({"allow": [GRACEFUL]}, "2026-11-18T02:30:00+01:00", None, id="not after the grace"),
        pytest.param({"allow": [CHANGE_NIGHT]}, "2026-11-18T02:10:00+01:00", None, id="not without a grace"),
        pytest.param(
            {"allow": [GRACEFUL], "freeze": [LATE_FREEZE]},
            "2026-11-18T01:10:00+01:00",
            None,
            id="a freeze ends the grace",
        ),
        pytest.param(
            {"allow": [GRACEFUL], "freeze": [{**LATE_FREEZE, "allowOverrun": "Enabled"}]},
            "2026-11-18T01:10:00+01:00",
            TUESDAY,
            id="a freeze that allows it leaves the grace, from its own beginning on",
        ),
        pytest.param(
            {"allow": [GRACEFUL], "freeze": [once("f", "2026-11-18T02:05:00+01:00", "2026-11-18T02:10:00+01:00")]},
            "2026-11-18T02:20:00+01:00",
            None,
            id="after a freeze nothing goes on",
        ),
        pytest.param(
            {"allow": [GRACEFUL, weekly("short", "Tue", "22:00", "23:00")]},
            "2026-11-18T02:10:00+01:00",
            TUESDAY,
            id="the window that ends last gives it",
        ),
        pytest.param(
            {"allow": [CHANGE_NIGHT, overrun(weekly("short", "Tue", "22:00", "23:00"), "4h")]},
            "2026-11-18T02:10:00+01:00",
            None,
            id="a window that ended earlier gives none",
        ),
    ],
)
def test_overrun(windows: JsonObject, now: str, expected: str | None) -> None:
    """After the window that ends an opening, its operations may go on for its grace, unless a freeze forbids it."""
    found = read({**BERLIN, **windows}).state(at(now)).overrun_since

    assert found == (at(expected) if expected else None)


# ------------------------------------------------------------------------------------------- when clocks change

EARLY_RULE = ("FREQ=WEEKLY;BYDAY=SU", "2026-01-04T02:15", "30m")
SUNDAY_EARLY = ("Sun", "02:15", "02:45")  # Berlin: 2026-03-29 has no such time, 2026-10-25 has it twice


@pytest.mark.parametrize(
    ("kind", "window", "day", "expected"),
    [
        pytest.param("allow", SUNDAY_EARLY, "2026-10-25", [], id="an allow window inside a fold falls out"),
        pytest.param("allow", SUNDAY_EARLY, "2026-03-29", [], id="an allow window inside a gap falls out"),
        pytest.param(
            "freeze",
            SUNDAY_EARLY,
            "2026-10-25",
            [("2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z")],
            id="a freeze inside a fold lasts from its first to its second time",
        ),
        pytest.param(
            "freeze",
            SUNDAY_EARLY,
            "2026-03-29",
            [("2026-03-29T00:15:00Z", "2026-03-29T01:45:00Z")],
            id="a freeze inside a gap is stretched to both sides of it",
        ),
        pytest.param(
            "allow",
            ("Sat", "22:00", "02:30"),
            "2026-10-25",
            [("2026-10-24T20:00:00Z", "2026-10-25T00:30:00Z")],
            id="an allow window ends the first time",
        ),
        pytest.param(
            "allow",
            ("Sun", "02:30", "06:00"),
            "2026-10-25",
            [("2026-10-25T01:30:00Z", "2026-10-25T05:00:00Z")],
            id="an allow window starts the second time",
        ),
        pytest.param(
            "allow",
            ("Sat", "22:00", "06:00"),
            "2026-10-25",
            [("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z")],
            id="a window across a fold lasts an hour longer",
        ),
        pytest.param(
            "allow",
            ("Sat", "22:00", "06:00"),
            "2026-03-29",
            [("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z")],
            id="a window across a gap lasts an hour less",
        ),
        pytest.param("allow", EARLY_RULE, "2026-10-25", [], id="a recurring window inside a fold falls out"),
        pytest.param("allow", EARLY_RULE, "2026-03-29", [], id="a recurring window inside a gap falls out"),
        pytest.param(
            "freeze",
            EARLY_RULE,
            "2026-10-25",
            [("2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z")],
            id="a recurring freeze inside a fold lasts from its first to its second time",
        ),
        pytest.param(
            "allow",
            ("FREQ=WEEKLY", "2026-01-03T22:00", "8h"),
            "2026-10-25",
            [("2026-10-24T20:00:00Z", "2026-10-25T04:00:00Z")],
            id="eight hours across a fold are eight hours of permission",
        ),
        pytest.param(
            "allow",
            ("FREQ=WEEKLY", "2026-01-03T22:00", "8h"),
            "2026-03-29",
            [("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z")],
            id="eight hours across a gap are permission until the clock shows eight hours later",
        ),
        pytest.param(
            "freeze",
            ("FREQ=WEEKLY", "2026-01-03T22:00", "8h"),
            "2026-10-25",
            [("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z")],
            id="a freeze of eight hours across a fold ends where the clock shows eight hours later",
        ),
    ],
)
def test_clock_changes_leave_less_permission(
    kind: str, window: tuple[str, str, str], day: str, expected: list[tuple[str, str]]
) -> None:
    """Whatever the clock does, an allow window never permits more and a freeze never less than one reading of it."""
    entry = rrule("w", *window) if "FREQ" in window[0] else weekly("w", *window)
    windows = read({"timeZone": "Europe/Berlin", kind: [entry]})
    noon_before = at(f"{day}T12:00:00Z") - timedelta(days=1)

    found, instant = [], noon_before
    while (state := windows.state(instant)).next_transition and state.next_transition < noon_before + timedelta(days=1):
        found.append(state.next_transition)
        instant = state.next_transition

    assert found == [at(end) for span in expected for end in span]


# ---------------------------------------------------------------------------------------- against the slow model

clocks = st.one_of(st.integers(0, 5 * 60), st.integers(0, 24 * 60 - 1)).map(lambda m: f"{m // 60:02}:{m % 60:02}")
ends = st.one_of(clocks, st.just("24:00"))
days = st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and an instant, mostly near a day on which its clocks change."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = at(f"{draw(st.sampled_from(CHANGES[zone]))}T00:00:00+00:00")
    near = st.integers(-3 * 86400, 2 * 86400)
    anywhere = st.integers(-4000 * 86400, 400 * 86400)
    return zone, change + timedelta(seconds=draw(st.one_of(near, near, near, anywhere)))


@st.composite
def entries(draw: st.DrawFn, now: datetime) -> list[JsonObject]:
    """Up to three windows: weekly ones, recurring ones begun lately, and fixed ones around an instant."""
    found = []
    for index in range(draw(st.integers(0, 3))):
        form = draw(st.sampled_from(("weekly", "weekly", "rrule", "once")))
        if form == "weekly":
            start, end = draw(clocks), draw(ends)
            if start != end:
                found.append(weekly(f"w{index}", " ".join(draw(days)), start, end))
        elif form == "rrule":
            about = now.date() - timedelta(days=draw(st.integers(-3, 60)))
            begun = recurrences.begun(draw(recurrences.rules), about)
            if begun is not None:
                rule, first = begun
                duration = f"{draw(st.integers(1, 48 * 60))}m"
                found.append(rrule(f"w{index}", rule, f"{first}T{draw(clocks)}", duration))
        else:
            start_at = now.replace(second=0) + timedelta(minutes=draw(st.integers(-3000, 3000)))
            length = timedelta(minutes=draw(st.integers(1, 3000)))
            found.append(once(f"w{index}", start_at.isoformat(), (start_at + length).isoformat()))
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[JsonObject, datetime]:
    """Windows and an instant."""
    zone, now = draw(moments())
    allow, freeze = draw(entries(now)), draw(entries(now))
    for entry in allow:
        if draw(st.booleans()):
            entry["overrun"] = {"grace": f"{draw(st.integers(1, 240))}m"}
    for entry in freeze:
        entry["allowOverrun"] = draw(st.sampled_from(("Enabled", "Disabled")))
    if not allow and not freeze:
        allow = [weekly("only", "Sun", "02:30", "03:30")]
    return {"timeZone": zone, **({"allow": allow} if allow else {}), **({"freeze": freeze} if freeze else {})}, now


@given(cases())
def test_state_agrees_with_a_clock_looked_at_every_minute(case: tuple[JsonObject, datetime]) -> None:
    """State, next transition and next opening are exact, in any zone, on any day."""
    windows, now = case
    model, state = Model.of(windows, now), read(windows).state(now)
    transition = model.next_transition(now)

    assert state.open == model.open(now)
    if transition is None:
        assert state.next_transition is None or state.next_transition >= model.known_until
    else:
        assert state.next_transition == transition
    assert state.next_open == (now if state.open else state.next_transition)


@given(cases())
def test_overrun_agrees_with_a_clock_looked_at_every_minute(case: tuple[JsonObject, datetime]) -> None:
    """From when on an operation must have begun to go on now is exact, for a day and some hours back."""
    windows, now = case
    expected = Model.of(windows, now).overrun_since(windows, now)
    earliest = now - OVERRUN_LOOK

    assert read(windows).state(now).overrun_since == (max(expected, earliest) if expected else None)


FROZEN = {
    "timeZone": "UTC",
    "allow": [weekly("a", "Sat", "00:02", "00:01")],
    "freeze": [weekly("f", " ".join(DAYS), "00:00", "24:00")],
}
A_FREEZE_BEGINS_WHERE_THE_LOOK_ENDS = (FROZEN, at("2026-11-22T00:00:00+00:00") - LOOK_AHEAD)


@given(cases(), st.integers(0, 3 * 86400))
@example(A_FREEZE_BEGINS_WHERE_THE_LOOK_ENDS, 0)
def test_state_stands_until_the_next_transition(case: tuple[JsonObject, datetime], later: int) -> None:
    """Between now and the next transition the state is the same, and at the transition it is the other."""
    windows, now = read(case[0]), case[1]
    state = windows.state(now)
    end = state.next_transition or now + LOOK_AHEAD
    between = min(now + timedelta(seconds=later), end - timedelta(microseconds=1))

    assert windows.is_open(between) == state.open
    assert state.next_transition is None or windows.is_open(state.next_transition) != state.open


@given(cases())
def test_outlook_names_the_transitions_after_it(case: tuple[JsonObject, datetime]) -> None:
    """What opens and closes next is what states say at these instants and just before."""
    windows, now = read(case[0]), case[1]
    seen = outlook(replace(parsed(), windows=windows), now)

    assert seen.state == windows.state(now)
    assert (seen.closing if seen.open else seen.opening) == windows.state(now).next_transition
    for instant, opens in ((seen.opening, True), (seen.closing, False)):
        if instant is not None:
            around = (windows.is_open(instant - timedelta(microseconds=1)), windows.is_open(instant))
            assert (instant > now, around) == (True, (not opens, opens))


@given(cases(), st.lists(st.integers(-5000, 5000), min_size=1, max_size=8))
def test_what_is_remembered_is_what_is_found_anew(case: tuple[JsonObject, datetime], minutes: list[int]) -> None:
    """Asked again and again, forwards and backwards in time, windows say what fresh ones say."""
    windows, now = read(case[0]), case[1]
    instants = [now + timedelta(minutes=offset, seconds=offset % 7) for offset in minutes]

    assert [windows.state(instant) for instant in instants] == [read(case[0]).state(instant) for instant in instants]


@given(moments(), st.sampled_from(sorted(CHANGES)), clocks, ends, days)
def test_the_order_of_entries_does_not_matter(
    moment: tuple[str, datetime], zone: str, start: str, end: str, on: list[str]
) -> None:
    """Windows are a set."""
    if start == end:
        return
    _, now = moment
    listed = [weekly("a", " ".join(on), start, end), weekly("b", "Sun Mon", "01:00", "03:00")]
    one = read({"timeZone": zone, "allow": listed, "freeze": [weekly("c", "Mon", "02:00", "02:30")]})
    other = read({"timeZone": zone, "allow": listed[::-1], "freeze": [weekly("c", "Mon", "02:00", "02:30")]})

    assert (one.state(now).open, one.state(now).next_transition) == (
        other.state(now).open,
        other.state(now).next_transition,
    )


# ---------------------------------------------------------------------------------------------------------- zones


@given(st.sampled_from(sorted(CHANGES)), st.datetimes(datetime(1995, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001  wall
def test_a_reading_that_exists_stands_for_instants_at_which_the_clock_shows_it(name: str, wall: datetime) -> None:
    """Both ends of the doubt are real, unless the reading never happens; then they are shifted to either side."""
    zone = zones.zone(name)
    shown = [instant.astimezone(zone).replace(tzinfo=None) for instant in zones.instants(wall, zone)]

    assert shown == [wall, wall] or shown[0] < wall < shown[1]


@pytest.mark.parametrize("name", ["Europe/Berlinn", "../../etc/passwd", "", "europe/berlin", "Local"])
def test_unknown_zone_is_an_error(name: str) -> None:
    """An unknown zone never becomes UTC, and a name is no path."""
    with pytest.raises(KeyError):
        zones.zone(name)


def test_zones_are_those_of_the_package() -> None:
    """Every listed zone can be loaded."""
    assert {zones.zone(name).key for name in zones.names()} == zones.names()
    assert zones.zone("Europe/Berlin").utcoffset(datetime(2026, 7, 1, tzinfo=UTC)) == timedelta(hours=2)
