"""Reading `windows` of a DangerPolicy; violations are noted in the field.

A window that could be read two ways is refused rather than guessed: an unknown zone never becomes UTC, an instant
without offset has no zone, and a weekly window whose end is its start may mean all day or nothing.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from interlock.core.policies import recurrencespec, zones
from interlock.core.policies.entries import MINUTES_A_DAY, Entry, Once, Weekly
from interlock.core.policies.fields import Field, Fields, union
from interlock.core.policies.windows import MAX_GRACE, Windows
from interlock.core.types import Verdict

MAX_ENTRIES = 32
MAX_NAME_CHARACTERS = 63

DAYS = {day: number for number, day in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))}
SWITCH = {"Enabled": True, "Disabled": False}
OUTSIDE = {"Deny": Verdict.DENY, "Warn": Verdict.WARN}

_START = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_END = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
EXPECTED_GRACE = "hours and minutes, at most 4h, such as 15m"
_EXPECTED_INSTANT = "RFC 3339 with an offset, such as 2026-11-26T00:00:00+01:00"


def windows(field: Field) -> Windows | None:
    """Read `spec.windows`; None if absent, or if there is no zone to read them in."""
    if not field.present:
        return None
    fields = field.fields(("timeZone", "allow", "freeze", "outside"))
    zone = _zone(fields.required("timeZone", "an IANA zone such as Europe/Berlin"))
    allow, freeze = _entries(fields["allow"], _allow), _entries(fields["freeze"], _freeze)
    outside = fields["outside"].chosen(OUTSIDE)
    if fields.readable and not (fields["allow"].present or fields["freeze"].present):
        field.refuse("an entry in allow or freeze", got="neither allow nor freeze")
    if zone is None:
        return None
    return Windows(time_zone=zone, allow=allow, freeze=freeze, outside=Verdict.DENY if outside is None else outside)


def _zone(field: Field) -> str | None:
    name = field.text(at_most=MAX_NAME_CHARACTERS)
    if name in zones.names():
        return name
    if name:
        field.refuse("an IANA zone such as Europe/Berlin")
    return None


def _entries(field: Field, read: Callable[[Field], Entry | None]) -> tuple[Entry, ...]:
    entries: tuple[Entry, ...] = union(field, read, at_most=MAX_ENTRIES)
    names = [entry.name for entry in entries]
    for name in sorted({name for name in names if names.count(name) > 1}):
        field.refuse("names that differ", got=f'two entries named "{name}"')
    return entries


def _allow(field: Field) -> Entry | None:
    fields = field.fields(("name", *FORMS, "overrun"))
    entry = _entry(fields)
    overrun = fields["overrun"]
    grace = overrun.fields(("grace",)).required("grace", EXPECTED_GRACE) if overrun.present else overrun
    length = recurrencespec.duration(grace, EXPECTED_GRACE, at_most=MAX_GRACE)
    return replace(entry, grace=length) if entry and length else entry


def _freeze(field: Field) -> Entry | None:
    fields = field.fields(("name", *FORMS, "allowOverrun"))
    entry = _entry(fields)
    allowed = fields["allowOverrun"].chosen(SWITCH) is True
    return replace(entry, allows_overrun=allowed) if entry else None


def _entry(fields: Fields) -> Entry | None:
    name = fields.required("name", "a name for messages").text(at_most=MAX_NAME_CHARACTERS)
    forms = [form for form in FORMS if fields[form].present]
    if len(forms) != 1:
        if fields.readable:
            fields.of.refuse(f"exactly one of {', '.join(FORMS)}", got=" and ".join(forms) or "none of them")
        return None
    return FORMS[forms[0]](fields[forms[0]], name)


def _weekly(field: Field, name: str) -> Weekly | None:
    fields = field.fields(("days", "start", "end"))
    days = union(fields.required("days", "days such as Mon"), _day, at_most=len(DAYS))
    start = _minutes(fields.required("start", "HH:MM"), _START, "HH:MM from 00:00 to 23:59")
    end = _minutes(fields.required("end", "HH:MM"), _END, "HH:MM from 00:00 to 24:00")
    if start is None or end is None:
        return None
    if start == end:
        fields["end"].refuse("another time than start; a whole day is 00:00 to 24:00")
    return Weekly(name=name, days=frozenset(days), start=start, end=end)


def _day(field: Field) -> int | None:
    return field.chosen(DAYS)


def _minutes(field: Field, pattern: re.Pattern[str], expected: str) -> int | None:
    text = field.spelled(pattern, expected)
    if not text:
        return None
    hours, _, minutes = text.partition(":")
    return int(hours) * (MINUTES_A_DAY // 24) + int(minutes)


def _once(field: Field, name: str) -> Once | None:
    fields = field.fields(("start", "end"))
    start, end = _instant(fields, "start"), _instant(fields, "end")
    if start is None or end is None:
        return None
    if end <= start:
        fields["end"].refuse(f"later than start, {fields['start'].value}")
    return Once(name=name, start=start, end=end)


def _instant(fields: Fields, name: str) -> datetime | None:
    field = fields.required(name, _EXPECTED_INSTANT)
    text = field.spelled(_INSTANT, _EXPECTED_INSTANT)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        field.refuse(_EXPECTED_INSTANT)
        return None


FORMS: dict[str, Callable[[Field, str], Entry | None]] = {
    "weekly": _weekly,
    "rrule": recurrencespec.recurring,
    "once": _once,
}
