"""One listening address: its connections, their deadlines, its certificate, and how it goes away.

* Certificates are swapped for new connections only: a second asyncio server accepts from the same listening socket
  before the first lets go of it, so no connection is refused or cut in between.
* A drain has two parts. `begin_drain`: go on accepting and answering, but end every connection with its next answer, so
  that clients move over while endpoints leave. `finish_drain`: accept nothing more, close what is idle, wait for what
  is at work.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from email.utils import formatdate

from interlock.serve.http import HttpConnection
from interlock.serve.limits import Budget, Limits
from interlock.serve.messages import Application
from interlock.settings import Listen

BACKLOG_CONNECTIONS = 1024  # an API server that starts again opens its connections all at once
SHUTDOWN_SECONDS = 2.0  # for a peer to confirm the end of TLS


class HttpServer:
    """A listener and everything behind it.

    Attributes:
        application: what is served.
        limits: of this listener.
        budget: bytes of bodies that it holds.
        draining: whether every answer ends its connection.
        date: for the Date header, at most a sweep old.
        keeps_headers: whether the application sees every header, and who the client certificate names.
        turned_away: connections refused because there were too many.
        answered: how many requests were answered, by status.
    """

    def __init__(self, application: Application, limits: Limits, *, keeps_headers: bool = False) -> None:
        self.application = application
        self.limits = limits
        self.keeps_headers = keeps_headers
        self.budget = Budget(limits.in_flight_bytes)
        self.draining = False
        self.date = formatdate(usegmt=True)
        self.turned_away = 0
        self.answered = Counter[int]()
        self._connections: set[HttpConnection] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, listen: Listen, context: ssl.SSLContext | None) -> Listen:
        """Listen; returns the address, with the port that the system chose if none was given.

        Raises:
            OSError: the address cannot be used.
        """
        self._socket = _bound(listen)
        await self.use(context)
        self._sweeper = asyncio.create_task(self._sweep(), name=f"sweeper of {listen}")
        host, port = self._socket.getsockname()[:2]
        return Listen(host=host, port=port)

    async def use(self, context: ssl.SSLContext | None) -> None:
        """Serve connections that begin from now on with this certificate.

        Raises:
            RuntimeError: it does not listen.
        """
        if self._socket is None:
            raise RuntimeError("a certificate for a server that does not listen")
        before = self._server
        self._server = await asyncio.get_running_loop().create_server(
            lambda: HttpConnection(self),
            sock=self._socket.dup(),
            backlog=BACKLOG_CONNECTIONS,
            ssl=context,
            ssl_handshake_timeout=self.limits.handshake_seconds if context else None,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS if context else None,
        )
        if before is not None:
            before.close()

    def cut(self) -> None:
        """End every connection, whatever it does; those that begin from now on are not touched."""
        for connection in tuple(self._connections):
            connection.abort()

    def begin_drain(self) -> None:
        """End every connection with its next answer."""
        self.draining = True

    async def finish_drain(self, seconds: float) -> int:
        """Accept nothing more and wait for requests at work; returns how many connections had to be cut at the end."""
        self.draining = True
        await self._stop_listening()
        for connection in tuple(self._connections):
            connection.close_if_idle()
        await self._until_gone(seconds)
        left = tuple(self._connections)
        cut = sum(connection.busy for connection in left)
        for connection in left:
            connection.abort()
        return cut

    # ------------------------------------------------------------------------------------------ for connections

    def admit(self, connection: HttpConnection) -> bool:
        """Take note of a new connection; False if there are too many."""
        if len(self._connections) >= self.limits.connections:
            self.turned_away += 1
            return False
        self._connections.add(connection)
        self._empty.clear()
        return True

    def forget(self, connection: HttpConnection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    @property
    def open_connections(self) -> int:
        """How many there are."""
        return len(self._connections)

    # ------------------------------------------------------------------------------------------ own tasks

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.sweep_seconds)
            self.date = formatdate(usegmt=True)
            now = loop.time()
            for connection in tuple(self._connections):
                connection.sweep(now)

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._socket is not None:
            self._socket.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait({self._sweeper})

    async def _until_gone(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()


def _bound(listen: Listen) -> socket.socket:
    """A socket bound to the address; a process that was killed a moment ago does not stand in its way.

    Raises:
        OSError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    return socket.create_server((listen.host, listen.port), family=family, backlog=BACKLOG_CONNECTIONS)
