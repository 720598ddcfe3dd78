"""Interlock uninstalled, and its namespace deleted by force, with its pods alive on a real node; and installed again.

The ledger and its key go with the namespace, so this comes last.
"""

import os
import subprocess
from pathlib import Path

import pytest

from devtools.cluster import install
from devtools.cluster.state import State
from tests.e2e import policies
from tests.support.kubectl import Kubectl, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.real_node]

SYSTEM = "interlock-system"
HEALED_SECONDS = 60.0
STATE = State(directory=Path(os.environ.get("INTERLOCK_TEST_STATE", "/none")))


def test_uninstalled_with_pods_alive(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """`helm uninstall` ends all interception at once, pods and all; installed again, the same policies are in force."""
    apply(policies.no_configmap_delete("e2e-uninstalled", namespace))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)

    _run("helm", "uninstall", "interlock", "-n", SYSTEM)
    freed = kubectl("delete", "configmap", "guarded", "-n", namespace, "--dry-run=server")
    install.install(STATE)
    eventually(lambda: _denied_by(kubectl, namespace, "e2e-uninstalled"), seconds=HEALED_SECONDS, what="denied again")

    assert freed.ok, freed.err


def test_namespace_deleted_by_force(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """Without Interlock's namespace what it guards fails closed and all else goes on, until somebody disarms."""
    apply(policies.no_configmap_delete("e2e-orphaned", namespace))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    kubectl.must("delete", "namespace", SYSTEM, "--wait=false")
    kubectl.must("delete", "pods", "--all", "--force", "--grace-period=0", "-n", SYSTEM)
    kubectl.must("wait", "namespace", SYSTEM, "--for=delete", "--timeout=150s")

    orphaned = kubectl("delete", "configmap", "guarded", "-n", namespace)
    unguarded = kubectl("create", "configmap", "free", "-n", namespace)
    _run("interlock", "disarm", "--yes")
    freed = kubectl("delete", "configmap", "guarded", "-n", namespace, "--dry-run=server")
    install.install(STATE)
    eventually(lambda: _denied_by(kubectl, namespace, "e2e-orphaned"), seconds=HEALED_SECONDS, what="denied again")

    assert "failed calling webhook" in orphaned.err
    assert (unguarded.ok, freed.ok) == (True, True), (unguarded.err, freed.err)


def _denied_by(kubectl: Kubectl, namespace: str, policy: str) -> bool:
    """Whether a rehearsed deletion is denied; the policy's own status may still be that from before."""
    return policy in kubectl("delete", "configmap", "guarded", "-n", namespace, "--dry-run=server").err


def _run(*command: str) -> None:
    """Run one of the cluster's programs."""
    subprocess.run(command, check=True, capture_output=True, timeout=HEALED_SECONDS * 2)
