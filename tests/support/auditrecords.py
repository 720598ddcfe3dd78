"""Records of decisions, as the ledger holds them, and the AuditRecords made of them."""

from datetime import UTC, datetime

from interlock.core.audit import record
from interlock.core.auditapi import resource
from interlock.core.auditapi.resource import Ledger, Series
from interlock.core.types import CallerProof, Decision, JsonObject, Request
from tests.ledger.guards import CLUSTER, ENGINE, keyed
from tests.support.policies import SOUND, policy, request

SYSTEM = "interlock-system"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LEDGER = Ledger(lane="a" * 16, sequence=7, leaf="b" * 64, verified=True, checkpoint="2026-11/42", index=4711)


def decided(asked: Request, decision: Decision, **place: object) -> JsonObject:
    """The record of a decision, with its place in a lane."""
    made = record.body(asked, decision, caller=CallerProof.PATH, cluster=CLUSTER, engine=ENGINE, now=NOW, digest=keyed)
    return made | {"id": "01a2", "lane": LEDGER.lane, "sequence": LEDGER.sequence, "previous": "c" * 64} | place


def changed(*, loosens: bool) -> JsonObject:
    """The record of a policy that was switched to another mode."""
    modes = ("Enforce", "Observe") if loosens else ("Observe", "Enforce")
    old, new = (policy(SOUND | {"mode": mode}) for mode in modes)
    asked = request("UPDATE", "dangerpolicies", group="interlock.dev", namespace="", name="sound", old=old, new=new)
    made = record.policy_change(asked, caller=CallerProof.PATH, cluster=CLUSTER, engine=ENGINE, now=NOW, digest=keyed)
    return made | {"id": "01a3", "lane": LEDGER.lane, "sequence": 8, "previous": "c" * 64}


def audit_record(made: JsonObject, *, version: int = 1, series: Series | None = None) -> JsonObject:
    """The AuditRecord of a record."""
    return resource.build(made, ledger=LEDGER, system=SYSTEM, resource_version=version, series=series)


def simple(name: str, *, namespace: str = "shop", version: int = 1, **fields: object) -> JsonObject:
    """An AuditRecord with no more to it than lists and watches look at."""
    metadata = {"name": name, "namespace": namespace, "resourceVersion": str(version), "labels": {}}
    return {"metadata": metadata} | fields
