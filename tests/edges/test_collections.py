"""A deletecollection that is let through and recorded: how much longer it takes than without Interlock."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e import policies
from tests.edges.conftest import Tell
from tests.support import bystander, ledgers
from tests.support.api import Api
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster

MEMBERS = 5000
WORKERS = 4
EMPTY_SECONDS = 60.0  # an API server ends a longer request itself
MAX_RATIO = 2.5  # to a webhook that does nothing, on a machine that does other things too


def _fill(kubectl: Kubectl, namespace: str) -> None:
    """Create the members."""
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda first: _create(kubectl, namespace, range(first, MEMBERS, WORKERS)), range(WORKERS)))


def _create(kubectl: Kubectl, namespace: str, numbers: range) -> None:
    with Api(kubectl.kubeconfig) as api:
        for number in numbers:
            body = {"metadata": {"name": f"member-{number}", "labels": {"edge": "member"}}}
            status, answer = api.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", body)
            assert status == 201, answer


def _emptied(kubectl: Kubectl, namespace: str) -> float:
    """Delete the members as one collection; seconds."""
    begun = time.monotonic()
    with Api(kubectl.kubeconfig, seconds=EMPTY_SECONDS) as api:
        status, answer = api.call("DELETE", f"/api/v1/namespaces/{namespace}/configmaps?labelSelector=edge%3Dmember")
    assert status == 200, answer
    return time.monotonic() - begun


def test_a_recorded_collection_costs_little_more_than_any_webhook(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Tell
) -> None:
    """Deleting 5,000 ConfigMaps under BlockingStrict: each is recorded, in not much more time than any webhook takes.

    The API server asks about one member after the other, and its own share of a call is as much as the deletion itself:
    with a webhook that does nothing a collection takes about twice its time. So that is what the bound is on.
    """
    _fill(kubectl, namespace)
    without = _emptied(kubectl, namespace)
    _fill(kubectl, namespace)
    with bystander.called(kubectl, namespace):
        nothing_done = _emptied(kubectl, namespace)
    _fill(kubectl, namespace)
    policy = f"batch-{namespace}"
    strict = {"durability": "BlockingStrict"}
    apply(policies.no_configmap_delete(policy, namespace, verdict="Allow", audit=strict))
    before = ledgers.commits(kubectl)

    recorded = _emptied(kubectl, namespace)
    eventually(
        lambda: len(ledgers.about(kubectl, policy, "Decision")) >= MEMBERS, seconds=10, what="every member recorded"
    )
    commits = ledgers.commits(kubectl) - before

    assert len(ledgers.about(kubectl, policy, "Decision")) == MEMBERS
    edge(
        scenario="deletecollection, allowed and recorded",
        load=f"{MEMBERS} ConfigMaps, BlockingStrict",
        outcome=f"{recorded:.1f} s: {recorded / without:.2f} times the {without:.1f} s without a webhook, "
        f"{recorded / nothing_done:.2f} times the {nothing_done:.1f} s with one that does nothing; {commits} commits",
    )
    assert recorded / nothing_done <= MAX_RATIO
