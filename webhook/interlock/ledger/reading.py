"""Reading the log in an object store without verifying it: for display, export and copies."""

from collections.abc import AsyncIterator

from interlock.core.audit import dsse, record, segment
from interlock.core.ports import ObjectStore
from interlock.core.types import JsonObject
from interlock.errors import BadInput


async def segments(store: ObjectStore, *, since: str = "") -> AsyncIterator[tuple[str, bytes]]:
    """Every segment by key, in the order of the log; what lies beside them is passed over.

    Args:
        store: where the log is.
        since: the first epoch, as ``2026-11``; empty for all.

    Raises:
        ClusterError: the store cannot be read.
    """
    found: dict[tuple[int, str], tuple[str, str]] = {}
    async for each in store.versions(segment.PREFIX_OF_KEYS):
        try:
            epoch, number = segment.parse_key(each.key)
        except BadInput:
            continue
        if not each.deleted and epoch >= since:
            found[number, epoch] = each.key, each.version  # of several versions the oldest, which is listed last
    for place in sorted(found):
        key, version = found[place]
        yield key, await store.get(key, version=version, limit=segment.MAX_OBJECT_BYTES)


async def records(store: ObjectStore, *, since: str = "") -> AsyncIterator[JsonObject]:
    """Every record in the order of the log.

    Raises:
        BadInput: an object is no segment, or holds something else than records.
        ClusterError: the store cannot be read.
    """
    async for _, body in segments(store, since=since):
        for envelope in segment.unpack(body).records:
            yield record.decode(dsse.parse(envelope).payload)


async def copy(source: ObjectStore, target: ObjectStore, *, since: str = "") -> int:
    """Copy the log as it is, byte for byte; returns how many segments there were.

    Raises:
        NameTaken: the target has one of them already.
        ClusterError: a store cannot be read, or written.
    """
    count = 0
    async for key, body in segments(source, since=since):
        await target.put(key, body, retain_until=await target.now())
        count += 1
    return count
