"""What every LaneStore does, as test cases: the fake in memory and ConfigMaps on a real API server run the same ones.

A test module that runs them inherits `LaneStoreContract` and gives the fixture `store`. Every case writes to a lane of
its own, so that a store which cannot delete may be shared and be full of other lanes.
"""

import asyncio
import secrets

import pytest

from interlock.core.audit import commits
from interlock.core.ports import LaneStore, StoredCommit
from interlock.errors import NameTaken, NotFound


def new_lane() -> str:
    """The name of a lane that nothing else uses."""
    return secrets.token_hex(8)


async def of_lane(store: LaneStore, lane: str) -> list[StoredCommit]:
    """The stored commits of one lane, as `commits` gives them."""
    return [commit for commit in await store.commits() if commit.name.startswith(f"{commits.PREFIX}{lane}-")]


class LaneStoreContract:
    """The cases."""

    async def test_what_was_created_is_read(self, store: LaneStore) -> None:
        """Exactly the bytes, by name and in the list."""
        lane = new_lane()
        body = commits.pack([b'{"a":1}', b"\x00\xff"])
        await store.create(commits.name(lane, 0), body, lane=lane)
        [listed] = await of_lane(store, lane)

        assert await store.read(commits.name(lane, 0)) == body
        assert (listed.name, listed.body) == (commits.name(lane, 0), body)
        assert listed.uid

    async def test_a_name_is_given_once(self, store: LaneStore) -> None:
        """A second CREATE is refused, also with the same bytes, and changes nothing."""
        lane = new_lane()
        name = commits.name(lane, 0)
        await store.create(name, b"first", lane=lane)
        for body in (b"second", b"first"):
            with pytest.raises(NameTaken):
                await store.create(name, body, lane=lane)

        assert await store.read(name) == b"first"

    async def test_of_two_writers_one_wins(self, store: LaneStore) -> None:
        """Of CREATEs of one name at the same time exactly one succeeds, and its bytes are what is stored."""
        lane = new_lane()
        name = commits.name(lane, 0)
        bodies = [f"writer {number}".encode() for number in range(5)]
        answers = await asyncio.gather(
            *(store.create(name, body, lane=lane) for body in bodies), return_exceptions=True
        )
        winners = [body for body, answer in zip(bodies, answers, strict=True) if answer is None]

        assert winners == [await store.read(name)]
        assert [type(answer) for answer in answers if answer is not None] == [NameTaken] * 4

    async def test_what_was_never_created_is_not_found(self, store: LaneStore) -> None:
        """A name that nobody used is told from one that cannot be read."""
        with pytest.raises(NotFound):
            await store.read(commits.name(new_lane(), 0))

    async def test_the_list_is_sorted_and_complete(self, store: LaneStore) -> None:
        """Commits of a lane come in the order of their sequences, however they were written."""
        lane = new_lane()
        for sequence in (128, 0, 64):
            await store.create(commits.name(lane, sequence), b"%d" % sequence, lane=lane)
        everything = [commit.name for commit in await store.commits()]

        assert [commit.body for commit in await store.commits_of(lane)] == [b"0", b"64", b"128"]
        assert await store.commits_of(lane) == await of_lane(store, lane)
        assert everything == sorted(everything)

    async def test_the_largest_commit_is_stored(self, store: LaneStore) -> None:
        """A commit at its bound that does not compress is taken whole."""
        lane = new_lane()
        body = commits.pack([secrets.token_bytes(commits.MAX_UNPACKED_BYTES)])
        await store.create(commits.name(lane, 0), body, lane=lane)

        assert await store.read(commits.name(lane, 0)) == body
