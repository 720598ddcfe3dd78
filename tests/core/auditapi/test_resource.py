"""AuditRecords: which records are, where they are read, what they say and what they keep back."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from interlock.core.audit.record import Kind
from interlock.core.auditapi import openapi, resource
from interlock.core.auditapi.resource import KIND
from interlock.core.types import Decision, JsonObject, Request
from tests.ledger import strategies
from tests.support.auditrecords import SYSTEM, audit_record, changed, decided

SCHEMA = openapi.definitions(ref="#/")[f"{openapi.PREFIX}.{KIND}"]


def test_shown() -> None:
    """Decisions and changes of policies are AuditRecords; what lanes say about themselves is not."""
    assert {kind for kind in Kind if resource.is_shown({"kind": kind})} == {"Decision", "PolicyChange"}


@pytest.mark.parametrize(("target", "namespace"), [("shop", "shop"), ("", SYSTEM)])
def test_namespace(target: str, namespace: str) -> None:
    """A record is read in its target's namespace, of a cluster-scoped target in Interlock's own."""
    assert resource.namespace_of({"target": {"namespace": target}}, system=SYSTEM) == namespace


def test_change_of_a_policy() -> None:
    """A change that loosens is graded, and can be selected by what it is."""
    made = audit_record(changed(loosens=True), version=77)

    assert made["metadata"] == {
        "name": "01a3",
        "namespace": SYSTEM,
        "uid": "01a3",
        "resourceVersion": "77",
        "creationTimestamp": "2026-11-24T03:00:00Z",
        "labels": {
            "about": "PolicyChange",
            "operation": "UPDATE",
            "verdict": "Allow",
            "severity": "High",
            "action": "loosen-policy",
            "policy": "sound",
        },
    }
    assert [change["field"] for change in made["changes"]] == ["spec.mode"]


def test_evidence_is_withheld() -> None:
    """Who may only see who did what learns neither difference nor message, and that there is more."""
    made = resource.without_evidence(audit_record(changed(loosens=True)))

    assert ("changes" in made, made["evidence"], made["user"]["name"], made["policy"]) == (
        False,
        "Withheld",
        "alice",
        "sound",
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(strategies.requests, strategies.decisions)
def test_evidence_of_findings_is_withheld(request: Request, decision: Decision) -> None:
    """Of each finding only what it is called stays."""
    full = audit_record(decided(request, decision))
    made = resource.without_evidence(full)

    assert {key for finding in made["findings"] for key in finding} <= {"action", "family", "severity"}
    assert len(made["findings"]) == len(full["findings"])
    assert set(made) - {"evidence"} == set(full) - {"parameters", "digests", "changes", "message"}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(strategies.requests, strategies.decisions)
def test_every_field_is_explained(request: Request, decision: Decision) -> None:
    """Whatever an AuditRecord holds, the schema that `kubectl explain` prints knows it."""
    made = audit_record(decided(request, decision))
    own = {name: value for name, value in made.items() if name not in {"metadata", "apiVersion", "kind"}}

    assert list(_unknown(own, SCHEMA, "")) == []


def _unknown(value: object, schema: JsonObject, path: str) -> Iterator[str]:
    """Paths of a value that its schema does not describe."""
    match value:
        case dict():
            for key, inner in value.items():
                child = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
                if child is None:
                    yield f"{path}.{key}"
                else:
                    yield from _unknown(inner, child, f"{path}.{key}")
        case list():
            for inner in value:
                yield from _unknown(inner, schema["items"], f"{path}[]")
        case _:
            if schema["type"] != {bool: "boolean", int: "integer", str: "string"}[type(value)]:
                yield f"{path}: {type(value).__name__}"


def test_documents_of_openapi() -> None:
    """Both versions describe the same paths, and refer to definitions that are there."""
    two, three = openapi.v2("1"), openapi.v3("1")

    assert list(two["paths"]) == list(three["paths"])
    assert _references(two) <= {f"#/definitions/{name}" for name in two["definitions"]}
    assert _references(three) <= {f"#/components/schemas/{name}" for name in three["components"]["schemas"]}


def _references(node: object) -> set[str]:
    match node:
        case {"$ref": str(reference)}:
            return {reference}
        case dict():
            return set().union(*map(_references, node.values()))
        case list():
            return set().union(*map(_references, node))
        case _:
            return set()
