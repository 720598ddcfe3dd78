"""Keeps the APIService of AuditRecords: with our authority in it, and only while somebody answers.

An API service that does not answer stops every namespace deletion of the cluster: the namespace controller cannot know
what else is in a namespace. So the leader withdraws it when nobody has been ready for `PATIENCE_SECONDS`, or the API
server has failed to reach those who are, and restores it when somebody is. What it restores carries an ownerReference
to a ClusterRole of the chart that was just seen live, so that `helm uninstall` takes it away, with Interlock dead, too.

Where Interlock is disarmed (there is no webhook configuration) nothing is restored: `interlock disarm` takes both. And
when Interlock's own namespace is deleted, with everybody who could do all this, every controller takes the APIService
away as soon as it sees that: nobody would be left to do it, and the namespace itself could not go. So does a controller
that ends while nobody serves AuditRecords.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from interlock import settings
from interlock.core import unstructured
from interlock.core.auditapi.resource import GROUP, VERSION
from interlock.core.types import JsonObject
from interlock.errors import ClusterError, Conflict, NotFound, Unavailable
from interlock.kube import named, owning, paths
from interlock.kube.client import ApiClient
from interlock.kube.events import Events, Related
from interlock.kube.secrets import Material

LOG = structlog.get_logger(__name__)

NAME = f"{VERSION}.{GROUP}"

PATIENCE_SECONDS = 30.0
"""How long nobody may be ready: longer than a pod takes to start elsewhere, short for who waits for a namespace."""

LOOK_SECONDS = 2.0
"""Between two looks, of two small reads each."""

AGAIN_SECONDS = 30.0
"""Before it is restored after the API server could not reach those who were ready; doubled each time that happens."""

AGAIN_AT_MOST_SECONDS = 600.0

LEAVING_TRIES = 10
"""To take it away while the namespace goes: longer than any pod of it lives."""

FAREWELL_SECONDS = 3.0
"""Before a controller that ends looks a second time: pods that were told to end at the same moment are gone then."""

HELM = "helm"
"""Field manager of what is restored: as the chart made it, so that the next upgrade meets no stranger's fields."""

