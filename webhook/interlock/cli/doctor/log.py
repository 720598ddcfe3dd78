"""The ledger's log: is it signed at every heartbeat, and does it leave the cluster?"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from interlock import settings
from interlock.cli.doctor.finding import Finding, bad, good, unknown
from interlock.core import unstructured
from interlock.core.audit.standing import Condition, Kind
from interlock.core.audit.storeproof import Proven
from interlock.core.text import counted
from interlock.core.types import JsonObject

OLDEST = timedelta(minutes=3)
"""Of the newest checkpoint: three heartbeats, one of which a change of leaders may cost."""

MOST_WAITING = 30
"""Checkpoints that may wait for a store that is slow: two minutes of a busy cluster."""

STORE = "--store="

LOGS = "kubectl -n {namespace} logs deployment/interlock-controller"


def checkpoints(found: Sequence[JsonObject], now: datetime, namespace: str) -> Finding:
    """The leading controller has signed a checkpoint lately."""
    made = [datetime.fromisoformat(unstructured.text(each, "metadata", "creationTimestamp")) for each in found]
    if not made:
        return bad(
            "no checkpoint was signed yet: nothing shows what is missing of the records", remedy=_remedy(namespace)
        )
    age = now - max(made)
    if age > OLDEST:
        text = f"the newest checkpoint is {age.total_seconds():.0f} s old, and one is due every minute"
        return bad(text, remedy=_remedy(namespace))
    return good("a checkpoint of the records was signed within the last minutes")


def shipped(
    found: Sequence[JsonObject],
    deployments: Sequence[JsonObject],
    conditions: Sequence[Condition],
    namespace: str,
) -> Finding:
    """Checkpoints leave the cluster, where it was told to ship them, into a store that is known to lock."""
    store = _store(deployments)
    if not store:
        return good("records stay in the cluster, where nothing locks them: store.address is not set")
    if len(found) > MOST_WAITING:
        text = f"{counted(len(found), 'checkpoint')} are still in the cluster: nothing is shipped to {store}"
        return bad(text, remedy=f"{_remedy(namespace)}; interlock doctor --store {store}")
    found_out = next((each for each in conditions if each.kind is Kind.WORM_PROVEN), None)
    why = found_out.message if found_out else "no controller has said so"
    if found_out and found_out.status is Proven.FALSE:
        return bad(f"{store} does not lock what it holds: {why}", remedy="another store: nothing is locked there")
    if found_out is None or found_out.status is Proven.UNKNOWN:
        remedy = f"prover.credentialsSecret in the chart's values; by hand: interlock doctor --store {store}"
        return unknown(f"records are shipped to {store}; whether it locks is not known: {why}", remedy=remedy)
    return good(f"records are shipped to {store}, which locks them: {why}")


def _store(deployments: Sequence[JsonObject]) -> str:
    """Where controllers are told to ship to; empty for nowhere."""
    for each in deployments:
        if each["metadata"]["name"] == settings.CONTROLLER_ACCOUNT:
            containers = unstructured.items(each, "spec", "template", "spec", "containers")
            arguments = [argument for container in containers for argument in container.get("args") or ()]
            return next((each.removeprefix(STORE) for each in arguments if each.startswith(STORE)), "")
    return ""


def _remedy(namespace: str) -> str:
    return LOGS.format(namespace=namespace)
