"""Ends of lanes that no guard will write: its guard is gone, or what it wrote cannot be merged.

The notary's LaneAbandoned is stored under the very name that the guard would use next. From then on the guard, should
it live after all, meets a taken name, and opens another lane; or it was there before, and then nothing has ended.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from interlock.core import ids
from interlock.core.audit import commits, dsse, record
from interlock.core.audit.keyring import Keyring
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.merging import Log, by_lane
from interlock.core.ports import Clock, LogStore, StoredCommit
from interlock.errors import BadInput, Fork
from interlock.ledger.durable import Commit, Pause, make_durable

QUIET = timedelta(seconds=60)
"""How long a lane that no living guard calls its own must be quiet before it is ended."""

LOG = structlog.get_logger("interlock.ledger")


class Signer(Protocol):
    """The notary's key."""

    @property
    def ring(self) -> Keyring:
        """What verifies: this key, after those that it has replaced."""

    def sign(self, message: bytes) -> bytes:
        """Sign by Ed25519."""


class Endings:
    """Ends lanes in place of their guards."""

    def __init__(
        self,
        store: LogStore,
        *,
        key: Signer,
        cluster: str,
        clock: Clock,
        entropy: Callable[[int], bytes],
        alive: Callable[[], frozenset[str] | None],
        pause: Pause = asyncio.sleep,
    ) -> None:
        """Wire it.

        Args:
            store: the cluster's part of the ledger.
            key: the notary's.
            cluster: uid of namespace kube-system.
            clock: the present.
            entropy: unpredictable bytes for ids.
            alive: lanes that living guards call their own; None while that is not known.
            pause: waits between attempts.
        """
        self._store = store
        self._key = key
        self._cluster = cluster
        self._clock = clock
        self._entropy = entropy
        self._alive = alive
        self._pause = pause
        self._moved: Mapping[str, tuple[int, datetime]] = {}  # of each open lane: newest sequence, and since when

    async def end_quiet(self, log: Log, stored: Sequence[StoredCommit]) -> None:
        """End every lane that has been quiet for long and that no living guard calls its own.

        Raises:
            ClusterError: the cluster does not answer as needed.
        """
        now = self._clock()
        self._note(log, stored, now)
        alive = self._alive()
        if alive is None:
            return
        for lane, following in log.open.items():
            newest, since = self._moved[lane]
            if lane not in alive and now - since >= QUIET and newest < following:
                await self._end(lane, following, log.leaf_of(lane), reason="GuardGone")

    async def end_broken(self, lane: str, stored: Sequence[StoredCommit]) -> None:
        """Take the name that a broken lane's guard would use next, as far as that can be known.

        Args:
            lane: its name.
            stored: every commit of it.

        Raises:
            ClusterError: the cluster does not answer as needed.
        """
        if not stored:
            return
        _, sequence = commits.parse_name(stored[-1].name)
        try:
            envelopes = commits.unpack(stored[-1].body)
        except BadInput:
            return
        await self._end(lane, sequence + len(envelopes), leaf_hash(envelopes[-1]), reason="Broken")

    def _note(self, log: Log, stored: Sequence[StoredCommit], now: datetime) -> None:
        """Keep since when each open lane has had no new commit."""
        newest = {lane: commits.parse_name(found[-1].name)[1] for lane, found in by_lane(stored).items()}
        at = {lane: newest.get(lane, -1) for lane in log.open}
        known = self._moved
        self._moved = {
            lane: known[lane] if lane in known and known[lane][0] == sequence else (sequence, now)
            for lane, sequence in at.items()
        }

    async def _end(self, lane: str, sequence: int, previous: str, *, reason: str) -> None:
        now = self._clock()
        payload = record.place(
            record.lane_abandoned(cluster=self._cluster, now=now, reason=reason),
            record_id=ids.uuid7(now, self._entropy(ids.RANDOM_BYTES)),
            lane=lane,
            sequence=sequence,
            previous=previous,
        )
        sealed = dsse.seal(record.PAYLOAD_TYPE, payload, keyid=self._key.ring.current.keyid, sign=self._key.sign)
        commit = Commit(name=commits.name(lane, sequence), lane=lane, body=commits.pack([sealed.encode()]))
        try:
            await make_durable(commit, store=self._store, pause=self._pause, failed=_failed)
        except Fork:
            LOG.info("a lane goes on after all", lane=lane)
        else:
            LOG.warning("ended a lane in place of its guard", lane=lane, reason=reason)


def _failed(why: str) -> None:
    LOG.debug("the end of a lane is not stored yet", why=why)
