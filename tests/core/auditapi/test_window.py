"""The records in memory: bounded, listed in pages, watched; nothing is lost or doubled without a word."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.auditapi.window import Change, Expired, Page, Position, Window, position
from interlock.errors import BadInput
from tests.support.auditrecords import simple

PLENTY = 10_000_000


def _window(*, max_bytes: int = PLENTY, changes_kept: int = 100) -> Window:
    return Window(max_bytes=max_bytes, version=0, changes_kept=changes_kept)


def _names(made: tuple[bytes, ...]) -> list[str]:
    return [orjson.loads(each)["metadata"]["name"] for each in made]


def _listed(window: Window, *, limit: int = 0, at: Position | None = None) -> Page:
    return window.page(namespace="", wanted=None, limit=limit, at=at)


def _filled(window: Window, count: int, *, after: int = 0) -> Window:
    for version in range(after + 1, after + count + 1):
        window.put(simple(f"r{version:04d}", namespace=f"ns{version % 3}", version=version), version=version)
    return window


@given(st.integers(0, 40), st.integers(1, 7), st.lists(st.integers(0, 3), max_size=20))
def test_paging_while_records_arrive(before: int, limit: int, arriving: list[int]) -> None:
    """All pages together are the list as it was at the first one: nothing lost, nothing twice."""
    window = _filled(_window(), before)
    whole = _names(_listed(window).items)
    arrivals = iter(arriving)
    names, at = list[str](), None
    while True:
        page = _listed(window, limit=limit, at=at)
        assert (len(page.items) <= limit, page.version) == (True, before)
        names += _names(page.items)
        if not page.token:
            break
        at = position(page.token)
        _filled(window, next(arrivals, 0), after=window.version)

    assert names == whole


@given(st.integers(2, 40), st.integers(1, 7), st.lists(st.integers(0, 6), min_size=1, max_size=20))
def test_paging_while_records_go(before: int, limit: int, going: list[int]) -> None:
    """The same while the oldest go; or the list is refused, and never shorter than it was."""
    window = _filled(_window(max_bytes=before * 120), before)
    whole = _names(_listed(window).items)
    names, at = list[str](), None
    with suppress(Expired):
        while True:
            page = _listed(window, limit=limit, at=at)
            names += _names(page.items)
            if not page.token:
                assert names == whole
                break
            at = position(page.token)
            _filled(window, going.pop() if going else 0, after=window.version)

    assert names == whole[: len(names)]


@given(st.integers(0, 40), st.integers(0, 40))
def test_list_and_watch(before: int, after: int) -> None:
    """A list and the changes since its version are all that there is."""
    window = _filled(_window(), before)
    page = _listed(window)
    _filled(window, after, after=before)

    changes = window.since(page.version)

    assert sorted(_names(page.items) + [event.made["metadata"]["name"] for event in changes]) == [
        f"r{version:04d}" for version in range(1, before + after + 1)
    ]
    assert [event.version for event in changes] == list(range(before + 1, before + after + 1))


def test_one_namespace() -> None:
    """A list of one namespace holds its records only."""
    window = _filled(_window(), 9)

    assert _names(window.page(namespace="ns1", wanted=None, limit=0).items) == ["r0001", "r0004", "r0007"]


def test_selected() -> None:
    """The limit counts what is wanted, and no page follows the last one that is."""
    window = _filled(_window(), 9)
    odd = window.page(namespace="", wanted=lambda made: made["metadata"]["name"][-1] in "13579", limit=5)

    assert (sorted(_names(odd.items)), odd.token) == (["r0001", "r0003", "r0005", "r0007", "r0009"], "")


def test_change() -> None:
    """An object that changes is listed once, in its newest state, and watched as MODIFIED."""
    window = _filled(_window(), 1)
    event = window.put(simple("r0001", namespace="ns1", version=2, series={"count": 2}), version=2)

    assert (event.change, window.since(1), len(window)) == (Change.MODIFIED, [event], 1)
    assert window.get("ns1", "r0001") == event.made


@given(st.integers(1, 60), st.integers(0, 3000))
def test_memory_is_bounded(count: int, max_bytes: int) -> None:
    """Never more bytes than the bound, but for a single object; the oldest go first."""
    window = _filled(_window(max_bytes=max_bytes), count)
    held = sorted(_names(_listed(window).items))

    assert window.size <= max_bytes or len(window) == 1
    assert held == [f"r{version:04d}" for version in range(count - len(window) + 1, count + 1)]
    assert window.forgotten == count - len(window)


def test_what_is_retired_goes_silently() -> None:
    """What the cluster has retired is listed no more, but in a list that began before; no watch is told."""
    window = _filled(_window(), 3)
    before = _listed(window, limit=1)
    window.retire(["r0002", "gone before"], version=9)
    rest = _listed(window, at=position(before.token))

    assert (_names(_listed(window).items), _names(before.items + rest.items)) == (
        ["r0003", "r0001"],
        ["r0003", "r0001", "r0002"],
    )
    assert (window.version, window.since(3), window.find("r0002")) == (9, [], None)


def test_page_after_forgetting() -> None:
    """A list that can no longer be completed is refused, not shortened."""
    window = _filled(_window(max_bytes=1000), 5)
    token = _listed(window, limit=2).token
    _filled(window, 20, after=5)

    with pytest.raises(Expired):
        _listed(window, limit=2, at=position(token))


def test_page_of_another_process() -> None:
    """A list goes on at any replica that holds the same records, and not at one that began later."""
    page = _listed(_filled(_window(), 5), limit=2)
    same, later = _filled(_window(), 7), _window()
    later.begin(6)

    assert sorted(_names(page.items + _listed(same, at=position(page.token)).items)) == [
        f"r000{n}" for n in range(1, 6)
    ]
    with pytest.raises(Expired):
        _listed(later, at=position(page.token))


def test_watch_from_what_is_forgotten() -> None:
    """A watch that would miss changes is refused; one at the horizon is not."""
    window = _filled(_window(changes_kept=3), 5)

    with pytest.raises(Expired):
        window.since(1)
    assert [event.version for event in window.since(2)] == [3, 4, 5]


def test_what_was_there_before_is_not_watched() -> None:
    """What is loaded at the start is listed, and nobody can watch from before it."""
    window = _window()
    window.load(simple("r1", version=17), version=17)

    assert (len(window), window.version, window.since(17)) == (1, 17, [])
    with pytest.raises(Expired):
        window.since(16)


@pytest.mark.parametrize("token", ["x", "é", "e30", "bnVsbA", "=" * 9, "eyJ2IjoxfQ"])
def test_token_of_nobody(token: str) -> None:
    """Bytes that are no token of ours are bad input, whatever they are."""
    with pytest.raises(BadInput):
        position(token)
