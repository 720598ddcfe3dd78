"""Entries of a policy's windows: each gives spans of UTC, with less permission where the clock leaves a doubt.

An entry is asked for the spans that meet a period, `narrow` where it stands in an allow list and wide in a freeze:
narrow ones start at the later and end at the earlier of the possible instants, and fall out if nothing is left.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from interlock.core.policies import zones
from interlock.core.policies.recurrence import Recurrence

MINUTES_A_DAY = 24 * 60

MARGIN_DAYS = 2
"""Days around a period, besides the length of a window, whose occurrences can reach into it: one of the largest clock
change known (Pacific/Apia skipped 2011-12-30 altogether), one because the local date differs from the UTC date."""


Ends = tuple[datetime, datetime]


class Span(NamedTuple):
    """Instants from `start` to before `end`, in UTC."""

    start: datetime
    end: datetime

    def meets(self, other: "Span") -> bool:
        """Whether the two have an instant in common."""
        return self.start < other.end and other.start < self.end

    def within(self, other: "Span") -> "Span":
        """What of it lies in the other, which it meets."""
        return Span(max(self.start, other.start), min(self.end, other.end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """What every entry says of operations that are not finished when it is time.

    Attributes:
        grace: of a window, how long after its end they may go on.
        allows_overrun: of a freeze, whether it leaves them their grace.
    """

    grace: timedelta = timedelta(0)
    allows_overrun: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly(Overrun):
    """A window on days of the week; the day is the start's, also where it crosses midnight.

    Attributes:
        days: 0 is Monday.
        start, end: minutes after midnight; an `end` before `start` is on the next day, 1440 is the midnight after it.
    """

    name: str
    days: frozenset[int]
    start: int
    end: int

    def spans(self, period: Span, zone: ZoneInfo, *, narrow: bool) -> Iterator[Span]:
        """Occurrences that meet the period, each with less permission where in doubt: `narrow` or wide."""
        length = timedelta(minutes=(self.end - self.start) % MINUTES_A_DAY or MINUTES_A_DAY)
        first, last = _days_around(period, length)
        for day in (first + timedelta(days=offset) for offset in range((last - first).days + 1)):
            if day.weekday() in self.days:
                starts, ends = _ends(day, self.start, length, zone)
                span = Span(max(starts), min(ends)) if narrow else Span(min(starts), max(ends))
                if span.start < span.end and span.meets(period):
                    yield span


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring(Overrun):
    """A window on the days of a recurrence rule, for some time from the same time of day.

    Where clocks change within it, the duration is read both as time that passes and as what the clock on the wall
    advances, and what permits less counts.

    Attributes:
        start: minutes after midnight.
        until: no later instant starts a window; None for no such end.
        exdates: days on which there is none after all.
    """

    name: str
    recurrence: Recurrence
    start: int
    duration: timedelta
    until: datetime | None = None
    exdates: frozenset[date] = frozenset()

    def spans(self, period: Span, zone: ZoneInfo, *, narrow: bool) -> Iterator[Span]:
        """Occurrences that meet the period, each with less permission where in doubt: `narrow` or wide."""
        for day in self.recurrence.days(*_days_around(period, self.duration)):
            if day in self.exdates:
                continue
            span = self._occurrence(day, zone, narrow=narrow)
            over = self.until is not None and span.start > self.until
            if not over and span.start < span.end and span.meets(period):
                yield span

    def _occurrence(self, day: date, zone: ZoneInfo, *, narrow: bool) -> Span:
        starts, ends = _ends(day, self.start, self.duration, zone)
        if narrow:
            return Span(max(starts), min(*ends, *(start + self.duration for start in starts)))
        return Span(min(starts), max(*ends, *(start + self.duration for start in starts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Once(Overrun):
    """A window with fixed ends, aware; there is nothing to doubt."""

    name: str
    start: datetime
    end: datetime

    def spans(self, period: Span, zone: ZoneInfo, *, narrow: bool) -> Iterator[Span]:
        """The window, if it meets the period."""
        span = Span(self.start.astimezone(UTC), self.end.astimezone(UTC))
        if span.meets(period):
            yield span


Entry = Weekly | Recurring | Once


def _days_around(period: Span, length: timedelta) -> tuple[date, date]:
    """The first and the last local day on which a window of this length can begin that meets the period."""
    margin = timedelta(days=MARGIN_DAYS)
    return (period.start - length - margin).date(), (period.end + margin).date()


def _ends(day: date, start: int, length: timedelta, zone: ZoneInfo) -> tuple[Ends, Ends]:
    """The instants that start and end, read from the clock on the wall, can stand for."""
    begins = datetime.combine(day, time()) + timedelta(minutes=start)
    return zones.instants(begins, zone), zones.instants(begins + length, zone)
