"""The admission listener as kopf starts it: `settings.admission.server`.

kopf calls it with the function that validates our own kinds, once it knows the kinds of the cluster. It listens as soon
as there is a certificate, and takes a new one for new connections whenever told. When kopf ends it goes on listening,
so that a kopf that begins anew interrupts no review; it ends by `HttpServer.finish_drain`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

from interlock.serve.endpoint import Endpoint, OwnKinds
from interlock.serve.limits import ADMISSION, Limits
from interlock.serve.server import HttpServer
from interlock.serve.tls import ServerIdentity, server_context
from interlock.settings import Listen


class AdmissionServer:
    """Serves reviews.

    Attributes:
        http: the listener.
        certified: whether there is a certificate to serve with.
        listening: the address, once it listens.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        listen: Listen,
        caller_authority: bytes | None,
        limits: Limits = ADMISSION,
    ) -> None:
        self.http = HttpServer(endpoint, limits)
        self.listening: Listen | None = None
        self._endpoint = endpoint
        self._listen = listen
        self._caller_authority = caller_authority
        self._identity: ServerIdentity | None = None
        self._context = asyncio.Future[ssl.SSLContext]()

    @property
    def certified(self) -> bool:
        """Whether there is a certificate to serve with."""
        return self._context.done()

    async def renew(self, identity: ServerIdentity) -> None:
        """Show this certificate to connections that begin from now on.

        Raises:
            BadInput: it does not load; the one before it stays.
        """
        if identity == self._identity:
            return
        context = server_context(identity, self._caller_authority)
        self._identity = identity
        if self._context.done():
            self._context = asyncio.Future[ssl.SSLContext]()
        self._context.set_result(context)
        if self.listening is not None:
            await self.http.use(context)

    async def __call__(self, own_kinds: OwnKinds) -> AsyncIterator[dict[str, Any]]:
        """Serve; yields where, as kopf wants to know."""
        self._endpoint.validate_own_kinds_with(own_kinds)
        context = await self._context
        if self.listening is None:
            self.listening = await self.http.start(self._listen, context)
        yield {"url": f"https://{self.listening}"}  # kopf would write it into a configuration; it manages none here
        await asyncio.Event().wait()
