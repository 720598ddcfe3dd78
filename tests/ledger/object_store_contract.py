"""What every ObjectStore does, as test cases: the fake in memory, a directory and a real S3 server run the same."""

import hashlib
import secrets
from datetime import timedelta

import pytest

from interlock.core.ports import ObjectStore
from interlock.errors import BadInput, NameTaken, NotFound

LOCK = timedelta(hours=1)


class ObjectStoreContract:
    """The cases."""

    async def test_put_and_read_back(self, store: ObjectStore) -> None:
        """What is put is there as it was, under its key."""
        version = await store.put("a/1", b"bytes", retain_until=await store.now() + LOCK)
        found = await store.head("a/1")

        assert (found.key, found.version, found.size, found.deleted) == ("a/1", version, 5, False)
        assert found.sha256 == hashlib.sha256(b"bytes").hexdigest()
        assert await store.get("a/1", limit=5) == b"bytes"
        assert await store.get("a/1", version=version, limit=5) == b"bytes"

    async def test_created_once(self, store: ObjectStore) -> None:
        """A key is taken by whoever puts it first."""
        until = await store.now() + LOCK
        await store.put("a", b"first", retain_until=until)

        with pytest.raises(NameTaken):
            await store.put("a", b"second", retain_until=until)
        assert await store.get("a", limit=9) == b"first"

    async def test_what_is_not_there(self, store: ObjectStore) -> None:
        """An absent object is told from a store that is away."""
        with pytest.raises(NotFound):
            await store.head("absent")
        with pytest.raises(NotFound):
            await store.get("absent", limit=1)

    async def test_larger_than_wanted(self, store: ObjectStore) -> None:
        """An object that is larger than it may be is not read into memory."""
        await store.put("large", b"x" * 100, retain_until=await store.now() + LOCK)

        with pytest.raises(BadInput):
            await store.get("large", limit=99)

    async def test_large_objects_come_whole(self, store: ObjectStore) -> None:
        """However many pieces they arrive in."""
        body = secrets.token_bytes(3_000_000)
        await store.put("large", body, retain_until=await store.now() + LOCK)

        assert await store.get("large", limit=len(body)) == body

    async def test_list_is_of_a_prefix_and_sorted(self, store: ObjectStore) -> None:
        """By key, whatever the order in which they were put."""
        until = await store.now() + LOCK
        for key in ("log/2026-12/1", "log/2026-11/2", "other/1", "log/2026-11/1"):
            await store.put(key, key.encode(), retain_until=until)
        found = [each async for each in store.versions("log/")]

        assert [each.key for each in found] == ["log/2026-11/1", "log/2026-11/2", "log/2026-12/1"]
        assert [(each.size, each.deleted, each.latest) for each in found] == [(13, False, True)] * 3
        assert [each async for each in store.versions("nothing/")] == []
