"""Runs of like requests: a series of denials, or the members of one deletecollection.

A run opens with the record of its first request, or one that stands for it, and ends when nothing was added for longer
than its gap. This is only the bookkeeping: times come in, nothing goes out. Whoever drives it writes the records
(`core.audit.runrecords`), and tells it what was written:

    join ── known key ──▶ counted                        grown ──▶ since its last record: write, then `written`
      └──── unknown, or its gap is over ──▶ open         ending ──▶ over: write its last record, then `forget`

Rules kept here:
- A count is exact: every request that joined is in it, and in the last record of its run.
- The number of open runs is bounded. When one more opens than may be, the oldest ends.
- A run that ended stays in `ending` until its last record was accepted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from interlock.core.types import JsonObject

SERIES_GAP = timedelta(seconds=60)  # a controller's slowest usual retry is half a minute
BATCH_GAP = timedelta(seconds=10)  # members of one deletecollection follow each other within milliseconds

MAX_OPEN = 512  # runs of one kind in one guard, some 8 KB each; a flood rarely has more than a dozen keys

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Run(Generic[T]):
    """One run that is not over.

    Attributes:
        key: what its requests share.
        about: what its records repeat of the decision that opened it.
        opening: what keeps the record that opened it.
        first: time of its first request; `last` of its newest.
        count: requests so far.
        told: how many of them its newest record tells of.
    """

    key: str
    about: JsonObject
    opening: T
    first: datetime
    last: datetime
    count: int = 1
    told: int = 1

    @property
    def untold(self) -> int:
        """Requests that no record tells of yet."""
        return self.count - self.told


class Runs(Generic[T]):
    """All runs of one kind."""

    def __init__(self, *, gap: timedelta, most: int = MAX_OPEN) -> None:
        """Begin with none.

        Args:
            gap: a run to which nothing was added for this long is over.
            most: runs that may be open at once.
        """
        self._gap = gap
        self._most = most
        self._open: dict[str, Run[T]] = {}  # oldest first
        self._ending: list[Run[T]] = []

    def join(self, key: str, now: datetime) -> Run[T] | None:
        """Count a request to the run it continues; None if it continues none, and may open one."""
        run = self._open.get(key)
        if run is None:
            return None
        if self._is_over(run, now):
            self._end(run)
            return None
        run.count += 1
        run.last = max(run.last, now)
        return run

    def open(self, key: str, *, about: JsonObject, opening: T, now: datetime) -> Run[T]:
        """Begin a run with its first request; the oldest run ends if there are too many."""
        if len(self._open) >= self._most:
            self._end(next(iter(self._open.values())))
        run = Run(key=key, about=about, opening=opening, first=now, last=now)
        self._open[key] = run
        return run

    def grown(self) -> list[Run[T]]:
        """Open runs that grew since their newest record."""
        return [run for run in self._open.values() if run.untold]

    def ending(self, now: datetime) -> list[Run[T]]:
        """Runs that are over and not forgotten."""
        for run in [run for run in self._open.values() if self._is_over(run, now)]:
            self._end(run)
        return list(self._ending)

    def end_all(self) -> list[Run[T]]:
        """End every run, for there will be no more requests; all that are not forgotten."""
        for run in list(self._open.values()):
            self._end(run)
        return list(self._ending)

    def written(self, run: Run[T]) -> None:
        """Note that a record with the run's present count was accepted."""
        run.told = run.count

    def forget(self, run: Run[T]) -> None:
        """Note that the last record of an ended run was accepted."""
        self._ending.remove(run)

    def _is_over(self, run: Run[T], now: datetime) -> bool:
        return now - run.last >= self._gap

    def _end(self, run: Run[T]) -> None:
        del self._open[run.key]
        self._ending.append(run)
