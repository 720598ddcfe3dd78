"""Reading `rrule` of a window; violations are noted in the field.

A rule is the RRULE of RFC 5545 without the name in front, on the wall clock of the policy's zone. Refused is what would
be unbounded or start more than once a day (FREQ by the hour or faster, BYHOUR and the like), what few calendars write
and nobody reads alike (BYWEEKNO, BYYEARDAY), and a start that the rule itself does not give: the RFC leaves its meaning
open.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from interlock.core.policies.entries import Recurring
from interlock.core.policies.fields import Field, union
from interlock.core.policies.recurrence import Frequency, Recurrence, Weekday

MAX_RULE_CHARACTERS = 256
MAX_EXDATES = 64
MAX_INTERVAL = 999  # days to years: more is no recurrence
MAX_COUNT = 999  # occurrences: beyond a few years of every day an end is better said as UNTIL
MAX_DURATION = timedelta(days=7)  # a window that is longer is a `once`, or no window

START = re.compile(r"(19|2[01])\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d")
EXPECTED_START = "the first start on the wall clock, without offset, such as 2026-01-13T02:00"
RULE = re.compile(r"[A-Z]+=[-+A-Z0-9,]+(;[A-Z]+=[-+A-Z0-9,]+)*")
EXPECTED_RULE = "an RRULE of RFC 5545, such as FREQ=MONTHLY;BYDAY=2TU"
DURATION = re.compile(r"(?=.)(?:([1-9]\d{0,2})h)?(?:([1-9]\d{0,4})m)?")
EXPECTED_DURATION = "hours and minutes, at most 168h, such as 2h or 1h30m"
DATE = re.compile(r"(19|2[01])\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
EXPECTED_DATE = "a date, such as 2026-12-08"

PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST")
WEEKDAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}

_BY_LIST = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYSETPOS": 366}  # the largest number each
_ORDINALS = {Frequency.MONTHLY: 5, Frequency.YEARLY: 53}
_UNTIL_DATE = re.compile(r"\d{8}")
_UNTIL_INSTANT = re.compile(r"\d{8}T\d{6}Z")
_EXPECTED_UNTIL = "a date such as UNTIL=20261231, or an instant in UTC such as UNTIL=20261231T225959Z"

Parts = dict[str, str]


def recurring(field: Field, name: str) -> Recurring | None:
    """Read `rrule`; None if too little of it can be read."""
    fields = field.fields(("rule", "start", "duration", "exdates"))
    start = _start(fields.required("start", EXPECTED_START))
    length = duration(fields.required("duration", EXPECTED_DURATION), EXPECTED_DURATION, at_most=MAX_DURATION)
    rule = fields.required("rule", EXPECTED_RULE)
    parts = _parts(rule)
    exdates = union(fields["exdates"], _date, at_most=MAX_EXDATES)
    if start is None or length is None or not parts:
        return None
    recurrence = _recurrence(rule, parts, start.date())
    if recurrence is None or not _begins_with(fields["start"], recurrence):
        return None
    recurrence = _counted(rule, parts, recurrence)
    for day in exdates:
        if not any(recurrence.days(day, day)):
            fields["exdates"].refuse("days on which the rule starts", got=day.isoformat())
    return Recurring(
        name=name,
        recurrence=recurrence,
        start=start.hour * 60 + start.minute,
        duration=length,
        until=_until_instant(parts),
        exdates=frozenset(exdates),
    )


def _start(field: Field) -> datetime | None:
    text = field.spelled(START, EXPECTED_START)
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:  # 31 April
        field.refuse(EXPECTED_START)
        return None


def _date(field: Field) -> date | None:
    text = field.spelled(DATE, EXPECTED_DATE)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        field.refuse(EXPECTED_DATE)
        return None


def duration(field: Field, expected: str, *, at_most: timedelta) -> timedelta | None:
    """Read a duration of hours and minutes; None if it is absent or none."""
    if not field.spelled(DURATION, expected):
        return None
    hours, minutes = (int(part or 0) for part in DURATION.fullmatch(field.value).groups())  # type: ignore[union-attr]
    found = timedelta(hours=hours, minutes=minutes)
    if found > at_most:
        field.refuse(expected)
        return None
    return found


def _parts(field: Field) -> Parts:
    """The parts of a rule by name; empty if any of them is unknown."""
    text = field.text(at_most=MAX_RULE_CHARACTERS)
    if not text or not field.spelled(RULE, EXPECTED_RULE):
        return {}
    pairs = [part.split("=", 1) for part in text.split(";")]
    before = len(field.violations)
    for name in dict.fromkeys(name for name, _ in pairs):
        if name not in PARTS:
            field.refuse(f"only {', '.join(PARTS)}; the time of day is that of start", got=name)
        elif sum(other == name for other, _ in pairs) > 1:
            field.refuse("each part once", got=f"{name} twice")
    return dict(pairs) if len(field.violations) == before else {}


def _recurrence(field: Field, parts: Parts, first: date) -> Recurrence | None:
    before = len(field.violations)
    frequency = _frequency(field, parts)
    if frequency is None:
        return None
    interval = _number(field, parts, "INTERVAL", at_most=MAX_INTERVAL) or 1
    months, month_days, positions = (_numbers(field, parts, name) for name in _BY_LIST)
    weekdays = _weekdays(field, parts, frequency)
    week_start = _week_start(field, parts)
    last = _until_date(field, parts)
    found = Recurrence(
        first=first,
        frequency=frequency,
        interval=interval,
        months=months,
        month_days=month_days,
        weekdays=weekdays,
        positions=positions,
        week_start=week_start,
        last=last,
    )
    _demand_meaning(field, parts, frequency)
    return None if len(field.violations) > before else _completed(found)


def _frequency(field: Field, parts: Parts) -> Frequency | None:
    text = parts.get("FREQ", "")
    if text in Frequency.__members__:
        return Frequency(text)
    got = f"FREQ={text}" if text else "no FREQ"
    field.refuse(f"FREQ as one of {', '.join(Frequency)}: a window starts once a day at most", got=got)
    return None


def _number(field: Field, parts: Parts, name: str, *, at_most: int) -> int | None:
    text = parts.get(name)
    if text is None:
        return None
    if not (text.isdecimal() and 1 <= int(text) <= at_most):
        field.refuse(f"{name} from 1 to {at_most}", got=f"{name}={text}")
        return None
    return int(text)


def _numbers(field: Field, parts: Parts, name: str) -> frozenset[int]:
    if name not in parts:
        return frozenset()
    least, most = (1 if name == "BYMONTH" else -_BY_LIST[name]), _BY_LIST[name]
    found = frozenset(int(text) if _is_integer(text) else 0 for text in parts[name].split(","))
    if not all(number and least <= number <= most for number in found):
        field.refuse(f"{name} as numbers from {least} to {most}, not 0", got=f"{name}={parts[name]}")
    return found


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"[-+]?\d{1,3}", text) is not None


def _weekdays(field: Field, parts: Parts, frequency: Frequency) -> frozenset[Weekday]:
    if "BYDAY" not in parts:
        return frozenset()
    found = [_weekday(text) for text in parts["BYDAY"].split(",")]
    most = _ORDINALS.get(frequency, 0)
    if any(day is None or abs(day.ordinal) > most for day in found):
        ordinals = f", or with an ordinal such as 2TU or -1FR, up to {most}" if most else " without an ordinal"
        field.refuse(f"BYDAY as days such as MO,TU{ordinals}", got=f"BYDAY={parts['BYDAY']}")
    return frozenset(day for day in found if day is not None)


def _weekday(text: str) -> Weekday | None:
    number, day = text[:-2], WEEKDAYS.get(text[-2:])
    if day is None or (number and not (_is_integer(number) and int(number))):
        return None
    return Weekday(int(number) if number else 0, day)


def _week_start(field: Field, parts: Parts) -> int:
    text = parts.get("WKST", "MO")
    if text not in WEEKDAYS:
        field.refuse(f"WKST as one of {', '.join(WEEKDAYS)}", got=f"WKST={text}")
    return WEEKDAYS.get(text, 0)


def _until_date(field: Field, parts: Parts) -> date | None:
    """The date of an UNTIL; that of one with an instant, which `_until_instant` tells exactly, lies a day later."""
    text = parts.get("UNTIL")
    if text is None:
        return None
    try:
        if _UNTIL_DATE.fullmatch(text):
            return date.fromisoformat(text)
        if _UNTIL_INSTANT.fullmatch(text):
            return datetime.fromisoformat(text).date() + timedelta(days=1)
    except (ValueError, OverflowError):
        pass
    field.refuse(_EXPECTED_UNTIL, got=f"UNTIL={text}")
    return None


def _until_instant(parts: Parts) -> datetime | None:
    text = parts.get("UNTIL", "")
    return datetime.fromisoformat(text).astimezone(UTC) if _UNTIL_INSTANT.fullmatch(text) else None


def _demand_meaning(field: Field, parts: Parts, frequency: Frequency) -> None:
    """Refuse parts that say nothing together, or not what they seem to."""
    if "COUNT" in parts and "UNTIL" in parts:
        field.refuse("one of COUNT, UNTIL", got="both")
    if "BYMONTHDAY" in parts and frequency is Frequency.WEEKLY:
        field.refuse("no BYMONTHDAY with FREQ=WEEKLY", got=f"BYMONTHDAY={parts['BYMONTHDAY']}")
    if "BYSETPOS" not in parts:
        return
    if frequency in {Frequency.DAILY, Frequency.WEEKLY} or not _any(parts, ("BYDAY", "BYMONTHDAY", "BYMONTH")):
        expected = "BYSETPOS with FREQ=MONTHLY or YEARLY, and with days of which it takes some"
        field.refuse(expected, got=f"BYSETPOS={parts['BYSETPOS']}")


def _any(parts: Parts, names: Iterable[str]) -> bool:
    return any(name in parts for name in names)


def _completed(rule: Recurrence) -> Recurrence:
    """The rule with what RFC 5545 takes from the start where it names no days."""
    if rule.weekdays or rule.month_days:
        return rule
    match rule.frequency:
        case Frequency.DAILY:
            return rule
        case Frequency.WEEKLY:
            return replace(rule, weekdays=frozenset({Weekday(0, rule.first.weekday())}))
        case Frequency.MONTHLY:
            return replace(rule, month_days=frozenset({rule.first.day}))
        case Frequency.YEARLY:
            months = rule.months or frozenset({rule.first.month})
            return replace(rule, months=months, month_days=frozenset({rule.first.day}))


def _counted(field: Field, parts: Parts, rule: Recurrence) -> Recurrence:
    """The rule with its last day instead of a number of days."""
    count = _number(field, parts, "COUNT", at_most=MAX_COUNT)
    if count is None:
        return rule
    given = rule.earliest(count)
    if len(given) < count:
        field.refuse("a COUNT that is reached within 40 years, or UNTIL", got=f"COUNT={count}")
    return replace(rule, last=given[-1])


def _begins_with(start: Field, rule: Recurrence) -> bool:
    """Whether the start is one of the rule; refused otherwise, with the first that is."""
    given = rule.earliest()
    if given == (rule.first,):
        return True
    first = f"the first is {given[0].isoformat()}{start.value[10:]}" if given else "it never comes to any"
    start.refuse(f"a start that the rule gives; {first}")
    return False
