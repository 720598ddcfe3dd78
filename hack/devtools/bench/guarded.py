"""The guard that is measured: a real one, installed by the chart into a real control plane, alone on its core.

One guard, so that every review meets the same process. No controller, which would write the status of thousands of
policies meanwhile; the lane is certified before it leaves, as in any cluster. No webhook configuration, so that nothing
but the load reaches the guard, and policies are written at the API server's pace: the guard sees them by its watch.
"""

import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devtools import cluster, console
from devtools.bench import kubernetes, metrics, process
from devtools.bench.load import Target
from devtools.cluster import processes, state
from devtools.cluster.controlplane import ControlPlane
from devtools.cluster.install import NAMESPACE
from devtools.errors import ToolError
from interlock.serve.tls import ServerIdentity
from interlock.settings import CONTROLLER_ACCOUNT as CONTROLLER
from interlock.settings import GUARD_SECRET as GUARD  # the Deployments have these names too

SCALE_SECONDS = 60.0  # for pods to leave, their drain included
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A cluster with one guard.

    Attributes:
        plane: its control plane.
        pid: the guard's process.
        listen: host:port where it takes reviews.
        metrics: URL of its metrics.
        identity: the certificate that it serves with.
        secret: what proves a caller, in the path.
        authority: PEM file that its certificate is checked against.
    """

    plane: ControlPlane
    pid: int
    listen: str
    metrics: str
    identity: ServerIdentity
    secret: str = field(repr=False)
    authority: Path

    def target(self, generation: int) -> Target:
        """Where reviews go that must meet the policies as of a generation."""
        host, _, port = self.listen.rpartition(":")
        url = f"https://{GUARD}.{NAMESPACE}.svc:{port}/review/enforce/{generation}/{self.secret}"
        return Target(pid=self.pid, url=url, address=host, authority=self.authority)

    def add(self, policies: Iterable[dict[str, Any]]) -> int:
        """Create policies and wait until the guard decides by them; returns their generation."""
        version = asyncio.run(kubernetes.create_policies(self.plane, policies))
        metrics.wait(self.metrics, lambda found: found[metrics.GENERATION] >= version, f"generation {version}")
        return version

    def clear(self) -> None:
        """Remove all policies and wait until the guard knows of none."""
        asyncio.run(kubernetes.remove_policies(self.plane))
        metrics.wait(self.metrics, lambda found: not found[metrics.POLICIES], "no policies")


@contextmanager
def guarded(core: int) -> Iterator[Guarded]:
    """Bring up a cluster with one guard, pinned to a core, for as long as the block lasts.

    Raises:
        ToolError: it could not be brought up.
    """
    name = f"bench-{os.getpid()}"
    try:
        up = cluster.up(name, "local")
        with console.step("one guard, no controller"):
            found = _reduced(_plane(state.of(name)), up.state / "guard-ca.crt")
        process.pin(found.pid, frozenset({core}))
        yield found
    finally:
        cluster.down(name)


def _plane(place: state.State) -> ControlPlane:
    made = place.read()
    if not made.network or not made.ports:
        raise ToolError(f"cluster {place.name} has no control plane of ours")
    return ControlPlane(state=place, network=made.network, ports=made.ports, tools=made.tools)


def _reduced(plane: ControlPlane, authority: Path) -> Guarded:
    """Leave one guard, whose lane is certified, and nobody else of Interlock."""
    asyncio.run(kubernetes.scale(plane, GUARD, 1))
    (guard,) = _until(plane.state, GUARD, 1)
    options = dict(each.split("=", 1) for each in guard.command if each.startswith("--") and "=" in each)
    url = f"http://{options['--health-listen']}/metrics"
    metrics.wait(url, lambda found: bool(found[metrics.CERTIFIED]), "a certified lane")
    asyncio.run(kubernetes.scale(plane, CONTROLLER, 0))
    _until(plane.state, CONTROLLER, 0)
    asyncio.run(kubernetes.stop_calling(plane))
    data = asyncio.run(kubernetes.secret(plane, GUARD))
    authority.write_bytes(data["ca.crt"])
    return Guarded(
        plane=plane,
        pid=guard.pid,
        listen=options["--listen"],
        metrics=url,
        identity=ServerIdentity(certificate=data["tls.crt"], key=data["tls.key"]),
        secret=data["path-secrets"].decode().split()[0],
        authority=authority,
    )


def _until(place: state.State, deployment: str, count: int) -> list[processes.Record]:
    """Wait until this many of a Deployment's processes run; returns them."""
    end = time.monotonic() + SCALE_SECONDS
    while len(found := _running(place, deployment)) != count:
        if time.monotonic() > end:
            raise ToolError(f"{deployment}: {len(found)} run, expected {count} within {SCALE_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    return found


def _running(place: state.State, deployment: str) -> list[processes.Record]:
    records = processes.records(place)
    return [record for record in records if record.name.startswith(f"pod.{NAMESPACE}.{deployment}-") and record.alive]
