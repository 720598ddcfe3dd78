"""From `kubectl apply` to the first denial: a policy is in force in less than two seconds, and its status says so."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest

from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.e2e.conftest import SYSTEM
from tests.support.api import Api
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster

IN_FORCE_SECONDS = 2.0  # promised
HEARD_SECONDS = 60.0  # a dead API server is waited for, and then asked again every five seconds
DEAD = "192.0.2.1"  # nobody is there (RFC 5737)
EMPTY_SLICE: JsonObject = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {"labels": {"kubernetes.io/service-name": "kubernetes"}},
    "addressType": "IPv4",
    "endpoints": [],
    "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
}
POLICIES = "/apis/interlock.dev/v1alpha1/dangerpolicies"


def test_in_force_in_time(kubectl: Kubectl, namespace: str) -> None:
    """A new policy denies within two seconds of its creation, and stops denying within two of its deletion."""
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    policy = policies.no_configmap_delete(f"in-force-{secrets.token_hex(3)}", namespace)
    name = policy["metadata"]["name"]
    with Api(kubectl.kubeconfig) as api:
        assert api.call("POST", POLICIES, policy)[0] == 201
        denied_after = _seconds_until(api, namespace, 403)
        status = eventually(lambda: _in_force(api, name), seconds=IN_FORCE_SECONDS, what="status says in force")
        assert api.call("DELETE", f"{POLICIES}/{name}")[0] == 200
        free_after = _seconds_until(api, namespace, 200)

    assert status is not None
    assert max(denied_after, free_after) < IN_FORCE_SECONDS
    assert (status["reason"], status["observedGeneration"]) == ("Asked", 1)


def test_without_policies_nothing_is_intercepted(kubectl: Kubectl) -> None:
    """Once the last policy is gone only Interlock's own kinds are sent to it."""
    assert kubectl.get("dangerpolicies")["items"] == [], "another test left a policy behind"

    def _own_kinds_only() -> bool:
        configuration = kubectl.get("validatingwebhookconfiguration", "interlock")
        names = [webhook["name"] for webhook in configuration["webhooks"]]
        return names == ["self.interlock.dev", "probe.interlock.dev"]

    eventually(_own_kinds_only, seconds=IN_FORCE_SECONDS * 2, what="nothing but own kinds")


def test_every_api_server_is_asked(kubectl: Kubectl, namespace: str) -> None:
    """An API server that does not answer keeps policies from being in force, and is named until it is gone."""
    policy = policies.no_configmap_delete(f"asked-{secrets.token_hex(3)}", namespace)
    name = policy["metadata"]["name"]
    with Api(kubectl.kubeconfig) as api:
        with _one_more_api_server(kubectl) as others:
            assert api.call("POST", POLICIES, policy)[0] == 201
            behind = eventually(
                lambda: next((found for found in [_condition(api, name)] if DEAD in found["message"]), None),
                seconds=HEARD_SECONDS,
                what="one API server behind",
            )
        eventually(lambda: _in_force(api, name), seconds=HEARD_SECONDS, what="in force once it is gone")
        told = api.call("GET", f"{POLICIES}/{name}")[1]["status"]["apiServers"]
        assert api.call("DELETE", f"{POLICIES}/{name}")[0] == 200

    assert behind is not None
    assert behind["message"].startswith(f"{others} of {others + 1} API servers ask by this version; {DEAD}:")
    assert told == f"{max(others, 1)}/{max(others, 1)}"
    assert not kubectl("get", "configmap", "interlock-probe", "-n", SYSTEM).ok


@contextmanager
def _one_more_api_server(kubectl: Kubectl) -> Iterator[int]:
    """Have an address among those of API servers where none is; gives how many others there are."""
    found = kubectl("get", "endpointslice", "kubernetes", "-n", "default", "-o", "json")
    slice_ = orjson.loads(found.out) if found.ok else EMPTY_SLICE
    others = slice_["endpoints"]
    metadata = {"name": "kubernetes", "namespace": "default", "labels": slice_["metadata"]["labels"]}
    kubectl.apply(slice_ | {"metadata": metadata, "endpoints": [*others, {"addresses": [DEAD]}]})
    try:
        yield len(others)
    finally:
        kubectl.must("delete", "endpointslice", "kubernetes", "-n", "default")  # API servers write their own anew


def test_one_controller_leads(kubectl: Kubectl) -> None:
    """The Lease names a pod that exists, and a killed leader is followed by the other one."""
    first = _leader(kubectl)
    kubectl.must("delete", "pod", "-n", SYSTEM, first, "--wait=false")
    second = eventually(
        lambda: (found := _leader(kubectl)) != first and found, seconds=30, what="another controller leads"
    )

    assert second in _controllers(kubectl)
    kubectl.must("rollout", "status", "-n", SYSTEM, "deployment/interlock-controller", "--timeout=60s")


def _leader(kubectl: Kubectl) -> str:
    """The pod that holds the Lease; empty while nobody does."""
    spec = kubectl.get("lease", "interlock-controller", "-n", SYSTEM)["spec"]
    return str(spec.get("holderIdentity") or "").partition("_")[0]


def _controllers(kubectl: Kubectl) -> set[str]:
    items = kubectl.get("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=controller")["items"]
    return {item["metadata"]["name"] for item in items}


def _seconds_until(api: Api, namespace: str, code: int) -> float:
    """How long until a rehearsed deletion is answered so; each rehearsal is a review."""
    begun = time.monotonic()
    path = f"/api/v1/namespaces/{namespace}/configmaps/guarded?dryRun=All"
    eventually(lambda: api.call("DELETE", path)[0] == code, seconds=30, what=f"answer {code}")
    return time.monotonic() - begun


def _condition(api: Api, name: str) -> JsonObject:
    conditions = api.call("GET", f"{POLICIES}/{name}")[1].get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == "InForce"), {"status": "Unknown", "reason": "", "message": ""})


def _in_force(api: Api, name: str) -> JsonObject | None:
    found = _condition(api, name)
    return found if found["status"] == "True" else None
