"""The controller process, put together: the only place where its parts are made and meet.

    every replica   watches; certifies lanes; answers probes
    the leader      keeps Secrets, webhook configuration, policies' status; counts records; keeps the log

Nothing but the leader's work writes to the cluster, the Lease itself excepted.

kopf runs the process's life (signals, watches, startup, cleanup). Everything else starts and ends in its startup and
cleanup handlers, because whatever else still runs when kopf ends, kopf cancels as its own.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import kopf
import structlog
import uvloop

from interlock import settings
from interlock.core.interception.rules import KUBE_SYSTEM
from interlock.core.ports import Clock
from interlock.errors import ClusterError
from interlock.kube import discovery, paths, pki, probing
from interlock.kube.apiservice import ApiServiceKeeper, Served
from interlock.kube.client import ApiClient, ApiTarget, open_session
from interlock.kube.controller_watches import configured_for_controller, register_controller_watches
from interlock.kube.events import Events, Related
from interlock.kube.inventory import Inventory
from interlock.kube.leader import Elector
from interlock.kube.leadership import Leadership
from interlock.kube.notary import Notary
from interlock.kube.notarykey import NotaryKeyStore
from interlock.kube.probing import Prober
from interlock.kube.reading import POLICIES
from interlock.kube.secretstore import SecretStore
from interlock.kube.watches import register_login
from interlock.kube.webhooks import Target
from interlock.serve.health import Check, Health
from interlock.serve.limits import HEALTH
from interlock.serve.metrics import Metrics
from interlock.serve.server import HttpServer
from interlock.settings import ControllerSettings
from interlock.wiring import clock, readings, timezones
from interlock.wiring.certification import Certification
from interlock.wiring.logkeeping import LogKeeping

LOG = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
"""Between two questions for the cluster's identity, without which nothing can be named."""


