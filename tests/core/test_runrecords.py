"""Records of runs: what they repeat, what a killed guard's lane leaves open, and how counts are read back."""

from datetime import UTC, datetime, timedelta

import pytest

from interlock.core import times
from interlock.core.audit import runrecords
from interlock.core.audit.runrecords import Count
from interlock.core.audit.runs import SERIES_GAP, Run
from interlock.core.types import JsonObject

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HEAD = {"schema": "audit.interlock.dev/record/v1", "cluster": "c1", "time": times.write(NOW)}
WHAT = {"group": "", "version": "v1", "kind": "ConfigMap", "resource": "configmaps", "subresource": ""}
POLICIES = [{"name": "p", "uid": "p1", "yields": "Deny"}]
SHARED = {"operation": "DELETE", "user": {"name": "ada"}, "verdict": "Deny", "severity": "High", "policies": POLICIES}

DENIAL: JsonObject = {
    **HEAD,
    **SHARED,
    "kind": "Decision",
    "id": "r1",
    "requestUID": "u1",
    "target": WHAT | {"namespace": "shop", "name": "a", "uid": "o1", "inCollection": False},
}
END = {"kind": "LaneClose", "time": times.write(NOW)}


def run(count: int, told: int) -> Run[str]:
    """A series of so many denials within three seconds."""
    last = NOW + timedelta(seconds=3)
    about = runrecords.about(DENIAL)
    return Run(key="k", about=about, opening="r1", first=NOW, last=last, count=count, told=told)


def counted(count: int, *, closed: bool = False, **more: object) -> JsonObject:
    """A stored SeriesCount of the denial above."""
    told = runrecords.series_count(run(count, count - 1), series="r1", now=NOW, closed=closed)
    return told | {"id": f"r{count}"} | more


def quiet(after: timedelta) -> JsonObject:
    """Another record of the lane, so much later."""
    return {"kind": "LaneCertified", "time": times.write(NOW + after)}


def test_a_count_says_who_did_what_how_often() -> None:
    """The record repeats what all denials of the series share and nothing of one object; `added` is what is new."""
    assert runrecords.series_count(run(7, 4), series="r1", now=NOW, closed=True) == {
        **HEAD,
        **SHARED,
        "kind": "SeriesCount",
        "target": WHAT,
        "series": "r1",
        "count": 7,
        "added": 3,
        "closed": True,
        "first": "2026-11-21T10:00:00.000000Z",
        "last": "2026-11-21T10:00:03.000000Z",
    }


def test_a_batch_says_who_deletes_which_collection() -> None:
    """The record that opens a batch names the collection, the one that closes it counts the members."""
    opened = runrecords.batch_open(DENIAL, now=NOW)
    closed = runrecords.batch_close(run(5, 1), batch="b1", now=NOW)

    assert opened == {**HEAD, **SHARED, "kind": "BatchOpen", "target": WHAT | {"namespace": "shop"}}
    assert closed == {
        **HEAD,
        "kind": "BatchClose",
        "batch": "b1",
        "count": 5,
        "first": "2026-11-21T10:00:00.000000Z",
        "last": "2026-11-21T10:00:03.000000Z",
    }


LANES = {
    "a lane that ended in order": ([DENIAL, counted(3), END], []),
    "no lane": ([], []),
    "a series that was going on": ([DENIAL, counted(3), counted(9)], [9]),
    "a series that was closed": ([DENIAL, counted(3, closed=True)], []),
    "a denial that may have been repeated": ([DENIAL, quiet(SERIES_GAP / 2)], [1]),
    "a denial too old to be repeated": ([DENIAL, quiet(SERIES_GAP)], []),
    "an allow": ([DENIAL | {"verdict": "Allow"}], []),
}


@pytest.mark.parametrize(("lane", "bounds"), LANES.values(), ids=LANES.keys())
def test_what_a_killed_guard_left_open_is_closed(lane: list[JsonObject], bounds: list[int]) -> None:
    """Each series that may have gone on is closed with the count that is known, said to be a lower bound."""
    later = NOW + timedelta(minutes=5)
    left = runrecords.left_open(lane, now=later)

    assert [(one["series"], one["count"], one["added"], one["closed"]) for one in left] == [
        ("r1", bound, 0, True) for bound in bounds
    ]
    assert all(one["countLowerBound"] and one["time"] == times.write(later) for one in left)
    assert all({name: one[name] for name in SHARED} == SHARED and one["target"] == WHAT for one in left)


COUNTS = {
    "never repeated": ([DENIAL], {}),
    "going on": ([DENIAL, counted(3), counted(9)], {"r1": Count(count=9, exact=False)}),
    "closed": ([DENIAL, counted(3), counted(9, closed=True)], {"r1": Count(count=9, exact=True)}),
    "closed without a denial more": ([counted(9), counted(9, closed=True)], {"r1": Count(count=9, exact=True)}),
    "a lower bound": ([counted(9), counted(9, closed=True, countLowerBound=True)], {"r1": Count(count=9, exact=False)}),
}


@pytest.mark.parametrize(("records", "counts"), COUNTS.values(), ids=COUNTS.keys())
def test_counts_are_read_back(records: list[JsonObject], counts: dict[str, Count]) -> None:
    """The newest count of a series is its count, in whatever order records come; it is exact only if it is closed."""
    assert runrecords.series_counts(records) == runrecords.series_counts(reversed(records)) == counts


def test_a_lower_bound_is_marked() -> None:
    """People see that a number may be too small."""
    assert [str(Count(count=9, exact=exact)) for exact in (True, False)] == ["9", "≥9"]


def test_a_batch_without_an_end_is_found() -> None:
    """Of two batches the one that no record closes."""
    opened = [{"kind": "BatchOpen", "id": name} for name in ("b1", "b2")]

    assert runrecords.open_batches([*opened, {"kind": "BatchClose", "batch": "b1"}, DENIAL]) == {"b2"}
