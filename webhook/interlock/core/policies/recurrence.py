"""Recurrence rules: the days that a rule of RFC 5545, section 3.3.10, gives. The time of day is the window's business.

What is understood is what gives at most one start a day: FREQ by the day, week, month or year with INTERVAL, BYMONTH,
BYMONTHDAY, BYDAY, BYSETPOS and WKST. An end by COUNT or UNTIL is a last day here. Nothing is ever listed from the
beginning: which periods (days, weeks, months, years) an interval takes follows from the first day by arithmetic, so a
look at some days costs what those days cost, however long ago the rule began.
"""

from calendar import isleap, monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

SEARCH = timedelta(days=40 * 366)
"""From the first day, in search of some days of a rule: 29 February comes five times at least, and a rule that names
none, such as 30 February, is found out in the time of some thousand comparisons."""

_WEEK = 7


class Frequency(StrEnum):
    """What one period is."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


class Weekday(NamedTuple):
    """A day of the week, 0 is Monday; the `ordinal`-th one, from the end if negative, every one if 0."""

    ordinal: int
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A rule and the day that it begins with; an empty set constrains nothing.

    Attributes:
        first: no earlier day is given; its period is the first that an interval takes.
        interval: every how many periods.
        months: 1 to 12.
        month_days: 1 to 31, or -1 for the last of a month to -31.
        weekdays: an ordinal counts in the month, or in the year where the frequency is that and no months are named.
        positions: which of a period's days, 1 for the first, -1 for the last.
        week_start: the day that weeks begin with, 0 is Monday.
        last: no later day is given.
    """

    first: date
    frequency: Frequency
    interval: int = 1
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    weekdays: frozenset[Weekday] = frozenset()
    positions: frozenset[int] = frozenset()
    week_start: int = 0
    last: date | None = None

    def days(self, begin: date, end: date) -> Iterator[date]:
        """The days from `begin` through `end` that the rule gives, in order."""
        begin, end = max(begin, self.first), min(end, self.last or end)
        if begin > end:
            return
        origin = self._number(self.first)
        before = (self._number(begin) - origin) % self.interval
        for number in range(self._number(begin) - before, self._number(end) + 1, self.interval):
            first, after = self._start(number), self._start(number + 1)
            if self.positions:
                yield from (day for day in _positioned(self, first, after) if begin <= day <= end)
            else:
                yield from self.fitting(max(first, begin), min(after, end + timedelta(days=1)))

    def earliest(self, count: int = 1) -> tuple[date, ...]:
        """The first days that the rule gives; fewer if there are no more in the time searched."""
        return tuple(islice(self.days(self.first, self.first + SEARCH), count))

    def fitting(self, first: date, after: date) -> Iterator[date]:
        """The days from `first` to before `after` that fit, wherever they stand in their period."""
        days = (first + timedelta(days=offset) for offset in range((after - first).days))
        return (day for day in days if self._fits(day))

    def _number(self, day: date) -> int:
        """Which period a day is in, counted from the beginning of the calendar."""
        match self.frequency:
            case Frequency.DAILY:
                return day.toordinal()
            case Frequency.WEEKLY:
                return (day.toordinal() - 1 - self.week_start) // _WEEK  # day 1 is a Monday
            case Frequency.MONTHLY:
                return day.year * 12 + day.month - 1
            case Frequency.YEARLY:
                return day.year

    def _start(self, number: int) -> date:
        """The first day of a period."""
        match self.frequency:
            case Frequency.DAILY:
                return date.fromordinal(number)
            case Frequency.WEEKLY:
                return date.fromordinal(number * _WEEK + 1 + self.week_start)
            case Frequency.MONTHLY:
                return date(number // 12, number % 12 + 1, 1)
            case Frequency.YEARLY:
                return date(number, 1, 1)

    def _fits(self, day: date) -> bool:
        return (
            (not self.months or day.month in self.months)
            and (not self.month_days or self._on_month_day(day))
            and (not self.weekdays or self._on_weekday(day))
        )

    def _on_month_day(self, day: date) -> bool:
        return day.day in self.month_days or day.day - _days_of_month(day) - 1 in self.month_days

    def _on_weekday(self, day: date) -> bool:
        weekday = day.weekday()
        if self.frequency is Frequency.YEARLY and not self.months:
            place, length = day.timetuple().tm_yday, 366 if isleap(day.year) else 365
        else:
            place, length = day.day, _days_of_month(day)
        ordinals = (0, (place - 1) // _WEEK + 1, -((length - place) // _WEEK) - 1)
        return any((ordinal, weekday) in self.weekdays for ordinal in ordinals)


@lru_cache(maxsize=1024)
def _positioned(rule: Recurrence, first: date, after: date) -> tuple[date, ...]:
    """Of the days of one whole period those at the positions; kept, since a look at one day takes a whole year."""
    fitting = tuple(rule.fitting(first, after))
    places = ((index + 1, index - len(fitting)) for index in range(len(fitting)))
    return tuple(day for day, place in zip(fitting, places, strict=True) if not rule.positions.isdisjoint(place))


def _days_of_month(day: date) -> int:
    return monthrange(day.year, day.month)[1]
