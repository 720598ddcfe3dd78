"""The addresses of one local cluster: a /16 of the loopback network that it has for itself.

Linux answers on all of 127.0.0.0/8 without any set-up, so that a cluster can have an address for each of its Services
and pods without root:

    127.B.0.0/17     Services; the API server allots from it, and their ClusterIPs are addresses of this machine
    127.B.200.N      pods
    127.B.255.1      etcd, API server, controller manager, kwok

The API refuses loopback addresses in EndpointSlices. So a pod *reports* 10.B.200.N, and whoever stands in for the pod
network on this machine (probes, forwarder) translates by the first octet. Processes are told the loopback address.

A block is claimed by an abstract socket: visible to everybody on the machine, gone with its holder.
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass

from devtools.errors import ToolError

BLOCKS = range(64, 127)  # the second octet; low ones are left to people who type 127.0.1.1 and the like
POD_SUBNET = 200
POD_HOSTS = range(1, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The block of one cluster.

    Attributes:
        block: the second octet.
    """

    block: int

    @property
    def services(self) -> str:
        """The range that the API server allots ClusterIPs from."""
        return f"127.{self.block}.0.0/17"

    @property
    def first_service(self) -> str:
        """The ClusterIP of Service default/kubernetes."""
        return f"127.{self.block}.0.1"

    @property
    def reconciler(self) -> str:
        """How the API server keeps the endpoints of default/kubernetes: not at all, it refuses loopback addresses."""
        return "none"

    @property
    def control(self) -> str:
        """The address of the control plane and of the node."""
        return f"127.{self.block}.255.1"

    def pod(self, host: int) -> str:
        """The address that a pod's processes listen on."""
        return f"127.{self.block}.{POD_SUBNET}.{host}"

    def reported(self, host: int) -> str:
        """The address of the same pod as the API shows it."""
        return f"10.{self.block}.{POD_SUBNET}.{host}"

    def local(self, reported: str) -> str | None:
        """Where a reported pod address is found on this machine, or None if it is none of ours.

        >>> Network(block=70).local("10.70.200.3"), Network(block=70).local("10.0.0.1")
        ('127.70.200.3', None)
        """
        prefix = f"10.{self.block}.{POD_SUBNET}."
        return f"127{reported.removeprefix('10')}" if reported.startswith(prefix) else None


def claim(blocks: Iterable[int] = BLOCKS) -> tuple[Network, socket.socket]:
    """Take the first free block.

    Args:
        blocks: those that will do.

    Returns:
        The network, and the socket that holds the claim for as long as it is open.

    Raises:
        ToolError: every block is taken.
    """
    wanted = list(blocks)
    for block in wanted:
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            holder.bind(f"\0interlock-loopback-{block}")
        except OSError:
            holder.close()
        else:
            return Network(block=block), holder
    raise ToolError(f"all of {len(wanted)} loopback blocks are taken by other clusters on this machine")


def free_ports(address: str, count: int) -> list[int]:
    """Pick ports that nothing listens on at an address of ours.

    Nobody else uses the address, and the kernel takes 127.0.0.1 for outgoing connections; so what is free now stays so.
    """
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for each in sockets:
            each.bind((address, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