_PATH = paths.named("apiregistration.k8s.io", "v1", "apiservices", NAME)
_SERVED_PATH = paths.collection(GROUP, VERSION, "").rstrip("/")
_RELATED = Related(api_version="apiregistration.k8s.io/v1", kind="APIService", name=NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Who serves AuditRecords: a Service in Interlock's namespace."""

    namespace: str
    service: str
    port: int


class ApiServiceKeeper:
    """Keeps the one object; only the leader runs it, but for `leave` and `farewell`.

    Attributes:
        served: whom the object names.
    """

    def __init__(self, api: ApiClient, *, served: Served, armed: Callable[[], bool], events: Events) -> None:
        """Wire it.

        Args:
            api: the Kubernetes API.
            served: whom the object names.
            armed: whether Interlock is armed.
            events: by which people hear that it is withdrawn.
        """
        self.served = served
        self._api = api
        self._armed = armed
        self._events = events
        self._bundle = b""
        self._bad_since: float | None = None
        self._not_before = 0.0
        self._again = AGAIN_SECONDS
        self._missing = False
        self._leaving = False

    def use(self, material: Material) -> None:
        """Have the API server trust these authorities."""
        self._bundle = material.ca_bundle

    async def run(self) -> None:
        """Keep it for ever."""
        self._bad_since = None
        while True:
            try:
                await self._step()
            except ClusterError as error:
                LOG.warning("cannot keep the APIService of AuditRecords", why=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def leave(self) -> None:
        """Take it away when Interlock's own namespace is deleted; every controller waits for that, whoever leads."""
        async for home in named.follow(self._api, "namespaces", self.served.namespace, namespace=""):
            self._leaving = "deletionTimestamp" in home["metadata"]
            for _ in range(LEAVING_TRIES if self._leaving else 0):
                if await self._taken_away("its namespace is going"):
                    break
                await asyncio.sleep(LOOK_SECONDS)

    async def farewell(self) -> None:
        """Take it away at a controller's end if nobody serves AuditRecords then: perhaps nobody will be left to do it.

        Whoever is, restores it as soon as somebody serves them again.
        """
        for seconds in (0.0, FAREWELL_SECONDS):
            await asyncio.sleep(seconds)
            try:
                await self._api.get(_SERVED_PATH)
            except Unavailable:
                await self._taken_away("nobody serves them, and this controller ends")
                return
            except ClusterError:  # there is none, or we may not look
                return

    async def _taken_away(self, why: str) -> bool:
        """Delete it; False if that should be tried again."""
        try:
            await self._api.delete(_PATH)
        except NotFound:
            return True
        except ClusterError as error:
            LOG.warning("cannot take the APIService of AuditRecords away", why=str(error))
            return False
        LOG.info("took the APIService of AuditRecords away", why=why)
        return True

    async def _step(self) -> None:
        if not self._bundle:
            return
        ready = await self._ready()
        stored = await self._stored()
        if stored is None:
            await self._absent(ready=ready)
            return
        self._missing = False
        await self._keep_bundle(stored)
        fault = "" if ready else "nobody who serves them is ready"
        await self._judge(stored, fault or _unreached(stored), ready=ready)

    async def _judge(self, stored: JsonObject, fault: str, *, ready: bool) -> None:
        """Withdraw what has been of no use for long enough."""
        now = asyncio.get_running_loop().time()
        if not fault:
            self._bad_since, self._again = None, AGAIN_SECONDS
            return
        if self._bad_since is None:
            self._bad_since = now
        if now - self._bad_since < PATIENCE_SECONDS:
            return
        await self._withdraw(stored, fault)
        self._bad_since = None
        if ready:
            self._not_before = now + self._again
            self._again = min(self._again * 2, AGAIN_AT_MOST_SECONDS)

    async def _ready(self) -> bool:
        """Whether anybody who serves AuditRecords is ready."""
        slices, _ = await self._api.list(
            paths.collection("discovery.k8s.io", "v1", "endpointslices", namespace=self.served.namespace),
            label_selector=f"kubernetes.io/service-name={self.served.service}",
        )
        return any(
            unstructured.flag(endpoint, "conditions", "ready")
            for each in slices
            for endpoint in unstructured.items(each, "endpoints")
        )

    async def _stored(self) -> JsonObject | None:
        try:
            return await self._api.get(_PATH)
        except NotFound:
            return None

    async def _keep_bundle(self, stored: JsonObject) -> None:
        bundle = base64.b64encode(self._bundle).decode()
        if unstructured.text(stored, "spec", "caBundle") == bundle:
            return
        metadata = {"name": NAME, "uid": stored["metadata"]["uid"]}  # with its uid it can never be created
        body = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": metadata}
        await self._api.apply(_PATH, body | {"spec": {"caBundle": bundle}}, manager=settings.FIELD_MANAGER)
        LOG.info("the APIService of AuditRecords trusts our authority")

    async def _withdraw(self, stored: JsonObject, why: str) -> None:
        try:
            await self._api.delete(_PATH, uid=stored["metadata"]["uid"])
        except (NotFound, Conflict):
            return
        note = (
            f"{why} for {PATIENCE_SECONDS:.0f} s: the APIService of AuditRecords is withdrawn, since no namespace of "
            "the cluster could be deleted with it. It comes back by itself."
        )
        await self._events.warn(reason="AuditRecordsWithdrawn", note=note, related=_RELATED)

    async def _absent(self, *, ready: bool) -> None:
        """Restore it if somebody would answer, and it is missing for a while: who disarms deletes two objects."""
        was_missing, self._missing = self._missing, True
        early = asyncio.get_running_loop().time() < self._not_before
        if not ready or early or not was_missing or self._leaving or not self._armed():
            return
        role = await owning.live_role(self._api, settings.RECORDS_ACCOUNT)
        if role is None:
            return
        await self._api.apply(_PATH, self._body(role), manager=HELM)
        LOG.info("restored the APIService of AuditRecords")

    def _body(self, role: JsonObject) -> JsonObject:
        served = self.served
        return {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": NAME, **owning.owned_by(role)},
            "spec": spec(served) | {"caBundle": base64.b64encode(self._bundle).decode()},
        }


def spec(served: Served) -> JsonObject:
    """The object's spec as the chart makes it."""
    return {
        "group": GROUP,
        "version": VERSION,
        "groupPriorityMinimum": 1000,
        "versionPriority": 15,
        "service": {"namespace": served.namespace, "name": served.service, "port": served.port},
    }


def _unreached(stored: JsonObject) -> str:
    """Why the API server does not reach whom the object names; empty if it does, or has not tried yet."""
    for condition in unstructured.items(stored, "status", "conditions"):
        if unstructured.text(condition, "type") == "Available" and unstructured.text(condition, "status") == "False":
            return f"the API server does not reach them ({unstructured.text(condition, 'reason')})"
    return ""
