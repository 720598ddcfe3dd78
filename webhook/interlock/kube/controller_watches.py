"""What kopf watches for a controller: policies, guards' Leases, the one webhook configuration.

Event handlers only, as for guards (kube.watches says why): kopf writes nothing to what it watches.
"""

from typing import Any

import kopf

from interlock.core.types import JsonObject
from interlock.kube.inventory import CONFIGURATIONS, GUARD_SELECTOR, Inventory
from interlock.kube.reading import POLICIES
from interlock.kube.watches import configured

LEASES = ("coordination.k8s.io", "v1", "leases")


def configured_for_controller(inventory: Inventory) -> kopf.OperatorSettings:
    """kopf's settings: as a guard's, without reviews, and only what the controller may list.

    Kinds are looked for once, at the start (`kube.discovery` waits for ours): following them would need the right to
    list every namespace and every CRD.
    """
    configuration = configured(None)
    configuration.scanning.disabled = True
    configuration.watching.label_selectors[_selector(LEASES)] = GUARD_SELECTOR
    configuration.watching.field_selectors[_selector(CONFIGURATIONS)] = inventory.field_selector
    return configuration


def register_controller_watches(registry: kopf.OperatorRegistry, inventory: Inventory) -> None:
    """Have kopf feed the inventory."""

    @kopf.on.event(POLICIES.group, POLICIES.version, POLICIES.plural, registry=registry)
    async def policy(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002  kopf passes it by this name
        inventory.policy_event(type, _plain(body))

    @kopf.on.event(*LEASES, registry=registry)
    async def guard(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002
        inventory.guard_event(type, _plain(body))

    @kopf.on.event(*CONFIGURATIONS, registry=registry)
    async def webhooks(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002
        inventory.configuration_event(type, _plain(body))


def _plain(body: kopf.Body) -> JsonObject:
    return dict(body)


def _selector(kind: tuple[str, str, str]) -> tuple[str, str]:
    group, _, plural = kind
    return group, plural