def run(chosen: ControllerSettings) -> None:
    """Be a controller until a signal or a failure; raises what failed."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(control(chosen))


async def control(chosen: ControllerSettings) -> None:
    """Be a controller in this event loop."""
    target = ApiTarget.of(chosen.api)
    async with open_session(target) as session:
        controller = Controller(
            chosen, ApiClient(target, session), api_servers=probing.clients(target, session), clock=clock.now
        )
        registry = kopf.OperatorRegistry()
        register_login(registry, target, session)
        register_controller_watches(registry, controller.inventory)
        _register_life(registry, controller)
        await kopf.operator(
            registry=registry,
            settings=configured_for_controller(controller.inventory),
            identity=chosen.pod.name,  # type: ignore[arg-type]  # as for guards, see ending.Operator
            namespaces=[chosen.pod.namespace],
            stop_flag=controller.over,
        )
        controller.raise_failure()


def _register_life(registry: kopf.OperatorRegistry, controller: "Controller") -> None:
    @kopf.on.startup(registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def start(**_: object) -> None:
        await controller.start()

    @kopf.on.cleanup(registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def stop(**_: object) -> None:
        await controller.stop()


class Controller:
    """Everything that a replica runs beside kopf.

    Attributes:
        inventory: fed by kopf's watches.
        over: set when some work has ended by itself, which is a failure.
    """

    def __init__(
        self, chosen: ControllerSettings, api: ApiClient, *, api_servers: Callable[[str], ApiClient], clock: Clock
    ) -> None:
        self._chosen = chosen
        self._api = api
        self._clock = clock
        namespace = chosen.pod.namespace
        self.inventory = Inventory(api, namespace=namespace, configuration=chosen.webhook_configuration)
        self._prober = Prober(
            api,
            self.inventory,
            namespace=namespace,
            service=chosen.api.server.removeprefix("https://"),
            at=api_servers,
        )
        self.over = asyncio.Event()
        self._elector = Elector(
            api,
            namespace=namespace,
            name=settings.CONTROLLER_LEASE,
            identity=f"{chosen.pod.name}_{chosen.pod.uid}",
            clock=clock,
        )
        self._certification = Certification(
            secrets=SecretStore(api, namespace=namespace),
            listen=chosen.listen,
            names=pki.service_names(settings.CONTROLLER_ACCOUNT, namespace),
            clock=clock,
        )
        self._draining = False
        pod = chosen.pod
        me = Related(api_version="v1", kind="Pod", name=pod.name, namespace=pod.namespace, uid=pod.uid)
        self._events = Events(api, pod=me, clock=clock)
        self._api_service = self._keeper()
        self._log = LogKeeping(
            api,
            namespace=namespace,
            inventory=self.inventory,
            chosen=chosen.log,
            events=self._events,
            clock=clock,
        )
        metrics = Metrics()
        metrics.show(readings.of_controller(self.inventory, self._elector, self._prober))
        metrics.show(readings.of_log(self._log, clock))
        self._health = HttpServer(Health(self._checks(), metrics), HEALTH)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Begin; kopf watches nothing before this has returned.

        Raises:
            OSError: an address cannot be used.
        """
        await self._health.start(self._chosen.health_listen, None)
        await discovery.served(self._api, POLICIES)
        cluster = await self._cluster()
        keys = NotaryKeyStore(
            self._api,
            namespace=self._chosen.pod.namespace,
            cluster=cluster,
            count=self._chosen.log.keys,
            clock=self._clock,
        )
        notary = Notary(
            self._api, namespace=self._chosen.pod.namespace, key=lambda: self._certification.key, clock=self._clock
        )
        self._spawn("certify", self._certification.run(notary.application(), keys))
        self._spawn("inventory", self.inventory.run())
        self._spawn("time zones", timezones.follow())
        if self._api_service is not None:
            self._spawn("leave", self._api_service.leave())
        self._spawn("election", self._elector.run(self._leadership(keys, cluster).lead))

    async def stop(self) -> None:
        """End: give the leadership up at once, go on certifying while the Service forgets this pod."""
        self._draining = True
        await self._end("election", "inventory", "time zones")
        if "certify" in self._tasks:
            await asyncio.sleep(self._chosen.drain_seconds)
        if "leave" in self._tasks and self._api_service is not None:
            await self._api_service.farewell()
        await self._end("certify", "leave")
        await self._health.finish_drain(0)

    def raise_failure(self) -> None:
        """Fail as the work that ended the process did, if it was no signal.

        Raises:
            BaseException: whatever that work raised.
        """
        for task in self._tasks.values():
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    def _leadership(self, keys: NotaryKeyStore, cluster: str) -> Leadership:
        return Leadership(
            self._api,
            inventory=self.inventory,
            target=Target(
                configuration=self._chosen.webhook_configuration,
                namespace=self._chosen.pod.namespace,
                service=self._chosen.guard_service,
                port=self._chosen.guard_service_port,
                self_repair=self._chosen.self_repair,
            ),
            api_service=self._api_service,
            keys=keys,
            prober=self._prober,
            keep_log=partial(self._log.keep, cluster),
            events=self._events,
            clock=self._clock,
        )

    def _keeper(self) -> ApiServiceKeeper | None:
        """Who keeps the APIService of AuditRecords, where they are served."""
        chosen = self._chosen
        if not chosen.records_service:
            return None
        return ApiServiceKeeper(
            self._api,
            served=Served(
                namespace=chosen.pod.namespace, service=chosen.records_service, port=chosen.records_service_port
            ),
            armed=lambda: self.inventory.configuration is not None,
            events=self._events,
        )

    async def _cluster(self) -> str:
        """The uid of namespace kube-system, by which clusters are told apart."""
        while True:
            try:
                found = await self._api.get(paths.named("", "v1", "namespaces", KUBE_SYSTEM))
            except ClusterError as error:
                LOG.warning("cannot read the cluster's identity", why=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return str(found["metadata"]["uid"])

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda _: self.over.set())
        self._tasks[name] = task

    async def _end(self, *names: str) -> None:
        ending = {self._tasks[name] for name in names if name in self._tasks}
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)

    def _checks(self) -> tuple[Check, ...]:
        return (
            Check(name="serving", fault=lambda: "shutting down" if self._draining else ""),
            Check(name="watches", fault=lambda: "" if self.inventory.complete else "nothing was listed yet"),
            Check(name="leader", fault=lambda: "" if self._elector.holder else "nobody leads yet"),
            Check(name="certificate", fault=self._certification.certificate_fault),
            Check(name="notary-key", fault=self._certification.key_fault),
        )
