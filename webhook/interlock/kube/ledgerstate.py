"""What the controller says to all about the ledger: whether there is room, how far it is shipped, and how it stands.

ConfigMap `interlock-ledger`:

    refuse       why nothing more is taken, or nothing: records that are not shipped have no more room
    shipped      JSON: store, first and through (numbers of checkpoints), retentionDays (0 where nothing is locked)
    conditions   JSON: conditions in the sense of meta/v1, see `core.audit.standing`

A guard that cannot read it goes on with what it read last, and takes records if it has read nothing.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from interlock import settings
from interlock.core import unstructured
from interlock.core.audit import standing
from interlock.core.audit.standing import Condition
from interlock.core.auditapi.shipment import Shipment
from interlock.core.types import JsonObject
from interlock.errors import BadInput, NotFound
from interlock.kube import named, paths
from interlock.kube.client import ApiClient

REFUSE, SHIPPED, CONDITIONS = "refuse", "shipped", "conditions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said.

    Attributes:
        refuse: why guards are to take no more records; empty for that they may.
        shipment: how far the ledger is in a store; None where nothing is known to be.
        conditions: how the ledger stands; none where that is not known.
    """

    refuse: str = ""
    shipment: Shipment | None = None
    conditions: tuple[Condition, ...] = ()


class _Shipped(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    store: str
    first: int
    through: int
    retention_days: int


class LedgerState:
    """Writes it, and follows it, in one namespace."""

    def __init__(self, api: ApiClient, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._collection = paths.collection("", "v1", "configmaps", namespace=namespace)
        self._path = paths.named("", "v1", "configmaps", settings.LEDGER_CONFIG_MAP, namespace=namespace)

    async def load(self) -> Said:
        """What was said last.

        Raises:
            ClusterError: the API server did not answer as needed.
        """
        try:
            return _said(await self._api.get(self._path))
        except NotFound:
            return Said()

    async def save(self, said: Said) -> None:
        """Say it.

        Raises:
            ClusterError: the API server did not do it.
        """
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": settings.LEDGER_CONFIG_MAP, "namespace": self._namespace},
            "data": {REFUSE: said.refuse, CONDITIONS: standing.write(said.conditions).decode()}
            | _shipped(said.shipment),
        }
        try:
            await self._api.replace(self._path, body)
        except NotFound:
            await self._api.create(self._collection, body)

    async def follow(self) -> AsyncIterator[Said]:
        """What is said, now and at every change; never ends."""
        async for obj in named.follow(self._api, "configmaps", settings.LEDGER_CONFIG_MAP, namespace=self._namespace):
            yield _said(obj)


def _shipped(shipment: Shipment | None) -> dict[str, str]:
    if shipment is None:
        return {}
    written = _Shipped(
        store=shipment.store,
        first=shipment.first,
        through=shipment.through,
        retention_days=shipment.retention.days if shipment.retention else 0,
    )
    return {SHIPPED: msgspec.json.encode(written).decode()}


def _said(obj: JsonObject) -> Said:
    """Read it; of what cannot be read nothing is known."""
    return Said(
        refuse=unstructured.text(obj, "data", REFUSE),
        shipment=_shipment(unstructured.text(obj, "data", SHIPPED)),
        conditions=_conditions(unstructured.text(obj, "data", CONDITIONS)),
    )


def _conditions(text: str) -> tuple[Condition, ...]:
    try:
        return standing.read(text.encode())
    except BadInput:
        return ()


def _shipment(text: str) -> Shipment | None:
    try:
        read = msgspec.json.decode(text, type=_Shipped)
    except msgspec.MsgspecError:
        return None
    return Shipment(
        store=read.store,
        first=read.first,
        through=read.through,
        retention=timedelta(days=read.retention_days) if read.retention_days else None,
    )
