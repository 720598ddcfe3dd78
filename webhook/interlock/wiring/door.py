"""Whom the API of AuditRecords lets in: the listener follows its certificate, and what is said of the front proxy."""

import asyncio

import structlog

from interlock import settings as names
from interlock.core.auditapi.frontproxy import FrontProxy
from interlock.errors import BadInput
from interlock.kube import frontproxyfeed, named
from interlock.kube.client import ApiClient
from interlock.serve.server import HttpServer
from interlock.serve.tls import ServerIdentity, server_context
from interlock.settings import Listen

LOG = structlog.get_logger(__name__)


class Door:
    """The listener's certificate, and whose certificates it takes.

    Attributes:
        front_proxy: how the API server proves itself; None before it is known.
        open: whether it listens.
    """

    def __init__(self, listen: Listen) -> None:
        self.front_proxy: FrontProxy | None = None
        self.open = False
        self._listen = listen
        self._identity: ServerIdentity | None = None
        self._turn = asyncio.Lock()

    async def follow_front_proxy(self, api: ApiClient, http: HttpServer) -> None:
        """Take every change of what the API server says of its front proxy.

        Another authority ends every connection: they were proven by the one before.
        """
        async for found in frontproxyfeed.follow(api):
            if found != self.front_proxy:
                await self._trust(found, http)

    async def follow_identity(self, api: ApiClient, namespace: str, http: HttpServer) -> None:
        """Take every new certificate; one that makes no sense is said, and the one before it stays."""
        async for obj in named.follow(api, "secrets", names.RECORDS_SECRET, namespace=namespace):
            data = named.secret_data(obj)
            before = self._identity
            self._identity = ServerIdentity(certificate=data.get("tls.crt", b""), key=data.get("tls.key", b""))
            try:
                await self._renew(http)
            except BadInput as error:
                self._identity = before
                LOG.error("a Secret makes no sense and is not used", secret=names.RECORDS_SECRET, why=str(error))

    async def _trust(self, found: FrontProxy, http: HttpServer) -> None:
        before, self.front_proxy = self.front_proxy, found
        try:
            await self._renew(http)
        except BadInput as error:
            self.front_proxy = before
            LOG.error("the front proxy's authority makes no sense and is not used", why=str(error))
            return
        if before is not None and before.authority != found.authority:
            http.cut()
        LOG.info("the front proxy is known", names=found.names)

    async def _renew(self, http: HttpServer) -> None:
        """Listen, once both are known; new connections meet what is known now.

        Raises:
            BadInput: certificate, key or authority do not load.
        """
        async with self._turn:
            if self._identity is None or self.front_proxy is None:
                return
            context = server_context(self._identity, self.front_proxy.authority.encode())
            if self.open:
                await http.use(context)
            else:
                await http.start(self._listen, context)
                self.open = True
