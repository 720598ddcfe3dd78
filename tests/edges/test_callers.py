"""Who calls the guard: reviews that no API server sent have no effect, and no weight."""

import http.client
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.e2e import policies
from tests.support.kubectl import Kubectl, eventually
from tests.support.reviews import review
from tests.support.stream import Stream, denied_by

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"
FORGERS = 2  # as many as there are cores
CALLS = 300  # of each measurement, enough for a median
MOST_SLOWDOWN = 20.0  # a guard on a core that forgers share is slower; one that worked for them would not answer at all
FUTURE = 10**18  # a policy generation that no cluster will ever reach

Edge = Callable[..., None]


class Forger:
    """A pod on the network: reaches the guards' Service, and proves nothing."""

    def __init__(self, kubectl: Kubectl) -> None:
        service = kubectl.get("service", "interlock-guard", "-n", SYSTEM)["spec"]
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._connection = http.client.HTTPSConnection(
            service["clusterIP"], service["ports"][0]["port"], context=context, timeout=10
        )

    def post(self, path: str, body: bytes) -> tuple[int, str]:
        """Send a review; status, and when to come again."""
        self._connection.request("POST", path, body=body, headers={"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        answer.read()
        self._connection.close()  # a refusal ends the connection anyway
        return answer.status, answer.headers.get("Retry-After", "")


def _records(kubectl: Kubectl) -> set[str]:
    names = kubectl.must("get", "configmaps", "-n", SYSTEM, "-l", "interlock.dev/ledger=lane", "-o", "name").out
    return set(names.split())


@pytest.mark.parametrize("entry", ["enforce", "observe", "system"])
def test_forged_review_is_refused_and_leaves_nothing(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, entry: str, edge: Edge
) -> None:
    """Without certificate and secret a review is answered 401; no record, and the policy counts nothing."""
    apply(policies.no_namespace_delete("edge-forged", namespace))
    before = _records(kubectl)

    statuses = {Forger(kubectl).post(f"/review/{entry}/1/{'0' * 64}", review(name=namespace)) for _ in range(20)}

    counters = kubectl.get("dangerpolicy", "edge-forged")["status"].get("counters", {})
    assert statuses == {(401, "")}
    assert _records(kubectl) == before
    assert (counters.get("matches", 0), counters.get("denials", 0)) == (0, 0)
    edge(scenario=f"forged review to {entry}", load="20 reviews", outcome="all 401, no record, nothing counted")


def test_forged_flood_does_not_stop_real_reviews(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Edge
) -> None:
    """While forgers send as fast as they can, every real review is answered, and not much later."""
    apply(policies.no_configmap_delete("edge-flood", namespace, audit={"durability": "Batch"}))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    target = f"/api/v1/namespaces/{namespace}/configmaps/guarded"

    with Stream(kubectl.kubeconfig, "DELETE", target, denied_by("edge-flood")) as quiet:
        _until_measured(quiet)
    begun = time.monotonic()
    with _forging(kubectl) as forged, Stream(kubectl.kubeconfig, "DELETE", target, denied_by("edge-flood")) as flooded:
        _until_measured(flooded)
    seconds = time.monotonic() - begun

    slowdown = statistics.median(flooded.seconds) / statistics.median(quiet.seconds)
    assert (list(quiet.answers), list(flooded.answers)) == (["denied"], ["denied"])
    assert slowdown < MOST_SLOWDOWN
    edge(
        scenario="forged flood",
        load=f"{sum(forged) / seconds:.0f} forged reviews/s",
        outcome=f"all {flooded.answers.total()} real ones denied, median {slowdown:.1f} times that without forgers",
    )


def _until_measured(stream: Stream) -> None:
    eventually(lambda: stream.answers.total() >= CALLS, seconds=60, what=f"{CALLS} real reviews")


@contextmanager
def _forging(kubectl: Kubectl) -> Iterator[list[int]]:
    """Forgers at work; what each has sent is in the list afterwards."""
    over = threading.Event()
    sent = [0] * FORGERS

    def forge(index: int) -> None:
        forger = Forger(kubectl)
        while not over.is_set():
            forger.post(f"/review/enforce/1/{'0' * 64}", review())
            sent[index] += 1

    threads = [threading.Thread(target=forge, args=(index,), daemon=True) for index in range(FORGERS)]
    for thread in threads:
        thread.start()
    try:
        yield sent
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=15)


def test_guard_behind_the_path_says_so(kubectl: Kubectl, edge: Edge) -> None:
    """A review under a policy generation that the guard has not seen is answered 503 after a second: ask again."""
    configuration = kubectl.get("validatingwebhookconfiguration", "interlock")
    path = next(w["clientConfig"]["service"]["path"] for w in configuration["webhooks"] if w["name"][:4] == "self")
    secret = path.rpartition("/")[2]
    begun = time.monotonic()

    answer = Forger(kubectl).post(f"/review/enforce/{FUTURE}/{secret}", review())

    waited = time.monotonic() - begun
    assert answer == (503, "1")
    assert waited < 3
    edge(scenario="guard behind the path's generation", load="1 review", outcome=f"503 after {waited:.1f} s")
