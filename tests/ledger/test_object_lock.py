"""A real S3 server with object lock: what the store promises, and that whoever holds its root can undo none of it."""

import secrets
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from devtools.objectstore import Server
from devtools.s3programs import MINIO, VERSITYGW, Program
from interlock.core.audit.lanes import Status
from interlock.errors import Forbidden, Unavailable
from interlock.ledger import wormproof
from interlock.ledger.stores import s3
from interlock.ledger.stores.address import Address
from interlock.ledger.stores.s3 import S3Store
from interlock.wiring import clock
from tests.ledger.guards import HandClock, Ledger, running
from tests.ledger.logs import Whole, verified
from tests.ledger.object_store_contract import LOCK, ObjectStoreContract

pytestmark = pytest.mark.object_store


@pytest.fixture
def store(locked: tuple[Any, Address]) -> S3Store:
    """A store in a bucket with object lock."""
    return S3Store(*locked)


class TestS3(ObjectStoreContract):
    """The contract of every object store, on a bucket with object lock."""


async def test_what_is_put_is_locked(store: S3Store) -> None:
    """In mode COMPLIANCE, until the date that was asked for."""
    until = (await store.now()).replace(microsecond=0) + LOCK
    await store.put("a/1", b"bytes", retain_until=until)
    found = await store.head("a/1")

    assert (found.mode, found.retain_until) == ("COMPLIANCE", until)


async def test_the_lock_of_an_older_version_is_told(store: S3Store, locked: tuple[Any, Address]) -> None:
    """Whatever has been put over it since, which is not locked itself."""
    client, address = locked
    until = (await store.now()).replace(microsecond=0) + LOCK
    version = await store.put("a", b"first", retain_until=until)
    await client.put_object(Bucket=address.bucket, Key=address.key("a"), Body=b"second")
    older, newest = await store.head("a", version=version), await store.head("a")

    assert (older.mode, older.retain_until) == ("COMPLIANCE", until)
    assert (newest.mode, newest.retain_until) == ("", None)


async def test_nothing_is_locked_in_a_bucket_without_lock(locked: tuple[Any, Address]) -> None:
    """Which is an answer, not a refusal."""
    client, address = locked
    plain = replace(address, bucket=f"plain-{secrets.token_hex(4)}")
    await client.create_bucket(Bucket=plain.bucket)
    await client.put_object(Bucket=plain.bucket, Key=plain.key("a"), Body=b"bytes")
    found = await S3Store(client, plain).head("a")

    assert (found.mode, found.retain_until, found.size) == ("", None, 5)


async def test_versions_tell_everything(store: S3Store, locked: tuple[Any, Address]) -> None:
    """A listing shows overwritten versions and delete markers, which a read by key does not."""
    client, address = locked
    until = await store.now() + LOCK
    version = await store.put("a", b"first", retain_until=until)
    await client.put_object(Bucket=address.bucket, Key="here/a", Body=b"second")
    await client.delete_object(Bucket=address.bucket, Key="here/a")
    await store.put("b", b"other", retain_until=until)

    found = [each async for each in store.versions("")]

    assert [(each.key, each.deleted) for each in found] == [("a", False), ("a", False), ("a", True), ("b", False)] or [
        (each.key, each.deleted) for each in sorted(found, key=lambda one: (one.key, one.deleted))
    ] == [("a", False), ("a", False), ("a", True), ("b", False)]
    assert version in {each.version for each in found}


