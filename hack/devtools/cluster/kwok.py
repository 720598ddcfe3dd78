"""The simulated node: kwok answers for node-1 and for every pod on it that is not ours to run.

Such a pod is Running at once (of a Job: Succeeded at once) and gone as soon as it is deleted. What kubectl asks of its
kubelet really happens, on this machine, as the user who started the cluster: `exec` runs the command, `attach` and
`logs` stream a file, `port-forward` reaches a process that echoes. kwok does not pass on the end of standard input, and
makes every exit code but 0 an internal error, so that kubectl exits 1. It asks callers of that port for nothing, so
everybody who can open a loopback connection on this machine can do the same: not for machines shared with strangers.

kwok acts as system:node:node-1, so that what it does looks to admission and audit like a kubelet's doing. The rights
that it needs beyond a kubelet's, to list and watch nodes and leases, are granted under a name that says so.
"""

from pathlib import Path
from typing import Any

import yaml

from devtools.cluster.controlplane import NODE, ControlPlane
from devtools.cluster.kubeconfig import save

IMAGE = "interlock:dev"  # what the chart is told to run; no registry has it, this checkout is it
STAGES = Path(__file__).with_name("kwok-stages.yaml")
PARALLEL = 16  # pods and nodes whose stages are played at a time; kwok refuses 0
LEASE_SECONDS = 40  # as the kubelet's
POD_NETWORK = "10.{block}.0.0/18"  # of simulated pods; nothing listens there, and none of ours is in it
LOG_LINE = "2026-01-01T00:00:00.000000000Z stdout F This pod is simulated: nothing runs in it.\n"

GRANT = "interlock-local-cluster:kwok"


def command(plane: ControlPlane) -> list[str]:
    """The command of kwok."""
    pair = plane.state.pki / "kubelet-serving"
    return [
        plane.tools["kwok"],
        f"--kubeconfig={plane.state.config}/node.kubeconfig",
        f"--config={plane.state.config}/kwok.yaml",
        f"--manage-single-node={NODE}",
        f"--cidr={POD_NETWORK.format(block=plane.loopback.block)}",
        f"--node-ip={plane.network.control}",
        f"--node-port={plane.ports.kwok}",
        f"--node-name={NODE}",
        f"--server-address={plane.network.control}:{plane.ports.kwok}",
        f"--node-lease-duration-seconds={LEASE_SECONDS}",
        f"--tls-cert-file={pair}.crt",
        f"--tls-private-key-file={pair}.key",
    ]


def prepare(plane: ControlPlane) -> None:
    """Write kwok's configuration, and the empty directory that commands of `kubectl exec` start in."""
    home = plane.state.pods / "simulated"
    home.mkdir()
    log = home / "log"
    log.write_text(LOG_LINE)
    path = plane.state.config / "kwok.yaml"
    save(path, _configuration())
    documents = [_handler(kind, spec) for kind, spec in _handlers(home, log).items()]
    with path.open("a") as file:
        file.write("---\n" + yaml.safe_dump_all(documents, sort_keys=False))
        file.write(STAGES.read_text().replace("@IMAGE@", IMAGE))


def grant() -> list[tuple[str, dict[str, Any]]]:
    """The objects that let kwok start, with the collections they go to."""
    at = "/apis/rbac.authorization.k8s.io/v1"
    meta = {"name": GRANT}
    see = {"verbs": ["list", "watch"]}
    rules = [
        {"apiGroups": [""], "resources": ["nodes"], **see},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], **see},
    ]
    group = "rbac.authorization.k8s.io"
    binding = {
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": GRANT},
        "subjects": [{"apiGroup": group, "kind": "User", "name": f"system:node:{NODE}"}],
    }
    return [
        (f"{at}/clusterroles", {"metadata": meta, "rules": rules}),
        (f"{at}/clusterrolebindings", {"metadata": meta, **binding}),
    ]


def node() -> tuple[str, dict[str, Any]]:
    """The node as a kubelet would register it; kwok fills in its status."""
    labels = {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"}
    return "/api/v1/nodes", {"metadata": {"name": NODE, "labels": labels}}


def _configuration() -> dict[str, Any]:
    options = {
        "enableDebuggingHandlers": True,
        "podPlayStageParallelism": PARALLEL,
        "nodePlayStageParallelism": PARALLEL,
        "nodeLeaseParallelism": PARALLEL,
        "podsOnNodeSyncParallelism": PARALLEL,
    }
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "metadata": {"name": "kwok"},
        "options": options,
    }


def _handlers(home: Path, log: Path) -> dict[str, dict[str, Any]]:
    """What happens on exec, attach, logs and port-forward, for every pod and container."""
    return {
        "ClusterExec": {"execs": [{"local": {"workDir": str(home)}}]},
        "ClusterAttach": {"attaches": [{"logsFile": str(log)}]},
        "ClusterLogs": {"logs": [{"logsFile": str(log)}]},
        "ClusterPortForward": {"forwards": [{"command": ["cat"]}]},
    }


def _handler(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind, "metadata": {"name": "all"}, "spec": spec}
