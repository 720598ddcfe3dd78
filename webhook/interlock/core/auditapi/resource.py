"""AuditRecord: what `kubectl get auditrecords` shows of one record of the ledger.

An AuditRecord is the record itself, flat, as Events are: who, what, verdict, which policy and why. Names that
Kubernetes has taken move: the record's `id` is `metadata.name`, its `kind` is `about`, its place in the ledger stands
under `ledger`. It lives in the namespace of its target; what happened to a cluster-scoped target other than a Namespace
lives in Interlock's own namespace.

Only decisions and changes of policies are AuditRecords. Repeats of a denial count up in `series` of the first one, as
Events do. What lanes say about themselves is for `interlock ledger show --all`.

Who may list AuditRecords sees who did what, and what was decided. What may tell more than that (parameters, digests,
evidence, differences) is kept for whoever may get `auditrecords/evidence`; `without_evidence` takes it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from interlock.core import times
from interlock.core.audit.record import Kind
from interlock.core.types import JsonObject

GROUP, VERSION = "audit.interlock.dev", "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND, LIST_KIND = "AuditRecord", "AuditRecordList"
RESOURCE, SINGULAR, SHORT_NAME = "auditrecords", "auditrecord", "ar"

SHOWN = frozenset({Kind.DECISION, Kind.POLICY_CHANGE})

EVIDENCE = ("parameters", "digests", "changes", "message", "findings")
"""Fields that need the right to get `auditrecords/evidence`; of findings, action and severity stay."""

LABEL_MAX_LENGTH = 63
"""Characters that a label's value may have (apimachinery, validation.LabelValueMaxLength)."""

_MOVED = ("schema", "kind", "id", "lane", "sequence", "previous")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where a record stands, and what is proven of it.

    Attributes:
        lane: its lane, `sequence` its place there, `leaf` its leaf hash.
        verified: whether signature, chain and certificate of its lane were checked and hold.
        why: what keeps it from being verified; empty if it is.
        checkpoint: number and epoch of the segment that holds it, as ``2026-11/42``; empty while it waits for one.
        index: of its leaf in that epoch's log; -1 while it waits.
        shipped_to: name of the object store that has it under lock; empty while none has.
        locked_until: until when, None if it is not locked.
    """

    lane: str
    sequence: int
    leaf: str
    verified: bool
    why: str = ""
    checkpoint: str = ""
    index: int = -1
    shipped_to: str = ""
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """How often a denial was repeated, the first included; `exact` unless there may have been more."""

    count: int
    exact: bool


def is_shown(record: Mapping[str, object]) -> bool:
    """Whether a record is an AuditRecord at all."""
    return record["kind"] in SHOWN


def namespace_of(record: JsonObject, *, system: str) -> str:
    """The namespace in which a record is read.

    Args:
        record: one that is shown.
        system: Interlock's namespace, for cluster-scoped targets.
    """
    return str(record["target"]["namespace"]) or system


def build(
    record: JsonObject, *, ledger: Ledger, system: str, resource_version: int, series: Series | None = None
) -> JsonObject:
    """Make the AuditRecord of a record.

    Args:
        record: the decoded payload, one that is shown.
        ledger: its place and proof.
        system: Interlock's namespace.
        resource_version: of this state of the object.
        series: how often it was repeated; None if it was not.
    """
    made: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": _metadata(record, system=system, resource_version=resource_version),
        "about": record["kind"],
        **_summary(record),
        **{name: value for name, value in record.items() if name not in _MOVED},
        "ledger": _ledger(record, ledger),
    }
    if series is not None:
        made["series"] = {"count": series.count, "exact": series.exact}
    return made


def without_evidence(made: JsonObject) -> JsonObject:
    """Take out what needs the right to get `auditrecords/evidence`; says that it did."""
    kept = {name: value for name, value in made.items() if name not in EVIDENCE}
    if "findings" in made:
        kept["findings"] = [
            {"action": each["action"], "family": each["family"], "severity": each["severity"]}
            for each in made["findings"]
        ]
    return kept | {"evidence": "Withheld"}


def _metadata(record: JsonObject, *, system: str, resource_version: int) -> JsonObject:
    return {
        "name": record["id"],
        "namespace": namespace_of(record, system=system),
        "uid": record["id"],
        "resourceVersion": str(resource_version),
        "creationTimestamp": times.read(record["time"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "labels": _labels(record),
    }


def _labels(record: JsonObject) -> dict[str, str]:
    """What `-l` can ask for: fields with few, short values."""
    summary = _summary(record)
    found = {"about": record["kind"], "operation": record["operation"], **summary}
    return {name: value for name, value in found.items() if value and len(value) <= LABEL_MAX_LENGTH}


def _summary(record: JsonObject) -> dict[str, str]:
    """The answer to what happened in four words, at the top where columns and selectors find it."""
    if record["kind"] == Kind.POLICY_CHANGE:
        return {
            "verdict": "Allow",
            "severity": "High" if record["loosens"] else "Low",
            "action": "loosen-policy" if record["loosens"] else "change-policy",
            "policy": record["target"]["name"],
        }
    deciding = next(iter(record["policies"]), None)
    return {
        "verdict": record["verdict"],
        "severity": record["severity"],
        "action": deciding["finding"] if deciding else "",
        "policy": deciding["name"] if deciding else "",
        "mode": deciding["mode"] if deciding else "",
    }


def _ledger(record: JsonObject, ledger: Ledger) -> JsonObject:
    found: JsonObject = {
        "lane": ledger.lane,
        "sequence": ledger.sequence,
        "previous": record["previous"],
        "leaf": ledger.leaf,
        "verified": ledger.verified,
    }
    if ledger.why:
        found["why"] = ledger.why
    if ledger.checkpoint:
        found |= {"checkpoint": ledger.checkpoint, "index": ledger.index}
    if ledger.shipped_to:
        found["shippedTo"] = ledger.shipped_to
    if ledger.locked_until is not None:
        found["lockedUntil"] = times.write(ledger.locked_until)
    return found
