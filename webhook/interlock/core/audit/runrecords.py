"""Records of runs: how often a denial was repeated, how many members a deletecollection had; and how to read them.

    series   Decision (the first denial) ─▶ SeriesCount ─▶ … ─▶ SeriesCount, closed
    batch    BatchOpen ─▶ Decision of each member ─▶ … ─▶ BatchClose

A SeriesCount is cumulative: its `count` replaces that of the one before, its `added` is the difference, so that a sum
needs no memory. A denial that was never repeated has no SeriesCount. A guard that was killed leaves a series unclosed;
the next lane of its pod closes it with `countLowerBound`: at least so many. Until then nobody knows better either, so
every unclosed series is read as a lower bound. A batch without BatchClose was cut off, or goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from interlock.core import times
from interlock.core.audit import record
from interlock.core.audit.record import Kind
from interlock.core.audit.runs import SERIES_GAP, Run
from interlock.core.types import JsonObject, Verdict

# What a record of a run repeats of the decision that opened it: who did what, and which policies answered.
REPEATED = ("cluster", "operation", "user", "verdict", "severity", "wouldHave", "policies", "policiesOmitted")

T = TypeVar("T")


def about(decision: JsonObject) -> JsonObject:
    """Take from the body of the Decision that opens a run what the run's records repeat."""
    target = {name: decision["target"][name] for name in ("group", "version", "kind", "resource", "subresource")}
    repeated = {name: decision[name] for name in REPEATED if name in decision}
    return repeated | {"target": target}


def series_count(run: Run[T], *, series: str, now: datetime, closed: bool) -> JsonObject:
    """Make the body of the record that says how many denials a series has.

    Args:
        run: the series.
        series: id of the record of its first denial.
        now: the present.
        closed: whether it is over.
    """
    return (
        record.about_itself(Kind.SERIES_COUNT, cluster=run.about["cluster"], now=now)
        | run.about
        | {"series": series, "count": run.count, "added": run.untold, "closed": closed}
        | _span(run)
    )


def left_open(records: Sequence[JsonObject], *, now: datetime) -> list[JsonObject]:
    """Make the bodies that close the series which a lane left open, from all its records; none if it ended in order.

    Args:
        records: of one lane, in their order.
        now: the present.
    """
    own = [one for one in records if one["kind"] != Kind.LANE_ABANDONED]  # which the notary wrote
    if not own or own[-1]["kind"] == Kind.LANE_CLOSE:
        return []
    newest: dict[str, JsonObject] = {}
    for one in own:
        if one["kind"] == Kind.SERIES_COUNT:
            newest[one["series"]] = one
        elif one["kind"] == Kind.DECISION and one["verdict"] == Verdict.DENY.title:
            newest[one["id"]] = one
    end = times.read(own[-1]["time"])
    return [_lower_bound(one, now) for one in newest.values() if _may_go_on(one, end)]


def _may_go_on(one: JsonObject, end: datetime) -> bool:
    """Whether the lane's newest word on a series leaves room for denials that were not counted any more."""
    if one["kind"] == Kind.SERIES_COUNT:
        return not one["closed"]
    return end - times.read(one["time"]) < SERIES_GAP


def _lower_bound(one: JsonObject, now: datetime) -> JsonObject:
    only = {"series": one["id"], "count": 1, "first": one["time"], "last": one["time"]}
    told = {name: one[name] for name in only} if one["kind"] == Kind.SERIES_COUNT else only
    found = record.about_itself(Kind.SERIES_COUNT, cluster=one["cluster"], now=now) | about(one)
    return found | told | {"added": 0, "closed": True, "countLowerBound": True}


def batch_open(decision: JsonObject, *, now: datetime) -> JsonObject:
    """Make the body of the record that opens a batch, from the body of its first member's Decision."""
    found = record.about_itself(Kind.BATCH_OPEN, cluster=decision["cluster"], now=now) | about(decision)
    found["target"]["namespace"] = decision["target"]["namespace"]
    return found


def batch_close(run: Run[T], *, batch: str, now: datetime) -> JsonObject:
    """Make the body of the record that closes a batch.

    Args:
        run: the batch.
        batch: id of its BatchOpen.
        now: the present.
    """
    found = record.about_itself(Kind.BATCH_CLOSE, cluster=run.about["cluster"], now=now)
    return found | {"batch": batch, "count": run.count} | _span(run)


def _span(run: Run[T]) -> JsonObject:
    return {"first": times.write(run.first), "last": times.write(run.last)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many denials a series has, as far as records tell.

    Attributes:
        count: denials.
        exact: whether there cannot be more.
    """

    count: int
    exact: bool

    def __str__(self) -> str:
        """The number, marked if it is a lower bound."""
        return str(self.count) if self.exact else f"≥{self.count}"


def series_counts(records: Iterable[Mapping[str, object]]) -> dict[str, Count]:
    """Read how many denials each series has, by the id of the record that opened it; in any order of records."""
    found: dict[str, Count] = {}
    for one in records:
        if one["kind"] == Kind.SERIES_COUNT:
            series = str(one["series"])
            told = Count(count=int(str(one["count"])), exact=_is_exact(one))
            found[series] = max(found.get(series, told), told, key=lambda count: (count.count, count.exact))
    return found


def open_batches(records: Iterable[Mapping[str, object]]) -> set[str]:
    """Read which batches no record closes, by the id of the record that opened them."""
    opened, closed = set(), set()
    for one in records:
        if one["kind"] == Kind.BATCH_OPEN:
            opened.add(str(one["id"]))
        elif one["kind"] == Kind.BATCH_CLOSE:
            closed.add(str(one["batch"]))
    return opened - closed


def _is_exact(one: Mapping[str, object]) -> bool:
    return one["closed"] is True and not one.get("countLowerBound")
