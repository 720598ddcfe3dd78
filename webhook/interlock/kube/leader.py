"""Leader election by a Lease, with the rules of client-go's leaderelection, so that both understand each other's Lease.

* A candidate never compares clocks of two machines: a Lease has expired when this process has seen no change of it for
  the duration that the holder wrote, by this process's monotonic clock.
* Every write is a compare-and-swap on resourceVersion; who loses it knows nothing and looks again.
* A leader that cannot renew stops leading (its work is cancelled) after `renew_deadline`, which is shorter than the
  duration that others wait: at no instant do two lead.
* On the way out the Lease is given up, so that the next one need not wait.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from interlock.core.ports import Clock
from interlock.core.types import JsonObject
from interlock.errors import ClusterError, LedgerError, NotFound
from interlock.kube import paths
from interlock.kube.client import ApiClient

LOG = structlog.get_logger(__name__)

GROUP = "coordination.k8s.io"
RELEASE_SECONDS = 2.0
"""What giving the Lease up may take at exit; without it the next leader waits for the Lease to run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Durations in seconds, with client-go's usual values.

    Attributes:
        lease: others wait this long after the last renewal that they saw.
        renew_deadline: the leader stops itself when it began its last renewal so long ago.
        retry: between two attempts.
        attempt: longest wait for the answer to one.
    """

    lease: int = 15
    renew_deadline: float = 10.0
    retry: float = 2.0
    attempt: float = 3.0


class Elector:
    """Takes part in one election for as long as `run` runs."""

    def __init__(
        self,
        api: ApiClient,
        *,
        namespace: str,
        name: str,
        identity: str,
        clock: Clock,
        timing: Timing | None = None,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clock = clock
        self._timing = timing or Timing()
        self._seen: JsonObject = {}
        self._seen_at = float("-inf")
        self._leading = False

    @property
    def leading(self) -> bool:
        """Whether this process leads."""
        return self._leading

    @property
    def holder(self) -> str:
        """Who leads, as far as this process has seen; empty if nobody."""
        return str(self._seen.get("spec", {}).get("holderIdentity") or "")

    async def run(self, lead: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Campaign for ever; while leading, run `lead`, which is cancelled when the Lease is lost.

        What `lead` raises ends the campaign, after the Lease was given up.
        """
        while True:
            if await self._try(seconds=self._timing.attempt):
                try:
                    await self._reign(lead)
                finally:
                    await self._release()
            await asyncio.sleep(self._timing.retry)

    async def _reign(self, lead: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Renew while the work runs; return when the Lease is lost, the work cancelled and gone."""
        LOG.info("leading", lease=self._name, identity=self._identity)
        self._leading = True
        work = asyncio.create_task(lead(), name="lead")
        try:
            await self._renew_while_running(work)
        finally:
            self._leading = False
            LOG.info("no longer leading", lease=self._name, identity=self._identity)
            await _ended(work)

    async def _renew_while_running(self, work: asyncio.Task[None]) -> None:
        """Return when the work is done, the Lease another's, or `renew_deadline` over since a renewal was begun."""
        deadline = _monotonic() + self._timing.renew_deadline
        while (began := _monotonic()) < deadline and not work.done() and not self._held_by_another():
            await asyncio.wait({work}, timeout=min(self._timing.retry, deadline - began))
            began = _monotonic()
            if await self._try(seconds=min(self._timing.attempt, deadline - began)):
                deadline = began + self._timing.renew_deadline

    def _held_by_another(self) -> bool:
        return self.holder not in {"", self._identity}

    async def _try(self, *, seconds: float) -> bool:
        """Take or renew the Lease once; False if another one holds it, or nobody can know."""
        try:
            async with asyncio.timeout(seconds):
                return await self._take()
        except (ClusterError, LedgerError, TimeoutError) as error:  # LedgerError: the name was taken by a CREATE
            LOG.debug("the lease could not be written", lease=self._name, why=str(error))
            return False

    async def _take(self) -> bool:
        try:
            self._observe(await self._api.get(self._path))
        except NotFound:
            self._observe(await self._api.create(self._collection, self._lease({}, taken=True)))
            return True
        spec = self._seen.get("spec") or {}
        mine = spec.get("holderIdentity") == self._identity
        if not mine and self.holder and not self._expired(spec):
            return False
        self._observe(await self._api.replace(self._path, self._lease(self._seen, taken=not mine)))
        return True

    def _expired(self, spec: JsonObject) -> bool:
        return _monotonic() - self._seen_at >= float(spec.get("leaseDurationSeconds") or 0)

    def _observe(self, lease: JsonObject) -> None:
        if lease["metadata"]["resourceVersion"] != self._seen.get("metadata", {}).get("resourceVersion"):
            self._seen, self._seen_at = lease, _monotonic()

    def _lease(self, old: JsonObject, *, taken: bool) -> JsonObject:
        """The Lease as it stands when this process has just taken or renewed it."""
        spec, now = old.get("spec") or {}, _micro_time(self._clock())
        transitions = int(spec.get("leaseTransitions") or 0)
        return {
            "apiVersion": f"{GROUP}/v1",
            "kind": "Lease",
            "metadata": old.get("metadata") or {"name": self._name, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": self._timing.lease,
                "acquireTime": now if taken else spec.get("acquireTime", now),
                "renewTime": now,
                "leaseTransitions": transitions + 1 if taken and old else transitions,
            },
        }

    async def _release(self) -> None:
        """Give the Lease up if it is still ours; nothing is lost if that fails."""
        if self.holder != self._identity:
            return
        lease = self._lease(self._seen, taken=False)
        lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
        with contextlib.suppress(ClusterError):
            self._observe(await self._api.replace(self._path, lease, seconds=RELEASE_SECONDS))

    @property
    def _collection(self) -> str:
        return paths.collection(GROUP, "v1", "leases", namespace=self._namespace)

    @property
    def _path(self) -> str:
        return paths.named(GROUP, "v1", "leases", self._name, namespace=self._namespace)


async def _ended(work: asyncio.Task[None]) -> None:
    """Cancel the work, wait until it is gone, raise what it raised."""
    work.cancel()
    await asyncio.wait({work})
    if not work.cancelled() and (error := work.exception()):
        raise error


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def _micro_time(now: datetime) -> str:
    """MicroTime of meta/v1."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
