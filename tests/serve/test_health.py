"""Probes and metrics over plain HTTP."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from interlock.serve.health import Check, Health
from interlock.serve.limits import HEALTH
from interlock.serve.metrics import GuardMetrics, Reading
from interlock.serve.server import HttpServer
from interlock.settings import Listen
from tests.serve.client import Client


class Stage:
    """Probes with one check that the test can break."""

    def __init__(self) -> None:
        self.fault = ""
        self.metrics = GuardMetrics()
        self.health = Health((Check(name="first", fault=lambda: "just begun"),), self.metrics)
        self.server = HttpServer(self.health, HEALTH)
        self.client = Client(host="", port=0, context=None)

    async def start(self) -> None:
        """Listen."""
        address = await self.server.start(Listen(host="127.0.0.1", port=0), None)
        self.client = Client(host=address.host, port=address.port, context=None)

    def use(self) -> None:
        """Come to the check that can be broken."""
        self.health.use(Check(name="steady", fault=lambda: ""), Check(name="shaky", fault=lambda: self.fault))


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A listening one."""
    stage = Stage()
    await stage.start()
    yield stage
    await stage.server.finish_drain(1)


async def get(stage: Stage, path: str, method: str = "GET") -> tuple[int, str]:
    """Status and body."""
    reply = await stage.client.ask(f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return reply.status, reply.body.decode()


async def test_liveness_asks_for_nothing_but_life(stage: Stage) -> None:
    """A process that is not ready is alive."""
    assert await get(stage, "/healthz") == (200, "ok\n")
    assert await get(stage, "/readyz") == (503, "[-]first: just begun\n")


async def test_readiness_names_its_checks(stage: Stage) -> None:
    """One line per check, 503 as soon as one fails, and 200 again afterwards."""
    stage.use()

    ready = await get(stage, "/readyz?verbose")
    stage.fault = "no certificate"
    broken = await get(stage, "/readyz")
    stage.fault = ""

    assert ready == (200, "[+]steady ok\n[+]shaky ok\n")
    assert broken == (503, "[+]steady ok\n[-]shaky: no certificate\n")
    assert await get(stage, "/readyz") == ready


async def test_readiness_is_logged_on_change_only() -> None:
    """The log has one line for each change of a check, none for each probe."""
    stage = Stage()
    stage.use()
    with capture_logs() as logs:
        for fault in ("", "", "broken", "broken again", ""):
            stage.fault = fault
            stage.health.faults()

    assert [(log["check"], log["ok"]) for log in logs] == [
        ("steady", True), ("shaky", True), ("shaky", False), ("shaky", True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/", "GET", 404), ("/readyz/x", "GET", 404), ("/readyz", "POST", 405)]
)
async def test_nothing_else_is_there(stage: Stage, path: str, method: str, status: int) -> None:
    """Other paths and methods are refused."""
    assert (await get(stage, path, method))[0] == status


async def test_metrics(stage: Stage) -> None:
    """Counters, histograms with sub-millisecond buckets, and numbers that other parts keep, in Prometheus's format."""
    stage.metrics.show((Reading(name="interlock_snapshot_age_seconds", text="Age.", read=lambda: 1.5),))
    stage.metrics.show((Reading(name="interlock_records_stored", text="Stored.", read=lambda: 3, counter=True),))
    stage.metrics.began()
    stage.metrics.ended(0.0003)
    stage.metrics.decided(verdict="Deny", operation="DELETE")

    status, text = await get(stage, "/metrics")

    assert status == 200
    for line in (
        'interlock_reviews_total{operation="DELETE",verdict="Deny"} 1.0',
        'interlock_review_seconds_bucket{le="0.00025"} 0.0',
        'interlock_review_seconds_bucket{le="0.0005"} 1.0',
        "interlock_reviews_in_flight 0.0",
        "interlock_snapshot_age_seconds 1.5",
        "interlock_records_stored_total 3.0",
    ):
        assert line in text.splitlines()


async def test_no_bodies(stage: Stage) -> None:
    """A probe with a body is refused before the body is kept."""
    data = b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"

    assert (await stage.client.ask(data)).status == 413
