"""What the leader does, and nobody else: keep the Secrets, publish, probe, count, write status, keep the log."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from interlock import settings
from interlock.core.ports import Clock
from interlock.errors import BadInput, ClusterError, Conflict, InterlockError
from interlock.kube.apiservice import ApiServiceKeeper
from interlock.kube.client import ApiClient
from interlock.kube.counters import Tally
from interlock.kube.countstore import CountStore
from interlock.kube.events import Events, Related
from interlock.kube.inventory import Inventory
from interlock.kube.lanefeed import LaneFeed
from interlock.kube.notarykey import NotaryKey, NotaryKeyStore
from interlock.kube.probing import Prober
from interlock.kube.secrets import Material, SecretKeeper
from interlock.kube.status import StatusWriter
from interlock.kube.webhooks import Publisher, Target

LOG = structlog.get_logger(__name__)

KEEP_SECONDS = 30.0
"""How often Secrets are looked at: a new path secret is used a minute after it was made."""

RETRY_SECONDS = 1.0
"""After a look that failed."""

LOG_SECONDS = 10.0
"""Before the log is kept again after it could not be: whatever is wrong with it, policies go on."""

KeepLog = Callable[[NotaryKey, LaneFeed, Callable[[], Awaitable[None]]], Awaitable[None]]
"""Keeps the log for ever: given the key, the lanes, and what must be awaited before commits are retired."""


class Leadership:
    """The leader's work; `lead` begins it anew with every term."""

    def __init__(  # noqa: PLR0913  one for each part that the work needs
        self,
        api: ApiClient,
        *,
        inventory: Inventory,
        target: Target,
        api_service: ApiServiceKeeper | None,
        keys: NotaryKeyStore,
        events: Events,
        prober: Prober,
        keep_log: KeepLog,
        clock: Clock,
    ) -> None:
        self._api = api
        self._prober = prober
        self._inventory = inventory
        self._target = target
        self._keys = keys
        self._events = events
        self._keep_log = keep_log
        self._clock = clock
        self._secrets = SecretKeeper(
            api,
            namespace=target.namespace,
            guard_service=target.service,
            records_service=api_service.served.service if api_service else "",
            clock=clock,
        )
        self._api_service = api_service
        self._counts = CountStore(api, namespace=target.namespace)
        self._said: dict[str, str] = {}

    async def lead(self) -> None:
        """Work for ever."""
        tally = await self._tally()
        publisher = Publisher(self._api, self._inventory, target=self._target, events=self._events)
        statuses = StatusWriter(
            self._api,
            self._inventory,
            tally=tally,
            api_servers=lambda: self._prober.heard,
            clock=self._clock,
        )
        namespace, changed = self._target.namespace, self._inventory.wake
        key: asyncio.Future[NotaryKey] = asyncio.Future()
        feed = LaneFeed(self._api, namespace=namespace, added=tally.added, changed=changed)
        async with asyncio.TaskGroup() as tasks:
            uses = [publisher.use]
            if self._api_service is not None:
                uses.append(self._api_service.use)
                tasks.create_task(self._api_service.run(), name="keep the APIService")
            tasks.create_task(self._keep_secrets(uses, key), name="keep secrets")
            tasks.create_task(publisher.run(), name="publish")
            tasks.create_task(self._prober.run(), name="probe API servers")
            tasks.create_task(feed.run(), name="follow lanes")
            tasks.create_task(self._log_kept(key, feed, tally), name="keep the log")
            tasks.create_task(statuses.run(), name="write status")

    async def _tally(self) -> Tally:
        """Counts to begin with; what cannot be read is said, and does not keep a leader from leading."""
        tally = Tally()
        try:
            await self._counts.load(tally)
        except InterlockError as error:
            LOG.warning("counts begin with what is stored of records", why=str(error))
        return tally

    async def _log_kept(self, key: asyncio.Future[NotaryKey], feed: LaneFeed, tally: Tally) -> None:
        async def _counts_kept() -> None:
            lanes = {commit.name.split("-")[2] for commit in await feed.commits()}
            await self._counts.save(tally.keep(lanes))

        while True:
            try:
                await self._keep_log(await key, feed, _counts_kept)
            except Exception as error:
                LOG.exception("the log is not kept, and begun anew")
                about = Related(api_version="v1", kind="Namespace", name=self._target.namespace)
                await self._events.warn(reason="LogNotKept", note=repr(error), related=about)
            await asyncio.sleep(LOG_SECONDS)

    async def _keep_secrets(self, uses: Sequence[Callable[[Material], None]], key: asyncio.Future[NotaryKey]) -> None:
        while True:
            # The notary's key first: no guard can serve, and so none can write a record, before the others exist.
            certified = await self._keep_notary_key(key)
            served = await self._keep_serving(uses)
            await asyncio.sleep(KEEP_SECONDS if certified and served else RETRY_SECONDS)

    async def _keep_notary_key(self, known: asyncio.Future[NotaryKey]) -> bool:
        try:
            key = await self._keys.keep()
        except (Conflict, BadInput) as error:
            await self._say_once(settings.NOTARY_SECRET, "NotaryKey", error)
            return True  # nothing to be gained by asking again soon
        except ClusterError as error:
            LOG.warning("cannot keep the notary's key", why=str(error))
            return False
        if not known.done():
            known.set_result(key)
        self._said.pop(settings.NOTARY_SECRET, None)
        return True

    async def _keep_serving(self, uses: Sequence[Callable[[Material], None]]) -> bool:
        try:
            material = await self._secrets.keep()
            for use in uses:
                use(material)
        except BadInput as error:
            await self._say_once(settings.GUARD_SECRET, "Secrets", error)
            return True
        except ClusterError as error:
            LOG.warning("cannot keep what guards serve", why=str(error))
            return False
        self._said.pop(settings.GUARD_SECRET, None)
        return True

    async def _say_once(self, secret: str, reason: str, error: InterlockError) -> None:
        """Tell people what only they can repair."""
        if self._said.get(secret) == str(error):
            return
        self._said[secret] = str(error)
        about = Related(api_version="v1", kind="Secret", name=secret, namespace=self._target.namespace)
        await self._events.warn(reason=reason, note=str(error), related=about)
