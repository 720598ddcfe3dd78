"""Guards are replaced under load and no call is lost."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e import policies
from tests.e2e.conftest import failed_calls
from tests.support.kubectl import Kubectl
from tests.support.stream import Stream, denied_by

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"


def test_upgrade_and_rollback_lose_nothing(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, audit_log: Path
) -> None:
    """`helm upgrade` and `helm rollback` under a stream of reviews fail no call, and keys and certificates stay."""
    apply(policies.no_configmap_delete("e2e-upgrade", namespace, audit={"durability": "Blocking"}))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    before, keys = audit_log.stat().st_size, _keys(kubectl)
    target = f"/api/v1/namespaces/{namespace}/configmaps/guarded"
    release = ("interlock", "-n", SYSTEM, "--wait", "--timeout=110s")

    with Stream(kubectl.kubeconfig, "DELETE", target, denied_by("e2e-upgrade")) as stream:
        _helm("upgrade", *release, "charts/interlock", "--reuse-values", "--set", "guard.podAnnotations.upgraded=yes")
        _helm("rollback", *release)

    assert list(stream.answers) == ["denied"], stream.answers
    assert failed_calls(audit_log, before) == []
    assert _keys(kubectl) == keys


def _helm(*arguments: str) -> None:
    done = subprocess.run(["helm", *arguments], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def _keys(kubectl: Kubectl) -> dict[str, object]:
    """What an upgrade must not touch: the data of our Secrets by name."""
    secrets = kubectl.get("secrets", "-n", SYSTEM)["items"]
    ours = [each for each in secrets if each["type"] != "helm.sh/release.v1"]
    return {each["metadata"]["name"]: each["data"] for each in ours}


def test_rolling_restart_loses_nothing(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, audit_log: Path
) -> None:
    """A rolling restart of two guards under a stream of reviews fails no call and lets none through."""
    apply(policies.no_configmap_delete("e2e-rollout", namespace, audit={"durability": "Blocking"}))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    kubectl.must("wait", "-n", SYSTEM, "deployment/interlock-guard", "--for=condition=Available", "--timeout=60s")
    before = audit_log.stat().st_size
    target = f"/api/v1/namespaces/{namespace}/configmaps/guarded"
    one, two = (Stream(kubectl.kubeconfig, "DELETE", target, denied_by("e2e-rollout")) for _ in range(2))

    with one, two:
        kubectl.must("rollout", "restart", "-n", SYSTEM, "deployment/interlock-guard")
        status = kubectl("rollout", "status", "-n", SYSTEM, "deployment/interlock-guard", "--timeout=55s")

    answers = one.answers + two.answers
    assert status.ok, status.err
    assert list(answers) == ["denied"], answers
    assert answers.total() > 100, "the stream was no load"
    assert failed_calls(audit_log, before) == []
