"""Guards are replaced under load and no call is lost."""

from pathlib import Path

import pytest

from tests.e2e import policies
from tests.e2e.conftest import failed_calls
from tests.support.kubectl import Kubectl
from tests.support.stream import Stream, denied_by

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"


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
