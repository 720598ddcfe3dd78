"""Following one named object that may not exist yet: its newest state, for as long as anybody asks.

A guard is started together with the controller that makes its certificate, so waiting is normal and is said once, not
every second. What was seen stays valid when the object goes or the API server is away: a guard goes on with what it
has.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

import structlog

from interlock.core import unstructured
from interlock.core.types import JsonObject
from interlock.errors import ClusterError, NotFound
from interlock.kube import paths
from interlock.kube.client import ApiClient

LOG = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0  # a certificate is waited for by people during an install


async def follow(api: ApiClient, resource: str, name: str, *, namespace: str) -> AsyncGenerator[JsonObject]:
    """Yield the object, and again whenever it has changed; never ends.

    Needs get and watch of this name only: a watch with `metadata.name` as its field selector is authorised by name.
    """
    seen, said = "", ""
    collection = paths.collection("", "v1", resource, namespace=namespace)
    path = paths.named("", "v1", resource, name, namespace=namespace)
    while True:
        try:
            async for obj in _states(api, collection, path, name):
                version = obj["metadata"]["resourceVersion"]
                if version != seen:
                    seen, said = version, ""
                    yield obj
        except ClusterError as error:
            why = "it does not exist yet" if isinstance(error, NotFound) and not seen else str(error)
            if why != said:
                LOG.warning("waiting for an object", resource=resource, name=name, namespace=namespace, why=why)
            said = why
        await asyncio.sleep(RETRY_SECONDS)


def secret_data(obj: JsonObject) -> Mapping[str, bytes]:
    """What a Secret holds, by key; the API server has checked that it is base64."""
    return {key: base64.b64decode(value) for key, value in unstructured.mapping(obj, "data").items()}


async def _states(api: ApiClient, collection: str, path: str, name: str) -> AsyncIterator[JsonObject]:
    """The present state and those that follow, until the watch ends.

    Raises:
        ClusterError: the object cannot be read, or does not exist.
    """
    yield await api.get(path)
    # Without a version, since that of an object that has not changed for long is too old to watch from.
    async for kind, obj in api.watch(collection, resource_version="", field_selector=f"metadata.name={name}"):
        if kind in {"ADDED", "MODIFIED"}:
            yield obj
