"""Records in the words of others: OCSF for security lakes, CloudEvents for event buses.

Both are copies for reading: what is signed is the record's own bytes, and only those prove anything.

OCSF 1.6, API Activity (class 6003) with the profile security_control; https://schema.ocsf.io. There is no source
address to give, since an AdmissionReview has none: the endpoint is the API server as a service.
CloudEvents 1.0 with the extensions sequence and partitionkey; https://cloudevents.io.
"""

from collections.abc import Mapping

from interlock.core import times, unstructured
from interlock.core.audit.record import Kind
from interlock.core.types import JsonObject, Severity, Verdict

ABOUT_REQUESTS = frozenset({Kind.DECISION.value, Kind.POLICY_CHANGE.value})
"""Kinds of records that are an activity of somebody; the others are about the ledger itself."""

OCSF_VERSION = "1.6.0"

_CLASS = 6003
_CATEGORY = 6
_ACTIVITIES: Mapping[str, int] = {"CREATE": 1, "UPDATE": 3, "DELETE": 4}
_OTHER = 99  # CONNECT
_SEVERITIES: Mapping[str, int] = {
    Severity.LOW.title: 2,
    Severity.MEDIUM.title: 3,
    Severity.HIGH.title: 4,
    Severity.CRITICAL.title: 5,
}
_INFORMATIONAL = 1
_DENIED = (2, 2)  # action Denied, disposition Blocked
_ALLOWED = (1, 1)  # action Allowed, disposition Allowed
_OBSERVED = (3, 17)  # action Observed, disposition Logged


def cloudevent(record: JsonObject) -> JsonObject:
    """A record of any kind as a CloudEvent, whole."""
    return {
        "specversion": "1.0",
        "id": record["id"],
        "source": f"/interlock/{record['cluster']}",
        "type": f"dev.interlock.audit.{record['kind']}",
        "subject": f"{record['lane']}/{record['sequence']}",
        "time": record["time"],
        "datacontenttype": "application/json",
        "sequence": f"{record['sequence']:010d}",
        "partitionkey": record["lane"],
        "data": record,
    }


def ocsf(record: JsonObject) -> JsonObject:
    """A record about a request as an OCSF event.

    Raises:
        ValueError: the record is about the ledger itself.
    """
    if record["kind"] not in ABOUT_REQUESTS:
        raise ValueError(f"a {record['kind']} record is nobody's activity")
    activity = _ACTIVITIES.get(record["operation"], _OTHER)
    action, disposition = _judgement(record)
    policies = unstructured.items(record, "policies")
    return {
        "class_uid": _CLASS,
        "category_uid": _CATEGORY,
        "activity_id": activity,
        "activity_name": record["operation"],
        "type_uid": _CLASS * 100 + activity,
        "time": _millis(record["time"]),
        "severity_id": _SEVERITIES.get(unstructured.text(record, "severity"), _INFORMATIONAL),
        "action_id": action,
        "disposition_id": disposition,
        "status_detail": unstructured.text(record, "message"),
        "metadata": _metadata(record),
        "actor": {"user": _user(record)},
        "api": {
            "operation": record["operation"],
            "request": {"uid": record["requestUID"]},
            "service": {"name": "kubernetes", "uid": record["cluster"]},
        },
        "resources": [_resource(record)],
        "src_endpoint": {"svc_name": "kube-apiserver"},
        **({"policy": {"name": policies[0]["name"], "uid": policies[0]["uid"]}} if policies else {}),
        "unmapped": {"lane": record["lane"], "previous": record["previous"], "kind": record["kind"]},
    }


def _judgement(record: JsonObject) -> tuple[int, int]:
    verdict = unstructured.text(record, "verdict")
    if verdict == Verdict.DENY.title:
        return _DENIED
    return _ALLOWED if verdict == Verdict.ALLOW.title else _OBSERVED


def _metadata(record: JsonObject) -> JsonObject:
    return {
        "version": OCSF_VERSION,
        "product": {
            "name": "Interlock",
            "vendor_name": "Interlock",
            "version": unstructured.text(record, "engine", "version"),
        },
        "profiles": ["security_control"],
        "uid": record["id"],
        "sequence": record["sequence"],
        "original_time": record["time"],
        "correlation_uid": record["requestUID"],
    }


def _user(record: JsonObject) -> JsonObject:
    user = unstructured.mapping(record, "user")
    groups = [{"name": name} for name in unstructured.texts(user, "groups")]
    return {"name": unstructured.text(user, "name"), "uid": unstructured.text(user, "uid"), "groups": groups}


def _resource(record: JsonObject) -> JsonObject:
    target = unstructured.mapping(record, "target")
    parts = [unstructured.text(target, part) for part in ("group", "resource", "subresource")]
    return {
        "type": "/".join(filter(None, parts)),
        "namespace": unstructured.text(target, "namespace"),
        "name": unstructured.text(target, "name"),
        "uid": unstructured.text(target, "uid"),
    }


def _millis(time: str) -> int:
    return int(times.read(time).timestamp() * 1000)
