"""What a benchmark does through the Kubernetes API: write policies, scale Deployments, count stored records."""

import asyncio
import base64
import gzip
from collections.abc import Iterable
from typing import Any

from devtools.cluster.api import Api
from devtools.cluster.controlplane import ControlPlane
from devtools.cluster.install import NAMESPACE

POLICIES = "/apis/interlock.dev/v1alpha1/dangerpolicies"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/interlock"
LANES = "interlock.dev/ledger=lane"
WRITERS = 8  # policies created at the same time
PAGE_COMMITS = "200"  # some megabytes of an answer


async def create_policies(plane: ControlPlane, policies: Iterable[dict[str, Any]]) -> int:
    """Create policies; returns the newest resourceVersion."""
    waiting = iter(policies)

    async def write(api: Api) -> int:
        newest = 0
        for policy in waiting:
            created = await api.create(POLICIES, policy)
            newest = max(newest, int(created["metadata"]["resourceVersion"]))
        return newest

    async with _admin(plane) as api:
        return max(await asyncio.gather(*(write(api) for _ in range(WRITERS))))


async def remove_policies(plane: ControlPlane) -> None:
    """Remove all policies."""
    async with _admin(plane) as api:
        await api.delete(POLICIES, {})


async def stop_calling(plane: ControlPlane) -> None:
    """Have the API server call no guard any more."""
    async with _admin(plane) as api:
        await api.delete(WEBHOOKS, {})


async def scale(plane: ControlPlane, deployment: str, replicas: int) -> None:
    """Set the size of a Deployment of Interlock's."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{deployment}"
    async with _admin(plane) as api:
        await api.merge(path, {"spec": {"replicas": replicas}})


async def secret(plane: ControlPlane, name: str) -> dict[str, bytes]:
    """What a Secret of Interlock's holds."""
    async with _admin(plane) as api:
        found = await api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}")
    return {key: base64.b64decode(value) for key, value in found["data"].items()}


async def stored_records(plane: ControlPlane) -> int:
    """Count the records in the cluster, commit by commit."""
    path, total, token = f"/api/v1/namespaces/{NAMESPACE}/configmaps", 0, ""
    async with _admin(plane) as api:
        while True:
            page = await api.get(path, labelSelector=LANES, limit=PAGE_COMMITS, **{"continue": token})
            total += sum(_records(commit) for commit in page["items"])
            token = page["metadata"].get("continue", "")
            if not token:
                return total


def _admin(plane: ControlPlane) -> Api:
    """The API server as its administrator sees it."""
    return Api(server=plane.server, authority=plane.authority, client=plane.identity("admin"))


def _records(commit: dict[str, Any]) -> int:
    return len(gzip.decompress(base64.b64decode(commit["binaryData"]["r"])).splitlines())
