"""The other daemons of a node: scheduler, kubelet, kube-proxy and CoreDNS, each with its configuration."""

from dataclasses import dataclass
from typing import Any

from devtools.cluster import kubeconfig
from devtools.cluster.controlplane import NODE, ControlPlane
from devtools.cluster.node.network import Bridge
from devtools.cluster.node.runtime import Runtime

_COREDNS = """\
.:53 {{
  bind {address}
  errors
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig {kubeconfig}
    ttl 5
  }}
  forward . /etc/resolv.conf
  cache 5
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What runs beside the control plane.

    Attributes:
        plane: the control plane.
        bridge: the node's network.
        runtime: its containers.
    """

    plane: ControlPlane
    bridge: Bridge
    runtime: Runtime

    def prepare(self) -> None:
        """Write configuration files."""
        at = self.plane.state.config
        kubeconfig.save(at / "kubelet.yaml", self._kubelet())
        kubeconfig.save(at / "kube-proxy.yaml", self._proxy())
        (at / "Corefile").write_text(
            _COREDNS.format(address=self.bridge.control, kubeconfig=self.plane.state.kubeconfig)
        )

    def commands(self) -> dict[str, list[str]]:
        """The daemons, in the order in which they start."""
        at, tools = self.plane.state.config, self.plane.tools
        own = f"{at}/scheduler.kubeconfig"
        return {
            "kube-scheduler": [
                tools["kube-scheduler"],
                f"--kubeconfig={own}",
                f"--authentication-kubeconfig={own}",
                f"--authorization-kubeconfig={own}",
                f"--bind-address={self.bridge.control}",
                f"--secure-port={self.plane.ports.scheduler}",
                f"--cert-dir={self.plane.state.pki}/scheduler",
                "--leader-elect=false",
            ],
            "kubelet": [
                tools["kubelet"],
                f"--config={at}/kubelet.yaml",
                f"--kubeconfig={at}/node.kubeconfig",
                f"--root-dir={self.plane.state.directory}/kubelet",
                f"--cert-dir={self.plane.state.pki}/kubelet",
                f"--hostname-override={NODE}",
                f"--node-ip={self.bridge.control}",
            ],
            "kube-proxy": [tools["kube-proxy"], f"--config={at}/kube-proxy.yaml"],
            "coredns": [tools["coredns"], "-conf", f"{at}/Corefile"],
        }

    def _kubelet(self) -> dict[str, Any]:
        at, ports = self.plane.state, self.plane.ports
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.bridge.control,
            "port": ports.kubelet,
            "healthzBindAddress": self.bridge.control,
            "healthzPort": ports.kubelet_health,
            "readOnlyPort": 0,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(self.plane.authority)},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": f"{at.pki}/kubelet-serving.crt",
            "tlsPrivateKeyFile": f"{at.pki}/kubelet-serving.key",
            "containerRuntimeEndpoint": f"unix://{self.runtime.socket}",
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.bridge.name}",
            "enforceNodeAllocatable": ["none"],
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "makeIPTablesUtilChains": False,
            "clusterDNS": [self.bridge.control],
            "clusterDomain": "cluster.local",
            "podLogsDir": f"{at.directory}/pod-logs",
            "volumePluginDir": f"{at.directory}/volume-plugins",
            "nodeStatusUpdateFrequency": "5s",
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "shutdownGracePeriod": "0s",
        }

    def _proxy(self) -> dict[str, Any]:
        ports = self.plane.ports
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "bindAddress": self.bridge.control,
            "clientConnection": {"kubeconfig": f"{self.plane.state.config}/proxy.kubeconfig"},
            "mode": "nftables",
            "nftables": {"minSyncPeriod": "0s", "syncPeriod": "30s"},
            "clusterCIDR": self.bridge.pods,
            "hostnameOverride": NODE,
            "healthzBindAddress": f"{self.bridge.control}:{ports.proxy_health}",
            "metricsBindAddress": f"{self.bridge.control}:{ports.proxy_metrics}",
            "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
            "nodePortAddresses": [f"{self.bridge.control}/32"],
            "oomScoreAdj": 0,
        }
