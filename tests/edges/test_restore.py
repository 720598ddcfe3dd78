"""etcd is put back to an older state under running guards: they and the controller follow it back, by themselves."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.kubectl import Kubectl, eventually
from tests.support.processes import kill_daemon

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        bool(os.environ.get("INTERLOCK_TEST_KUBECONFIG")) and not os.environ.get("INTERLOCK_TEST_ETCD"),
        reason="a given cluster's processes are out of reach",
    ),
]

HEALED_SECONDS = 90.0


def test_etcd_restored(kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Callable[..., None]) -> None:
    """A policy that the backup holds is decided by again, one made later is forgotten, and changes are followed."""
    state = Path(os.environ["INTERLOCK_TEST_STATE"])
    apply(policies.no_configmap_delete("edge-older", namespace, message="as in the backup"))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    _back_up(state)
    kubectl.must("patch", "dangerpolicy", "edge-older", "--type=merge", "-p", '{"spec": {"message": "made later"}}')
    apply(
        policies.policy(
            "edge-later",
            match={
                "operations": ["DELETE"],
                "resources": [{"groups": [""], "resources": ["secrets"]}],
                "namespaces": {"names": [namespace]},
            },
        )
    )
    kubectl.must("create", "secret", "generic", "free", "-n", namespace)
    begun = time.monotonic()
    _restore(state)

    eventually(lambda: _says(kubectl, namespace, "as in the backup"), seconds=HEALED_SECONDS, what="the older text")
    older = time.monotonic() - begun
    kubectl.must("create", "secret", "generic", "free", "-n", namespace)
    eventually(
        lambda: kubectl("delete", "secret", "free", "-n", namespace).ok,
        seconds=HEALED_SECONDS,
        what="the ghost is gone",
    )
    forgotten = time.monotonic() - begun
    kubectl.must("patch", "dangerpolicy", "edge-older", "--type=merge", "-p", '{"spec": {"message": "after it all"}}')
    wait_in_force(kubectl, "edge-older", seconds=HEALED_SECONDS)
    followed = time.monotonic() - begun
    for _ in range(10):
        assert _says(kubectl, namespace, "after it all")
    edge(
        scenario="etcd restored to an older revision",
        load="1 policy changed and 1 made since the backup",
        outcome=(
            f"decided by the older policy after {older:.1f} s, the lost one forgotten after {forgotten:.1f} s, "
            f"a new change in force after {followed:.1f} s"
        ),
    )


def _says(kubectl: Kubectl, namespace: str, text: str) -> bool:
    found = kubectl("delete", "configmap", "guarded", "-n", namespace)
    assert not found.ok
    return text in found.err


def _pid(state: Path) -> int:
    return int(orjson.loads((state / "processes" / "etcd.json").read_bytes())["pid"])


def _back_up(state: Path) -> None:
    os.kill(_pid(state), signal.SIGSTOP)
    try:
        shutil.copytree(state / "etcd", state / "etcd-backup")
    finally:
        os.kill(_pid(state), signal.SIGCONT)


def _restore(state: Path) -> None:
    """Within the pause that the supervisor makes before it starts etcd again."""
    kill_daemon(state, "etcd")
    kill_daemon(state, "kube-apiserver")
    (state / "etcd").rename(state / "etcd-lost")
    (state / "etcd-backup").rename(state / "etcd")
    shutil.rmtree(state / "etcd-lost")
