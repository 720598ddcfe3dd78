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

import msgspec

from interlock.core import times, typedjson
from interlock.core.audit import record as records
from interlock.core.audit.record import Kind
from interlock.core.types import JsonObject
from interlock.errors import BadInput

GROUP, VERSION = "audit.interlock.dev", "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND, LIST_KIND = "AuditRecord", "AuditRecordList"
PROOF_KIND = "AuditRecordProof"
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
        index: of its leaf in that epoch's log; -1 while it waits, and where it is not known here.
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


class _Target(msgspec.Struct, frozen=True, kw_only=True):
    namespace: str
    name: str
    resource: str
    subresource: str
    group: str


class _User(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class _Policy(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    mode: str
    finding: str


class _Finding(msgspec.Struct, frozen=True, kw_only=True):
    action: str
    family: str
    severity: str


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a record must have to be shown, whoever wrote it."""

    kind: str
    id: str
    time: str
    previous: str
    operation: str
    target: _Target
    user: _User
    verdict: str = ""
    severity: str = ""
    policies: tuple[_Policy, ...] = ()
    findings: tuple[_Finding, ...] = ()
    loosens: bool = False


def read(payload: bytes) -> JsonObject | None:
    """Read a record that is to be shown; None for one that is none.

    Raises:
        BadInput: the bytes are no record, or one without what can be shown.
    """
    found = records.decode(payload)
    if not is_shown(found):
        return None
    shown = typedjson.read(payload, _Shown, field="record", expected="a decision or a change of a policy")
    times.read(shown.time)
    if not shown.id or (shown.kind == Kind.DECISION and not shown.verdict):
        raise BadInput(field="record", got="no id or no verdict", expected="both")
    return found


class _Counted(msgspec.Struct, frozen=True, kw_only=True):
    series: str
    count: int
    closed: bool
    countLowerBound: bool = False  # noqa: N815  as in records


def counted(payload: bytes) -> tuple[str, "Series"]:
    """Read a SeriesCount: the id of the AuditRecord whose denial was repeated, and how often.

    Raises:
        BadInput: it is none.
    """
    found = typedjson.read(payload, _Counted, field="record", expected="a SeriesCount")
    return found.series, Series(count=found.count, exact=found.closed and not found.countLowerBound)


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
        "ledger": _ledger(record["previous"], ledger),
    }
    return made if series is None else with_series(made, series)


def with_series(made: JsonObject, series: Series) -> JsonObject:
    """The same AuditRecord, repeated so often."""
    return made | {"series": {"count": series.count, "exact": series.exact}}


def with_ledger(made: JsonObject, ledger: Ledger) -> JsonObject:
    """The same AuditRecord with what is known of its place and proof now."""
    return made | {"ledger": _ledger(made["ledger"]["previous"], ledger)}


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


def _ledger(previous: str, ledger: Ledger) -> JsonObject:
    found: JsonObject = {
        "lane": ledger.lane,
        "sequence": ledger.sequence,
        "previous": previous,
        "leaf": ledger.leaf,
        "verified": ledger.verified,
    }
    if ledger.why:
        found["why"] = ledger.why
    if ledger.checkpoint:
        found["checkpoint"] = ledger.checkpoint
    if ledger.index >= 0:
        found["index"] = ledger.index
    if ledger.shipped_to:
        found["shippedTo"] = ledger.shipped_to
    if ledger.locked_until is not None:
        found["lockedUntil"] = times.write(ledger.locked_until)
    return found
