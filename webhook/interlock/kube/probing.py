"""Asks every API server, by a probe, by which policies it has requests judged.

That the webhook configuration was written says nothing of when an API server goes by it, nor whether it reaches a
guard. A probe does: a dry-run CREATE of a ConfigMap with a reserved name, sent to each address of Service
default/kubernetes by itself. It goes the way of any request, through the configuration that this API server knows, to a
guard, which refuses it and names the generation in the path it was asked under. Nothing is ever stored.

    each address ─▶ dry-run CREATE interlock-probe ─▶ refused, generation N │ passed: asks nobody │ no answer

API servers that stand behind a load balancer, or that do not say where they are, are asked as one.

Only the leader runs this.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import aiohttp
import structlog

from interlock.core import unstructured
from interlock.core.interception import rules
from interlock.core.review.response import GENERATION_CAUSE
from interlock.core.types import JsonObject
from interlock.errors import ClusterError, Forbidden, InterlockError, NotFound
from interlock.kube import paths
from interlock.kube.client import ApiClient, ApiTarget
from interlock.kube.inventory import Inventory

LOG = structlog.get_logger(__name__)

LOOK_SECONDS = 30.0
"""Between two rounds when nothing has changed: how long a broken way to the guards stays unnoticed."""

BEHIND_SECONDS = 0.25
"""Before those are asked again that were behind; an API server takes in a configuration within milliseconds."""

PATIENCE_ROUNDS = 20
"""Rounds with the short pause; whoever is behind for longer is broken, and is asked every `BROKEN_SECONDS`."""

BROKEN_SECONDS = 5.0

PROBE_SECONDS = 7.0
"""Longest wait for an answer: the webhook's own timeout, and two seconds for the way."""

SERVER_NAME = "kubernetes.default.svc"
"""What every API server's certificate bears, since pods reach it so; its address need not stand there."""

ENDPOINTS = paths.named("discovery.k8s.io", "v1", "endpointslices", "kubernetes", namespace="default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one API server was heard to do.

    Attributes:
        address: host and port.
        generation: by which policies it has requests judged; 0 if it asks nobody, or was not reached.
        fault: why that is 0; empty if it is not.
    """

    address: str
    generation: int
    fault: str


class Prober:
    """Keeps asking.

    Attributes:
        heard: the newest answers, by address; empty before the first round, and while Interlock is disarmed.
    """

    def __init__(
        self,
        api: ApiClient,
        inventory: Inventory,
        *,
        namespace: str,
        service: str,
        at: Callable[[str], ApiClient],
    ) -> None:
        """Prepare.

        Args:
            api: the API server as pods reach it.
            inventory: says which generation is published, and is told when an answer has changed.
            namespace: Interlock's own.
            service: ``host:port`` by which pods reach some API server: asked where no others are known.
            at: gives a client of the API server at one ``host:port``.
        """
        self._api = api
        self._inventory = inventory
        self._collection = paths.collection("", "v1", "configmaps", namespace=namespace)
        self._service = service
        self._at = at
        self.heard: tuple[Heard, ...] = ()

    async def run(self) -> None:
        """Ask for ever."""
        rounds = 0
        published = -1
        while True:
            rounds = rounds + 1 if self._inventory.published_generation == published else 0
            published = self._inventory.published_generation
            await self._round()
            await self._until_due(published, self._pause(published, rounds))

    async def _round(self) -> None:
        addresses = await self._addresses() if self._inventory.configuration is not None else []
        heard = tuple(await asyncio.gather(*map(self._ask, addresses)))
        if heard != self.heard:
            self.heard = heard
            self._inventory.wake()

    def _pause(self, published: int, rounds: int) -> float:
        if all(one.generation >= published for one in self.heard):
            return LOOK_SECONDS
        return BEHIND_SECONDS if rounds < PATIENCE_ROUNDS else BROKEN_SECONDS

    async def _until_due(self, published: int, seconds: float) -> None:
        """Wait so long, but not once another generation is published."""
        try:
            async with asyncio.timeout(seconds):
                while self._inventory.published_generation == published:
                    await self._inventory.moved.wait()
        except TimeoutError:
            pass

    async def _addresses(self) -> list[str]:
        """Where API servers are; those of the round before if that cannot be read."""
        try:
            return sorted(_addresses(await self._api.get(ENDPOINTS))) or [self._service]
        except NotFound:
            return [self._service]
        except ClusterError as error:
            LOG.warning("cannot read where API servers are", why=str(error))
            return [one.address for one in self.heard]

    async def _ask(self, address: str) -> Heard:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": rules.PROBE_NAME}}
        try:
            await self._at(address).create(self._collection, body, dry_run=True, seconds=PROBE_SECONDS)
        except Forbidden as refusal:
            generation = refusal.causes.get(GENERATION_CAUSE, "")
            if generation.isdecimal():
                return Heard(address=address, generation=int(generation), fault="")
            return Heard(address=address, generation=0, fault=str(refusal))
        except InterlockError as error:
            return Heard(address=address, generation=0, fault=str(error))
        return Heard(address=address, generation=0, fault="it asks no guard")


def clients(target: ApiTarget, session: aiohttp.ClientSession) -> Callable[[str], ApiClient]:
    """Make clients of single API servers, with the account and the connections of the process."""

    def at(address: str) -> ApiClient:
        return ApiClient(replace(target, server=f"https://{address}", server_name=SERVER_NAME), session)

    return at


def _addresses(found: JsonObject) -> set[str]:
    port = next((port["port"] for port in unstructured.items(found, "ports") if port.get("name") == "https"), 443)
    hosts = (host for each in unstructured.items(found, "endpoints") for host in unstructured.texts(each, "addresses"))
    return {f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host in hosts}
