"""The guard process, put together.

    kopf's watches ─▶ SnapshotFeed ─▶ Reviewer ◀─ Endpoint ◀─ AdmissionServer (started by kopf)
                                        │
                                        ▼
                                  Lane ─▶ ConfigMapLaneStore         GuardLease tells what was seen

It starts in three steps: probes first, so that nobody kills a guard that waits; then what must be known before the
first decision (the digest key, which cluster this is); then everything else. How it ends is `wiring.ending`.
"""

import asyncio
import secrets
import uuid
from dataclasses import dataclass
from functools import partial

import aiohttp
import kopf
import structlog
import uvloop

import interlock
from interlock.core.audit.record import Writer
from interlock.kube import ownkinds, watches
from interlock.kube.client import ApiClient
from interlock.kube.configmaps import ConfigMapLaneStore
from interlock.kube.lease import GuardLease, GuardState, lane_before, overruns_told
from interlock.kube.ledgerstate import LedgerState
from interlock.kube.notary_client import KubeNotaryClient
from interlock.kube.reader import KubeReader
from interlock.kube.session import ApiTarget, open_session
from interlock.kube.snapshots import SnapshotFeed
from interlock.ledger.lane import Lane
from interlock.serve.admission import AdmissionServer
from interlock.serve.endpoint import Endpoint
from interlock.serve.health import Check, Health
from interlock.serve.limits import HEALTH
from interlock.serve.metrics import GuardMetrics
from interlock.serve.operations import Operations
from interlock.serve.policychanges import PolicyChanges
from interlock.serve.recorder import Recorder
from interlock.serve.reviewer import Reviewer
from interlock.serve.server import HttpServer
from interlock.serve.surroundings import Surroundings
from interlock.settings import DIGEST_KEY_SECRET, GuardSettings
from interlock.wiring import clock, ending, readings, succession, timezones
from interlock.wiring.material import Known, Material, learned
from interlock.wiring.memory import LongLived
from interlock.wiring.stopping import cannot_go_on, handle_signals, unless

LOG = structlog.get_logger(__name__)


def run(settings: GuardSettings) -> None:
    """Run a guard until SIGTERM.

    Raises:
        SystemExit: it cannot go on; whoever started it starts it again.
        OSError: an address to listen on, or a file that the settings name, cannot be used.
    """
    try:
        uvloop.run(_run(settings))
    except ExceptionGroup as group:
        raise cannot_go_on(group) from group


