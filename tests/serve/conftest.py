"""A real TLS server in the process, with certificates made for the test, and clients that speak raw bytes to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
import trustme
import uvloop

from interlock.serve.limits import Limits
from interlock.serve.messages import Application
from interlock.serve.server import HttpServer
from interlock.serve.tls import ServerIdentity, server_context
from interlock.settings import Listen
from tests.serve.apps import Echo
from tests.serve.client import Client

NAME = "interlock-guard.interlock-system.svc"

# Every limit small enough to be met within a test.
SMALL = Limits(
    head_bytes=4096,
    body_bytes=64 * 1024,
    framing_bytes=16 * 1024,
    in_flight_bytes=128 * 1024,
    connections=8,
    pipelined=4,
    idle_seconds=0.4,
    request_seconds=0.4,
    linger_seconds=0.2,
    write_seconds=0.4,
    handshake_seconds=0.4,
    sweep_seconds=0.02,
)
PATIENT = replace(SMALL, idle_seconds=30.0, request_seconds=30.0, write_seconds=30.0)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on uvloop, as the guard does."""
    del config, item
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Signs what servers show."""
    return trustme.CA()


@pytest.fixture(scope="session")
def callers() -> trustme.CA:
    """Signs what API servers show."""
    return trustme.CA()


@pytest.fixture(scope="session")
def identity(authority: trustme.CA) -> ServerIdentity:
    """The guard's certificate."""
    return issued(authority)


@pytest.fixture(scope="session")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    """A client that trusts the authority and has no certificate of its own."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


Serve = Callable[..., Awaitable[tuple[HttpServer, Client]]]


@pytest.fixture
async def serve(identity: ServerIdentity, trust: ssl.SSLContext) -> AsyncIterator[Serve]:
    """Start a server for an application; stopped at the end of the test."""
    servers: list[HttpServer] = []

    async def start(
        application: Application,
        limits: Limits = PATIENT,
        *,
        context: ssl.SSLContext | None = None,
        plain: bool = False,
    ) -> tuple[HttpServer, Client]:
        server = HttpServer(application, limits)
        tls = None if plain else context or server_context(identity)
        address = await server.start(Listen(host="127.0.0.1", port=0), tls)
        servers.append(server)
        return server, Client(host=address.host, port=address.port, context=None if plain else trust, name=NAME)

    yield start
    for server in servers:
        await server.finish_drain(0.1)
    await eventually(lambda: all(server.open_connections == 0 for server in servers))


async def eventually(holds: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Wait until it holds; fail when the time is over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not holds():
        assert loop.time() < end, "did not come true in time"
        await asyncio.sleep(0.01)


def issued(authority: trustme.CA) -> ServerIdentity:
    """Issue a new server certificate."""
    leaf = authority.issue_cert(NAME)
    return ServerIdentity(
        certificate=b"".join(blob.bytes() for blob in leaf.cert_chain_pems), key=leaf.private_key_pem.bytes()
    )


@pytest.fixture
def fuzzed(identity: ServerIdentity, trust: ssl.SSLContext) -> Iterator[tuple[asyncio.AbstractEventLoop, Client]]:
    """An event loop with an impatient server in it, for tests that run it once per example."""
    loop = uvloop.new_event_loop()
    server = HttpServer(Echo(), replace(SMALL, idle_seconds=0.02, request_seconds=0.02, linger_seconds=0.02))
    address = loop.run_until_complete(server.start(Listen(host="127.0.0.1", port=0), server_context(identity)))
    yield loop, Client(host=address.host, port=address.port, context=trust, name=NAME)
    loop.run_until_complete(server.finish_drain(0.1))
    loop.run_until_complete(eventually(lambda: server.open_connections == 0))
    loop.close()
