"""The main job: the fatal delete does not get through, whoever asks and however."""

import pytest

from tests.e2e import policies
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.cluster

EVERYBODY = {
    "cluster-admin by certificate": (),
    "impersonated system:masters": ("--as", "root", "--as-group", "system:masters"),
    "impersonated namespace controller": (
        "--as",
        "system:serviceaccount:kube-system:namespace-controller",
        "--as-group",
        "system:masters",
    ),
    "Interlock's own controller account": (
        "--as",
        "system:serviceaccount:interlock-system:interlock-controller",
        "--as-group",
        "system:masters",
    ),
}


@pytest.mark.parametrize("who", EVERYBODY.values(), ids=EVERYBODY.keys())
def test_delete_denied(kubectl: Kubectl, apply: policies.Apply, namespace: str, who: tuple[str, ...]) -> None:
    """A guarded namespace is not deleted by anybody, under any identity."""
    apply(policies.no_namespace_delete("e2e-no-delete", namespace))

    outcome = kubectl("delete", "namespace", namespace, "--wait=false", *who)

    assert (outcome.ok, "denied the request: Denied (Critical)" in outcome.err) == (False, True), outcome.err
    assert kubectl.get("namespace", namespace)["status"]["phase"] == "Active"


def test_message_tells_what_to_do(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """The denial names verdict, policy, what was attempted, the author's advice and the record, in this order."""
    apply(policies.no_namespace_delete("e2e-no-delete", namespace, message="Ask in #prod-change."))

    text = kubectl("delete", "namespace", namespace, "--wait=false").err

    parts = ["Denied (Critical)", "e2e-no-delete", namespace, "Ask in #prod-change.", "record"]
    places = [text.find(part) for part in parts]
    assert -1 not in places, text
    assert places == sorted(places), text


def test_other_namespaces_are_free(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """A policy on one namespace does not disturb another."""
    apply(policies.no_namespace_delete("e2e-no-delete", namespace))
    kubectl.must("create", "namespace", f"free-{namespace}")

    assert kubectl("delete", "namespace", f"free-{namespace}").ok


def test_dry_run_leaves_no_trace(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """--dry-run=server is answered like the real thing and leaves no record."""
    apply(policies.no_namespace_delete("e2e-no-delete", namespace))
    before = kubectl.must("get", "configmaps", "-n", "interlock-system", "-l", "interlock.dev/ledger", "-o", "name").out

    outcome = kubectl("delete", "namespace", namespace, "--dry-run=server")

    after = kubectl.must("get", "configmaps", "-n", "interlock-system", "-l", "interlock.dev/ledger", "-o", "name").out
    assert not outcome.ok
    assert "dry run" in outcome.err
    assert before == after


def test_warn_lets_pass_and_says_so(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """Verdict Warn allows the request and the user reads the warning."""
    apply(policies.no_configmap_delete("e2e-warn", namespace, verdict="Warn", message="Think twice."))
    kubectl.must("create", "configmap", "settings", "-n", namespace)

    outcome = kubectl("delete", "configmap", "settings", "-n", namespace)

    assert outcome.ok, outcome.err
    assert "Warning:" in outcome.err
    assert "Think twice." in outcome.err


def test_observe_never_disturbs(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """An observing policy neither stops nor warns."""
    apply(policies.no_configmap_delete("e2e-observe", namespace, mode="Observe"))
    kubectl.must("create", "configmap", "settings", "-n", namespace)

    outcome = kubectl("delete", "configmap", "settings", "-n", namespace)

    assert (outcome.ok, outcome.err) == (True, "")


def test_leaving_protection_is_denied(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """The label that puts a namespace under a policy cannot be taken off to get round it."""
    match = {"actions": ["delete-namespace"], "namespaces": {"selector": {"matchLabels": {"guard": namespace}}}}
    kubectl.must("label", "namespace", namespace, f"guard={namespace}")
    apply(policies.policy("e2e-leave", match=match))

    outcome = kubectl("label", "namespace", namespace, "guard-")

    assert not outcome.ok
    assert "leave-protection" in outcome.err or "protection" in outcome.err
    assert kubectl.get("namespace", namespace)["metadata"]["labels"]["guard"] == namespace
