"""What lives long is frozen once for each doubling, so that no full collection walks through it."""

import gc
from collections.abc import Iterator

import pytest

from interlock.wiring.memory import LongLived


@pytest.fixture(autouse=True)
def _unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_frozen_at_first_and_when_doubled() -> None:
    """The first snapshot is frozen, a little growth is not, a doubling is."""
    memory, frozen = LongLived(), []
    for objects in (10, 11, 19, 20, 21):
        gc.unfreeze()
        memory.holds(objects)
        frozen.append(gc.get_freeze_count() > 0)

    assert frozen == [True, False, False, True, False]
