"""Change windows: whether a policy's window is open at an instant, until when, and when it opens next.

The rule: any active freeze closes; else, with an allow list, open only inside one of its windows; else open.
Every occurrence becomes one half-open span [start, end) in UTC, and spans are compared, never clock readings. Where a
daylight saving change leaves doubt, there is less permission: an allow window starts at the later and ends at the
earlier of the possible instants, and falls out if nothing is left between them; a freeze starts at the earlier and ends
at the later.

A window may give a grace: for so long after its end, operations that began while it was open may go on. Which ones did
is not the windows' business (core.review.overruns); `overrun_since` says from when on they must have begun.

This is the one window function: webhook, policy status and command line all ask `Windows.state`. It does not parse
(core.policies.windowspec does) and does not know the present. What it found it remembers until something changes, since
a policy is asked at every request: the answers are the same with and without.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from interlock.core.policies import zones
from interlock.core.policies.entries import Entry, Span
from interlock.core.types import Verdict, WindowState

LOOK_AHEAD = timedelta(days=400)
"""How far after the beginning of the day a next transition is searched: past a yearly freeze; bounded, since windows
may stay as they are forever."""

FIRST_LOOK = timedelta(days=9)
"""Searched first: a week and what a clock change can shift; nearly always enough, at a fraction of the cost."""

INSTANT = timedelta(microseconds=1)
NEVER = datetime.max.replace(tzinfo=UTC)

MAX_GRACE = timedelta(hours=4)
"""After the end of a window; who needs longer needs a longer window."""

OVERRUN_LOOK = MAX_GRACE + timedelta(days=1)
"""How far back the opening is looked for that operations may go on from; of a longer one its last day."""


class _Known(NamedTuple):
    """A state, the instants at which it is that, and by which release of time zones.

    Only `next_open` is, while open, the instant that is asked for.
    """

    holds: Span
    state: WindowState
    tzdata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """A policy's windows; at least one entry.

    Attributes:
        time_zone: IANA name of the zone; a known one.
        outside: what the policy yields while they are closed.
    """

    time_zone: str
    allow: tuple[Entry, ...] = ()
    freeze: tuple[Entry, ...] = ()
    outside: Verdict = Verdict.DENY
    _known: list[_Known] = field(default_factory=list, init=False, compare=False, repr=False)  # the newest one

    @property
    def zone(self) -> ZoneInfo:
        """The zone as of the newest release that was read."""
        return zones.zone(self.time_zone)

    def is_open(self, now: datetime) -> bool:
        """Whether the window is open.

        Raises:
            ValueError: `now` is naive.
        """
        return self.state(now).open

    def state(self, now: datetime) -> WindowState:
        """Say everything about one instant.

        Raises:
            ValueError: `now` is naive.
        """
        if now.tzinfo is None:
            raise ValueError("the instant to judge must be aware")
        now = now.astimezone(UTC)
        for known in self._known:
            if known.holds.start <= now < known.holds.end and known.tzdata == zones.version():
                return replace(known.state, next_open=now) if known.state.open else known.state
        found = self._found(now)
        self._known[:] = [found]
        return found.state

    def openings(self, period: Span) -> Iterator[Span]:
        """The spans of the period in which it is open, in order, none touching the next, none reaching out of it."""
        allowed = _merged(self._spans(self.allow, period, narrow=True)) if self.allow else [period]
        frozen = _merged(self._spans(self.freeze, period, narrow=False))
        for span in allowed:
            yield from _without(span, frozen)

    def _found(self, now: datetime) -> _Known:
        today = datetime.combine(now.date(), time(), UTC)
        is_open, transition = self._next(Span(now, today + FIRST_LOOK))
        if transition is None:
            is_open, transition = self._next(Span(now, today + LOOK_AHEAD))
        state = WindowState(
            open=is_open,
            active=self._active(now),
            next_transition=transition,
            next_open=now if is_open else transition,
            time_zone=self.time_zone,
        )
        rest = Span(now, today + timedelta(days=1))
        until = min(self._changes(rest), default=rest.end)
        if overrun := self._overrun(now):
            state, until = replace(state, overrun_since=overrun.start), min(until, overrun.end)
        return _Known(Span(now, until), state, zones.version())

    def _overrun(self, now: datetime) -> Span | None:
        """From the start of the opening whose operations may go on now, until when they may; None without one."""
        if not any(entry.grace for entry in self.allow):
            return None
        lately = max(self.openings(Span(now - OVERRUN_LOOK, now + INSTANT)), default=None)
        if lately is None:
            return None
        last = Span(lately.end - INSTANT, lately.end)
        grace = max(entry.grace for entry in self.allow if self._meets(entry, last, narrow=True))
        until = NEVER if lately.end > now else lately.end + grace
        since = Span(last.start, now + INSTANT)
        forbidden = any(not entry.allows_overrun and self._meets(entry, since, narrow=False) for entry in self.freeze)
        return Span(lately.start, until) if grace and not forbidden and now < until else None

    def _meets(self, entry: Entry, period: Span, *, narrow: bool) -> bool:
        return any(entry.spans(period, self.zone, narrow=narrow))

    def _changes(self, period: Span) -> Iterator[datetime]:
        """Instants within the period at which some entry begins or ends."""
        for entries, narrow in ((self.allow, True), (self.freeze, False)):
            for span in self._spans(entries, period, narrow=narrow):
                yield from (instant for instant in span if instant > period.start)

    def _next(self, period: Span) -> tuple[bool, datetime | None]:
        """Whether it is open at the beginning of a period, and when that changes within it."""
        now = period.start
        span = next(self.openings(period), None)
        if span is None:
            return False, None
        if span.start > now:
            return False, span.start
        return True, span.end if span.end < period.end else None

    def _spans(self, entries: Iterable[Entry], period: Span, *, narrow: bool) -> Iterator[Span]:
        for entry in entries:
            for span in entry.spans(period, self.zone, narrow=narrow):
                yield span.within(period)

    def _active(self, now: datetime) -> tuple[str, ...]:
        instant = Span(now, now + INSTANT)
        for entries, narrow in ((self.freeze, False), (self.allow, True)):
            names = tuple(entry.name for entry in entries if self._meets(entry, instant, narrow=narrow))
            if names:
                return names
        return ()


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The union, in order; spans that touch become one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _without(span: Span, holes: Iterable[Span]) -> Iterator[Span]:
    """What is left of a span between holes that are merged and in order; a hole may begin before and end after it."""
    start = span.start
    for hole in holes:
        if not hole.meets(span):
            continue
        if start < hole.start:
            yield Span(start, hole.start)
        start = max(start, hole.end)
    if start < span.end:
        yield Span(start, span.end)
