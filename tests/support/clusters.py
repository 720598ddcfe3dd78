"""Clusters of a test's own, for what would leave nothing of use to others."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devtools import cluster
from devtools.cluster import install, state
from tests.support.kubectl import Kubectl, Outcome

COMMAND_SECONDS = 120.0  # a command that takes longer is hung


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCluster:
    """A control plane of the test's own.

    Attributes:
        made: where everything is.
    """

    made: cluster.Cluster

    @property
    def kubectl(self) -> Kubectl:
        """Its administrator's kubectl."""
        return Kubectl(kubeconfig=str(self.made.kubeconfig))

    @property
    def values(self) -> Path:
        """The values that Interlock was installed with here."""
        return self.made.state / "config" / "values.yaml"

    def install(self) -> None:
        """Install Interlock, as `hack/cluster up` does."""
        install.install(state.of(self.made.name))

    def restart(self) -> None:
        """Cut the power, and switch it on again."""
        cluster.restart(self.made.name)

    def run(self, *command: str) -> Outcome:
        """Run helm, interlock or another of the cluster's programs as its administrator; the outcome is returned."""
        done = subprocess.run(
            [str(self.made.bin / command[0]), *command[1:]],
            env=self.made.environment,
            check=False,
            text=True,
            capture_output=True,
            timeout=COMMAND_SECONDS,
        )
        return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)

    def must(self, *command: str) -> Outcome:
        """Run a program where only success makes sense."""
        outcome = self.run(*command)
        assert outcome.ok, f"{' '.join(command)}: {outcome.out}{outcome.err}"
        return outcome


@contextmanager
def own_cluster(name: str, *, bare: bool = False) -> Iterator[OwnCluster]:
    """A cluster with Interlock, or bare; gone afterwards, whatever became of it."""
    full_name = f"{name}-{os.getpid()}"
    try:
        yield OwnCluster(made=cluster.up(full_name, "local", bare=bare))
    finally:
        cluster.down(full_name)
