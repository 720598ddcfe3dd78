"""Counting what policies did from stored records: every record once, whatever order and how often they are read."""

from collections.abc import Sequence

import orjson
import pytest

from interlock.core.audit import commits, dsse, record
from interlock.core.types import JsonObject
from interlock.errors import BadInput
from interlock.kube.counters import Counts, Tally

LANE = "ab" * 8


def _outcome(uid: str, yields: str, mode: str = "Enforce", **more: str) -> JsonObject:
    return {"name": uid, "uid": uid, "yields": yields, "mode": mode, **more}


def _envelope(
    sequence: int,
    verdict: str,
    outcomes: Sequence[JsonObject],
    *,
    kind: str = "Decision",
    lane: str = LANE,
    **more: object,
) -> bytes:
    """An envelope with what counting reads of a record; nobody checks its signature here."""
    body = {
        "schema": record.SCHEMA,
        "kind": kind,
        "time": f"2026-11-25T12:00:{sequence:02d}.000000Z",
        "verdict": verdict,
        "policies": list(outcomes),
        **more,
    }
    payload = record.place(body, record_id=f"r-{sequence}", lane=lane, sequence=sequence, previous="")
    return dsse.seal(record.PAYLOAD_TYPE, payload, keyid=lane, sign=lambda _: b"\0" * 64).encode()


def _commit(sequence: int, *verdicts: str, lane: str = LANE) -> tuple[str, bytes]:
    """A commit with one denial or warning of policy p per verdict."""
    envelopes = [_envelope(sequence + n, v, [_outcome("p", v)], lane=lane) for n, v in enumerate(verdicts)]
    return commits.name(lane, sequence), commits.pack(envelopes)


@pytest.mark.parametrize(
    ("verdict", "outcome", "expected"),
    [
        pytest.param("Deny", _outcome("p", "Deny"), Counts(matches=1, denials=1), id="a denial"),
        pytest.param("Deny", _outcome("p", "Warn"), Counts(matches=1, warnings=1), id="a warning under a denial"),
        pytest.param("Nothing", _outcome("p", "Nothing"), Counts(matches=1), id="an open window is a match"),
        pytest.param("Nothing", _outcome("p", "Deny", "Observe"), Counts(matches=1, would_have=1), id="would have"),
        pytest.param("Nothing", _outcome("p", "Allow", "Observe"), Counts(matches=1), id="would have allowed"),
        pytest.param("Allow", _outcome("p", "Deny"), Counts(matches=1), id="overruled by a continuation: no denial"),
        pytest.param("Nothing", _outcome("p", "Deny", excludedBy="spec.exclude[0]"), Counts(), id="an exclusion"),
    ],
)
def test_what_one_record_counts(verdict: str, outcome: JsonObject, expected: Counts) -> None:
    """A record adds to a policy's counters what that policy did in it."""
    tally = Tally()
    tally.commit(commits.name(LANE, 0), commits.pack([_envelope(0, verdict, [outcome])]))
    found = tally.of("p")
    expected.last_match = found.last_match

    assert found == expected
    assert (found.last_match == "2026-11-25T12:00:00.000000Z") is bool(found.matches)


def test_each_record_counts_once() -> None:
    """A commit read again adds nothing, and records of other kinds are none of a policy's doings."""
    tally = Tally()
    first, second = _commit(1, "Deny", "Deny"), _commit(3, "Warn")
    opening = commits.name(LANE, 0), commits.pack([_envelope(0, "", [], kind="LaneOpen")])

    counted = [tally.commit(*commit) for commit in (opening, first, first, second, first)]

    assert counted == [False, True, False, True, False]
    assert (tally.of("p").matches, tally.of("p").denials, tally.of("p").warnings) == (3, 2, 1)
    assert tally.of("another") == Counts()


def test_lanes_count_apart() -> None:
    """The same sequence of two lanes is two records."""
    tally = Tally()
    for lane in (LANE, "cd" * 8):
        tally.commit(*_commit(0, "Deny", lane=lane))

    assert tally.of("p").denials == 2


def test_repeats_of_a_denial_count() -> None:
    """A series counts by what each of its records adds; one that only closes it adds nothing."""
    tally = Tally()
    denied = [_outcome("p", "Deny"), _outcome("q", "Deny", "Observe")]
    counts = [
        _envelope(sequence, "Deny", denied, kind="SeriesCount", added=added) for sequence, added in ((1, 99), (2, 0))
    ]
    tally.commit(commits.name(LANE, 0), commits.pack([_envelope(0, "Deny", denied), *counts]))

    assert (tally.of("p").matches, tally.of("p").denials, tally.of("q").would_have) == (100, 100, 100)


def test_what_is_no_commit_is_refused() -> None:
    """Bytes that hold no records are an error, and count nothing."""
    tally = Tally()
    with pytest.raises(BadInput):
        tally.commit(commits.name(LANE, 0), b"nonsense")
    with pytest.raises(BadInput):
        tally.commit("interlock-notary", b"")

    assert tally.of("p") == Counts()


def test_counts_outlive_their_records() -> None:
    """What was kept is the beginning of the next tally: nothing is lost, and nothing counts twice."""
    first = Tally()
    first.commit(*_commit(0, "Deny", "Deny"))
    second = Tally()
    second.take_up(orjson.loads(orjson.dumps(first.keep([LANE, "cd" * 8]))))
    again = second.commit(*_commit(0, "Deny", "Deny"))
    second.commit(*_commit(2, "Warn"))

    assert (again, second.of("p").denials, second.of("p").matches) == (False, 2, 3)


@pytest.mark.parametrize("kept", [{}, {"counts": [], "next": {}}, {"counts": {"p": {"x": 1}}, "next": {}}])
def test_what_are_no_counts_is_refused(kept: JsonObject) -> None:
    """Whatever else stands there is an error, and counts nothing."""
    tally = Tally()
    with pytest.raises(BadInput, match="counts: got"):
        tally.take_up(kept)

    assert tally.of("p") == Counts()
