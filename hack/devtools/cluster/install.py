"""Installing Interlock into a local cluster, by the chart and by nothing else.

The values are what any administrator would set: the image, the authority of the API server's client certificate, and
Service ports that need no root here. Ready means what Kubernetes says: every Deployment of the release is available.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

from devtools import console
from devtools.cluster import kubeconfig, processes
from devtools.cluster.kwok import IMAGE
from devtools.cluster.state import State
from devtools.errors import ToolError

CHART = Path(__file__).resolve().parents[3] / "charts" / "interlock"
RELEASE = "interlock"
NAMESPACE = "interlock-system"
INSTALL_SECONDS = 10  # estimate
ROLLOUT_SECONDS = 90  # for all pods to be ready; five when the machine is idle


def install(state: State) -> None:
    """Install the chart and wait until it runs.

    Raises:
        ToolError: helm failed, or a Deployment did not become available; with the state of its pods.
    """
    path = state.config / "values.yaml"
    kubeconfig.save(path, values(state))
    with console.step("installing Interlock with Helm", INSTALL_SECONDS):
        _run(
            state, "helm", "install", RELEASE, str(CHART), "-n", NAMESPACE, "--create-namespace", "--values", str(path)
        )
        for name in _run(state, "kubectl", "-n", NAMESPACE, "get", "deployments", "-o", "name").split():
            _wait_for(state, name)


def values(state: State) -> dict[str, Any]:
    """The values for a cluster that was made here.

    Raises:
        ToolError: the cluster has no control plane of ours.
    """
    found = state.read()
    if found.provider == "given":
        raise ToolError(f"cluster {state.name} was given, not made here: install the chart into it yourself")
    repository, _, tag = (found.interlock or IMAGE).rpartition(":")
    common: dict[str, Any] = {
        "image": {"repository": repository, "tag": tag},
        "guard": {"callerCA": (state.pki / "admission-ca.crt").read_text()},
        "controller": {},
        "records": {},
    }
    if found.provider == "local" and found.ports:  # where a port below 1024 needs a right that most users lack
        common["guard"]["service"] = {"port": found.ports.guard_service}
        common["controller"]["service"] = {"port": found.ports.controller_service}
        common["records"]["service"] = {"port": found.ports.records_service}
    return common


def _wait_for(state: State, deployment: str) -> None:
    try:
        _run(state, "kubectl", "-n", NAMESPACE, "rollout", "status", deployment, f"--timeout={ROLLOUT_SECONDS}s")
    except ToolError as error:
        pods = _run(state, "kubectl", "-n", NAMESPACE, "describe", "pods")
        raise ToolError(f"{error}\n{pods}\nTheir output is in {state.log('pod.*')}") from error


def _run(state: State, program: str, *arguments: str) -> str:
    """Run a tool of the cluster's bin directory and return its output."""
    settings = processes.environment(state, KUBECONFIG=str(state.kubeconfig), HOME=os.environ.get("HOME", "/"))
    command = [str(state.bin / program), *arguments]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(
            f"`{program} {' '.join(arguments)}` failed with code {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout
