"""Probes and metrics, over plain HTTP on an address of their own.

    GET /healthz   the process turns its loop: nothing more, so that a slow API server restarts no guard
    GET /readyz    one line per named check, `[+]name ok` or `[-]name: why not`; 503 if any fails
    GET /metrics   Prometheus

Readiness is logged when it changes, with the check that changed it, and not otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from interlock.serve.messages import PLAIN, Answer, Head, Peer, refusal
from interlock.serve.metrics import Metrics

LOG = structlog.get_logger(__name__)

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ALLOW = (("Allow", "GET, HEAD"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a ready process has.

    Attributes:
        name: as probes show it.
        fault: why it is not so now; empty if it is.
    """

    name: str
    fault: Callable[[], str]


class Health:
    """Implements `serve.messages.Application`."""

    def __init__(self, checks: tuple[Check, ...], metrics: Metrics) -> None:
        self._checks = checks
        self._metrics = metrics
        self._last: dict[str, str] = {}

    def use(self, *checks: Check) -> None:
        """Look at these from now on, instead of those before."""
        self._checks = checks

    def screen(self, head: Head, peer: Peer) -> Answer | None:
        """Refuse what is no probe and no scrape."""
        del peer
        if head.target.partition("?")[0] not in {"/healthz", "/readyz", "/metrics"}:
            return refusal(HTTPStatus.NOT_FOUND, "here are /healthz, /readyz and /metrics", close=False)
        if head.method not in {"GET", "HEAD"}:
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", headers=_ALLOW, close=False)
        return None

    async def handle(self, head: Head, peer: Peer, body: bytes) -> Answer:
        """Answer one probe or scrape."""
        del peer, body
        match head.target.partition("?")[0]:
            case "/readyz":
                return self._ready()
            case "/metrics":
                return Answer(status=HTTPStatus.OK, body=self._metrics.exposition(), content_type=METRICS_TYPE)
            case _:
                return Answer(status=HTTPStatus.OK, body=b"ok\n", content_type=PLAIN)

    def faults(self) -> dict[str, str]:
        """Each check's fault now, empty where there is none; changes are logged."""
        now = {check.name: check.fault() for check in self._checks}
        for name, fault in now.items():
            if bool(fault) != bool(self._last.get(name, "unknown")):
                LOG.info("readiness changed", check=name, ok=not fault, why=fault)
        self._last = now
        return now

    def _ready(self) -> Answer:
        faults = self.faults()
        lines = [f"[-]{name}: {fault}" if fault else f"[+]{name} ok" for name, fault in faults.items()]
        status = HTTPStatus.SERVICE_UNAVAILABLE if any(faults.values()) else HTTPStatus.OK
        return Answer(status=status, body="".join(f"{line}\n" for line in lines).encode(), content_type=PLAIN)
