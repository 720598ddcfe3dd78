"""Probes of type httpGet, with a kubelet's periods and thresholds.

The counting is pure (`Streak`); asking is one request without redirects and without a look at the certificate.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any, Self

import aiohttp

from devtools.cluster.api import Object

GOOD = range(200, 400)  # of HTTP; a redirect counts as an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A probe as it stands in a pod, defaults filled in.

    Attributes:
        url: what to ask.
        headers: what to send along.
        delay: seconds before the first time.
        period: seconds between two times.
        timeout: seconds before an attempt counts as failed.
        success: successes in a row that make it healthy.
        failure: failures in a row that make it unhealthy.
    """

    url: str
    headers: dict[str, str]
    delay: float
    period: float
    timeout: float
    success: int
    failure: int

    @classmethod
    def parse(cls, spec: dict[str, Any], container: Object, address: str) -> Self:
        """Read a probe.

        Args:
            spec: the probe.
            container: its container, for the names of ports.
            address: the pod's address on this machine.
        """
        return cls(
            url=url(spec["httpGet"], container, address),
            headers={each["name"]: each["value"] for each in spec["httpGet"].get("httpHeaders") or []},
            delay=spec.get("initialDelaySeconds", 0),
            period=spec.get("periodSeconds", 10),
            timeout=spec.get("timeoutSeconds", 1),
            success=spec.get("successThreshold", 1),
            failure=spec.get("failureThreshold", 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """What a row of answers amounts to.

    Attributes:
        healthy: the verdict; it changes only when a threshold is reached.
        latest: the last answer, None before the first.
        length: how many answers in a row were like it.
    """

    healthy: bool
    latest: bool | None = None
    length: int = 0

    def then(self, answer: bool, probe: Probe) -> Self:  # noqa: FBT001 - an answer is a boolean
        """The streak after one more answer."""
        length = self.length + 1 if answer is self.latest else 1
        enough = length >= (probe.success if answer else probe.failure)
        return replace(self, healthy=answer if enough else self.healthy, latest=answer, length=length)

    def failed(self, probe: Probe) -> bool:
        """Whether the failure threshold is reached, also where it never was healthy."""
        return self.latest is False and self.length >= probe.failure


def url(get: dict[str, Any], container: Object, address: str) -> str:
    """The address that an httpGet action asks.

    >>> url({"path": "/ok", "port": "web"}, {"ports": [{"name": "web", "containerPort": 80}]}, "127.0.0.1")
    'http://127.0.0.1:80/ok'
    """
    named = {each.get("name"): each["containerPort"] for each in container.get("ports") or []}
    port = named.get(get["port"], get["port"])
    path = get.get("path", "/")
    return f"{get.get('scheme', 'HTTP').lower()}://{get.get('host') or address}:{port}/{path.removeprefix('/')}"


async def watch(session: aiohttp.ClientSession, probe: Probe, streak: Streak) -> AsyncGenerator[Streak]:
    """Probe for ever, telling the streak after each answer."""
    await asyncio.sleep(probe.delay)
    while True:
        streak = streak.then(await ask(session, probe.url, headers=probe.headers, timeout=probe.timeout), probe)
        yield streak
        await asyncio.sleep(probe.period)


async def ask(session: aiohttp.ClientSession, address: str, *, headers: dict[str, str], timeout: float) -> bool:  # noqa: ASYNC109 - the probe's own
    """Whether one request is answered well, in time."""
    limit = aiohttp.ClientTimeout(total=timeout)
    try:
        async with session.get(address, headers=headers, timeout=limit, allow_redirects=False) as response:
            return response.status in GOOD
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


def session() -> aiohttp.ClientSession:
    """A client that trusts every certificate and keeps no connection, as the kubelet's prober."""
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, force_close=True))
