"""The guard's own listener under many connections, long silences and many reviews; spoken to directly."""

import asyncio
import itertools
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.e2e import policies
from tests.support.kubectl import Kubectl
from tests.support.processes import pod_address, pod_process, resident_kib
from tests.support.reviews import review

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        bool(os.environ.get("INTERLOCK_TEST_KUBECONFIG")) and not os.environ.get("INTERLOCK_TEST_ETCD"),
        reason="a given cluster's pods are out of reach",
    ),
]

SYSTEM = "interlock-system"
PORT = 9443
IDLE_CONNECTIONS = 2_000
OPENING_AT_ONCE = 50  # handshakes under way together; more would only wait in the listener's queue
PATIENCE_SECONDS = 91.0  # the API server keeps an idle connection for 90 s
WARM_REVIEWS, ALL_REVIEWS = (100_000, 1_000_000) if os.environ.get("INTERLOCK_TEST_SOAK") else (20_000, 100_000)
MOST_GROWTH_KIB = 5 * 1024
CLIENTS = 4

Edge = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard as a client that knows the path's secret reaches it."""

    address: str
    pid: int
    path: str

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open one connection."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return await asyncio.open_connection(self.address, PORT, ssl=context)

    async def ask(self, stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], body: bytes) -> bytes:
        """Send one review; the status line of its answer."""
        reader, writer = stream
        head = f"POST {self.path} HTTP/1.1\r\nHost: guard\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        [length] = [line[15:] for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await reader.readexactly(int(length))
        return answer.partition(b"\r\n")[0]


@pytest.fixture
def guard(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> Guard:
    """A guard that decides under a policy, so that a review goes all the way."""
    apply(policies.no_namespace_delete("edge-http", namespace))
    pod = kubectl.get("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=guard")["items"][0]
    configuration = kubectl.get("validatingwebhookconfiguration", "interlock")
    [path] = [
        entry["clientConfig"]["service"]["path"]
        for entry in configuration["webhooks"]
        if entry["name"] == "enforce.interlock.dev"
    ]
    address = pod_address(pod["status"]["podIP"])
    return Guard(address=address, pid=pod_process(pod["metadata"]["name"]), path=path)


async def test_listener(guard: Guard, edge: Edge) -> None:
    """2,000 idle connections disturb nobody, memory stays flat over many reviews, and silence closes nothing."""
    await asyncio.gather(_silence(guard, edge), _load(guard, edge))


async def _silence(guard: Guard, edge: Edge) -> None:
    stream = await guard.connect()
    assert await guard.ask(stream, review(name="free", namespace="free")) == b"HTTP/1.1 200 OK"
    await asyncio.sleep(PATIENCE_SECONDS)  # silence is what is tested
    answered = await guard.ask(stream, review(name="free", namespace="free"))
    stream[1].close()

    assert answered == b"HTTP/1.1 200 OK"
    edge(scenario="keep-alive", load="1 connection", outcome=f"answered after {PATIENCE_SECONDS:.0f} s of silence")


async def _load(guard: Guard, edge: Edge) -> None:
    await _idle_connections(guard, edge)
    await _many_reviews(guard, edge)


async def _idle_connections(guard: Guard, edge: Edge) -> None:
    before = resident_kib(guard.pid)
    gate = asyncio.Semaphore(OPENING_AT_ONCE)

    async def _open() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with gate:
            return await guard.connect()

    streams = await asyncio.gather(*(_open() for _ in range(IDLE_CONNECTIONS)))
    begun = time.monotonic()
    answered = await guard.ask(streams[-1], review(name="free", namespace="free"))
    took, grown = time.monotonic() - begun, resident_kib(guard.pid) - before
    for _, writer in streams:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in streams), return_exceptions=True)

    assert answered == b"HTTP/1.1 200 OK"
    edge(
        scenario="idle connections",
        load=f"{IDLE_CONNECTIONS} TLS connections",
        outcome=f"a review answered in {took * 1000:.0f} ms; {grown / IDLE_CONNECTIONS:.0f} KiB a connection",
    )


async def _many_reviews(guard: Guard, edge: Edge) -> None:
    numbers = itertools.count()

    async def _send(until: int) -> None:
        stream = await guard.connect()
        while (number := next(numbers)) < until:
            answered = await guard.ask(stream, review(name=f"free-{number}", namespace=f"free-{number}"))
            assert answered == b"HTTP/1.1 200 OK"
        stream[1].close()

    await asyncio.gather(*(_send(WARM_REVIEWS) for _ in range(CLIENTS)))
    warm, begun = resident_kib(guard.pid), time.monotonic()
    await asyncio.gather(*(_send(ALL_REVIEWS) for _ in range(CLIENTS)))
    grown, seconds = resident_kib(guard.pid) - warm, time.monotonic() - begun

    assert grown <= MOST_GROWTH_KIB
    edge(
        scenario="memory over distinct objects",
        load=f"review {WARM_REVIEWS} to {ALL_REVIEWS}, {(ALL_REVIEWS - WARM_REVIEWS) / seconds:.0f}/s",
        outcome=f"resident memory grew by {grown} KiB",
    )
