"""Keeps the ValidatingWebhookConfiguration as the policies want it; its absence is a decision and is respected.

    policies, generation ─┐
    CA bundle, path secret ├─▶ core.interception.rules ─▶ compared with what is stored ─▶ server-side apply
    guards' reports ───────┘

* Applying names the `metadata.uid` that was read, so it can never create: who deletes the configuration disarms
  Interlock, and it stays so until somebody arms it. That is logged, told by an Event and shown in policies' status.
* With self-repair the configuration is made again, owned by a ClusterRole of the chart that was just seen alive:
  `helm uninstall` takes both away, in whatever order.
* A new policy generation is published when every living guard has reported it, at the latest `PUBLISH_AT_MOST_SECONDS`
  after it was first wanted; a guard that is still behind then answers 503 until it has caught up.

Only the leader runs this.
"""

import asyncio
import base64
from dataclasses import dataclass

import structlog

from interlock import settings
from interlock.core import unstructured
from interlock.core.interception import rules
from interlock.core.types import JsonObject
from interlock.errors import ClusterError, Conflict, NotFound
from interlock.kube import owning, paths
from interlock.kube.client import ApiClient
from interlock.kube.events import Events, Related
from interlock.kube.inventory import CONFIGURATIONS, Inventory
from interlock.kube.secrets import Material

LOG = structlog.get_logger(__name__)

LOOK_SECONDS = 30.0
"""Everything is compared at least so often, whether something is known to have changed or not."""

RETRY_SECONDS = 0.5
"""After a write that failed."""

PAUSE_SECONDS = 0.2
"""Between two writes: a storm of policy changes costs every API server a compilation for each of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which configuration is kept, and whom it sends reviews to."""

    configuration: str
    namespace: str
    service: str
    port: int
    self_repair: bool = False


class Publisher:
    """Keeps one webhook configuration."""

    def __init__(self, api: ApiClient, inventory: Inventory, *, target: Target, events: Events) -> None:
        self._api = api
        self._inventory = inventory
        self._target = target
        self._events = events
        self._material: Material | None = None
        self._wanted_since: float | None = None  # when the unpublished generation was first wanted
        self._disarmed = False
        self._made: tuple[tuple[int, int, Material], list[JsonObject]] | None = None

    def use(self, material: Material) -> None:
        """Publish with these certificates and this path secret from now on."""
        if material != self._material:
            self._material = material
            self._inventory.wake()

    async def run(self) -> None:
        """Keep it for ever."""
        while True:
            moved = self._inventory.moved
            try:
                pause = await self._step()
            except ClusterError as error:
                LOG.warning("cannot write the webhook configuration", why=str(error))
                pause = RETRY_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await moved.wait()
            except TimeoutError:
                pass

    async def _step(self) -> float:
        """Do what is due; returns after how many seconds something will be."""
        if not self._inventory.complete or self._material is None:
            return LOOK_SECONDS
        live = self._inventory.configuration
        if live is None:
            return await self._absent()
        self._disarmed = False
        wanted = self._wanted(self._material)
        if _same(live, wanted):
            self._wanted_since = None
            return LOOK_SECONDS
        if (patience := self._patience()) > 0:
            return patience
        self._wanted_since = None
        await self._apply(live, wanted)
        await asyncio.sleep(PAUSE_SECONDS)
        return 0

    def _wanted(self, material: Material) -> list[JsonObject]:
        """What should stand there; made anew only when something that it depends on has changed."""
        key = (self._inventory.revision, self._inventory.generation, material)
        if self._made is None or self._made[0] != key:
            self._made = key, self._make(material)
        return self._made[1]

    def _make(self, material: Material) -> list[JsonObject]:
        delivery = rules.Delivery(
            namespace=self._target.namespace,
            service=self._target.service,
            port=self._target.port,
            ca_bundle=base64.b64encode(material.ca_bundle).decode(),
            generation=self._inventory.generation,
            path_secret=material.path_secret,
        )
        return rules.webhooks(self._inventory.policies, delivery)

    def _patience(self) -> float:
        """How long to wait for guards that have not reported the generation; 0 if nothing is to be waited for."""
        generation = self._inventory.generation
        behind = [guard.name for guard in self._inventory.guards() if guard.generation < generation]
        if not behind or self._inventory.published_generation == generation:
            return 0
        now = asyncio.get_running_loop().time()
        if self._wanted_since is None:
            self._wanted_since = now
        return max(self._wanted_since + settings.PUBLISH_AT_MOST_SECONDS - now, 0)

    async def _apply(self, live: JsonObject, wanted: list[JsonObject]) -> None:
        """Write what is wanted.

        Raises:
            ClusterError: it could not be written, or does not stand there afterwards.
        """
        body = _configuration(self._target.configuration, {"uid": live["metadata"]["uid"]}, wanted)
        try:
            stored = await self._api.apply(self._path, body, manager=settings.FIELD_MANAGER)
        except (Conflict, NotFound):  # deleted, or made anew, since it was read
            await self._inventory.resync()
            return
        self._inventory.configuration_event("MODIFIED", stored)
        generation = self._inventory.published_generation
        if not _same(stored, wanted):
            raise Conflict("somebody else keeps webhooks of ours in the configuration that are not wanted")
        LOG.info("published", generation=generation, policies=len(self._inventory.policies), webhooks=len(wanted))

    async def _absent(self) -> float:
        """The configuration is gone: say so once, repair it if that is wanted."""
        if not self._disarmed:
            self._disarmed = True
            await self._events.warn(
                reason="Disarmed",
                note=f"ValidatingWebhookConfiguration {self._target.configuration} does not exist: Interlock stops and "
                "records nothing. Arm it again with `helm upgrade`.",
                related=Related(
                    api_version="admissionregistration.k8s.io/v1",
                    kind="ValidatingWebhookConfiguration",
                    name=self._target.configuration,
                ),
            )
        if not self._target.self_repair or not await self._repair():
            return LOOK_SECONDS
        return 0

    async def _repair(self) -> bool:
        """Make the configuration again, empty; False if the chart is gone, too."""
        owner = await owning.live_role(self._api, settings.GUARD_ACCOUNT)
        if owner is None:
            return False
        body = _configuration(self._target.configuration, owning.owned_by(owner), [])
        stored = await self._api.apply(self._path, body, manager=owning.REPAIRER)
        self._inventory.configuration_event("ADDED", stored)
        LOG.warning("made the webhook configuration again", configuration=self._target.configuration)
        return True

    @property
    def _path(self) -> str:
        return paths.named(*CONFIGURATIONS, self._target.configuration)


def _configuration(name: str, metadata: JsonObject, webhooks: list[JsonObject]) -> JsonObject:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name, **metadata},
        "webhooks": webhooks,
    }


def _same(configuration: JsonObject, wanted: list[JsonObject]) -> bool:
    """Whether the configuration has our webhooks as wanted; others in it are not our business."""
    ours = {
        webhook["name"]: webhook
        for webhook in unstructured.items(configuration, "webhooks")
        if webhook["name"].endswith(f".{rules.OWN_GROUP}")
    }
    return ours == {webhook["name"]: webhook for webhook in wanted}
