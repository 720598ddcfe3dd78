"""What the controller says to all guards about the ledger: whether there is room for records that are not shipped.

ConfigMap `interlock-ledger`, key `refuse`: why nothing more is taken, or nothing. A guard that cannot read it goes on
with what it read last, and takes records if it has read nothing.
"""

from collections.abc import Callable

from interlock import settings
from interlock.core import unstructured
from interlock.errors import NotFound
from interlock.kube import named, paths
from interlock.kube.client import ApiClient

KEY = "refuse"


class LedgerState:
    """Writes it, and follows it, in one namespace."""

    def __init__(self, api: ApiClient, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._collection = paths.collection("", "v1", "configmaps", namespace=namespace)
        self._path = paths.named("", "v1", "configmaps", settings.LEDGER_CONFIG_MAP, namespace=namespace)

    async def save(self, refuse: str) -> None:
        """Say why guards are to take no more records; empty for that they may.

        Raises:
            ClusterError: the API server did not do it.
        """
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": settings.LEDGER_CONFIG_MAP, "namespace": self._namespace},
            "data": {KEY: refuse},
        }
        try:
            await self._api.replace(self._path, body)
        except NotFound:
            await self._api.create(self._collection, body)

    async def follow(self, told: Callable[[str], None]) -> None:
        """Tell what is said, now and at every change; never ends."""
        async for obj in named.follow(self._api, "configmaps", settings.LEDGER_CONFIG_MAP, namespace=self._namespace):
            told(unstructured.text(obj, "data", KEY))
