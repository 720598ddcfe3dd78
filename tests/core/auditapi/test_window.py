"""The records in memory: bounded, listed in pages, watched; nothing is lost or doubled without a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.auditapi.window import Change, Expired, Window
from interlock.core.types import JsonObject
from interlock.errors import BadInput
from tests.support.auditrecords import simple

PLENTY = 10_000_000


def _window(*, max_bytes: int = PLENTY, changes_kept: int = 100, name: str = "w") -> Window:
    return Window(name=name, max_bytes=max_bytes, version=0, changes_kept=changes_kept)


def _all(made: JsonObject) -> bool:
    return bool(made)


def _names(made: tuple[JsonObject, ...]) -> list[str]:
    return [each["metadata"]["name"] for each in made]


def _filled(window: Window, count: int, *, after: int = 0) -> Window:
    for version in range(after + 1, after + count + 1):
        window.put(simple(f"r{version:04d}", namespace=f"ns{version % 3}", version=version), version=version)
    return window


@given(st.integers(0, 40), st.integers(1, 7), st.lists(st.integers(0, 3), max_size=20))
def test_paging_while_records_arrive(before: int, limit: int, arriving: list[int]) -> None:
    """All pages together are the list as it was at the first one: nothing lost, nothing twice."""
    window = _filled(_window(), before)
    whole = _names(window.page(namespace="", wanted=_all, limit=0, token="").items)
    arrivals = iter(arriving)
    names, token = [], ""
    while True:
        page = window.page(namespace="", wanted=_all, limit=limit, token=token)
        assert (len(page.items) <= limit, page.version) == (True, before)
        names += _names(page.items)
        token = page.token
        if not token:
            break
        _filled(window, next(arrivals, 0), after=window.version)

    assert names == whole


@given(st.integers(0, 40), st.integers(0, 40))
def test_list_and_watch(before: int, after: int) -> None:
    """A list and the changes since its version are all that there is."""
    window = _filled(_window(), before)
    page = window.page(namespace="", wanted=_all, limit=0, token="")
    _filled(window, after, after=before)

    changes = window.since(page.version)

    assert sorted(_names(page.items) + [event.made["metadata"]["name"] for event in changes]) == [
        f"r{version:04d}" for version in range(1, before + after + 1)
    ]
    assert [event.version for event in changes] == list(range(before + 1, before + after + 1))


def test_one_namespace() -> None:
    """A list of one namespace holds its records only."""
    window = _filled(_window(), 9)

    assert _names(window.page(namespace="ns1", wanted=_all, limit=0, token="").items) == ["r0001", "r0004", "r0007"]


def test_selected() -> None:
    """The limit counts what is wanted, and no page follows the last one that is."""
    window = _filled(_window(), 9)
    odd = window.page(namespace="", wanted=lambda made: made["metadata"]["name"][-1] in "13579", limit=5, token="")

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
    held = sorted(_names(window.page(namespace="", wanted=_all, limit=0, token="").items))

    assert window.size <= max_bytes or len(window) == 1
    assert held == [f"r{version:04d}" for version in range(count - len(window) + 1, count + 1)]


def test_page_after_forgetting() -> None:
    """A list that can no longer be completed is refused, not shortened."""
    window = _filled(_window(max_bytes=1000), 5)
    token = window.page(namespace="", wanted=_all, limit=2, token="").token
    _filled(window, 20, after=5)

    with pytest.raises(Expired):
        window.page(namespace="", wanted=_all, limit=2, token=token)


def test_page_of_another_process() -> None:
    """A list that began at another replica begins anew."""
    token = _filled(_window(name="other"), 5).page(namespace="", wanted=_all, limit=2, token="").token

    with pytest.raises(Expired):
        _filled(_window(), 5).page(namespace="", wanted=_all, limit=2, token=token)


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
        _window().page(namespace="", wanted=_all, limit=1, token=token)
