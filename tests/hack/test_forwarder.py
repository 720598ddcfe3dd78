"""The forwarder: where Services lead, and what happens to connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devtools.cluster.forwarder import Address, Frontend, routes
from devtools.cluster.network import Network, free_ports

NETWORK = Network(block=64)
HOST = "127.0.0.1"


def a_service(**spec: object) -> dict[str, Any]:
    """The Service `guard` with one port."""
    ports = [{"name": "https", "port": 8443}]
    return {"metadata": {"name": "guard"}, "spec": {"clusterIP": "127.64.1.1", "ports": ports, **spec}}


def a_slice(*endpoints: tuple[str, bool | None], port: str = "https") -> dict[str, Any]:
    """An EndpointSlice of `guard`: addresses, each with its ready condition."""
    return {
        "metadata": {"labels": {"kubernetes.io/service-name": "guard"}},
        "ports": [{"name": port, "port": 9443}],
        "endpoints": [
            {"addresses": [address], "conditions": {} if ready is None else {"ready": ready}}
            for address, ready in endpoints
        ],
    }


@pytest.mark.parametrize(
    ("slices", "backends"),
    [
        pytest.param([], (), id="no slice, nowhere"),
        pytest.param(
            [a_slice(("10.64.200.1", True))], (("127.64.200.1", 9443),), id="a ready pod, at its local address"
        ),
        pytest.param([a_slice(("10.64.200.1", False))], (), id="a pod that is not ready does not count"),
        pytest.param([a_slice(("10.64.200.1", None))], (("127.64.200.1", 9443),), id="no condition means ready"),
        pytest.param([a_slice(("10.0.0.1", True))], (), id="an address that is not ours cannot be reached"),
        pytest.param([a_slice(("10.64.200.1", True), port="other")], (), id="another port is another way"),
        pytest.param(
            [a_slice(("10.64.200.2", True)), a_slice(("10.64.200.1", True), ("10.64.200.2", True))],
            (("127.64.200.1", 9443), ("127.64.200.2", 9443)),
            id="slices add up, each pod once",
        ),
    ],
)
def test_service_leads_to_its_ready_pods(slices: list[dict[str, Any]], backends: tuple[Address, ...]) -> None:
    """The EndpointSlices decide, as for kube-proxy."""
    assert routes([a_service()], slices, NETWORK) == {("127.64.1.1", 8443): backends}


def test_headless_service_has_no_address_to_listen_on() -> None:
    """A Service without a ClusterIP is left alone."""
    assert routes([a_service(clusterIP="None"), a_service(clusterIP="")], [], NETWORK) == {}


@asynccontextmanager
async def a_pod(name: str) -> AsyncIterator[Address]:
    """A server that reads to the end of what it is sent, then answers with its name and all of it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name.encode() + b":" + await reader.read())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, HOST, 0)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()


@asynccontextmanager
async def a_frontend(*backends: Address) -> AsyncIterator[Frontend]:
    """A Service port that leads to the backends."""
    frontend = Frontend((HOST, free_ports(HOST, 1)[0]))
    await frontend.lead_to(backends)
    try:
        yield frontend
    finally:
        await frontend.lead_to(())


async def asked(frontend: Frontend, question: bytes) -> bytes:
    """Send a question through a frontend, close that direction, and read the answer to its end."""
    reader, writer = await asyncio.open_connection(*frontend.address)
    writer.write(question)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_connections_take_turns_and_arrive_whole() -> None:
    """Each new connection goes to the next pod; a megabyte and the half-closed end pass through."""
    question = b"x" * 1_000_000
    async with a_pod("a") as first, a_pod("b") as second, a_frontend(first, second) as frontend:
        answers = [await asked(frontend, question) for _ in range(3)]

    assert answers == [b"a:" + question, b"b:" + question, b"a:" + question]


async def test_service_without_ready_pods_refuses() -> None:
    """No pod, no listener: the caller knows at once."""
    async with a_frontend() as frontend:
        with pytest.raises(ConnectionRefusedError):
            await asked(frontend, b"")


async def test_connection_outlives_its_pods_readiness() -> None:
    """A pod that is no longer ready gets no new connections and keeps the ones it has."""
    async with a_pod("a") as pod, a_frontend(pod) as frontend:
        reader, writer = await asyncio.open_connection(*frontend.address)
        writer.write(b"before")
        await writer.drain()
        await frontend.lead_to(())
        with pytest.raises(ConnectionRefusedError):
            await asked(frontend, b"")
        writer.write(b" and after")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert answer == b"a:before and after"


async def test_pod_that_does_not_listen_ends_the_connection() -> None:
    """Nothing is retried: the caller's connection is closed without an answer."""
    nobody = (HOST, free_ports(HOST, 1)[0])
    async with a_frontend(nobody) as frontend:
        answer = await asked(frontend, b"")

    assert answer == b""
