"""Selectors in one string: apimachinery's grammar, its escapes, and clear refusals."""

import pytest

from interlock.core.auditapi import selecting
from interlock.core.types import JsonObject
from interlock.errors import BadInput
from tests.support.auditrecords import simple

LABELLED = {
    "none": {},
    "critical": {"severity": "Critical", "verdict": "Deny"},
    "low": {"severity": "Low", "verdict": "Allow"},
}


def _labelled(labels: dict[str, str]) -> JsonObject:
    made = simple("r")
    made["metadata"]["labels"] = labels
    return made


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", {"none", "critical", "low"}),
        ("severity=Critical", {"critical"}),
        ("severity==Critical", {"critical"}),
        ("severity = Critical , verdict=Deny", {"critical"}),
        ("severity!=Critical", {"none", "low"}),
        ("severity in (Critical, Low)", {"critical", "low"}),
        ("severity notin (Low)", {"none", "critical"}),
        ("severity", {"critical", "low"}),
        ("!severity", {"none"}),
        ("! severity", {"none"}),
        ("severity in (Low),verdict", {"low"}),
        ("severity=", set()),
        ("interlock.dev/about", set()),
    ],
)
def test_labels(selector: str, found: set[str]) -> None:
    """A label selector selects what the API server's own would."""
    selection = selecting.parse(labels=selector, fields="")

    assert {name for name, labels in LABELLED.items() if selection.match(_labelled(labels))} == found


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", {"denied", "allowed"}),
        ("verdict=Deny", {"denied"}),
        ("verdict==Deny,user=alice", {"denied"}),
        ("verdict!=Deny", {"allowed"}),
        ("user.name=alice", {"denied"}),
        ("metadata.namespace=shop", {"denied", "allowed"}),
        ("metadata.name=denied", {"denied"}),
        ("target.name=", {"allowed"}),
        (r"target.name=a\,b\=c\\d", {"denied"}),
        ("user=system:serviceaccount:ci:deployer", {"allowed"}),
    ],
)
def test_fields(selector: str, found: set[str]) -> None:
    """A field selector compares whole values; an absent field is empty."""
    made = (
        simple("denied", verdict="Deny", user={"name": "alice"}, target={"name": r"a,b=c\d"}),
        simple("allowed", verdict="Allow", user={"name": "system:serviceaccount:ci:deployer"}),
    )
    selection = selecting.parse(labels="", fields=selector)

    assert {each["metadata"]["name"] for each in made if selection.match(each)} == found


@pytest.mark.parametrize(
    ("labels", "fields", "field"),
    [
        ("severity>1", "", "labelSelector"),
        ("severity in Critical", "", "labelSelector"),
        ("severity=a b", "", "labelSelector"),
        ("=x", "", "labelSelector"),
        ("a=b,", "", "labelSelector"),
        ("a" * 5000, "", "labelSelector"),
        ("", "spec.nodeName=n", "fieldSelector"),
        ("", "verdict", "fieldSelector"),
        ("", "verdict=a=b", "fieldSelector"),
        ("", "verdict=a\\", "fieldSelector"),
        ("", "verdict=" + "a" * 5000, "fieldSelector"),
    ],
)
def test_refused(labels: str, fields: str, field: str) -> None:
    """What is not in the grammar is refused by the name of the parameter, shortened."""
    with pytest.raises(BadInput) as refused:
        selecting.parse(labels=labels, fields=fields)

    assert (refused.value.field, len(str(refused.value)) < 500) == (field, True)
