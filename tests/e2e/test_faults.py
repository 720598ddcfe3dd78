"""Parts of Interlock die or are cut off; what happens then is stated here."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"


@contextmanager
def _scaled(kubectl: Kubectl, deployment: str, replicas: int) -> Iterator[None]:
    """Scale a Deployment of ours and wait for it; back to two at the end."""
    _scale(kubectl, deployment, replicas)
    try:
        yield
    finally:
        _scale(kubectl, deployment, 2)


def _scale(kubectl: Kubectl, deployment: str, replicas: int) -> None:
    kubectl.must("scale", "-n", SYSTEM, f"deployment/{deployment}", f"--replicas={replicas}")

    def _settled() -> bool:
        component = deployment.removeprefix("interlock-")
        pods = kubectl.get("pods", "-n", SYSTEM, "-l", f"app.kubernetes.io/component={component}")["items"]
        ready = kubectl.get("deployment", deployment, "-n", SYSTEM)["status"].get("readyReplicas", 0)
        return [len(pods), ready] == [replicas, replicas]

    eventually(_settled, seconds=150, what=f"{deployment} at {replicas}")


def _verify(kubectl: Kubectl, key: Path) -> subprocess.CompletedProcess[str]:
    command = ["interlock", "verify", "--from-cluster", "--key", str(key), "--kubeconfig", kubectl.kubeconfig]
    return subprocess.run(command, check=False, text=True, capture_output=True, timeout=60)


def test_guards_dead(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """Without guards a guarded delete fails closed, an unguarded one passes, and the policy can be deleted."""
    apply(policies.no_configmap_delete("e2e-dead", namespace))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    kubectl.must("create", "secret", "generic", "free", "-n", namespace)

    with _scaled(kubectl, "interlock-guard", 0):
        guarded = kubectl("delete", "configmap", "guarded", "-n", namespace)
        free = kubectl("delete", "secret", "free", "-n", namespace)
        policy = kubectl("delete", "dangerpolicy", "e2e-dead")

    assert (guarded.ok, "failed calling webhook" in guarded.err) == (False, True), guarded.err
    assert (free.ok, policy.ok) == (True, True), free.err + policy.err


def test_controller_dead(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """Without a controller the guards go on deciding by what they know, newest policy text included."""
    apply(policies.no_configmap_delete("e2e-headless", namespace))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)

    with _scaled(kubectl, "interlock-controller", 0):
        outcome = kubectl("delete", "configmap", "guarded", "-n", namespace)

    assert (outcome.ok, "e2e-headless" in outcome.err) == (False, True), outcome.err


def test_uncertified_lane_is_incomplete(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, notary_key: Path
) -> None:
    """A guard that started without a controller decides; verify says incomplete until its lane is certified."""
    apply(policies.no_configmap_delete("e2e-uncertified", namespace))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)

    with _scaled(kubectl, "interlock-controller", 0):
        with _scaled(kubectl, "interlock-guard", 0):
            pass
        outcome = kubectl("delete", "configmap", "guarded", "-n", namespace)
        report = _verify(kubectl, notary_key)

    assert (outcome.ok, "e2e-uncertified" in outcome.err) == (False, True), outcome.err
    assert (report.returncode, "uncertified" in report.stdout) == (2, True), report.stdout
    eventually(lambda: _verify(kubectl, notary_key).returncode == 0, seconds=60, what="lanes certified")


def test_ledger_refused_means_no_allow(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """Under BlockingStrict an allow that cannot be recorded is refused, and says so; afterwards it passes."""
    strict = {"durability": "BlockingStrict"}
    apply(policies.no_configmap_delete("e2e-strict", namespace, verdict="Allow", audit=strict))
    for name in ("first", "second"):
        kubectl.must("create", "configmap", name, "-n", namespace)
    binding = kubectl.get("rolebinding", "interlock-guard", "-n", SYSTEM)
    kubectl.must("delete", "rolebinding", "interlock-guard", "-n", SYSTEM)
    try:
        refused = kubectl("delete", "configmap", "first", "-n", namespace)
    finally:
        kubectl.apply(
            {key: binding[key] for key in ("apiVersion", "kind", "roleRef", "subjects")}
            | {"metadata": {key: binding["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}}
        )

    assert (refused.ok, "record" in refused.err) == (False, True), refused.err
    eventually(lambda: kubectl("delete", "configmap", "second", "-n", namespace).ok, seconds=60, what="recording again")


def test_disarmed_by_deleting_the_configuration(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """Deleting the webhook configuration switches Interlock off, at once; `helm upgrade` switches it on again."""
    apply(policies.no_configmap_delete("e2e-armed", namespace))
    for name in ("first", "second"):
        kubectl.must("create", "configmap", name, "-n", namespace)
    configuration = kubectl.get("validatingwebhookconfiguration", "interlock")

    kubectl.must("delete", "validatingwebhookconfiguration", "interlock")
    disarmed = kubectl("delete", "configmap", "first", "-n", namespace)
    metadata = {key: configuration["metadata"][key] for key in ("name", "labels", "annotations")}
    kubectl.must("create", "-f", "-", stdin=_json({**configuration, "metadata": metadata, "webhooks": []}))

    assert disarmed.ok, disarmed.err
    eventually(
        lambda: "e2e-armed" in kubectl("delete", "configmap", "second", "-n", namespace, "--dry-run=server").err,
        seconds=30,
        what="armed again",
    )
    wait_in_force(kubectl, "e2e-armed")


def _json(document: object) -> str:
    return orjson.dumps(document).decode()
