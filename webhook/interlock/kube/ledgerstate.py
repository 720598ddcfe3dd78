"""What the controller says about the ledger, in ConfigMap `interlock-ledger`.

    refuse       why guards take nothing more, or nothing: whether there is room for records that are not shipped
    conditions   how the ledger stands, see `core.audit.standing`

A guard that cannot read it goes on with what it read last, and takes records if it has read nothing.
"""

from collections.abc import Callable

from interlock import settings
from interlock.core import unstructured
from interlock.core.audit import standing
from interlock.core.audit.standing import Condition
from interlock.errors import BadInput, NotFound
from interlock.kube import named, paths
from interlock.kube.client import ApiClient

REFUSE = "refuse"
CONDITIONS = "conditions"


class LedgerState:
    """Writes it, and follows it, in one namespace."""

    def __init__(self, api: ApiClient, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._collection = paths.collection("", "v1", "configmaps", namespace=namespace)
        self._path = paths.named("", "v1", "configmaps", settings.LEDGER_CONFIG_MAP, namespace=namespace)

    async def load(self) -> tuple[Condition, ...]:
        """The conditions as they were said last; none where none can be read.

        Raises:
            ClusterError: the API server does not answer as needed.
        """
        try:
            found = await self._api.get(self._path)
            return standing.read(unstructured.text(found, "data", CONDITIONS).encode())
        except (NotFound, BadInput):
            return ()

    async def save(self, *, refuse: str, conditions: tuple[Condition, ...]) -> None:
        """Say how the ledger stands.

        Args:
            refuse: why guards are to take no more records; empty for that they may.
            conditions: all of them.

        Raises:
            ClusterError: the API server did not do it.
        """
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": settings.LEDGER_CONFIG_MAP, "namespace": self._namespace},
            "data": {REFUSE: refuse, CONDITIONS: standing.write(conditions).decode()},
        }
        try:
            await self._api.replace(self._path, body)
        except NotFound:
            await self._api.create(self._collection, body)

    async def follow(self, told: Callable[[str], None]) -> None:
        """Tell what is said, now and at every change; never ends."""
        async for obj in named.follow(self._api, "configmaps", settings.LEDGER_CONFIG_MAP, namespace=self._namespace):
            told(unstructured.text(obj, "data", REFUSE))
