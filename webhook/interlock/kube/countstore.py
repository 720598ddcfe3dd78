"""Counts of records that the cluster will forget: ConfigMap `interlock-counts`, written before they are retired.

It is a convenience and no evidence: what a policy did is proven by records, wherever they are by then.
"""

import orjson

from interlock import settings
from interlock.core import unstructured
from interlock.core.types import JsonObject
from interlock.errors import BadInput, NotFound
from interlock.kube import paths
from interlock.kube.client import ApiClient
from interlock.kube.counters import Tally

KEY = "counts"


class CountStore:
    """Where counts are kept."""

    def __init__(self, api: ApiClient, *, namespace: str) -> None:
        self._api = api
        self._collection = paths.collection("", "v1", "configmaps", namespace=namespace)
        self._path = paths.named("", "v1", "configmaps", settings.COUNTS_CONFIG_MAP, namespace=namespace)
        self._namespace = namespace

    async def load(self, tally: Tally) -> None:
        """Have a tally begin with what was kept, if anything was.

        Raises:
            BadInput: what is stored are no counts.
            ClusterError: the API server does not answer as needed.
        """
        try:
            found = await self._api.get(self._path)
        except NotFound:
            return
        try:
            kept = orjson.loads(unstructured.text(found, "data", KEY))
        except orjson.JSONDecodeError as error:
            raise BadInput(field=settings.COUNTS_CONFIG_MAP, got=str(error), expected="JSON") from error
        tally.take_up(kept)

    async def save(self, kept: JsonObject) -> None:
        """Store what `Tally.keep` gives.

        Raises:
            ClusterError: the API server did not do it.
        """
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": settings.COUNTS_CONFIG_MAP, "namespace": self._namespace},
            "data": {KEY: orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()},
        }
        try:
            await self._api.replace(self._path, body)
        except NotFound:
            await self._api.create(self._collection, body)
