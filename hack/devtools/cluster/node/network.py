"""The addresses of a real node: a bridge of this machine, a subnet of pods behind it, and Services that nobody owns.

    10.244.N.1          the machine, as pods see it: API server, kubelet, DNS, gateway
    10.244.N.0/24       pods
    10.244.(100+N).0/24 Services, translated by kube-proxy

The control plane listens on the bridge's address, so that pods, the machine and Services reach it by the same one.
"""

import socket
from dataclasses import dataclass

from devtools.errors import ToolError

INDEXES = range(1, 100)
NODE_CLAIM = "\0interlock-node"  # kube-proxy's tables have fixed names: one such cluster at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The network of one node.

    Attributes:
        index: the third octet of its pods.
    """

    index: int

    @property
    def name(self) -> str:
        """Of the bridge, and of the cgroup that all pods are under."""
        return f"interlock{self.index}"

    @property
    def control(self) -> str:
        """The address of the control plane and of the node."""
        return f"10.244.{self.index}.1"

    @property
    def pods(self) -> str:
        """The range that the CNI plugin allots from."""
        return f"10.244.{self.index}.0/24"

    @property
    def services(self) -> str:
        """The range that the API server allots ClusterIPs from."""
        return f"10.244.{100 + self.index}.0/24"

    @property
    def first_service(self) -> str:
        """The ClusterIP of Service default/kubernetes."""
        return f"10.244.{100 + self.index}.1"

    @property
    def reconciler(self) -> str:
        """How the API server keeps the endpoints of default/kubernetes."""
        return "lease"


def claim() -> tuple[Bridge, socket.socket]:
    """Take the machine for a node, and addresses that nobody on it uses.

    Returns:
        The network, and the socket that holds the claim for as long as it is open.

    Raises:
        ToolError: there is a node already, or every range is taken.
    """
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        holder.bind(NODE_CLAIM)
    except OSError as error:
        holder.close()
        raise ToolError("another cluster of provider node runs on this machine, and there can be one only") from error
    for index in INDEXES:
        if not _reachable(Bridge(index=index)):
            return Bridge(index=index), holder
    holder.close()
    raise ToolError("all of 10.244.0.0/16 is in use on this machine")


def _reachable(bridge: Bridge) -> bool:
    """Whether the machine has an address in the range itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((bridge.control, 9))
        except OSError:
            return False
        return str(probe.getsockname()[0]).startswith(bridge.control.rpartition(".")[0] + ".")
