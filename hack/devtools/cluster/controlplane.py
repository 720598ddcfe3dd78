"""The control plane: etcd, kube-apiserver, kube-controller-manager as processes of this machine.

What is as in a cluster of kubeadm: authorisation by Node and RBAC, NodeRestriction, an account per controller, front
proxy, bound ServiceAccount tokens, an audit log and an audit webhook (module `auditsink`), certificates everywhere. The
API server also proves itself to admission webhooks with a client certificate, which most clusters do not.

What is not: etcd speaks plain HTTP on loopback, and syncs only where that was asked for; there is no scheduler, kubelet
or kube-proxy (modules `scheduler`, `kubelet`, `forwarder` stand in for them); `default/kubernetes` has no endpoints,
since the API refuses loopback addresses there, so pods are told the API server's own address instead.
"""

from dataclasses import dataclass
from pathlib import Path

from devtools.cluster import admission, auditsink, kubeconfig, pki
from devtools.cluster.network import Network
from devtools.cluster.node.network import Bridge
from devtools.cluster.pki import Authority, Pair
from devtools.cluster.state import Ports, State

NODE = "node-1"
FRONT_PROXY_USER = "front-proxy-client"
AUDIT_LOG_MEGABYTES = 10_000  # before it is rotated: never, or a test would read half a log


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """Everything that commands and configuration of one control plane are made from.

    Attributes:
        state: the cluster's directory.
        network: its addresses.
        ports: its ports.
        tools: program name to path.
        durable: whether etcd syncs what it writes.
    """

    state: State
    network: Network | Bridge
    ports: Ports
    tools: dict[str, str]
    durable: bool = False

    @property
    def loopback(self) -> Network:
        """The network of a simulated node.

        Raises:
            TypeError: the node is a real one.
        """
        if not isinstance(self.network, Network):
            raise TypeError(f"the node of cluster {self.state.name} is not simulated")
        return self.network

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.network.control}:{self.ports.api_server}"

    @property
    def authority(self) -> Path:
        """Certificate that the API server's and the node's serving certificates are checked against."""
        return self.state.pki / "cluster-ca.crt"

    @property
    def admission_authority(self) -> Path:
        """Certificate that the client certificate of the API server's webhook calls is checked against."""
        return self.state.pki / "admission-ca.crt"

    def identity(self, name: str) -> Pair:
        """The client certificate of a component: admin, node, scheduler, proxy, controller-manager."""
        return Pair(certificate=self.state.pki / f"{name}.crt", key=self.state.pki / f"{name}.key")

    def prepare(self) -> None:
        """Write keys, certificates, kubeconfigs and configuration files."""
        authorities = {name: pki.authority(self.state.pki, name) for name in ("cluster", "front-proxy", "admission")}
        pki.signing_key(self.state.pki, "service-accounts")
        authorities["front-proxy"].client("front-proxy-client", FRONT_PROXY_USER)
        authorities["admission"].client("admission-client", admission.USER)
        self._issue_serving(authorities["cluster"])
        self._issue_clients(authorities["cluster"])
        self._write_configuration()

    def etcd(self) -> list[str]:
        """The command of etcd."""
        client = f"http://{self.network.control}:{self.ports.etcd}"
        peer = f"http://{self.network.control}:{self.ports.etcd_peer}"
        return [
            self.tools["etcd"],
            f"--data-dir={self.state.etcd}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            *([] if self.durable else ["--unsafe-no-fsync"]),
            "--log-level=warn",
        ]

    def api_server(self) -> list[str]:
        """The command of kube-apiserver."""
        at = self.state.pki
        return [
            self.tools["kube-apiserver"],
            f"--bind-address={self.network.control}",
            f"--advertise-address={self.network.control}",
            f"--secure-port={self.ports.api_server}",
            f"--endpoint-reconciler-type={self.network.reconciler}",
            f"--etcd-servers=http://{self.network.control}:{self.ports.etcd}",
            f"--service-cluster-ip-range={self.network.services}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged",
            f"--client-ca-file={self.authority}",
            f"--tls-cert-file={at}/api-server.crt",
            f"--tls-private-key-file={at}/api-server.key",
            f"--cert-dir={at}",
            *self._service_account_flags(),
            *self._front_proxy_flags(),
            *self._kubelet_flags(),
            f"--admission-control-config-file={self.state.config}/admission.yaml",
            f"--audit-policy-file={self.state.config}/audit-policy.yaml",
            f"--audit-log-path={self.state.audit_log}",
            f"--audit-log-maxsize={AUDIT_LOG_MEGABYTES}",
            f"--audit-webhook-config-file={self.state.config}/audit-webhook.kubeconfig",
            f"--audit-webhook-batch-max-wait={auditsink.BATCH_SECONDS}s",
            "--profiling=false",
        ]

    def controller_manager(self) -> list[str]:
        """The command of kube-controller-manager."""
        own = f"{self.state.config}/controller-manager.kubeconfig"
        return [
            self.tools["kube-controller-manager"],
            f"--kubeconfig={own}",
            f"--authentication-kubeconfig={own}",
            f"--authorization-kubeconfig={own}",
            f"--bind-address={self.network.control}",
            f"--secure-port={self.ports.controller_manager}",
            f"--cert-dir={self.state.pki}/controller-manager",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self.state.pki}/service-accounts.key",
            f"--root-ca-file={self.authority}",
            f"--cluster-signing-cert-file={self.authority}",
            f"--cluster-signing-key-file={self.state.pki}/cluster-ca.key",
            "--leader-elect=false",
            "--kube-api-qps=200",  # with the default of 20 the default ServiceAccount is seconds late
            "--kube-api-burst=400",
            "--profiling=false",
        ]

    def _service_account_flags(self) -> list[str]:
        return [
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.state.pki}/service-accounts.pub",
            f"--service-account-signing-key-file={self.state.pki}/service-accounts.key",
        ]

    def _front_proxy_flags(self) -> list[str]:
        return [
            f"--requestheader-client-ca-file={self.state.pki}/front-proxy-ca.crt",
            f"--requestheader-allowed-names={FRONT_PROXY_USER}",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={self.state.pki}/front-proxy-client.crt",
            f"--proxy-client-key-file={self.state.pki}/front-proxy-client.key",
        ]

    def _kubelet_flags(self) -> list[str]:
        return [
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-certificate-authority={self.authority}",
            f"--kubelet-client-certificate={self.state.pki}/kubelet-client.crt",
            f"--kubelet-client-key={self.state.pki}/kubelet-client.key",
        ]

    def _issue_serving(self, cluster: Authority) -> None:
        names = [f"kubernetes{suffix}" for suffix in ("", ".default", ".default.svc", ".default.svc.cluster.local")]
        cluster.server("api-server", *names, "localhost", self.network.control, self.network.first_service)
        cluster.server("kubelet-serving", NODE, self.network.control)

    def _issue_clients(self, cluster: Authority) -> None:
        """Everybody under the name that Kubernetes' own roles are bound to."""
        cluster.client("kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
        clients = {
            "admin": ("kubernetes-admin", "system:masters"),
            "controller-manager": ("system:kube-controller-manager",),
            "scheduler": ("system:kube-scheduler",),
            "proxy": ("system:kube-proxy",),
            "node": (f"system:node:{NODE}", "system:nodes"),
        }
        for name, (user, *groups) in clients.items():
            pair = cluster.client(name, user, *groups)
            path = self.state.kubeconfig if name == "admin" else self.state.config / f"{name}.kubeconfig"
            kubeconfig.write(
                path, server=self.server, authority=self.authority, user=user, client=pair, cluster=self.state.name
            )

    def _write_configuration(self) -> None:
        at = self.state.config
        kubeconfig.save(at / "admission.kubeconfig", admission.credentials(self.identity("admission-client")))
        kubeconfig.save(at / "admission.yaml", admission.configuration(at / "admission.kubeconfig"))
        kubeconfig.save(at / "audit-policy.yaml", _AUDIT_POLICY)
        kubeconfig.save(
            at / "audit-webhook.kubeconfig",
            kubeconfig.nobody(f"http://{self.network.control}:{self.ports.audit_webhook}"),
        )


_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}
