"""Durability of one commit under every answer that a store can give."""

import itertools

import pytest

from interlock.errors import Fork
from interlock.ledger.durable import LONGEST_PAUSE_SECONDS, Commit, make_durable, pauses
from tests.fakes.lane_store import Call, FakeLaneStore, Fate, Planned

NAME = "interlock-lane-0000000000000000-0000000000"
COMMIT = Commit(name=NAME, lane="0" * 16, body=b"ours")
CREATE, READ = Call("create", NAME), Call("read", NAME)


async def _store(store: FakeLaneStore) -> tuple[list[Call], list[str], list[float]]:
    """Make the commit durable; the calls it took, the failures told, the seconds waited."""
    failures: list[str] = []
    waited: list[float] = []

    async def _pause(seconds: float) -> None:
        waited.append(seconds)

    await make_durable(COMMIT, store=store, pause=_pause, failed=failures.append)
    return store.calls, failures, waited


@pytest.mark.parametrize(
    ("creates", "reads", "calls"),
    [
        pytest.param([], [], [CREATE], id="stored at once"),
        pytest.param([Fate.FAILS_AFTER], [], [CREATE, READ], id="a lost answer is found by reading back"),
        pytest.param([Fate.FAILS_BEFORE], [], [CREATE, READ, CREATE], id="what was not stored is created again"),
        pytest.param([Fate.FORBIDDEN], [], [CREATE, CREATE], id="a refusal is tried again without reading"),
        pytest.param([Fate.FAILS_AFTER], [Fate.FAILS_BEFORE], [CREATE, READ, CREATE, READ], id="a lost answer, twice"),
        pytest.param(
            [Fate.FAILS_AFTER], [Fate.FORBIDDEN], [CREATE, READ, CREATE, READ], id="what may not be read is no fork"
        ),
    ],
)
async def test_a_commit_is_stored_in_the_end(creates: list[Fate], reads: list[Fate], calls: list[Call]) -> None:
    """Whatever happens to answers, exactly our bytes are stored, once."""
    store = FakeLaneStore(Planned(create=creates, read=reads))
    made, failures, waited = await _store(store)

    assert (made, store.bodies) == (calls, {NAME: b"ours"})
    assert len(failures) == len(waited) == calls.count(CREATE) - 1


async def test_a_create_that_lands_late_is_the_same_commit() -> None:
    """An answer is lost, the store looks empty, we create again; the late one changes nothing."""
    store = FakeLaneStore(Planned(create=[Fate.LANDS_LATER]))
    await _store(store)
    store.land()

    assert store.bodies == {NAME: b"ours"}


@pytest.mark.parametrize("creates", [[], [Fate.FAILS_BEFORE]])
async def test_other_bytes_under_our_name_are_a_fork(creates: list[Fate]) -> None:
    """Somebody else's commit is never taken for ours, and never overwritten."""
    store = FakeLaneStore(Planned(create=creates))
    store.bodies[NAME] = b"theirs"
    with pytest.raises(Fork, match=NAME):
        await _store(store)

    assert store.bodies == {NAME: b"theirs"}


def test_pauses_double_up_to_a_bound() -> None:
    """A short outage costs little time, a long one few calls."""
    first = list(itertools.islice(pauses(), 10))

    assert first == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert first[-1] == LONGEST_PAUSE_SECONDS
