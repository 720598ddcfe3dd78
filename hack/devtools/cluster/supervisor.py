"""The one process that owns a local cluster: it starts everything, keeps it running, and takes it along when it goes.

    python -m devtools.cluster.supervisor DIRECTORY      (started by `up`, not by people)

It claims the network, writes keys and configuration, has the control plane brought up, and is scheduler, kubelet,
kube-proxy and receiver of the audit webhook itself. If `up` ends before it has handed the cluster over (module
`lifeline`), the supervisor removes the cluster. Should it die itself, the kernel kills all that it started.
"""

import asyncio
import dataclasses
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

from devtools.cluster import auditsink, bringup, kwok, lifeline, network, removal, scheduler
from devtools.cluster.api import Api
from devtools.cluster.controlplane import NODE, ControlPlane
from devtools.cluster.forwarder import Forwarder
from devtools.cluster.kubelet import Kubelet
from devtools.cluster.network import Network
from devtools.cluster.node import machine, supervise
from devtools.cluster.node import network as node_network
from devtools.cluster.node.network import Bridge
from devtools.cluster.node.parts import Parts
from devtools.cluster.state import Description, Ports, State
from devtools.errors import ToolError

NAMESPACE = "interlock-system"  # whose Services are forwarded; nothing else that is called runs here


def main() -> None:
    """Run the cluster in the directory that the command line names."""
    state = State(directory=Path(sys.argv[1]))
    try:
        if state.read().provider == "node":
            _run_node(state)
        else:
            _run_local(state)
    except ToolError as error:
        lifeline.say_failed(error)
        sys.exit(1)


def _run_local(state: State) -> None:
    before = state.read()
    block = [before.network.block] if isinstance(before.network, network.Network) else network.BLOCKS
    net, claim = network.claim(block)
    with claim:
        plane = _known(state, before)
        if plane is None:
            plane = _planned(state, net)
            kwok.prepare(plane)
        asyncio.run(_supervise(plane, net))


def _run_node(state: State) -> None:
    bridge, claim = node_network.claim()
    with claim:
        machine.prepare(state, bridge)
        plane = _planned(state, bridge)
        node = supervise.parts(plane, bridge)
        node.runtime.prepare()
        node.prepare()
        asyncio.run(_supervise_node(plane, node))


def _known(state: State, before: Description) -> ControlPlane | None:
    """The control plane of a cluster that ran before: keys, configuration, addresses and data stay what they are."""
    if not (before.network and before.ports):
        return None
    return ControlPlane(
        state=state, network=before.network, ports=before.ports, tools=before.tools, durable=before.durable
    )


def _planned(state: State, net: Network | Bridge) -> ControlPlane:
    """Settle addresses and ports, note them for `up` and `status`, and write all files that depend on them."""
    names = [field.name for field in dataclasses.fields(Ports)]
    ports = Ports(**dict(zip(names, network.free_ports(net.control, len(names)), strict=True)))
    description = dataclasses.replace(state.read(), network=net, ports=ports)
    state.write(description)
    plane = ControlPlane(state=state, network=net, ports=ports, tools=description.tools, durable=description.durable)
    plane.prepare()
    return plane


async def _supervise_node(plane: ControlPlane, node: Parts) -> None:
    held = asyncio.create_task(_hold_lifeline(plane.state))
    async with _audit_webhook(plane), _api(plane, "admin") as admin:
        await supervise.run(plane, node, admin, held)


async def _supervise(plane: ControlPlane, net: Network) -> None:
    held = asyncio.create_task(_hold_lifeline(plane.state))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_audit_webhook(plane))
        apis = {
            name: await stack.enter_async_context(_api(plane, name)) for name in ("admin", "node", "scheduler", "proxy")
        }
        daemons = await bringup.start(plane, apis["admin"])
        lifeline.say_ready()
        async with asyncio.TaskGroup() as tasks:
            for daemon in daemons:
                tasks.create_task(daemon.keep_running())
            tasks.create_task(scheduler.run(apis["scheduler"], NODE))
            tasks.create_task(Kubelet(apis["node"], plane, Path(sys.executable).parent).run())
            tasks.create_task(Forwarder(apis["proxy"], net, NAMESPACE).run())
            await held


def _audit_webhook(plane: ControlPlane) -> AbstractAsyncContextManager[None]:
    log, port = plane.state.audit_webhook_log, plane.ports.audit_webhook
    return auditsink.receiving(log, address=plane.network.control, port=port)


def _api(plane: ControlPlane, identity: str) -> Api:
    return Api(server=plane.server, authority=plane.authority, client=plane.identity(identity))


async def _hold_lifeline(state: State) -> None:
    """Return when `up` hands the cluster over; remove the cluster, and end, if `up` ends without."""
    if not await lifeline.is_kept():
        removal.remove(state)
        sys.exit(1)


if __name__ == "__main__":
    main()
