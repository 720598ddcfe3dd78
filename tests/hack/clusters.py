"""Helpers of the tests that bring up clusters of their own: hack/cluster as a user runs it, and what it leaves."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devtools.venv import ROOT

HACK_CLUSTER = ROOT / "hack" / "cluster"
DEADLINE_SECONDS = 90.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A state directory of the test's own, so that its clusters and the user's do not know of each other."""

    directory: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which hack/cluster uses it."""
        return {**os.environ, "XDG_STATE_HOME": str(self.directory)}

    def state(self, name: str) -> Path:
        """The directory of a cluster."""
        return self.directory / "interlock" / "clusters" / name

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run hack/cluster to its end."""
        return subprocess.run(
            [HACK_CLUSTER, *arguments], env=self.environment, capture_output=True, text=True, check=False
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start hack/cluster and return at once."""
        return subprocess.Popen(
            [HACK_CLUSTER, *arguments], env=self.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def kubectl(self, name: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run the kubectl of a cluster."""
        return subprocess.run(
            self.kubectl_command(name, *arguments),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_SECONDS,
        )

    def kubectl_command(self, name: str, *arguments: str) -> list[str]:
        """The command line of a cluster's kubectl."""
        state = self.state(name)
        return [f"{state}/bin/kubectl", f"--kubeconfig={state}/kubeconfig", *arguments]

    def left(self) -> tuple[list[str], list[Path]]:
        """Commands of processes, and files, that any cluster of this home has left."""
        return [_command(pid) for pid in self.processes()], sorted(_files(self.directory))

    def processes(self) -> list[int]:
        """Ids of the processes that any cluster of this home has started."""
        marker = f"INTERLOCK_CLUSTER={self.directory}".encode()
        return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and marker in _environ(each)]


def _files(directory: Path) -> list[Path]:
    """Everything below a directory, while others may be removing it."""
    return [Path(root) / name for root, directories, files in os.walk(directory) for name in (*directories, *files)]


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: it did not, in time.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(POLL_SECONDS)


def _environ(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:  # it has just ended
        return b""


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return f"{pid}, which has just ended"
