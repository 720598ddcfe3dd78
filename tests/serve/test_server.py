"""The listener: TLS versions, certificates swapped under load, many idle connections, and how it goes away."""

import asyncio
import ssl
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from interlock.errors import BadInput
from interlock.serve.limits import ADMISSION
from interlock.serve.server import HttpServer
from interlock.serve.tls import ServerIdentity, server_context
from interlock.settings import Listen
from tests.serve.apps import Echo, Gate
from tests.serve.client import Client, post
from tests.serve.conftest import PATIENT, SMALL, Serve, eventually, issued

IDLE_CONNECTIONS = 300  # of both sides in one process; 2,000 are the load tests' business


def client_context(authority: trustme.CA, *, highest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client's context of its own."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if highest is not None:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = highest
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_versions(serve: Serve, authority: trustme.CA, version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3 are served."""
    _, client = await serve(Echo())

    async with client.wire(client_context(authority, highest=version)) as wire:
        await wire.send(post("/"))
        assert (await wire.reply()).status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")  # asking for what must be refused
async def test_tls_1_1_is_refused(serve: Serve, authority: trustme.CA) -> None:
    """What is older than TLS 1.2 does not connect."""
    _, client = await serve(Echo())
    context = client_context(authority, highest=ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises((ssl.SSLError, ConnectionError)):
        async with client.wire(context):
            pass


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), (["h2"], None)]
)
async def test_http_2_is_never_offered(
    serve: Serve, authority: trustme.CA, offered: list[str], chosen: str | None
) -> None:
    """Whatever a client offers, HTTP/2 is not agreed upon."""
    _, client = await serve(Echo())
    context = client_context(authority)
    context.set_alpn_protocols(offered)

    async with client.wire(context) as wire:
        assert wire.writer.get_extra_info("ssl_object").selected_alpn_protocol() == chosen


def descriptors() -> int:
    """How many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_file_is_left(identity: ServerIdentity) -> None:
    """Loading a key leaves no open file behind, and its text does not show in a repr."""
    before = descriptors()

    server_context(identity)

    assert descriptors() == before
    assert identity.key.decode() not in repr(identity)


BAD = {
    "no certificate": ServerIdentity(certificate=b"", key=b""),
    "no PEM": ServerIdentity(certificate=b"x", key=b"y"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_identity(bad: ServerIdentity) -> None:
    """What is no certificate with its key is refused as bad input."""
    with pytest.raises(BadInput):
        server_context(bad)


def test_key_of_another_certificate(identity: ServerIdentity, authority: trustme.CA) -> None:
    """A key that does not belong to the certificate is refused."""
    with pytest.raises(BadInput):
        server_context(ServerIdentity(certificate=identity.certificate, key=issued(authority).key))


def test_bad_caller_authority(identity: ServerIdentity) -> None:
    """A caller authority that is none is refused."""
    with pytest.raises(BadInput):
        server_context(identity, b"x")


def serial(wire: object) -> bytes:
    """Which certificate the server showed."""
    return wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)  # type: ignore[attr-defined,no-any-return]


async def test_certificates_are_swapped_under_load(serve: Serve, authority: trustme.CA) -> None:
    """New connections see each new certificate; connections and requests under way go on, and none is refused."""
    gate = Gate()
    gate.open.set()
    server, client = await serve(gate, replace(PATIENT, connections=100))
    over = asyncio.Event()
    answered = 0

    async def load() -> None:
        nonlocal answered
        while not over.is_set():
            async with client.wire() as wire:
                for _ in range(3):
                    await wire.send(post("/"))
                    assert (await wire.reply()).status == 200
                    answered += 1

    workers = [asyncio.create_task(load()) for _ in range(4)]
    async with client.wire() as old:
        shown = {serial(old)}
        for _ in range(10):
            await server.use(server_context(issued(authority)))
            async with client.wire() as new:
                shown.add(serial(new))
        await old.send(post("/old"))
        assert (await old.reply()).status == 200
    over.set()
    await asyncio.gather(*workers)
    assert len(shown) == 11
    assert answered > 20


async def test_many_idle_connections(serve: Serve) -> None:
    """Idle connections cost little and do not keep others waiting."""
    server, client = await serve(Echo(), replace(PATIENT, connections=IDLE_CONNECTIONS + 1))
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(client.wire()) for _ in range(IDLE_CONNECTIONS)]
        await eventually(lambda: server.open_connections == IDLE_CONNECTIONS)
        assert (await client.ask(post("/"))).status == 200
        for wire in wires:
            await wire.send(post("/"))
        assert {(await wire.reply()).status for wire in wires} == {200}


def test_two_thousand_connections_fit() -> None:
    """The default limit is above the 2,000 idle connections that must be possible."""
    assert ADMISSION.connections > 2000


async def test_drain(serve: Serve) -> None:
    """While it drains it still accepts and answers, but every answer ends its connection; then it waits for work."""
    gate = Gate()
    server, client = await serve(gate)

    async with client.wire() as idle, client.wire() as working, client.wire() as late:
        await working.send(post("/working"))
        await eventually(lambda: gate.waiting == 1)
        server.begin_drain()
        await late.send(post("/late"))
        async with client.wire() as new:
            await new.send(post("/new"))
            await eventually(lambda: gate.waiting == 3)
            ending = asyncio.create_task(server.finish_drain(5))
            assert await idle.closed() == b""
            gate.open.set()
            for wire in (working, late, new):
                reply = await wire.reply()
                assert (reply.status, reply.headers["connection"]) == (200, "close")
                assert await wire.closed() == b""
            assert await ending == 0
    with pytest.raises(ConnectionRefusedError):
        async with client.wire():
            pass


async def test_drain_gives_up(serve: Serve) -> None:
    """Work that does not end in time is cut and counted."""
    gate = Gate()
    server, client = await serve(gate)

    async with client.wire() as wire:
        await wire.send(post("/"))
        await eventually(lambda: gate.waiting == 1)
        assert await server.finish_drain(0.05) == 1
        assert await wire.closed() == b""
    gate.open.set()
    await eventually(lambda: gate.waiting == 0)


async def test_answers_are_counted(serve: Serve) -> None:
    """Every answer counts under its status, those to what was no request included."""
    server, client = await serve(Echo())

    for data in (post("/", b"{}"), post("/", b"{}"), b"no request at all\r\n\r\n"):
        await client.ask(data)

    assert dict(server.answered) == {200: 2, 400: 1}


async def test_address_in_use(serve: Serve) -> None:
    """A second listener on the same address fails loudly."""
    _, client = await serve(Echo())

    with pytest.raises(OSError, match="in use"):
        await HttpServer(Echo(), SMALL).start(Listen(host=client.host, port=client.port), None)


async def test_plain_http() -> None:
    """Without a context it serves plain HTTP, for probes; IPv6 as well, where there is any."""
    server = HttpServer(Echo(), PATIENT)
    try:
        address = await server.start(Listen(host="::1", port=0), None)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    client = Client(host=address.host, port=address.port, context=None)

    assert (await client.ask(post("/"))).status == 200
    await server.finish_drain(1)
