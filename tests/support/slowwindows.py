"""An independent, slow model of change windows, for property tests: a clock on the wall that is looked at every minute.

It never converts a clock reading to an instant. It lists what the clock of a zone shows at every minute of a period in
UTC and looks readings up in that list: found twice where clocks were set back, not at all where they were set forward.
Then the reading is shifted by what the clock jumped, to the side that permits less. States are found by trying minute
after minute.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dateutil.rrule import rrulestr

from interlock.core.policies import zones
from interlock.core.types import JsonObject

MINUTE = timedelta(minutes=1)
LONGEST_GRACE = 4 * 60  # minutes
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

BEFORE = (
    7  # days shown before the instant in question: two looked back, two of length, one of clock change, one of zone
)
AFTER = 9  # and after it


@dataclass(frozen=True)
class Wall:
    """What the clock shows at every minute of a period."""

    minutes: list[datetime]
    shown: list[datetime]
    found: dict[datetime, list[datetime]]

    @classmethod
    def around(cls, now: datetime, zone: str) -> "Wall":
        """Look at the clock from some days before to some days after an instant."""
        first = now.replace(second=0, microsecond=0) - timedelta(days=BEFORE)
        minutes = [first + count * MINUTE for count in range((BEFORE + AFTER) * 24 * 60)]
        shown = [minute.astimezone(zones.zone(zone)).replace(tzinfo=None) for minute in minutes]
        found = defaultdict(list)
        for minute, reading in zip(minutes, shown, strict=True):
            found[reading].append(minute)
        return cls(minutes, shown, dict(found))

    def instants(self, reading: datetime, *, later: bool) -> list[datetime]:
        """Minutes at which the clock shows this, or, if it never does, the reading shifted by the jump over it."""
        if reading in self.found:
            return self.found[reading]
        for before, after in zip(self.shown, self.shown[1:], strict=False):
            if before < reading < after:
                jump = after - before - MINUTE
                return self.found.get(reading + jump if later else reading - jump, [])
        return []

    def index(self, instant: datetime) -> int:
        """Where in the list an instant is, or would be after its last or before its first minute."""
        return min(max((instant - self.minutes[0]) // MINUTE, 0), len(self.minutes))

    def occurrence(self, day: date, weekly: JsonObject, *, allow: bool) -> tuple[datetime, datetime] | None:
        """Start and end of a window that begins on this day, with less permission where the clock is in doubt."""
        starts = _reading(day, weekly["start"])
        ends = _reading(day, weekly["end"])
        if ends <= starts:
            ends += timedelta(days=1)
        begin, end = self.instants(starts, later=allow), self.instants(ends, later=not allow)
        if not begin or not end:
            return None  # outside what is listed
        return (max(begin), min(end)) if allow else (min(begin), max(end))

    def recurring(self, starts: datetime, length: timedelta, *, allow: bool) -> tuple[datetime, datetime] | None:
        """Start and end of a window of some length: what every reading of it permits, or what any of them freezes."""
        early, late = self.instants(starts, later=False), self.instants(starts, later=True)
        ends = self.instants(starts + length, later=not allow)
        if not early or not late or not ends:
            return None
        passed = [min(early) + length, max(late) + length]
        return (max(late), min(*ends, *passed)) if allow else (min(early), max(*ends, *passed))


def _reading(day: date, text: str) -> datetime:
    hours, minutes = map(int, text.split(":"))
    return datetime.combine(day, time()) + timedelta(hours=hours, minutes=minutes)


@dataclass(frozen=True)
class Model:
    """Windows as minutes: for every minute of the period, whether the window is open."""

    wall: Wall
    opened: list[bool]

    @classmethod
    def of(cls, windows: JsonObject, now: datetime) -> "Model":
        """Work out every minute around an instant."""
        wall = Wall.around(now, windows["timeZone"])
        allowed = _minutes(wall, windows.get("allow", ()), allow=True)
        frozen = _minutes(wall, windows.get("freeze", ()), allow=False)
        opened = [m not in frozen and (not windows.get("allow") or m in allowed) for m in wall.minutes]
        return cls(wall, opened)

    def open(self, now: datetime) -> bool:
        """Whether the window is open."""
        return self.opened[self.wall.index(now)]

    def next_transition(self, now: datetime) -> datetime | None:
        """The first later minute that differs; None if there is none before `known_until`."""
        start = self.wall.index(now)
        for index in range(start + 1, len(self.opened) - BEFORE * 24 * 60):
            if self.opened[index] != self.opened[start]:
                return self.wall.minutes[index]
        return None

    def overrun_since(self, windows: JsonObject, now: datetime) -> datetime | None:
        """Start of the opening whose operations may go on: found by going back minute by minute."""
        here = last = self.wall.index(now)
        while not self.opened[last]:
            if here - last > LONGEST_GRACE:
                return None
            last -= 1
        minute = self.wall.minutes[last]
        graces = [
            minutes_of(entry["overrun"]["grace"])
            for entry in windows.get("allow", ())
            if "overrun" in entry and minute in _minutes(self.wall, [entry], allow=True)
        ]
        since = self.wall.minutes[last + 1 : here + 1]
        strict = [entry for entry in windows.get("freeze", ()) if entry.get("allowOverrun") != "Enabled"]
        if not graces or _minutes(self.wall, strict, allow=False) & set(since):
            return None
        if since and now >= minute + MINUTE + max(graces):
            return None
        while last and self.opened[last - 1]:
            last -= 1
        return self.wall.minutes[last]

    @property
    def known_until(self) -> datetime:
        """Up to where transitions are looked for; later days lack the readings that windows may still need."""
        return self.wall.minutes[len(self.opened) - BEFORE * 24 * 60]


def _minutes(wall: Wall, entries: Iterable[JsonObject], *, allow: bool) -> set[datetime]:
    found: set[datetime] = set()
    for entry in entries:
        for begin, end in _spans(wall, entry, allow=allow):
            found.update(wall.minutes[index] for index in range(wall.index(begin), wall.index(end)))
    return found


def _spans(wall: Wall, entry: JsonObject, *, allow: bool) -> Iterable[tuple[datetime, datetime]]:
    if "once" in entry:
        yield tuple(datetime.fromisoformat(entry["once"][end]).astimezone(UTC) for end in ("start", "end"))  # type: ignore[misc]
        return
    first, last = wall.shown[0].date(), wall.shown[-1].date()
    if "rrule" in entry:
        yield from _recurring(wall, entry["rrule"], last, allow=allow)
        return
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if DAYS[day.weekday()] in entry["weekly"]["days"]:
            span = wall.occurrence(day, entry["weekly"], allow=allow)
            if span:
                yield span


def _recurring(wall: Wall, rule: JsonObject, last: date, *, allow: bool) -> Iterable[tuple[datetime, datetime]]:
    length = minutes_of(rule["duration"])
    for starts in rrulestr(rule["rule"], dtstart=datetime.fromisoformat(rule["start"])):
        if starts.date() > last:
            return
        span = wall.recurring(starts, length, allow=allow)
        if span and starts.date().isoformat() not in rule.get("exdates", ()):
            yield span


def minutes_of(duration: str) -> timedelta:
    """A duration such as 1h30m."""
    hours, _, rest = duration.rpartition("h")
    return timedelta(hours=int(hours or 0), minutes=int(rest.removesuffix("m") or 0))
