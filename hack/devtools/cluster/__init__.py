"""Clusters to try, show and test Interlock on: a real control plane as processes of this machine.

    from devtools import cluster
    made = cluster.up("demo")
    subprocess.run(["kubectl", "get", "nodes"], env=made.environment)
    cluster.down("demo")

What is real: etcd, API server, controller manager, kubectl, helm, in pinned versions; admission, RBAC, tokens, audit.
What is not, and needs no root: the node. Pods of Interlock's own image run as processes of this machine (`kubelet`),
Services are reached through a forwarder (`forwarder`), every other pod is simulated by kwok (`kwok`), and there is one
node to schedule to (`scheduler`). What only real pods can show (images, isolation, security contexts) takes provider
`node`, a package of its own.

Runs inside the checkout's virtual environment, on Linux.
"""

from devtools.cluster.lifecycle import Cluster, down, restart, up
from devtools.cluster.providers import NODE, for_programs
from devtools.cluster.status import report

__all__ = ["NODE", "Cluster", "down", "for_programs", "report", "restart", "up"]
