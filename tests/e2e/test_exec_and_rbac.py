"""Interactive access and privilege, end to end."""

import pytest

from tests.e2e import policies
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster


def _pod(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web-0", "namespace": namespace},
            "spec": {"containers": [{"name": "web", "image": "simulated:1"}]},
        }
    )
    eventually(
        lambda: kubectl.get("pod", "web-0", "-n", namespace)["status"].get("phase") == "Running",
        seconds=30,
        what="pod runs",
    )


def test_exec_denied_and_allowed(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """exec into a guarded pod is denied; without the policy the same command really runs."""
    _pod(kubectl, namespace)
    command = ("exec", "-n", namespace, "web-0", "--", "echo", "really", "ran")
    allowed = kubectl(*command)
    apply(policies.policy("e2e-no-exec", match={"actions": ["exec"], "namespaces": {"names": [namespace]}}))

    denied = kubectl(*command)

    assert (allowed.ok, allowed.out) == (True, "really ran\n"), allowed.err
    assert (denied.ok, denied.out) == (False, "")
    assert "e2e-no-exec" in denied.err


@pytest.mark.parametrize("who", [(), ("--as", "alice", "--as-group", "system:masters")], ids=["admin", "masters"])
def test_cluster_admin_binding_denied(kubectl: Kubectl, apply: policies.Apply, who: tuple[str, ...]) -> None:
    """Binding somebody to cluster-admin is denied, for system:masters too."""
    apply(policies.policy("e2e-no-admins", match={"actions": ["grant-admin"]}))

    outcome = kubectl("create", "clusterrolebinding", "e2e-oops", "--clusterrole=cluster-admin", "--user=eve", *who)

    assert (outcome.ok, "e2e-no-admins" in outcome.err) == (False, True), outcome.err
    assert not kubectl("get", "clusterrolebinding", "e2e-oops").ok


def test_excluded_subject_passes(kubectl: Kubectl, apply: policies.Apply) -> None:
    """The account that a policy excludes may do what others may not."""
    exclude = [{"subjects": {"serviceAccounts": ["platform/pipeline"]}}]
    apply(policies.policy("e2e-no-admins", match={"actions": ["grant-admin"]}, exclude=exclude))
    pipeline = ("--as", "system:serviceaccount:platform:pipeline", "--as-group", "system:masters")

    outcome = kubectl("create", "clusterrolebinding", "e2e-fine", "--clusterrole=view", "--user=eve", *pipeline)
    kubectl("delete", "clusterrolebinding", "e2e-fine")

    assert outcome.ok, outcome.err
