"""The log, put together: what the leader runs to merge, sign, ship and retire.

LaneFeed ─▶ ConfigMapLogStore ─▶ Notary ─▶ checkpoints in the cluster ─▶ Archive ─▶ object store
                                    └─ Endings                             └─▶ commits retired
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from interlock.core.audit import standing, storeproof
from interlock.core.audit.keyring import Trust
from interlock.core.audit.storeproof import Proven, StoreProof
from interlock.core.auditapi.shipment import Shipment
from interlock.core.ports import Clock, ObjectStore
from interlock.errors import BadInput, ClusterError
from interlock.kube.client import ApiClient
from interlock.kube.events import Events, Related
from interlock.kube.inventory import Inventory
from interlock.kube.lanefeed import LaneFeed
from interlock.kube.ledgerstate import LedgerState, Said
from interlock.kube.logstore import ConfigMapLogStore
from interlock.kube.notarykey import NotaryKey
from interlock.kube.proofstore import ProofStore
from interlock.ledger.archive import Archive, ArchiveStatus
from interlock.ledger.endings import Endings
from interlock.ledger.notary import Notary, NotaryStatus
from interlock.ledger.retiring import Keep
from interlock.ledger.shipping import Lock, Shipper
from interlock.ledger.stores import opening
from interlock.settings import LogSettings

LOG = structlog.get_logger(__name__)

ROOM_SECONDS = 5.0
"""Between two looks at how it stands: a flood of a thousand decisions a second is a megabyte in three."""

ROOM_AGAIN = 0.8
"""Share of the bound below which guards take records again, so that they do not change their minds all the time."""

WARN_SECONDS = 30.0
"""How long a fault may last before people hear of it: a controller that starts, or a store that restarts, has some."""

PROOF_SECONDS = 10.0
"""Between two looks for a proof: it is made once a day, but people wait for it when they have changed the store."""

MEGABYTE = 1024 * 1024


class LogKeeping:
    """Keeps the log, term after term.

    Attributes:
        notary: how the log stands in this term.
        archive: how far it is outside.
    """

    def __init__(
        self,
        api: ApiClient,
        *,
        namespace: str,
        inventory: Inventory,
        chosen: LogSettings,
        events: Events,
        clock: Clock,
    ) -> None:
        """Wire it.

        Args:
            api: the Kubernetes API.
            namespace: where the ledger is.
            inventory: knows which guards live.
            chosen: where to ship, and how much to keep.
            events: by which people hear of what only they can repair.
            clock: the present.
        """
        self.notary = NotaryStatus()
        self.archive = ArchiveStatus()
        self._api = api
        self._namespace = namespace
        self._inventory = inventory
        self._chosen = chosen
        self._events = events
        self._clock = clock
        self._proof: StoreProof | None = None

    async def keep(self, cluster: str, key: NotaryKey, feed: LaneFeed, retiring: Callable[[], Awaitable[None]]) -> None:
        """Keep it for ever.

        Args:
            cluster: uid of namespace kube-system.
            key: the notary's.
            feed: the lanes.
            retiring: awaited before commits are retired.

        Raises:
            InterlockError: the store cannot be opened.
        """
        trust = Trust.of(*key.ring.keys)
        store = ConfigMapLogStore(self._api, feed, namespace=self._namespace)
        async with self._outside() as outside:
            shipper = (
                None if outside is None else Shipper(outside, store, trust=trust, lock=self._lock(), leak=self._leak)
            )
            archive = Archive(store, shipper, key=key, keep=self._keep(), clock=self._clock, retiring=retiring)
            endings = Endings(
                store,
                key=key,
                cluster=cluster,
                clock=self._clock,
                entropy=os.urandom,
                alive=self._inventory.lanes,
            )
            notary = Notary(store, key=key, cluster=cluster, clock=self._clock, endings=endings, archive=archive)
            self.notary, self.archive = notary.status, archive.status
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(notary.run(), name="merge lanes")
                tasks.create_task(archive.run(), name="ship")
                tasks.create_task(self._say_how_it_stands(feed, archive), name="say how it stands")
                tasks.create_task(self._warn(), name="tell people")
                tasks.create_task(self._follow_proof(), name="read what was found out about the store")

    @property
    def proven(self) -> tuple[Proven, str]:
        """Whether the store is known to lock, and why that is so."""
        if not self._chosen.store:
            return Proven.UNKNOWN, "there is no store"
        return storeproof.judged(self._proof, store=self._chosen.store, now=self._clock())

    def _leak(self) -> str:
        proven, why = self.proven
        return why if proven is Proven.FALSE else ""

    async def _say_how_it_stands(self, feed: LaneFeed, archive: Archive) -> None:
        """Tell all when there is no room and when there is again, how far all is shipped, and the conditions."""
        state, said = LedgerState(self._api, namespace=self._namespace), None
        while True:
            waiting = archive.pending_bytes(await feed.commits())
            try:
                said = await self._say(state, said, waiting)
            except ClusterError as error:
                LOG.warning("cannot say how the ledger stands", why=str(error))
            await asyncio.sleep(ROOM_SECONDS)

    async def _say(self, state: LedgerState, said: Said | None, waiting: int) -> Said:
        """Say how the ledger stands, if that is news; returns what is said then.

        Raises:
            ClusterError: it could not be said.
        """
        before = said or await state.load()
        now = Said(
            refuse=self._refusal(waiting, before.refuse),
            shipment=self._shipment(before.shipment, self.archive.number),
            conditions=standing.conditions(self._known(), before=before.conditions, now=self._clock()),
        )
        if now != said:
            await state.save(now)
        if bool(now.refuse) is not bool(before.refuse):
            LOG.log(logging.ERROR if now.refuse else logging.INFO, "room for records", refuse=now.refuse)
        return now

    def _refusal(self, waiting: int, before: str) -> str:
        """Why guards are to take no more records, if so many bytes wait."""
        bound = self._chosen.pending_megabytes * MEGABYTE
        if not self._chosen.store or waiting < bound * ROOM_AGAIN:
            return ""
        if waiting > bound and not before:
            return f"records of {self._chosen.pending_megabytes} MiB wait to be shipped: {self.archive.fault}"
        return before

    def _known(self) -> standing.Ledger:
        return standing.Ledger(
            store=self._chosen.store,
            unlocked=self._chosen.unlocked,
            unmerged=self.notary.fault,
            unshipped=self.archive.fault,
            proof=self._proof,
        )

    def _shipment(self, before: Shipment | None, number: int) -> Shipment | None:
        """How far the ledger is in the store, once a checkpoint was read back in this term.

        Args:
            before: what was said last.
            number: of the newest checkpoint; -1 while there is none.
        """
        if number < 0:
            return before
        retention = None if self._chosen.unlocked else timedelta(days=self._chosen.retention_days)
        now = Shipment(store=self._chosen.store, first=number, through=number, retention=retention)
        return before.followed_by(now) if before else now

    async def _warn(self) -> None:
        """Write an Event for each thing that only people can repair, once for each reason."""
        about = Related(api_version="v1", kind="Namespace", name=self._namespace)
        said: dict[str, str] = {}
        while True:
            await asyncio.sleep(WARN_SECONDS)
            faults = {
                "RecordsNotMerged": self.notary.fault,
                "RecordsNotShipped": self.archive.fault,
                "LaneBroken": "; ".join(f"lane {lane}: {why}" for lane, why in sorted(self.notary.broken.items())),
            }
            for reason, why in faults.items():
                if why and said.get(reason) != why:
                    await self._events.warn(reason=reason, note=why, related=about)
                said[reason] = why

    async def _follow_proof(self) -> None:
        """Read the newest proof now and then."""
        proofs, said = ProofStore(self._api, namespace=self._namespace), ""
        while True:
            try:
                self._proof = await proofs.load()
            except BadInput as error:
                self._proof = None
                LOG.error("what was found out about the store is not the prover's word", why=str(error))
            except ClusterError as error:
                LOG.warning("cannot read what was found out about the store", why=str(error))
            proven, why = self.proven
            if self._chosen.store and why != said:
                said = why
                LOG.info("whether the store locks", store=self._chosen.store, proven=proven.value, why=why)
            await asyncio.sleep(PROOF_SECONDS)

    @asynccontextmanager
    async def _outside(self) -> AsyncIterator[ObjectStore | None]:
        if not self._chosen.store:
            LOG.warning("records stay in the cluster, where nothing locks them: no store is configured")
            yield None
            return
        async with opening.opened(self._chosen.store, clock=self._clock) as store:
            yield store

    def _lock(self) -> Lock:
        return Lock(retention=timedelta(days=self._chosen.retention_days), required=not self._chosen.unlocked)

    def _keep(self) -> Keep:
        age = timedelta(minutes=self._chosen.keep_minutes) if self._chosen.store else None
        return Keep(age=age, bytes=self._chosen.keep_megabytes * MEGABYTE)
