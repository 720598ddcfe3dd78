"""The index of days: whoever wants some days only begins behind the one before, and a false index is found out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from interlock.core.audit import dayindex
from interlock.core.audit.dayindex import Day
from interlock.core.audit.lanes import Status
from interlock.core.audit.logreport import LogReport
from interlock.errors import BadInput
from interlock.ledger import reading
from interlock.ledger.stores.directory import DirectoryStore
from interlock.ledger.verifying import Verification, Wanted
from tests.ledger.guards import HandClock, Ledger, running, settled
from tests.ledger.logs import NOTHING, NotaryKey, Whole, archive, notary, turned

KEY = NotaryKey()
DAYS = ["2026-11-21", "2026-11-22", "2026-11-23"]  # with two records each, and a cut for each record


async def _three_days() -> Whole:
    async with running(Ledger(clock=HandClock())) as ledger:
        await settled()
        whole = Whole(ledger)
        for day in DAYS:
            await whole.record(f"first-{day}")
            await whole.record(f"second-{day}")
            await whole.archive.turn()
            ledger.clock.turn(timedelta(days=1))
    return whole


async def _verified(whole: Whole, *, since: str = "") -> LogReport:
    wanted = Wanted(max_age=None, since=since)
    return await Verification(whole.outside, KEY.trust, wanted=wanted, progress=lambda _done, _total: None).run()


def _index(whole: Whole, day: str) -> Day:
    return dayindex.opened(whole.outside.versions_of[dayindex.key(day)][0].body or b"", KEY.trust, name=day)


def _put(whole: Whole, key: str, body: bytes) -> None:
    [held] = whole.outside.versions_of[key]
    whole.outside.versions_of[key] = [replace(held, body=body)]


async def test_every_day_that_is_over_has_its_index() -> None:
    """It names the last cut of the day, and the tree over it; the day that goes on has none."""
    whole = await _three_days()
    assert [key for key in sorted(whole.outside.versions_of) if key.startswith("days/")] == [
        "days/2026-11-21",
        "days/2026-11-22",
    ]
    [first, second] = [_index(whole, day) for day in DAYS[:2]]
    assert (first.number, first.size, second.number, second.size) == (1, 5, 3, 9)
    assert (first.epoch, first.day) == ("2026-11", "2026-11-21")


@pytest.mark.parametrize(
    ("since", "first", "records"),
    [("", 0, 7), ("2026-11", 0, 7), ("2026-11-21", 0, 7), ("2026-11-22", 2, 4), ("2026-11-23", 4, 2)],
)
async def test_since(since: str, first: int, records: int) -> None:
    """Verification and display begin behind the index of the day before."""
    whole = await _three_days()
    report = await _verified(whole, since=since)
    shown = [one async for one in reading.records(whole.outside, since=since)]

    assert (report.status, report.first, report.last, report.records) == (Status.PROVEN, first, 5, records)
    assert len(shown) == records


async def test_since_without_an_index_begins_with_the_month() -> None:
    """Where no day before is indexed, nothing is left out."""
    whole = await _three_days()
    for day in DAYS[:2]:
        del whole.outside.versions_of[dayindex.key(day)]
    report = await _verified(whole, since="2026-11-23")

    assert (report.status, report.first, report.last) == (Status.PROVEN, 0, 5)


@pytest.mark.parametrize("since", ["2026", "2026-13", "2026-11-32", "yesterday", "2026-11-2", "2026-11-22T10:00"])
async def test_since_of_another_form_is_refused(since: str) -> None:
    """What is neither a month nor a day is an error that shows both forms."""
    with pytest.raises(BadInput, match=f"since: got '{since}', expected a month or a day, as 2026-11 or 2026-11-25"):
        await _verified(await _three_days(), since=since)


def _sealed(day: Day, key: NotaryKey = KEY) -> bytes:
    return dayindex.seal(day, keys=key.ring, sign=key.sign)


@pytest.mark.parametrize(
    ("change", "since", "key", "number", "expected"),
    [
        pytest.param(
            lambda was: _sealed(was, NotaryKey(b"x" * 32)), "", "days/2026-11-22", -1, "one of", id="another key"
        ),
        pytest.param(lambda _: b"{}", "", "days/2026-11-22", -1, "a DSSE envelope", id="no envelope"),
        pytest.param(
            lambda was: _sealed(replace(was, day=DAYS[2])),
            "",
            "days/2026-11-22",
            -1,
            "the index of 2026-11-22",
            id="of another day",
        ),
        pytest.param(
            lambda was: _sealed(replace(was, root="ab" * 32)),
            "",
            "log/2026-11/000000000003",
            3,
            "leaf ",
            id="stolen key, another root",
        ),
        pytest.param(
            lambda was: _sealed(replace(was, number=9)),
            "",
            "",
            9,
            "cut 9, with which 2026-11-22 ended",
            id="a longer log",
        ),
        pytest.param(
            lambda was: _sealed(replace(was, leaf="ab" * 32)),
            "2026-11-23",
            "log/2026-11/000000000004",
            4,
            "cut 4 after abab",
            id="another cut to begin behind",
        ),
    ],
)
async def test_a_false_index_is_found_out(
    change: Callable[[Day], bytes], since: str, key: str, number: int, expected: str
) -> None:
    """Whatever is wrong with an index is tampering, by the index, wherever it shows."""
    whole = await _three_days()
    _put(whole, "days/2026-11-22", change(_index(whole, "2026-11-22")))
    report = await _verified(whole, since=since)

    [fault] = report.faults
    assert (fault.status, fault.object, fault.number, fault.evidence.startswith("the notary's index of days")) == (
        Status.TAMPERED,
        key,
        number,
        True,
    )
    assert fault.expected.startswith(expected)


async def test_an_index_hidden_by_a_marker_is_found_out() -> None:
    """An index is put once, like every segment."""
    whole = await _three_days()
    whole.outside.add("days/2026-11-21", None)
    [fault] = (await _verified(whole)).faults

    assert (fault.status, fault.object, fault.evidence) == (Status.TAMPERED, "days/2026-11-21", "the store's versions")


async def test_a_day_is_indexed_once_whatever_answer_was_lost() -> None:
    """A leader that begins between two days finds the index there, or makes it; a rotated key makes no difference."""
    whole = await _three_days()
    index = whole.outside.versions_of["days/2026-11-22"]
    ledger = whole.ledger
    whole.lead(KEY.successor(b"1" * 32, ledger.clock()))
    await whole.archive.turn()

    assert whole.archive.status.fault == ""
    assert whole.outside.versions_of["days/2026-11-22"] == index


async def test_a_day_that_ended_between_two_leaders() -> None:
    """One ships the last cut of the day, another one, which knew of none when it began, the first of the next."""
    async with running(Ledger(clock=HandClock())) as ledger:
        await settled()
        whole = Whole(ledger)
        other = archive(ledger, whole.store, whole.outside, keep=NOTHING)
        await other.turn()
        await whole.record("a")
        await whole.archive.turn()
        ledger.clock.turn(timedelta(days=1))
        await turned(notary(ledger, whole.store, archive=other))
        await other.turn()

    assert (_index(whole, DAYS[0]).number, other.status.number) == (0, 1)


async def test_a_copy_has_the_index(tmp_path: Path) -> None:
    """A copied log can be verified from a day on."""
    whole = await _three_days()
    target = DirectoryStore(tmp_path, clock=whole.ledger.clock)
    count = await reading.copy(whole.outside, target)
    wanted = Wanted(max_age=None, locked=False, since="2026-11-23")
    verification = Verification(target, KEY.trust, wanted=wanted, progress=lambda _done, _total: None)
    report = await verification.run()

    assert (count, report.status, report.first) == (6, Status.PROVEN, 4)
