"""The process that serves AuditRecords, put together.

    LedgerFeed ─▶ Live (Trail, Window) ◀─ AuditApi ◀─ HttpServer ◀─ the API server's front proxy
                                             │
                                             ▼
                                       AccessReviews

It writes nothing anywhere. kopf has no part in it: there are a list and a watch of ConfigMaps, and three objects that
are followed by name. Readers have a process of their own so that they can never slow a decision.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import aiohttp
import structlog
import uvloop

import interlock
from interlock import settings as names
from interlock.core import unstructured
from interlock.core.audit.keyring import Trust
from interlock.core.audit.notekey import VerifierKey
from interlock.core.auditapi.trail import Trail
from interlock.core.auditapi.window import Window
from interlock.errors import BadInput
from interlock.kube import frontproxyfeed, named
from interlock.kube.accessreviews import AccessReviews
from interlock.kube.client import ApiClient
from interlock.kube.ledgerfeed import LedgerFeed
from interlock.kube.ledgerstate import LedgerState
from interlock.kube.session import ApiTarget, open_session
from interlock.serve.auditapi.application import AuditApi
from interlock.serve.auditapi.live import Live
from interlock.serve.health import Check, Health
from interlock.serve.limits import HEALTH, RECORDS
from interlock.serve.metrics import Metrics
from interlock.serve.server import HttpServer
from interlock.settings import RecordsSettings
from interlock.wiring import clock, readings
from interlock.wiring.door import Door
from interlock.wiring.stopping import cancelled, cannot_go_on, handle_signals, unless

LOG = structlog.get_logger(__name__)

AT_WORK_SECONDS = 5.0
"""For requests at work at the end; watches have ended before."""

MEGABYTE = 1024 * 1024


def run(settings: RecordsSettings) -> None:
    """Serve until SIGTERM.

    Raises:
        SystemExit: it cannot go on; whoever started it starts it again.
        OSError: an address to listen on, or a file that the settings name, cannot be used.
    """
    try:
        uvloop.run(_run(settings))
    except ExceptionGroup as group:
        raise cannot_go_on(group) from group


async def _run(settings: RecordsSettings) -> None:
    """Probes first, so that nobody kills a process that waits."""
    metrics = Metrics()
    health = Health((Check(name="notary-key", fault=_unread(names.NOTARY_CONFIG_MAP)),), metrics)
    probes = HttpServer(health, HEALTH)
    stopping = asyncio.Event()
    handle_signals(stopping)
    await probes.start(settings.health_listen, None)
    target = ApiTarget.of(settings.api)
    try:
        async with open_session(target) as session:
            process = _Process(
                settings=settings, target=target, session=session, stopping=stopping, metrics=metrics, health=health
            )
            await process.run()
    finally:
        await probes.finish_drain(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """Everything that exists from the start."""

    settings: RecordsSettings
    target: ApiTarget
    session: aiohttp.ClientSession
    stopping: asyncio.Event
    metrics: Metrics
    health: Health

    async def run(self) -> None:
        """Serve, once it is known by which key records are verified."""
        api = ApiClient(self.target, self.session)
        key = await unless(self.stopping, _notary_key(api, self.settings.pod.namespace))
        if key is not None:
            await self._serve(api, key)

    async def _serve(self, api: ApiClient, key: VerifierKey) -> None:
        namespace = self.settings.pod.namespace
        window = Window(max_bytes=self.settings.window_megabytes * MEGABYTE, version=0)
        live = Live(Trail(trust=Trust.of(key), system=namespace, window=window))
        feed = LedgerFeed(api, namespace=namespace, listener=live)
        door = Door(self.settings.listen)
        http = HttpServer(
            AuditApi(
                live,
                reviewer=AccessReviews(api),
                front_proxy=lambda: door.front_proxy,
                version=interlock.__version__,
                clock=clock.now,
                error_id=lambda: uuid.uuid4().hex,
            ),
            RECORDS,
            keeps_headers=True,
        )
        self.metrics.show(readings.of_records(live, feed, http))
        self.health.use(
            Check(name="ledger", fault=lambda: "" if live.loaded else "records have not been read completely yet"),
            Check(name="front-proxy", fault=lambda: "" if door.front_proxy else _unread(frontproxyfeed.NAME)()),
            Check(name="listener", fault=lambda: "" if door.open else _unread(names.RECORDS_SECRET)()),
            Check(name="not-stopping", fault=lambda: "stopping" if self.stopping.is_set() else ""),
        )
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(feed.run(), name="follow the ledger"),
                tasks.create_task(_follow_shipment(api, namespace, live), name="follow what was shipped"),
                tasks.create_task(_follow_keys(api, namespace, live), name="follow the notary's key"),
                tasks.create_task(door.follow_front_proxy(api, http), name="follow the front proxy"),
                tasks.create_task(door.follow_identity(api, namespace, http), name="follow the certificate"),
            ]
            await self.stopping.wait()
            live.stop()
            http.begin_drain()
            await asyncio.sleep(self.settings.drain_seconds)
            await http.finish_drain(AT_WORK_SECONDS)
            await cancelled(running)


async def _notary_key(api: ApiClient, namespace: str) -> VerifierKey:
    """The notary's public key, as soon as the controller has published it."""
    async for key in _notary_keys(api, namespace):
        return key
    raise RuntimeError("following an object never ends")


async def _follow_keys(api: ApiClient, namespace: str, live: Live) -> None:
    async for key in _notary_keys(api, namespace):
        live.trail.trust(key)


async def _notary_keys(api: ApiClient, namespace: str) -> AsyncIterator[VerifierKey]:
    """The notary's public key as it is published, now and whenever it is rotated."""
    async for obj in named.follow(api, "configmaps", names.NOTARY_CONFIG_MAP, namespace=namespace):
        try:
            yield VerifierKey.parse(unstructured.text(obj, "data", "notary.pub"))
        except BadInput as error:
            LOG.error("a ConfigMap makes no sense", name=names.NOTARY_CONFIG_MAP, why=str(error))


async def _follow_shipment(api: ApiClient, namespace: str, live: Live) -> None:
    async for said in LedgerState(api, namespace=namespace).follow():
        live.trail.shipped(said.shipment)


def _unread(name: str) -> Callable[[], str]:
    return lambda: f"{name} could not be read yet"
