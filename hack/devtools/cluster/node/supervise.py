"""The order in which a real node comes up, and the processes that keep it running.

containerd starts first, so that it takes in images while the control plane comes up; the rest follows when the API
server is ready. The cluster can be used once the node is Ready, Services are programmed, and the default ServiceAccount
has been made.
"""

import asyncio
import subprocess
from pathlib import Path

from devtools.cluster import bringup, lifeline
from devtools.cluster.api import Api
from devtools.cluster.controlplane import ControlPlane
from devtools.cluster.daemons import Daemon
from devtools.cluster.node.images import WORKLOAD
from devtools.cluster.node.network import Bridge
from devtools.cluster.node.parts import Parts
from devtools.cluster.node.runtime import Runtime

START_SECONDS = 90.0  # for one part to answer; ten when the machine is idle
SERVICES = ("nft", "list", "map", "ip", "kube-proxy", "service-ips")


def parts(plane: ControlPlane, bridge: Bridge) -> Parts:
    """Everything of a node beside its control plane."""
    runtime = Runtime(state=plane.state, bridge=bridge, sandbox=WORKLOAD)
    return Parts(plane=plane, bridge=bridge, runtime=runtime)


def commands(plane: ControlPlane, node: Parts) -> dict[str, list[str]]:
    """Every process, in the order in which they start."""
    return {
        "containerd": node.runtime.command(),
        "etcd": plane.etcd(),
        "kube-apiserver": plane.api_server(),
        "kube-controller-manager": plane.controller_manager(),
        **node.commands(),
    }


async def run(plane: ControlPlane, node: Parts, admin: Api, held: asyncio.Task[None]) -> None:
    """Start everything, say that it can be used, and keep it running until the lifeline ends.

    Raises:
        ToolError: a part ended, or did not become ready in time.
    """
    daemons = {name: Daemon(plane.state, name, command) for name, command in commands(plane, node).items()}
    for name in ("containerd", "etcd", "kube-apiserver"):
        await daemons[name].start()
    await daemons["containerd"].wait_until(node.runtime.answers, START_SECONDS)
    await node.runtime.load({name: Path(archive) for name, archive in plane.state.read().images.items()})
    await daemons["kube-apiserver"].wait_until(admin.ready, START_SECONDS)
    for name in ("kube-controller-manager", *node.commands()):
        await daemons[name].start()
    await daemons["kubelet"].wait_until(lambda: bringup.node_is_ready(admin), START_SECONDS)
    await daemons["kube-proxy"].wait_until(_services_programmed, START_SECONDS)
    await daemons["kube-controller-manager"].wait_until(lambda: bringup.account_is_there(admin), START_SECONDS)
    lifeline.say_ready()
    async with asyncio.TaskGroup() as tasks:
        for daemon in daemons.values():
            tasks.create_task(daemon.keep_running())
        await held


async def _services_programmed() -> bool:
    """Whether kube-proxy has translated Service default/kubernetes."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*SERVICES, stdout=subprocess.PIPE, stderr=quiet)
    output, _ = await process.communicate()
    return process.returncode == 0 and b"443" in output
