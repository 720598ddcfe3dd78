"""The contract of object stores, on the fake and on a directory; and what addresses open."""

from pathlib import Path

import pytest

from interlock.core.ports import ObjectStore
from interlock.errors import BadInput, Forbidden
from interlock.ledger.stores import opening
from interlock.ledger.stores.directory import DirectoryStore
from tests.fakes.object_store import FakeObjectStore
from tests.ledger.guards import HandClock
from tests.ledger.object_store_contract import LOCK, ObjectStoreContract


class TestFake(ObjectStoreContract):
    """The one in memory."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        """An empty one."""
        return FakeObjectStore(HandClock())


class TestDirectory(ObjectStoreContract):
    """Files."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        """An empty one, in a directory that is not there yet."""
        return DirectoryStore(tmp_path / "made", clock=HandClock())

    async def test_it_locks_nothing_and_says_so(self, store: ObjectStore) -> None:
        """Whatever was asked for."""
        await store.put("a", b"x", retain_until=await store.now() + LOCK)
        found = await store.head("a")

        assert (found.mode, found.retain_until) == ("", None)

    async def test_nothing_half_is_left(self, store: ObjectStore, tmp_path: Path) -> None:
        """Neither by a put nor by one that came too late."""
        until = await store.now() + LOCK
        await store.put("a", b"x", retain_until=until)
        with pytest.raises(Exception, match="exists"):
            await store.put("a", b"y", retain_until=until)

        assert [path.name for path in (tmp_path / "made").iterdir()] == ["a"]

    async def test_no_key_leads_out_of_it(self, store: ObjectStore) -> None:
        """A key is no path of somebody else's."""
        with pytest.raises(BadInput):
            await store.get("../secret", limit=9)


async def test_a_directory_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not read is told so, and it is no absence."""

    def _refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", _refuse)
    with pytest.raises(Forbidden):
        await DirectoryStore(tmp_path, clock=HandClock()).get("a", limit=1)


@pytest.mark.parametrize("text", ["s3://bucket/prefix?endpoint=http://127.0.0.1:9", "file:///a/b"])
def test_addresses_that_open(text: str) -> None:
    """A bucket, and a directory."""
    opening.check(text)


@pytest.mark.parametrize("text", ["", "gs://bucket", "file://host/a", "file:///", "file:///a?b=c", "/a/b", "s3:///a"])
def test_addresses_that_do_not(text: str) -> None:
    """Everything else is named, with what would have been accepted."""
    with pytest.raises(BadInput, match="store: got"):
        opening.check(text)
