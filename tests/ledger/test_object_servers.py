"""Where real S3 servers differ, and what Interlock says then: MinIO does as S3 does, VersityGW has ways of its own.

`hack/test stores` runs this and the rest of the suite on MinIO, `hack/test soak` runs all of it on VersityGW as well.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import pytest

from devtools.s3programs import MINIO, VERSITYGW, Program
from interlock.core.audit import cut as cuts
from interlock.core.audit import segment
from interlock.core.audit.lanes import Status
from interlock.errors import Conflict, InterlockError, NameTaken, Unavailable
from interlock.ledger.stores.address import Address
from interlock.ledger.stores.s3 import S3Store
from interlock.wiring import clock
from tests.ledger.guards import HandClock, Ledger, running
from tests.ledger.logs import Whole, verified
from tests.ledger.object_store_contract import LOCK

pytestmark = pytest.mark.object_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What becomes of what servers do differently; S3 does all of it as MinIO does.

    Attributes:
        over_a_marker: how putting under a name fails that a delete marker hides.
        shipping_over_it: how shipping a segment fails there.
        below_a_name: how putting `a/b` beside `a` fails.
        by_default: the mode that we are told of an object which the bucket's default has locked.
    """

    over_a_marker: type[InterlockError] | None
    shipping_over_it: type[InterlockError] | None
    below_a_name: type[InterlockError] | None
    by_default: str


WAYS = {
    MINIO.tool: Ways(over_a_marker=None, shipping_over_it=None, below_a_name=None, by_default="COMPLIANCE"),
    VERSITYGW.tool: Ways(over_a_marker=NameTaken, shipping_over_it=Conflict, below_a_name=Unavailable, by_default=""),
}


@pytest.fixture
def ways(program: Program) -> Ways:
    """Its own."""
    return WAYS[program.tool]


@pytest.fixture
def store(locked: tuple[Any, Address]) -> S3Store:
    """A store in a bucket with object lock."""
    return S3Store(*locked)


async def test_a_name_under_a_delete_marker(store: S3Store, locked: tuple[Any, Address], ways: Ways) -> None:
    """S3 gives it away again; where it is not given, that is told as a name that is taken."""
    client, address = locked
    until = await store.now() + LOCK
    await store.put("a", b"first", retain_until=until)
    await client.delete_object(Bucket=address.bucket, Key=address.key("a"))

    assert await _failure(store.put("a", b"second", retain_until=until)) is ways.over_a_marker


async def test_a_marker_in_the_way_of_shipping(store: S3Store, locked: tuple[Any, Address], ways: Ways) -> None:
    """Shipped over or not, what somebody put where the next segment goes, and hid, is found out."""
    client, address = locked
    async with running(Ledger(clock=HandClock(clock.now()))) as ledger:
        whole = Whole(ledger, outside=store)
        await whole.record("a")
        key = segment.key(cuts.epoch_of(ledger.clock()), 0)
        await client.put_object(Bucket=address.bucket, Key=address.key(key), Body=b"anybody's")
        await client.delete_object(Bucket=address.bucket, Key=address.key(key))
        failed = await _failure(whole.archive.turn())
    found = await verified(store)

    assert (failed, found.status) == (ways.shipping_over_it, Status.TAMPERED)
    assert "the store's versions" in {fault.evidence for fault in found.faults}


async def test_a_name_below_another(store: S3Store, ways: Ways) -> None:
    """None of our keys is a path below another: some servers keep objects as files, and that is told as no answer."""
    until = await store.now() + LOCK
    await store.put("a", b"file", retain_until=until)

    assert await _failure(store.put("a/b", b"below", retain_until=until)) is ways.below_a_name


async def test_a_lock_by_default_of_the_bucket(store: S3Store, locked: tuple[Any, Address], ways: Ways) -> None:
    """It is not relied on: some servers heed it and do not name it. What we put has a lock of its own beside it."""
    client, address = locked
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    await client.put_object_lock_configuration(Bucket=address.bucket, ObjectLockConfiguration=configuration)
    made = await client.put_object(Bucket=address.bucket, Key=address.key("default"), Body=b"x")
    until = (await store.now()).replace(microsecond=0) + LOCK
    await store.put("own", b"x", retain_until=until)
    default, own = await store.head("default"), await store.head("own")
    with pytest.raises(Exception, match=r"WORM protected|protected by object lock"):
        await client.delete_object(Bucket=address.bucket, Key=address.key("default"), VersionId=made["VersionId"])

    assert default.mode == ways.by_default
    assert (own.mode, own.retain_until) == ("COMPLIANCE", until)


async def _failure(attempt: Awaitable[object]) -> type[InterlockError] | None:
    try:
        await attempt
    except InterlockError as error:
        return type(error)
    return None
