"""Runs of like requests: exact counts, ends by silence, a bound, and nothing forgotten that was not written."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from interlock.core.audit.runs import Run, Runs

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
GAP = timedelta(seconds=60)


def at(seconds: float) -> datetime:
    """An instant of the test."""
    return START + timedelta(seconds=seconds)


def opened(runs: Runs[str], key: str, seconds: float) -> Run[str]:
    """A run that begins now."""
    return runs.open(key, about={}, opening=f"record of {key}", now=at(seconds))


def test_repeats_are_counted_until_the_gap_is_over() -> None:
    """A repeat within the gap joins, however long the run is; after a gap it does not, and the run is over."""
    runs: Runs[str] = Runs(gap=GAP)
    run = opened(runs, "a", 0)

    joined = [runs.join("a", at(seconds)) for seconds in (59, 118, 177)]
    late = runs.join("a", at(237))

    assert (joined, late, run.count, run.last) == ([run] * 3, None, 4, at(177))
    assert runs.ending(at(237)) == [run]


def test_a_count_is_to_be_told_while_the_run_grows() -> None:
    """Nothing is to be told without a repeat, nor when the newest record tells of all."""
    runs: Runs[str] = Runs(gap=GAP)
    run = opened(runs, "a", 0)
    quiet = runs.grown()
    runs.join("a", at(5))
    grown = runs.grown()
    runs.written(run)
    told = runs.grown()
    runs.join("a", at(5.1))

    assert (quiet, grown, told, runs.grown(), run.untold) == ([], [run], [], [run], 1)


def test_the_oldest_ends_when_there_are_too_many() -> None:
    """The bound holds, and the run that has to go is told of before it is forgotten."""
    runs: Runs[str] = Runs(gap=GAP, most=2)
    first = opened(runs, "a", 0)
    opened(runs, "b", 1)
    opened(runs, "c", 2)

    assert (runs.ending(at(3)), runs.join("a", at(3))) == ([first], None)
    runs.forget(first)
    assert runs.ending(at(3)) == []


def test_everything_ends_at_the_end() -> None:
    """A guard that stops closes what is open, and what was closed and could not be written."""
    runs: Runs[str] = Runs(gap=GAP)
    over, still = opened(runs, "a", 0), opened(runs, "b", 59)
    runs.ending(at(61))

    assert runs.end_all() == [over, still]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(min_value=0, max_value=40), st.booleans())))
def test_no_request_is_lost(arrivals: list[tuple[str, float, bool]]) -> None:
    """Whatever arrives when, and whether or not a record could be written, the last counts add up to all requests."""
    runs: Runs[str] = Runs(gap=GAP, most=2)
    sent, told, now = Counter[str](), Counter[str](), 0.0
    for key, pause, writes in arrivals:
        now += pause
        sent[key] += 1
        if runs.join(key, at(now)) is None:
            opened(runs, key, now)
            told[key] += 1
        for run in runs.grown() if writes else []:
            told[run.key] += run.untold
            runs.written(run)
    for run in runs.end_all():
        told[run.key] += run.untold

    assert told == sent
