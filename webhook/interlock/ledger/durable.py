"""Durability of one commit: the only place that decides whether bytes are stored.

    create ── ok ──────────────────────────────▶ stored
       ├───── name taken, or no answer ── read ── same bytes ──▶ stored (an answer of ours was lost)
       │                                   ├───── other bytes ──▶ Fork
       │                                   └───── nothing, or no answer ──▶ pause, create again
       └───── forbidden ─────────────────────────▶ pause, create again

The bytes under a name never change between attempts, so a late success of an earlier attempt is the same commit. It
tries for ever: how long anybody waits for it is the waiter's business.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from interlock.core.ports import CommitStore
from interlock.errors import Forbidden, Fork, NameTaken, NotFound, Unavailable

FIRST_PAUSE_SECONDS = 0.05  # one lost answer should still be repaired within the 2 s of a commit's deadline
LONGEST_PAUSE_SECONDS = 5.0  # a store that comes back is noticed within this

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One flush of a lane, its bytes fixed."""

    name: str
    lane: str
    body: bytes


def pauses() -> Iterator[float]:
    """Yield seconds to wait between attempts: doubling, bounded, without end."""
    seconds = FIRST_PAUSE_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * 2, LONGEST_PAUSE_SECONDS)


async def make_durable(commit: Commit, *, store: CommitStore, pause: Pause, failed: Callable[[str], None]) -> None:
    """Return once the store holds exactly this commit.

    Args:
        commit: what to store.
        store: where.
        pause: waits between attempts.
        failed: told after each attempt that did not succeed why not.

    Raises:
        Fork: the store holds other bytes under this name; nothing of this commit is stored, nor can it ever be.
    """
    for seconds in pauses():
        why = await _attempt(commit, store)
        if not why:
            return
        failed(why)
        await pause(seconds)


async def _attempt(commit: Commit, store: CommitStore) -> str:
    """Try once; empty if the commit is stored, else why that is not known."""
    try:
        await store.create(commit.name, commit.body, lane=commit.lane)
    except Forbidden as error:
        return str(error)
    except (NameTaken, Unavailable) as error:
        return await _compare(commit, store, str(error))
    return ""


async def _compare(commit: Commit, store: CommitStore, why: str) -> str:
    """Look what the store holds under the name after an attempt whose effect is unknown."""
    try:
        found = await store.read(commit.name)
    except (NotFound, Unavailable, Forbidden) as error:
        return f"{why}; then, reading it back: {error}"
    if found != commit.body:
        raise Fork(f"{commit.name} holds other bytes than this guard's")
    return ""
