"""A cluster of kind, where there are Docker and a container registry.

hack/kind.yaml says what is special about it: its API server proves itself to admission webhooks, as ours does. The
client certificate for that is made here and mounted into the node.

Whatever carries our prefix among kind's clusters is ours; a cluster that kind has already is never touched.
"""

import shutil
import subprocess
from pathlib import Path

import yaml

from devtools import console, programs
from devtools.cluster import admission, kubeconfig, pki
from devtools.cluster.state import State
from devtools.errors import ToolError
from devtools.venv import ROOT

CONFIGURATION = ROOT / "hack" / "kind.yaml"
IMAGE = "localhost/interlock:0.1.0"
PREFIX = "interlock-"
MOUNTED = Path("/etc/kubernetes/admission")  # where the node sees what hack/kind.yaml mounts
ANSWER_SECONDS = 10.0
CREATE_SECONDS = 90  # estimate
BUILD_SECONDS = 60  # likewise


def lacking() -> str:
    """Why there can be no cluster of kind here; empty if there can be one."""
    missing = [program for program in ("kind", "docker") if not shutil.which(program)]
    if missing:
        return f"no {' and no '.join(missing)} on PATH"
    try:
        subprocess.run(["docker", "info"], capture_output=True, check=True, timeout=ANSWER_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return "Docker does not answer"
    return ""


def check() -> None:
    """Make sure that this machine can have one.

    Raises:
        ToolError: it cannot.
    """
    reason = lacking()
    if reason:
        raise ToolError(f"no cluster of kind on this machine: {reason}")


def make(state: State, *, bare: bool) -> None:
    """Create the cluster, and unless it is bare build Interlock's image and load it.

    Raises:
        ToolError: kind has a cluster of that name already, or a step failed.
    """
    if _name(state) in programs.capture("kind", "get", "clusters").split():
        raise ToolError(f"kind has a cluster {_name(state)} already: `kind delete cluster --name {_name(state)}`")
    configuration = _prepare(state)
    with console.step(f"cluster {state.name} of kind", CREATE_SECONDS):
        programs.capture(
            "kind", "create", "cluster", "--name", _name(state), "--config", configuration,
            "--kubeconfig", state.kubeconfig, "--wait", "2m",
        )  # fmt: skip
    if not bare:
        with console.step(f"image {IMAGE}", BUILD_SECONDS):
            programs.capture("docker", "build", "--file", "webhook/Dockerfile", "--tag", IMAGE, ".")
            programs.capture("kind", "load", "docker-image", IMAGE, "--name", _name(state))


def remove(state: State) -> None:
    """Delete the cluster as far as there is one that was made here.

    Raises:
        ToolError: kind could not.
    """
    if _configuration(state).exists():
        programs.capture("kind", "delete", "cluster", "--name", _name(state))


def _prepare(state: State) -> Path:
    """Write what the node mounts, and kind's configuration, which is also the mark that the cluster is ours."""
    mounted = state.config / "admission"
    mounted.mkdir()
    client = pki.authority(state.pki, "admission").client("admission-client", admission.USER)
    kubeconfig.save(mounted / "admission.kubeconfig", admission.credentials(client))
    kubeconfig.save(mounted / "admission.yaml", admission.configuration(MOUNTED / "admission.kubeconfig"))
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    [mount] = configuration["nodes"][0]["extraMounts"]
    mount["hostPath"] = str(mounted)
    kubeconfig.save(_configuration(state), configuration)
    return _configuration(state)


def _configuration(state: State) -> Path:
    return state.config / "kind.yaml"


def _name(state: State) -> str:
    return f"{PREFIX}{state.name}"
