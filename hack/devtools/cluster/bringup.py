"""The order in which a local cluster comes up, each step waiting for what it needs and for nothing else.

etcd and API server start together, the server waits for etcd by itself; the rest follows when it is ready. The cluster
can be used once the node is Ready and the default ServiceAccount, which pods need, has been made.
"""

import asyncio

from devtools.cluster import kwok
from devtools.cluster.api import Api, Object
from devtools.cluster.controlplane import NODE, ControlPlane
from devtools.cluster.daemons import Daemon

START_SECONDS = 60.0  # for one part to answer; two when the machine is idle
DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


async def start(plane: ControlPlane, admin: Api) -> list[Daemon]:
    """Start the control plane and the node.

    Returns:
        What was started, in order.

    Raises:
        ToolError: a part ended, or did not become ready in time.
        ApiError: the API server refused what a cluster needs.
    """
    daemons = {name: Daemon(plane.state, name, command) for name, command in commands(plane).items()}
    await daemons["etcd"].start()
    await daemons["kube-apiserver"].start()
    await daemons["kube-apiserver"].wait_until(admin.ready, START_SECONDS)
    await daemons["kube-controller-manager"].start()
    await _register(admin)
    await daemons["kwok"].start()
    await asyncio.gather(
        daemons["kube-controller-manager"].wait_until(lambda: account_is_there(admin), START_SECONDS),
        daemons["kwok"].wait_until(lambda: node_is_ready(admin), START_SECONDS),
    )
    return list(daemons.values())


def commands(plane: ControlPlane) -> dict[str, list[str]]:
    """The processes of a control plane and its node, in the order in which they start."""
    return {
        "etcd": plane.etcd(),
        "kube-apiserver": plane.api_server(),
        "kube-controller-manager": plane.controller_manager(),
        "kwok": kwok.command(plane),
    }


def is_ready(node: Object | None) -> bool:
    """Whether a node says that it is ready."""
    conditions = (node or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def _register(admin: Api) -> None:
    """Make what the node needs; what a restarted cluster has already is not even tried, admission may be against it."""
    for path, body in (*kwok.grant(), kwok.node()):
        if not await _exists(admin, f"{path}/{body['metadata']['name']}"):
            await admin.create(path, body)


async def _exists(admin: Api, path: str) -> bool:
    return await admin.find(path) is not None


async def account_is_there(admin: Api) -> bool:
    """Whether the default ServiceAccount, which pods need, has been made."""
    return await _exists(admin, DEFAULT_ACCOUNT)


async def node_is_ready(admin: Api) -> bool:
    """Whether the node says that it is ready."""
    return is_ready(await admin.find(f"/api/v1/nodes/{NODE}"))
