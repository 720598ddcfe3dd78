"""Reading an object of any kind: what each outcome is called, and what it costs."""

import pytest

from interlock.core.types import JsonObject
from interlock.errors import Forbidden, NotFound, Unavailable
from interlock.kube.reader import KubeReader
from tests.fakes.kube_api import NAMESPACES, REPLICA_SETS
from tests.kube.conftest import Cluster

OWNER = {"api_version": "apps/v1", "kind": "ReplicaSet", "namespace": "shop", "name": "web"}


async def read(reader: KubeReader, **change: str) -> JsonObject:
    """Read the owner, or something else."""
    return await reader.get_by_kind(**(OWNER | change), seconds=1)


async def test_reads_namespaced_and_cluster_scoped(cluster: Cluster) -> None:
    """An owner in the dependant's namespace is found there, a cluster-scoped one whatever the namespace."""
    cluster.fake.put(REPLICA_SETS, {"metadata": {"name": "web", "namespace": "shop"}})
    cluster.fake.put(NAMESPACES, {"metadata": {"name": "dev"}})
    reader = KubeReader(cluster.api)

    assert (await read(reader))["metadata"]["name"] == "web"
    assert (await read(reader, api_version="v1", kind="Namespace", name="dev"))["metadata"]["name"] == "dev"


async def test_discovery_is_kept(cluster: Cluster) -> None:
    """The second owner of a group costs one request."""
    cluster.fake.put(REPLICA_SETS, {"metadata": {"name": "web", "namespace": "shop"}})
    reader = KubeReader(cluster.api)
    await read(reader)
    cluster.fake.requests.clear()

    await read(reader)

    assert cluster.fake.requests == [("GET", "/apis/apps/v1/namespaces/shop/replicasets/web")]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "Gadget"},
        {"api_version": "no.such/v1"},
        {"name": ""},
        {"api_version": "../../x"},
        {"kind": "../secrets"},
    ],
    ids=str,
)
async def test_what_is_no_kind_cannot_be_read(cluster: Cluster, change: dict[str, str]) -> None:
    """An owner reference that makes no sense reads as something that we may not read, not as something gone."""
    with pytest.raises(Forbidden):
        await read(KubeReader(cluster.api), **change)


async def test_names_are_escaped(cluster: Cluster) -> None:
    """A name cannot lead to another path."""
    with pytest.raises(NotFound):
        await read(KubeReader(cluster.api), name="../../../../api/v1/namespaces/shop")
    assert ("GET", "/api/v1/namespaces/shop") not in cluster.fake.requests


@pytest.mark.parametrize(
    ("status", "error"), [(503, Unavailable), (429, Unavailable), (403, Forbidden), (422, Forbidden)]
)
async def test_failures(cluster: Cluster, status: int, error: type[Exception]) -> None:
    """No answer is unknown, a refusal is a refusal; neither reads as gone."""
    reader = KubeReader(cluster.api)
    with pytest.raises(NotFound):
        await read(reader)
    cluster.fake.fail("/apis/apps/v1/namespaces", status)

    with pytest.raises(error):
        await read(reader)