async def _run(settings: GuardSettings) -> None:
    """The first step, and the other two within it."""
    metrics = GuardMetrics()
    health = Health((Check(name="started", fault=lambda: "the process has just begun"),), metrics)
    probes = HttpServer(health, HEALTH)
    stopping = asyncio.Event()
    handle_signals(stopping)
    await probes.start(settings.health_listen, None)
    try:
        async with open_session(ApiTarget.of(settings.api)) as session:
            process = _Process(settings=settings, session=session, metrics=metrics, health=health, stopping=stopping)
            await process.run()
    finally:
        await probes.finish_drain(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """Everything that exists from the first step on."""

    settings: GuardSettings
    session: aiohttp.ClientSession
    metrics: GuardMetrics
    health: Health
    stopping: asyncio.Event

    async def run(self) -> None:
        """The second step, then the third."""
        api = ApiClient(ApiTarget.of(self.settings.api), self.session)
        self.health.use(Check(name="digest-key", fault=lambda: f"Secret {DIGEST_KEY_SECRET} could not be read yet"))
        known = await unless(self.stopping, learned(api, self.settings.pod.namespace))
        if known is not None:
            await self._serve(api, known)

    async def _serve(self, api: ApiClient, known: Known) -> None:
        settings, told = self.settings, asyncio.Event()
        material = Material()
        store = ConfigMapLaneStore(api, namespace=settings.pod.namespace)
        feed = SnapshotFeed(api, reached=told.set, holds=LongLived().holds)
        lane = Lane(
            writer=self._writer(known.cluster),
            store=store,
            notary=self._notary(api, material),
            clock=clock.now,
            entropy=secrets.token_bytes,
            changed=told.set,
        )
        around = Surroundings(
            cluster=known.cluster,
            version=interlock.__version__,
            digest=known.digest,
            snapshot_age_seconds=lambda: feed.freshness().age_seconds,
        )
        recorder = Recorder(surroundings=around, sink=lane, clock=clock.now, metrics=self.metrics)
        operations = Operations(others=partial(overruns_told, api, settings.pod.namespace), news=told.set)
        endpoint = Endpoint(
            reviewer=Reviewer(
                recorder=recorder,
                reader=KubeReader(api),
                operations=operations,
                clock=clock.now,
                metrics=self.metrics,
            ),
            policy_changes=PolicyChanges(surroundings=around, sink=lane, clock=clock.now, metrics=self.metrics),
            snapshots=feed,
            secrets=material.path_secrets,
            accept_unproven_callers=settings.accept_unproven_callers,
            metrics=self.metrics,
            error_id=lambda: uuid.uuid4().hex,
        )
        admission = AdmissionServer(endpoint, listen=settings.listen, caller_authority=self._caller_authority())
        self.metrics.show(readings.of_guard(feed=feed, lane=lane, http=admission.http))
        self.health.use(*readings.checks(feed=feed, lane=lane, admission=admission, stopping=self.stopping))
        lease = GuardLease(
            api, pod=settings.pod, clock=clock.now, state=lambda: _state(feed, lane, operations), changed=told
        )
        await ending.serve_until(
            self.stopping,
            background=(
                material.follow(api, settings.pod.namespace, admission),
                feed.run(),
                lease.run(),
                recorder.run(),
                timezones.follow(),
                _follow_room(LedgerState(api, namespace=settings.pod.namespace), lane),
            ),
            opening=self._opened(api, lane, store, material),
            operator=ending.Operator(
                registry=self._registry(feed),
                configuration=watches.configured(admission),
                identity=settings.pod.name,
            ),
            http=admission.http,
            closing=recorder.close,
            lane=lane,
            drain_seconds=settings.drain_seconds,
        )

    async def _opened(self, api: ApiClient, lane: Lane, store: ConfigMapLaneStore, material: Material) -> bool:
        """Open the lane, once the notary could be recognised: one that is certified from the start is better."""
        await material.read.wait()
        before = await lane_before(api, self.settings.pod)  # the Lease is written anew after the first snapshot
        await lane.start()
        await succession.close_left_open(before, lane=lane, store=store, clock=clock.now)
        return True

    def _registry(self, feed: SnapshotFeed) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        watches.register_login(registry, ApiTarget.of(self.settings.api), self.session)
        watches.register_watches(registry, feed)
        ownkinds.register_validation(registry, clock=clock.now)
        return registry

    def _writer(self, cluster: str) -> Writer:
        pod = self.settings.pod
        return Writer(
            version=interlock.__version__, cluster=cluster, namespace=pod.namespace, pod=pod.name, pod_uid=pod.uid
        )

    def _notary(self, api: ApiClient, material: Material) -> KubeNotaryClient:
        return KubeNotaryClient(
            api,
            namespace=self.settings.pod.namespace,
            service=self.settings.notary_service,
            token_file=self.settings.notary_token_file,
            authority=lambda: material.authority,
        )

    def _caller_authority(self) -> bytes | None:
        path = self.settings.caller_ca_file
        return path.read_bytes() if path else None


async def _follow_room(state: LedgerState, lane: Lane) -> None:
    """Take no records while the controller says that there is no room."""
    async for said in state.follow():
        lane.refuse(said.refuse)


def _state(feed: SnapshotFeed, lane: Lane, operations: Operations) -> GuardState:
    status = lane.status
    return GuardState(
        generation=feed.freshness().generation,
        lane=status.lane,
        certified=status.certified,
        overruns=operations.told(),
    )
