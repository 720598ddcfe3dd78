"""Reading a log's objects in order, some of them ahead, with their signatures checked by helpers on all cores."""

import asyncio
import contextlib
import multiprocessing
import os
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass

from interlock.core.audit import segment, vouching
from interlock.core.ports import LockedObject, ObjectStore
from interlock.errors import BadInput, NotFound

AHEAD = 16
"""Objects that are read at one time: latency of a store far away, and at most 64 MiB of memory."""

WORTH_HELP = 256
"""Segments from which on other processes help: they take half a second to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One object, as read.

    Attributes:
        epoch, number: as its key says.
        held: what the store says of it.
        body: its bytes; empty where it is gone, or larger than any segment.
        vouched: what `core.audit.vouching` found of it.
    """

    number: int
    epoch: str
    held: LockedObject
    body: bytes
    vouched: Mapping[int, bytes]


async def read(
    store: ObjectStore, segments: Sequence[LockedObject], *, keys: Callable[[], Mapping[str, bytes]]
) -> AsyncGenerator[Read]:
    """Read objects in order.

    Args:
        store: where they are.
        segments: as listed.
        keys: of lanes, by name, as far as they are known when an object is read.

    Raises:
        ClusterError: the store cannot be read.
    """
    coming: deque[asyncio.Task[Read]] = deque()
    rest = deque(segments)
    with _helpers(len(segments)) as helpers:
        try:
            while rest or coming:
                while rest and len(coming) < AHEAD:
                    coming.append(asyncio.create_task(_fetched(store, rest.popleft(), keys, helpers)))
                yield await coming.popleft()
        finally:
            for task in coming:
                task.cancel()
            await asyncio.gather(*coming, return_exceptions=True)


async def _fetched(
    store: ObjectStore, listed: LockedObject, keys: Callable[[], Mapping[str, bytes]], helpers: Executor | None
) -> Read:
    epoch, number = segment.parse_key(listed.key)
    try:
        held = await store.head(listed.key, version=listed.version)
        body = await store.get(listed.key, version=listed.version, limit=segment.MAX_OBJECT_BYTES)
    except (NotFound, BadInput):  # gone between two looks, or larger than any segment: no segment either way
        held, body = listed, b""
    vouched: Mapping[int, bytes] = {}
    if helpers is not None:
        vouched = await asyncio.get_running_loop().run_in_executor(helpers, vouching.vouched, body, keys())
    return Read(number=number, epoch=epoch, held=held, body=body, vouched=vouched)


@contextlib.contextmanager
def _helpers(segments: int) -> Iterator[Executor | None]:
    """Processes that check signatures, one for each core; none where there is too little for them to do."""
    if segments < WORTH_HELP:
        yield None
        return
    fresh = multiprocessing.get_context("spawn")  # a fork would take along locks of threads that it does not have
    with ProcessPoolExecutor(os.cpu_count(), mp_context=fresh) as helpers:
        yield helpers
