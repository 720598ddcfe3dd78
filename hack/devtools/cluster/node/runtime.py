"""containerd on a node: its configuration, the network of pods, and its images, imported for want of a registry."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools.cluster.node.network import Bridge
from devtools.cluster.state import State
from devtools.errors import ToolError

PLUGINS = "/usr/lib/cni"
NAMESPACE = "k8s.io"  # in which the kubelet's images are
LEFT_OUT = (
    "io.containerd.nri.v1.nri",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.internal.v1.tracing",
    "io.containerd.tracing.processor.v1.otlp",
)

_CONFIGURATION = """\
version = 2
root = "{at}/root"
state = "{at}/state"
disabled_plugins = {left_out}
[grpc]
  address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{at}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{sandbox}"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true  # all of them go with the directory
  restrict_oom_score_adj = true  # without CAP_SYS_RESOURCE runc may not lower a score
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{at}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "{at}/runc"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """containerd of one node.

    Attributes:
        state: the cluster's directory.
        bridge: that pods hang on.
        sandbox: image that holds a pod's namespaces.
    """

    state: State
    bridge: Bridge
    sandbox: str

    @property
    def directory(self) -> Path:
        """Where everything of it lies."""
        return self.state.directory / "containerd"

    @property
    def socket(self) -> Path:
        """Where it answers."""
        return self.directory / "containerd.sock"

    def prepare(self) -> None:
        """Write its configuration and that of the pods' network."""
        (self.directory / "cni").mkdir(parents=True, exist_ok=True)
        text = _CONFIGURATION.format(
            at=self.directory,
            left_out=json.dumps(LEFT_OUT),
            socket=self.socket,
            sandbox=self.sandbox,
            plugins=PLUGINS,
        )
        self._configuration.write_text(text)
        (self.directory / "cni" / "10-pods.conflist").write_text(json.dumps(self._network(), indent=2))

    def command(self) -> list[str]:
        """The command of containerd."""
        return ["containerd", "--config", str(self._configuration)]

    async def answers(self) -> bool:
        """Whether it answers."""
        return await self._ctr("version") == 0

    async def load(self, archives: Mapping[str, Path]) -> None:
        """Import images.

        Args:
            archives: by the name under which pods ask for the image in it.

        Raises:
            ToolError: an archive could not be imported.
        """
        for name, archive in archives.items():
            if await self._ctr("images", "import", str(archive)):
                raise ToolError(f"containerd does not take {archive}, the image {name}")

    @property
    def _configuration(self) -> Path:
        return self.directory / "config.toml"

    async def _ctr(self, *arguments: str) -> int:
        command = ("ctr", "--address", str(self.socket), "--namespace", NAMESPACE, *arguments)
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
        return await process.wait()

    def _network(self) -> dict[str, object]:
        ranges = [[{"subnet": self.bridge.pods}]]
        plugin = {
            "type": "bridge",
            "bridge": self.bridge.name,
            "isGateway": True,
            "ipMasq": False,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "dataDir": str(self.directory / "addresses"),
                "ranges": ranges,
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
        return {"cniVersion": "0.4.0", "name": "pods", "plugins": [plugin]}
