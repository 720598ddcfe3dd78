"""The stand-in for kube-proxy: listens on the ClusterIPs of a namespace's Services and forwards to ready pods.

ClusterIPs are addresses of this machine (module `network`), so that forwarding needs no root and changes no Service.
Like kube-proxy it goes by the EndpointSlices that the endpointslice controller writes: an endpoint counts while it is
ready, which it stops to be when its pod is deleted, and every new connection takes the next one in turn. Nothing is
retried, and a Service without ready endpoints refuses connections. Connections that exist live on until an end closes.

TCP only; no session affinity, no traffic policies, no node ports. Ports below 1024 need a right that most users lack;
the log says so and the other ports work.
"""

import asyncio
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from devtools.cluster.api import Api, Object
from devtools.cluster.network import Network

SERVICE_LABEL = "kubernetes.io/service-name"
BACKLOG = 1024  # connections that wait to be accepted; the API server opens many at once under load

Address = tuple[str, int]


@dataclass(slots=True)
class Frontend:
    """One Service port and where it leads.

    Attributes:
        address: ClusterIP and port.
        backends: pod addresses and ports, in the order of their turns.
        turns: the endless round over them.
        server: what listens, while there is a backend.
    """

    address: Address
    backends: tuple[Address, ...] = ()
    turns: Iterator[Address] = field(default_factory=lambda: iter(()))
    server: asyncio.Server | None = None

    async def lead_to(self, backends: tuple[Address, ...]) -> None:
        """Change the backends for new connections; listen if there are any, refuse if not."""
        if backends != self.backends:
            self.backends, self.turns = backends, itertools.cycle(backends)
        if backends and not self.server:
            loop = asyncio.get_running_loop()
            self.server = await loop.create_server(lambda: _Client(self.turns), *self.address, backlog=BACKLOG)
        elif not backends and self.server:
            self.server.close()  # of the listening socket only; connections go on
            self.server = None


class Forwarder:
    """Follows the Services and EndpointSlices of one namespace."""

    def __init__(self, api: Api, network: Network, namespace: str) -> None:
        """Prepare; nothing listens yet.

        Args:
            api: the API as system:kube-proxy.
            network: translates the addresses of pods.
            namespace: whose Services are served.
        """
        self._api = api
        self._network = network
        self._namespace = namespace
        self._services: dict[str, Object] = {}
        self._slices: dict[str, Object] = {}
        self._frontends: dict[Address, Frontend] = {}

    async def run(self) -> None:
        """Forward for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow("/api/v1", "services", self._services))
            tasks.create_task(self._follow("/apis/discovery.k8s.io/v1", "endpointslices", self._slices))

    async def _follow(self, group: str, resource: str, known: dict[str, Object]) -> None:
        async for change in self._api.follow(f"{group}/namespaces/{self._namespace}/{resource}"):
            uid = change.object["metadata"]["uid"]
            known.pop(uid, None) if change.gone else known.update({uid: change.object})
            await self._apply()

    async def _apply(self) -> None:
        wanted = routes(list(self._services.values()), list(self._slices.values()), self._network)
        for address in wanted.keys() | self._frontends.keys():
            frontend = self._frontends.setdefault(address, Frontend(address))
            try:
                await frontend.lead_to(wanted.get(address, ()))
            except OSError as error:
                print(f"cannot listen on {address}: {error.strerror}", file=sys.stderr, flush=True)


def routes(services: list[Object], slices: list[Object], network: Network) -> dict[Address, tuple[Address, ...]]:
    """Work out where each Service port leads now.

    Returns:
        The ready backends of each ClusterIP and port, possibly none.
    """
    endpoints = _endpoints(slices, network)
    return {
        (service["spec"]["clusterIP"], port["port"]): tuple(
            sorted(endpoints[service["metadata"]["name"], port.get("name", "")])
        )
        for service in services
        if service["spec"].get("clusterIP", "None") not in {"None", ""}
        for port in service["spec"]["ports"]
    }


def _endpoints(slices: list[Object], network: Network) -> dict[tuple[str, str], set[Address]]:
    """The ready addresses of each Service and port name."""
    found: dict[tuple[str, str], set[Address]] = defaultdict(set)
    for each in slices:
        service = each["metadata"].get("labels", {}).get(SERVICE_LABEL, "")
        for port in each.get("ports") or []:
            found[service, port.get("name") or ""] |= {
                (local, port["port"])
                for endpoint in each.get("endpoints") or []
                if endpoint.get("conditions", {}).get("ready", True)
                for address in endpoint["addresses"]
                if (local := network.local(address))
            }
    return found


class _Half(asyncio.Protocol):
    """One side of a forwarded connection: what it receives goes to its peer, as fast as the peer takes it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: _Half | None = None
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server and client always get
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        if not self.peer or not self.peer.transport:
            return False
        if self.peer.ended:
            self.peer.transport.close()
            return False
        self.peer.transport.write_eof()
        return True  # stay open: the other direction may still have something to say

    def pause_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.close()


class _Client(_Half):
    """The side that connected to the Service."""

    def __init__(self, turns: Iterator[Address]) -> None:
        super().__init__()
        self._turns = turns
        self._dialling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._dialling = asyncio.create_task(self._dial())

    async def _dial(self) -> None:
        assert self.transport  # noqa: S101 - set before the task was made
        # Until there is somebody to pass it to. Not in `connection_made`: the event loop of Python 3.11.2 starts to
        # read after that in any case. A task's first step comes after this and before anything is read.
        self.transport.pause_reading()
        backend = next(self._turns, None)
        if backend is None:
            self.transport.abort()
            return
        pod = _Half()
        pod.peer = self
        try:
            await asyncio.get_running_loop().create_connection(lambda: pod, *backend)
        except OSError:
            self.transport.abort()
            return
        self.peer = pod
        if self.transport.is_closing() and pod.transport:
            pod.transport.close()
        else:
            self.transport.resume_reading()
