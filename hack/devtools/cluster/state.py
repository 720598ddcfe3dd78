"""What there is of a cluster on disk: one directory, and nothing outside it.

    ${XDG_STATE_HOME:-~/.local/state}/interlock/clusters/<name>/
        cluster.json      what it is: provider, bare or not, network, ports, tools
        kubeconfig        for the user (group system:masters)
        bin/              kubectl, helm, interlock, kubectl-interlock, for PATH
        audit.log         the API server's
        audit-webhook.log what the API server has sent to its audit webhook
        processes/        one record per process: id, start time, command
        logs/  pki/  config/  etcd/  pods/  cache/

Written by `up` and the supervisor only; removing the directory, once its processes are gone, removes the cluster.
"""

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from devtools.cluster.network import Network
from devtools.cluster.node.network import Bridge
from devtools.errors import ToolError

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")  # a DNS label, short enough for every path below it
Provider = Literal["local", "node", "kind", "given"]
DIRECTORIES = ("bin", "processes", "logs", "pki", "config", "pods", "cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports on the cluster's control address, and those of the Services (the same on each ClusterIP).

    kwok and the Services' are those of a simulated node, what follows them those of a real one.
    """

    etcd: int
    etcd_peer: int
    api_server: int
    controller_manager: int
    audit_webhook: int
    kwok: int
    guard_service: int
    controller_service: int
    records_service: int
    scheduler: int
    kubelet: int
    kubelet_health: int
    proxy_health: int
    proxy_metrics: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The content of cluster.json.

    Attributes:
        name: the cluster's name.
        provider: `local` with a simulated node, `node` with a real one, `kind`, or `given`.
        bare: without Interlock.
        ready: whether `up` got to its end.
        tools: program name to path.
        network: the loopback block, or the bridge of a real node, once it is claimed; not where others made it.
        ports: likewise.
        durable: whether etcd syncs what it writes; otherwise it is as fast as memory, and as forgetful.
        images: archives that a real node takes in, by the name under which pods ask for the image.
        interlock: name of Interlock's image among them.
    """

    name: str
    provider: Provider
    bare: bool
    ready: bool = False
    durable: bool = False
    tools: dict[str, str] = field(default_factory=dict)
    network: Network | Bridge | None = None
    ports: Ports | None = None
    images: dict[str, str] = field(default_factory=dict)
    interlock: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The directory of one cluster, and the names in it."""

    directory: Path

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.directory.name

    @property
    def kubeconfig(self) -> Path:
        """The user's kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def bin(self) -> Path:
        """The directory for PATH."""
        return self.directory / "bin"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log."""
        return self.directory / "audit.log"

    @property
    def audit_webhook_log(self) -> Path:
        """What the API server has sent to its audit webhook: an EventList a line."""
        return self.directory / "audit-webhook.log"

    @property
    def processes(self) -> Path:
        """The records of processes."""
        return self.directory / "processes"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.directory / "pki"

    @property
    def config(self) -> Path:
        """Configuration files and the kubeconfigs of components."""
        return self.directory / "config"

    @property
    def pods(self) -> Path:
        """A directory per pod that runs on this machine."""
        return self.directory / "pods"

    @property
    def cache(self) -> Path:
        """What kubectl and helm would put into the user's home."""
        return self.directory / "cache"

    @property
    def etcd(self) -> Path:
        """The data of etcd."""
        return self.directory / "etcd"

    def log(self, process: str) -> Path:
        """The log of a process."""
        return self.directory / "logs" / f"{process}.log"

    def exists(self) -> bool:
        """Whether there is anything of this cluster."""
        return self.directory.exists()

    def create(self) -> None:
        """Make the directory, readable by its owner only: there are keys in it.

        Raises:
            FileExistsError: there is one already.
        """
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self.directory.mkdir(mode=0o700)
        for each in DIRECTORIES:
            (self.directory / each).mkdir()

    def read(self) -> Description:
        """Read cluster.json.

        Raises:
            ToolError: it is not there yet, or not whole.
        """
        try:
            return _description(json.loads((self.directory / "cluster.json").read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ToolError(
                f"cluster {self.name} is in pieces ({error}); `hack/cluster down --name {self.name}`"
            ) from error

    def write(self, description: Description) -> None:
        """Replace cluster.json in one step."""
        scratch = self.directory / "cluster.json.tmp"
        scratch.write_text(json.dumps(asdict(description), indent=2) + "\n")
        scratch.rename(self.directory / "cluster.json")


def of(name: str) -> State:
    """The state of the cluster with this name, there or not.

    Raises:
        ToolError: the name cannot be one.
    """
    if not NAME.fullmatch(name):
        raise ToolError(f"name: got {name!r}, expected a DNS label of at most 32 characters such as interlock")
    return State(directory=_home() / name)


def all_names() -> list[str]:
    """The names of all clusters of this user."""
    return sorted(each.name for each in _home().iterdir()) if _home().exists() else []


def _home() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base).absolute() / "interlock" / "clusters"


def _description(found: dict[str, Any]) -> Description:
    network, ports = found.pop("network"), found.pop("ports")
    return Description(
        **found,
        network=_network(network) if network else None,
        ports=Ports(**ports) if ports else None,
    )


def _network(found: dict[str, Any]) -> Network | Bridge:
    return Bridge(**found) if "index" in found else Network(**found)
