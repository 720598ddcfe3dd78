"""What a cluster is doing: every process, whether it answers, in which version."""

import asyncio
from dataclasses import dataclass

from devtools import toolchain
from devtools.cluster import bringup, processes, state
from devtools.cluster.api import Api, ApiError, Object
from devtools.cluster.bringup import is_ready
from devtools.cluster.controlplane import NODE, ControlPlane
from devtools.cluster.node import supervise
from devtools.cluster.node.network import Bridge
from devtools.cluster.state import State
from devtools.errors import ToolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One part of a cluster.

    Attributes:
        name: of the process or pod.
        good: whether it is as it should be.
        text: what there is to say.
    """

    name: str
    good: bool
    text: str


def report(name: str) -> tuple[bool, list[str]]:
    """Look at a cluster.

    Returns:
        Whether all of it is up, and a line per part.

    Raises:
        ToolError: there is no such cluster, or it is in pieces.
    """
    place = state.of(name)
    if not place.exists():
        others = ", ".join(state.all_names()) or "none"
        raise ToolError(f"no cluster {name}; clusters there are: {others}")
    lines = asyncio.run(_lines(place))
    width = max(len(each.name) for each in lines)
    text = [f"{'ok  ' if each.good else 'DOWN'} {each.name:{width}}  {each.text}" for each in lines]
    return all(line.good for line in lines), [f"cluster {name} in {place.directory}", *text]


async def _lines(place: State) -> list[Line]:
    found = place.read()
    if found.provider in {"given", "kind"}:
        text = f"{found.provider}, see {place.kubeconfig.resolve()}; not looked at"
        return [Line(name="cluster", good=found.ready, text=text)]
    if not (found.network and found.ports):
        raise ToolError(f"cluster {place.name} has only begun; `hack/cluster down --name {place.name}`")
    plane = ControlPlane(state=place, network=found.network, ports=found.ports, tools=found.tools)
    async with Api(server=plane.server, authority=plane.authority, client=plane.identity("admin")) as admin:
        return [*_process_lines(plane), await _server_line(plane, admin), *await _object_lines(admin)]


def _process_lines(plane: ControlPlane) -> list[Line]:
    """A line for each process that is recorded, and for each that should be."""
    recorded = {record.name: record for record in processes.records(plane.state)}
    expected = [processes.SUPERVISOR, *_commands(plane)]
    lines = []
    for name in sorted({*recorded, *expected}, key=lambda each: (each not in expected, each)):
        record = recorded.get(name)
        pid = f"pid {record.pid}" if record and record.alive else "not running"
        version = toolchain.version(name) if name in plane.tools else ""
        text = f"{pid:12} {version:8} logs/{plane.state.log(name).name}"
        lines.append(Line(name=name, good=bool(record and record.alive), text=text))
    return lines


def _commands(plane: ControlPlane) -> dict[str, list[str]]:
    if isinstance(plane.network, Bridge):
        return supervise.commands(plane, supervise.parts(plane, plane.network))
    return bringup.commands(plane)


async def _server_line(plane: ControlPlane, admin: Api) -> Line:
    good = await admin.ready()
    return Line(name="API server", good=good, text=f"{'ready at' if good else 'no answer from'} {plane.server}")


async def _object_lines(admin: Api) -> list[Line]:
    """The node, and the pods that run on this machine."""
    try:
        node = await admin.find(f"/api/v1/nodes/{NODE}")
        pods = (await admin.get("/api/v1/namespaces/interlock-system/pods"))["items"]
    except (ApiError, OSError, TimeoutError) as error:
        return [Line(name="objects", good=False, text=f"cannot be read: {error}")]
    version = (node or {}).get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")
    return [Line(name=NODE, good=is_ready(node), text=version), *(_pod_line(pod) for pod in pods)]


def _pod_line(pod: Object) -> Line:
    """A pod, and why it waits if it does."""
    statuses = pod["status"].get("containerStatuses") or []
    waiting = [each["state"]["waiting"] for each in statuses if "waiting" in each["state"]]
    reasons = "; ".join(f"{each['reason']}: {each.get('message', '')}" for each in waiting)
    text = f"{pod['status'].get('phase', 'Pending')} {pod['status'].get('podIP', '')} {reasons}"
    return Line(name=pod["metadata"]["name"], good=is_ready(pod), text=text)
