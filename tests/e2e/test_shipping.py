"""The ledger outside, on real parts: guards, controllers, API server and S3 server; killed, away, and cut off."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import orjson
import pytest

from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.api import Api
from tests.support.kubectl import Kubectl, eventually
from tests.support.processes import kill_pod
from tests.support.shipping import Leaf, Shipping, shipping

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        os.environ.get("INTERLOCK_TEST_PROVIDER") not in {None, "local"}, reason="brings up a simulated node of its own"
    ),
]

SYSTEM = "interlock-system"
WORK = "prod-shipped"
POLICY = "shipped"
DECISIONS = 10_000 if os.environ.get("INTERLOCK_TEST_SOAK") else 1_000
WORKERS = 4
KILL_SECONDS = 1.5  # between two kills
SHIPPED_SECONDS = 90.0  # a minute, and what a killed leader costs: 15 s for its Lease, and a start


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipping]:
    """A cluster that ships and keeps nothing, and a policy under which every deletion of a ConfigMap is recorded."""
    with shipping("ship", tmp_path_factory.mktemp("ship")) as made:
        made.upgrade("records.keepMinutes=0")
        kubectl = made.cluster.kubectl
        kubectl.must("create", "namespace", WORK)
        recorded = {"verdict": "Allow", "audit": {"durability": "BlockingStrict"}}
        kubectl.apply(policies.no_configmap_delete(POLICY, WORK, **recorded))
        wait_in_force(kubectl, POLICY)
        yield made


def _delete(shipped: Shipping, numbers: range) -> None:
    """Create and delete ConfigMaps one by one; what fails while something is dead is tried again."""
    with ThreadPoolExecutor(WORKERS) as pool:
        parts = [numbers[first::WORKERS] for first in range(WORKERS)]
        list(pool.map(lambda part: _delete_all(shipped.cluster.kubectl.kubeconfig, part), parts))


def _delete_all(kubeconfig: str, numbers: range) -> None:
    with Api(kubeconfig) as api:
        at = f"/api/v1/namespaces/{WORK}/configmaps"
        for number in numbers:
            status, answer = api.call("POST", at, {"metadata": {"name": f"one-{number}"}})
            assert status == 201, answer
            eventually(
                lambda number=number: api.call("DELETE", f"{at}/one-{number}")[0] in {200, 404},  # type: ignore[misc]
                seconds=SHIPPED_SECONDS,
                what=f"deletion of one-{number}",
            )


def _receipts(shipped: Shipping) -> set[Leaf]:
    """What API servers were told of recorded deletions, by their own audit log."""
    found = set()
    assert shipped.cluster.made.audit_log
    for line in shipped.cluster.made.audit_log.read_bytes().splitlines():
        event = orjson.loads(line)
        for key, value in event.get("annotations", {}).items():
            if ".interlock.dev/rec-" in key and event["objectRef"].get("namespace") == WORK:
                _, place, leaf = value.split()[:3]
                lane, _, sequence = place.partition("/")
                found.add(Leaf(lane=lane, sequence=int(sequence), hash=leaf))
    return found


def _all_shipped(shipped: Shipping, copies: Iterator[int]) -> bool:
    return _receipts(shipped) <= shipped.leaves(f"copy-{next(copies)}")


def _lacking(shipped: Shipping) -> set[str]:
    """What the log would have to hold to be proven; nothing may be tampered with."""
    report = orjson.loads(shipped.verify("--output", "json").out)["log"]
    assert report["status"] != "tampered", report["faults"]
    return {fault["expected"] for fault in report["faults"]}


def test_records_leave_the_cluster_and_are_proven_there(shipped: Shipping) -> None:
    """Within a minute the log outside holds every receipt; the cluster forgets, and only both together are proven."""
    copies = itertools.count()
    _delete(shipped, range(20))
    eventually(lambda: _all_shipped(shipped, copies), seconds=SHIPPED_SECONDS, what="everything outside")
    eventually(lambda: shipped.verify().ok, seconds=SHIPPED_SECONDS, what="the log proven")
    eventually(lambda: shipped.verify("--from-cluster").ok, seconds=SHIPPED_SECONDS, what="both proven")
    kubectl = shipped.cluster.kubectl
    eventually(lambda: _commits(kubectl) <= 3 * _lanes(kubectl), seconds=SHIPPED_SECONDS, what="the rest is retired")
    cluster = shipped.interlock("verify", "--from-cluster", "--key", str(shipped.key))

    assert (len(_receipts(shipped)), cluster.code) == (20, 2), cluster.out
    assert "outside the cluster" in cluster.out
    assert _unknown_to_the_log(shipped) == []
    shown = shipped.interlock("ledger", "show", shipped.address)
    assert shown.out.count(f"configmaps {WORK}/one-") == 20


def _commits(kubectl: Kubectl) -> int:
    return len(kubectl.get("configmaps", "-n", SYSTEM, "-l", "interlock.dev/ledger=lane")["items"])


def _lanes(kubectl: Kubectl) -> int:
    found = kubectl.get("configmaps", "-n", SYSTEM, "-l", "interlock.dev/ledger=lane")["items"]
    return len({each["metadata"]["labels"]["interlock.dev/lane"] for each in found})


def _unknown_to_the_log(shipped: Shipping) -> list[JsonObject]:
    """Requests whose record the log does not have, by the API server's own audit log."""
    audit_log = str(shipped.cluster.made.audit_log)
    done = shipped.verify("--apiserver-audit-log", audit_log, "--output", "json")
    report = orjson.loads(done.out)["apiServer"]
    assert report["joined"] >= len(_receipts(shipped))
    missing: list[JsonObject] = report["missing"]
    return missing


