"""Guards are replaced under load and no call is lost."""

import threading
from collections import Counter
from pathlib import Path

import orjson
import pytest

from tests.e2e import policies
from tests.support.api import Api
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"


class Stream(threading.Thread):
    """Deletes a guarded ConfigMap over and over; every answer is counted by its code."""

    def __init__(self, kubeconfig: str, namespace: str) -> None:
        super().__init__(daemon=True)
        self._api = Api(kubeconfig)
        self._path = f"/api/v1/namespaces/{namespace}/configmaps/guarded"
        self._over = threading.Event()
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        """Delete until told to stop."""
        with self._api:
            while not self._over.is_set():
                code, status = self._api.call("DELETE", self._path)
                denied = code == 403 and "e2e-rollout" in status.get("message", "")
                self.answers["denied by the policy" if denied else f"{code}: {status.get('message')}"] += 1

    def finish(self) -> Counter[str]:
        """Stop and return what was counted."""
        self._over.set()
        self.join(timeout=30)
        return self.answers


def test_rolling_restart_loses_nothing(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, audit_log: Path
) -> None:
    """A rolling restart of two guards under a stream of reviews fails no call and lets none through."""
    apply(policies.no_configmap_delete("e2e-rollout", namespace, audit={"durability": "Blocking"}))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    kubectl.must("wait", "-n", SYSTEM, "deployment/interlock-guard", "--for=condition=Available", "--timeout=60s")
    before = audit_log.stat().st_size
    streams = [Stream(kubectl.kubeconfig, namespace) for _ in range(2)]
    for stream in streams:
        stream.start()

    kubectl.must("rollout", "restart", "-n", SYSTEM, "deployment/interlock-guard")
    status = kubectl("rollout", "status", "-n", SYSTEM, "deployment/interlock-guard", "--timeout=55s")
    answers = sum((stream.finish() for stream in streams), Counter[str]())

    assert status.ok, status.err
    assert list(answers) == ["denied by the policy"], answers
    assert answers.total() > 100, "the stream was no load"
    assert _failed_calls(audit_log, before) == []


def _failed_calls(audit_log: Path, offset: int) -> list[str]:
    """Audit events since `offset` that tell of a webhook call that failed, open or closed."""
    with audit_log.open("rb") as log:
        log.seek(offset)
        events = [orjson.loads(line) for line in log.read().splitlines() if line.endswith(b"}")]
    failed = []
    for event in events:
        open_ = [key for key in event.get("annotations", {}) if key.startswith("failed-open")]
        closed = "failed calling webhook" in (event.get("responseStatus") or {}).get("message", "")
        if open_ or closed:
            failed.append(f"{event['verb']} {event['requestURI']}: {open_ or 'failed closed'}")
    return failed
