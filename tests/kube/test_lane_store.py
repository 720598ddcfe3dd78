"""The lane store on ConfigMaps keeps the contract of every lane store, in memory and on a real API server."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml

from interlock.core.audit import commits
from interlock.core.ports import LaneStore
from interlock.errors import Unavailable
from interlock.kube.client import ApiClient, ApiTarget, open_session
from interlock.kube.configmaps import ConfigMapLaneStore
from tests.kube.conftest import Cluster
from tests.ledger.lane_store_contract import LaneStoreContract, new_lane
from tests.support.api import pem
from tests.support.kubectl import Kubectl


class TestAgainstTheFake(LaneStoreContract):
    """The API server in memory."""

    @pytest.fixture
    def store(self, cluster: Cluster) -> LaneStore:
        """An empty one."""
        return ConfigMapLaneStore(cluster.api, namespace="shop")


@pytest.mark.cluster
class TestAgainstARealServer(LaneStoreContract):
    """A real API server over a real etcd, in a namespace of the test's own."""

    @pytest.fixture
    def namespace(self) -> Iterator[str]:
        """It goes again with everything in it."""
        kubectl = Kubectl(kubeconfig=os.environ["INTERLOCK_TEST_KUBECONFIG"])
        name = f"lane-store-{secrets.token_hex(4)}"
        kubectl.must("create", "namespace", name)
        yield name
        kubectl.must("delete", "namespace", name, "--wait=false")

    @pytest.fixture
    async def store(self, namespace: str, tmp_path: Path) -> AsyncIterator[LaneStore]:
        """With the rights of cluster-admin."""
        target = _target(os.environ["INTERLOCK_TEST_KUBECONFIG"], tmp_path)
        async with open_session(target) as session:
            yield ConfigMapLaneStore(ApiClient(target, session), namespace=namespace)

    async def test_a_commit_is_immutable(self, store: LaneStore, namespace: str) -> None:
        """The API server itself refuses to change what a commit holds."""
        lane = new_lane()
        name = commits.name(lane, 0)
        await store.create(name, b"ours", lane=lane)
        kubectl = Kubectl(kubeconfig=os.environ["INTERLOCK_TEST_KUBECONFIG"])
        changed = kubectl("patch", "configmap", name, "-n", namespace, "-p", '{"binaryData":{"r":"dGhlaXJz"}}')

        assert (changed.ok, "immutable" in changed.err, await store.read(name)) == (False, True, b"ours")


async def test_a_server_that_is_gone_is_unavailable(cluster: Cluster) -> None:
    """No answer is never taken for a refusal."""
    store = ConfigMapLaneStore(ApiClient(ApiTarget(server="http://127.0.0.1:1"), cluster.session), namespace="shop")
    lane = new_lane()
    for call in (
        store.create(commits.name(lane, 0), b"", lane=lane),
        store.read(commits.name(lane, 0)),
        store.commits(),
    ):
        with pytest.raises(Unavailable):
            await call


def _target(kubeconfig: str, scratch: Path) -> ApiTarget:
    """The kubeconfig's first cluster and user, as files."""
    found = yaml.safe_load(Path(kubeconfig).read_text())
    cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
    files = {"certificate-authority": cluster, "client-certificate": user, "client-key": user}
    for name, entry in files.items():
        (scratch / name).write_text(pem(entry, name))
    return ApiTarget(
        server=cluster["server"],
        ca_file=str(scratch / "certificate-authority"),
        client_cert_file=str(scratch / "client-certificate"),
        client_key_file=str(scratch / "client-key"),
    )
