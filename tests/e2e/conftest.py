"""Fixtures of the end-to-end suite: a cluster with Interlock installed by Helm, given by `hack/test`."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.e2e import policies
from tests.support.kubectl import Kubectl, eventually

SYSTEM = "interlock-system"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what only a real node shows where there is none; it is said why."""
    if item.get_closest_marker("real_node") and os.environ.get("INTERLOCK_TEST_PROVIDER") != "node":
        pytest.skip("needs a real node: INTERLOCK_NODE=1 hack/test e2e")


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """Cluster-admin's kubectl."""
    return Kubectl(kubeconfig=os.environ["INTERLOCK_TEST_KUBECONFIG"])


@pytest.fixture(scope="session")
def audit_log() -> Path:
    """The API server's own audit log."""
    return Path(os.environ["INTERLOCK_TEST_AUDIT_LOG"])


@pytest.fixture(scope="session")
def notary_key(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notary's public key as a user saves it once."""
    found = kubectl.get("configmap", "interlock-notary", "-n", SYSTEM)
    path = tmp_path_factory.mktemp("key") / "notary.pub"
    path.write_text(found["data"]["notary.pub"])
    return path


@pytest.fixture
def apply(kubectl: Kubectl) -> Iterator[policies.Apply]:
    """Apply a policy and return when it is in force; removed again at the end, and its rules with it."""
    applied: list[str] = []

    def _apply(policy: policies.Policy) -> None:
        applied.append(policy["metadata"]["name"])
        kubectl.apply(policy)
        wait_in_force(kubectl, applied[-1])

    yield _apply
    for name in applied:
        kubectl.must("delete", "dangerpolicy", name, "--ignore-not-found")


@pytest.fixture
def namespace(kubectl: Kubectl, request: pytest.FixtureRequest) -> Iterator[str]:
    """A production namespace of the test's own."""
    words = request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")
    name = f"prod-{words[:40].strip('-')}-{secrets.token_hex(2)}"  # the last one of this name may still be going
    kubectl.must("create", "namespace", name)
    kubectl.must("label", "namespace", name, "env=production")
    yield name
    kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def wait_in_force(kubectl: Kubectl, name: str, *, seconds: float = 20) -> None:
    """Poll until the policy's newest generation is in force."""

    def _in_force() -> bool:
        found = kubectl.get("dangerpolicy", name)
        status = found.get("status", {})
        conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
        current = status.get("observedGeneration") == found["metadata"]["generation"]
        return current and conditions.get("InForce") == "True"

    eventually(_in_force, seconds=seconds, what=f"{name} in force")


def failed_calls(audit_log: Path, offset: int) -> list[str]:
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
