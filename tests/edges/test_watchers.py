"""Fifty watchers while five hundred records a second are stored: nobody misses one, and nothing grows or slows down."""

import asyncio
import base64
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
import yaml

from interlock.core.ports import StoredCommit
from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.ledger.guards import Ledger, body, running, settled
from tests.support.api import Api, pem
from tests.support.clusters import OwnCluster, own_cluster
from tests.support.kubectl import eventually
from tests.support.processes import pod_process, resident_kib
from tests.support.stream import Stream, denied_by

pytestmark = pytest.mark.cluster

SYSTEM, WORK, POLICY = "interlock-system", "prod-watch", "edge-watchers"
GUARD = (f"system:serviceaccount:{SYSTEM}:interlock-guard", "system:serviceaccounts", "system:authenticated")
CONFIG_MAPS = f"/api/v1/namespaces/{SYSTEM}/configmaps"
LIST = "/apis/audit.interlock.dev/v1alpha1/auditrecords"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"  # what kubectl asks for
WATCHERS = 50
COMMITS, EACH = 200, 25  # records in one commit of a guard under such a load
COMMIT_SECONDS = EACH / 500
CAUGHT_UP_SECONDS = 60.0
MAX_RESIDENT_KIB = 256 * 1024  # half of the pods' limit; 5,000 records are 15 MiB of JSON
SECONDS = 60.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[OwnCluster]:
    """A cluster of its own: its ledger gets a lane that no guard has written."""
    with own_cluster("watchers") as made:
        eventually(lambda: made.kubectl("get", "auditrecords", "-A").ok, seconds=SECONDS, what="the API")
        made.kubectl.must("create", "namespace", WORK)
        made.kubectl.must("create", "configmap", "guarded", "-n", WORK)
        made.kubectl.apply(policies.no_configmap_delete(POLICY, WORK))
        wait_in_force(made.kubectl, POLICY)
        made.kubectl.must("scale", "deployment/interlock-controller", "--replicas=0", "-n", SYSTEM)  # who would end it
        yield made


def test_fifty_watchers(cluster: OwnCluster, edge: Callable[..., None]) -> None:
    """Each of fifty watchers reads every record, memory stays within half of its limit, and decisions are as fast."""
    kubeconfig = cluster.kubectl.kubeconfig
    commits = asyncio.run(_commits())
    pods = cluster.kubectl.get("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=records")["items"]
    processes = [pod_process(pod["metadata"]["name"]) for pod in pods]
    with Api(kubeconfig) as api:
        version = api.call("GET", f"{LIST}?limit=1")[1]["metadata"]["resourceVersion"]
    quiet = _p99(kubeconfig)
    crowd = Crowd(kubeconfig, f"{LIST}?watch=true&resourceVersion={version}")
    with crowd, ThreadPoolExecutor() as pool:
        eventually(lambda: crowd.open == WATCHERS, seconds=SECONDS, what="open watches")
        busy = pool.submit(_p99, kubeconfig)
        began = time.monotonic()
        late = _store(kubeconfig, commits)
        stored = time.monotonic() - began
        wanted = COMMITS * EACH
        eventually(lambda: crowd.slowest >= wanted, seconds=CAUGHT_UP_SECONDS, what="records at the slowest")
        told = time.monotonic() - began
        resident = max(map(resident_kib, processes))
        under_load = busy.result()

    assert crowd.seen == [wanted] * WATCHERS
    assert resident < MAX_RESIDENT_KIB
    edge(
        scenario="watchers",
        load=f"{WATCHERS} watches, {wanted / stored:.0f} records a second for {stored:.0f} s",
        outcome=(
            f"each has all {wanted} after {told:.1f} s; {resident / 1024:.0f} MiB; slowest commit "
            f"{late * 1000:.0f} ms; a denial's p99 {under_load * 1000:.0f} ms, {quiet * 1000:.0f} ms without"
        ),
    )


async def _commits() -> Sequence[StoredCommit]:
    """Commits of one lane, as a guard under load makes them."""
    ledger = Ledger(seed=f"{os.getpid()}")
    async with running(ledger):
        await settled()
        for number in range(COMMITS):
            pending = [ledger.lane.append(body(ledger.clock, name=f"ns-{number}")) for _ in range(EACH)]
            await pending[-1].stored(seconds=5)
    return ledger.store.stored()


def _store(kubeconfig: str, commits: Sequence[StoredCommit]) -> float:
    """Store commits at their pace, as the guard's account; how long the slowest took."""
    slowest, due = 0.0, time.monotonic()
    with Api(kubeconfig) as api:
        for commit in commits:
            due += COMMIT_SECONDS
            began = time.monotonic()
            code, answer = api.call("POST", CONFIG_MAPS, _item(commit), acting_as=GUARD)
            assert code == 201, answer
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(max(due - time.monotonic(), 0))
    return slowest


def _item(commit: StoredCommit) -> object:
    lane = commit.name.split("-")[2]
    labels = {"interlock.dev/ledger": "lane", "interlock.dev/lane": lane}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": commit.name, "namespace": SYSTEM, "labels": labels},
        "immutable": True,
        "binaryData": {"r": base64.b64encode(commit.body).decode()},
    }


def _p99(kubeconfig: str) -> float:
    """Of denials one after the other, for five seconds: what all but one in a hundred are faster than, in seconds."""
    path = f"/api/v1/namespaces/{WORK}/configmaps/guarded?dryRun=All"
    with Stream(kubeconfig, "DELETE", path, denied_by(POLICY)) as stream:
        time.sleep(5)
    assert set(stream.answers) == {"denied"}
    return sorted(stream.seconds)[int(len(stream.seconds) * 0.99)]


class Crowd(threading.Thread):
    """Watchers in an event loop of their own, who count lines.

    Attributes:
        open: how many watches were answered.
        seen: how many lines each has read.
    """

    def __init__(self, kubeconfig: str, path: str) -> None:
        super().__init__(daemon=True)
        self.open = 0
        self.seen = [0] * WATCHERS
        self._path = path
        self._loop = asyncio.new_event_loop()
        found: dict[str, Any] = yaml.safe_load(Path(kubeconfig).read_text())
        self._server = found["clusters"][0]["cluster"]["server"]
        self._context = _context(found, Path(kubeconfig).with_name("crowd.pem"))

    @property
    def slowest(self) -> int:
        """How many lines the one with the fewest has."""
        return min(self.seen)

    def __enter__(self) -> Self:
        """Begin watching."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join()

    def run(self) -> None:
        """Watch until told to stop."""
        tasks = [self._loop.create_task(self._watch(number)) for number in range(WATCHERS)]
        self._loop.run_forever()
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0.1))  # connections close in the next turns
        self._loop.close()

    async def _watch(self, number: int) -> None:
        timeout = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(headers={"Accept": TABLE}, timeout=timeout) as session,
            session.get(f"{self._server}{self._path}", ssl=self._context) as answer,
        ):
            answer.raise_for_status()
            self.open += 1
            async for data in answer.content.iter_any():
                self.seen[number] += data.count(b"\n")


def _context(found: dict[str, Any], pair: Path) -> ssl.SSLContext:
    """TLS as the kubeconfig's first user; its certificate and key are written to a file of the cluster's."""
    user = found["users"][0]["user"]
    context = ssl.create_default_context(cadata=pem(found["clusters"][0]["cluster"], "certificate-authority"))
    pair.write_text(pem(user, "client-certificate") + "\n" + pem(user, "client-key"))
    context.load_cert_chain(pair)
    return context
