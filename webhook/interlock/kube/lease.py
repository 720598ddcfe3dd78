"""A guard's Lease: that it lives, which policies it has seen, which lane it writes, what it let begin.

The controller publishes a policy generation when every living guard has seen it, so a change is told at once, and
life every few seconds. A Lease goes with its pod: it names the pod as its owner. Failing to write it harms nothing but
our own voice in that count, so it is said once and tried again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from interlock import settings
from interlock.core import unstructured
from interlock.core.ports import Clock
from interlock.core.review import overruns
from interlock.core.types import JsonObject
from interlock.errors import ClusterError, LedgerError, NotFound
from interlock.kube import paths
from interlock.kube.client import ApiClient

LOG = structlog.get_logger(__name__)

GROUP = "coordination.k8s.io"
OVERRUNS_SECONDS = 1.0  # a review waits for it, which has 5 s in all
WRITE_SECONDS = 2.0  # for one attempt: the next change or renewal is never further away than this


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardState:
    """What the Lease tells."""

    generation: int
    lane: str
    certified: bool
    overruns: str = ""


class GuardLease:
    """Keeps one guard's Lease."""

    def __init__(
        self,
        api: ApiClient,
        *,
        pod: settings.Pod,
        clock: Clock,
        state: Callable[[], GuardState],
        changed: asyncio.Event,
    ) -> None:
        """Wire it.

        Args:
            api: where the Lease is.
            pod: whose it is.
            clock: for its renewTime.
            state: what it tells.
            changed: set when the state is another one.
        """
        self._api = api
        self._pod = pod
        self._clock = clock
        self._state = state
        self._changed = changed
        self._said = ""

    async def run(self) -> None:
        """Renew for ever, from the first snapshot on: before it nobody has to wait for this guard."""
        while True:
            self._changed.clear()
            if self._state().generation:
                await self._write()
            try:
                async with asyncio.timeout(settings.GUARD_LEASE_RENEW_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def _write(self) -> None:
        lease = self._lease()
        path = paths.named(GROUP, "v1", "leases", self._pod.name, namespace=self._pod.namespace)
        try:
            await self._patch_or_create(path, lease)
        except (ClusterError, LedgerError) as error:  # LedgerError: somebody created it meanwhile
            if str(error) != self._said:
                LOG.warning("cannot write the guard's lease", why=str(error))
            self._said = str(error)
        else:
            self._said = ""

    async def _patch_or_create(self, path: str, lease: JsonObject) -> None:
        try:
            await self._api.merge_patch(path, lease, seconds=WRITE_SECONDS)
        except NotFound:
            collection = paths.collection(GROUP, "v1", "leases", namespace=self._pod.namespace)
            await self._api.create(collection, lease, seconds=WRITE_SECONDS)

    def _lease(self) -> JsonObject:
        state = self._state()
        return {
            "apiVersion": f"{GROUP}/v1",
            "kind": "Lease",
            "metadata": {
                "name": self._pod.name,
                "namespace": self._pod.namespace,
                "labels": {settings.COMPONENT_LABEL: "guard"},
                "annotations": {
                    settings.GENERATION_ANNOTATION: str(state.generation),
                    settings.LANE_ANNOTATION: state.lane,
                    settings.CERTIFIED_ANNOTATION: "true" if state.certified else "false",
                    settings.OVERRUNS_ANNOTATION: state.overruns,
                },
                "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": self._pod.name, "uid": self._pod.uid}],
            },
            "spec": {
                "holderIdentity": self._pod.name,
                "leaseDurationSeconds": int(settings.GUARD_LEASE_FRESH_SECONDS),
                "renewTime": _micro_time(self._clock()),
            },
        }


async def lane_before(api: ApiClient, pod: settings.Pod) -> str:
    """Read which lane this pod was writing before its guard was started again; empty if that is not known."""
    path = paths.named(GROUP, "v1", "leases", pod.name, namespace=pod.namespace)
    try:
        metadata = (await api.get(path, seconds=WRITE_SECONDS))["metadata"]
    except ClusterError:
        return ""
    annotations: dict[str, str] = metadata.get("annotations") or {}
    return annotations.get(settings.LANE_ANNOTATION, "")


async def overruns_told(api: ApiClient, namespace: str) -> dict[str, datetime]:
    """What operations all guards have let begin inside windows; none of those that cannot be read.

    A guard tells of itself only (the chart's ValidatingAdmissionPolicy interlock-leases), so what is read here was
    allowed by one.
    """
    path = paths.collection(GROUP, "v1", "leases", namespace=namespace)
    selector = f"{settings.COMPONENT_LABEL}=guard"
    try:
        leases, _ = await api.list(path, label_selector=selector, seconds=OVERRUNS_SECONDS)
    except ClusterError as error:
        LOG.warning("cannot read what other guards let begin; what goes on with it is stopped", why=str(error))
        return {}
    annotations = (unstructured.mapping(lease, "metadata", "annotations") for lease in leases)
    return overruns.united(overruns.read(unstructured.text(told, settings.OVERRUNS_ANNOTATION)) for told in annotations)


def _micro_time(now: datetime) -> str:
    """MicroTime of meta/v1."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
