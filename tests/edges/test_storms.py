"""Policies change faster than anybody could follow, and every decision is still by the newest or the one before."""

import time
from collections.abc import Callable

import pytest

from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.api import Api
from tests.support.kubectl import Kubectl
from tests.support.stream import Stream, denied_by

pytestmark = pytest.mark.cluster

CHANGES, A_SECOND = 150, 10
SETTLED_SECONDS = 10.0


def test_policy_storm(kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Callable[..., None]) -> None:
    """Ten changes a second for a quarter of a minute: no call fails, none gets through, and the status settles."""
    apply(policies.no_configmap_delete("edge-storm", namespace))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    target = f"/api/v1/namespaces/{namespace}/configmaps/guarded"

    with (
        Stream(kubectl.kubeconfig, "DELETE", target, denied_by("edge-storm")) as stream,
        Api(kubectl.kubeconfig) as api,
    ):
        begun = time.monotonic()
        codes = {_change(api, number, begun) for number in range(CHANGES)}
        rate = CHANGES / (time.monotonic() - begun)

    ended = time.monotonic()
    wait_in_force(kubectl, "edge-storm", seconds=SETTLED_SECONDS)
    settled = time.monotonic() - ended
    last = kubectl("delete", "configmap", "guarded", "-n", namespace).err
    assert codes == {200}
    assert list(stream.answers) == ["denied"], stream.answers
    assert f"change {CHANGES - 1}" in last
    edge(
        scenario="policy storm",
        load=f"{rate:.0f} changes/s, {stream.answers.total()} reviews",
        outcome=f"all denied, no failed call, in force {settled:.1f} s after the last change",
    )


def _change(api: Api, number: int, begun: float) -> int:
    """Change the policy's text at its place in the storm; the API server's answer."""
    time.sleep(max(0.0, begun + number / A_SECOND - time.monotonic()))  # the storm's own pace
    body = {"spec": {"message": f"change {number}"}}
    return api.call("PATCH", "/apis/interlock.dev/v1alpha1/dangerpolicies/edge-storm", body)[0]