async def test_pages(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing of many pages loses and doubles nothing, whatever a server repeats (VersityGW the last of a page)."""
    monkeypatch.setattr(s3, "PAGE_ITEMS", 3)
    until = await store.now() + LOCK
    keys = [f"k/{number:02d}" for number in range(10)]
    for key in keys:
        await store.put(key, b"x", retain_until=until)

    assert [each.key async for each in store.versions("k/")] == keys


@pytest.mark.usefixtures("server")
async def test_no_answer() -> None:
    """A store that is away is that, and not one that refuses."""
    address = Address(bucket="b", prefix="", endpoint="http://127.0.0.1:1", style="path")
    async with s3.opened(address) as away:
        with pytest.raises(Unavailable):
            await away.head("a")


async def test_wrong_credentials(locked: tuple[Any, Address], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not is refused, and told so."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    async with s3.opened(locked[1]) as store:
        with pytest.raises(Forbidden):
            await store.get("a", limit=1)


EXPIRED = {MINIO.tool: ("have a lifecycle rule expire it",), VERSITYGW.tool: ()}
"""What is tried with lifecycle rules; VersityGW does not say whether there are any, and then none is tried."""


async def test_root_can_undo_nothing(locked: tuple[Any, Address], program: Program) -> None:
    """With the credentials of the store's root, nothing that could be tried takes away version, bytes or lock."""
    found = [check async for check in wormproof.prove(*locked, run="1")]

    assert [check.name for check in found] == [
        "store under COMPLIANCE",
        "create it again",
        *wormproof.ATTEMPTS,
        *EXPIRED[program.tool],
        "suspend versioning",
    ]
    assert [check for check in found if not check.holds] == []
    assert [check.name for check in found if check.text == "allowed"] == [
        "overwrite it",
        "hide it behind a delete marker",
        *EXPIRED[program.tool],
    ]


async def test_rules_of_the_owner_are_left_alone(locked: tuple[Any, Address], program: Program) -> None:
    """A bucket with lifecycle rules keeps them, and one without has none afterwards."""
    client, address = locked
    if not EXPIRED[program.tool]:
        with pytest.raises(Exception, match=r"NotImplemented|not implemented"):
            await client.get_bucket_lifecycle_configuration(Bucket=address.bucket)
        return
    _ = [check async for check in wormproof.prove(client, address, run="1")]
    with pytest.raises(Exception, match="NoSuchLifecycleConfiguration"):
        await client.get_bucket_lifecycle_configuration(Bucket=address.bucket)
    rule = {"ID": "mine", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7}}
    await client.put_bucket_lifecycle_configuration(Bucket=address.bucket, LifecycleConfiguration={"Rules": [rule]})
    names = [check.name async for check in wormproof.prove(client, address, run="2")]
    left = await client.get_bucket_lifecycle_configuration(Bucket=address.bucket)

    assert "have a lifecycle rule expire it" not in names
    assert [each["ID"] for each in left["Rules"]] == ["mine"]


class Lax:
    """A client in whose hands a lock is only one of governance."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Any:
        """What the real client does."""
        return getattr(self._client, operation)

    async def put_object(self, **parameters: object) -> object:
        """Store, under the weaker lock."""
        return await self._client.put_object(**parameters | {"ObjectLockMode": "GOVERNANCE"})


async def test_a_lock_that_can_be_bypassed_is_found_out(locked: tuple[Any, Address]) -> None:
    """Under a lock of governance root gets rid of the version, and everything after that is red as well."""
    client, address = locked
    found = [check async for check in wormproof.prove(Lax(client), address, run="1")]

    assert [check.name for check in found if check.holds] == [
        "create it again",
        "delete the version",
        "suspend versioning",
    ]


async def test_a_bucket_without_lock_is_found_out(server: Server, locked: tuple[Any, Address]) -> None:
    """A bucket that was made without object lock does not take what is to be locked."""
    client, _ = locked
    address = Address(bucket=f"plain-{secrets.token_hex(4)}", prefix="", endpoint=server.endpoint, style="path")
    await client.create_bucket(Bucket=address.bucket)

    with pytest.raises(Forbidden):
        [check async for check in wormproof.prove(client, address, run="1")]


def test_by_hand(server: Server, locked: tuple[Any, Address], program: Program) -> None:
    """`interlock doctor --store` says of each attempt what became of it, and that all is well."""
    url = f"s3://{locked[1].bucket}/records?endpoint={server.endpoint}"
    done = subprocess.run(["interlock", "doctor", "--store", url], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    tried = 12 + len(EXPIRED[program.tool])
    assert done.stdout.splitlines()[-1] == f"{tried} checks: {tried} ok, 0 bad, 0 not to be looked at"


async def test_log_is_shipped_verified_and_cannot_be_undone(locked: tuple[Any, Address]) -> None:
    """Guard, notary and archive on the real store: proven; what is hidden is found out; erased it cannot be."""
    client, address = locked
    store = S3Store(client, address)
    async with running(Ledger(clock=HandClock(clock.now()))) as ledger:
        whole = Whole(ledger, outside=store)
        for name in ("a", "b", "c"):
            await whole.record(name)
        await whole.archive.turn()
    clean = await verified(store)
    [first, *_] = [each async for each in store.versions("log/")]
    at = {"Bucket": address.bucket, "Key": address.key(first.key)}
    with pytest.raises(Exception, match=r"WORM protected|protected by object lock"):
        await client.delete_object(**at, VersionId=first.version, BypassGovernanceRetention=True)
    still = await verified(store)
    await client.delete_object(**at)
    hidden = await verified(store)

    assert (clean.status, clean.records, clean.faults, still) == (Status.PROVEN, 4, (), clean)
    assert (hidden.status, [fault.evidence for fault in hidden.faults]) == (
        Status.TAMPERED,
        ["the store's versions"],
    )
    assert hidden.records == 4  # the oldest version is still there, and good
