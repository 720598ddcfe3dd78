"""Reading the log in an object store without verifying it: for display, export and copies."""

from collections.abc import AsyncIterator

from interlock.core.audit import dayindex, dsse, record, segment
from interlock.core.ports import ObjectStore
from interlock.core.types import JsonObject
from interlock.ledger.listing import listed


async def segments(store: ObjectStore, *, since: str = "") -> AsyncIterator[tuple[str, bytes]]:
    """Every segment by key, in the order of the log; what lies beside them is passed over.

    Args:
        store: where the log is.
        since: the first month or day, as ``2026-11`` or ``2026-11-25``; empty for all.

    Raises:
        BadInput: it is neither.
        ClusterError: the store cannot be read.
    """
    month = dayindex.month_of(since)
    after = await _before(store, since)
    found = (await listed(store, segment.PREFIX_OF_KEYS, segment.parse_key)).objects
    for epoch, number in sorted(found, key=lambda place: (place[1], place[0])):
        held = found[epoch, number]
        if epoch >= month and number > after:
            yield held.key, await store.get(held.key, version=held.version, limit=segment.MAX_OBJECT_BYTES)


async def _before(store: ObjectStore, since: str) -> int:
    """Number of the last cut before a day, as far as the index of days tells; -1 otherwise."""
    days = (await listed(store, dayindex.PREFIX_OF_KEYS, dayindex.parse_key)).objects
    newest = dayindex.newest_before(days, since)
    if not newest:
        return -1
    body = await store.get(days[newest].key, version=days[newest].version, limit=dsse.MAX_ENVELOPE_BYTES)
    return dayindex.read(body).number


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
    """Copy the log as it is, byte for byte, with its index of days; returns how many segments there were.

    Raises:
        NameTaken: the target has one of them already.
        ClusterError: a store cannot be read, or written.
    """
    count = 0
    async for key, body in segments(source, since=since):
        await target.put(key, body, retain_until=await target.now())
        count += 1
    days = (await listed(source, dayindex.PREFIX_OF_KEYS, dayindex.parse_key)).objects
    for day, held in days.items():
        if day >= dayindex.month_of(since):
            body = await source.get(held.key, version=held.version, limit=dsse.MAX_ENVELOPE_BYTES)
            await target.put(held.key, body, retain_until=await target.now())
    return count