def test_locks_of_the_store_are_tried_by_the_prover(shipped: Shipping) -> None:
    """The chart's Job has tried everything, as the only one that may say so, and the doctor believes it."""
    kubectl = shipped.cluster.kubectl
    shipped.upgrade("records.keepMinutes=0", "prover.credentialsSecret=audit-bucket")
    job = ("get", "jobs", "-n", SYSTEM, "-o", "jsonpath={.items[*].status.succeeded}")
    eventually(lambda: kubectl.must(*job).out == "1", seconds=SHIPPED_SECONDS, what="the prover's Job")
    eventually(lambda: _shipped(shipped)["status"] == "ok", seconds=SHIPPED_SECONDS, what="the controller believes it")
    found = _shipped(shipped)
    forged = kubectl("patch", "configmap", "interlock-store-proof", "-n", SYSTEM, "-p", '{"data": {"proof": ""}}')

    assert (found["status"], "which locks them: nothing of 13 attempts" in found["text"]) == ("ok", True), found
    assert (forged.ok, "written by Interlock's prover only" in forged.err) == (False, True)


def _shipped(shipped: Shipping) -> JsonObject:
    """What the doctor says about shipping."""
    doctor = shipped.interlock("doctor", "--output", "json")
    [found] = [each for each in orjson.loads(doctor.out)["checks"] if each["check"] == "shipped"]
    return found  # type: ignore[no-any-return]


def test_key_is_rotated(shipped: Shipping) -> None:
    """One value rotates the key; the log goes on, and both the key saved before and the new one prove all of it."""
    shipped.upgrade("records.keepMinutes=0", "notary.keys=2")
    copies = itertools.count(500)
    _delete(shipped, range(50, 60))
    eventually(lambda: _all_shipped(shipped, copies), seconds=SHIPPED_SECONDS, what="everything outside")
    eventually(lambda: len(_keys(shipped)) == 2, seconds=SHIPPED_SECONDS, what="a checkpoint by the new key")
    new = shipped.scratch / "new.pub"
    new.write_text(shipped.public_key())

    assert new.read_text() != shipped.key.read_text()
    for key in (shipped.key, new):
        done = shipped.interlock("verify", shipped.address, "--from-cluster", "--key", str(key), "--forget")
        assert done.ok, done.out
        assert "signed under 2 keys, each vouched for by the one before" in done.out


def _keys(shipped: Shipping) -> list[str]:
    keys: list[str] = orjson.loads(shipped.verify("--output", "json").out)["log"]["keys"]
    return keys


def test_store_away_costs_nothing_but_time(shipped: Shipping) -> None:
    """While the store is dead guards go on, and nothing is removed; when it is back, all of it goes out."""
    shipped.store.kill()
    before = len(_receipts(shipped))
    _delete(shipped, range(100, 140))
    held = _commits(shipped.cluster.kubectl)
    shipped.store.start()
    copies = itertools.count(1000)
    eventually(lambda: _all_shipped(shipped, copies), seconds=SHIPPED_SECONDS, what="everything outside")

    assert len(_receipts(shipped)) == before + 40
    assert held >= 10


def test_no_receipt_is_lost_whatever_is_killed(shipped: Shipping) -> None:
    """kill -9 of guards, controllers and the store, one after the other, all the while: every receipt is in the log."""
    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(_delete, shipped, range(1000, 1000 + DECISIONS))
        # Killing and starting is the main thread's: the kernel ends a store with the thread that has started it.
        for what in itertools.cycle(("guard", "controller", "store")):
            if wait([deleting], timeout=KILL_SECONDS).done:
                break
            _kill(shipped, what)
    deleting.result()
    copies = itertools.count(2000)
    eventually(lambda: _all_shipped(shipped, copies), seconds=2 * SHIPPED_SECONDS, what="everything outside")

    # A guard that was killed before a controller could vouch for it leaves a lane that nobody can vouch for any more.
    assert _unknown_to_the_log(shipped) == []
    assert _lacking(shipped) <= {"a certificate by the notary"}
    assert len(_receipts(shipped)) >= DECISIONS


def _kill(shipped: Shipping, what: str) -> None:
    if what == "store":
        shipped.store.kill()
        shipped.store.start()
        return
    kubectl = shipped.cluster.kubectl
    pods = kubectl.get("pods", "-n", SYSTEM, "-l", f"app.kubernetes.io/component={what}")["items"]
    with contextlib.suppress(ValueError, ProcessLookupError):  # it is just being started again
        kill_pod(pods[0]["metadata"]["name"])
