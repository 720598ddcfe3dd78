"""Locks: when `hack/verify` calls one stale."""

from pathlib import Path

import pytest

from devtools import locks


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> locks.Lock:
    """A lock in a checkout of its own that belongs to its source."""
    monkeypatch.setattr(locks, "ROOT", tmp_path)
    source = tmp_path / "tools.in"
    source.write_text("pytest>=9\n")
    made = locks.Lock(path=tmp_path / "tools.txt", sources=(source,))
    made.path.write_text(made.header() + "pytest==9.2.0\n")
    return made


def test_lock_belongs_to_the_sources_it_was_made_from(lock: locks.Lock) -> None:
    """A lock is current while its sources are what they were."""
    assert lock.current()


def test_lock_is_stale_when_a_source_changes(lock: locks.Lock) -> None:
    """One more requirement without a new lock is noticed."""
    lock.sources[0].write_text("pytest>=9\nhypothesis\n")

    assert not lock.current()


def test_lock_that_is_missing_is_stale(lock: locks.Lock) -> None:
    """A lock that was never made is noticed too."""
    lock.path.unlink()

    assert not lock.current()


def test_locks_of_this_checkout_name_no_place() -> None:
    """Where packages come from is the machine's configuration: no lock holds a URL or an index."""
    texts = {lock.path.name: lock.path.read_text() for lock in locks.LOCKS}

    assert {name: [word for word in ("://", "--index", "--find-links") if word in texts[name]] for name in texts} == {
        "runtime.txt": [],
        "dev.txt": [],
        "go.txt": [],
        "fuzz.txt": [],
    }
