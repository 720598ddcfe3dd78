"""The controller's TLS listener, where guards have their lanes certified.

Every replica serves it. Its certificate is made here, in memory, by the authority that the leader keeps in a Secret, so
there is nothing to mount and nothing to wait for but that Secret; it is made anew when the authority rotates or its own
time has come. A new certificate means a new listener on the same port: certifying is rare, and guards ask again.
"""

import asyncio

import structlog
from aiohttp import web

from interlock import settings
from interlock.core.ports import Clock
from interlock.errors import BadInput, ClusterError
from interlock.kube import pki
from interlock.kube.notarykey import NotaryKey, NotaryKeyStore
from interlock.kube.pki import Authorities, Pair
from interlock.kube.secrets import authorities_in
from interlock.kube.secretstore import SecretStore
from interlock.serve.tls import ServerIdentity, server_context
from interlock.settings import Listen

LOG = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
"""How often the Secrets are read: a promoted authority signs for a day before the one before it is dropped, and a
replaced notary key certifies for ten minutes more."""

RETRY_SECONDS = 1.0
"""While something is missing."""


class Certification:
    """Serves one aiohttp application with a certificate of our own authority."""

    def __init__(self, *, secrets: SecretStore, listen: Listen, names: tuple[str, ...], clock: Clock) -> None:
        self._secrets = secrets
        self._listen = listen
        self._names = names
        self._clock = clock
        self._leaf: Pair | None = None
        self._key: NotaryKey | None = None
        self._site: web.TCPSite | None = None

    @property
    def key(self) -> NotaryKey | None:
        """The notary's key, None until it was read."""
        return self._key

    def certificate_fault(self) -> str:
        """Why there is no listener; empty if there is one."""
        return "" if self._site else f"Secret {settings.CA_SECRET} was not read yet"

    def key_fault(self) -> str:
        """Why lanes cannot be certified; empty if they can."""
        return "" if self._key else f"Secret {settings.NOTARY_SECRET} was not read yet"

    async def run(self, application: web.Application, keys: NotaryKeyStore) -> None:
        """Serve for ever; cancelled, stop listening.

        Raises:
            OSError: the address cannot be used.
        """
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            while True:
                complete = await self._refresh(runner, keys)
                await asyncio.sleep(LOOK_SECONDS if complete else RETRY_SECONDS)
        finally:
            self._site = None
            await runner.cleanup()

    async def _refresh(self, runner: web.AppRunner, keys: NotaryKeyStore) -> bool:
        """Read what may have changed; False if something is missing."""
        try:
            self._key = await keys.find() or self._key
            secret = await self._secrets.find(settings.CA_SECRET)
            if secret is not None:
                await self._serve(runner, authorities_in(secret))
        except (ClusterError, BadInput) as error:
            LOG.warning("cannot read what certifying needs", why=str(error))
            return False
        return self._key is not None and self._site is not None

    async def _serve(self, runner: web.AppRunner, authorities: Authorities) -> None:
        if self._leaf is not None and pki.serves(self._leaf, authorities, self._names, self._clock()):
            return
        leaf = pki.issue(authorities, self._names, self._clock())
        if self._site is not None:
            await self._site.stop()
        context = server_context(ServerIdentity(certificate=leaf.certificate, key=leaf.key))
        self._site = web.TCPSite(runner, self._listen.host, self._listen.port, ssl_context=context)
        await self._site.start()
        self._leaf = leaf
        LOG.info("certifying lanes", listen=str(self._listen))
