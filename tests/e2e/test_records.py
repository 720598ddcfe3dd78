"""Records: signed, joined to the API server's audit log, and provable."""

import subprocess
from pathlib import Path

import orjson
import pytest

from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster


def _records(kubectl: Kubectl) -> list[JsonObject]:
    command = ["interlock", "ledger", "show", "--from-cluster", "--output", "json", "--kubeconfig", kubectl.kubeconfig]
    done = subprocess.run(command, check=True, text=True, capture_output=True, timeout=60)
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def _audit_events(audit_log: Path) -> list[JsonObject]:
    lines = audit_log.read_bytes().splitlines()
    return [orjson.loads(line) for line in lines if line.endswith(b"}")]


def _sent_events(audit_log: Path) -> list[JsonObject]:
    """What the API server has sent to its audit webhook; each line is a list."""
    return [event for sent in _audit_events(audit_log.with_name("audit-webhook.log")) for event in sent["items"]]


def test_denial_is_recorded_and_joined(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, audit_log: Path
) -> None:
    """A denial has one record, and the API server's own audit event names it, in the log and at the webhook."""
    apply(policies.no_namespace_delete("e2e-recorded", namespace))
    assert not kubectl("delete", "namespace", namespace, "--wait=false").ok

    [record] = [r for r in _records(kubectl) if r["target"]["name"] == namespace and r["operation"] == "DELETE"]
    key = "enforce.interlock.dev/rec-" + record["id"].replace("-", "")[-12:]

    def _named(events: list[JsonObject]) -> list[JsonObject]:
        return [event for event in events if key in event.get("annotations", {})]

    [event] = eventually(lambda: _named(_audit_events(audit_log)), seconds=10, what=f"audit event with {key}")
    [sent] = eventually(lambda: _named(_sent_events(audit_log)), seconds=10, what=f"webhook event with {key}")
    assert (record["verdict"], event["objectRef"]["name"], event["verb"]) == ("Deny", namespace, "delete")
    assert event["annotations"][key].startswith(f"Deny {record['lane']}/{record['sequence']} ")
    assert (sent["auditID"], sent["annotations"]) == (event["auditID"], event["annotations"])


def test_policy_changes_are_recorded(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """Creating, weakening and deleting a policy are records of their own that say whether they loosen."""
    policy = policies.no_namespace_delete(f"e2e-{namespace[-4:]}", namespace)
    name = policy["metadata"]["name"]
    apply(policy)
    kubectl.must("patch", "dangerpolicy", name, "--type=merge", "-p", '{"spec": {"mode": "Observe"}}')
    wait_in_force(kubectl, name)  # a status that is written during the deletion would have it reviewed twice
    kubectl.must("delete", "dangerpolicy", name)

    found = [record for record in _records(kubectl) if record["target"]["name"] == name]

    assert [(record["kind"], record["operation"], record["loosens"]) for record in found] == [
        ("PolicyChange", "CREATE", False),
        ("PolicyChange", "UPDATE", True),
        ("PolicyChange", "DELETE", True),
    ]
    assert found[1]["changes"] == [{"field": "spec.mode", "before": '"Enforce"', "after": '"Observe"'}]


def test_verify_proves_the_cluster(kubectl: Kubectl, notary_key: Path) -> None:
    """`interlock verify --from-cluster` exits 0 and says what it cannot see."""
    command = ["interlock", "verify", "--from-cluster", "--key", str(notary_key), "--kubeconfig", kubectl.kubeconfig]
    done = subprocess.run(command, check=False, text=True, capture_output=True, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "proven" in done.stdout
    assert "cannot be seen" in done.stdout


def test_verify_with_another_key_proves_nothing(kubectl: Kubectl, tmp_path: Path) -> None:
    """A key that is not the notary's never ends in `proven`."""
    other = tmp_path / "other.pub"
    other.write_text("interlock.dev/other+3d5c1f3e+AW3vd4q4cXj7xoK1N6lUQ2pJ4s0lqk2rYJ5n6w7x8y9z\n")
    command = ["interlock", "verify", "--from-cluster", "--key", str(other), "--kubeconfig", kubectl.kubeconfig]
    done = subprocess.run(command, check=False, text=True, capture_output=True, timeout=60)

    assert done.returncode != 0, done.stdout
